//! Lesson 02 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn myth_a_failed_socket_create_is_below_zero() {
    let checks = common::php(
        "$socket = @socket_create(AF_INET, SOCK_RDM, 0);
         echo json_encode([$socket, $socket < 0, $socket === false]);",
    );
    assert_eq!(checks, "[false,false,true]", "the old check never fires");

    let socket = socket_create(AF_INET, SOCK_RDM, 0);
    assert!(socket.is_err(), "an Err cannot be taken for a socket");
}

#[test]
fn myth_socket_strerror_takes_a_socket() {
    let thrown = common::php_failure("socket_strerror(socket_create(AF_INET, SOCK_STREAM, 0))").thrown;
    let expected = "socket_strerror(): Argument #1 ($error_code) must be of type int, Socket given";
    assert_eq!(thrown.as_deref(), Some(expected));

    // It takes the code of the error. A Socket does not compile in its place.
    let error = socket_create(AF_INET, SOCK_RDM, 0).unwrap_err();
    assert_eq!(socket_strerror(error.code()), "Socket type not supported");
}
