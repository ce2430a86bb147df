//! Every error: its code, its text and both error slots, compared with real PHP's. A [`Site`] that no case, here
//! or in a file beside this one, provokes fails the suite.

use std::collections::BTreeSet;
use std::ffi::c_int;
use std::sync::Mutex;

use php_sockets::*;

use crate::common::{self, Failure};

/// Rust's answer to one failing call: the error, the thread's slot, and the slot of the socket that matters.
pub(crate) struct Outcome {
    pub(crate) error: Error,
    pub(crate) last: c_int,
    pub(crate) own: Option<c_int>,
}

impl Outcome {
    /// A failure that belongs to no socket.
    pub(crate) fn of<T>(result: Result<T>) -> Outcome {
        Outcome { error: result.err().expect("it fails"), last: socket_last_error(None), own: None }
    }

    /// A failure of `socket`.
    pub(crate) fn on<T>(socket: &Socket, result: Result<T>) -> Outcome {
        Outcome { own: Some(socket_last_error(socket)), ..Outcome::of(result) }
    }
}

/// Where the expected values come from.
pub(crate) enum Oracle {
    /// PHP code whose last statement fails in the same way; `$s` is the socket that matters.
    Php(&'static str),
    /// The same, with a system call that strace makes fail.
    Injected(&'static str, &'static str),
    /// The same of a PHP of this version or a later one, which says this text; an older one made something else of it.
    Since(u32, &'static str, (ErrorKind, &'static str), Older),
    /// PHP cannot fail so: what we promise instead.
    Ours(ErrorKind, &'static str),
    /// PHP cannot fail so: the code and the message of the kernel, as a warning.
    Kernel(c_int, &'static str),
    /// The same, of a function that has no slot to remember it in.
    Unremembered(c_int, &'static str),
}
pub(crate) use Oracle::{Injected, Kernel, Ours, Php, Since, Unremembered};

/// An older PHP's answer to a call.
pub(crate) struct Older {
    warning: Option<&'static str>,
    thrown: Option<&'static str>,
    last: i64,
}

impl Older {
    pub(crate) const fn threw(text: &'static str) -> Older {
        Older { warning: None, thrown: Some(text), last: 0 }
    }

    /// A warning; a `code` other than 0 is remembered in both slots.
    pub(crate) const fn warned(text: &'static str, code: i64) -> Older {
        Older { warning: Some(text), thrown: None, last: code }
    }

    /// It said nothing.
    pub(crate) const SILENT: Older = Older { warning: None, thrown: None, last: 0 };
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) oracle: Oracle,
    pub(crate) run: fn() -> Outcome,
}

/// Each case becomes a test of its own and a row of the `CASES` of its module.
macro_rules! cases {
    ($($name:ident: $oracle:expr => $run:expr;)*) => {
        pub(crate) const CASES: &[$crate::errors::Case] =
            &[$($crate::errors::Case { name: stringify!($name), oracle: $oracle, run: $run }),*];
        $(#[test] fn $name() { $crate::errors::check(CASES, stringify!($name)); })*
    };
}
pub(crate) use cases;

/// How PHP refuses a type of socket, behind the function's name.
macro_rules! type_list {
    () => {
        "(): Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM"
    };
}

/// The cases of every module.
const ALL: &[&[Case]] =
    &[CASES, crate::errors_event::CASES, crate::errors_message::CASES, crate::errors_names::CASES];

pub(crate) fn check(cases: &[Case], name: &str) {
    let case = cases.iter().find(|case| case.name == name).expect("a case");
    socket_clear_error(None);

    let Outcome { error, last, own } = (case.run)();

    let php = match case.oracle {
        Php(code) => common::php_failure(code),
        Since(version, code, (kind, text), Older { warning, thrown, last: was }) => {
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
            let php = common::php_failure(code);
            if common::php_version() < version {
                assert_eq!((error.code(), last, own.unwrap_or_default()), (SOCKET_EINVAL, 0, 0));
                let own = php.own.map(|_| was);
                let older = Failure {
                    warning: warning.map(str::to_owned),
                    thrown: thrown.map(str::to_owned),
                    last: was,
                    own,
                };
                assert_eq!(php, older, "left is this PHP, right is what older ones say");
                return;
            }
            php
        }
        Injected(fault, code) => common::php_failure_with(fault, code),
        Ours(kind, text) => {
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
            assert_eq!(last, 0, "nothing is remembered");
            assert!(has_no_errno(&error), "{}", error.code());
            return;
        }
        Unremembered(code, text) => {
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Warning, text));
            assert_eq!((error.code(), last, own), (code, 0, None));
            return;
        }
        Kernel(code, text) => {
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Warning, text));
            assert_eq!((error.code(), last, own), (code, code, Some(code)));
            return;
        }
    };
    let text = Some(error.to_string());
    let (warning, thrown) = match error.kind() {
        ErrorKind::Warning => (text, None),
        ErrorKind::Value => (None, text),
        _ => (None, None),
    };
    let ours = Failure {
        warning,
        thrown,
        last: i64::from(last),
        own: own.map(i64::from).filter(|_| php.own.is_some()),
    };
    assert_eq!(ours, php);
    let remembers = matches!(error.kind(), ErrorKind::Warning | ErrorKind::Quiet) && php.last != 0;
    assert!(if remembers { error.code() == last } else { has_no_errno(&error) }, "{}", error.code());
    assert_eq!(error.is_warning(), php.warning.is_some());
    assert_eq!(error.function(), error.site().function);
}

