use php_sockets::*;

use super::Then::{Both, Lookup};
use super::transfer::rest;
use super::{RESOLVER, Rule, Scenario, on};
use crate::common;
use crate::scenarios::bind::{bound6, files_only};
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_sendto", "AF_INET", |stage| send_inet(stage, "127.0.0.1"), SENDTO),
    Scenario::new("socket_sendto", "AF_INET, a host name", |stage| send_inet(stage, "localhost"), BY_NAME),
    Scenario::new("socket_sendto", "AF_INET6", |stage| send_inet6(stage, "::1"), SENDTO),
    Scenario::new("socket_sendto", "AF_INET6, a scope", |stage| send_inet6(stage, "::1%lo"), SCOPED),
    Scenario::new("socket_sendto", "AF_UNIX", send_unix, SENDTO),
    Scenario::new("socket_recvfrom", "AF_INET", receive_inet, RECVFROM),
    Scenario::new("socket_recvfrom", "AF_INET, MSG_TRUNC", receive_truncating, RECVFROM),
    Scenario::new(
        "socket_recvfrom",
        "AF_INET6",
        receive_inet6,
        &[on("recvfrom", Both("socket_recvfrom(): unable to recvfrom"))],
    ),
    Scenario::new("socket_recvfrom", "AF_UNIX", receive_unix, RECVFROM),
];

const UNABLE: &str = "socket_sendto(): Unable to write to socket";
const UNKNOWN: &str = "socket_sendto(): Host lookup failed";
const SENDTO: &[Rule] = &[on("sendto", Both(UNABLE))];
const BY_NAME: &[Rule] = &[on("sendto", Both(UNABLE)), on(RESOLVER, Lookup(UNKNOWN))];
const SCOPED: &[Rule] = &[on(RESOLVER, Lookup(UNKNOWN))];
const RECVFROM: &[Rule] = &[on("recvfrom", Both("socket_recvfrom(): Unable to recvfrom"))];

/// Counted bytes arrive; a failed datagram can be sent again.
fn sent(stage: &Stage, here: &Socket, there: &Socket, to: (&str, Option<u16>), address: &str) {
    let sent = stage.call(here, || socket_sendto(here, "hello", 5, 0, address, to.1));
    if let Ok(count) = sent {
        stage.value(count);
    } else {
        stage.keep("it can be sent again", socket_sendto(here, "hello", 5, 0, to.0, to.1) == Ok(5));
    }
    stage.keep("it arrives once", rest(there) == b"hello");
}

fn send_inet(stage: &Stage, address: &str) {
    files_only();
    let (there, name) = common::bound(SOCK_DGRAM);
    let here = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    sent(stage, &here, &there, ("127.0.0.1", Some(name.port)), address);
}

/// `::1%lo` is a name for the resolver, which refuses it: the loopback address has no scope.
fn send_inet6(stage: &Stage, address: &str) {
    files_only();
    let (there, port) = bound6(SOCK_DGRAM);
    let here = socket_create(AF_INET6, SOCK_DGRAM, 0).expect("a socket");
    sent(stage, &here, &there, ("::1", Some(port)), address);
}

fn send_unix(stage: &Stage) {
    let path = common::temporary::free_path();
    let address = path.to_str().expect("UTF-8");
    let there = socket_create(AF_UNIX, SOCK_DGRAM, 0).expect("a socket");
    socket_bind(&there, address, 0).expect("a free path");
    let here = socket_create(AF_UNIX, SOCK_DGRAM, 0).expect("a socket");
    sent(stage, &here, &there, (address, None), address);
}

/// A datagram is received behind nothing, or it is still there and the old data are too.
fn received(stage: &Stage, here: &Socket, length: usize, flags: i32) {
    let mut data = b"old".to_vec();
    let result = stage.call(here, || socket_recvfrom(here, &mut data, length, flags));
    if let Ok((count, name)) = result {
        stage.value((count, data, &name.address, name.family));
    } else {
        stage.keep("a failure leaves the old data", data == b"old");
        stage.keep("the datagram is still there", rest(here) == b"hello");
    }
}

fn receive_inet(stage: &Stage) {
    let (here, name) = common::bound(SOCK_DGRAM);
    let there = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    socket_sendto(&there, "hello", 5, 0, "127.0.0.1", name.port).expect("space");
    received(stage, &here, 100, 0);
}

fn receive_truncating(stage: &Stage) {
    let (here, name) = common::bound(SOCK_DGRAM);
    let there = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    socket_sendto(&there, "hello", 5, 0, "127.0.0.1", name.port).expect("space");
    received(stage, &here, 3, MSG_TRUNC);
}

fn receive_inet6(stage: &Stage) {
    let (here, port) = bound6(SOCK_DGRAM);
    let there = socket_create(AF_INET6, SOCK_DGRAM, 0).expect("a socket");
    socket_sendto(&there, "hello", 5, 0, "::1", port).expect("space");
    received(stage, &here, 100, 0);
}

fn receive_unix(stage: &Stage) {
    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, "hello", None).expect("space");
    received(stage, &here, 100, 0);
}
