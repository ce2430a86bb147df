//! A server, those whom it should serve, and what has to be true of it afterwards.

use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use php_sockets::*;

use super::pattern::fixed_part;
use super::registry::{Lesson, Serves};
use super::server::{PATIENCE, Server, sample, write_all};
use super::twin::{Program, Twin};
use crate::common::{self, Usage};

/// A server in one of its languages, what it asks of its clients, and what they hear.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub name: String,
    pub program: Program,
    /// The arguments behind address and port.
    arguments: Vec<String>,
    /// A part of what a client hears first.
    first: String,
    pub request: String,
    /// The beginning of what it hears then, or a part of it.
    pub answer: String,
    pub serves: Serves,
}

impl Host {
    /// A lesson, if it is a server.
    pub(crate) fn of(lesson: &Lesson, twin: Twin) -> Option<Host> {
        let service = lesson.server.clone()?;
        // A second client of one that serves once hears nothing at all.
        let first = if service.serves == Serves::Once { "" } else { fixed_part(&service.greeting) };
        // Where each read is answered, a part of the request comes back.
        let echo = if service.each_read { service.request.as_str() } else { "" };
        let answer = service.answer.strip_suffix(echo).unwrap_or(&service.answer);
        Some(Host {
            name: format!("lesson_{}", lesson.number),
            program: lesson.program(twin),
            first: first.to_owned(),
            answer: fixed_part(answer).to_owned(),
            request: service.request,
            arguments: service.arguments,
            serves: service.serves,
        })
    }

    /// The answer that a client which has said something hears at once.
    fn heard_when_served(&self) -> &str {
        if self.answer.is_empty() { &self.first } else { &self.answer }
    }

    /// A server of the README, which has no twin.
    fn sample(name: &str, answer: &str, serves: Serves) -> Host {
        Host {
            name: name.to_owned(),
            program: Program::rust(&sample(name)),
            arguments: Vec::new(),
            first: String::new(),
            request: "hello\n".to_owned(),
            answer: answer.to_owned(),
            serves,
        }
    }
}

/// The servers of the README, and what they answer to `hello`.
pub(crate) const SAMPLES: [(&str, &str, Serves); 6] = [
    ("readme-echo", "hello\n", Serves::OneByOne),
    ("readme-select", "hello\n", Serves::Together),
    ("readme-chat", "", Serves::Relay),
    ("readme-lines", "hello\n", Serves::Together),
    ("readme-events", "hello\n", Serves::Together),
    ("readme-output", "hello\n", Serves::Together),
];

/// The same, built.
pub(crate) fn samples() -> &'static [Host] {
    static HOSTS: LazyLock<Vec<Host>> =
        LazyLock::new(|| SAMPLES.map(|(name, answer, serves)| Host::sample(name, answer, serves)).into());
    &HOSTS
}

/// A client, and what it has heard and not made use of.
pub(crate) struct Guest {
    pub socket: Socket,
    heard: String,
}

pub(crate) struct Stage {
    pub host: Host,
    pub server: Server,
    pub friends: Vec<Guest>,
    waiting: Option<Guest>,
    rounds: usize,
    descriptors: usize,
    /// The other end of the server's standard error.
    complaints: Socket,
}

impl Guest {
    /// Reads until `text` has come, and forgets what came before it.
    pub(crate) fn hears(&mut self, text: &str) {
        self.listens_for(text).unwrap_or_else(|why| panic!("waiting for {text:?}: {why}"));
    }

    fn listens_for(&mut self, text: &str) -> Result<(), String> {
        loop {
            if let Some(at) = self.heard.find(text) {
                self.heard.drain(..at + text.len());
                return Ok(());
            }
            // At most the beginning of `text` is still needed of it.
            let end = self.heard.len();
            let keep = (end.saturating_sub(text.len())..end).find(|at| self.heard.is_char_boundary(*at));
            self.heard.drain(..keep.unwrap_or(end));
            let data =
                socket_read(&self.socket, 65536, PHP_BINARY_READ).map_err(|error| error.to_string())?;
            if data.is_empty() {
                return Err("the end".to_owned());
            }
            self.heard.push_str(&String::from_utf8_lossy(&data));
        }
    }

