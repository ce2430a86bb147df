//! The other end of a lesson, for the second terminal: what you type is sent, what arrives is printed.
//! `make client-10` runs it for lesson 10.

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Read, Write, stdin, stdout};
use std::sync::Arc;
use std::{env, process, thread};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
mod screen;
mod arguments;
mod text;

fn main() -> Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    // `--server COMMAND PORT` says how the server is started, and where it listens.
    let (server, usual, arguments) = match arguments.as_slice() {
        [option, command, port, rest @ ..] if option == "--server" => (Some(command), port.as_os_str(), rest),
        all => (None, OsStr::new("5001"), all),
    };
    let (address, port) = match arguments {
        [port] if arguments::is_number(port) => (OsStr::new("127.0.0.1"), port),
        [address, port] => (address.as_os_str(), port),
        _ => usage(usual),
    };
    let Some(port) = port.to_str().and_then(|port| port.parse::<u16>().ok()) else { usage(usual) };

    let socket = Arc::new(socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?);
    if let Err(error) = socket_connect(&socket, address, port) {
        if let (SOCKET_ECONNREFUSED, Some(command)) = (error.code(), server) {
            eprintln!(
                "No server listens there. Start it first, in another terminal: {}",
                command.to_string_lossy()
            );
        }
        return Err(error);
    }
    let person = stdin().is_terminal();
    if person {
        eprintln!("Connected to {}.", socket_getpeername(&socket)?);
        eprintln!("Every line you type is sent. Ctrl-D ends your side, Ctrl-C leaves.");
    }

    // Two things to wait for, the keyboard and the socket, so two threads; lesson 13 does it with one.
    let keyboard = Arc::clone(&socket);
    thread::spawn(move || send_what_is_typed(&keyboard));
    print_what_arrives(&socket)?;
    if person {
        eprintln!("The other end has closed the connection.");
    }
    Ok(())
}

fn usage(port: &OsStr) -> ! {
    let port = port.to_string_lossy();
    eprintln!("An address and a port are needed, or a port alone, for example: 127.0.0.1 {port}");
    process::exit(1)
}

fn send_what_is_typed(socket: &Socket) {
    let mut typed = [0; 4096];
    while let Ok(length) = stdin().read(&mut typed) {
        if length == 0 {
            break;
        }
        // One write may take less than all of it.
        let mut rest = &typed[..length];
        while !rest.is_empty() {
            match socket_write(socket, rest, None) {
                Ok(sent) => rest = &rest[sent..],
                // The other thread reads why, and says so.
                Err(_) => return,
            }
        }
    }
    // The keyboard is at its end: tell the other side, and go on printing what it still says. It may have closed already.
    let _ = socket_shutdown(socket, SHUT_WR);
}

fn print_what_arrives(socket: &Socket) -> Result<()> {
    let mut bytes = Vec::new();
    loop {
        let data = socket_read(socket, 8192, PHP_BINARY_READ)?;
        bytes.extend_from_slice(&data);
        // A character of several bytes may have arrived in part; its rest comes with the next read.
        let whole = if data.is_empty() { bytes.len() } else { text::whole(&bytes) };
        let later = bytes.split_off(whole);
        print!("{}", harmless(&String::from_utf8_lossy(&bytes)));
        if data.is_empty() || stdout().flush().is_err() || screen::is_gone() {
            return Ok(());
        }
        bytes = later;
    }
}

/// Control characters from the network could repaint the screen or type commands: they are shown, not obeyed.
fn harmless(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if text::is_control(character) && character != '\n' && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
