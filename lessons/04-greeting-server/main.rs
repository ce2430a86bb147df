//! Lesson 04 · the greeting server. Run `make lesson-04`, then its PHP twin with `make php-04`.

use std::num::NonZeroU8;
use std::process;
use std::time::{Duration, Instant};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;
#[path = "../text.rs"]
mod text;

const CLIENTS: u32 = 5;
/// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST: usize = 1024;

fn main() -> Result<()> {
    // make lesson-04 ARGS="ADDRESS PORT SECONDS", or a port alone
    let (address, port, rest) = arguments::address_and_port(1935);
    let seconds = rest.first().map_or(Some("60"), |seconds| seconds.to_str());
    let Some(seconds) = seconds.and_then(|seconds| seconds.parse::<NonZeroU8>().ok()) else {
        eprintln!("The seconds for a line have to be a number from 1 to 255.");
        process::exit(1);
    };
    let patience = Duration::from_secs(u64::from(seconds.get()));

    let listener = if address == "0.0.0.0" {
        // The short form: create, bind to every address of this machine, listen.
        socket_create_listen(port, SOMAXCONN)?
    } else {
        let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
        // Without this the port would stay taken for a minute after the server has ended (lesson 14).
        socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
        socket_bind(&listener, &address, port)?;
        socket_listen(&listener, SOMAXCONN)?;
        listener
    };
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-04 ARGS=\"{} {}\"", here.address, here.port);
    println!("See it listen: ss -ltn 'sport = :{}'", here.port);

    let mut number = 0;
    while number < CLIENTS {
        let client = match socket_accept(&listener) {
            Ok(client) => client,
            // A client gave up in the queue, or a signal came: no reason to end.
            Err(error) if [SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => continue,
            Err(error) => return Err(error),
        };
        number += 1;
        match serve(&client, number, patience) {
            Ok(text) if text.is_empty() => println!("client {number} says nothing"),
            Ok(text) => println!("client {number} says: {text}"),
            // A client that vanishes ends its own conversation, not the server.
            Err(error) => println!("client {number} is lost: {error}"),
        }
        hang_up(client);
    }
    socket_close(listener);
    println!("{CLIENTS} clients have come: the server ends");
    Ok(())
}

/// Greets a client, and reads its message: a line, or as much of it as comes.
fn serve(client: &Socket, number: u32, patience: Duration) -> Result<String> {
    let mut greeting = format!("Hello, client {number} of {CLIENTS}. Say one line.\n").into_bytes();
    // One write may take less than all of it.
    while !greeting.is_empty() {
        let sent = socket_write(client, &greeting, None)?;
        greeting.drain(..sent);
    }

    // Without a limit, a client that says nothing would hold up all others for ever (lesson 14).
    socket_set_option(client, SOL_SOCKET, SO_RCVTIMEO, patience)?;
    let begin = Instant::now();
    let mut message = Vec::new();
    // A read brings what has arrived: half a line, or three. So read until there is the end of a line, or enough.
    while !message.contains(&b'\n') && message.len() < LONGEST && begin.elapsed() < patience {
        match socket_read(client, LONGEST - message.len(), PHP_BINARY_READ) {
            Ok(data) if !data.is_empty() => message.extend(data),
            // A signal, as when Ctrl-Z and fg have stopped and continued the server: read again.
            Err(error) if error.code() == SOCKET_EINTR => {}
            Err(error) if error.code() != SOCKET_EAGAIN => return Err(error),
            // The end of the stream (Ok), or the time is up (SOCKET_EAGAIN).
            _ => break,
        }
    }
    // Break it: uncomment the next line, which prints bytes of the network as they are (error E0277).
    // println!("client {number} says: {message}");
    let mut line = message.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() >= LONGEST {
        // The limit may have cut a character in two.
        line = &line[..text::whole(line)];
    }
    // Control characters could repaint the screen of the person who watches the server.
    Ok(text::harmless(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Closes once the client has closed, or after a second. Closing while bytes of the client are unread would reset the
/// connection: the client would see an error, where its stream ends.
fn hang_up(client: Socket) {
    // The client reads the end of the stream, and can still send (lesson 22). If it has vanished, so much the better.
    let _ = socket_shutdown(&client, SHUT_WR);
    let second = Duration::from_secs(1);
    let _ = socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, second);
    let begin = Instant::now();
    let more = || socket_read(&client, LONGEST, PHP_BINARY_READ).is_ok_and(|data| !data.is_empty());
    while begin.elapsed() < second && more() {}
    socket_close(client);
}