    /// Reads until the end, or until the connection breaks.
    pub(crate) fn hears_the_end(&mut self) -> String {
        while let Ok(data) = socket_read(&self.socket, 65536, PHP_BINARY_READ) {
            if data.is_empty() {
                break;
            }
            self.heard.push_str(&String::from_utf8_lossy(&data));
        }
        std::mem::take(&mut self.heard)
    }

    /// Says something, if the server still reads.
    pub(crate) fn says(&self, text: &str) {
        let _ = socket_write(&self.socket, text, None);
    }
}

impl Stage {
    pub(crate) fn new(host: &Host) -> Stage {
        let friends = match host.serves {
            Serves::Together => 1,
            Serves::Chat | Serves::Relay => 2,
            _ => 0,
        };
        Stage::under(&[], host, friends)
    }

    /// The same under another program, and with so many friends.
    pub(crate) fn under(wrapper: &[&str], host: &Host, friends: usize) -> Stage {
        Stage::prepared(wrapper, host, friends, |_| ())
    }

    /// The same with a command that is prepared before it starts.
    pub(crate) fn prepared(
        wrapper: &[&str],
        host: &Host,
        friends: usize,
        prepare: fn(&mut Command),
    ) -> Stage {
        common::raise_descriptor_limit();
        let (complaints, theirs) = common::pair(SOCK_STREAM);
        // Some attacks take their time on a machine that does much else.
        let mut command = host.program.under_to(120, wrapper, &["127.0.0.1", "0"]);
        command.args(&host.arguments).stderr(OwnedFd::from(theirs));
        prepare(&mut command);
        let server = Server::start(command);
        let (nobody, waiting) = (Vec::new(), None);
        let host = host.clone();
        let mut stage =
            Stage { host, server, friends: nobody, waiting, rounds: 0, descriptors: 0, complaints };

        stage
            .friends
            .extend((0..friends).map(|_| Self::visit(&stage.host, &stage.server).expect("a server")));
        stage.others_are_served();
        stage.who_waits_is_served();
        stage.rests();
        stage.descriptors = stage.server.descriptors();
        stage
    }

    /// A new client, once it has heard what the server says first; none if the server has ended, as some do.
    pub(crate) fn guest(&mut self) -> Option<Guest> {
        self.who_waits_is_served();
        Self::visit(&self.host, &self.server)
    }

    /// The same with a small buffer for what it does not read.
    pub(crate) fn narrow_guest(&mut self) -> Option<Guest> {
        let guest = self.guest()?;
        socket_set_option(&guest.socket, SOL_SOCKET, SO_RCVBUF, 4096).expect("an option");
        Some(guest)
    }

    fn visit(host: &Host, server: &Server) -> Option<Guest> {
        let mut guest = Self::caller(server)?;
        let heard = guest.listens_for(&host.first);
        if host.serves == Serves::InTurns && heard.is_err() {
            return None;
        }
        heard.unwrap_or_else(|why| panic!("waiting for {:?}: {why}", host.first));
        if host.serves == Serves::Relay {
            // It says nothing first, and passes nothing on to those who are not in yet.
            until_accepted(server, &guest.socket);
        }
        Some(guest)
    }

    /// A client that had to wait has its turn, once the one before it has gone.
    pub(crate) fn who_waits_is_served(&mut self) {
        if let Some(mut waiting) = self.waiting.take() {
            waiting.hears(&self.host.answer);
        }
    }

