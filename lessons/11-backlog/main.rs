//! Lesson 11 · the backlog. Run `make lesson-11`, then its PHP twin with `make php-11`.

use std::time::Instant;

use php_sockets::*;

fn main() -> Result<()> {
    println!("Clients connect, and nobody accepts them. What the kernel does:\n");
    println!("backlog  clients  connected  still trying  refused");
    for backlog in [0, 1, 3, 10] {
        let (listener, clients) = crowd(backlog, 4)?;
        let states = states(&clients)?;
        let [connected, trying, refused] = states.map(|list| list.len());
        println!("{backlog:7} {:8} {connected:10} {trying:13} {refused:8}", clients.len());
        // Before its clients, so that none of them comes in late.
        socket_close(listener);
    }

    println!("\nNow with backlog 1: two clients wait in the queue, a third keeps trying.");
    let (listener, clients) = crowd(1, 1)?;
    let [connected, trying, _] = states(&clients)?;
    // Break it: uncomment the next line. `connected` and `trying` borrow the clients (error E0505).
    // drop(clients);
    let waiting = connected.first().copied().unwrap_or(&listener);
    let sent = socket_write(waiting, "Is anybody there?", None)?;
    println!("The first in the queue sends {sent} bytes, and the kernel takes them.");

    println!("The server accepts it, which makes room for the third:");
    let accepted = socket_accept(&listener)?;
    let begin = Instant::now();
    let mut admitted = trying;
    let count = socket_select(None, Some(&mut admitted), None, 10, 0)?;
    let milliseconds = begin.elapsed().as_millis();
    println!("   {count} connected after {milliseconds} ms, when it has tried again.");
    let data = socket_read(&accepted, 1024, PHP_BINARY_READ)?;
    println!("   The server reads '{}', sent before it accepted.", String::from_utf8_lossy(&data));

    println!("The listener is closed. The second in the queue reads:");
    socket_close(listener);
    let left = connected.get(1).copied().unwrap_or(&accepted);
    match socket_read(left, 1024, PHP_BINARY_READ) {
        Ok(data) => println!("   {} bytes", data.len()),
        Err(error) => println!("   {error}"),
    }

    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    println!("\nSOMAXCONN is {SOMAXCONN}. This kernel takes a larger backlog for {}.", limit.trim());
    Ok(())
}

/// A listener, and as many clients as its queue holds and some more, each of which has begun to connect.
fn crowd(backlog: i32, more: usize) -> Result<(Socket, Vec<Socket>)> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, backlog)?;
    let port = socket_getsockname(&listener)?.port;

    let room = usize::try_from(backlog).unwrap_or(0) + 1;
    let mut clients = Vec::new();
    for _ in 0..room + more {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
        // Otherwise the first client that is not let in would hold up this program for two minutes.
        socket_set_nonblock(&client)?;
        match socket_connect(&client, "127.0.0.1", port) {
            Err(error) if error.code() != SOCKET_EINPROGRESS => return Err(error),
            _ => clients.push(client),
        }
    }
    Ok((listener, clients))
}

/// Which clients are connected, which are still trying, and which were refused.
fn states(clients: &[Socket]) -> Result<[Vec<&Socket>; 3]> {
    let mut trying: Vec<&Socket> = clients.iter().collect();
    let (mut connected, mut refused) = (Vec::new(), Vec::new());
    while !trying.is_empty() {
        // A connect that has ended makes its socket writable; 0.2 seconds in which none ends are enough.
        let mut ended = trying.clone();
        if socket_select(None, Some(&mut ended), None, 0, 200_000)? == 0 {
            break;
        }
        for client in ended {
            trying.retain(|other| *other != client);
            // How it ended: 0 is success (lesson 14).
            match socket_get_option(client, SOL_SOCKET, SO_ERROR)?.int()? {
                0 => connected.push(client),
                _ => refused.push(client),
            }
        }
    }
    Ok([connected, trying, refused])
}
