//! Section 2.15 and 2.16: recvfrom and sendto.

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::dialects::{by_version, speaks};
use crate::php;
use crate::script::agree;

#[test]
fn a_datagram_comes_with_the_name_of_its_sender() {
    // 2.15: AF_INET and AF_INET6: the text of the address and the port, in host order
    agree(
        r#"
        a = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        b = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto b "hello" 5 0 n.address n.port
        socket_getsockname b
        m = socket_recvfrom a data 100 0
        socket_sendto a "hello to you" 100 0 "localhost" m.port
        socket_recvfrom b data 5 0
        c = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_bind c "::1" 0
        k = socket_getsockname c
        d = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_sendto d "six" 3 0 "::1" k.port
        socket_recvfrom c data 100 MSG_PEEK
        socket_recvfrom c data 100 0
        socket_recvfrom c data 100 MSG_DONTWAIT
        "#,
    );
}

#[test]
fn a_length_of_nothing_is_a_plain_false() {
    // [V] 2.15: length ≤ 0 or PHP_INT_MAX: false, outputs untouched
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write b "first" null
        socket_recvfrom a data 10 0
        socket_write b "second" null
        socket_recvfrom a data 0 0
        socket_last_error null
        "#,
    );
    let php = php::value(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); $data = $address = $port = 'kept';
         foreach ([0, -1, PHP_INT_MIN, PHP_INT_MAX] as $length) {
             $results[] = socket_recvfrom($s, $data, $length, 0, $address, $port);
         }
         return [$results, $data, $address, $port, error_get_last(), socket_last_error()];",
    );
    assert_eq!(php, json!([[false, false, false, false], "kept", "kept", "kept", null, 0]));

    // A negative length does not compile. usize::MAX and PHP_INT_MAX are more than there is memory for.
    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, "waiting", None).unwrap();
    let mut data = b"kept".to_vec();
    for length in [0, isize::MAX.unsigned_abs(), usize::MAX] {
        assert_eq!(socket_recvfrom(&here, &mut data, length, 0).unwrap_err().kind(), ErrorKind::Silent);
    }
    assert_eq!((data.as_slice(), socket_last_error(None)), (&b"kept"[..], 0));
}

#[test]
fn a_unix_sender_is_known_by_its_path_only() {
    // [V] 2.15: AF_UNIX: $address is "" for unnamed and for abstract senders, and "" on stream sockets
    agree(
        r"
        r = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind r path:letterbox 0
        named = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind named path:sender\0junk 0
        socket_sendto named text 1 0 path:letterbox null
        socket_recvfrom r data 10 0
        unnamed = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto unnamed text 1 0 path:letterbox null
        socket_recvfrom r data 10 0
        abstract = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind abstract abstract:sender 0
        socket_sendto abstract text 1 0 path:letterbox null
        socket_recvfrom r data 10 0
        l = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind l path:door 0
        socket_listen l 5
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c path:door null
        s = socket_accept l
        socket_write s text null
        socket_recvfrom c data 10 0
        "
        .replace(" text ", " \"x\" ")
        .as_str(),
    );
}

#[test]
fn a_unix_receiver_leaves_the_port_alone() {
    // [V] 2.15: AF_UNIX: five arguments are enough, and $port is untouched. In Rust the port of such a name is 0.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); socket_write($p[1], 'x'); socket_write($p[1], 'y'); $port = 5;
         return [socket_recvfrom($p[0], $data, 10, 0, $address), socket_recvfrom($p[0], $data, 10, 0, $address, $port),
             $data, $address, $port];",
    );
    assert_eq!(php, json!([1, 1, "y", "", 5]));
}

#[test]
fn an_internet_receiver_must_have_a_port_to_fill() {
    // [V] 2.15: AF_INET and AF_INET6 without the sixth argument: ArgumentCountError, before the system call. Rust has
    // no argument to forget.
    for family in ["AF_INET", "AF_INET6"] {
        let code = format!(
            "$s = socket_create({family}, SOCK_DGRAM, 0); socket_recvfrom($s, $data, 10, 0, $address)"
        );
        assert_eq!(php::thrown(&code), "ArgumentCountError: Wrong parameter count for socket_recvfrom()");
        let (calls, _) =
            php::traced("recvfrom", &[], &format!("try {{ {code}; }} catch (ArgumentCountError) {{}}"));
        assert!(calls.is_empty(), "{calls:?}");
    }
}

