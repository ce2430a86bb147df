//! The server with an output buffer for each client, and a `write` list.

use php_sockets::*;
use std::time::{Duration, Instant};
use std::{collections::BTreeMap, os::fd::AsRawFd, thread};

const MOST: usize = 1000; // clients: select takes descriptors below 1024
const FULL: usize = 8192; // bytes that may wait for one client
const PAUSE: Duration = Duration::from_millis(100);

struct Client {
    socket: Socket,
    output: Vec<u8>,
    ended: bool,
}

impl Client {
    /// Reads what has come, and queues the answer: the same bytes.
    fn read(&mut self) -> Result<()> {
        let data = socket_read(&self.socket, 1024, PHP_BINARY_READ)?;
        self.ended = data.is_empty();
        self.output.extend(data);
        Ok(())
    }

    /// Sends as much of the output as the kernel takes.
    fn write(&mut self) -> Result<()> {
        let sent = socket_write(&self.socket, &self.output, None)?;
        self.output.drain(..sent);
        Ok(())
    }

    /// False while the client does not take what it has got.
    fn may_read(&self) -> bool {
        !self.ended && self.output.len() < FULL
    }

    fn may_write(&self) -> bool {
        !self.output.is_empty()
    }
}

/// The ready keys. The list's borrow of the clients ends here.
fn keys(list: Vec<(u64, &Socket)>) -> Vec<u64> {
    list.into_iter().map(|(key, _)| key).collect()
}

/// Lets a client read or write. It goes if it fails, or has ended and got all.
fn turn(
    clients: &mut BTreeMap<u64, Client>,
    id: u64,
    act: fn(&mut Client) -> Result<()>,
) {
    let Some(client) = clients.get_mut(&id) else { return };
    let failed = act(client).is_err_and(|error| !error.is_quiet());
    if failed || (client.ended && client.output.is_empty()) {
        clients.remove(&id);
    }
}

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    socket_set_nonblock(&listener)?; // and so are the clients
    println!("Listening on {}", socket_getsockname(&listener)?);

    let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
    let (mut last_id, mut resume) = (0, Instant::now());
    loop {
        let list = |wanted: fn(&Client) -> bool| -> Vec<(u64, &Socket)> {
            let chosen = clients.iter().filter(|(_, client)| wanted(client));
            chosen.map(|(id, client)| (*id, &client.socket)).collect()
        };
        let mut read = list(Client::may_read);
        let mut write = list(Client::may_write); // it may be empty
        let paused = !clients.is_empty() && Instant::now() < resume;
        if clients.len() < MOST && !paused {
            read.push((0, &listener));
        }
        let seconds = paused.then_some(0); // and 100,000 µs; None: no limit
        let (reads, writes) = (Some(&mut read as _), Some(&mut write as _));
        match socket_select(reads, writes, None, seconds, 100_000) {
            Err(error) if error.code() == SOCKET_EINTR => continue,
            count => count?,
        };
        let (readable, writable) = (keys(read), keys(write));
        for id in writable {
            turn(&mut clients, id, Client::write);
        }
        for id in readable {
            if id != 0 {
                turn(&mut clients, id, Client::read);
                continue;
            }
            match socket_accept(&listener) {
                Ok(socket) if socket.as_raw_fd() < 1024 => {
                    last_id += 1;
                    let output = Vec::new();
                    let client = Client { socket, output, ended: false };
                    clients.insert(last_id, client);
                }
                // No descriptor, say. Asking again at once would spin.
                _ if clients.is_empty() => thread::sleep(PAUSE),
                _ => resume = Instant::now() + PAUSE,
            }
        }
    }
}
