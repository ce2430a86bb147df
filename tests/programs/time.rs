//! A time server over TCP with a deadline for each client: who does not ask in time is let go.
//! The argument is the time that a client has, in milliseconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use php_sockets::*;

struct Client {
    socket: Socket,
    said: Vec<u8>,
    deadline: Instant,
}

fn main() -> Result<()> {
    let argument = std::env::args().nth(1).and_then(|argument| argument.parse().ok());
    let patience = Duration::from_millis(argument.unwrap_or(5000));

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let mut clients: BTreeMap<u32, Client> = BTreeMap::new();
    let mut count = 0;
    loop {
        // Sleep until a client says something, or until the next deadline. The listener is number 0.
        let mut read: BTreeMap<u32, &Socket> = BTreeMap::from([(0, &listener)]);
        read.extend(clients.iter().map(|(number, client)| (*number, &client.socket)));
        let next = clients.values().map(|client| client.deadline).min();
        let wait = next.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let seconds = wait.map(|wait| wait.as_secs().try_into().unwrap_or(i64::MAX));
        let microseconds = wait.map_or(0, |wait| wait.subsec_micros().into());
        socket_select(Some(&mut read), None, None, seconds, microseconds)?;

        let ready: Vec<u32> = read.into_keys().collect();
        for number in ready {
            let Some(client) = clients.get_mut(&number) else {
                count += 1;
                let socket = socket_accept(&listener)?;
                socket_set_nonblock(&socket)?;
                println!("client {count}: is here");
                let deadline = Instant::now() + patience;
                clients.insert(count, Client { socket, said: Vec::new(), deadline });
                continue;
            };
            let data = socket_read(&client.socket, 100, PHP_BINARY_READ).unwrap_or_default();
            client.said.extend_from_slice(&data);
            if data.is_empty() {
                println!("client {number}: left");
            } else if client.said == b"time\n" {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                socket_write(&client.socket, format!("{now}\n"), None)?;
                println!("client {number}: knows the time");
            } else if client.said == b"quit\n" {
                println!("client {number}: ends the server");
                return Ok(());
            } else if client.said.contains(&b'\n') || client.said.len() > 100 {
                socket_write(&client.socket, "ask: time\n", None)?;
                println!("client {number}: does not know how to ask");
            } else {
                continue; // the rest of the line is on its way
            }
            clients.remove(&number);
        }

        let now = Instant::now();
        let late: Vec<u32> =
            clients.iter().filter(|(_, client)| client.deadline <= now).map(|(number, _)| *number).collect();
        for number in late {
            socket_write(&clients[&number].socket, "too late\n", None)?;
            println!("client {number}: is too late");
            clients.remove(&number);
        }
    }
}
