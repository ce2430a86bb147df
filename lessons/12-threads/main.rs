//! Lesson 12 · threads. Run `make lesson-12`, then its PHP twin with `make php-12`.

use std::fs;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

/// How many clients may be here at once. Without a bound, a client that connects often enough takes all the memory.
const MOST: usize = 3;

fn main() -> Result<()> {
    // make lesson-12 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(5000);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-12 ARGS=\"{} {}\"", here.address, here.port);

    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut number = 0_u64;
    loop {
        let client = match socket_accept(&listener) {
            Ok(client) => Arc::new(client),
            // The client gave up while it waited, or a signal came: neither may end a server.
            Err(error) if [SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => continue,
            // No descriptor is left, say, or no memory. That is no reason to end those who are served. The client stays
            // in the queue; asking again at once, and for ever, would spin.
            Err(error) => {
                println!("{error}");
                thread::sleep(Duration::from_millis(200));
                continue;
            }
        };
        number += 1;

        // Clients that have gone free their places.
        threads.retain(|thread| !thread.is_finished());
        if threads.len() >= MOST {
            println!("client {number}: turned away, {MOST} are here");
            turn_away(&client, &format!("Sorry, {MOST} clients are here already. Come back later.\n"));
            continue;
        }

        // The thread may outlive this round of the loop, so its share of the socket moves into it. This thread keeps the
        // other, to turn the client away if there is no new thread: two owners, hence the Arc.
        // Break it: uncomment the next line, which only lends the socket to the thread (error E0373).
        // thread::spawn(|| serve(&client));
        let share = Arc::clone(&client);
        let (memory, begin) = (private_memory(), Instant::now());
        let work = move || {
            // A thread shares the memory of its process: its own is what was not there before.
            let (time, memory) = (begin.elapsed().as_micros(), private_memory().saturating_sub(memory));
            println!("client {number}: has come; ready in {time} microseconds, {memory} KiB of its own");
            match serve(&share) {
                Ok(answers) => println!("client {number}: has gone, answers: {answers}"),
                // A client that vanishes ends its own conversation, not the server.
                Err(error) => println!("client {number}: {error}"),
            }
        };
        match thread::Builder::new().spawn(work) {
            Ok(thread) => threads.push(thread),
            // The shorter thread::spawn would panic here, and end the server for all who are served.
            Err(error) => {
                println!("client {number}: turned away, no thread: {error}");
                turn_away(&client, "Sorry, the server is busy. Come back later.\n");
            }
        }
        // This thread's share ends here; the socket is closed when the other ends, too.
    }
}

/// Answers whatever arrives, until the end of the stream. Only this client's thread waits here.
fn serve(client: &Socket) -> Result<u64> {
    let mut answers = 0;
    loop {
        let data = socket_read(client, 1024, PHP_BINARY_READ)?;
        if data.is_empty() {
            return Ok(answers);
        }
        // One write may take less than all of it.
        let mut answer = [b"OK ... ".as_slice(), &data].concat();
        while !answer.is_empty() {
            let sent = socket_write(client, &answer, None)?;
            answer.drain(..sent);
        }
        answers += 1;
    }
}

/// Says one sentence and no more, and takes what the client has said meanwhile: closing with bytes unread would be a
/// reset, which may overtake the sentence. Nothing here waits, and a client that has gone already misses nothing.
fn turn_away(client: &Socket, sentence: &str) {
    // A new socket's send buffer takes a sentence.
    let mut rest = sentence.as_bytes();
    while !rest.is_empty() {
        let Ok(sent) = socket_write(client, rest, None) else { break };
        rest = &rest[sent..];
    }
    let _ = socket_shutdown(client, SHUT_WR);
    let mut unread = Vec::new();
    // Sixteen times at most, or a client that never ends could keep the server here.
    for _ in 0..16 {
        let Ok(1..) = socket_recv(client, &mut unread, 65536, MSG_DONTWAIT) else { break };
    }
}

/// The memory that this process shares with no other, in KiB; 0 if the kernel does not say.
fn private_memory() -> u64 {
    let sizes = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let size = sizes.lines().find_map(|line| line.strip_prefix("Private_Dirty:")?.strip_suffix("kB"));
    size.and_then(|size| size.trim().parse().ok()).unwrap_or(0)
}
