//! Lesson 06 · the reverse server. Run `make lesson-06`, then its PHP twin with `make php-06`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;
#[path = "../text.rs"]
mod text;

/// In bytes.
const LONGEST: usize = 1024;

fn main() -> Result<()> {
    // make lesson-06 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(1234);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-06 ARGS=\"{} {}\"", here.address, here.port);

    // One client after another: who comes meanwhile waits in the queue.
    let mut number = 0_u64;
    loop {
        let client = match socket_accept(&listener) {
            Ok(client) => client,
            // A client that gave up while it waited, or a signal: no reason to end the server.
            Err(error) if [SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => continue,
            Err(error) => return Err(error),
        };
        number += 1;
        println!("client {number}: has come");
        match serve(&client, number) {
            Ok(()) => println!("client {number}: has gone"),
            // A failure here ends this conversation, not the server. A `?` instead of this match would end both.
            Err(error) => println!("client {number}: {error}"),
        }
        socket_close(client);
    }
}

/// Answers every line with its bytes in reverse, until the client has gone.
fn serve(client: &Socket, number: u64) -> Result<()> {
    let mut begun = Vec::new();
    loop {
        // No more than this: a line without end would fill the memory. A longer line comes in pieces.
        let piece = match socket_read(client, LONGEST - begun.len(), PHP_NORMAL_READ) {
            // This mode has no '' for the end of the stream: it calls that a reset, and a reset too.
            Err(error) if error.code() == SOCKET_ECONNRESET => return Ok(()),
            piece => piece?,
        };
        let mut line = [begun, piece].concat();
        // The limit may cut a character in two: its beginning belongs to the next piece.
        let whole = if line.len() >= LONGEST { text::whole(&line) } else { line.len() };
        begun = line.split_off(whole);
        // \r ends a line and so does \n. Of telnet's \r\n the \n comes as a line of its own, and gets no answer.
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        // A control character could repaint this screen.
        println!("client {number}: {}", text::harmless(line));

        let mut answer: Vec<u8> = line.iter().rev().copied().collect();
        // Break it: uncomment the next line. Bytes in reverse may be no text any more (error E0277).
        // let answer: String = line.iter().rev().copied().collect();
        answer.push(b'\n');
        // One write may take less than all of it.
        while !answer.is_empty() {
            let sent = socket_write(client, &answer, None)?;
            answer.drain(..sent);
        }
    }
}
