//! Section 2.5 and 2.17: bind, getsockname and getpeername.

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::dialects::by_version;
use crate::php;
use crate::script::agree;

#[test]
fn an_internet_socket_gets_the_address_it_asks_for() {
    // 2.5: port 0 is a free port; a taken address is refused, another machine's too, and a second bind
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind s "127.0.0.1" 0
        n = socket_getsockname s
        socket_bind s "127.0.0.1" 0
        t = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind t n.address n.port
        socket_bind t "203.0.113.77" 0
        socket_bind t "0.0.0.0" 0
        m = socket_getsockname t
        u = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind u "::1" 0
        k = socket_getsockname u
        v = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind v k.address k.port
        socket_bind v "::" 0
        k = socket_getsockname v
        "#,
    );
}

#[test]
fn the_port_may_be_left_out() {
    // 2.5: $port is 0 if it is left out. Rust has no defaults.
    let port = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0);
         return [socket_bind($s, '127.0.0.1'), socket_getsockname($s, $a, $p), $p > 0];",
    );
    assert_eq!(port, json!([true, true, true]));
}

#[test]
fn a_port_is_between_0_and_65535() {
    // [V] 2.5: another port is a ValueError, whatever the family; before 8.5 its low 16 bits count: -1 is 65535. A `u16`
    // cannot hold such a number.
    for (port, bound) in [("-1", 65535), ("99999", 34463), ("65536", 0)] {
        let code = format!("socket_bind(socket_create(AF_INET, SOCK_STREAM, 0), '127.0.0.1', {port})");
        php::takes_the_low_16_bits_before_8_5(
            "bind",
            "0",
            &code,
            bound,
            "socket_bind(): Argument #3 ($port)",
        );
    }
    let unix = php::thrown("socket_bind(socket_create(AF_UNIX, SOCK_STREAM, 0), '', 65536)");
    let newest = "ValueError: socket_bind(): Argument #3 ($port) must be between 0 and 65535";
    assert_eq!(unix, by_version(&[(80200, "nothing was thrown"), (80500, newest)]));
}

#[test]
fn a_path_of_107_bytes_is_the_longest() {
    // 2.5: a path of 108 bytes or more is a ValueError
    // [V] 2.5: 107 is the longest path
    agree(
        r#"
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind s path:long*108 0
        socket_bind s path:long*200 0
        socket_bind s "x"*108 0
        socket_bind s path:long*107 0
        n = socket_getsockname s
        socket_listen s 5
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c path:long*107 null
        m = socket_getpeername c
        a = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind a abstract:long*107 0
        socket_bind a abstract:long*108 0
        "#,
    );
}

#[test]
fn a_path_is_copied_with_its_nuls() {
    // [V] 2.5: the bytes are copied as they are: NULs are kept
    // The kernel ends a path in the file system at its first NUL, so the second bind finds the file there; an abstract
    // name has all its bytes, so all three are different.
    agree(
        r"
        a = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind a path:door\0behind 0
        socket_getsockname a
        b = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind b path:door 0
        c = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind c abstract:name 0
        d = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind d abstract:name\0 0
        e = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind e abstract:name\0more 0
        f = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind f abstract:name\0more 0
        ",
    );
}

#[test]
fn a_leading_nul_names_an_abstract_socket() {
    // [V] 2.5: a leading NUL binds in the abstract namespace
    agree(
        r"
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind s abstract:door 0
        socket_listen s 5
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c abstract:door null
        d = socket_accept s
        e = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect e abstract:window null
        socket_connect e path:door null
        ",
    );
}