#[test]
fn a_connected_stream_gives_no_name() {
    // [V] 2.15: on a connected TCP socket the outputs are "0.0.0.0" and 0 (AF_INET6: "::" and 0)
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        s = socket_accept l
        socket_write c "hello" null
        socket_recvfrom s data 10 0
        l6 = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_bind l6 "::1" 0
        socket_listen l6 5
        m = socket_getsockname l6
        c6 = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_connect c6 m.address m.port
        s6 = socket_accept l6
        socket_write c6 "hello" null
        socket_recvfrom s6 data 10 0
        socket_shutdown c6 1
        socket_recvfrom s6 data 10 0
        "#,
    );
}

#[test]
fn an_empty_datagram_is_an_empty_string() {
    // [V] 2.15: n = 0 sets $data to "" (unlike recv's null)
    // [V] 2.16: length 0 sends an empty datagram
    agree(
        r#"
        a = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        b = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto b "full" 4 0 n.address n.port
        socket_sendto b "not sent" 0 0 n.address n.port
        socket_sendto b "" 5 0 n.address n.port
        socket_recvfrom a data 10 0
        socket_recvfrom a data 10 0
        socket_recvfrom a data 10 0
        "#,
    );
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); socket_write($p[1], ''); $data = 'old';
         return [socket_recvfrom($p[0], $data, 10, 0, $address), $data];",
    );
    assert_eq!(php, json!([0, ""]));
}

#[test]
fn a_failed_recvfrom_touches_no_output() {
    // [V] 2.15: an error: recorded, false; $data, $address and $port are all untouched (unlike recv)
    let php = php::value(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_set_nonblock($s); $data = $address = $port = 'kept';
         return [socket_recvfrom($s, $data, 10, 0, $address, $port), $data, $address, $port, socket_last_error($s)];",
    );
    assert_eq!(php, json!([false, "kept", "kept", "kept", 11]));
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write b "kept" null
        socket_recvfrom a data 10 0
        socket_set_nonblock a
        socket_recvfrom a data 10 0
        socket_recvfrom a data 10 MSG_TRUNC
        socket_recvfrom a data 10 -1
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_recvfrom s data 10 0
        "#,
    );
}

#[test]
fn a_datagram_longer_than_the_buffer_is_counted_and_cut() {
    // [V] 2.15: MSG_TRUNC: the full size of the datagram; PHP, 8.5 included, returns 11 bytes for length 3, of
    // which it reads 8 past its buffer. Ours has the three that fit, an intended difference.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); socket_write($p[1], 'hello world');
         return [socket_recvfrom($p[0], $data, 3, MSG_TRUNC, $address), strlen($data), substr($data, 0, 3)];",
    );
    assert_eq!(php, json!([11, 11, "hel"]));

    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, "hello world", None).unwrap();
    let mut data = Vec::new();
    assert_eq!(socket_recvfrom(&here, &mut data, 3, MSG_TRUNC).unwrap().0, 11);
    assert_eq!(data, b"hel");
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write b "hello world" null
        socket_recvfrom a data 3 0
        socket_write b "short" null
        socket_recvfrom a data 100 MSG_TRUNC
        "#,
    );
}

#[test]
fn sendto_sends_at_most_what_there_is() {
    // 2.16: min(length, strlen) bytes; a failure is "Unable to write to socket"
    agree(
        r#"
        a = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        b = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto b "hello" 2 0 n.address n.port
        socket_sendto b "hello" 1000000 0 n.address n.port
        socket_recvfrom a data 10 0
        socket_recvfrom a data 10 0
        socket_sendto b "x"*70000 70000 0 n.address n.port
        socket_sendto b "x" 1 0 "127.255.255.255" 9
        socket_sendto b "x" 1 MSG_OOB n.address n.port
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_sendto c "x" 1 0 n.address n.port
        d = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_sendto d "mapped" 6 0 "127.0.0.1" n.port
        socket_recvfrom a data 10 MSG_DONTWAIT
        "#,
    );
    // A negative length is a ValueError; a `usize` cannot hold it.
    assert_eq!(
        php::thrown("socket_sendto(socket_create(AF_INET, SOCK_DGRAM, 0), 'x', -1, 0, '127.0.0.1', 9)"),
        "ValueError: socket_sendto(): Argument #3 ($length) must be greater than or equal to 0"
    );
}

