//! The other end of a server: what it hears is right, or its connection ends; anything else is a fault of the server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::process::PATIENCE;

/// How it goes for a client.
#[derive(Debug, PartialEq)]
pub(crate) enum State {
    /// All was right until now.
    Served,
    /// The connection has ended, and all was right until then.
    Closed,
    /// It has heard what is not right, or nothing.
    Wrong(String),
}
use State::{Closed, Served, Wrong};

pub(crate) struct Client {
    stream: Option<TcpStream>,
    heard: Vec<u8>,
    /// Whether the server has ever said anything to it.
    pub(crate) answered: bool,
    pub(crate) state: State,
}

/// How a pattern (`%d` is a number, `%s` the rest of a line) and a text that is still coming fit.
enum Fit {
    Whole(usize),
    Begun,
    Not,
}

impl Client {
    pub(crate) fn connect(port: u16) -> Client {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).ok();
        if let Some(stream) = &stream {
            stream.set_read_timeout(Some(PATIENCE)).expect("an option");
            stream.set_write_timeout(Some(PATIENCE)).expect("an option");
        }
        let state = if stream.is_some() { Served } else { Closed };
        Client { stream, heard: Vec::new(), answered: false, state }
    }

    pub(crate) fn is_served(&self) -> bool {
        self.state == Served
    }

    /// Whether its connection has not ended by now.
    pub(crate) fn is_still_connected(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        stream.set_nonblocking(true).expect("an option");
        let mut chunk = [0; 4096];
        let end = loop {
            match stream.read(&mut chunk) {
                Ok(length @ 1..) => self.heard.extend(&chunk[..length]),
                end => break end,
            }
        };
        stream.set_nonblocking(false).expect("an option");
        if !end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock) && self.is_served() {
            self.state = Closed;
        }
        self.is_served()
    }

    pub(crate) fn says(&mut self, text: &str) -> &mut Client {
        if let (Served, Some(stream)) = (&self.state, &mut self.stream) {
            // An error here is followed by the end when it reads.
            let _ = stream.write_all(text.as_bytes());
        }
        self
    }

    /// It has no more to say.
    pub(crate) fn is_done(&mut self) -> &mut Client {
        if let Some(stream) = &self.stream {
            let _ = stream.shutdown(Shutdown::Write);
        }
        self
    }

    pub(crate) fn hears(&mut self, pattern: &str) -> &mut Client {
        self.hears_one_of(&[pattern]);
        self
    }

    /// Which of the patterns it has heard.
    pub(crate) fn hears_one_of(&mut self, patterns: &[&str]) -> Option<usize> {
        while self.is_served() {
            let fits: Vec<Fit> = patterns.iter().map(|pattern| fit(pattern, &self.heard)).collect();
            if let Some((which, length)) = fits.iter().enumerate().find_map(|(which, fit)| match fit {
                Fit::Whole(length) => Some((which, *length)),
                _ => None,
            }) {
                self.heard.drain(..length);
                return Some(which);
            }
            if fits.iter().all(|fit| matches!(fit, Fit::Not)) {
                self.state = Wrong(format!("heard {}, not {patterns:?}", self.text()));
            } else if !self.reads() {
                return None;
            }
        }
        None
    }

    /// Hears what fits one of the patterns, after any number of lines that fit one of `chatter`.
    pub(crate) fn hears_among(&mut self, patterns: &[&str], chatter: &[&str]) -> &mut Client {
        let all = [patterns, chatter].concat();
        while self.hears_one_of(&all).is_some_and(|which| which >= patterns.len()) {}
        self
    }

    /// It is sent away with this sentence.
    pub(crate) fn is_turned_away(&mut self) {
        self.hears_the_end();
        if self.is_served() {
            self.state = Closed;
        }
    }

    pub(crate) fn hears_the_end(&mut self) -> &mut Client {
        while self.is_served() && self.heard.is_empty() {
            if !self.reads() && self.state == Closed {
                self.state = Served;
                break;
            }
        }
        if self.is_served() && !self.heard.is_empty() {
            self.state = Wrong(format!("heard {}, not the end", self.text()));
        }
        self
    }

    /// Hears any number of lines that fit one of `chatter`, perhaps the beginning of one more, and the end.
    pub(crate) fn hears_no_more_than(&mut self, chatter: &[&str]) -> &mut Client {
        let served = self.is_served();
        while self.hears_one_of(chatter).is_some() {}
        if served && self.state == Closed {
            self.state = Served;
        }
        self
    }

    /// Whether more has come.
    fn reads(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let Some(stream) = &mut self.stream else { return false };
        match stream.read(&mut chunk) {
            Ok(0) => self.state = Closed,
            Ok(length) => {
                self.heard.extend(&chunk[..length]);
                self.answered = true;
                return true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.state = Wrong(format!("hears no more, after {}", self.text()));
            }
            Err(_) => self.state = Closed,
        }
        false
    }

    fn text(&self) -> String {
        format!("{:?}", String::from_utf8_lossy(&self.heard))
    }
}

fn fit(pattern: &str, text: &[u8]) -> Fit {
    let mut at = 0;
    let mut rest = pattern.as_bytes();
    while let [first, tail @ ..] = rest {
        let run = |fits: fn(&u8) -> bool| text[at..].iter().take_while(|byte| fits(byte)).count();
        let length = match rest {
            [b'%', b'd', ..] => run(u8::is_ascii_digit),
            [b'%', b's', ..] => run(|byte| *byte != b'\n'),
            _ => usize::from(text.get(at) == Some(first)),
        };
        rest = if matches!(rest, [b'%', b'd' | b's', ..]) { &rest[2..] } else { tail };
        if length == 0 {
            return if at == text.len() { Fit::Begun } else { Fit::Not };
        }
        at += length;
    }
    Fit::Whole(at)
}
