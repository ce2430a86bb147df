//! The first server of the README: one client at a time.

use php_sockets::*;
use std::{thread, time::Duration};

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?; // port 0: any free one
    socket_listen(&listener, SOMAXCONN)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    loop {
        let Ok(client) = socket_accept(&listener) else {
            // No descriptor is free, say. Asking again at once would spin.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        // A line. At the end: an error, or "" if the socket is non-blocking.
        while let Ok(line) = socket_read(&client, 1024, PHP_NORMAL_READ) {
            if line.is_empty() || socket_write(&client, line, None).is_err() {
                break; // the client is gone; the server stays
            }
        }
    } // `client` is closed here, where it goes out of scope
}
