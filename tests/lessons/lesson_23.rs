//! Lesson 23 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn of_several_urgent_bytes_the_last_alone_is_urgent() {
    let (client, server) = common::connection();
    socket_send(&client, "xyz", 3, MSG_OOB).expect("room");
    socket_select(None, None, Some(&mut vec![&server]), 10, 0).expect("an open socket");

    let mut urgent = Vec::new();
    assert_eq!(socket_recv(&server, &mut urgent, 10, MSG_OOB), Ok(1));
    assert_eq!(urgent, b"z");
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"xy".to_vec()));
    let error = socket_recv(&server, &mut urgent, 10, MSG_OOB).unwrap_err();
    assert_eq!(error.code(), SOCKET_EINVAL);
}

#[test]
fn in_line_the_urgent_byte_stands_behind_the_mark() {
    let (client, server) = common::connection();
    socket_set_option(&server, SOL_SOCKET, SO_OOBINLINE, 1).expect("an option");
    socket_send(&client, "abc", 3, 0).expect("room");
    socket_send(&client, "!", 1, MSG_OOB).expect("room");
    socket_send(&client, "def", 3, 0).expect("room");
    socket_select(None, None, Some(&mut vec![&server]), 10, 0).expect("an open socket");

    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"abc".to_vec()));
    assert_eq!(socket_atmark(&server), Ok(true));
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"!def".to_vec()));
}
