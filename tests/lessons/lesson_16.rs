//! Lesson 16 beyond what it prints.

use php_sockets::*;

use crate::common;
use crate::compiler::refused_as_its_readme_says;

#[test]
fn myth_udp_stands_for_user_data_protocol() {
    let protocols = std::fs::read_to_string("/etc/protocols").expect("netbase is installed");
    let row = protocols.lines().find(|line| line.starts_with("udp\t")).expect("the row of UDP");
    assert!(row.ends_with("# user datagram protocol"), "{row}");

    // A datagram: one send is one receive, and a stream does not do that.
    for (kind, received) in [(SOCK_DGRAM, "one"), (SOCK_STREAM, "onetwo")] {
        let (here, there) = common::pair(kind);
        socket_write(&here, "one", None).expect("space");
        socket_write(&here, "two", None).expect("space");
        assert_eq!(socket_read(&there, 100, PHP_BINARY_READ), Ok(received.into()));
    }
}

#[test]
fn the_largest_datagram_has_65507_bytes() {
    let (server, name) = common::bound(SOCK_DGRAM);
    let client = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).expect("a socket");
    let data = vec![b'x'; 65_508];

    let sent = socket_sendto(&client, &data, 65_507, 0, &name.address, name.port);
    let error = socket_sendto(&client, &data, 65_508, 0, &name.address, name.port).unwrap_err();

    assert_eq!(sent, Ok(65_507));
    assert_eq!(error.code(), SOCKET_EMSGSIZE);
    assert_eq!(socket_read(&server, 70_000, PHP_BINARY_READ).expect("the datagram").len(), 65_507);
}

#[test]
fn datagrams_beyond_the_receive_buffer_are_lost_and_the_sender_is_not_told() {
    let (server, name) = common::bound(SOCK_DGRAM);
    socket_set_option(&server, SOL_SOCKET, SO_RCVBUF, 4096).expect("an option");
    let client = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).expect("a socket");

    for _ in 0..1000 {
        assert_eq!(socket_sendto(&client, "hello", 5, 0, &name.address, name.port), Ok(5));
    }

    let mut data = Vec::new();
    let arrived = (0..1000).take_while(|_| socket_recv(&server, &mut data, 10, MSG_DONTWAIT).is_ok()).count();
    assert!((1..1000).contains(&arrived), "{arrived}");
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("16-udp");
}
