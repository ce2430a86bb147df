//! Lesson 11 · the backlog. Run `make lesson-11`, then its PHP twin with `make php-11`.

use std::fs;
use std::time::{Duration, Instant};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

fn main() -> Result<()> {
    // Three listeners, and at each of them more clients than its queue holds.
    let (zero, at_zero) = listener_with_clients(0, 3)?;
    let (one, at_one) = listener_with_clients(1, 4)?;
    let (ten, at_ten) = listener_with_clients(10, 13)?;

    // Their kernel has called once for each, and will call again after a second. Look before that.
    wait(&[&at_zero, &at_one, &at_ten], Duration::from_millis(500))?;
    // Break it: uncomment the next line. select removes who is not ready, and these are our clients (error E0277).
    // socket_select(None, Some(&mut at_ten), None, 0, 0)?;
    println!("1. The clients have called, and nobody accepts. After 500 ms:");
    table([(0, &at_zero), (1, &at_one), (10, &at_ten)])?;

    // Two clients leave the queue of ten, so two places are free. The queue of one loses its listener.
    let begin = Instant::now();
    let first = socket_accept(&ten)?;
    let second = socket_accept(&ten)?;
    socket_close(one);

    // The clients that still try are not told: they find out when they call again.
    wait(&[&at_one, &at_ten], Duration::from_secs(5))?;
    println!("\n2. The server with backlog 10 has accepted two clients; the one with backlog 1");
    println!("   has closed its listener. After {} ms more:", begin.elapsed().as_millis());
    table([(0, &at_zero), (1, &at_one), (10, &at_ten)])?;
    for socket in [first, second, ten, zero] {
        socket_close(socket);
    }

    println!("\n3. Who else has a say");
    println!("   {SOMAXCONN:>5}  the constant SOMAXCONN: a queue as long as Linux usually allows");
    let settings = [
        ("/proc/sys/net/core/somaxconn", "the longest queue that the kernel allows"),
        ("/proc/sys/net/ipv4/tcp_syn_retries", "how often a client calls again"),
        ("/proc/sys/net/ipv4/tcp_abort_on_overflow", "whether a full queue resets"),
    ];
    for (file, meaning) in settings {
        let value = fs::read_to_string(file).unwrap_or_default();
        println!("   {:>5}  {file}: {meaning}", value.trim());
    }
    Ok(())
}

/// A listener with this backlog, and this many clients that have begun to connect to it.
fn listener_with_clients(backlog: i32, count: usize) -> Result<(Socket, Vec<Socket>)> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, backlog)?;
    let name = socket_getsockname(&listener)?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
        // A blocking connect would not come back from a full queue: for two minutes, and with an error.
        socket_set_nonblock(&client)?;
        match socket_connect(&client, &name.address, name.port) {
            Err(error) if error.code() != SOCKET_EINPROGRESS => return Err(error),
            _ => clients.push(client),
        }
    }
    Ok((listener, clients))
}

/// Waits until every connect has ended, well or badly, or until the time is up.
fn wait(groups: &[&Vec<Socket>], time: Duration) -> Result<()> {
    let deadline = Instant::now() + time;
    let mut trying: Vec<&Socket> = groups.iter().copied().flatten().collect();
    while !trying.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now()).as_micros();
        let mut ready = trying.clone();
        // Writable: its connect has ended (lesson 13).
        if socket_select(None, Some(&mut ready), None, 0, i64::try_from(left).unwrap_or(0))? == 0 {
            break;
        }
        trying.retain(|client| !ready.contains(client));
    }
    Ok(())
}

/// The outcome for the clients of each backlog.
fn table(queues: [(i32, &Vec<Socket>); 3]) -> Result<()> {
    println!("   backlog   clients   connected   refused   reset   still trying");
    for (backlog, clients) in queues {
        let mut ended: Vec<&Socket> = clients.iter().collect();
        socket_select(None, Some(&mut ended), None, 0, 0)?;
        let trying = clients.len() - ended.len();
        let (mut connected, mut refused, mut reset) = (0, 0, 0);
        for client in ended {
            // 0, or the error that the next call on the socket would report; asking takes it away (lesson 14).
            match socket_get_option(client, SOL_SOCKET, SO_ERROR)?.int()? {
                0 => connected += 1,
                SOCKET_ECONNREFUSED => refused += 1,
                _ => reset += 1,
            }
        }
        let clients = clients.len();
        println!("   {backlog:>7}{clients:>10}{connected:>12}{refused:>10}{reset:>8}{trying:>15}");
    }
    Ok(())
}