    /// A client that has not waited for anything.
    pub(crate) fn caller(server: &Server) -> Option<Guest> {
        let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(25, 0)).expect("an option");
        socket_connect(&socket, "127.0.0.1", server.port).ok()?;
        Some(Guest { socket, heard: String::new() })
    }

    /// Whether the server ends by itself after some clients.
    pub(crate) fn ends(&self) -> bool {
        matches!(self.host.serves, Serves::InTurns | Serves::Once)
    }

    /// Those who behave are served now, whatever the others do, as far as the lesson promises it.
    pub(crate) fn others_are_served(&mut self) {
        self.rounds += 1;
        let hello = format!("hello {}\n", self.rounds);
        match self.host.serves {
            Serves::Together => {
                let friend = &mut self.friends[0];
                write_all(&friend.socket, self.host.request.as_bytes());
                friend.hears(&self.host.answer);
            }
            Serves::Chat | Serves::Relay => {
                let [one, other] = &mut self.friends[..] else { panic!("two friends") };
                // Both go on reading while they listen: a chat drops those who do not.
                std::thread::scope(|scope| {
                    for guest in [one, other] {
                        write_all(&guest.socket, hello.as_bytes());
                        scope.spawn(|| guest.hears(&hello));
                    }
                });
            }
            Serves::InTurns => {
                if let Some(mut guest) = self.guest() {
                    guest.says(&self.host.request);
                    guest.hears_the_end();
                }
            }
            Serves::OneByOne if self.waiting.is_none() => {
                self.waiting = Self::caller(&self.server);
                self.waiting.as_ref().expect("a connection").says(&self.host.request);
            }
            Serves::OneByOne | Serves::Once => {}
        }
        self.what_is_printed_is_harmless();
        self.memory_is_bounded();
    }

    /// One of the friends speaks in a chat, and the other hears it, until `done`.
    pub(crate) fn friends_chat(&mut self, mut done: impl FnMut(&Server) -> bool) {
        let line = "x".repeat(1000) + "\n";
        for _ in 0..40_000 {
            write_all(&self.friends[0].socket, line.as_bytes());
            self.friends[1].hears(&line);
            if done(&self.server) {
                return;
            }
        }
        panic!("what they wait for does not come");
    }

    /// A guest says one long line, and all friends hear it in pieces. It says no more at once than may wait for one of
    /// them, for a client that reads slower than others speak has to leave a chat.
    pub(crate) fn friends_hear_without_end(&mut self, guest: &Guest, length: usize) {
        let (pieces, piece) = (192, 1024);
        let relay = self.host.serves == Serves::Relay;
        let frame = if relay { 0 } else { "[00:00:00] client 3: \n".len() };
        let heard = pieces * (frame + piece);
        let (data, mut all) = (vec![b'x'; pieces * piece], Vec::new());
        self.others_are_served();
        for round in 0..length / data.len() {
            write_all(&guest.socket, &data);
            for friend in &self.friends {
                assert_eq!(socket_recv(&friend.socket, &mut all, heard, MSG_WAITALL), Ok(heard));
            }
            if round % 50 == 0 {
                self.others_are_served();
            }
        }
    }

    /// A friend speaks while the server does nothing; that reaches it together with what `act` does.
    pub(crate) fn a_friend_speaks_while(&mut self, act: impl FnOnce()) {
        let host = &self.host;
        if let Some(friend) = self.friends.first() {
            friend.says(&host.request);
        }
        act();
        match &mut self.friends[..] {
            [_, other] if host.serves.chat() => other.hears(&host.request),
            [friend] => friend.hears(&host.answer),
            _ => {}
        }
    }

    /// A client says something, and is heard.
    pub(crate) fn is_served(&mut self, guest: &mut Guest) {
        self.rounds += 1;
        if self.host.serves == Serves::Relay {
            let words = format!("it is me {}\n", self.rounds);
            guest.says(&words);
            return self.friends[0].hears(&words);
        }
        guest.says(&self.host.request);
        guest.hears(self.host.heard_when_served());
    }

    /// Waits until the server has as many descriptors as at the beginning.
    pub(crate) fn until_all_have_gone(&self) {
        self.server.until_descriptors(self.descriptors);
    }

    /// The server's processes: itself, and a twin's children.
    fn family(&self) -> Vec<u32> {
        // `timeout` is the one that was started. It has no child any more when the server has ended.
        let mut family = common::children(self.server.child.id());
        family.extend(family.clone().into_iter().flat_map(common::children));
        family
    }

    /// The memory of those that live.
    fn usages(&self) -> Vec<Usage> {
        self.family().into_iter().filter_map(Usage::of).collect()
    }

    fn what_is_printed_is_harmless(&self) {
        let mut last = String::new();
        for line in self.server.printed.try_iter() {
            // A line of 100 MB comes in 100,000 pieces that are all alike.
            let obeyed = |character: char| {
                character.is_control() || "\u{200b}\u{2028}\u{202e}\u{2066}".contains(character)
            };
            assert!(line == last || !line.contains(obeyed), "a terminal would obey {line:?}");
            last = line;
        }
    }

    fn memory_is_bounded(&self) {
        // Rust's programs begin with some 3 MiB, PHP's with some 25.
        let most = if self.host.program.twin == Twin::Rust { 20 << 10 } else { 70 << 10 };
        for Usage { peak, .. } in self.usages() {
            assert!(peak < most, "{peak} KiB");
        }
    }

    /// The processor time that the server has used, in clock ticks (hundredths of a second).
    pub(crate) fn ticks(&self) -> u64 {
        self.usages().iter().map(|usage| usage.ticks).sum()
    }

    /// How often the server's processes have gone to sleep by themselves.
    pub(crate) fn sleeps(&self) -> u64 {
        self.usages().iter().map(|usage| usage.sleeps).sum()
    }

    /// Processor time, and how often a process or thread was put to sleep or woken.
    fn efforts(&self) -> Vec<[u64; 3]> {
        let effort = |usage: Usage| [usage.ticks, usage.sleeps, usage.preemptions];
        self.usages().into_iter().map(effort).collect()
    }

    /// Waits until the server does nothing at all for a while, with the clients that are still connected. A server that
    /// spins never does.
    pub(crate) fn rests(&self) {
        let begin = Instant::now();
        let mut before = self.efforts();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            self.what_is_printed_is_harmless();
            let after = self.efforts();
            if after == before {
                return;
            }
            // PHP reads a queue of lines byte by byte: on a busy machine it takes its time.
            assert!(begin.elapsed() < 5 * PATIENCE, "it never rests");
            before = after;
        }
    }

    /// After the attack: it serves again, or has ended as it should; it has kept nothing, and complained of nothing.
    pub(crate) fn stands(mut self) {
        self.others_are_served();
        if self.ends() {
            let begin = Instant::now();
            while let Some(mut guest) = Self::caller(&self.server) {
                guest.says(&self.host.request);
                guest.hears_the_end();
                assert!(begin.elapsed() < PATIENCE, "it does not end");
            }
            assert!(self.server.ended(), "its status is 0");
        } else {
            self.who_waits_is_served();
            self.a_new_client_is_served();
            self.until_all_have_gone();
            self.rests();
            self.memory_is_bounded();
        }
        assert_eq!(self.complaint(), "");
    }

    pub(crate) fn complaint(&self) -> String {
        let mut said = Vec::new();
        let _ = socket_recv(&self.complaints, &mut said, 65536, MSG_DONTWAIT);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// A place may not be free yet: then it comes again.
    pub(crate) fn a_new_client_is_served(&mut self) {
        if self.host.serves == Serves::Relay {
            let mut guest = Self::caller(&self.server).expect("it listens");
            return self.is_served(&mut guest);
        }
        let begin = Instant::now();
        loop {
            let mut guest = Self::caller(&self.server).expect("it listens");
            guest.says(&self.host.request);
            let wanted = self.host.heard_when_served();
            let data = socket_read(&guest.socket, 65536, PHP_BINARY_READ).unwrap_or_default();
            guest.heard.push_str(&String::from_utf8_lossy(&data));
            if !data.is_empty() && !guest.heard.starts_with("Sorry") {
                return guest.hears(wanted);
            }
            assert!(begin.elapsed() < PATIENCE, "no new client is served");
        }
    }
}

/// Waits until a connection is no longer in the listener's queue: there it has no owner, and its inode is 0.
pub(crate) fn until_accepted(server: &Server, client: &Socket) {
    let Ok(name) = socket_getsockname(client) else { return };
    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
    // The server's end, established: own name, other name, state. The inode is the tenth column.
    let row = format!(" {loopback:08X}:{:04X} {loopback:08X}:{:04X} 01 ", server.port, name.port);
    let begin = Instant::now();
    loop {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the connections");
        let rest = table.split_once(&row).map_or("", |(_, rest)| rest);
        if rest.split_whitespace().nth(5) != Some("0") {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "it is not accepted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How often a process has gone to sleep by itself.
pub(crate) fn sleeps(pid: u32) -> u64 {
    Usage::of(pid).map_or(0, |usage| usage.sleeps)
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("The server complained: {:?}", self.complaint());
        }
    }
}

/// A thousand clients at a time are enough for this process's descriptors.
pub(crate) fn crowd_alone() -> MutexGuard<'static, ()> {
    static CROWD: Mutex<()> = Mutex::new(());
    CROWD.lock().unwrap_or_else(PoisonError::into_inner)
}
