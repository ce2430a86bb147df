//! Lesson 11 beyond what it prints.

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common;
use crate::server::PATIENCE;

/// Clients that have begun to connect, one after another.
fn clients(port: u16, count: usize) -> Vec<Socket> {
    let client = |_| {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_set_nonblock(&client).expect("an open socket");
        let error = socket_connect(&client, "127.0.0.1", port).expect_err("a connect that has begun");
        assert_eq!(error.code(), SOCKET_EINPROGRESS);
        client
    };
    (0..count).map(client).collect()
}

/// The states of a client's socket in the kernel, as `/proc/net/tcp` and `ss -tan` show them.
const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;

/// The state is the first byte of `TCP_INFO`.
fn state(client: &Socket) -> u8 {
    let mut state = 0_u8;
    let mut length = 1;
    // SAFETY: the one byte and its length outlive the call, which writes no more than it is told.
    let status = unsafe {
        libc::getsockopt(
            client.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut length,
        )
    };
    assert_eq!(status, 0, "the state of a socket");
    state
}

/// Waits until the connect of a client has ended; how it ended.
fn outcome(client: &Socket) -> i32 {
    let mut write = vec![client];
    let patience = i64::try_from(PATIENCE.as_secs()).expect("a time");
    assert_eq!(socket_select(None, Some(&mut write), None, patience, 0).expect("no error"), 1);
    socket_get_option(client, SOL_SOCKET, SO_ERROR).expect("an option").int().expect("a number")
}

#[test]
fn myth_with_a_backlog_of_10_the_11th_client_is_refused() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 10).expect("listening");

    // The 11th is connected as the first ten are, and the kernel still tries for the others.
    for client in &clients[..11] {
        assert_eq!(outcome(client), 0);
        assert_eq!(state(client), ESTABLISHED);
    }
    for client in &clients[11..] {
        assert_eq!(state(client), SYN_SENT);
    }
    // Nobody tells them no: with places for both, both get in.
    let _first = socket_accept(&listener).expect("a client");
    let _second = socket_accept(&listener).expect("a client");
    for client in &clients[11..] {
        assert_eq!(outcome(client), 0);
    }
}

#[test]
fn a_client_that_was_dropped_gets_in_once_there_is_room() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 0).expect("listening");
    let clients = clients(name.port, 2);
    assert_eq!(ended(&clients), 1);

    assert_eq!(outcome(&clients[0]), 0);
    assert_eq!(state(&clients[1]), SYN_SENT);
}

#[test]
fn closing_the_listener_throws_out_who_waits_in_its_queue_and_refuses_who_tries_again() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 0).expect("listening");
    let clients = clients(name.port, 2);

    socket_close(listener);

    let error = socket_read(&clients[0], 10, PHP_BINARY_READ).expect_err("a reset");
    assert_eq!(error.code(), SOCKET_ECONNRESET);
    let mut write = vec![&clients[1]];
    let seconds = i64::try_from(PATIENCE.as_secs()).expect("a few");
    assert_eq!(socket_select(None, Some(&mut write), None, seconds, 0), Ok(1));
    let error = socket_get_option(&clients[1], SOL_SOCKET, SO_ERROR).expect("an option");
    assert_eq!(error, OptionValue::Int(SOCKET_ECONNREFUSED));
}
