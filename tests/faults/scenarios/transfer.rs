use php_sockets::*;

use super::Then::Both;
use super::{Scenario, Short, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_write", "AF_UNIX", |stage| write(stage, common::pair(SOCK_STREAM)), WRITE)
        .short(Short::Part),
    Scenario::new("socket_write", "TCP", |stage| write(stage, common::connection()), WRITE)
        .short(Short::Part),
    Scenario::new("socket_write", "a datagram", |stage| write(stage, common::pair(SOCK_DGRAM)), WRITE),
    Scenario::new("socket_send", "", send, &[on("sendto", Both("socket_send(): Unable to write to socket"))])
        .short(Short::Part),
    Scenario::new("socket_read", "PHP_BINARY_READ", |stage| read(stage, common::pair(SOCK_STREAM), 11), READ)
        .short(Short::Part),
    Scenario::new("socket_read", "PHP_BINARY_READ, TCP", |stage| read(stage, common::connection(), 11), READ)
        .short(Short::Part),
    Scenario::new(
        "socket_read",
        "PHP_BINARY_READ, 1 MB",
        |stage| read(stage, common::pair(SOCK_STREAM), 1 << 20),
        READ,
    )
    .short(Short::Part),
    Scenario::new("socket_recv", "", |stage| recv(stage, 0), RECV).short(Short::Part),
    Scenario::new("socket_recv", "MSG_PEEK", |stage| recv(stage, MSG_PEEK), RECV).short(Short::Part),
    Scenario::new("socket_recv", "MSG_WAITALL", |stage| recv(stage, MSG_WAITALL), RECV).short(Short::Part),
    Scenario::new("socket_recv", "MSG_TRUNC", recv_truncating, RECV),
    Scenario::new(
        "socket_atmark",
        "",
        atmark,
        &[on("ioctl", Both("socket_atmark(): Unable to apply sockmark"))],
    ),
];

const WRITE: &[super::Rule] = &[on("write", Both("socket_write(): unable to write to socket"))];
const READ: &[super::Rule] = &[on("recvfrom", Both("socket_read(): unable to read from socket"))];
const RECV: &[super::Rule] = &[on("recvfrom", Both("socket_recv(): Unable to read from socket"))];

const TEXT: &[u8] = b"hello world";

/// All that can be read without waiting.
pub(super) fn rest(socket: &Socket) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), Vec::new());
    while socket_recv(socket, &mut part, 1 << 16, MSG_DONTWAIT).is_ok_and(|count| count > 0) {
        all.append(&mut part);
    }
    all
}

fn write(stage: &Stage, (here, there): (Socket, Socket)) {
    let written = stage.call(&here, || socket_write(&here, TEXT, None));
    arrived(stage, &here, &there, written);
}

fn send(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let sent = stage.call(&here, || socket_send(&here, TEXT, TEXT.len(), MSG_DONTWAIT));
    arrived(stage, &here, &there, sent);
}

/// The counted bytes have arrived and nothing else, and the rest can follow.
pub(super) fn arrived(stage: &Stage, here: &Socket, there: &Socket, sent: Result<usize>) {
    let count = sent.unwrap_or(0);
    stage.value(count);
    if count < TEXT.len() {
        stage
            .keep("the rest can be sent", socket_write(here, &TEXT[count..], None) == Ok(TEXT.len() - count));
    }
    stage.keep("every byte arrives once", rest(there) == TEXT);
}

/// `here` has a text to read; what was read and what is left are the text.
fn read(stage: &Stage, (here, there): (Socket, Socket), length: usize) {
    socket_write(&there, TEXT, None).expect("space");
    let read = stage.call(&here, || socket_read(&here, length, PHP_BINARY_READ));
    if read.is_ok() {
        stage.value(&read);
    }
    stage.keep("every byte is read once", [read.unwrap_or_default(), rest(&here)].concat() == TEXT);
}

fn recv(stage: &Stage, flags: i32) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, TEXT, None).expect("space");
    let mut data = b"old".to_vec();
    let count = stage.call(&here, || socket_recv(&here, &mut data, TEXT.len(), flags));
    if let Ok(count) = count {
        stage.value(&data);
        stage.keep("the count is that of the data", count == data.len());
    }
    // PHP makes null of the variable when it fails.
    stage.keep("a failure leaves no data", count.is_ok() || data.is_empty());
    let taken = if flags & MSG_PEEK == 0 { data } else { Vec::new() };
    stage.keep("every byte is read once", [taken, rest(&here)].concat() == TEXT);
}

fn recv_truncating(stage: &Stage) {
    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, TEXT, None).expect("space");
    let mut data = Vec::new();
    let count = stage.call(&here, || socket_recv(&here, &mut data, 5, MSG_TRUNC));
    if count.is_ok() {
        stage.value((&count, &data));
    } else {
        stage.keep("a failure leaves no data", data.is_empty());
        stage.keep("the datagram is still there", rest(&here) == TEXT);
    }
}

fn atmark(stage: &Stage) {
    let (here, there) = common::connection();
    socket_send(&there, "u", 1, MSG_OOB).expect("space");
    let mark = stage.call(&here, || socket_atmark(&here));
    if mark.is_ok() {
        stage.value(mark);
    }
    let mut urgent = Vec::new();
    let _ = socket_select(None, None, Some(&mut vec![&here]), 5, 0);
    stage.keep("the urgent byte is there", socket_recv(&here, &mut urgent, 1, MSG_OOB) == Ok(1));
}
