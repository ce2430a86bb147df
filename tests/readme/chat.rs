//! The second server of the README as a chat.

use php_sockets::*;
use std::time::{Duration, Instant};
use std::{collections::BTreeMap, os::fd::AsRawFd, thread};

const MOST: usize = 1000; // clients: select takes descriptors below 1024, and a program has others too
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
        // References to all that can be read: the clients by their number, and the listener as number 0. When the listener
        // is left out, the next client waits in the kernel's queue.
        let mut read: Vec<(u64, &Socket)> = clients.iter().map(|(id, client)| (*id, client)).collect();
        let resting = !clients.is_empty() && Instant::now() < resume;
        if clients.len() < MOST && !resting {
            read.push((0, &listener));
        }
        // With `None` seconds it waits for ever, whatever the microseconds are.
        match socket_select(Some(&mut read), None, None, resting.then_some(0), 100_000) {
            Err(error) if error.code() == SOCKET_EINTR => continue, // a signal came
            count => count?,
        };

        // Keep the ready keys, let the references go; from here on the clients may change.
        let ready: Vec<u64> = read.into_iter().map(|(key, _)| key).collect();
        for key in ready {
            if key == 0 {
                match socket_accept(&listener) {
                    Ok(client) if client.as_raw_fd() < 1024 && socket_set_nonblock(&client).is_ok() => {
                        last_id += 1;
                        clients.insert(last_id, client);
                    }
                    // No descriptor is free, say. The listener stays ready: asking again at once would spin.
                    _ if clients.is_empty() => thread::sleep(PAUSE),
                    _ => resume = Instant::now() + PAUSE,
                }
                continue;
            }
            let Some(client) = clients.get(&key) else { continue };
            let data = socket_read(client, 1024, PHP_BINARY_READ).unwrap_or_default();
            if data.is_empty() {
                clients.remove(&key);
            }
            clients.retain(|id, other| *id == key || socket_write(other, &data, None) == Ok(data.len()));
        }
    }
}