#[test]
fn the_empty_string_lets_the_kernel_choose_a_name() {
    // [V] 2.5: the empty string triggers the kernel's autobind: success, and the reported name is ""
    agree(
        r#"
        s = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind s "" 0
        n = socket_getsockname s
        socket_bind s path:late 0
        "#,
    );
    // The kernel's name is abstract, five hexadecimal digits; its list of sockets shows it.
    let listed = php::value(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_bind($s, '');
         $inode = trim(strrchr(readlink('/proc/self/fd/' . array_key_first(flags())), ':'), ':[]');
         return preg_match(\"~ $inode @[0-9a-f]{5}$~m\", file_get_contents('/proc/net/unix'));",
    );
    assert_eq!(listed, json!(1));
}

#[test]
fn a_unix_socket_has_no_use_for_a_port() {
    // 2.5: $port is ignored for AF_UNIX
    agree(
        "
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind s path:door 80
        socket_getsockname s
        ",
    );
}

#[test]
fn a_path_that_cannot_be_is_refused_by_the_kernel() {
    // 2.5: a failure of the system call is "Unable to bind address"
    agree(
        r#"
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind s "/nonexistent/door" 0
        socket_bind s "/dev/null" 0
        socket_bind s path:door 0
        t = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind t path:door 0
        "#,
    );
}

#[test]
fn both_ends_of_a_connection_have_names() {
    // 2.17: the text of the address, and the port
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_getsockname l
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        s = socket_accept l
        socket_getsockname c
        socket_getpeername c
        socket_getsockname s
        socket_getpeername s
        socket_getpeername l
        u = socket_create AF_INET6 SOCK_DGRAM 0
        socket_getsockname u
        socket_getpeername u
        "#,
    );
}

#[test]
fn an_ipv4_address_of_an_ipv6_socket_is_shown_mapped() {
    // [V] 2.17: no scope id; an IPv4 address is shown as ::ffff:1.2.3.4
    agree(
        r#"
        l = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_bind l "::" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c "127.0.0.1" n.port
        s = socket_accept l
        socket_getsockname s
        socket_getpeername s
        d = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_connect d "::ffff:127.0.0.1" n.port
        socket_getpeername d
        u = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind u "::1%1" 0
        socket_getsockname u
        "#,
    );
}

#[test]
fn a_unix_socket_without_a_path_has_an_empty_name() {
    // [V] 2.17: unnamed gives "", an abstract name gives "" too
    agree(
        r"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_getsockname a
        socket_getpeername a
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_getsockname s
        socket_getpeername s
        socket_bind s abstract:door 0
        socket_getsockname s
        socket_listen s 5
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c abstract:door null
        socket_getpeername c
        p = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind p path:door 0
        socket_getsockname p
        socket_listen p 5
        d = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect d path:door null
        socket_getpeername d
        t = socket_accept p
        socket_getsockname t
        socket_getpeername t
        ",
    );
}

#[test]
fn a_unix_socket_leaves_the_port_alone() {
    // [V] 2.17: for AF_UNIX $port is not touched: a variable keeps its value, an undefined one becomes null
    // In Rust the name is returned, with port 0.
    let ports = php::value(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); $kept = 5;
         socket_getsockname($s, $address, $kept); socket_getsockname($s, $address, $new);
         return [$address, $kept, $new];",
    );
    assert_eq!(ports, json!(["", 5, null]));

    let name = socket_getsockname(&socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap()).unwrap();
    assert_eq!((name.address.as_bytes(), name.port, name.family), (&b""[..], 0, AF_UNIX));
}

#[test]
fn a_failure_assigns_nothing() {
    // [V] 2.17: failure: recorded, false, outputs unassigned (an undefined variable becomes null)
    // In Rust there is only the error.
    let outputs = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); $address = $port = 'kept';
         $failed = socket_getpeername($s, $address, $port); socket_getpeername($s, $a, $p);
         return [$failed, $address, $port, $a, $p, socket_last_error(), socket_last_error($s)];",
    );
    assert_eq!(outputs, json!([false, "kept", "kept", null, null, 107, 107]));

    let (socket, _name) = common::bound(SOCK_STREAM);
    assert_eq!(socket_getpeername(&socket).unwrap_err().code(), SOCKET_ENOTCONN);
}

#[test]
fn the_port_may_be_left_unasked() {
    // 2.17: $port is assigned only if it is passed
    let name = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($s, '127.0.0.1');
         return [socket_getsockname($s, $address), $address];",
    );
    assert_eq!(name, json!([true, "127.0.0.1"]));
}
