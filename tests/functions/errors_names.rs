//! The errors of address infos, of names and of streams, as cases of `errors.rs`.

use std::os::fd::OwnedFd;

use php_sockets::*;

use crate::common;
use crate::errors::{Injected, NOWHERE, Older, Ours, Outcome, Php, Since, Unremembered, cases, path_only};

/// The one address of a TCP port of this machine.
fn tcp(port: u16) -> AddressInfo {
    let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
    socket_addrinfo_lookup("127.0.0.1", port, hints).unwrap().remove(0)
}

fn hints() -> AddrinfoHints {
    AddrinfoHints::new()
}

/// Hints that PHP 8.5 refuses, and what it says of them. Before, the look-up itself failed, without a word.
macro_rules! since {
    ($hints:literal, $text:literal) => {
        Since(
            80500,
            concat!("socket_addrinfo_lookup('127.0.0.1', null, ", $hints, ")"),
            (ErrorKind::Value, concat!("socket_addrinfo_lookup(): Argument #3 ($hints) ", $text)),
            Older::SILENT,
        )
    };
}

cases! {
    a_unix_name_for_std: Ours(
        ErrorKind::Value, "SocketAddr::try_from(): the name must be one of AF_INET or AF_INET6"
    ) => || {
        let (unix, _peer) = common::pair(SOCK_STREAM);
        Outcome::of(std::net::SocketAddr::try_from(socket_getsockname(&unix).unwrap()))
    };
    // [V] 2.24, 1.2: a failed look-up is a plain false, without a warning and without a code.
    lookup_of_an_unknown_host: Php(
        "socket_addrinfo_lookup('a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid')"
    ) => || Outcome::of(socket_addrinfo_lookup(NOWHERE, None, None));
    lookup_of_an_empty_host: Php("socket_addrinfo_lookup('', '80')") =>
        || Outcome::of(socket_addrinfo_lookup("", "80", None));
    lookup_of_an_unknown_service: Php("socket_addrinfo_lookup('127.0.0.1', 'no such service')") =>
        || Outcome::of(socket_addrinfo_lookup("127.0.0.1", "no such service", None));
    lookup_with_flags_that_there_are_not: Php("socket_addrinfo_lookup('127.0.0.1', null, ['ai_flags' => 1 << 30])") =>
        || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_flags(1 << 30)));
    lookup_with_negative_flags: since!(
        "['ai_flags' => -1]", "\"ai_flags\" key must be between 0 and 2147483647"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_flags(-1)));
    lookup_with_a_negative_type: since!(
        "['ai_socktype' => -1]", "\"ai_socktype\" key must be between 0 and 2147483647"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_socktype(-1)));
    lookup_with_a_negative_protocol: since!(
        "['ai_protocol' => -1]", "\"ai_protocol\" key must be between 0 and 2147483647"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_protocol(-1)));
    lookup_of_another_family: since!(
        "['ai_family' => AF_UNIX]", "\"ai_family\" key must be AF_INET or AF_INET6"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_family(AF_UNIX)));
    lookup_for_another_type: Php("socket_addrinfo_lookup('127.0.0.1', null, ['ai_socktype' => 99])") =>
        || Outcome::of(socket_addrinfo_lookup("127.0.0.1", None, hints().ai_socktype(99)));
    lookup_for_a_protocol_that_does_not_fit: Php(
        "socket_addrinfo_lookup('127.0.0.1', null, ['ai_socktype' => SOCK_STREAM, 'ai_protocol' => SOL_UDP])"
    ) => || Outcome::of(socket_addrinfo_lookup(
        "127.0.0.1", None, hints().ai_socktype(SOCK_STREAM).ai_protocol(SOL_UDP)
    ));
    lookup_of_bytes_that_are_no_text: Php("socket_addrinfo_lookup(\"\\xff\", null, ['ai_flags' => AI_IDN])") => || {
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
        Outcome::of(socket_addrinfo_lookup(name, None, hints().ai_flags(AI_IDN)))
    };
    lookup_refuses_a_nul_in_the_host: Ours(
        ErrorKind::Value, "socket_addrinfo_lookup(): Argument #1 ($host) must not contain any null bytes"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1\0junk", None, None));
    lookup_refuses_a_nul_in_the_service: Ours(
        ErrorKind::Value, "socket_addrinfo_lookup(): Argument #2 ($service) must not contain any null bytes"
    ) => || Outcome::of(socket_addrinfo_lookup("127.0.0.1", "80\0junk", None));
    lookup_says_why: Ours(
        ErrorKind::Silent,
        "socket_addrinfo_lookup(): Name or service not known (PHP returns false and says nothing)"
    ) => || Outcome::of(socket_addrinfo_lookup("256.1.1.1", None, hints().ai_flags(AI_NUMERICHOST)));

    addrinfo_connect_without_a_socket: Injected(
        "socket:error=EMFILE",
        "socket_addrinfo_connect(socket_addrinfo_lookup('127.0.0.1', '9', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(9);
        common::failing(libc::SYS_socket, SOCKET_EMFILE, || Outcome::of(socket_addrinfo_connect(&address)))
    };
    addrinfo_connect_warns_even_of_a_quiet_code_without_a_socket: Injected(
        "socket:error=EAGAIN",
        "socket_addrinfo_connect(socket_addrinfo_lookup('127.0.0.1', '9', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(9);
        common::failing(libc::SYS_socket, SOCKET_EAGAIN, || Outcome::of(socket_addrinfo_connect(&address)))
    };
    addrinfo_connect_to_a_closed_port: Php(
        "$b = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($b, '127.0.0.1'); socket_getsockname($b, $a, $p);
         socket_addrinfo_connect(socket_addrinfo_lookup('127.0.0.1', $p, ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let (_holder, port) = common::closed_port();
        Outcome::of(socket_addrinfo_connect(&tcp(port)))
    };
    addrinfo_connect_is_quiet_about_a_quiet_code: Injected(
        "connect:error=EINPROGRESS",
        "socket_addrinfo_connect(socket_addrinfo_lookup('127.0.0.1', '9', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(9);
        common::failing(libc::SYS_connect, SOCKET_EINPROGRESS, || Outcome::of(socket_addrinfo_connect(&address)))
    };

    addrinfo_bind_without_a_socket: Injected(
        "socket:error=EMFILE",
        "socket_addrinfo_bind(socket_addrinfo_lookup('127.0.0.1', '0', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(0);
        common::failing(libc::SYS_socket, SOCKET_EMFILE, || Outcome::of(socket_addrinfo_bind(&address)))
    };
    addrinfo_bind_warns_even_of_a_quiet_code_without_a_socket: Injected(
        "socket:error=EAGAIN",
        "socket_addrinfo_bind(socket_addrinfo_lookup('127.0.0.1', '0', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(0);
        common::failing(libc::SYS_socket, SOCKET_EAGAIN, || Outcome::of(socket_addrinfo_bind(&address)))
    };
    addrinfo_bind_to_a_taken_port: Php(
        "$b = socket_create_listen(0); socket_getsockname($b, $a, $p);
         socket_addrinfo_bind(socket_addrinfo_lookup('127.0.0.1', $p, ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let taken = socket_create_listen(0, SOMAXCONN).unwrap();
        Outcome::of(socket_addrinfo_bind(&tcp(socket_getsockname(&taken).unwrap().port)))
    };
    addrinfo_bind_to_another_machines_address: Php(
        "socket_addrinfo_bind(socket_addrinfo_lookup('192.0.2.1', '0', ['ai_socktype' => SOCK_DGRAM])[0])"
    ) => || {
        let hints = hints().ai_socktype(SOCK_DGRAM);
        Outcome::of(socket_addrinfo_bind(&socket_addrinfo_lookup("192.0.2.1", 0, hints).unwrap()[0]))
    };
    addrinfo_bind_is_quiet_about_a_quiet_code: Injected(
        "bind:error=EAGAIN",
        "socket_addrinfo_bind(socket_addrinfo_lookup('127.0.0.1', '0', ['ai_socktype' => SOCK_STREAM])[0])"
    ) => || {
        let address = tcp(0);
        common::failing(libc::SYS_bind, SOCKET_EAGAIN, || Outcome::of(socket_addrinfo_bind(&address)))
    };

    host_by_a_name: Php("gethostbyaddr('localhost')") => || Outcome::of(gethostbyaddr("localhost"));
    host_by_a_short_address: Php("gethostbyaddr('127.1')") => || Outcome::of(gethostbyaddr("127.1"));
    host_by_an_address_with_an_interface: Php("gethostbyaddr('fe80::1%lo')") =>
        || Outcome::of(gethostbyaddr("fe80::1%lo"));
    host_by_nothing: Php("gethostbyaddr('')") => || Outcome::of(gethostbyaddr(""));
    host_by_an_address_with_a_nul: Php("gethostbyaddr(\"127.0.0.1\\0\")") =>
        || Outcome::of(gethostbyaddr("127.0.0.1\0"));
    host_by_a_very_long_text: Php("gethostbyaddr(str_repeat('1', 100000))") =>
        || Outcome::of(gethostbyaddr("1".repeat(100_000)));
    own_name_that_is_not_told: Unremembered(
        SOCKET_EFAULT, "gethostname(): Unable to fetch host [14]: Bad address"
    ) => || common::failing(libc::SYS_uname, SOCKET_EFAULT, || Outcome::of(gethostname()));
    own_name_warns_even_of_a_quiet_code: Unremembered(
        SOCKET_EAGAIN, "gethostname(): Unable to fetch host [11]: Resource temporarily unavailable"
    ) => || common::failing(libc::SYS_uname, SOCKET_EAGAIN, || Outcome::of(gethostname()));

    // [V] 2.25: a stream that is no socket is refused with a warning that names no code.
    import_of_a_file: Php("socket_import_stream(fopen('/dev/null', 'r'))") =>
        || Outcome::of(socket_import_stream(std::fs::File::open("/dev/null").unwrap()));
    import_of_a_pipe: Php("socket_import_stream(popen('true', 'r'))") => || {
        let mut child = common::Running::start(common::limited("true").stdout(std::process::Stdio::piped()));
        Outcome::of(socket_import_stream(child.stdout.take().unwrap()))
    };
    import_of_a_stream_whose_mode_is_not_told: Injected(
        "fcntl:error=EBADF", "socket_import_stream(stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0)[0])"
    ) => || {
        let stream = OwnedFd::from(common::pair(SOCK_STREAM).0);
        let getfl = u32::try_from(libc::F_GETFL).unwrap();
        common::failing_with(libc::SYS_fcntl, Some(getfl), SOCKET_EBADF, || {
            Outcome::of(socket_import_stream(stream))
        })
    };
    import_without_a_family: Injected(
        "getsockopt,getsockname:error=EBADF", "socket_import_stream(stream_socket_server('tcp://127.0.0.1:0'))"
    ) => || Outcome::of(socket_import_stream(OwnedFd::from(path_only())));
}