/// Whether the code is the one of a failure without a code, or `getaddrinfo`'s.
fn has_no_errno(error: &Error) -> bool {
    let is_look_up = error.kind() == ErrorKind::Silent && error.function() == "socket_addrinfo_lookup";
    if is_look_up { error.name().starts_with("EAI_") } else { error.code() == SOCKET_EINVAL }
}

pub(crate) fn inet(kind: c_int) -> Socket {
    socket_create(AF_INET, kind, 0).unwrap()
}

pub(crate) fn inet6(kind: c_int) -> Socket {
    socket_create(AF_INET6, kind, 0).unwrap()
}

pub(crate) fn unix(kind: c_int) -> Socket {
    socket_create(AF_UNIX, kind, 0).unwrap()
}

fn packet() -> Socket {
    common::packet_socket(0)
}

/// A descriptor on which fcntl cannot set a mode.
pub(crate) fn path_only() -> Socket {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::File::options().read(true).custom_flags(libc::O_PATH).open("/dev/null").unwrap();
    Socket::from(std::os::fd::OwnedFd::from(file))
}

/// A host that no resolver knows: `.invalid` is reserved for that, and the label is too long for a question to be
/// sent at all.
pub(crate) const NOWHERE: &str =
    "a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid";

const LONG: &str = "/tmp/a-path-of-one-hundred-and-eight-bytes-or-more-does-not-fit-into-a-sockaddr_un-and-PHP-says-so-in-a-ValueError";

