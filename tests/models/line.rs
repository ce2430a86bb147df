//! `PHP_NORMAL_READ` by PHP's rules: one byte a `recv`, from pieces that were sent before the other end closed.

use std::collections::VecDeque;

use php_sockets::*;

/// The result of one `socket_read`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Line(Vec<u8>),
    /// The end of the stream: PHP's 200 reads of nothing, and ECONNRESET.
    Reset,
    /// Nothing more will come, and PHP would try for ever.
    Waits,
}

/// The result of a `recv` of one byte: the byte, nothing (an empty message, the end of a stream), or it waits.
enum Byte {
    Taken(u8),
    Empty,
    Waits,
}

/// A socket, as its peer leaves it: pieces that have arrived, before the end of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// `SOCK_STREAM`, `SOCK_SEQPACKET` or `SOCK_DGRAM`.
    pub kind: i32,
    pub nonblock: bool,
    pub pieces: VecDeque<Vec<u8>>,
}

impl Arrived {
    /// `recv` of one byte. A message's other bytes are lost.
    fn recv(&mut self) -> Byte {
        if self.kind == SOCK_STREAM {
            while self.pieces.front().is_some_and(Vec::is_empty) {
                self.pieces.pop_front();
            }
            return self.pieces.front_mut().map_or(Byte::Empty, |piece| Byte::Taken(piece.remove(0)));
        }
        match self.pieces.pop_front() {
            Some(piece) => piece.first().map_or(Byte::Empty, |byte| Byte::Taken(*byte)),
            None if self.kind == SOCK_DGRAM => Byte::Waits,
            None => Byte::Empty,
        }
    }

    /// PHP's loop, but for the unterminated last line of a stream, which we return and PHP throws away.
    fn read(&mut self, length: usize) -> Outcome {
        let (mut line, mut empty) = (Vec::new(), 0);
        while line.len() < length && !matches!(line.last(), Some(b'\n' | b'\r')) {
            match self.recv() {
                Byte::Waits => return Outcome::Waits,
                Byte::Taken(byte) => line.push(byte),
                Byte::Empty if self.nonblock => return Outcome::Line(line),
                Byte::Empty if self.kind == SOCK_STREAM && !line.is_empty() => return Outcome::Line(line),
                Byte::Empty => empty += 1,
            }
            if empty == 200 {
                return Outcome::Reset;
            }
        }
        Outcome::Line(line)
    }
}

/// Reads lines of these lengths from a real socket, on which the same has arrived, until the end of the stream.
pub(crate) fn holds(mut arrived: Arrived, lengths: &[usize]) {
    let (one, other) = socket_create_pair(AF_UNIX, arrived.kind, 0).unwrap();
    socket_set_nonblock(&one).unwrap();
    let mut sent = VecDeque::new();
    for piece in arrived.pieces {
        // The kernel lets ten datagrams wait, and as many messages as the buffer holds; it sends no empty one on a pair.
        if arrived.kind == SOCK_STREAM && piece.is_empty() {
            continue;
        }
        match socket_write(&one, &piece, None) {
            Ok(count) => sent.push_back(piece[..count].to_vec()),
            Err(error) => {
                assert!(error.is_quiet(), "{error}");
                break;
            }
        }
    }
    arrived.pieces = sent;
    socket_close(one);
    if arrived.nonblock {
        socket_set_nonblock(&other).unwrap();
    }
    for length in lengths.iter().copied().filter(|length| *length > 0) {
        match arrived.read(length) {
            Outcome::Line(line) => {
                assert_eq!(socket_read(&other, length, PHP_NORMAL_READ).unwrap(), line);
                if line.is_empty() {
                    return;
                }
            }
            Outcome::Reset => {
                assert_eq!(
                    socket_read(&other, length, PHP_NORMAL_READ).unwrap_err().code(),
                    SOCKET_ECONNRESET
                );
                return;
            }
            Outcome::Waits => return,
        }
    }
}
