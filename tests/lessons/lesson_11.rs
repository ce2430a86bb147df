//! Lesson 11 beyond what it prints.

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

/// How many of the clients have come to the end of their connect.
fn ended(clients: &[Socket]) -> usize {
    let mut write: Vec<&Socket> = clients.iter().collect();
    socket_select(None, Some(&mut write), None, 0, 0).expect("open sockets")
}

#[test]
fn myth_with_a_backlog_of_10_the_11th_client_is_refused() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 10).expect("listening");

    let clients = clients(name.port, 14);

    // The kernel answers over loopback before connect returns.
    let state = |client: &Socket| {
        let error =
            socket_get_option(client, SOL_SOCKET, SO_ERROR).expect("an option").int().expect("a number");
        (error, socket_getpeername(client).is_ok())
    };
    let states: Vec<(i32, bool)> = clients.iter().map(state).collect();
    assert_eq!(states[..11], [(0, true); 11], "backlog + 1 are connected, the 11th too");
    assert_eq!(states[11..], [(0, false); 3], "the others are neither connected nor refused");
    assert_eq!(ended(&clients), 11, "and still under way");
}

#[test]
fn a_client_that_was_dropped_gets_in_once_there_is_room() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 0).expect("listening");
    let clients = clients(name.port, 2);
    assert_eq!(ended(&clients), 1);

    let _accepted = socket_accept(&listener).expect("the first client");

    let mut write = vec![&clients[1]];
    let seconds = i64::try_from(PATIENCE.as_secs()).expect("a few");
    assert_eq!(socket_select(None, Some(&mut write), None, seconds, 0), Ok(1));
    assert!(socket_getpeername(&clients[1]).is_ok(), "connected");
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
