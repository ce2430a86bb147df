//! Address infos: look-up, connect, bind, explain.

use std::os::fd::AsRawFd;

use php_sockets::*;

use crate::common;
use crate::errors::NOWHERE;

fn hints(socktype: std::ffi::c_int) -> AddrinfoHints {
    AddrinfoHints::new().ai_socktype(socktype)
}

#[test]
fn a_service_may_be_a_name_a_port_or_nothing() {
    let port = |found: Result<Vec<AddressInfo>>| socket_addrinfo_explain(&found.unwrap()[0]).ai_addr.port;
    let tcp = hints(SOCK_STREAM);

    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", "http", tcp)), 80);
    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", "443", tcp)), 443);
    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", String::from("443"), tcp)), 443);
    let text = String::from("443");
    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", &text, tcp)), 443);
    assert_eq!(port(socket_addrinfo_lookup(&text, text.as_str(), tcp.ai_family(AF_INET))), 443);
    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", Some("443"), tcp)), 443);
    assert_eq!(port(socket_addrinfo_lookup("127.0.0.1", 443, tcp)), 443);
    assert_eq!(port(socket_addrinfo_lookup(String::from("127.0.0.1"), None, None)), 0);
}

#[test]
fn hints_are_built_one_by_one_and_leave_the_rest_open() {
    let all = AddrinfoHints::new()
        .ai_flags(AI_NUMERICHOST)
        .ai_family(AF_INET6)
        .ai_socktype(SOCK_DGRAM)
        .ai_protocol(SOL_UDP);

    assert_eq!(
        (all.ai_flags, all.ai_family, all.ai_socktype, all.ai_protocol),
        (AI_NUMERICHOST, AF_INET6, SOCK_DGRAM, SOL_UDP)
    );
    assert_eq!(AddrinfoHints::new(), AddrinfoHints::default());
    assert_eq!(socket_addrinfo_lookup("::1", 53, all).unwrap().len(), 1);
}

#[test]
fn an_internationalized_name_is_read_as_utf_8_and_the_thread_keeps_its_locale() {
    let full_width = "\u{ff11}\u{ff12}\u{ff17}.0.0.1";
    // SAFETY: a null locale only asks for the thread's.
    let before = unsafe { libc::uselocale(std::ptr::null_mut()) };

    let found = socket_addrinfo_lookup(full_width, 80, hints(SOCK_STREAM).ai_flags(AI_IDN)).unwrap();

    assert_eq!(socket_addrinfo_explain(&found[0]).ai_addr.to_string(), "127.0.0.1:80");
    assert!(socket_addrinfo_lookup(full_width, 80, hints(SOCK_STREAM).ai_flags(AI_NUMERICHOST)).is_err());
    // SAFETY: as above.
    assert_eq!(unsafe { libc::uselocale(std::ptr::null_mut()) }, before);
}

#[test]
fn a_failed_look_up_says_why_and_touches_no_slot() {
    socket_bind(&socket_create(AF_INET, SOCK_STREAM, 0).unwrap(), "192.0.2.1", 0).unwrap_err();

    let error = socket_addrinfo_lookup("127.0.0.1", "nosuch", None).unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Silent);
    assert_eq!((error.code(), error.name()), (libc::EAI_SERVICE, "EAI_SERVICE"));
    assert_eq!(
        error.to_string(),
        "socket_addrinfo_lookup(): Servname not supported for ai_socktype (PHP returns false and says nothing)"
    );
    assert_eq!(socket_last_error(None), SOCKET_EADDRNOTAVAIL);
    assert!(
        socket_addrinfo_lookup("127.0.0.1", 80, AddrinfoHints::new().ai_socktype(99))
            .unwrap_err()
            .to_string()
            .contains("ai_socktype not supported")
    );
}

#[test]
fn an_unknown_host_and_a_name_server_that_does_not_answer_have_two_codes() {
    let unknown = socket_addrinfo_lookup(NOWHERE, None, None).unwrap_err();
    // Without a route to a name server no question leaves the machine.
    let unanswered = common::failing(libc::SYS_connect, SOCKET_ENETUNREACH, || {
        socket_addrinfo_lookup("no-such-host.invalid", None, None).unwrap_err()
    });

    assert_eq!((unknown.code(), unknown.name()), (-2, "EAI_NONAME"));
    assert_eq!((unanswered.code(), unanswered.name()), (-3, "EAI_AGAIN"));
    for error in [unknown, unanswered] {
        assert_eq!((error.kind(), error.is_warning()), (ErrorKind::Silent, false));
    }
    assert_eq!(socket_last_error(None), 0);
}

#[test]
fn an_address_info_outlives_the_look_up_and_goes_to_other_threads() {
    fn anywhere<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    let name = AddrinfoHints::new().ai_flags(AI_CANONNAME).ai_socktype(SOCK_STREAM);

    let address = socket_addrinfo_lookup("127.0.0.1", 7, name).unwrap().remove(0);

    anywhere(&address);
    let copy = address.clone();
    drop(address);
    let details = std::thread::spawn(move || socket_addrinfo_explain(&copy)).join().unwrap();
    assert_eq!(details.ai_canonname.as_deref(), Some("127.0.0.1".as_ref()));
    assert_eq!(details.ai_flags, AI_CANONNAME);
    assert_eq!(details.ai_addr.family, AF_INET);
}

