//! Section 1.1 to 1.4 where only a system call that is made to fail shows it: strace does it to PHP, a seccomp filter
//! to a thread of ours.

use std::ffi::{c_int, c_long};

use php_sockets::*;

use crate::common::codes::name;
use crate::common::{self, Failure};

/// A call, and the system call that is to fail.
struct Row {
    /// PHP code; `$s` is the socket whose slot matters, `$peer` its peer.
    php: &'static str,
    /// The system call's names, as strace knows it.
    strace: &'static str,
    /// Its number.
    number: c_long,
    /// The same in Rust: the socket whose slot matters, its peer, and the result of the call.
    rust: fn(&Socket) -> Result<()>,
    /// The message that PHP has for it.
    message: &'static str,
}

/// Calls on one end of an `AF_UNIX` pair, or on no socket at all. Their errors are quiet for EAGAIN and EINPROGRESS.
const QUIET: &[Row] = &[
    Row {
        php: "socket_accept($s)",
        strace: "accept,accept4",
        number: libc::SYS_accept4,
        rust: |s| socket_accept(s).map(drop),
        message: "socket_accept(): unable to accept incoming connection",
    },
    Row {
        php: "socket_connect($s, '/nowhere')",
        strace: "connect",
        number: libc::SYS_connect,
        rust: |s| socket_connect(s, "/nowhere", None),
        message: "socket_connect(): unable to connect",
    },
    Row {
        php: "socket_read($s, 10)",
        strace: "recvfrom",
        number: libc::SYS_recvfrom,
        rust: |s| socket_read(s, 10, PHP_BINARY_READ).map(drop),
        message: "socket_read(): unable to read from socket",
    },
    Row {
        php: "socket_recv($s, $d, 10, 0)",
        strace: "recvfrom",
        number: libc::SYS_recvfrom,
        rust: |s| socket_recv(s, &mut Vec::new(), 10, 0).map(drop),
        message: "socket_recv(): Unable to read from socket",
    },
    Row {
        php: "socket_recvfrom($s, $d, 10, 0, $a)",
        strace: "recvfrom",
        number: libc::SYS_recvfrom,
        rust: |s| socket_recvfrom(s, &mut Vec::new(), 10, 0).map(drop),
        message: "socket_recvfrom(): Unable to recvfrom",
    },
    Row {
        php: "socket_write($s, 'x')",
        strace: "write",
        number: libc::SYS_write,
        rust: |s| socket_write(s, "x", None).map(drop),
        message: "socket_write(): unable to write to socket",
    },
    Row {
        php: "socket_send($s, 'x', 1, 0)",
        strace: "sendto",
        number: libc::SYS_sendto,
        rust: |s| socket_send(s, "x", 1, 0).map(drop),
        message: "socket_send(): Unable to write to socket",
    },
    Row {
        php: "socket_sendto($s, 'x', 1, 0, '/nowhere')",
        strace: "sendto",
        number: libc::SYS_sendto,
        rust: |s| socket_sendto(s, "x", 1, 0, "/nowhere", None).map(drop),
        message: "socket_sendto(): Unable to write to socket",
    },
    Row {
        php: "socket_bind($s, '/tmp')",
        strace: "bind",
        number: libc::SYS_bind,
        rust: |s| socket_bind(s, "/tmp", 0),
        message: "socket_bind(): Unable to bind address",
    },
    Row {
        php: "socket_listen($s)",
        strace: "listen",
        number: libc::SYS_listen,
        rust: |s| socket_listen(s, 0),
        message: "socket_listen(): unable to listen on socket",
    },
    Row {
        php: "socket_shutdown($s)",
        strace: "shutdown",
        number: libc::SYS_shutdown,
        rust: |s| socket_shutdown(s, SHUT_RDWR),
        message: "socket_shutdown(): Unable to shutdown socket",
    },
    Row {
        php: "socket_getsockname($s, $a)",
        strace: "getsockname",
        number: libc::SYS_getsockname,
        rust: |s| socket_getsockname(s).map(drop),
        message: "socket_getsockname(): unable to retrieve socket name",
    },
    Row {
        php: "socket_getpeername($s, $a)",
        strace: "getpeername",
        number: libc::SYS_getpeername,
        rust: |s| socket_getpeername(s).map(drop),
        message: "socket_getpeername(): unable to retrieve peer name",
    },
    Row {
        php: "socket_set_block($s)",
        strace: "fcntl",
        number: libc::SYS_fcntl,
        rust: socket_set_block,
        message: "socket_set_block(): unable to set blocking mode",
    },
    Row {
        php: "socket_set_nonblock($s)",
        strace: "fcntl",
        number: libc::SYS_fcntl,
        rust: socket_set_nonblock,
        message: "socket_set_nonblock(): unable to set nonblocking mode",
    },
    Row {
        php: "socket_create_listen(0)",
        strace: "socket",
        number: libc::SYS_socket,
        rust: |_| socket_create_listen(0, 5).map(drop),
        message: "socket_create_listen(): unable to create listening socket",
    },
    Row {
        php: "socket_create_listen(0)",
        strace: "bind",
        number: libc::SYS_bind,
        rust: |_| socket_create_listen(0, 5).map(drop),
        message: "socket_create_listen(): unable to bind to given address",
    },
    Row {
        php: "socket_create_listen(0)",
        strace: "listen",
        number: libc::SYS_listen,
        rust: |_| socket_create_listen(0, 5).map(drop),
        message: "socket_create_listen(): unable to listen on socket",
    },
];

