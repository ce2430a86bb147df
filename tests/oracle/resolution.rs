//! Section 1.7: from a name to an address, in bind, connect and sendto.

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::php;
use crate::script::{agree, agree_here, agree_with_name_server};

#[test]
fn ipv4_addresses_have_many_forms() {
    // [V] 1.7: AF_INET takes dotted quads, host names and the short, decimal and octal forms; hexadecimal is refused
    agree_with_name_server(
        r#"
        a = socket_create AF_INET SOCK_DGRAM 0
        socket_bind a "127.0.0.1" 0
        socket_getsockname a
        b = socket_create AF_INET SOCK_DGRAM 0
        socket_bind b "127.1" 0
        socket_getsockname b
        c = socket_create AF_INET SOCK_DGRAM 0
        socket_bind c "127.2.3" 0
        socket_getsockname c
        d = socket_create AF_INET SOCK_DGRAM 0
        socket_bind d "2130706433" 0
        socket_getsockname d
        e = socket_create AF_INET SOCK_DGRAM 0
        socket_bind e "0177.0.0.1" 0
        socket_getsockname e
        f = socket_create AF_INET SOCK_DGRAM 0
        socket_bind f "localhost" 0
        socket_getsockname f
        g = socket_create AF_INET SOCK_DGRAM 0
        socket_bind g "LOCALHOST" 0
        socket_getsockname g
        h = socket_create AF_INET SOCK_DGRAM 0
        socket_bind h "127.000.000.001" 0
        socket_getsockname h
        i = socket_create AF_INET SOCK_DGRAM 0
        socket_connect i "1.2.3" 9
        socket_bind i "0x7f.1" 0
        socket_bind i "0x7f000001" 0
        socket_bind i "127.0.0.1x" 0
        socket_bind i " 127.0.0.1" 0
        socket_bind i "256.0.0.1" 0
        socket_bind i "4294967296" 0
        "#,
    );
}

#[test]
fn names_of_more_than_255_bytes_are_not_looked_up() {
    // 1.7: AF_INET: longer than 255 bytes fails at once
    for (length, asked) in [(255, true), (256, false)] {
        let code = format!(
            "@socket_bind(socket_create(AF_INET, SOCK_DGRAM, 0), str_repeat('a.', {length} / 2) . str_repeat('b', {length} % 2));"
        );
        let (calls, _) = php::traced("openat", &[], &code);
        assert_eq!(calls.iter().any(|call| call.contains("\"/etc/hosts\"")), asked, "{length}");
    }
    agree(
        r#"
        s = socket_create AF_INET SOCK_DGRAM 0
        socket_bind s "a"*256 0
        socket_bind s "a"*5000 0
        socket_bind s "a."*128 0
        "#,
    );
}

#[test]
fn ipv4_text_becomes_an_ipv6_address() {
    // [V] 1.7: AF_INET6: IPv4 text or an IPv4-only host works and becomes ::ffff:a.b.c.d
    agree_with_name_server(
        r#"
        a = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        b = socket_create AF_INET6 SOCK_DGRAM 0
        socket_sendto b "x" 1 0 "127.1" n.port
        socket_recvfrom a data 10 MSG_DONTWAIT
        c = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind c "::1" 0
        socket_getsockname c
        d = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind d "localhost" 0
        ~ socket_getsockname d
        e = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind e "0x7f.1" 0
        socket_getsockname e
        f = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind f "0:0:0:0:0:0:0:1" 0
        socket_getsockname f
        g = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind g "" 0
        socket_bind g "::g" 0
        socket_bind g "[::1]" 0
        "#,
    );
}

