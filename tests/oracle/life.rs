//! Section 2.1 to 2.4, 2.8 and 2.10: sockets made, accepted and closed, and whether their calls wait.

use std::os::fd::AsRawFd;

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::php;
use crate::script::agree;

/// Whether a socket of ours returns at once.
fn is_nonblocking(socket: &Socket) -> bool {
    // SAFETY: F_GETFL takes no further argument; the descriptor is open as long as `socket` lives.
    unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

#[test]
fn three_domains_are_there_and_no_other() {
    // [V] 2.1: another domain is a ValueError "must be one of AF_UNIX, AF_INET6, or AF_INET"
    agree(
        "
        a = socket_create AF_UNIX SOCK_STREAM 0
        b = socket_create AF_INET SOCK_STREAM SOL_TCP
        c = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_create 0 SOCK_STREAM 0
        socket_create -1 SOCK_STREAM 0
        socket_create 16 SOCK_RAW 0
        socket_create 99 11 0
        ",
    );
}

#[test]
fn packet_sockets_are_of_a_later_php() {
    // 2.1: [8.5] AF_PACKET is allowed; 8.2 refuses it, the crate does as 8.5 and lets the kernel decide.
    assert_eq!(
        php::thrown("socket_create(17, SOCK_DGRAM, 0)"),
        "ValueError: socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_INET6, or AF_INET"
    );
    let kind = socket_create(AF_PACKET, SOCK_DGRAM, 0).err().map(|error| (error.kind(), error.code()));
    assert!(matches!(kind, None | Some((ErrorKind::Warning, SOCKET_EPERM))), "{kind:?}");
}

#[test]
fn types_have_an_upper_bound_and_the_kernel_judges_the_rest() {
    // [V] 2.1: a type above 10 is a ValueError
    // [V] 2.1: only an upper bound: -1, 0 and 7 go to the kernel, which warns with EINVAL or ESOCKTNOSUPPORT
    // [V] 2.1: a bad protocol is an error of the kernel (93), not a ValueError
    agree(
        "
        socket_create AF_INET 11 0
        socket_create AF_INET 2147483647 0
        socket_create AF_INET -1 0
        socket_create AF_INET 0 0
        socket_create AF_INET 7 0
        socket_create AF_INET SOCK_STREAM 93
        socket_create AF_INET SOCK_STREAM -1
        socket_create AF_INET SOCK_DGRAM SOL_TCP
        socket_create AF_UNIX SOCK_STREAM SOL_TCP
        socket_create AF_INET SOCK_RDM 0
        ",
    );
}

#[test]
fn the_bits_beside_the_type_are_of_a_later_php() {
    // [V] 2.1: in 8.2 SOCK_CLOEXEC and SOCK_NONBLOCK fail the check of the type; the crate takes them, as 8.4 does
    for bits in ["524288", "2048"] {
        for call in [
            "socket_create(AF_UNIX, SOCK_STREAM | {}, 0)",
            "socket_create_pair(AF_UNIX, SOCK_STREAM | {}, 0, $p)",
        ] {
            let thrown = php::thrown(&call.replace("{}", bits));
            assert!(thrown.ends_with(
                "(): Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM"
            ));
        }
    }

    let socket = socket_create(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0).unwrap();
    let (one, other) = socket_create_pair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0).unwrap();
    assert!([socket, one, other].iter().all(is_nonblocking));
}

#[test]
fn a_listener_in_one_step_listens_everywhere_on_a_free_port() {
    // 2.2: bound to 0.0.0.0, port 0 is a free one; a taken port is refused, no SO_REUSEADDR
    agree(
        "
        l = socket_create_listen 0 5
        n = socket_getsockname l
        socket_get_option l SOL_SOCKET SO_REUSEADDR
        socket_create_listen n.port 5
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c \"127.0.0.1\" n.port
        s = socket_accept l
        m = socket_getpeername c
        m = socket_getsockname s
        m = socket_getpeername s
        ",
    );
}

