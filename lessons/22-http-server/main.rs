//! Lesson 22 · the HTTP server. Run `make lesson-22`, then its PHP twin with `make php-22`.

use std::collections::BTreeMap;
use std::process;
use std::rc::Rc;
use std::time::{Duration, Instant};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;

/// How many clients have a place. The next ones wait in the kernel's queue; select itself ends at descriptor 1023.
const PLACES: usize = 500;
/// How many bytes a request's line and headers may have. Without a bound, a header without end would eat the memory.
const HEAD: usize = 8192;
/// How many bytes a request's body may have. It is thrown away, for nothing here takes one.
const BODY: usize = 65536;
/// How many bytes a client may still send after its last answer.
const REST: usize = 1 << 20;
/// How long the listener rests when no client can be accepted.
const PAUSE: Duration = Duration::from_secs(1);

const OK: &str = "200 OK";
const BAD: &str = "400 Bad Request";
const FORBIDDEN: &str = "405 Method Not Allowed";

/// It is read once, while the program is compiled.
const PICTURE: &str = include_str!("picture.svg");

struct Client {
    number: u64,
    socket: Rc<Socket>,
    name: String,
    /// The part of a request that it has sent so far.
    input: Vec<u8>,
    /// How many bytes of a request's body are still to come.
    body: usize,
    /// Output that it has not been sent yet: one answer at most.
    output: Vec<u8>,
    answers: u64,
    /// No answer follows the one it has got. Bytes that it still sends are counted and thrown away.
    last: bool,
    rest: usize,
    /// When its time began to run: it has come, or an answer was ready.
    since: Instant,
    /// Why it leaves.
    end: Option<String>,
}

struct Request {
    /// Its first line, for the screen.
    line: String,
    status: &'static str,
    path: String,
    /// How many bytes of body follow it.
    length: usize,
    /// HEAD asks for the headers alone.
    head_only: bool,
    last: bool,
}