cases! {
    create_refuses_a_domain: Since(
        80500,
        "socket_create(99, SOCK_STREAM, 0)",
        (
            ErrorKind::Value,
            "socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_PACKET, AF_INET6, or AF_INET"
        ),
        Older::threw("socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_INET6, or AF_INET")
    ) => || Outcome::of(socket_create(99, SOCK_STREAM, 0));
    create_refuses_a_type: Since(
        80400,
        "socket_create(AF_INET, 11, 0)",
        (ErrorKind::Value, concat!("socket_create", type_list!(), " optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK")),
        Older::threw(concat!("socket_create", type_list!()))
    ) => || Outcome::of(socket_create(AF_INET, 11, 0));
    create_asks_the_kernel_about_type_10: Php("socket_create(AF_INET6, 10, 0)") =>
        || Outcome::of(socket_create(AF_INET6, 10, 0));
    create_reports_the_kernel: Php("socket_create(AF_INET, SOCK_DGRAM, SOL_TCP)") =>
        || Outcome::of(socket_create(AF_INET, SOCK_DGRAM, SOL_TCP));
    create_passes_small_types_on: Php("socket_create(AF_INET, -1, 0)") =>
        || Outcome::of(socket_create(AF_INET, -1, 0));
    create_passes_type_zero_on: Php("socket_create(AF_INET, 0, 0)") =>
        || Outcome::of(socket_create(AF_INET, 0, 0));
    create_warns_even_of_a_quiet_code: Injected("socket:error=EAGAIN", "socket_create(AF_INET, SOCK_STREAM, 0)") =>
        || common::failing(libc::SYS_socket, SOCKET_EAGAIN, || Outcome::of(socket_create(AF_INET, SOCK_STREAM, 0)));

    pair_refuses_a_domain: Php("socket_create_pair(99, SOCK_STREAM, 0, $pair)") =>
        || Outcome::of(socket_create_pair(99, SOCK_STREAM, 0));
    pair_refuses_packets: Php("socket_create_pair(17, SOCK_STREAM, 0, $pair)") =>
        || Outcome::of(socket_create_pair(AF_PACKET, SOCK_STREAM, 0));
    pair_refuses_a_type: Since(
        80400,
        "socket_create_pair(AF_UNIX, 11, 0, $pair)",
        (
            ErrorKind::Value,
            concat!("socket_create_pair", type_list!(), " optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK")
        ),
        Older::threw(concat!("socket_create_pair", type_list!()))
    ) => || Outcome::of(socket_create_pair(AF_UNIX, 11, 0));
    pair_asks_the_kernel_about_type_10: Php("socket_create_pair(AF_UNIX, 10, 0, $pair)") =>
        || Outcome::of(socket_create_pair(AF_UNIX, 10, 0));
    pair_is_unix_only: Php("socket_create_pair(AF_INET, SOCK_STREAM, 0, $pair)") =>
        || Outcome::of(socket_create_pair(AF_INET, SOCK_STREAM, 0));

    pair_warns_even_of_a_quiet_code: Injected(
        "socketpair:error=EAGAIN", "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair)"
    ) => || common::failing(libc::SYS_socketpair, SOCKET_EAGAIN, || {
        Outcome::of(socket_create_pair(AF_UNIX, SOCK_STREAM, 0))
    });

    set_block_reports_fcntl: Injected(
        "fcntl:error=EBADF", "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_set_block($s)"
    ) => || {
        let socket = path_only();
        let result = socket_set_block(&socket);
        Outcome::on(&socket, result)
    };
    set_nonblock_reports_fcntl: Injected(
        "fcntl:error=EBADF", "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_set_nonblock($s)"
    ) => || {
        let socket = path_only();
        let result = socket_set_nonblock(&socket);
        Outcome::on(&socket, result)
    };

    create_listen_without_a_socket: Injected("socket:error=EMFILE", "socket_create_listen(0)") =>
        || common::failing(libc::SYS_socket, SOCKET_EMFILE, || Outcome::of(socket_create_listen(0, SOMAXCONN)));
    create_listen_on_a_taken_port: Php(
        "$a = socket_create_listen(0); socket_getsockname($a, $n, $p); socket_create_listen($p)"
    ) => || {
        let taken = socket_create_listen(0, SOMAXCONN).unwrap();
        Outcome::of(socket_create_listen(socket_getsockname(&taken).unwrap().port, SOMAXCONN))
    };
    create_listen_too_late: Injected("listen:error=EADDRINUSE", "socket_create_listen(0)") =>
        || common::failing(libc::SYS_listen, SOCKET_EADDRINUSE, || Outcome::of(socket_create_listen(0, SOMAXCONN)));

    bind_to_a_taken_port: Php(
        "$a = socket_create_listen(0); socket_getsockname($a, $n, $p); $s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_bind($s, '0.0.0.0', $p)"
    ) => || {
        let taken = socket_create_listen(0, SOMAXCONN).unwrap();
        let socket = inet(SOCK_STREAM);
        let result = socket_bind(&socket, "0.0.0.0", socket_getsockname(&taken).unwrap().port);
        Outcome::on(&socket, result)
    };
    bind_to_another_machines_address: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($s, '192.0.2.1', 0)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_bind(&socket, "192.0.2.1", 0);
        Outcome::on(&socket, result)
    };
    bind_to_an_unknown_host: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_bind($s, 'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid')"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_bind(&socket, NOWHERE, 0);
        Outcome::on(&socket, result)
    };
    bind_to_an_unknown_ipv6_host: Php(
        "$s = socket_create(AF_INET6, SOCK_STREAM, 0);
         socket_bind($s, 'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid')"
    ) => || {
        let socket = inet6(SOCK_STREAM);
        let result = socket_bind(&socket, NOWHERE, 0);
        Outcome::on(&socket, result)
    };
    bind_to_a_long_path: Php(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_bind($s, str_repeat('x', 108))"
    ) => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_bind(&socket, "x".repeat(108), 0);
        Outcome::on(&socket, result)
    };
    bind_to_a_path_that_is_taken: Php(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_bind($s, '/dev/null')"
    ) => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_bind(&socket, "/dev/null", 0);
        Outcome::on(&socket, result)
    };
    bind_refuses_a_nul: Ours(
        ErrorKind::Value, "socket_bind(): Argument #2 ($address) must not contain any null bytes"
    ) => || Outcome::of(socket_bind(&inet(SOCK_STREAM), "127.0.0.1\0junk", 0));
    bind_refuses_a_family: Ours(
        ErrorKind::Value,
        "socket_bind(): Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_bind(&common::foreign_socket(), "127.0.0.1", 0));
    bind_of_a_packet_socket_without_a_name: Ours(
        ErrorKind::Value, "invalid AF_PACKET socket"
    ) => || {
        let socket = packet();
        common::failing(libc::SYS_getsockname, SOCKET_EBADF, || Outcome::of(socket_bind(&socket, "lo", 0)))
    };

    getsockname_of_no_socket: Kernel(
        SOCKET_ENOTSOCK,
        "socket_getsockname(): unable to retrieve socket name [88]: Socket operation on non-socket"
    ) => || {
        let socket = common::no_socket();
        let result = socket_getsockname(&socket);
        Outcome::on(&socket, result)
    };
    getsockname_refuses_a_family: Ours(
        ErrorKind::Value,
        "socket_getsockname(): Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_getsockname(&common::foreign_socket()));
    getsockname_of_a_packet_socket_on_no_interface: Ours(
        ErrorKind::Value, "invalid interface index"
    ) => || Outcome::of(socket_getsockname(&packet()));

    getpeername_without_a_peer: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_getpeername($s, $a)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_getpeername(&socket);
        Outcome::on(&socket, result)
    };
    getpeername_refuses_a_family: Ours(
        ErrorKind::Value,
        "socket_getpeername(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_getpeername(&common::foreign_socket()));

    listen_on_a_datagram_socket: Php("$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_listen($s)") => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_listen(&socket, 0);
        Outcome::on(&socket, result)
    };
    listen_without_a_name: Php("$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_listen($s)") => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_listen(&socket, 0);
        Outcome::on(&socket, result)
    };

    accept_on_no_listener: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_accept($s)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_accept(&socket);
        Outcome::on(&socket, result)
    };
    accept_with_nobody_waiting: Php("$s = socket_create_listen(0); socket_set_nonblock($s); socket_accept($s)") => || {
        let socket = socket_create_listen(0, SOMAXCONN).unwrap();
        socket_set_nonblock(&socket).unwrap();
        let result = socket_accept(&socket);
        Outcome::on(&socket, result)
    };

    connect_to_a_closed_port: Php(
        "$b = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($b, '127.0.0.1'); socket_getsockname($b, $a, $p);
         $s = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($s, '127.0.0.1', $p)"
    ) => || {
        let (_holder, port) = common::closed_port();
        let socket = inet(SOCK_STREAM);
        let result = socket_connect(&socket, "127.0.0.1", port);
        Outcome::on(&socket, result)
    };
    connect_twice: Php(
        "$b = socket_create_listen(0); socket_getsockname($b, $a, $p); $s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_connect($s, '127.0.0.1', $p); socket_connect($s, '127.0.0.1', $p)"
    ) => || {
        let (_listener, port) = common::listener();
        let socket = inet(SOCK_STREAM);
        socket_connect(&socket, "127.0.0.1", port).unwrap();
        let result = socket_connect(&socket, "127.0.0.1", port);
        Outcome::on(&socket, result)
    };
    connect_without_waiting: Php(
        "$b = socket_create_listen(0); socket_getsockname($b, $a, $p); $s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_set_nonblock($s); socket_connect($s, '127.0.0.1', $p)"
    ) => || {
        let (_listener, port) = common::listener();
        let socket = inet(SOCK_STREAM);
        socket_set_nonblock(&socket).unwrap();
        let result = socket_connect(&socket, "127.0.0.1", port);
        Outcome::on(&socket, result)
    };
    connect_to_no_path: Php(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_connect($s, '/nonexistent/socket')"
    ) => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_connect(&socket, "/nonexistent/socket", None);
        Outcome::on(&socket, result)
    };
    connect_to_an_unknown_host: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_connect($s, 'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid', 80)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_connect(&socket, NOWHERE, 80);
        Outcome::on(&socket, result)
    };
    connect_again_while_under_way: Injected(
        "connect:error=EALREADY", "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($s, '127.0.0.1', 9)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        common::failing(libc::SYS_connect, SOCKET_EALREADY, || {
            let result = socket_connect(&socket, "127.0.0.1", 9);
            Outcome::on(&socket, result)
        })
    };
    connect_to_a_host_of_256_bytes: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($s, str_repeat('1', 256), 80)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_connect(&socket, "1".repeat(256), 80);
        Outcome::on(&socket, result)
    };
    connect_without_a_port: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($s, '127.0.0.1')"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_connect(&socket, "127.0.0.1", None);
        Outcome::on(&socket, result)
    };
    connect_without_an_ipv6_port: Php(
        "$s = socket_create(AF_INET6, SOCK_STREAM, 0); socket_connect($s, '::1')"
    ) => || {
        let socket = inet6(SOCK_STREAM);
        let result = socket_connect(&socket, "::1", None);
        Outcome::on(&socket, result)
    };
    connect_to_a_long_path: Php(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_connect($s, str_repeat('x', 108))"
    ) => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_connect(&socket, "x".repeat(108), None);
        Outcome::on(&socket, result)
    };
    connect_refuses_a_nul: Ours(
        ErrorKind::Value, "socket_connect(): Argument #2 ($address) must not contain any null bytes"
    ) => || Outcome::of(socket_connect(&inet6(SOCK_STREAM), "::1\0", 80));
    connect_refuses_a_family: Ours(
        ErrorKind::Value, "socket_connect(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_connect(&common::foreign_socket(), "127.0.0.1", 80));

    shutdown_without_a_peer: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_shutdown($s)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_shutdown(&socket, SHUT_RDWR);
        Outcome::on(&socket, result)
    };
    shutdown_with_another_mode: Since(
        80500,
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_shutdown($s, 3)",
        (
            ErrorKind::Value,
            "socket_shutdown(): Argument #2 ($mode) must be one of SHUT_RD, SHUT_WR or SHUT_RDWR"
        ),
        Older::warned("socket_shutdown(): Unable to shutdown socket [22]: Invalid argument", 22)
    ) => || {
        let (socket, _peer) = common::pair(SOCK_STREAM);
        let result = socket_shutdown(&socket, 3);
        Outcome::on(&socket, result)
    };

    write_without_a_peer: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_write($s, 'x')") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_write(&socket, "x", None);
        Outcome::on(&socket, result)
    };
    write_to_a_full_buffer: Php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_set_nonblock($s);
         while (@socket_write($s, str_repeat('x', 65536))); socket_clear_error(); socket_write($s, 'x')"
    ) => || {
        let (socket, _peer) = common::pair(SOCK_STREAM);
        socket_set_nonblock(&socket).unwrap();
        while socket_write(&socket, [b'x'; 65536], None).is_ok() {}
        socket_clear_error(None);
        let result = socket_write(&socket, "x", None);
        Outcome::on(&socket, result)
    };
    send_after_shutdown: Php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_shutdown($s, 1); socket_send($s, 'x', 1, 0)"
    ) => || {
        let (socket, _peer) = common::pair(SOCK_STREAM);
        socket_shutdown(&socket, SHUT_WR).unwrap();
        let result = socket_send(&socket, "x", 1, 0);
        Outcome::on(&socket, result)
    };

    read_without_a_peer: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_read($s, 10)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_read(&socket, 10, PHP_BINARY_READ);
        Outcome::on(&socket, result)
    };
    read_a_line_without_a_peer: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_read($s, 10, PHP_NORMAL_READ)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_read(&socket, 10, PHP_NORMAL_READ);
        Outcome::on(&socket, result)
    };
    read_a_line_at_the_end_of_the_stream: Php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_close($p[1]);
         socket_read($s, 10, PHP_NORMAL_READ)"
    ) => || {
        let (socket, peer) = common::pair(SOCK_STREAM);
        socket_close(peer);
        let result = socket_read(&socket, 10, PHP_NORMAL_READ);
        Outcome::on(&socket, result)
    };
    read_when_nothing_has_come: Php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_set_nonblock($s); socket_read($s, 10)"
    ) => || {
        let (socket, _peer) = common::pair(SOCK_STREAM);
        socket_set_nonblock(&socket).unwrap();
        let result = socket_read(&socket, 10, PHP_BINARY_READ);
        Outcome::on(&socket, result)
    };
    read_of_no_bytes: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_read($s, 0)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_read(&socket, 0, PHP_BINARY_READ);
        Outcome::on(&socket, result)
    };
    read_a_line_of_no_bytes: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_read($s, 0, PHP_NORMAL_READ)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_read(&socket, 0, PHP_NORMAL_READ);
        Outcome::on(&socket, result)
    };
    read_of_more_than_there_is: Ours(
        ErrorKind::Silent,
        "socket_read(): there is no memory for so many bytes (PHP returns false and says nothing, or dies)"
    ) => || Outcome::of(socket_read(&inet(SOCK_STREAM), usize::MAX, PHP_BINARY_READ));
    read_a_line_of_more_than_there_is: Ours(
        ErrorKind::Silent,
        "socket_read(): there is no memory for so many bytes (PHP returns false and says nothing, or dies)"
    ) => || Outcome::of(socket_read(&inet(SOCK_STREAM), usize::MAX, PHP_NORMAL_READ));

    recv_without_a_peer: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_recv($s, $b, 10, 0)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_recv(&socket, &mut Vec::new(), 10, 0);
        Outcome::on(&socket, result)
    };
    recv_of_no_bytes: Php("$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_recv($s, $b, 0, 0)") => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_recv(&socket, &mut Vec::new(), 0, 0);
        Outcome::on(&socket, result)
    };
    recv_of_more_than_there_is: Ours(
        ErrorKind::Silent,
        "socket_recv(): there is no memory for so many bytes (PHP returns false and says nothing, or dies)"
    ) => || Outcome::of(socket_recv(&inet(SOCK_STREAM), &mut vec![7], usize::MAX, MSG_TRUNC));

    atmark_of_a_datagram_socket: Kernel(
        SOCKET_ENOTTY, "socket_atmark(): Unable to apply sockmark [25]: Inappropriate ioctl for device"
    ) => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_atmark(&socket);
        Outcome::on(&socket, result)
    };

    sendto_with_too_much: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
         socket_sendto($s, str_repeat('x', 70000), 70000, 0, '127.0.0.1', 9)"
    ) => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_sendto(&socket, vec![b'x'; 70000], 70000, 0, "127.0.0.1", 9);
        Outcome::on(&socket, result)
    };
    sendto_an_abstract_name: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendto($s, 'x', 1, 0, \"\\0php-sockets\")"
    ) => || {
        let socket = unix(SOCK_DGRAM);
        let result = socket_sendto(&socket, "x", 1, 0, "\0php-sockets", None);
        Outcome::on(&socket, result)
    };
    sendto_an_unknown_host: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendto($s, 'x', 1, 0,
         'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid', 9)"
    ) => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_sendto(&socket, "x", 1, 0, NOWHERE, 9);
        Outcome::on(&socket, result)
    };
    sendto_without_a_port: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendto($s, 'x', 1, 0, '127.0.0.1')"
    ) => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_sendto(&socket, "x", 1, 0, "127.0.0.1", None);
        Outcome::on(&socket, result)
    };
    sendto_without_an_ipv6_port: Php(
        "$s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_sendto($s, 'x', 1, 0, '::1')"
    ) => || {
        let socket = inet6(SOCK_DGRAM);
        let result = socket_sendto(&socket, "x", 1, 0, "::1", None);
        Outcome::on(&socket, result)
    };
    sendto_a_long_path: Ours(
        ErrorKind::Value, "socket_sendto(): Argument #5 ($address) must be less than 108"
    ) => || Outcome::of(socket_sendto(&unix(SOCK_DGRAM), "x", 1, 0, LONG, None));
    sendto_a_long_path_with_a_nul_inside: Ours(
        ErrorKind::Value, "socket_sendto(): Argument #5 ($address) must be less than 108"
    ) => || Outcome::of(socket_sendto(&unix(SOCK_DGRAM), "x", 1, 0, "/tmp\0".repeat(30), None));
    send_keeps_no_memory: Ours(
        ErrorKind::Value, "socket_send(): Argument #4 ($flags) must not contain MSG_ZEROCOPY"
    ) => || Outcome::of(socket_send(&inet(SOCK_STREAM), "x", 1, MSG_ZEROCOPY));
    sendto_keeps_no_memory: Ours(
        ErrorKind::Value, "socket_sendto(): Argument #4 ($flags) must not contain MSG_ZEROCOPY"
    ) => || Outcome::of(socket_sendto(&inet(SOCK_DGRAM), "x", 1, MSG_ZEROCOPY | MSG_DONTWAIT, "127.0.0.1", 9));
    sendto_refuses_a_nul: Ours(
        ErrorKind::Value, "socket_sendto(): Argument #5 ($address) must not contain any null bytes"
    ) => || Outcome::of(socket_sendto(&inet(SOCK_DGRAM), "x", 1, 0, "127.0.0.1\0", 9));
    sendto_refuses_a_family: Ours(
        ErrorKind::Value, "socket_sendto(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_sendto(&common::foreign_socket(), "x", 1, 0, "127.0.0.1", 9));

    recvfrom_without_a_peer: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_recvfrom($s, $b, 10, 0, $a, $p)"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_recvfrom(&socket, &mut Vec::new(), 10, 0);
        Outcome::on(&socket, result)
    };
    recvfrom_without_an_ipv6_peer: Php(
        "$s = socket_create(AF_INET6, SOCK_STREAM, 0); socket_recvfrom($s, $b, 10, 0, $a, $p)"
    ) => || {
        let socket = inet6(SOCK_STREAM);
        let result = socket_recvfrom(&socket, &mut Vec::new(), 10, 0);
        Outcome::on(&socket, result)
    };
    recvfrom_without_a_unix_peer: Php(
        "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_recvfrom($s, $b, 10, 0, $a)"
    ) => || {
        let socket = unix(SOCK_STREAM);
        let result = socket_recvfrom(&socket, &mut Vec::new(), 10, 0);
        Outcome::on(&socket, result)
    };
    recvfrom_of_no_bytes: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_recvfrom($s, $b, 0, 0, $a, $p)"
    ) => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_recvfrom(&socket, &mut Vec::new(), 0, 0);
        Outcome::on(&socket, result)
    };
    recvfrom_of_more_than_there_is: Ours(
        ErrorKind::Silent,
        "socket_recvfrom(): there is no memory for so many bytes (PHP returns false and says nothing, or dies)"
    ) => || Outcome::of(socket_recvfrom(&inet(SOCK_DGRAM), &mut Vec::new(), usize::MAX, 0));
    recvfrom_refuses_a_family: Ours(
        ErrorKind::Value, "socket_recvfrom(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6"
    ) => || Outcome::of(socket_recvfrom(&common::foreign_socket(), &mut Vec::new(), 10, 0));

    select_of_nothing: Php("$r = $w = $e = null; socket_select($r, $w, $e, 0)") =>
        || Outcome::of(socket_select(None, None, None, 0, 0));
    select_of_empty_arrays: Php("$r = $w = $e = []; socket_select($r, $w, $e, 0)") => || {
        let mut none: Vec<&Socket> = Vec::new();
        Outcome::of(socket_select(Some(&mut none), None, None, 0, 0))
    };
    select_with_a_negative_time: Php("$r = [socket_create_listen(0)]; socket_select($r, $w, $e, -1)") => || {
        let listener = socket_create_listen(0, 1).unwrap();
        Outcome::of(socket_select(Some(&mut vec![&listener]), None, None, -1, 0))
    };
    select_with_a_quiet_code_warns: Injected(
        "pselect6,select:error=EAGAIN", "$r = [socket_create_listen(0)]; socket_select($r, $w, $e, 0)"
    ) => || {
        let listener = socket_create_listen(0, 1).unwrap();
        common::failing(libc::SYS_pselect6, SOCKET_EAGAIN, || Outcome::of(socket_select(Some(&mut vec![&listener]), None, None, 0, 0)))
    };
    select_of_a_high_descriptor: Php(
        "posix_setrlimit(POSIX_RLIMIT_NOFILE, 4096, 4096);
         do $k[] = socket_create(AF_UNIX, SOCK_STREAM, 0); while (!file_exists('/proc/self/fd/1100'));
         $r = [end($k)]; socket_select($r, $w, $e, 0)"
    ) => || {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock();
        common::raise_descriptor_limit();
        let socket = common::numbered(&unix(SOCK_STREAM), 1100);
        Outcome::of(socket_select(Some(&mut vec![&socket]), None, None, 0, 0))
    };
}

