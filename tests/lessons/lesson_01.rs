//! Lesson 01 beyond what it prints.

use php_sockets::*;

#[test]
fn myth_sock_rdm_and_sock_seqpacket_are_just_flags() {
    for kind in [SOCK_RDM, SOCK_SEQPACKET] {
        let error = socket_create(AF_INET, kind, 0).unwrap_err();
        assert_eq!(error.code(), SOCKET_ESOCKTNOSUPPORT);
    }
    // A type is a promise that somebody has to keep; AF_UNIX keeps the second.
    assert!(socket_create(AF_UNIX, SOCK_SEQPACKET, 0).is_ok());
    assert!(socket_create(AF_UNIX, SOCK_RDM, 0).is_err());
}