#[test]
fn a_scope_is_a_number_or_the_name_of_an_interface() {
    // [V] 1.7: scoped text goes through getaddrinfo: fe80::1%1, fe80::…%eth0 and ::1%1 work; ::1%lo and
    // fe80::1%nosuch0 fail as "Host lookup failed". (No machine has fe80::1 on its loopback: "works" is the kernel's
    // refusal of the address.)
    // [V] 1.7: scope ids are never printed back by getsockname and recvfrom
    agree_with_name_server(
        r#"
        a = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind a "::1%1" 0
        n = socket_getsockname a
        b = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind b "::1%1" 0
        socket_sendto b "x" 1 0 "::1%1" n.port
        socket_recvfrom a data 10 MSG_DONTWAIT
        c = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind c "fe80::1%1" 0
        socket_bind c "fe80::1%lo" 0
        socket_bind c "fe80::1%nosuch0" 0
        socket_bind c "::1%lo" 0
        socket_bind c "fe80::1%" 0
        socket_bind c "fe80::1% 1" 0
        socket_bind c "fe80::1%-1" 0
        socket_bind c "fe80::1%99999999999" 0
        d = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind d "::1%0" 0
        socket_getsockname d
        "#,
    );
    // Where the resolver refuses the scope without asking a server, a fresh process has the code −10000.
    for name in ["::1%lo", "fe80::1%nosuch0"] {
        let php = common::php_failure(&format!(
            "$s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_bind($s, '{name}')"
        ));
        assert_eq!((php.last, php.own), (-10000, Some(-10000)));
    }
}

#[test]
fn a_link_local_address_is_bound_by_its_scope() {
    // [V] 1.7: fe80::…%eth0: on every link-local address that this machine has, by name and by number
    let addresses = std::fs::read_to_string("/proc/net/if_inet6").expect("IPv6");
    for line in addresses.lines().filter(|line| line.starts_with("fe80")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let groups: Vec<&str> = (0..8).map(|group| &fields[0][group * 4..group * 4 + 4]).collect();
        let (address, number) = (groups.join(":"), u32::from_str_radix(fields[1], 16).unwrap());
        let tentative = u32::from_str_radix(fields[4], 16).unwrap() & 0x40 != 0;
        if tentative {
            continue;
        }
        agree_here(&format!(
            "
            a = socket_create AF_INET6 SOCK_DGRAM 0
            socket_bind a \"{address}%{name}\" 0
            n = socket_getsockname a
            b = socket_create AF_INET6 SOCK_DGRAM 0
            socket_bind b \"{address}%{number}\" 0
            socket_sendto b \"x\" 1 0 \"{address}%{name}\" n.port
            socket_recvfrom a data 10 0
            c = socket_create AF_INET6 SOCK_DGRAM 0
            socket_bind c \"{address}%0{number}\" 0
            socket_bind c \"{address}\" 0
            ",
            name = fields[5],
        ));
    }
}

#[test]
fn php_ignores_what_follows_a_nul_and_we_refuse_it() {
    // [V] 1.7: the string is used as a C string: what follows a NUL is ignored. The crate refuses it, an intended
    // difference.
    let php = php::value(
        r#"$s = socket_create(AF_INET, SOCK_STREAM, 0); $t = socket_create(AF_INET6, SOCK_STREAM, 0);
        return [socket_bind($s, "127.0.0.1\0junk"), socket_bind($t, "::1\0junk"), socket_bind($t, "loc\0alhost")];"#,
    );
    assert_eq!(php, json!([true, true, false]));

    for (family, name) in [(AF_INET, "127.0.0.1\0junk"), (AF_INET6, "::1\0junk"), (AF_INET, "local\0host")] {
        let socket = socket_create(family, SOCK_DGRAM, 0).unwrap();
        let errors = [
            socket_bind(&socket, name, 0).unwrap_err(),
            socket_connect(&socket, name, 9).unwrap_err(),
            socket_sendto(&socket, "x", 1, 0, name, 9).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Value
            && error.to_string().ends_with("($address) must not contain any null bytes")));
        assert_eq!(socket_last_error(None), 0);
    }
}

#[test]
fn every_function_that_takes_an_address_looks_it_up() {
    // 1.7: shared by bind, connect and sendto; the message is "Host lookup failed", recorded in both slots
    // 1.7: a non-blocking socket makes no difference
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind s "256.1.1.1" 0
        socket_connect s "256.1.1.1" 80
        u = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto u "x" 1 0 "256.1.1.1" 80
        socket_last_error u
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "localhost" 0
        socket_listen l 5
        n = socket_getsockname l
        socket_set_nonblock s
        socket_connect s "localhost" n.port
        socket_select null [s] null 10 0
        socket_getpeername s
        "#,
    );
}
