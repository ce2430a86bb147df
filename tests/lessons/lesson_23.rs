//! Lesson 23 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn of_several_urgent_bytes_the_last_alone_is_urgent() {
    let (client, server) = common::connection();
    socket_send(&client, "xyz", 3, MSG_OOB).expect("space");
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
    socket_send(&client, "abc", 3, 0).expect("space");
    socket_send(&client, "!", 1, MSG_OOB).expect("space");
    socket_send(&client, "def", 3, 0).expect("space");
    socket_select(None, None, Some(&mut vec![&server]), 10, 0).expect("an open socket");

    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"abc".to_vec()));
    assert_eq!(socket_atmark(&server), Ok(true));
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"!def".to_vec()));
}

#[test]
fn a_second_urgent_byte_makes_the_first_an_ordinary_one() {
    let (client, server) = common::connection();
    for (data, flags) in [("a", 0), ("!", MSG_OOB), ("b", 0), ("?", MSG_OOB), ("c", 0)] {
        socket_send(&client, data, 1, flags).expect("space");
    }

    let mut urgent = Vec::new();
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"a!b".to_vec()));
    assert_eq!(socket_recv(&server, &mut urgent, 1, MSG_OOB), Ok(1));
    assert_eq!(urgent, b"?");
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"c".to_vec()));
}

#[test]
fn an_urgent_byte_that_nobody_fetches_is_lost_when_the_reads_pass_its_mark() {
    let (client, server) = common::connection();
    for (data, flags) in [("a", 0), ("!", MSG_OOB), ("b", 0)] {
        socket_send(&client, data, 1, flags).expect("space");
    }

    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"a".to_vec()));
    assert_eq!(socket_read(&server, 10, PHP_BINARY_READ), Ok(b"b".to_vec()));
    let error = socket_recv(&server, &mut Vec::new(), 1, MSG_OOB).unwrap_err();
    assert_eq!(error.code(), SOCKET_EINVAL);
}

#[test]
fn php_takes_half_a_second_of_linger_for_none() {
    let code = "$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_set_option($socket, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0.5]);
        echo json_encode(socket_get_option($socket, SOL_SOCKET, SO_LINGER));";

    assert_eq!(common::php(code), r#"{"l_onoff":1,"l_linger":0}"#);
}
