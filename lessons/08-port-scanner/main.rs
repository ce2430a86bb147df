//! Lesson 08 · the port scanner. Run `make lesson-08`, then its PHP twin with `make php-08`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};
use std::{env, process};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

/// How many ports are tried at once: select knows descriptors 0 to 1023, and some are in use already.
const BATCH: usize = 256;
/// How long a batch may take. A port that has not answered by then is silent.
const TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> Result<()> {
    // make lesson-08 ARGS="HOST FIRST LAST"
    let mut arguments = env::args_os().skip(1);
    let host = Address::from(arguments.next().unwrap_or_else(|| "127.0.0.1".into()));
    if arguments::is_number(&host) {
        eprintln!("HOST comes first: make lesson-08 ARGS=\"127.0.0.1 {host} {host}\"");
        process::exit(1);
    }
    // Text that is no number counts as 0, and 0 is no port.
    let mut number = |default: u16| match arguments.next() {
        Some(text) => text.to_str().and_then(|text| text.parse().ok()).unwrap_or(0),
        None => default,
    };
    let (first, last) = (number(1), number(1024));
    if first == 0 || first > last {
        eprintln!("FIRST and LAST have to be ports from 1 to 65535, and FIRST not above LAST.");
        process::exit(1);
    }

    // One look-up for all: socket_connect would look a name up again for every port. An unknown name
    // comes back as it is, and socket_connect says what is wrong with it.
    let address = gethostbyname(&host);
    println!("Scanning {address}, ports {first} to {last}");
    // In a terminal the progress is one line that changes: \r takes the cursor back to its beginning.
    let terminal = stdout().is_terminal();
    let (before, after) = if terminal { ("\r", "") } else { ("", "\n") };
    let begin = Instant::now();
    let ports: Vec<u16> = (first..=last).collect();
    let (mut open, mut closed, mut silent) = (Vec::new(), 0, 0);

    for batch in ports.chunks(BATCH) {
        if screen::is_gone() {
            return Ok(());
        }
        // Call all of them. A blocking connect would wait for each answer, at a silent port for two minutes.
        let mut waiting = BTreeMap::new();
        for &port in batch {
            let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
            socket_set_nonblock(&socket)?;
            match socket_connect(&socket, &address, port) {
                // "In progress" is what we hope for. Another error is about the host, not about this port.
                Err(error) if error.code() != SOCKET_EINPROGRESS => return Err(error),
                _ => waiting.insert(port, socket),
            };
        }

        // Then take the answers in the order in which they come, until there are no more or the time is up.
        let deadline = Instant::now() + TIMEOUT;
        while !waiting.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now()).as_micros();
            let left = i64::try_from(left).unwrap_or(0);
            // A connect that has ended, well or badly, makes its socket writable (lesson 13).
            let mut ready: BTreeMap<u16, &Socket> =
                waiting.iter().map(|(port, socket)| (*port, socket)).collect();
            if socket_select(None, Some(&mut ready), None, 0, left)? == 0 {
                break;
            }
            // Break it: uncomment the next line, which closes the sockets that `ready` has (error E0502).
            // waiting.clear();
            let answered: Vec<u16> = ready.into_keys().collect();
            for port in answered {
                let Some(socket) = waiting.remove(&port) else { continue };
                // How it ended: 0, or the code that a blocking connect would have failed with (lesson 14).
                match socket_get_option(&socket, SOL_SOCKET, SO_ERROR)?.int()? {
                    0 => {
                        // The kernel chose a port for our own end. If it is this one, we have called ourselves: both
                        // ends have one name. It may not be the name that we have called: 0.0.0.0 is 127.0.0.1 then.
                        // A peer that has hung up since has no name, and is not ourselves.
                        let own = socket_getsockname(&socket)?;
                        let itself = socket_getpeername(&socket).is_ok_and(|peer| peer == own);
                        if itself { closed += 1 } else { open.push(port) }
                    }
                    // The port has answered, and hung up at once.
                    SOCKET_ECONNRESET | SOCKET_EPIPE => open.push(port),
                    SOCKET_ECONNREFUSED => closed += 1,
                    // A router or a firewall has answered. The port has not.
                    _ => silent += 1,
                }
                socket_close(socket);
            }
        }
        // The rest has not answered. Its sockets are closed when `waiting` goes, at the end of this block.
        silent += waiting.len();
        let tried = open.len() + closed + silent;
        print!("{before}{tried:>5} of {} ports tried, {} open{after}", ports.len(), open.len());
        stdout().flush().ok();
    }
    if terminal {
        println!();
    }

    open.sort_unstable();
    let mut names = Vec::new();
    for port in &open {
        // The name of the port in /etc/services. Another program may really listen there.
        match getservbyport(*port, "tcp") {
            Some(service) => names.push(format!("{port} ({service})")),
            None => names.push(port.to_string()),
        }
    }
    println!("Open: {}", if names.is_empty() { "none".to_string() } else { names.join(", ") });
    let time = begin.elapsed().as_millis();
    println!("{} ports in {time} ms: {} open, {closed} closed, {silent} silent", ports.len(), open.len());
    Ok(())
}
