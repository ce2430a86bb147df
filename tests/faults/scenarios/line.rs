//! `PHP_NORMAL_READ`.

use std::os::fd::AsFd;

use php_sockets::*;

use super::Then::{Both, Same};
use super::transfer::rest;
use super::{Rule, Scenario, Short, on};
use crate::common;
use crate::stage::{Helper, Stage};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_read", "a line", |stage| line(stage, common::pair(SOCK_STREAM)), LINE)
        .short(Short::Whole),
    Scenario::new("socket_read", "a line, TCP", |stage| line(stage, common::connection()), LINE)
        .short(Short::Whole),
    Scenario::new("socket_read", "a line of 20 kB", long_line, LINE).short(Short::Whole),
    Scenario::new("socket_read", "a line that comes late", late_line, LINE).short(Short::Whole),
    Scenario::new("socket_read", "a line, imported", imported_line, IMPORTED).short(Short::Whole),
    Scenario::new("socket_read", "a line, SO_PEEK_OFF", byte_by_byte, LINE),
    Scenario::new("socket_read", "the last line", last_line, LINE).short(Short::Whole),
    Scenario::new("socket_read", "a line of datagrams", datagrams, LINE),
    Scenario::new("socket_read", "no line any more", end_of_stream, END),
];

const UNABLE: &str = "socket_read(): unable to read from socket";

/// EAGAIN means: nothing yet, and it waits.
const LINE: &[Rule] = &[
    on("recvfrom", Same).only(&[libc::EAGAIN]),
    on("recvfrom", Both(UNABLE)),
    on("fcntl", Both(UNABLE)),
    on("poll", Same).only(&[libc::EINTR]),
    on("poll", Both(UNABLE)),
];

/// Facts that the kernel does not tell of an imported socket are taken for the usual.
const IMPORTED: &[Rule] = &[
    on("getsockopt", Same),
    on("recvfrom", Same).only(&[libc::EAGAIN]),
    on("recvfrom", Both(UNABLE)),
    on("fcntl", Both(UNABLE)),
];

/// The end of the stream is itself PHP's error 104.
const END: &[Rule] =
    &[on("recvfrom", Same).only(&[libc::EAGAIN]), on("recvfrom", Both(UNABLE)), on("fcntl", Both(UNABLE))];

fn line(stage: &Stage, (here, there): (Socket, Socket)) {
    socket_write(&there, "first\nsecond\n", None).expect("space");
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    nothing_else_is_taken(stage, &here, line);
}

/// The line is there, or all of it can still be read; what follows can be read in any case.
fn nothing_else_is_taken(stage: &Stage, here: &Socket, line: Result<Vec<u8>>) {
    if line.is_ok() {
        stage.value(&line);
    }
    let all = [line.unwrap_or_default(), rest(here)].concat();
    stage.keep("every byte is read once", all == b"first\nsecond\n");
}

/// Longer than one look: what a failure finds taken already is lost, as in PHP, but never more than this line's.
fn long_line(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let text = ["x".repeat(20_000).as_bytes(), b"\nsecond\n"].concat();
    socket_write(&there, &text, None).expect("space");
    let line = stage.call(&here, || socket_read(&here, 1 << 20, PHP_NORMAL_READ));
    if let Ok(line) = &line {
        stage.value(line.len());
        stage.keep("the line is whole", *line == text[..20_001]);
    }
    let rest = rest(&here);
    stage.keep("what follows is there", rest.ends_with(b"second\n") && text.ends_with(&rest));
    let taken = text.len() - rest.len();
    stage.keep("a line is taken by whole looks", [0, 16 * 1024, 20_001].contains(&taken));
}

/// On a non-blocking socket it waits in `poll`.
fn late_line(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&here).expect("non-blocking");
    let sender = there.as_fd().try_clone_to_owned().expect("a copy");
    let helper = Helper::when_waiting(POLL, move || {
        let sender = Socket::from(sender);
        socket_write(&sender, "first\nsecond\n", None).expect("space");
        sender
    });
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    drop(helper);
    if line.is_ok() {
        nothing_else_is_taken(stage, &here, line);
    } else {
        let rest = rest(&here);
        stage.keep("nothing is taken", rest.is_empty() || rest == b"first\nsecond\n");
    }
}

#[cfg(target_arch = "x86_64")]
const POLL: &[libc::c_long] = &[libc::SYS_poll, libc::SYS_ppoll];
#[cfg(not(target_arch = "x86_64"))]
const POLL: &[libc::c_long] = &[libc::SYS_ppoll];

/// A descriptor from elsewhere, of which the first line asks how it looks.
fn imported_line(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "first\nsecond\n", None).expect("space");
    let here = Socket::from(std::os::fd::OwnedFd::from(here));
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    nothing_else_is_taken(stage, &here, line);
}

/// A look from an offset does not see the beginning, so that the line is read byte by byte: a failure in the middle loses
/// what had been read of it, as in PHP.
fn byte_by_byte(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_option(&here, SOL_SOCKET, libc::SO_PEEK_OFF, 0).expect("set");
    socket_write(&there, "one\nsecond\n", None).expect("space");
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    let rest = rest(&here);
    if let Ok(line) = line {
        stage.value(&line);
        stage.keep("every byte is read once", [line, rest].concat() == b"one\nsecond\n");
    } else {
        stage.keep("what follows is there", rest.ends_with(b"second\n") && b"one\nsecond\n".ends_with(&rest));
    }
}

/// Without its end: given too, where PHP throws it away.
fn last_line(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "last", None).expect("space");
    socket_close(there);
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    let rest = rest(&here);
    if let Ok(line) = line {
        stage.value(&line);
        stage.keep("every byte is read once", [line, rest].concat() == b"last");
    } else {
        stage.keep("all or nothing is left", rest == b"last" || rest.is_empty());
    }
}

/// The first byte of each datagram, as PHP does.
fn datagrams(stage: &Stage) {
    let (here, there) = common::pair(SOCK_DGRAM);
    for text in ["alpha", "\nbeta", "next"] {
        socket_write(&there, text, None).expect("space");
    }
    let line = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
    if line.is_ok() {
        stage.value(&line);
    }
    stage.keep("the next datagram is there", rest(&here).ends_with(b"next"));
}

fn end_of_stream(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_close(there);
    let _ = stage.call(&here, || socket_read(&here, 100, PHP_NORMAL_READ));
}