fn main() -> Result<()> {
    // make lesson-22 ARGS="ADDRESS PORT SECONDS", or a port alone
    let (address, port, rest) = arguments::address_and_port(8080);
    // How long a client may take for a request. Without a bound, those who never end one would fill the table.
    let seconds = rest.first().map_or(Some("30"), |seconds| seconds.to_str());
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    let Some(seconds @ 1..=3600) = seconds else {
        eprintln!("The seconds have to be a number from 1 to 3600.");
        process::exit(1);
    };
    let patience = Duration::from_secs(seconds);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    // A client may give up between select and accept; accept would then wait for the next, and all others with it.
    socket_set_nonblock(&listener)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-22 ARGS=\"{} {}\"", here.address, here.port);
    println!("Or in a browser: http://{here}/");

    let listener = Rc::new(listener);
    let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
    let mut number = 0;
    let mut resting: Option<Instant> = None;
    let mut read: Vec<(u64, Rc<Socket>)> = Vec::new();
    let mut write: Vec<(u64, Rc<Socket>)> = Vec::new();
    loop {
        // A client is in one of the sets: while its answer waits to be sent, no more requests are taken from it.
        read.clear();
        let admitting = resting.is_none_or(|since| since.elapsed() >= PAUSE);
        read.extend((admitting && clients.len() < PLACES).then(|| (0, Rc::clone(&listener))));
        write.clear();
        for (key, client) in &clients {
            let set = if client.output.is_empty() { &mut read } else { &mut write };
            set.push((*key, Rc::clone(&client.socket)));
        }

        // The only place where this server waits, until a client's time is over, or without end if there is no client.
        let left = clients.values().map(|client| patience.saturating_sub(client.since.elapsed()));
        let left = left.chain(resting.map(|_| PAUSE)).min();
        let seconds = left.and_then(|left| i64::try_from(left.as_secs()).ok());
        let microseconds = left.map_or(0, |left| i64::from(left.subsec_micros()) + 1);
        match socket_select(Some(&mut read), Some(&mut write), None, seconds, microseconds) {
            // A signal is no reason to end.
            Err(error) if error.code() == SOCKET_EINTR => continue,
            ready => ready?,
        };

        let mut calling = false;
        for (key, _) in read.drain(..) {
            match clients.get_mut(&key) {
                Some(client) => client.hear(),
                None => calling = true,
            }
            answer(&mut clients, key);
        }
        for (key, _) in write.drain(..) {
            if let Some(client) = clients.get_mut(&key) {
                client.speak();
            }
            // Another request may have come together with the one whose answer has just been sent.
            answer(&mut clients, key);
        }
        let staying = clients.values_mut().filter(|client| client.end.is_none());
        staying.filter(|client| client.since.elapsed() >= patience).for_each(Client::tire);

        // A client that has an end leaves the table. Its socket is closed with that, for the sets are empty.
        clients.retain(|key, client| match &client.end {
            Some(end) => {
                println!("client {key}: {end}");
                resting = None;
                false
            }
            None => true,
        });

        // All who wait, not one in each round: a round takes its time while many are served.
        while calling && clients.len() < PLACES {
            match socket_accept(&listener) {
                Ok(socket) => {
                    number += 1;
                    resting = None;
                    // Otherwise a write to a client that does not read would wait, and all others with it.
                    if let Err(error) = socket_set_nonblock(&socket) {
                        println!("client {number}: {error}");
                        continue;
                    }
                    // A client that has vanished already has no name any more.
                    let name =
                        socket_getpeername(&socket).map_or("nowhere".to_owned(), |name| name.to_string());
                    println!("client {number}: has come from {name}");
                    clients.insert(number, Client::new(number, socket, name));
                }
                Err(error) if error.code() == SOCKET_EAGAIN => calling = false,
                // The client gave up while it waited, or a signal came: neither may end a server.
                Err(error) if [SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => {}
                // No descriptor is left, say. The client stays in the queue, so select would return at once, again and
                // again: the listener stays out of the set until a client leaves, or for a while.
                Err(error) if !clients.is_empty() => {
                    if resting.is_none() {
                        println!("{error}");
                    }
                    (calling, resting) = (false, Some(Instant::now()));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Has an answer ready, if a whole request has come.
fn answer(clients: &mut BTreeMap<u64, Client>, key: u64) {
    let Some(mut request) = clients.get_mut(&key).and_then(Client::request) else { return };
    // A table of what there is: no path from the network ever becomes the name of a file.
    let (kind, body) = match (request.status, request.path.as_str()) {
        (OK, "/") => ("text/html; charset=utf-8", page(clients, key)),
        (OK, "/picture.svg") => ("image/svg+xml", PICTURE.to_owned()),
        (status, _) => {
            request.status = if status == OK { "404 Not Found" } else { status };
            ("text/plain", format!("{}\n", request.status))
        }
    };
    // Break it: uncomment the next line, which holds one client while it looks at all of them (error E0502).
    // if let Some(client) = clients.get_mut(&key) { client.output = page(clients, key).into_bytes(); }
    if let Some(client) = clients.get_mut(&key) {
        client.say(&request, kind, &body);
    }
}

/// The page: who is connected. Nothing in it comes from a client; what does would have to be escaped.
fn page(clients: &BTreeMap<u64, Client>, you: u64) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Lesson 22</title>\n\
         <h1>Who is connected</h1>\n<img src=\"/picture.svg\" alt=\"A plug and its socket\" width=\"240\">\n<ul>\n",
    );
    for (key, client) in clients {
        let you = if *key == you { " (you)" } else { "" };
        let Client { name, answers, .. } = client;
        let line = format!("<li>client {key}, {name}, answers: {answers}{you}\n");
        page += &line;
    }
    page + "</ul>\n"
}

impl Client {
    fn new(number: u64, socket: Socket, name: String) -> Client {
        let (socket, since) = (Rc::new(socket), Instant::now());
        let (input, output) = (Vec::new(), Vec::new());
        Client {
            number,
            socket,
            name,
            input,
            body: 0,
            output,
            answers: 0,
            last: false,
            rest: 0,
            since,
            end: None,
        }
    }

    /// Takes what has arrived, which may be part of a request or several.
    fn hear(&mut self) {
        match socket_read(&self.socket, 4096, PHP_BINARY_READ) {
            Ok(data) if data.is_empty() => self.end = Some(format!("has gone, answers: {}", self.answers)),
            Ok(data) if self.last => {
                self.rest += data.len();
                if self.rest > REST {
                    self.end = Some(format!("dropped, it sends on and on, answers: {}", self.answers));
                }
            }
            Ok(data) => self.input.extend(data),
            Err(error) => self.fail(error),
        }
    }

    /// The next request, if it is whole and the answer to the one before has been sent.
    fn request(&mut self) -> Option<Request> {
        if self.last || self.end.is_some() || !self.output.is_empty() {
            return None;
        }
        let body = self.body.min(self.input.len());
        self.body -= body;
        self.input.drain(..body);
        // Empty lines before a request do no harm.
        let blank = self.input.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        self.input.drain(..blank);

        let request = match head_length(&self.input) {
            Some(length) if length <= HEAD => Request::new(&self.input.drain(..length).collect::<Vec<u8>>()),
            None if self.input.len() <= HEAD => return None,
            _ => Request::refused(&self.input, "431 Request Header Fields Too Large"),
        };
        self.body = request.length;
        Some(request)
    }

    fn say(&mut self, request: &Request, kind: &str, body: &str) {
        let Request { line, status, head_only, last, .. } = request;
        println!("client {}: {line}: {status}", self.number);
        let mut answer =
            format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        answer += if *status == FORBIDDEN { "Allow: GET, HEAD\r\n" } else { "" };
        answer += if *last { "Connection: close\r\n\r\n" } else { "\r\n" };
        answer += if *head_only { "" } else { body };
        self.output = answer.into_bytes();
        self.last = *last;
        self.answers += 1;
        self.since = Instant::now();
    }

    /// Sends what the kernel takes. The rest waits until select reports it writable again.
    fn speak(&mut self) {
        match socket_write(&self.socket, &self.output, None) {
            Ok(sent) => drop(self.output.drain(..sent)),
            Err(error) => return self.fail(error),
        }
        if self.last && self.output.is_empty() {
            // Closing while it still sends would answer it with a reset, which may take the answer away from it. Its
            // end is awaited instead, for a bounded time and amount.
            if let Err(error) = socket_shutdown(&self.socket, SHUT_WR) {
                self.fail(error);
            }
            self.since = Instant::now();
        }
    }

    /// Its time is over. A client that has begun a request is told so.
    fn tire(&mut self) {
        let begun = self.body > 0 || !self.input.is_empty();
        if begun && !self.last && self.output.is_empty() {
            let request = Request::refused(&self.input, "408 Request Timeout");
            self.say(&request, "text/plain", "408 Request Timeout\n");
        } else {
            self.end = Some(format!("dropped, its time is over, answers: {}", self.answers));
        }
    }

    /// A client that vanishes leaves the table; the server stays. That there is nothing to do yet is no failure.
    fn fail(&mut self, error: Error) {
        if !error.is_quiet() {
            self.end = Some(error.to_string());
        }
    }
}

impl Request {
    fn new(head: &[u8]) -> Request {
        let mut request = Request::refused(head, BAD);
        request.status = request.judge(&String::from_utf8_lossy(head));
        // After any other error it is unknown where the next request would begin.
        request.last |= request.status != OK && request.status != FORBIDDEN;
        request
    }

    /// One that is answered with an error, and is the last.
    fn refused(head: &[u8], status: &'static str) -> Request {
        // Control characters from the network could repaint the screen, and others do not belong here.
        let line = head.iter().take_while(|byte| !b"\r\n".contains(byte)).take(60);
        let line =
            line.map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '?' }).collect();
        let head_only = head.starts_with(b"HEAD ");
        Request { line, status, path: String::new(), length: 0, head_only, last: true }
    }

    /// Takes a request line and headers to pieces.
    fn judge(&mut self, head: &str) -> &'static str {
        let mut lines = head.lines().take_while(|line| !line.is_empty());
        let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, version] = words[..] else { return BAD };
        if !version.starts_with("HTTP/")
            || method.is_empty()
            || !method.chars().all(|c| c.is_ascii_alphabetic())
        {
            return BAD;
        }
        if !["HTTP/1.0", "HTTP/1.1"].contains(&version) {
            return "505 HTTP Version Not Supported";
        }
        if target.chars().any(|c| c.is_ascii_control()) {
            return BAD;
        }

        self.last = version == "HTTP/1.0";
        let (mut hosts, mut length, mut coded) = (0, None, false);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { return BAD };
            let strange = |c: char| c.is_ascii_control() && c != '\t';
            if name.is_empty() || name.contains([' ', '\t']) || line.contains(strange) {
                return BAD;
            }
            let value = value.trim_matches([' ', '\t']);
            match name.to_ascii_lowercase().as_str() {
                "host" => hosts += 1,
                // Two lengths: the one that counts for us might not be the one that counts for a proxy before us.
                "content-length" if length.is_some() => return BAD,
                "content-length" => length = Some(value),
                "transfer-encoding" => coded = true,
                "connection" => {
                    let mut options = value.split(',').map(|option| option.trim_matches([' ', '\t']));
                    self.last |= options.any(|option| option.eq_ignore_ascii_case("close"));
                }
                _ => {}
            }
        }
        let length = length.unwrap_or("0");
        let digits = !length.is_empty() && length.chars().all(|c| c.is_ascii_digit());
        if hosts > 1 || (hosts == 0 && version == "HTTP/1.1") || !digits {
            return BAD;
        }
        if coded {
            return "501 Not Implemented";
        }
        // A number that does not fit is too large, too.
        self.length = length.parse().unwrap_or(usize::MAX);
        if self.length > BODY {
            return "413 Content Too Large";
        }
        if !["GET", "HEAD"].contains(&method) {
            return FORBIDDEN;
        }
        // A proxy's form, http://host/path, is to be understood as well. The part behind a ? is for programs.
        let path = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => target,
        };
        if !path.starts_with('/') {
            return BAD;
        }
        self.path += path.split('?').next().unwrap_or_default();
        OK
    }
}

/// How long a request's line and headers are, with the empty line that ends them; nothing if it has not come yet.
fn head_length(input: &[u8]) -> Option<usize> {
    // Lines end with CR LF. A bare LF is taken as well, for people type that.
    let bare = input.windows(2).position(|bytes| bytes == b"\n\n").map(|at| at + 2);
    let proper = input.windows(3).position(|bytes| bytes == b"\n\r\n").map(|at| at + 3);
    [bare, proper].into_iter().flatten().min()
}
