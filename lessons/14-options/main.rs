//! Lesson 14 · options. Run `make lesson-14`, then its PHP twin with `make php-14`.

use std::time::Instant;

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

fn main() -> Result<()> {
    println!("Options are a socket's switches. Each part turns one and shows what it changes.");

    println!("\n1. SO_REUSEADDR: a server starts again while its last connection is in TIME_WAIT");
    for (first, second) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        println!("   first start {first}, second start {second}:");
        println!("      {}", start_twice(first, second)?);
    }

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, 1)?;

    println!("\n2. SO_RCVTIMEO: how long a read waits");
    let (silent, waiting) = connect(&listener)?;
    let timeout = socket_get_option(&waiting, SOL_SOCKET, SO_RCVTIMEO)?.timeval()?;
    println!("   new socket: {} s {} us, which is for ever", timeout.sec, timeout.usec);
    socket_set_option(&waiting, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 200_000))?;
    // Break it: uncomment the next line, meant to be half a second (error E0308).
    // socket_set_option(&waiting, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0.5, 0))?;
    let timeout = socket_get_option(&waiting, SOL_SOCKET, SO_RCVTIMEO)?.timeval()?;
    println!("   now:        {} s {} us", timeout.sec, timeout.usec);
    println!("   a silent client, read: {}", read(&waiting)?);

    println!("\n3. SO_LINGER: what the other end reads when this one closes");
    for (l_onoff, l_linger) in [(0, 0), (1, 0)] {
        let (client, connection) = connect(&listener)?;
        socket_set_option(&connection, SOL_SOCKET, SO_LINGER, Linger::new(l_onoff, l_linger))?;
        socket_close(connection);
        println!("   l_onoff {l_onoff}, l_linger {l_linger}:");
        match socket_read(&client, 1024, PHP_BINARY_READ) {
            Ok(data) => println!("      {} bytes, the end of the stream", data.len()),
            Err(error) => println!("      {error}"),
        }
    }

    println!("\n4. TCP_NODELAY: two small writes, and when both have arrived");
    for nodelay in [0, 1] {
        let (client, connection) = connect(&listener)?;
        socket_set_option(&client, SOL_TCP, TCP_NODELAY, nodelay)?;
        // A busy receiver acknowledges late. A new one does so at once at first, which would hide the effect.
        socket_set_option(&connection, SOL_TCP, TCP_QUICKACK, 0)?;
        let begin = Instant::now();
        let sent = socket_write(&client, "one, ", None)? + socket_write(&client, "two", None)?;
        let mut data = Vec::new();
        let count = socket_recv(&connection, &mut data, sent, MSG_WAITALL)?;
        println!("   TCP_NODELAY {nodelay}: {count} bytes after {} ms", begin.elapsed().as_millis());
    }

    println!("\n5. SO_KEEPALIVE: whether to ask a silent peer if it is still there");
    let options = [
        ("SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1, "ask at all"),
        ("TCP_KEEPIDLE", SOL_TCP, TCP_KEEPIDLE, 60, "seconds of silence before the first question"),
        ("TCP_KEEPINTVL", SOL_TCP, TCP_KEEPINTVL, 10, "seconds from one question to the next"),
        ("TCP_KEEPCNT", SOL_TCP, TCP_KEEPCNT, 3, "questions without an answer, then it is gone"),
    ];
    for (name, level, option, value, meaning) in options {
        let before = socket_get_option(&waiting, level, option)?.int()?;
        socket_set_option(&waiting, level, option, value)?;
        let after = socket_get_option(&waiting, level, option)?.int()?;
        println!("   {name:<13} from {before} to {after}: {meaning}");
    }

    println!("\n6. SO_RCVBUF and SO_SNDBUF: space for what has arrived, and for what is to leave");
    for size in [1, 20_000] {
        // The listener's options are those of its next connections too.
        socket_set_option(&listener, SOL_SOCKET, SO_RCVBUF, size)?;
        socket_set_option(&listener, SOL_SOCKET, SO_SNDBUF, size)?;
        let receive = socket_get_option(&listener, SOL_SOCKET, SO_RCVBUF)?.int()?;
        let send = socket_get_option(&listener, SOL_SOCKET, SO_SNDBUF)?.int()?;
        println!("   asked for {size:>5}: to receive {receive}, to send {send}");
    }
    let (client, busy) = connect(&listener)?;
    let send = socket_get_option(&busy, SOL_SOCKET, SO_SNDBUF)?.int()?;
    println!("   a connection of this listener: to send {send}");
    // On a socket that waits, this write would not come back: the client reads nothing.
    socket_set_nonblock(&busy)?;
    let data = "x".repeat(10_000_000);
    println!("   write 10000000 bytes: {} went", socket_write(&busy, &data, None)?);
    // Some may have moved on to the client by now, so a little more fits.
    let full = loop {
        match socket_write(&busy, &data, None) {
            Ok(_) => {}
            Err(error) if error.is_quiet() => break error,
            Err(error) => return Err(error),
        }
    };
    println!("   write on until it is full: [{}] {}", full.code(), socket_strerror(full.code()));
    socket_close(client);

    println!("\n7. socket_set_nonblock, socket_set_block: whether a call waits at all");
    socket_set_nonblock(&waiting)?;
    println!("   nonblock, read: {}", read(&waiting)?);
    socket_set_block(&waiting)?;
    println!("   block, read:    {}", read(&waiting)?);
    socket_set_nonblock(&listener)?;
    match socket_accept(&listener) {
        Ok(_connection) => println!("   nonblock, accept: somebody called"),
        Err(error) if error.is_quiet() => {
            println!("   nonblock, accept: [{}] {}", error.code(), socket_strerror(error.code()));
        }
        Err(error) => return Err(error),
    }

    println!("\n8. socket_getopt, socket_setopt: older names for the same");
    socket_setopt(&waiting, SOL_SOCKET, SO_KEEPALIVE, 0)?;
    println!("   SO_KEEPALIVE is {} again", socket_getopt(&waiting, SOL_SOCKET, SO_KEEPALIVE)?.int()?);
    if let Err(error) = socket_setopt(&waiting, SOL_SOCKET, 9999, 1) {
        println!("   {error}");
    }
    socket_close(silent);
    Ok(())
}