#[test]
fn every_site_is_provoked() {
    let literal =
        regex::Regex::new(r#"(?s)function:\s*"([^"]+)",\s*message:\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    let continued = regex::Regex::new(r"\\\n\s*").unwrap();
    // Those of a function that has an alias, which has them too.
    let shared = regex::Regex::new(r#"(?s)(get|set)_site!\(\s*called,\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    // An option that takes an array or a text, and another type.
    let options = regex::Regex::new(r#"no_(array|string)!\("(\w+)"\)"#).unwrap();
    // A value that is taken for another.
    let mistyped = regex::Regex::new(r#"mistyped!\("([^"]+)"\)"#).unwrap();
    let taken = regex::Regex::new(r"taken!\(self, (\w+)\)").unwrap();
    let first_line = |literal: &str| {
        let message = continued.replace_all(literal, "");
        message.split("\\n").next().unwrap_or_default().replace("\\\"", "\"")
    };
    let mut sites = BTreeSet::new();
    for (_, text) in common::sources() {
        for found in literal.captures_iter(&text) {
            sites.insert((found[1].to_owned(), first_line(&found[2])));
        }
        for found in shared.captures_iter(&text) {
            for function in [format!("socket_{}_option", &found[1]), format!("socket_{}opt", &found[1])] {
                sites.insert((function, first_line(&found[2])));
            }
        }
        for found in options.captures_iter(&text) {
            for given in ["int", if &found[1] == "array" { "string" } else { "array" }] {
                let message = format!(
                    "Argument #4 ($value) must be of type {} when argument #3 ($option) is {}, {given} given",
                    &found[1], &found[2]
                );
                for function in ["socket_set_option", "socket_setopt"] {
                    sites.insert((function.to_owned(), message.clone()));
                }
            }
        }
        let wanted = mistyped.captures_iter(&text).map(|found| found[1].to_owned());
        let structs = taken.captures_iter(&text).flat_map(|found| {
            ["int", "string", "array"].map(|given| format!("{}, {given} given", &found[1]))
        });
        for types in wanted.chain(structs) {
            let message = format!("the value must be of type {types}");
            sites.insert(("socket_get_option".to_owned(), message));
        }
    }
    assert!(sites.len() > 50, "the sources have sites: {}", sites.len());

    for case in ALL.iter().chain(&crate::errors_option::ALL).copied().flatten() {
        let site = *(case.run)().error.site();
        sites.retain(|(function, message)| {
            function != site.function || message != site.message.lines().next().unwrap_or_default()
        });
    }

    assert!(sites.is_empty(), "no test provokes {sites:#?}");
}

#[test]
fn a_message_leaves_nothing_open_but_numbers() {
    let hole = regex::Regex::new(r"\{(\w*)\}").unwrap();
    for case in ALL.iter().chain(&crate::errors_option::ALL).copied().flatten() {
        let error = (case.run)().error;
        let message = error.site().message;
        assert!(!error.message().contains(['{', '}']), "{}: {}", case.name, error.message());
        assert!(error.to_string().contains(&error.message()), "{}: {}", case.name, error.message());
        for found in hole.captures_iter(message) {
            assert!(["", "index", "address", "limit"].contains(&&found[1]), "{}: {message}", case.name);
        }
    }
}
