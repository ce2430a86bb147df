//! Lesson 05 · the greeting client. Run `make lesson-05`, then its PHP twin with `make php-05`.

use std::{env, process};

use php_sockets::*;

/// In bytes. Without a bound, a line without end would fill the memory.
const LONGEST: usize = 8192;

fn main() -> Result<()> {
    // make lesson-05 ARGS="ADDRESS PORT"
    let mut arguments = env::args_os().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1".into());
    let port = arguments.next().unwrap_or_else(|| "1935".into());
    let Some(port) = port.to_str().and_then(|port| port.parse::<u16>().ok()) else {
        eprintln!("The port has to be a number from 0 to 65535.");
        process::exit(1);
    };

    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&socket, &address, port)?;
    println!("Connected to {}:{port}", address.to_string_lossy());

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
        // Nothing read is the end of the stream; the last line may lack its end.
        if received.len() >= LONGEST || (data.is_empty() && !received.is_empty()) {
            show(&received);
            received.clear();
        }
        if data.is_empty() {
            break;
        }
    }
    println!("The server has said all, and closed.");
    socket_close(socket);
    Ok(())
}

/// Prints a line of the server's. Control characters could repaint the screen.
fn show(line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    println!("received: {}", text.trim_end_matches('\r').replace(char::is_control, "?"));
}