#[test]
fn a_server_and_its_client_meet_by_address_infos() {
    for host in ["127.0.0.1", "::1"] {
        let passive = hints(SOCK_STREAM).ai_flags(AI_PASSIVE);
        let listener = socket_addrinfo_bind(&socket_addrinfo_lookup(host, 0, passive).unwrap()[0]).unwrap();
        socket_listen(&listener, 1).unwrap();
        let name = socket_getsockname(&listener).unwrap();

        let there = socket_addrinfo_lookup(&name.address, name.port, hints(SOCK_STREAM)).unwrap();
        let client = socket_addrinfo_connect(&there[0]).unwrap();

        assert_eq!(socket_getpeername(&client).unwrap(), name);
        let server = socket_accept(&listener).unwrap();
        socket_write(&client, "by name", None).unwrap();
        assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).unwrap(), b"by name");
        assert_eq!(socket_last_error(&client), 0);
    }
}

#[test]
fn a_datagram_socket_gets_its_peer_by_an_address_info() {
    let (receiver, name) = common::bound(SOCK_DGRAM);

    let there = socket_addrinfo_lookup(&name.address, name.port, hints(SOCK_DGRAM)).unwrap();
    let sender = socket_addrinfo_connect(&there[0]).unwrap();
    socket_write(&sender, "one", None).unwrap();

    let mut data = Vec::new();
    let (count, from) = socket_recvfrom(&receiver, &mut data, 100, 0).unwrap();
    assert_eq!((count, data.as_slice()), (3, b"one".as_slice()));
    assert_eq!(from, socket_getsockname(&sender).unwrap());
}

#[test]
fn the_scope_of_an_address_reaches_the_kernel() {
    // No machine has the address on the loopback interface, but the message differs from that of a missing scope.
    let bind = |host: &str| {
        let found = socket_addrinfo_lookup(host, 0, hints(SOCK_DGRAM)).unwrap();
        socket_addrinfo_bind(&found[0]).map(drop).map_err(|error| error.code())
    };

    assert_eq!(bind("fe80::1"), Err(SOCKET_EINVAL), "a link-local address needs a scope");
    assert_eq!(bind("fe80::1%lo"), Err(SOCKET_EADDRNOTAVAIL));
    assert_eq!(bind("fe80::1%1"), Err(SOCKET_EADDRNOTAVAIL));
}

#[test]
fn sockets_of_address_infos_close_on_exec() {
    let address = &socket_addrinfo_lookup("127.0.0.1", 0, hints(SOCK_DGRAM)).unwrap()[0];

    for socket in [socket_addrinfo_bind(address).unwrap(), socket_addrinfo_connect(address).unwrap()] {
        // SAFETY: F_GETFD takes no further argument.
        assert_eq!(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFD) }, libc::FD_CLOEXEC);
    }
}

#[test]
fn failures_leave_no_descriptor_open() {
    let (_holder, port) = common::closed_port();
    let taken = socket_create_listen(0, 1).unwrap();
    let taken = socket_getsockname(&taken).unwrap().port;

    let left = common::descriptors_left(|| {
        for _ in 0..20 {
            let tcp = |port: u16| socket_addrinfo_lookup("127.0.0.1", port, hints(SOCK_STREAM)).unwrap();
            socket_addrinfo_connect(&tcp(port)[0]).unwrap_err();
            socket_addrinfo_bind(&tcp(taken)[0]).unwrap_err();
            socket_addrinfo_lookup(NOWHERE, None, None).unwrap_err();
            socket_import_stream(std::fs::File::open("/dev/null").unwrap()).unwrap_err();
        }
    });

    assert_eq!(left, 0);
}

#[test]
fn the_code_is_that_of_connect_or_bind_whatever_close_says() {
    let (_listener, taken) = common::listener();
    let (closed, refused) = common::listener();
    socket_close(closed);
    let passive = hints(SOCK_STREAM).ai_flags(AI_PASSIVE);
    let here = socket_addrinfo_lookup("127.0.0.1", taken, passive).unwrap();
    let there = socket_addrinfo_lookup("127.0.0.1", refused, hints(SOCK_STREAM)).unwrap();

    for (call, address, code) in [
        (socket_addrinfo_bind as fn(&AddressInfo) -> Result<Socket>, &here[0], SOCKET_EADDRINUSE),
        (socket_addrinfo_connect, &there[0], SOCKET_ECONNREFUSED),
    ] {
        let result = common::failing(libc::SYS_close, SOCKET_EIO, || {
            let error = call(address).unwrap_err();
            (error.code(), socket_last_error(None))
        });
        assert_eq!(result, (code, code));
    }
}
