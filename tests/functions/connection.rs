//! Listening, accepting, connecting, shutting down: what the calls do beside failing.

use std::os::fd::{AsRawFd, OwnedFd};

use php_sockets::*;

use crate::common;

#[test]
fn an_accepted_socket_knows_its_family_and_begins_without_an_error() {
    let (client, server) = common::connection();

    assert_eq!(socket_last_error(&server), 0);
    assert_eq!(socket_getpeername(&server).unwrap(), socket_getsockname(&client).unwrap());
    // It dispatches by that family: an AF_INET socket needs a port.
    let error = socket_sendto(&server, "x", 1, 0, "127.0.0.1", None).unwrap_err();
    assert!(error.to_string().ends_with("AF_INET"));

    let six = socket_create(AF_INET6, SOCK_STREAM, 0).unwrap();
    socket_bind(&six, "::ffff:127.0.0.1", 0).unwrap();
    socket_listen(&six, 1).unwrap();
    let caller = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_connect(&caller, "127.0.0.1", socket_getsockname(&six).unwrap().port).unwrap();
    assert_eq!(socket_getsockname(&socket_accept(&six).unwrap()).unwrap().address, "::ffff:127.0.0.1");
}

#[test]
fn an_accepted_socket_blocks_unless_set_nonblock_was_the_last_to_set_its_listener() {
    let created = |flags| {
        let listener = socket_create(AF_INET, SOCK_STREAM | flags, 0).unwrap();
        socket_bind(&listener, "127.0.0.1", 0).unwrap();
        socket_listen(&listener, 5).unwrap();
        listener
    };
    let blocks = |listener: &Socket| {
        let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
        socket_connect(&client, "127.0.0.1", socket_getsockname(listener).unwrap().port).unwrap();
        let server = socket_accept(listener).unwrap();
        // SAFETY: fcntl takes numbers here.
        let flags = unsafe { libc::fcntl(server.as_raw_fd(), libc::F_GETFL) };
        flags & libc::O_NONBLOCK == 0
    };

    for listener in [created(0), created(SOCK_NONBLOCK), socket_create_listen(0, 5).unwrap()] {
        assert!(blocks(&listener));
        socket_set_nonblock(&listener).unwrap();
        assert!(!blocks(&listener));
        socket_set_block(&listener).unwrap();
        assert!(blocks(&listener));
    }
    // A descriptor from elsewhere counts by its mode when it came.
    assert!(blocks(&Socket::from(OwnedFd::from(created(0)))));
    assert!(!blocks(&Socket::from(OwnedFd::from(created(SOCK_NONBLOCK)))));
}

#[test]
fn an_accept_that_fails_leaves_the_listeners_slot_alone() {
    let (listener, _) = common::listener();
    socket_set_nonblock(&listener).unwrap();
    socket_clear_error(None);

    let error = socket_accept(&listener).unwrap_err();

    assert_eq!((error.kind(), error.code()), (ErrorKind::Quiet, SOCKET_EAGAIN));
    assert_eq!((socket_last_error(None), socket_last_error(&listener)), (SOCKET_EAGAIN, 0));
}

#[test]
fn ports_are_given_and_returned_in_host_byte_order() {
    let (listener, port) = common::listener();
    let client = socket_create(AF_INET6, SOCK_STREAM, 0).unwrap();

    socket_connect(&client, "::ffff:127.0.0.1", port).unwrap();

    assert_eq!(socket_getpeername(&client).unwrap().to_string(), format!("[::ffff:127.0.0.1]:{port}"));
    drop(listener);
}

#[test]
fn a_signal_ends_a_waiting_call_and_nothing_tries_again() {
    let (listener, _) = common::listener();
    let (one, _other) = common::pair(SOCK_STREAM);
    let one = &one;
    let errors = [
        common::interrupted(|| socket_accept(&listener).unwrap_err()),
        common::interrupted(|| socket_read(one, 10, PHP_BINARY_READ).unwrap_err()),
        common::interrupted(|| socket_read(one, 10, PHP_NORMAL_READ).unwrap_err()),
        common::interrupted(|| socket_recv(one, &mut Vec::new(), 10, 0).unwrap_err()),
        common::interrupted(|| socket_recvfrom(one, &mut Vec::new(), 10, 0).unwrap_err()),
        common::interrupted(|| socket_select(Some(&mut vec![one]), None, None, None, 0).unwrap_err()),
        common::interrupted(|| {
            loop {
                if let Err(error) = socket_write(one, vec![0; 65536], None) {
                    break error;
                }
            }
        }),
    ];

    for error in errors {
        assert_eq!((error.code(), error.kind()), (SOCKET_EINTR, ErrorKind::Warning), "{error}");
        assert!(error.to_string().ends_with("[4]: Interrupted system call"));
    }
}

#[test]
fn each_direction_of_a_connection_can_be_ended_alone() {
    let (client, server) = common::connection();

    socket_shutdown(&client, SHUT_WR).unwrap();
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ).unwrap(), b"");
    socket_write(&server, "still there", None).unwrap();
    assert_eq!(socket_read(&client, 100, PHP_BINARY_READ).unwrap(), b"still there");
    assert_eq!(socket_write(&client, "x", None).unwrap_err().code(), SOCKET_EPIPE);

    socket_shutdown(&client, SHUT_RD).unwrap();
    assert_eq!(socket_read(&client, 10, PHP_BINARY_READ).unwrap(), b"");
}

#[test]
fn a_backlog_may_be_anything() {
    for backlog in [-1, 0, 1, i32::MAX, i32::MIN] {
        let (socket, _) = common::bound(SOCK_STREAM);
        socket_listen(&socket, backlog).unwrap();
    }
}

#[test]
fn a_connect_that_did_not_wait_is_finished_by_select() {
    let (listener, port) = common::listener();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_set_nonblock(&client).unwrap();
    let error = socket_connect(&client, "127.0.0.1", port).unwrap_err();
    assert_eq!((error.code(), error.is_quiet()), (SOCKET_EINPROGRESS, true));

    let mut write = vec![&client];
    assert_eq!(socket_select(None, Some(&mut write), None, 5, 0).unwrap(), 1);

    assert_eq!(socket_getpeername(&client).unwrap().port, port);
    assert_eq!(socket_last_error(&client), SOCKET_EINPROGRESS, "success clears nothing");
    drop(listener);
}
