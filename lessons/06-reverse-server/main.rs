//! Lesson 06 · the reverse server. Run `make lesson-06`, then its PHP twin with `make php-06`.

use std::{env, process};

use php_sockets::*;

fn main() -> Result<()> {
    // make lesson-06 ARGS="ADDRESS PORT"
    let mut arguments = env::args_os().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = arguments.next().unwrap_or_else(|| "1234".into());
    let Some(port) = port.to_str().and_then(|port| port.parse::<u16>().ok()) else {
        eprintln!("The port has to be a number from 0 to 65535.");
        process::exit(1);
    };

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-06 ARGS=\"{} {}\"", here.address.to_string_lossy(), here.port);

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
            // What fails here ends this conversation, not the server. A `?` instead of this match would end both.
            Err(error) => println!("client {number}: {error}"),
        }
        socket_close(client);
    }
}

/// Answers every line with its bytes in reverse, until the client has gone.
fn serve(client: &Socket, number: u64) -> Result<()> {
    loop {
        // No more than 1024 bytes: a line without end would fill the memory. A longer line comes in pieces.
        let line = match socket_read(client, 1024, PHP_NORMAL_READ) {
            // This mode has no '' for the end of the stream: it calls that a reset, and a reset too.
            Err(error) if error.code() == SOCKET_ECONNRESET => return Ok(()),
            line => line?,
        };
        // \r ends a line and so does \n. Of telnet's \r\n the \n comes as a line of its own, and gets no answer.
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        // A control character could repaint this screen.
        println!("client {number}: {}", String::from_utf8_lossy(line).replace(char::is_control, "?"));

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