/// The calls whose errors PHP prints whatever the code.
const LOUD: &[Row] = &[
    Row {
        php: "socket_create(AF_UNIX, SOCK_STREAM, 0)",
        strace: "socket",
        number: libc::SYS_socket,
        rust: |_| socket_create(AF_UNIX, SOCK_STREAM, 0).map(drop),
        message: "socket_create(): Unable to create socket",
    },
    Row {
        php: "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair)",
        strace: "socketpair",
        number: libc::SYS_socketpair,
        rust: |_| socket_create_pair(AF_UNIX, SOCK_STREAM, 0).map(drop),
        message: "socket_create_pair(): Unable to create socket pair",
    },
    Row {
        php: "$r = [$s]; $w = $e = null; socket_select($r, $w, $e, 0)",
        strace: "select,pselect6",
        number: libc::SYS_pselect6,
        rust: |s| socket_select(Some(&mut vec![s]), None, None, 0, 0).map(drop),
        message: "socket_select(): Unable to select",
    },
];

/// Plays a row in PHP; the `which` of its system calls fails, `""` for all.
fn in_php(row: &Row, code: c_int, which: &str) -> Failure {
    let which = match row.strace {
        "socketpair" => ":when=2", // the first one makes `$s`
        "write" => ":when=1",      // the second one prints the result
        _ => which,
    };
    let call = format!("socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); [$s, $peer] = $p; {}", row.php);
    common::php_failure_with(&format!("{}:error={}{which}", row.strace, name(code)), &call)
}

fn in_rust(row: &Row, code: c_int) -> Failure {
    let (socket, _peer) = common::pair(SOCK_STREAM);
    common::failing(row.number, code, || {
        let error = (row.rust)(&socket).unwrap_err();
        assert_eq!(error.is_quiet(), error.kind() == ErrorKind::Quiet);
        Failure {
            warning: (error.kind() == ErrorKind::Warning).then(|| error.to_string()),
            thrown: None,
            last: i64::from(socket_last_error(None)),
            own: Some(i64::from(socket_last_error(&socket))),
        }
    })
}

/// Both fail alike; gives what they remembered and printed.
#[track_caller]
fn alike(row: &Row, code: c_int, which: &str) -> Failure {
    let php = in_php(row, code, which);
    assert_eq!(in_rust(row, code), php, "left is Rust, right is PHP, at {} with {}", row.php, name(code));
    php
}