#[test]
fn an_internet_datagram_needs_a_port() {
    // 2.16: null port: ValueError "Argument #6 ($port) cannot be null when the socket type is AF_INET" or AF_INET6
    agree(
        r#"
        s = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto s "x" 1 0 "127.0.0.1" null
        t = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_sendto t "x" 1 0 "::1" null
        u = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto u "x" 1 0 path:nobody null
        socket_sendto u "x" 1 0 path:nobody 80
        "#,
    );
}

#[test]
fn a_port_is_between_0_and_65535() {
    // 2.16: another port is a ValueError, before the length and whatever the family; before 8.5 it is cut to 16 bits. A
    // `u16` cannot hold such a number.
    for (port, sent) in [("-1", 65535), ("99999", 34463), ("65536", 0)] {
        let code =
            format!("socket_sendto(socket_create(AF_INET, SOCK_DGRAM, 0), 'x', 1, 0, '127.0.0.1', {port})");
        php::takes_the_low_16_bits_before_8_5(
            "sendto",
            "1",
            &code,
            sent,
            "socket_sendto(): Argument #6 ($port)",
        );
    }
    let negative = php::thrown("socket_sendto(socket_create(AF_UNIX, SOCK_DGRAM, 0), 'x', -1, 0, '', -1)");
    let length = "ValueError: socket_sendto(): Argument #3 ($length) must be greater than or equal to 0";
    let port = "ValueError: socket_sendto(): Argument #6 ($port) must be between 0 and 65535";
    assert_eq!(negative, by_version(&[(80200, length), (80500, port)]));
}

#[test]
fn a_path_that_is_too_long_is_refused_where_php_once_sent_to_another() {
    // [V] 2.16: a path of 108 bytes or more is a ValueError (8.4.27, 8.5.7); before, it is silently cut to 107 bytes
    let php = php::value(
        "$path = str_pad(sys_get_temp_dir() . '/', 107, 'x'); $r = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_bind($r, $path);
         $s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_set_nonblock($r);
         try { $sent = socket_sendto($s, 'stray', 5, 0, \"$path-and-more\"); } catch (ValueError $e) { $sent = $e->getMessage(); }
         $data = null; @socket_recv($r, $data, 10, 0); return [$sent, $data];",
    );
    let refused = json!(["socket_sendto(): Argument #5 ($address) must be less than 108", null]);
    assert_eq!(php, if speaks(&[80427, 80507]) { refused } else { json!([5, "stray"]) });
    agree(
        r#"
        s = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto s "x" 1 0 path:nobody*108 null
        socket_sendto s "x" 1 0 path:nobody*109 null
        socket_sendto s "x" 1 0 path:nobody*1000 80
        socket_last_error s
        "#,
    );

    let socket = socket_create(AF_UNIX, SOCK_DGRAM, 0).unwrap();
    for length in [108, 109, 1000] {
        let error = socket_sendto(&socket, "x", 1, 0, "x".repeat(length), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert_eq!(error.to_string(), "socket_sendto(): Argument #5 ($address) must be less than 108");
    }
    // 107 bytes are not too many.
    agree(
        r#"
        r = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind r path:long*107 0
        s = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto s "fits" 4 0 path:long*107 null
        socket_recvfrom r data 10 0
        socket_sendto s "nobody" 4 0 path:long*106 null
        "#,
    );
}

#[test]
fn sendto_cannot_reach_an_abstract_name() {
    // [V] 2.16: the address is a C string, so abstract names do not work: [22] Invalid argument
    agree(
        r#"
        r = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind r abstract:letterbox 0
        s = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto s "x" 1 0 abstract:letterbox null
        socket_sendto s "x" 1 0 "\0x" null
        socket_sendto s "x" 1 0 "" null
        socket_connect s abstract:letterbox null
        socket_write s "by connect" null
        socket_recvfrom r data 10 0
        t = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind t path:letterbox 0
        u = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto u "cut" 3 0 path:letterbox\0junk null
        socket_recvfrom t data 10 0
        "#,
    );
}