#[test]
fn php_takes_the_low_16_bits_of_a_listeners_port() {
    // [V] 2.2: 8.2 keeps 16 bits of the port: -1 is 65535. A `u16` cannot hold -1.
    // The call that would bind is answered by strace, so that nobody needs that port.
    for (port, bound) in [("-1", 65535), ("65536", 0), ("99999", 34463)] {
        let code = format!("socket_create_listen({port});");
        let (calls, _) = php::traced("bind", &["bind:retval=0"], &code);
        assert!(
            calls[0].contains(&format!("sin_port=htons({bound}), sin_addr=inet_addr(\"0.0.0.0\")")),
            "{calls:?}"
        );
    }
}

#[test]
fn a_listeners_queue_is_128_long_if_nobody_says() {
    // 2.2: the default backlog is 128 up to 8.3. Rust has no defaults: it is written out.
    let (calls, _) = php::traced("listen", &[], "socket_create_listen(0);");
    assert!(calls[0].contains(", 128)"), "{calls:?}");
}

#[test]
fn only_unix_sockets_come_in_pairs() {
    // [V] 2.3: AF_INET and AF_INET6 give the warning [95] Operation not supported
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        c d = socket_create_pair AF_UNIX SOCK_DGRAM 0
        e f = socket_create_pair AF_UNIX SOCK_SEQPACKET 0
        socket_write a "to b" null
        socket_read b 10 PHP_BINARY_READ
        socket_create_pair AF_INET SOCK_STREAM 0
        socket_create_pair AF_INET6 SOCK_STREAM 0
        socket_create_pair AF_UNIX -1 0
        g h = socket_create_pair AF_UNIX SOCK_RAW 0
        socket_create_pair AF_UNIX SOCK_STREAM SOL_TCP
        socket_create_pair 99 SOCK_STREAM 0
        socket_create_pair 17 SOCK_STREAM 0
        socket_create_pair AF_UNIX 11 0
        "#,
    );
}

#[test]
fn a_pair_replaces_what_the_variable_held_and_a_failure_leaves_it() {
    // [V] 2.3: $pair becomes a list of two Sockets whatever it held
    // [V] 2.3: a failure leaves $pair untouched
    // In Rust the pair is the return value.
    let held = php::value(
        "$pair = ['x' => 1]; @socket_create_pair(AF_INET, SOCK_STREAM, 0, $pair); $failed = $pair;
         $done = socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
         return [$failed, $done, array_map(get_class(...), $pair), array_is_list($pair)];",
    );
    assert_eq!(held, json!([{"x": 1}, true, ["Socket", "Socket"], true]));
}

#[test]
fn an_accepted_socket_waits_even_if_its_listener_does_not() {
    // [V] 2.4: the accepted socket is blocking even if the listener is non-blocking
    let flags = php::value(
        "$l = socket_create_listen(0); socket_set_nonblock($l); socket_getsockname($l, $a, $port);
         $c = socket_create(AF_INET, SOCK_STREAM, SOL_TCP); socket_connect($c, '127.0.0.1', $port);
         $r = [$l]; $w = $e = null; socket_select($r, $w, $e, 10); $s = socket_accept($l);
         return array_map(fn ($flags) => ($flags & 04000) !== 0, array_values(flags()));",
    );

    let listener = socket_create_listen(0, 5).unwrap();
    socket_set_nonblock(&listener).unwrap();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    socket_connect(&client, "127.0.0.1", socket_getsockname(&listener).unwrap().port).unwrap();
    socket_select(Some(&mut vec![&listener]), None, None, 10, 0).unwrap();
    let server = socket_accept(&listener).unwrap();
    assert_eq!(json!([is_nonblocking(&listener), is_nonblocking(&client), is_nonblocking(&server)]), flags);
    assert_eq!(flags, json!([true, false, false]));
}

#[test]
fn a_new_connection_has_no_errors() {
    // 2.4: the new object's error is 0, whatever the listener's is
    agree(
        "
        l = socket_create_listen 0 5
        socket_getpeername l
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c \"127.0.0.1\" n.port
        s = socket_accept l
        socket_last_error s
        socket_last_error l
        ",
    );
}

