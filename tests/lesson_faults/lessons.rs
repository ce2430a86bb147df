//! The other ends of the lessons that need one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::Client;
use crate::process::PATIENCE;
use crate::stage::registry::{self, Service, lessons};
use crate::stage::twin::built;

/// A lesson, and who plays with it.
pub(crate) struct Lesson {
    pub(crate) row: &'static registry::Lesson,
    pub(crate) number: &'static str,
    pub(crate) program: String,
    pub(crate) part: Part,
}

pub(crate) enum Part {
    /// It needs no other end; these are its arguments.
    Alone(&'static [String]),
    /// It is a client of this name's server, which the function plays.
    Client(&'static str, fn(TcpStream) -> std::io::Result<()>),
    /// It serves those who come in the function, and ends.
    Once(fn(u16) -> Vec<Client>),
    /// The same, and it does not end.
    Always(&'static Service, Talk),
}

/// The clients of a server that does not end, and a new one after them.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) clients: fn(&Service, u16) -> Vec<Client>,
    pub(crate) new: fn(&Service, u16) -> Client,
}

/// Each lesson as it is played here. A server of which nothing special is said has two clients, who ask what its row says.
pub(crate) static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    let play = |row: &'static registry::Lesson| {
        let part = match (row.number.as_str(), row.part()) {
            (_, registry::Part::Alone) => Part::Alone(&row.few),
            ("05", _) => Part::Client("127.0.0.1", greets),
            ("07", _) => Part::Client("localhost", answers_http),
            (_, registry::Part::Client | registry::Part::ClientOf(_)) => {
                panic!("tests/lesson_faults/lessons.rs says who plays the server of lesson {}", row.number)
            }
            ("04", _) => Part::Once(greeting),
            ("09", _) => Part::Once(who_is_calling),
            (number, registry::Part::Server) => {
                let clients = match number {
                    "06" => reverse,
                    "10" => always_on,
                    "12" => threads,
                    "13" => select,
                    "15" => chat,
                    "22" => http,
                    _ => |service: &Service, port| vec![ask(service, port), ask(service, port)],
                };
                let new = if number == "12" { thread } else { ask };
                Part::Always(row.server.as_ref().expect("a server"), Talk { clients, new })
            }
        };
        Lesson { row, number: &row.number, program: built(&format!("lesson-{}", row.number)), part }
    };
    lessons().iter().map(play).collect()
});

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

/// One question, one answer, and the end, for a client that is alone.
fn ask(service: &Service, port: u16) -> Client {
    let mut client = Client::connect(port);
    client.hears(service.greeting_alone()).says(&service.request).hears(&service.answer);
    client.is_done().hears_the_end();
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

fn reverse(service: &Service, port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice.says("hello\n").hears("olleh\n").says("stre").says("ssed\n").hears("desserts\n");
    alice.is_done().hears_the_end();
    let mut bob = Client::connect(port);
    bob.says("one\ntwo\n").hears("eno\nowt\n").is_done().hears_the_end();
    vec![alice, bob, ask(service, port)]
}

fn who_is_calling(port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    // One is told. A client that vanishes before does not count.
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

fn always_on(service: &Service, port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice.says("hello\n").hears("OK ... hello\n").says("and again\n").hears("OK ... and again\n");
    alice.is_done().hears_the_end();
    vec![alice, ask(service, port)]
}

const FULL: &str = "Sorry, 3 clients are here already. Come back later.\n";
const BUSY: &str = "Sorry, the server is busy. Come back later.\n";

fn thread(_: &Service, port: u16) -> Client {
    loop {
        let mut client = Client::connect(port);
        match client.says("new\n").hears_one_of(&["OK ... new\n", FULL, BUSY]) {
            // The last bits of the threads of those who have gone may still be here.
            Some(1) => continue,
            Some(2) => client.is_turned_away(),
            _ => {
                client.is_done().hears_the_end();
            }
        }
        return client;
    }
}

fn threads(_: &Service, port: u16) -> Vec<Client> {
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

fn select(service: &Service, port: u16) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(port);
        if client.hears_one_of(&[service.greeting.as_str(), "Sorry, all 3 places are taken.\n"]) == Some(1) {
            client.hears_the_end();
        }
        clients.push(client);
    }
    clients[0].says("hel").says("lo\n").hears("OK ... hello\n");
    clients[1].says("one\ntwo\n").hears("OK ... one\nOK ... two\n");
    clients[2].says("half").is_done().hears("OK ... half\n").hears_the_end();
    leave(clients)
}

fn chat(service: &Service, port: u16) -> Vec<Client> {
    let chatter = ["[%d:%d:%d] client %d has come\n", "[%d:%d:%d] client %d has gone\n"];
    // One of these follows each line.
    let news = ["[%d:%d:%d] client %d: Good morning!\n", "[%d:%d:%d] client %d is lost: %s\n"];
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(port);
        client.hears(&service.greeting);
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

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n\
    <!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Lesson 22</title>\n\
    <h1>Who is connected</h1>\n<img %s\n<ul>\n<li>client %d, %s\n</ul>\n";
const NOT_FOUND: &str =
    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\n404 Not Found\n";
const BAD: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\
    Connection: close\r\n\r\n400 Bad Request\n";

fn http(service: &Service, port: u16) -> Vec<Client> {
    let mut alice = Client::connect(port);
    alice
        .says(&service.request)
        .hears(&service.answer)
        .says("GET / HT")
        .says("TP/1.1\r\nHost: localhost\r\n\r\n")
        .hears(PAGE);
    let mut bob = Client::connect(port);
    bob.says("GET / HTTP/1.1\r\n\r\n").hears(BAD).hears_the_end();
    alice.says("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").hears(NOT_FOUND);
    leave(vec![alice, bob])
}
