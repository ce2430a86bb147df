//! The second server of the README: many clients, one thread.

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

    let mut clients: BTreeMap<u64, Socket> = BTreeMap::new();
    let (mut last_id, mut resume) = (0, Instant::now());
    loop {
        // The clients by number; the listener as 0, not after a failed accept.
        let sockets = clients.iter().map(|(id, client)| (*id, client));
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
                        clients.insert(last_id, client);
                    }
                    // No descriptor, say. Asking again at once would spin.
                    _ if clients.is_empty() => thread::sleep(PAUSE),
                    _ => resume = Instant::now() + PAUSE,
                }
                continue;
            }
            let Some(client) = clients.get(&key) else { continue };
            let data = socket_read(client, 1024, PHP_BINARY_READ);
            let data = data.unwrap_or_default();
            let sent = || socket_write(client, &data, None);
            // The end, an error, or a client that does not read: it is closed.
            if data.is_empty() || sent() != Ok(data.len()) {
                clients.remove(&key);
            }
        }
    }
}
