//! Lesson 07 · the HTTP client. Run `make lesson-07`, then its PHP twin with `make php-07`.

use std::{env, process};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

fn main() -> Result<()> {
    // /etc/services knows the port of http; a machine without that file knows none, and 80 is what it would say.
    let http = getservbyname("http", "tcp").unwrap_or(80);

    // make lesson-07 ARGS="HOST PORT". HOST alone means the port of http. Without a host it is this machine.
    let arguments: Vec<_> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (host, port) = match arguments.as_slice() {
        [] => ("localhost", Some(8080)),
        [port] if port.bytes().all(|byte| byte.is_ascii_digit()) => ("localhost", port.parse().ok()),
        [host] => (host.as_str(), Some(http)),
        [host, port, ..] => (host.as_str(), port.parse::<u16>().ok()),
    };
    let Some(port) = port else {
        eprintln!("The port has to be a number from 0 to 65535.");
        process::exit(1);
    };

    // Every IPv4 address of the name. An unknown name gives None, PHP's false.
    let Some(addresses) = gethostbynamel(host) else {
        eprintln!("Nobody knows an IPv4 address of this host.");
        process::exit(1);
    };
    // The first address. An unknown name would come back as it is, as if it were an address.
    let address = gethostbyname(host);
    let list: Vec<String> = addresses.iter().map(Address::to_string).collect();
    println!("gethostname:    this machine is {}", gethostname()?);
    println!("gethostbynamel: {host} is {}", list.join(" and "));
    println!("gethostbyname:  {host} is {address}");
    println!("getservbyname:  http over tcp is port {http}; this time it is {port}");
    // Break it: uncomment the next line. There may be no first address (error E0608).
    // let address = gethostbynamel(host)[0];

    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    if let Err(error) = socket_connect(&socket, &address, port) {
        if error.code() == SOCKET_ECONNREFUSED && address == "127.0.0.1" {
            eprintln!(
                "No server listens there. Start one first, in another terminal: make lesson-22 ARGS={port}"
            );
        }
        return Err(error);
    }

    // Host: one server has many sites; this one is meant. Without it, a server of HTTP/1.1 answers 400.
    let site = if port == http { host.to_owned() } else { format!("{host}:{port}") };
    // Connection: close. Without it the server keeps the connection open, and the last read below waits for it.
    let request = format!("GET / HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n");
    // One send may take less than all of it.
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        let sent = socket_send(&socket, rest, rest.len(), 0)?;
        println!("socket_send:    {sent} of {} bytes", rest.len());
        rest = &rest[sent..];
    }

    // MSG_WAITALL waits for all 8192 bytes, or for the end of the stream. An answer may be longer than memory: each
    // piece is printed and forgotten.
    println!();
    let (mut data, mut text, mut length) = (Vec::new(), Vec::new(), 0);
    while !screen::is_gone() && socket_recv(&socket, &mut data, 8192, MSG_WAITALL)? > 0 {
        length += data.len();
        text.extend_from_slice(&data);
        // A character of several bytes may be cut in two here: its beginning waits for the next piece.
        let begun = text.split_off(text::whole(&text));
        print!("{}", harmless(&text));
        text = begun;
    }
    println!("{}\nsocket_recv:    {length} bytes, and the end of the stream", harmless(&text));
    socket_close(socket);
    Ok(())
}

/// HTTP's lines end with \r\n, the terminal's with \n. Other control characters could repaint the screen.
fn harmless(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace('\r', "");
    text.replace(|character: char| text::is_control(character) && !"\n\t".contains(character), "?")
}
