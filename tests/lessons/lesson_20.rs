//! Lesson 20 beyond what it prints.

use php_sockets::*;

use crate::common::network::in_own_network;
use crate::common::{self, Strace};
use crate::stage::twin::twins_of;

#[test]
fn an_unknown_name_has_no_address_and_the_lesson_goes_on() {
    for twin in twins_of("20") {
        let output = twin.command(&["no such host"]).output().expect("it runs");

        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("   no such host, port of http: no address\n"), "{text}");
        assert!(text.contains("   client: connected to 127.0.0.1:"), "{text}");
    }
}

#[test]
fn without_ipv6_the_lesson_says_so_and_goes_on() {
    // A kernel without IPv6 refuses the family.
    let strace = Strace::injecting("socket:error=EAFNOSUPPORT:when=1");
    for twin in twins_of("20") {
        let output = twin.under(&strace.words(), &[]).output().expect("it runs");

        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sentence =
            "socket_create(): Unable to create socket [97]: Address family not supported by protocol";
        assert!(text.contains(&format!("   this machine has no IPv6: {sentence}\n")), "{text}");
        assert!(text.contains("   client: connected to 127.0.0.1:"), "{text}");
    }
}

#[test]
fn where_ipv6_is_switched_off_ipv4_is_served_by_the_same_socket() {
    for twin in twins_of("20") {
        let setup = "foreach (['all', 'lo'] as $interface) \
             file_put_contents(\"/proc/sys/net/ipv6/conf/$interface/disable_ipv6\", '1')";
        let output = in_own_network(setup, &twin.os_words(), &[]).output().expect("it runs");

        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("   client of 127.0.0.1: the server sees ::ffff:127.0.0.1\n"), "{text}");
        assert!(text.contains("   client of ::1: Cannot assign requested address\n"), "{text}");
        assert!(text.contains("   client: ::1 fails, Cannot assign requested address\n"), "{text}");
        assert!(text.contains("   client: connected to 127.0.0.1:"), "{text}");
    }
}

/// A socket of IPv6, which takes clients of IPv4 unless it is for IPv6 `only`.
fn of_ipv6(only: i32) -> Socket {
    let server = socket_create(AF_INET6, SOCK_STREAM, SOL_TCP).expect("IPv6");
    socket_set_option(&server, IPPROTO_IPV6, IPV6_V6ONLY, only).expect("an option");
    server
}

#[test]
fn both_families_want_the_port_that_ipv4_has() {
    let (_listener, port) = common::listener();

    assert_eq!(socket_bind(&of_ipv6(0), "::", port).unwrap_err().code(), SOCKET_EADDRINUSE);
}

#[test]
fn ipv6_alone_refuses_clients_of_ipv4() {
    let server = of_ipv6(1);
    socket_bind(&server, "::", 0).expect("a free port");
    socket_listen(&server, 5).expect("listening");
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");

    let error =
        socket_connect(&client, "127.0.0.1", socket_getsockname(&server).expect("a name").port).unwrap_err();

    assert_eq!(error.code(), SOCKET_ECONNREFUSED);
}
