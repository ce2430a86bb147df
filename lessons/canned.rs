//! The other end of a lesson that is a client itself: a server that reads and says what the demo tells it.

use php_sockets::*;

use crate::{PATIENCE, Played, matches};

pub(crate) struct Canned {
    listener: Socket,
    pub(crate) port: u16,
    peer: Option<Socket>,
}

impl Canned {
    pub(crate) fn listen() -> Result<Canned> {
        let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
        socket_bind(&listener, "127.0.0.1", 0)?;
        socket_listen(&listener, 1)?;
        socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, PATIENCE)?;
        let port = socket_getsockname(&listener)?.port;
        Ok(Canned { listener, port, peer: None })
    }

    /// Does what a line says; gives what was really read or said.
    pub(crate) fn perform(&mut self, verb: &str, text: &str) -> Played<String> {
        let in_words = |error: Error| error.to_string();
        if verb == ": " {
            return Ok(format!("Listening on 127.0.0.1:{}", self.port));
        }
        let peer = match self.peer.take() {
            Some(peer) => peer,
            None => socket_accept(&self.listener).map_err(in_words)?,
        };
        let done = match verb {
            " reads: " => {
                let line = socket_read(&peer, 8192, PHP_NORMAL_READ).map_err(in_words)?;
                // PHP_NORMAL_READ ends at the CR; the LF is a line of its own.
                if line.ends_with(b"\r") {
                    socket_read(&peer, 1, PHP_NORMAL_READ).map_err(in_words)?;
                }
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if matches(text, &line) { line } else { return Err(format!("It read: {line}")) }
            }
            " says: " | " says without end: " => {
                let end = if verb == " says: " { "\r\n" } else { "" };
                socket_write(&peer, format!("{text}{end}"), None).map_err(in_words)?;
                text.to_owned()
            }
            // Dropping the peer closes it.
            " hangs up" => return Ok(text.to_owned()),
            _ => return Err("This takes a demo with --server".to_owned()),
        };
        self.peer = Some(peer);
        Ok(done)
    }

    pub(crate) fn end(&self) -> Played {
        if self.peer.is_some() { Err("The server has not hung up".to_owned()) } else { Ok(()) }
    }
}
