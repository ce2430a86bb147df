//! Section 2.6, 2.7 and 2.9: connect, listen and shutdown.

use serde_json::json;

use crate::php;
use crate::script::agree;

#[test]
fn an_internet_connection_needs_a_port() {
    // [V] 2.6: null or no port: ValueError "cannot be null when the socket type is AF_INET" (or AF_INET6)
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect s "127.0.0.1" null
        t = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_connect t "::1" null
        u = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_connect u "127.0.0.1" null
        "#,
    );
    assert_eq!(
        php::thrown("socket_connect(socket_create(AF_INET, SOCK_STREAM, 0), '127.0.0.1')"),
        "ValueError: socket_connect(): Argument #3 ($port) cannot be null when the socket type is AF_INET"
    );
}

#[test]
fn php_takes_the_low_16_bits_of_a_port() {
    // 2.6: no range check in any version, 8.5 included: the port is cut to 16 bits. A `u16` cannot hold such a number.
    for (port, asked) in [("-1", 65535), ("99999", 34463), ("65536", 0)] {
        let code = format!("socket_connect(socket_create(AF_INET, SOCK_STREAM, 0), '127.0.0.1', {port});");
        let (calls, _) = php::traced("connect", &["connect:retval=0"], &code);
        assert!(calls[0].contains(&format!("sin_port=htons({asked})")), "{calls:?}");
    }
}

#[test]
fn a_unix_connection_has_no_use_for_a_port() {
    // 2.6: AF_UNIX: the same rule of length as in bind, for argument 2; abstract names are allowed
    // [V] 2.6: the port is accepted and ignored
    agree(
        r#"
        l = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind l path:door 0
        socket_listen l 5
        a = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect a path:door null
        b = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect b path:door 80
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c path:door\0junk 80
        d = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect d path:door*108 null
        socket_connect d "x"*300 null
        socket_connect d path:nobody null
        socket_connect d "" null
        "#,
    );
}

#[test]
fn a_connection_that_does_not_wait_is_on_its_way() {
    // [V] 2.6: non-blocking TCP: false, no warning, both slots 115; completion is read from select(write) and SO_ERROR
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_set_nonblock c
        socket_connect c n.address n.port
        socket_last_error null
        socket_last_error c
        socket_select null [c] null 10 0
        socket_get_option c SOL_SOCKET SO_ERROR
        socket_getpeername c
        "#,
    );
}

#[test]
fn a_connection_that_does_not_wait_can_fail_later() {
    // 2.6, 2.18: a failed connect shows in $write, and its code in SO_ERROR
    agree(
        r#"
        holder = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind holder "127.0.0.1" 0
        n = socket_getsockname holder
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_set_nonblock c
        socket_connect c n.address n.port
        socket_select null [c] null 10 0
        socket_get_option c SOL_SOCKET SO_ERROR
        socket_get_option c SOL_SOCKET SO_ERROR
        "#,
    );
}

#[test]
fn a_connected_socket_does_not_connect_again() {
    // [V] 2.6: connect on a connected socket: warning [106] Transport endpoint is already connected
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        socket_connect c n.address n.port
        "#,
    );
}

#[test]
fn nobody_listens_there() {
    // 1.4, section 8: unable to connect [111]: Connection refused
    agree(
        r#"
        holder = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind holder "127.0.0.1" 0
        n = socket_getsockname holder
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        socket_read c 10 PHP_BINARY_READ
        socket_getpeername c
        "#,
    );
}

#[test]
fn a_datagram_socket_gets_a_default_peer() {
    // [V] 2.6: connect works for UDP and sets the default peer; an ICMP refusal appears later, as [111] on read
    // `closed` is connected to itself and so takes nothing from `c`: its port is as good as closed, and to no other.
    agree(
        r#"
        open = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind open "127.0.0.1" 0
        n = socket_getsockname open
        c = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_connect c n.address n.port
        socket_getpeername c
        socket_write c "hello" null
        socket_read open 10 PHP_BINARY_READ
        closed = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind closed "127.0.0.1" 0
        m = socket_getsockname closed
        socket_connect closed m.address m.port
        socket_connect c m.address m.port
        socket_write c "hello" null
        socket_select [c] null null 10 0
        socket_read c 10 PHP_BINARY_READ
        "#,
    );
}

#[test]
fn listening_needs_no_backlog_and_no_name() {
    // [V] 2.7: the default backlog is 0, and a negative one is passed through (and succeeds). Rust has no defaults.
    let (calls, _) = php::traced(
        "listen",
        &[],
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_listen($s); socket_listen($s, -5);",
    );
    assert!(calls[0].ends_with(", 0) = 0") && calls[1].ends_with(", -5) = 0"), "{calls:?}");
    // [V] 2.7: an unbound TCP socket gets a free port on 0.0.0.0
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_listen s 0
        n = socket_getsockname s
        socket_listen s -5
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c "127.0.0.1" n.port
        t = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_listen t -1
        m = socket_getsockname t
        "#,
    );
}

#[test]
fn not_every_socket_can_listen() {
    // [V] 2.7: an unbound AF_UNIX socket: [22]; a datagram socket: [95]
    agree(
        "
        a = socket_create AF_UNIX SOCK_STREAM 0
        socket_listen a 5
        b = socket_create AF_INET SOCK_DGRAM 0
        socket_listen b 5
        c = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind c path:letterbox 0
        socket_listen c 5
        ",
    );
}

#[test]
fn a_connection_can_be_shut_in_either_direction() {
    // 2.9: 0 for reading, 1 for writing, 2 for both; the object stays open
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "that is all" null
        socket_shutdown a 1
        socket_write a "more" null
        socket_read b 100 PHP_BINARY_READ
        socket_read b 100 PHP_BINARY_READ
        socket_write b "understood" null
        socket_read a 100 PHP_BINARY_READ
        socket_shutdown a 0
        socket_read a 100 PHP_BINARY_READ
        socket_write b "deaf" null
        socket_shutdown b 2
        socket_write b "mute" null
        socket_getsockname a
        "#,
    );
    let default = php::value("return (new ReflectionParameter('socket_shutdown', 1))->getDefaultValue();");
    assert_eq!(default, json!(2));
}

#[test]
fn a_shutdown_has_three_modes_and_no_other() {
    // [V] 2.9: another mode is a ValueError, before any system call; before 8.5 the kernel rejects it, with a warning [22]
    // 2.9: not connected: [107]
    agree(
        "
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_shutdown a 3
        socket_shutdown a -1
        socket_last_error a
        socket_last_error null
        socket_write a \"still open\" null
        socket_read b 20 PHP_BINARY_READ
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_shutdown s 2
        socket_shutdown s 99
        socket_shutdown s 2147483647
        socket_last_error s
        socket_clear_error s
        socket_shutdown s 4
        socket_clear_error null
        socket_last_error s
        socket_last_error null
        ",
    );
    assert_eq!(
        php::thrown("$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_close($s); socket_shutdown($s, 3)"),
        "Error: socket_shutdown(): Argument #1 ($socket) has already been closed"
    );
}
