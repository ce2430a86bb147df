//! Lesson 15 · the epoll chat. Run `make lesson-15`, then its PHP twin with `make php-15`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../arguments.rs"]
mod arguments;
#[path = "../text.rs"]
mod text;

/// How many bytes a line may have. More is taken for a line, for a line without end would eat the memory.
const LINE: usize = 1024;
/// How many bytes may wait for a client that does not read. It is dropped, for the same reason.
const WAITING: usize = 256 * 1024;
/// The signal that Ctrl-C sends.
const SIGINT: i32 = 2;

struct Client {
    socket: Rc<Socket>,
    /// It is never read (hence the underscore): it waits as long as it is here, and ends with the client.
    _reading: Event,
    /// Waits only while there is something to send: an idle socket is always writable, and the loop would spin.
    writing: Event,
    /// The part of a line that it has sent so far.
    input: Vec<u8>,
    /// Output that it has not been sent yet.
    output: Vec<u8>,
}

struct Room {
    clients: BTreeMap<u64, Client>,
    /// The number of the newest client. `intval($socket)` is no number: in PHP 8 it is 1 for every socket.
    last: u64,
}

fn main() -> Result<()> {
    // make lesson-15 ARGS="ADDRESS PORT", or a port alone
    let (address, port, _) = arguments::address_and_port(9999);

    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    // Without this the port would stay taken for a minute after the server has ended (lesson 14).
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&listener, &address, port)?;
    socket_listen(&listener, SOMAXCONN)?;
    // A client may give up between event and accept; accept would then wait for the next, and all others with it.
    socket_set_nonblock(&listener)?;
    let here = socket_getsockname(&listener)?;
    println!("Listening on {here}");
    println!("Second terminal: make client-15 ARGS=\"{} {}\"", here.address, here.port);

    let base = EventBase::new()?;
    // The callbacks share the chat: Rc lets many own it, RefCell lets one at a time change it.
    let room = Rc::new(RefCell::new(Room { clients: BTreeMap::new(), last: 0 }));
    // `inside` is a second share of the chat, and the callback takes it along (`move`).
    let inside = Rc::clone(&room);
    let what = Event::READ | Event::PERSIST;
    let door = Rc::new(Event::new(&base, listener, what, move |base, listener, _| {
        match socket_accept(listener).and_then(|client| enter(&inside, base, client)) {
            Ok(()) => {}
            // The client gave up while it waited, or a signal came: the chat stays open.
            Err(error) if [SOCKET_EAGAIN, SOCKET_ECONNABORTED, SOCKET_EINTR].contains(&error.code()) => {}
            // No descriptor is left, say. The client stays in the queue, and asking again at once would spin.
            Err(error) => {
                println!("{error}");
                base.stop();
            }
        }
    })?);
    door.add(None)?;
    let leaving = Event::signal(&base, SIGINT, |base, _| base.exit(None))?;
    leaving.add(None)?;

    // stop() leaves the loop at once, exit() after this round: the first is our pause, the second the end.
    let again = Rc::clone(&door);
    let pause = Event::timer(&base, move |base| {
        if again.add(None).is_err() {
            base.stop();
        }
    });
    base.dispatch()?;
    while base.got_stop() {
        door.del();
        pause.add(Duration::from_secs(1))?;
        base.dispatch()?;
    }
    room.borrow_mut().tell("The room closes.\n".to_owned(), 0);
    Ok(())
}

