//! Lesson 09 · who is calling. Run `make lesson-09`, then its PHP twin with `make php-09`.

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

fn main() -> Result<()> {
    // make lesson-09 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(5001);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-09 ARGS=\"{} {}\"", here.address, here.port);

    // One client is told. One that vanished before (or a signal) does not count: `?` would end the server for it.
    let vanished = [SOCKET_ECONNABORTED, SOCKET_EINTR, SOCKET_ENOTCONN, SOCKET_ECONNRESET, SOCKET_EPIPE];
    let caller = loop {
        match tell(&listener) {
            Ok(caller) => break caller,
            Err(error) if vanished.contains(&error.code()) => {}
            Err(error) => return Err(error),
        }
    };
    println!("Called by {caller}");
    // Break it: uncomment the next line, which writes the caller's name over the server's own (error E0384).
    // here = caller;
    socket_close(listener);
    Ok(())
}

/// Tells the next client the names of both ends of its connection, and gives the name of the client's end.
fn tell(listener: &Socket) -> Result<SocketName> {
    let client = socket_accept(listener)?;
    // There is who calls. Here is what it has called, which a listener on 0.0.0.0 does not know.
    let there = socket_getpeername(&client)?;
    let here = socket_getsockname(&client)?;
    // One write may take less than all of it; without the loop the rest would be lost.
    let mut answer = format!("You are {there}\nYou have called {here}\n").into_bytes();
    while !answer.is_empty() {
        let sent = socket_write(&client, &answer, None)?;
        answer.drain(..sent);
    }
    socket_close(client);
    Ok(there)
}
