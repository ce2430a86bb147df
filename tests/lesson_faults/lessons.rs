//! The lessons, and who plays with those that need another end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::Client;
use crate::process::PATIENCE;

pub(crate) struct Lesson {
    pub(crate) number: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) program: &'static str,
    pub(crate) part: Part,
}

pub(crate) enum Part {
    /// It needs no other end; these are its arguments.
    Alone(&'static [&'static str]),
    /// It is a client of this name's server, which the function plays.
    Client(&'static str, fn(TcpStream) -> std::io::Result<()>),
    /// It serves those who come in the function, and ends.
    Once(fn(u16) -> Vec<Client>),
    /// The same, and it does not end: a new client is served, and when nobody is there, this many descriptors are open.
    Always(fn(u16) -> Vec<Client>, fn(u16) -> Client, usize),
}
use Part::{Alone, Always, Once};

macro_rules! lessons {
    ($($number:literal $folder:literal $part:expr;)*) => {
        pub(crate) const LESSONS: &[Lesson] = &[$(Lesson {
            number: $number,
            folder: $folder,
            program: env!(concat!("CARGO_BIN_EXE_lesson-", $number)),
            part: $part,
        }),*];
    };
}

lessons! {
    "01" "01-first-socket" Alone(&[]);
    "02" "02-errors" Alone(&[]);
    "03" "03-the-conversation" Alone(&[]);
    "04" "04-greeting-server" Once(greeting);
    "05" "05-greeting-client" Part::Client("127.0.0.1", greets);
    "06" "06-reverse-server" Always(reverse, |port| ask(port, "hello\n", "olleh\n"), 4);
    "07" "07-http-client" Part::Client("localhost", answers_http);
    // A thousand ports are six thousand system calls.
    "08" "08-port-scanner" Alone(&["127.0.0.1", "1", "4"]);
    "09" "09-who-is-calling" Once(who_is_calling);
    "10" "10-always-on" Always(always_on, |port| ask(port, "new\n", "OK ... new\n"), 4);
    "11" "11-backlog" Alone(&[]);
    "12" "12-threads" Always(threads, thread, 4);
    "13" "13-select-server" Always(select, welcome, 4);
    "14" "14-options" Alone(&[]);
    "15" "15-epoll-chat" Always(chat, |port| ask(port, "", "Welcome, client %d. Here with you: 0.\n"), 6);
    "16" "16-udp" Alone(&[]);
    "17" "17-unix" Alone(&[]);
    "18" "18-scatter-gather" Alone(&[]);
    "19" "19-messages" Alone(&[]);
    "20" "20-ipv6-and-names" Alone(&[]);
    "21" "21-ping" Alone(&[]);
    "22" "22-http-server" Always(http, |port| ask(port, HEAD, PICTURE), 4);
    "23" "23-urgent-data" Alone(&[]);
    "24" "24-into-rust" Alone(&[]);
}

