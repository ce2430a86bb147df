//! Lesson 05 · the greeting client. Run `make lesson-05`, then its PHP twin with `make php-05`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;
#[path = "../text.rs"]
mod text;

/// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST: usize = 8192;

fn main() -> Result<()> {
    // make lesson-05 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(1935);

    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    if let Err(error) = socket_connect(&socket, &address, port) {
        if error.code() == SOCKET_ECONNREFUSED {
            let command = format!("make lesson-04 ARGS=\"{address} {port}\"");
            eprintln!("No server listens there. Start it first, in another terminal: {command}");
        }
        return Err(error);
    }
    println!("Connected to {address}:{port}");

    for line in ["Hello, server!", "I have a second line, too."] {
        let mut rest = format!("{line}\n").into_bytes();
        // One write may take less than all of it.
        while !rest.is_empty() {
            let sent = socket_write(&socket, &rest, None)?;
            rest.drain(..sent);
        }
        println!("sent:     {line}");
    }
    // No more from us (lesson 22). A server that answers until we hang up would otherwise wait for us, and we for it.
    // If it has gone already, the read below says so.
    let _ = socket_shutdown(&socket, SHUT_WR);

    // Break it: uncomment the next line, PHP's shortest loop, which stops at "0" (error E0308).
    // while socket_read(&socket, 1024, PHP_BINARY_READ)? {}
    let mut received = Vec::new();
    loop {
        let data = socket_read(&socket, 1024, PHP_BINARY_READ)?;
        received.extend_from_slice(&data);
        // A read may end in the middle of a line, or of a character: show whole lines, and keep the rest for later.
        while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            show(&received[..end]);
            received.drain(..=end);
        }
        // A limit may cut a character in two: its beginning is kept, too.
        if received.len() >= LONGEST {
            let rest = received.split_off(text::whole(&received));
            show(&received);
            received = rest;
        }
        // Nothing read is the end of the stream; the last line may lack its end.
        if data.is_empty() && !received.is_empty() {
            show(&received);
        }
        if data.is_empty() || screen::is_gone() {
            break;
        }
    }
    println!("The server has said all, and closed.");
    socket_close(socket);
    Ok(())
}

/// Prints a line of the server's. Control characters could repaint the screen.
fn show(line: &[u8]) {
    println!("received: {}", text::harmless(line.strip_suffix(b"\r").unwrap_or(line)));
}