#[test]
fn accept_with_nobody_waiting_says_nothing() {
    // [V] 2.4: non-blocking with nothing pending: false, no warning, global 11, the listener's slot unchanged
    // [V] 2.4: SO_RCVTIMEO on the listener bounds accept: EAGAIN, silent
    // [V] 2.4: a socket that does not listen: [22] Invalid argument
    agree(
        "
        l = socket_create_listen 0 5
        socket_set_nonblock l
        socket_accept l
        socket_last_error l
        socket_clear_error null
        socket_set_block l
        receive_timeout l 10000
        socket_accept l
        socket_last_error l
        s = socket_create AF_INET SOCK_STREAM 0
        socket_accept s
        u = socket_create AF_INET SOCK_DGRAM 0
        socket_accept u
        ",
    );
}

#[test]
fn a_socket_is_closed_once() {
    // [V] 2.8: a second socket_close throws Error "has already been closed". In Rust it does not compile: the first one
    // took the socket.
    assert_eq!(
        php::thrown("$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_close($s); socket_close($s)"),
        "Error: socket_close(): Argument #1 ($socket) has already been closed"
    );
    // 2.8: it returns nothing; the peer reads end of stream.
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "bye" null
        socket_close a
        socket_read b 10 PHP_BINARY_READ
        socket_read b 10 PHP_BINARY_READ
        socket_close b
        "#,
    );
}

#[test]
fn a_socket_whose_stream_is_closed_cannot_be_closed() {
    // [V] 2.8: the attached stream was fclose()d already: TypeError. The crate has no streams yet; when it has,
    // socket_export_stream takes the socket.
    assert_eq!(
        php::thrown(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); $stream = socket_export_stream($s); fclose($stream); socket_close($s)"
        ),
        "TypeError: socket_close(): supplied resource is not a valid stream resource"
    );
}

#[test]
fn a_stream_of_a_socket_shares_its_fate_and_its_mode() {
    // 2.8: closing the socket closes and destroys the stream; 2.10: the stream is asked to change its mode. PHP
    // alone: the crate has no streams yet.
    let stream = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $stream = socket_export_stream($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_set_nonblock($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_set_block($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_close($p[0]);
         return [$modes, is_resource($stream), socket_read($p[1], 10)];",
    );
    assert_eq!(stream, json!([[true, false, true], false, ""]));
}

#[test]
fn the_mode_of_waiting_can_be_changed_and_changed_back() {
    // 2.10: fcntl with O_NONBLOCK set or cleared; true
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_set_nonblock a
        socket_set_nonblock a
        socket_read a 10 PHP_BINARY_READ
        socket_set_block a
        receive_timeout a 10000
        socket_read a 10 PHP_BINARY_READ
        socket_write b "x" null
        socket_read a 10 PHP_BINARY_READ
        "#,
    );
}

#[test]
fn the_mode_of_a_descriptor_that_is_gone_cannot_be_set() {
    // [V] 2.10: failure: recorded, false, [9] Bad file descriptor. PHP comes to it through a stream that was closed
    // under the socket; here fcntl is refused to a thread.
    for (call, set) in [
        ("socket_set_nonblock", socket_set_nonblock as fn(&Socket) -> Result<()>),
        ("socket_set_block", socket_set_block),
    ] {
        let php = common::php_failure(&format!(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); $stream = socket_export_stream($s); fclose($stream); {call}($s)"
        ));
        let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
        let (text, last) = common::failing(libc::SYS_fcntl, SOCKET_EBADF, || {
            (set(&socket).unwrap_err().to_string(), socket_last_error(None))
        });

        assert_eq!(php.warning, Some(text));
        assert_eq!((php.last, php.own), (i64::from(last), Some(i64::from(socket_last_error(&socket)))));
        assert_eq!(last, SOCKET_EBADF);
    }
}