/// The rows whose errors are of a system call that transfers data or makes a connection.
fn data() -> impl Iterator<Item = &'static Row> {
    QUIET[..8].iter()
}

#[test]
fn every_message_is_phps_and_every_code_goes_into_the_same_slots() {
    // 1.2 and 1.4, row by row
    for row in QUIET.iter().chain(LOUD) {
        let failure = alike(row, SOCKET_EIO, "");

        assert_eq!(failure.warning, Some(format!("{} [5]: Input/output error", row.message)));
        assert_eq!(failure.last, 5);
        let has_own =
            !row.php.contains("create") && !row.php.contains("select") && !row.php.contains("accept");
        assert_eq!(failure.own, Some(if has_own { 5 } else { 0 }), "{}", row.php);
    }
}

#[test]
fn eagain_is_remembered_and_not_printed() {
    // 1.3: EAGAIN (EWOULDBLOCK is the same number) is recorded and prints nothing, wherever "Record" is used
    assert_eq!(SOCKET_EAGAIN, SOCKET_EWOULDBLOCK);
    for row in QUIET {
        let failure = alike(row, SOCKET_EAGAIN, "");
        assert_eq!((failure.warning, failure.last), (None, 11), "{}", row.php);
    }
}

#[test]
fn einprogress_is_remembered_and_not_printed() {
    // 1.3: so is EINPROGRESS
    for row in data() {
        let failure = alike(row, SOCKET_EINPROGRESS, "");
        assert_eq!((failure.warning, failure.last), (None, 115), "{}", row.php);
    }
}

#[test]
fn create_and_select_print_even_quiet_codes() {
    // 1.2: create, create_pair, select: the warning is printed always
    for row in LOUD {
        for code in [SOCKET_EAGAIN, SOCKET_EINPROGRESS] {
            assert!(alike(row, code, "").warning.is_some(), "{}", row.php);
        }
    }
}

#[test]
fn every_other_code_is_printed() {
    // 1.3: EALREADY, EISCONN, ECONNRESET, EPIPE all warn (EINTR: the next test)
    for (row, code) in
        data().zip([SOCKET_EALREADY, SOCKET_EISCONN, SOCKET_ECONNRESET, SOCKET_EPIPE].into_iter().cycle())
    {
        assert!(alike(row, code, "").warning.is_some(), "{} with {code}", row.php);
    }
}

#[test]
fn an_interrupted_call_is_not_tried_again() {
    // [V] 1.1: no function retries EINTR; it is an ordinary failure with a warning
    // 2.18: select too. Only the first system call is interrupted: PHP makes no second one.
    for row in data().chain(LOUD) {
        let failure = alike(row, SOCKET_EINTR, ":when=1");
        assert!(
            failure.warning.is_some_and(|text| text.ends_with("[4]: Interrupted system call")),
            "{}",
            row.php
        );
        assert_eq!(failure.last, 4);
    }
}

#[test]
fn a_real_signal_interrupts_a_waiting_call() {
    // [V] 1.1: the same with a signal, which another process or thread sends until the call is over
    let php = common::php_failure(
        "pcntl_signal(SIGUSR1, fn () => null, false); socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0];
         $waiting = getmypid(); $other = pcntl_fork();
         if ($other === 0) { while (posix_kill($waiting, SIGUSR1)) { usleep(5000); } exit; }
         socket_read($s, 10); posix_kill($other, SIGKILL); pcntl_waitpid($other, $status)",
    );

    let (socket, _peer) = common::pair(SOCK_STREAM);
    let ours = common::interrupted(|| {
        let error = socket_read(&socket, 10, PHP_BINARY_READ).unwrap_err();
        Failure {
            warning: Some(error.to_string()),
            thrown: None,
            last: i64::from(socket_last_error(None)),
            own: Some(i64::from(socket_last_error(&socket))),
        }
    });
    assert_eq!(ours, php);
}
