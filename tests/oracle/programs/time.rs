//! A time server with a deadline for every client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::{php, rust};
use crate::common::Running;

/// The time that a client of the time server has.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Says something to the time server, in pieces, and returns all that it answers until it hangs up.
fn says(port: u16, pieces: &[&str]) -> String {
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
    client.set_nodelay(true).expect("an option");
    for piece in pieces {
        client.write_all(piece.as_bytes()).expect("the server listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    if pieces.is_empty() {
        client.shutdown(Shutdown::Write).expect("the server listens");
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Plays all clients; returns what they heard, the time as `NOW`, and then what the server printed.
fn play_time(mut server: Command) -> (Vec<String>, String) {
    server.arg(PATIENCE.as_millis().to_string());
    let mut server = Running::start(server.stdout(Stdio::piped()));
    let mut output = BufReader::new(server.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let port = line.trim().strip_prefix("Listening on 127.0.0.1:").expect("the address");
    let port: u16 = port.parse().expect("a port");
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let (begin, arrival) = (now(), Instant::now());

    // The first client keeps silent while others come and go.
    let mut silent = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
    let mut heard: Vec<String> =
        [&["time\n"][..], &["ti", "me\n"], &["what time is it?\n"], &[&"x".repeat(101)], &[]]
            .iter()
            .map(|pieces| says(port, pieces))
            .collect();
    for time in &mut heard[..2] {
        let seconds: u64 = time.trim().parse().expect("a time");
        assert!((begin..=now()).contains(&seconds), "{seconds}");
        "NOW".clone_into(time);
    }
    let mut last = String::new();
    silent.read_to_string(&mut last).expect("an answer");
    assert!(arrival.elapsed() >= PATIENCE, "nobody is let go before the deadline");
    heard.push(last);
    heard.push(says(port, &["quit\n"]));

    let mut printed = String::new();
    output.read_to_string(&mut printed).expect("text");
    assert!(server.ended());
    (heard, printed)
}

#[test]
fn the_time_server_keeps_its_deadlines_in_both_languages() {
    let (heard, printed) = play_time(php("time"));

    assert_eq!(play_time(rust("time")), (heard.clone(), printed.clone()));
    assert_eq!(heard, ["NOW", "NOW", "ask: time\n", "ask: time\n", "", "too late\n", ""]);
    assert!(printed.contains("client 6: left\nclient 1: is too late\nclient 7: is here\n"), "{printed}");
}
