//! The second server of the README for clients that speak in lines.

use php_sockets::*;
use std::time::{Duration, Instant};
use std::{collections::BTreeMap, os::fd::AsRawFd, thread};

const MOST: usize = 1000; // clients: select takes descriptors below 1024
const PAUSE: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    socket_set_nonblock(&listener)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let mut clients: BTreeMap<u64, (Socket, Vec<u8>)> = BTreeMap::new();
    let (mut last_id, mut resume) = (0, Instant::now());
    loop {
        // The clients by number; the listener as 0, not after a failed accept.
        let sockets = clients.iter().map(|(id, (client, _))| (*id, client));
        let mut read: Vec<(u64, &Socket)> = sockets.collect();
        let paused = !clients.is_empty() && Instant::now() < resume;
        if clients.len() < MOST && !paused {
            read.push((0, &listener));
        }
        let seconds = paused.then_some(0); // and 100,000 µs; None: no limit
        match socket_select(Some(&mut read), None, None, seconds, 100_000) {
            Err(error) if error.code() == SOCKET_EINTR => continue,
            count => count?,
        };
        // Keep the ready keys, let the references go: the clients may change.
        let ready: Vec<u64> = read.into_iter().map(|(key, _)| key).collect();
        for key in ready {
            if key == 0 {
                match socket_accept(&listener) {
                    // It is non-blocking, as the listener is.
                    Ok(client) if client.as_raw_fd() < 1024 => {
                        last_id += 1;
                        clients.insert(last_id, (client, Vec::new()));
                    }
                    // No descriptor, say. Asking again at once would spin.
                    _ if clients.is_empty() => thread::sleep(PAUSE),
                    _ => resume = Instant::now() + PAUSE,
                }
                continue;
            }
            let Some((client, input)) = clients.get_mut(&key) else { continue };
            if !answer(client, input) {
                clients.remove(&key);
            }
        }
    }
}

/// Answers every whole line, and keeps the rest in `input` until more has come.
/// False if the client has to go.
fn answer(client: &Socket, input: &mut Vec<u8>) -> bool {
    let data = socket_read(client, 1024, PHP_BINARY_READ).unwrap_or_default();
    input.extend(&data);
    while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = input.drain(..=end).collect();
        if socket_write(client, &line, None) != Ok(line.len()) {
            return false;
        }
    }
    // A line without end would fill the memory.
    !data.is_empty() && input.len() <= 1024
}