/// A server with one client ends, and the next server wants the same port. The result is what it gets.
fn start_twice(first: i32, second: i32) -> Result<String> {
    let server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Before bind, which is what it changes. 0 is what a new socket has.
    socket_set_option(&server, SOL_SOCKET, SO_REUSEADDR, first)?;
    socket_bind(&server, "127.0.0.1", 0)?;
    socket_listen(&server, 1)?;
    let here = socket_getsockname(&server)?;
    let (client, connection) = connect(&server)?;
    // The side that closes first keeps the connection in TIME_WAIT: this time the server.
    socket_close(connection);
    socket_read(&client, 1024, PHP_BINARY_READ)?;
    socket_close(client);
    socket_close(server);

    let server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_set_option(&server, SOL_SOCKET, SO_REUSEADDR, second)?;
    match socket_bind(&server, "127.0.0.1", here.port) {
        Ok(()) => Ok(format!("bound to {here} again")),
        Err(error) => Ok(error.to_string()),
    }
}

/// A client, and the listener's connection to it.
fn connect(listener: &Socket) -> Result<(Socket, Socket)> {
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&client, "127.0.0.1", socket_getsockname(listener)?.port)?;
    Ok((client, socket_accept(listener)?))
}

/// The result of a read, and the time it took. To have nothing yet is no failure: PHP does not warn of it.
fn read(socket: &Socket) -> Result<String> {
    let begin = Instant::now();
    let outcome = match socket_read(socket, 1024, PHP_BINARY_READ) {
        Ok(data) => format!("{} bytes", data.len()),
        Err(error) if error.is_quiet() => format!("[{}] {}", error.code(), socket_strerror(error.code())),
        Err(error) => return Err(error),
    };
    Ok(format!("{outcome}, after {} ms", begin.elapsed().as_millis()))
}
