//! Lesson 01 beyond what it prints.

use php_sockets::*;

use crate::common;

#[test]
fn myth_sock_rdm_and_sock_seqpacket_are_just_flags() {
    for (kind, name) in [(SOCK_RDM, "SOCK_RDM"), (SOCK_SEQPACKET, "SOCK_SEQPACKET")] {
        for protocol in [IPPROTO_IP, SOL_TCP, SOL_UDP] {
            let error = socket_create(AF_INET, kind, protocol).expect_err("no protocol of IPv4 does that");
            assert_eq!(error.code(), SOCKET_ESOCKTNOSUPPORT, "{name}, {protocol}");

            let php = common::php_failure(&format!("socket_create(AF_INET, {name}, {protocol})"));
            assert_eq!(php.warning, Some(error.to_string()));
        }
        // A flag could be added to a type that is granted.
        socket_create(AF_INET, SOCK_STREAM | kind, SOL_TCP).expect_err("no type either");
    }

    // AF_UNIX has the one and not the other.
    drop(socket_create(AF_UNIX, SOCK_SEQPACKET, 0).expect("records"));
    socket_create(AF_UNIX, SOCK_RDM, 0).expect_err("nobody does that");
    // Where a protocol keeps the promise of SOCK_SEQPACKET, records stay apart, which a stream's bytes do not.
    for (kind, first) in [(SOCK_SEQPACKET, "one"), (SOCK_STREAM, "onetwo")] {
        let (here, there) = common::pair(kind);
        socket_write(&here, "one", None).expect("space");
        socket_write(&here, "two", None).expect("space");
        assert_eq!(socket_read(&there, 100, PHP_BINARY_READ).expect("data"), first.as_bytes());
    }
}
