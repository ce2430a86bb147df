//! Lesson 10 · always on. Run `make lesson-10`, then its PHP twin with `make php-10`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

fn main() -> Result<()> {
    // make lesson-10 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(5001);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-10 ARGS=\"{} {}\"", here.address, here.port);

    // For ever: one client, from its first byte to its last, and then the next.
    let mut number = 0_u64;
    loop {
        let client = match socket_accept(&listener) {
            Ok(client) => client,
            // A client gave up while it waited, or a signal came: `?` would end the server for that.
            Err(error) if [SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => continue,
            Err(error) => return Err(error),
        };
        number += 1;
        println!("client {number}: has come");
        match serve(&client) {
            Ok(answers) => println!("client {number}: has gone, answers: {answers}"),
            // A client that vanishes ends its own conversation, not the server.
            Err(error) => println!("client {number}: {error}"),
        }
        socket_close(client);
    }
}

/// Answers whatever arrives, until the end of the stream. Gives the number of answers.
fn serve(client: &Socket) -> Result<u64> {
    let mut answers = 0;
    loop {
        // All that has arrived by now: half a line, or three.
        let data = socket_read(client, 1024, PHP_BINARY_READ)?;
        if data.is_empty() {
            // Break it: uncomment the next line, which closes what is only lent (error E0308).
            // socket_close(client);
            return Ok(answers);
        }
        // One write may take less than all of it; without the loop the rest would be lost.
        let mut answer = [b"OK ... ".as_slice(), &data].concat();
        while !answer.is_empty() {
            let sent = socket_write(client, &answer, None)?;
            answer.drain(..sent);
        }
        answers += 1;
    }
}
