//! Lesson 02 beyond what it prints.

use std::ffi::c_int;

use php_sockets::*;

use crate::common;

#[test]
fn myth_a_failed_socket_create_is_below_zero() {
    // PHP: the old check lets the failure through, the right one does not.
    let said = common::php(
        "$socket = @socket_create(AF_INET, SOCK_DGRAM, SOL_TCP);
         echo json_encode([$socket, $socket < 0, $socket === false, socket_last_error()]);",
    );
    assert_eq!(said, format!("[false,false,true,{SOCKET_EPROTONOSUPPORT}]"));

    // Rust: there is no socket to go on with.
    let failed: Result<Socket> = socket_create(AF_INET, SOCK_DGRAM, SOL_TCP);
    assert_eq!(failed.expect_err("TCP has no datagrams").code(), SOCKET_EPROTONOSUPPORT);
}

#[test]
fn myth_socket_strerror_takes_a_socket() {
    // PHP: a socket throws; the code that belongs to it is the way.
    let thrown = common::php_failure("socket_strerror(socket_create(AF_INET, SOCK_STREAM, SOL_TCP))").thrown;
    assert_eq!(
        thrown.as_deref(),
        Some("socket_strerror(): Argument #1 ($error_code) must be of type int, Socket given")
    );
    let said = common::php(
        "$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
         @socket_accept($socket);
         echo socket_strerror(socket_last_error());",
    );

    // Rust: the type of the argument says it.
    let takes_a_code: fn(c_int) -> String = socket_strerror;
    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_accept(&socket).expect_err("it does not listen");
    assert_eq!(takes_a_code(socket_last_error(None)), "Invalid argument");
    assert_eq!(said, "Invalid argument");
}
