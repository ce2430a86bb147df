//! Lesson 24 · into Rust. Run `make lesson-24`, then its PHP twin with `make php-24`.

use std::error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

use text::harmless;

fn main() -> Result<(), Box<dyn error::Error>> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, 1)?;
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&client, "127.0.0.1", socket_getsockname(&listener)?.port)?;
    let server = socket_accept(&listener)?;
    socket_write(&client, "one\ntwo\nthree, and no end", None)?;
    socket_shutdown(&client, SHUT_WR)?;

    println!("1. Out: a socket becomes a stream of the language.");
    let stream: TcpStream = socket_export_stream(server);
    // Break it: uncomment the next line. The socket has gone into the stream (error E0382).
    // socket_getpeername(&server)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // It reads as much as it gets and hands out lines: no recv for each.
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        println!("   server: '{}'", harmless(line.trim_end().as_bytes()));
        line.clear();
    }
    println!("   server: the end");

    println!("2. Back: the stream becomes a socket again.");
    let stream = lines.into_inner();
    let server = socket_import_stream(stream)?;
    println!(
        "   server: SO_RCVTIMEO is still {} s",
        socket_get_option(&server, SOL_SOCKET, SO_RCVTIMEO)?.timeval()?.sec
    );
    socket_write(&server, "three lines, thank you", None)?;
    socket_close(server);
    let answer = socket_read(&client, 1024, PHP_BINARY_READ)?;
    println!("   client: '{}'", harmless(&answer));

    println!("3. A stream that was never a socket of ours, and its options.");
    let mut stream = TcpStream::connect(("127.0.0.1", socket_getsockname(&listener)?.port))?;
    stream.write_all(b"hello")?;
    let other = socket_import_stream(stream)?;
    socket_set_option(&other, SOL_TCP, TCP_NODELAY, 1)?;
    println!("   client: TCP_NODELAY is {}", socket_get_option(&other, SOL_TCP, TCP_NODELAY)?.int()?);
    let server = socket_accept(&listener)?;
    println!("   server: '{}'", harmless(&socket_read(&server, 1024, PHP_BINARY_READ)?));
    Ok(())
}
