//! Lesson 13 · the select server. Run `make lesson-13`, then its PHP twin with `make php-13`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

/// How many clients have a place. Few, so that you can see a full table; select itself ends at descriptor 1023.
const PLACES: usize = 3;
/// How many bytes a line may have. Without a bound, a line without end would eat the memory.
const LINE: usize = 1024;
/// How many bytes may wait for a client that does not read. It is dropped, for the same reason.
const WAITING: usize = 65536;
/// How long the listener rests when no client can be accepted.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of a client. Its socket is in a table of its own, for the sets of select to borrow.
#[derive(Default)]
struct Client {
    /// The part of a line that it has sent so far.
    input: Vec<u8>,
    /// Output that it has not been sent yet.
    output: Vec<u8>,
    answers: u64,
    /// Why it leaves. It is not read from any more, and goes as soon as nothing waits for it.
    end: Option<String>,
}

fn main() -> Result<()> {
    // make lesson-13 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(5000);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    // A client may give up between select and accept; accept would then wait for the next, and all others with it.
    socket_set_nonblock(&listener)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-13 ARGS=\"{} {}\"", here.address, here.port);

    // Two tables with the same keys.
    let mut sockets: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
    let mut number = 0;
    let mut resting: Option<Instant> = None;
    loop {
        // The sets: sockets with their keys. They borrow the sockets, so no client may be added or removed while they are
        // used. Until then they keep their memory.
        let mut read: Vec<(u64, &Socket)> = Vec::new();
        let mut write: Vec<(u64, &Socket)> = Vec::new();
        let calling = loop {
            // Whom to wait for: to read from, the clients that stay, and the listener, which has key 0. To write to, only
            // those for whom something waits: the others are writable, so select would never wait again.
            read.clear();
            write.clear();
            if resting.is_none_or(|since| since.elapsed() >= PAUSE) {
                read.push((0, &listener));
            }
            for (key, socket) in &sockets {
                let client = &clients[key];
                if client.end.is_none() {
                    read.push((*key, socket));
                }
                if !client.output.is_empty() {
                    write.push((*key, socket));
                }
            }

            // The only place where this server waits. Afterwards the sets hold those that are ready, with their keys.
            let seconds = resting.map(|_| 1);
            match socket_select(Some(&mut read), Some(&mut write), None, seconds, 0) {
                // A signal is no reason to end.
                Err(error) if error.code() == SOCKET_EINTR => continue,
                ready => ready?,
            };

            let mut calling = false;
            for (key, socket) in &read {
                match clients.get_mut(key) {
                    Some(client) => client.hear(socket),
                    None => calling = true,
                }
                // Break it: uncomment the next line, which closes a socket that the sets still have (error E0502).
                // sockets.remove(key);
            }
            for (key, socket) in &write {
                if let Some(client) = clients.get_mut(key).filter(|client| !client.output.is_empty()) {
                    client.speak(socket);
                }
            }
            if calling || clients.values().any(Client::leaves) {
                break calling;
            }
        };

        // A client that has an end and has been sent everything leaves the tables.
        clients.retain(|key, client| match &client.end {
            Some(end) if client.leaves() => {
                println!("client {key}: {end}");
                if let Some(socket) = sockets.remove(key) {
                    hang_up(socket);
                }
                resting = None;
                false
            }
            _ => true,
        });

        if !calling {
            continue;
        }
        match socket_accept(&listener) {
            Ok(socket) => {
                number += 1;
                resting = None;
                // Otherwise a write to a client that does not read would wait, and all others with it.
                if let Err(error) = socket_set_nonblock(&socket) {
                    println!("client {number}: {error}");
                } else if clients.len() < PLACES {
                    println!("client {number}: has come, {} of {PLACES} places taken", clients.len() + 1);
                    let welcome = format!("Welcome, client {number}! A line has at most {LINE} bytes.\n");
                    sockets.insert(number, socket);
                    clients.insert(number, Client { output: welcome.into_bytes(), ..Client::default() });
                } else {
                    println!("client {number}: turned away, {PLACES} of {PLACES} places taken");
                    turn_away(socket);
                }
            }
            // The client gave up while it waited, or a signal came: neither may end a server.
            Err(error) if [SOCKET_EAGAIN, SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => {}
            // No descriptor is left, say. The client stays in the queue, so select would return at once, again and again:
            // the listener stays out of the set until a client leaves, or for a while.
            Err(error) if !clients.is_empty() => {
                if resting.is_none() {
                    println!("{error}");
                }
                resting = Some(Instant::now());
            }
            Err(error) => return Err(error),
        }
    }
}

impl Client {
    /// Takes what has arrived, which may be part of a line or several, and has an answer ready for every whole one.
    fn hear(&mut self, socket: &Socket) {
        let data = match socket_read(socket, 1024, PHP_BINARY_READ) {
            Ok(data) => data,
            Err(error) => return self.fail(error),
        };
        self.input.extend(&data);
        // The end of the stream ends the last line too.
        if data.is_empty() && !self.input.is_empty() {
            self.input.push(b'\n');
        }
        let line_end = |input: &[u8]| input.iter().take(LINE + 1).position(|byte| *byte == b'\n');
        while let Some(end) = line_end(&self.input) {
            self.output.extend(b"OK ... ");
            self.output.extend(self.input.drain(..=end));
            self.answers += 1;
        }
        if self.input.len() > LINE {
            self.output.extend(format!("Goodbye, a line has at most {LINE} bytes.\n").as_bytes());
            self.end = Some(format!("dropped, its line has more than {LINE} bytes"));
        } else if data.is_empty() {
            self.end = Some(format!("has gone, answers: {}", self.answers));
        }
        if self.output.len() > WAITING {
            self.output.clear();
            self.end = Some(format!("dropped, more than {WAITING} bytes wait for it"));
        }
    }

    /// Sends what the kernel takes. The rest waits until select reports it writable again.
    fn speak(&mut self, socket: &Socket) {
        match socket_write(socket, &self.output, None) {
            Ok(sent) => drop(self.output.drain(..sent)),
            Err(error) => self.fail(error),
        }
    }

    fn leaves(&self) -> bool {
        self.end.is_some() && self.output.is_empty()
    }

    /// A client that vanishes leaves the table; the server stays. That there is nothing to do yet is no failure.
    fn fail(&mut self, error: Error) {
        if !error.is_quiet() {
            self.output.clear();
            self.end = Some(error.to_string());
        }
    }
}

/// A new socket's send buffer takes a sentence. A client that has gone already misses nothing.
fn turn_away(client: Socket) {
    let mut sorry = format!("Sorry, all {PLACES} places are taken.\n").into_bytes();
    while !sorry.is_empty() {
        let Ok(sent) = socket_write(&client, &sorry, None) else { break };
        sorry.drain(..sent);
    }
    hang_up(client);
}

/// Says that no more comes, takes what the client has said meanwhile, and closes: closing with bytes unread would be a reset,
/// which may overtake the sentence before it.
fn hang_up(client: Socket) {
    let _ = socket_shutdown(&client, SHUT_WR);
    let mut unread = Vec::new();
    // Sixteen times at most, or a client that never ends could keep the server here.
    for _ in 0..16 {
        let Ok(1..) = socket_recv(&client, &mut unread, 65536, MSG_DONTWAIT) else { break };
    }
    socket_close(client);
}
