//! Lesson 03 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn myth_one_write_is_one_read() {
    let (client, server) = common::connection();
    let mut seen = Vec::new();

    // Two writes, one read: once both are here.
    socket_write(&client, "one, ", None).expect("room");
    socket_write(&client, "two", None).expect("room");
    socket_recv(&server, &mut seen, 8, MSG_PEEK | MSG_WAITALL).expect("8 bytes");
    assert_eq!(socket_read(&server, 1024, PHP_BINARY_READ), Ok(b"one, two".to_vec()));

    // One write, two reads.
    socket_write(&client, "three, and four", None).expect("room");
    assert_eq!(socket_read(&server, 9, PHP_BINARY_READ), Ok(b"three, an".to_vec()));
    assert_eq!(socket_read(&server, 1024, PHP_BINARY_READ), Ok(b"d four".to_vec()));
}
