use std::os::fd::AsRawFd;

use php_sockets::*;

use super::Then::{Both, Loud, Same};
use super::{Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_create", "AF_INET", |stage| create(stage, AF_INET, SOCK_STREAM), CREATE),
    Scenario::new("socket_create", "AF_INET6", |stage| create(stage, AF_INET6, SOCK_DGRAM), CREATE),
    Scenario::new("socket_create", "AF_UNIX", |stage| create(stage, AF_UNIX, SOCK_STREAM), CREATE),
    Scenario::new(
        "socket_create_pair",
        "AF_UNIX",
        create_pair,
        &[on("socketpair", Loud("socket_create_pair(): Unable to create socket pair"))],
    ),
    Scenario::new(
        "socket_set_block",
        "",
        |stage| set_mode(stage, true),
        &[on("fcntl", Both("socket_set_block(): unable to set blocking mode"))],
    ),
    Scenario::new(
        "socket_set_nonblock",
        "",
        |stage| set_mode(stage, false),
        &[on("fcntl", Both("socket_set_nonblock(): unable to set nonblocking mode"))],
    ),
    Scenario::new("socket_close", "", close, &[on("close", Same)]),
];

const CREATE: &[super::Rule] = &[on("socket", Loud("socket_create(): Unable to create socket"))];

fn create(stage: &Stage, domain: i32, kind: i32) {
    let created = stage.call(None, || socket_create(domain, kind, 0));
    stage.keep("the next one can be had", socket_create(domain, kind, 0).is_ok());
    drop(created);
}

fn create_pair(stage: &Stage) {
    let pair = stage.call(None, || socket_create_pair(AF_UNIX, SOCK_STREAM, 0));
    if let Ok((here, there)) = &pair {
        stage.keep("the ends belong together", socket_write(here, "x", None) == Ok(1));
        stage.value(socket_read(there, 9, PHP_BINARY_READ));
    }
}

fn set_mode(stage: &Stage, block: bool) {
    let (socket, _peer) = common::pair(SOCK_STREAM);
    if block {
        socket_set_nonblock(&socket).expect("non-blocking");
    }
    let set =
        stage.call(&socket, || if block { socket_set_block(&socket) } else { socket_set_nonblock(&socket) });
    // SAFETY: F_GETFL takes no further argument; the socket is open.
    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) };
    stage.keep(
        "the mode is the old or the new one",
        (flags & libc::O_NONBLOCK == 0) == (set.is_ok() == block),
    );
}

fn close(stage: &Stage) {
    let (socket, peer) = common::pair(SOCK_STREAM);
    socket_write(&socket, "bye", None).expect("space");
    stage.plain(|| socket_close(socket));
    stage.value(socket_read(&peer, 9, PHP_BINARY_READ));
}