/// Plays the server of a lesson that is a client, until it is told to stop.
pub(crate) fn serve(
    listener: &TcpListener,
    play: fn(TcpStream) -> std::io::Result<()>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    while !stop.load(Ordering::Relaxed) {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            // A client that hangs up has its reasons; they are the test's matter, not the server's.
            let _ = play(stream);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Lesson 04 for one client.
fn greets(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(b"Hello, client 1 of 5. Say one line.\n")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The server of lesson 07's demo.
fn answers_http(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? > 0 {
        request.extend(byte);
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
          Hello, client!\r\nThat was all.",
    )
}

/// One question, one answer, and the end.
fn ask(port: u16, question: &str, answer: &str) -> Client {
    let mut client = Client::connect(port);
    client.says(question).hears(answer).is_done().hears_the_end();
    client
}

fn greeting(port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    for line in ["Good morning!\n", "Half a line", "", "two\nlines\n", "\n"] {
        let mut client = Client::connect(port);
        client.hears("Hello, client %d of 5. Say one line.\n").says(line);
        client.is_done().hears_the_end();
        clients.push(client);
    }
    clients
}

fn reverse(port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice.says("hello\n").hears("olleh\n").says("stre").says("ssed\n").hears("desserts\n");
    alice.is_done().hears_the_end();
    vec![alice, ask(port, "one\ntwo\n", "eno\nowt\n")]
}

fn who_is_calling(port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    // One is told. Who vanishes before does not count.
    for _ in 0..3 {
        let mut client = Client::connect(port);
        client.hears("You are 127.0.0.1:%d\nYou have called 127.0.0.1:%d\n").hears_the_end();
        clients.push(client);
        if clients.last().is_some_and(Client::is_served) {
            break;
        }
    }
    clients
}

fn always_on(port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice.says("hello\n").hears("OK ... hello\n").says("and again\n").hears("OK ... and again\n");
    alice.is_done().hears_the_end();
    vec![alice, ask(port, "anybody there?\n", "OK ... anybody there?\n")]
}

const FULL: &str = "Sorry, 3 clients are here already. Come back later.\n";
const BUSY: &str = "Sorry, the server is busy. Come back later.\n";

fn thread(port: u16) -> Client {
    let mut client = Client::connect(port);
    let answers = ["OK ... new\n", FULL, BUSY];
    match client.says("new\n").hears_one_of(&answers) {
        // The last bits of the threads of those who have gone may still be here.
        Some(1) => return thread(port),
        Some(2) => client.is_turned_away(),
        _ => {
            client.is_done().hears_the_end();
        }
    }
    client
}

fn threads(port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(port);
        if client.says("hello\n").hears_one_of(&["OK ... hello\n", FULL, BUSY]) > Some(0) {
            client.hears_the_end();
        }
        clients.push(client);
    }
    leave(clients)
}

/// Ends all sides, and waits for the server's.
fn leave(mut clients: Vec<Client>) -> Vec<Client> {
    for client in &mut clients {
        client.is_done().hears_the_end();
    }
    clients
}

pub(crate) const WELCOME: &str = "Welcome, client %d! A line has at most 1024 bytes.\n";

fn welcome(port: u16) -> Client {
    let mut client = Client::connect(port);
    client.hears(WELCOME).says("new\n").hears("OK ... new\n").is_done().hears_the_end();
    client
}

fn select(port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(port);
        if client.hears_one_of(&[WELCOME, "Sorry, all 3 places are taken.\n"]) == Some(1) {
            client.hears_the_end();
        }
        clients.push(client);
    }
    clients[0].says("hel").says("lo\n").hears("OK ... hello\n");
    clients[1].says("one\ntwo\n").hears("OK ... one\nOK ... two\n");
    clients[2].says("half").is_done().hears("OK ... half\n").hears_the_end();
    leave(clients)
}

fn chat(port: u16) -> Vec<Client> {
    let chatter = ["[%d:%d:%d] client %d has come\n", "[%d:%d:%d] client %d has gone\n"];
    // One of these follows what somebody says.
    let news = ["[%d:%d:%d] client %d: Good morning!\n", "[%d:%d:%d] client %d is lost: %s\n"];
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(port);
        client.hears("Welcome, client %d. Here with you: %d.\n");
        clients.push(client);
    }
    for speaker in [0, 1] {
        if !clients[speaker].is_still_connected() {
            continue;
        }
        clients[speaker].says("Good mor").says("ning!\n");
        for listener in (0..3).filter(|listener| *listener != speaker) {
            clients[listener].hears_among(&news, &chatter);
        }
    }
    for client in &mut clients {
        client.is_done().hears_no_more_than(&[news, chatter].concat());
    }
    clients
}

pub(crate) const HEAD: &str = "HEAD /picture.svg HTTP/1.1\r\nHost: localhost\r\n\r\n";
pub(crate) const PICTURE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\nContent-Length: %d\r\n\r\n";
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n\
    <!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Lesson 22</title>\n\
    <h1>Who is connected</h1>\n<img %s\n<ul>\n<li>client %d, %s\n</ul>\n";
const NOT_FOUND: &str =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n404 Not Found\n";
const BAD: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\
    Connection: close\r\n\r\n400 Bad Request\n";

fn http(port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice.says(HEAD).hears(PICTURE).says("GET / HT").says("TP/1.1\r\nHost: localhost\r\n\r\n").hears(PAGE);
    let mut bob = Client::connect(port);
    bob.says("GET / HTTP/1.1\r\n\r\n").hears(BAD).hears_the_end();
    alice.says("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").hears(NOT_FOUND);
    leave(vec![alice, bob])
}