/// A client comes in: two events wait for it from now on.
fn enter(room: &Rc<RefCell<Room>>, base: &EventBase, socket: Socket) -> Result<()> {
    // Otherwise a write to a client that does not read would wait, and all others with it.
    socket_set_nonblock(&socket)?;
    // A client whose cable is pulled sends no goodbye. After a minute of silence the kernel asks, three times.
    socket_set_option(&socket, SOL_SOCKET, SO_KEEPALIVE, 1)?;
    socket_set_option(&socket, SOL_TCP, TCP_KEEPIDLE, 60)?;
    socket_set_option(&socket, SOL_TCP, TCP_KEEPINTVL, 10)?;
    socket_set_option(&socket, SOL_TCP, TCP_KEEPCNT, 3)?;

    let socket = Rc::new(socket);
    let number = room.borrow().last + 1;
    let inside = Rc::clone(room);
    let what = Event::READ | Event::PERSIST;
    let reading =
        Event::new(base, Rc::clone(&socket), what, move |_, _, _| inside.borrow_mut().hear(number))?;
    reading.add(None)?;
    let inside = Rc::clone(room);
    let what = Event::WRITE | Event::PERSIST;
    let writing =
        Event::new(base, Rc::clone(&socket), what, move |_, _, _| inside.borrow_mut().speak(number))?;

    let mut room = room.borrow_mut();
    room.last = number;
    let output = format!("Welcome, client {number}. Here with you: {}.\n", room.clients.len()).into_bytes();
    let client = Client { socket, _reading: reading, writing, input: Vec::new(), output };
    room.clients.insert(number, client);
    println!("client {number} has come");
    room.speak(number);
    room.tell(format!("[{}] client {number} has come\n", time()), number);
    Ok(())
}

impl Room {
    /// Something has arrived from a client.
    fn hear(&mut self, number: u64) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let data = match socket_read(&client.socket, LINE, PHP_BINARY_READ) {
            Ok(data) => data,
            Err(error) if [SOCKET_EAGAIN, SOCKET_EINTR].contains(&error.code()) => return,
            Err(error) => return self.lose(number, &format!("is lost: {}", socket_strerror(error.code()))),
        };
        client.input.extend(&data);
        // The end of the stream ends the last line too.
        if data.is_empty() && !client.input.is_empty() {
            client.input.push(b'\n');
        }
        let mut news = Vec::new();
        loop {
            let end = client.input.iter().take(LINE).position(|byte| *byte == b'\n');
            let length = match end {
                Some(end) => end + 1,
                // Not in the middle of a character.
                None if client.input.len() >= LINE => text::whole(&client.input[..LINE]),
                None => break,
            };
            let line: Vec<u8> = client.input.drain(..length).collect();
            // Control characters of one client could repaint the screens of all others.
            let text = text::harmless(line.trim_ascii_end());
            news.push(format!("[{}] client {number}: {text}\n", time()));
        }
        if !news.is_empty() {
            self.tell(news.concat(), number);
        }
        // At its end a stream can be read for ever, and its event would fire for ever: the client has to go.
        if data.is_empty() {
            self.lose(number, "has gone");
        }
    }

    /// A client is writable. Bytes that the kernel does not take wait for the event.
    fn speak(&mut self, number: u64) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        if let Some(reason) = client.send() {
            self.lose(number, &reason);
        }
    }

    /// All hear it but one. No client is waited for. One that cannot be written to is dropped, and the others are told.
    fn tell(&mut self, news: String, except: u64) {
        let mut queue = vec![(news, except)];
        while let Some((news, except)) = queue.pop() {
            self.clients.retain(|number, client| {
                if *number == except {
                    return true;
                }
                client.output.extend(news.as_bytes());
                let Some(reason) = client.send() else { return true };
                println!("client {number} {reason}");
                queue.push((format!("[{}] client {number} {reason}\n", time()), *number));
                false
            });
        }
    }

    /// A client leaves the chat, and with it go its events and its socket.
    fn lose(&mut self, number: u64, reason: &str) {
        if self.clients.remove(&number).is_some() {
            println!("client {number} {reason}");
            self.tell(format!("[{}] client {number} {reason}\n", time()), number);
        }
    }
}

impl Client {
    /// Sends what the kernel takes; gives a reason if the client has to go.
    fn send(&mut self) -> Option<String> {
        match socket_write(&self.socket, &self.output, None) {
            Ok(sent) => drop(self.output.drain(..sent)),
            Err(error) if [SOCKET_EAGAIN, SOCKET_EINTR].contains(&error.code()) => {}
            Err(error) => return Some(format!("is lost: {}", socket_strerror(error.code()))),
        }
        if self.output.len() > WAITING {
            return Some("is dropped: it does not read".to_owned());
        }
        // Break it: uncomment the next line, which closes a socket that is only borrowed (error E0507).
        // drop(self.socket);
        if self.output.is_empty() {
            self.writing.del();
        } else if let Err(error) = self.writing.add(None) {
            return Some(error.to_string());
        }
        None
    }
}

/// The time of day, UTC.
fn time() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}
