//! The second server of the README: many clients, one thread.

use php_sockets::*;
use std::collections::BTreeMap;

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let mut clients: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut last_id = 0;
    loop {
        // References to all that can be read: the clients by their number, the listener as number 0.
        let mut read: BTreeMap<u64, &Socket> = clients.iter().map(|(id, client)| (*id, client)).collect();
        read.insert(0, &listener);
        socket_select(Some(&mut read), None, None, None, 0)?;

        // Keep the ready keys, let the references go; from here on the clients may change.
        let ready: Vec<u64> = read.into_keys().collect();
        for key in ready {
            if key == 0 {
                let client = socket_accept(&listener)?;
                socket_set_nonblock(&client)?;
                last_id += 1;
                clients.insert(last_id, client);
                continue;
            }
            let data = socket_read(&clients[&key], 1024, PHP_BINARY_READ).unwrap_or_default();
            // At the end of the stream, after an error, or if the client does not read its answers: removing it closes it.
            if data.is_empty() || socket_write(&clients[&key], &data, None) != Ok(data.len()) {
                clients.remove(&key);
            }
        }
    }
}
