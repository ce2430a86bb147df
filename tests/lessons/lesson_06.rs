//! Lesson 06 beyond its demo: bytes, line ends, clients that vanish, what is too long or comes too slowly.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::shim::shimmed;
use crate::common::{self, Strace};
use crate::stage::server::{PATIENCE, Server, read_all, read_line, reset, write_all};
use crate::stage::twin::{built, text_of, twins_of};

/// Both twins, listening, with their second line read.
fn twins() -> [Server; 2] {
    twins_of("06").map(|twin| {
        let server = twin.start();
        let expected = format!("Second terminal: make client-06 ARGS=\"127.0.0.1 {}\"", server.port);
        assert_eq!(server.line(), expected);
        server
    })
}

/// Both twins as commands without arguments, under another program if one is given.
fn commands(wrapper: &[&str]) -> [Command; 2] {
    twins_of("06").map(|twin| twin.under(wrapper, &[]))
}

/// Runs both twins with these arguments to their end.
fn outputs(arguments: &[&OsStr]) -> [Output; 2] {
    commands(&[]).map(|mut command| command.args(arguments).output().expect("it runs"))
}

/// Sends all of it, ends the stream, and gives every answer.
fn answers(server: &Server, data: &[u8]) -> Vec<u8> {
    let client = server.connect();
    write_all(&client, data);
    socket_shutdown(&client, SHUT_WR).expect("the connection");
    read_all(&client)
}

/// Both twins of a lesson as commands, on a machine that takes at most three bytes of a write or send to a socket.
pub(crate) fn taking_three_bytes_at_a_time(number: &str) -> [Command; 2] {
    let rust = shimmed(&[("SHIM_WRITES", "3")], built(&format!("lesson-{number}")));

    // PHP's extensions look past preloaded libraries. But a script in a namespace calls the functions of that first.
    let script = text_of(number);
    let shortened = r"<?php
        namespace shortened;
        use Socket;
        function socket_write($socket, $data) { return \socket_write($socket, $data, 3); }
        function socket_send($socket, $data, $length, $flags) {
            return \socket_send($socket, $data, min($length, 3), $flags);
        }";
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{number}.php"));
    // Another run of the tests that is using the old one keeps it.
    let fresh = common::temporary::file(&script.replacen("<?php", shortened, 1));
    fresh.persist(&copy).expect("the copy");
    let mut php = common::php_command();
    php.arg(copy);
    [rust, php]
}

#[test]
fn it_reverses_bytes_whatever_they_mean() {
    for server in twins() {
        assert_eq!(answers(&server, b"hello\n"), b"olleh\n");
        assert_eq!(answers(&server, "né\n".as_bytes()), b"\xa9\xc3n\n");
        assert_eq!(answers(&server, b"\xff\xfea\x80\xc3\n"), b"\xc3\x80a\xfe\xff\n");
    }
}

#[test]
fn white_space_at_the_ends_is_trimmed_alike_by_both_twins() {
    for server in twins() {
        assert_eq!(answers(&server, b" \t\x0ca b\x0c\t \n"), b"b a\n");
        assert_eq!(answers(&server, b"\x0b\0a\0\x0b\n"), b"\x0b\0a\0\x0b\n");
    }
}

#[test]
fn every_line_end_ends_a_line_and_an_empty_line_has_no_answer() {
    for server in twins() {
        let data = b"one\r\ntwo\rthree\n\r\n\n \t\r\nfour\r\n";
        assert_eq!(answers(&server, data), b"eno\nowt\neerht\nruof\n");
    }
}

#[test]
fn the_last_line_without_its_end_is_answered_in_rust() {
    let [rust, _] = twins();

    assert_eq!(answers(&rust, b"one\nlost"), b"eno\ntsol\n");
}

#[test]
fn myth_socket_read_stops_at_newline_tab_or_nul() {
    let data = b"a\tb\0c\nd\re";
    let read = |mode| {
        let (here, there) = common::pair(SOCK_STREAM);
        socket_write(&here, data, None).expect("space");
        socket_read(&there, 100, mode).expect("data")
    };
    assert_eq!(read(PHP_BINARY_READ), data);
    assert_eq!(read(PHP_NORMAL_READ), b"a\tb\0c\n");

    let php = |mode: &str| {
        common::php(&format!(
            r#"socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair); socket_write($pair[0], "a\tb\0c\nd\re");
               echo bin2hex(socket_read($pair[1], 100 {mode}));"#
        ))
    };
    assert_eq!(php(""), "61096200630a640d65");
    assert_eq!(php(", PHP_NORMAL_READ"), "61096200630a");

    for server in twins() {
        assert_eq!(answers(&server, b"a\tb\0c\nd\r"), b"c\0b\ta\nd\n");
    }
}

#[test]
fn myth_one_write_is_one_read() {
    for server in twins() {
        let client = server.connect();
        // Each write leaves on its own.
        socket_set_option(&client, SOL_TCP, TCP_NODELAY, 1).expect("an option");
        assert_eq!(server.line(), "client 1: has come");
        for piece in ["st", "res", "sed\n"] {
            write_all(&client, piece.as_bytes());
        }
        assert_eq!(read_line(&client), "desserts\n", "three writes, one line");

        write_all(&client, b"one\ntwo\n");
        assert_eq!(read_line(&client), "eno\n", "one write, two lines");
        assert_eq!(read_line(&client), "owt\n");
    }
}

#[test]
fn a_line_without_end_is_answered_in_pieces_and_fills_no_memory() {
    const PIECES: usize = 1000;
    for server in twins() {
        assert_eq!(answers(&server, b"warm\n"), b"mraw\n");
        let before = server.resident();
        let client = server.connect();

        thread::scope(|scope| {
            scope.spawn(|| write_all(&client, &vec![b'x'; PIECES * 1024]));
            for _ in 0..PIECES {
                assert_eq!(read_line(&client), "x".repeat(1024) + "\n");
            }
        });

        let grown = server.resident().saturating_sub(before);
        assert!(grown < 500, "{grown} KiB more");
    }
}

#[test]
fn a_client_that_reads_late_gets_every_answer() {
    for server in twins() {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        // Small buffers and segments, here and so there: the server has to wait soon.
        for (level, option, value) in
            [(SOL_SOCKET, SO_RCVBUF, 4096), (SOL_SOCKET, SO_SNDBUF, 4096), (SOL_TCP, libc::TCP_MAXSEG, 536)]
        {
            socket_set_option(&client, level, option, value).expect("an option");
        }
        socket_connect(&client, "127.0.0.1", server.port).expect("a connection");
        socket_set_nonblock(&client).expect("a mode");
        let line = "0123456789".repeat(100) + "\n";
        let mut sent = 0;
        // It is stuck when it has taken nothing for a while.
        loop {
            match socket_write(&client, &line.as_bytes()[sent % line.len()..], None) {
                Ok(count) => sent += count,
                Err(error) => assert!(error.is_quiet(), "{error}"),
            }
            let mut writable = vec![&client];
            if socket_select(None, Some(&mut writable), None, 0, 200_000).expect("an answer") == 0 {
                break;
            }
        }
        socket_set_block(&client).expect("a mode");

        let answers = thread::scope(|scope| {
            scope.spawn(|| {
                write_all(&client, &line.as_bytes()[sent % line.len()..]);
                socket_shutdown(&client, SHUT_WR).expect("the connection");
            });
            read_all(&client)
        });

        let answer = "9876543210".repeat(100) + "\n";
        assert_eq!(answers, answer.repeat(sent / line.len() + 1).into_bytes());
    }
}

#[test]
fn an_answer_that_the_kernel_takes_piece_by_piece_is_whole() {
    for mut command in taking_three_bytes_at_a_time("06") {
        command.args(["127.0.0.1", "0"]);
        let server = Server::start(command);

        assert_eq!(answers(&server, b"abcdefghijklmnopqrstuvwxyz\n"), b"zyxwvutsrqponmlkjihgfedcba\n");
    }
}

#[test]
fn clients_that_vanish_end_their_own_conversation_only() {
    for server in twins() {
        let descriptors = server.descriptors();
        for data in [&b""[..], b"half a line", b"a line\n", &b"many\n".repeat(2000)] {
            let client = server.connect();
            write_all(&client, data);
            reset(client);
        }
        let silent = server.connect();
        socket_close(silent);

        assert_eq!(answers(&server, b"still here\n"), b"ereh llits\n");
        server.until_descriptors(descriptors);
    }
}

#[test]
fn who_comes_second_waits_for_the_first_to_go() {
    for server in twins() {
        let alice = server.connect();
        assert_eq!(server.line(), "client 1: has come");
        let bob = server.connect();
        write_all(&bob, b"bob\n");
        write_all(&alice, b"alice\n");
        assert_eq!(read_line(&alice), "ecila\n");
        assert_eq!(server.line(), "client 1: alice");
        socket_close(alice);

        assert_eq!(read_line(&bob), "bob\n");
        for line in ["client 1: has gone", "client 2: has come", "client 2: bob"] {
            assert_eq!(server.line(), line);
        }
    }
}

#[test]
fn what_a_client_sends_cannot_repaint_the_servers_screen() {
    for server in twins() {
        let client = server.connect();
        assert_eq!(server.line(), "client 1: has come");
        write_all(&client, b"\x1b[2J\x07\x08\xc2\x9b\x7f\tend\n");

        assert_eq!(server.line(), "client 1: ?[2J?????end");
    }
}

#[test]
fn a_server_that_waits_uses_no_processor_time() {
    for server in twins() {
        let client = server.connect();
        write_all(&client, b"hello\nhalf a li");
        assert_eq!(read_line(&client), "olleh\n");

        let before = server.ticks();
        thread::sleep(Duration::from_millis(300));
        let used = server.ticks() - before;
        assert!(used < 10, "{used} hundredths of a second of 30");
    }
}

#[test]
fn a_connection_given_up_or_a_signal_does_not_end_the_server() {
    for error in ["ECONNABORTED", "EINTR"] {
        let strace = Strace::injecting(&format!("accept,accept4:error={error}:when=1"));
        for mut command in commands(&strace.words()) {
            command.args(["127.0.0.1", "0"]);
            let server = Server::start(command);

            assert_eq!(answers(&server, b"still here\n"), b"ereh llits\n", "{error}");
        }
    }
}

#[test]
fn another_error_of_accept_ends_it_with_phps_sentence() {
    let strace = Strace::injecting("accept,accept4:error=ENFILE:when=1");
    for mut command in commands(&strace.words()) {
        let output = command.args(["127.0.0.1", "0"]).output().expect("it runs");

        let errors = String::from_utf8_lossy(&output.stderr);
        let sentence =
            "socket_accept(): unable to accept incoming connection [23]: Too many open files in system";
        assert!(errors.contains(sentence), "{errors}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn ctrl_c_ends_it() {
    for mut server in twins() {
        let pid = i32::try_from(server.pid()).expect("a process number");
        let begin = Instant::now();
        // SAFETY: the call takes numbers; the process is the server, which has not been waited for.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);

        assert!(!server.ended(), "a signal ends it");
        assert!(begin.elapsed() < PATIENCE);
    }
}

#[test]
fn a_port_that_is_none_is_one_sentence() {
    for port in [&b"http"[..], b"65536", b"-1", b"", b"80x", b"\xff"] {
        for output in outputs(&[OsStr::new("127.0.0.1"), OsStr::from_bytes(port)]) {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(errors, "The port has to be a number from 0 to 65535.\n");
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(output.stdout, b"");
        }
    }
}

#[test]
fn an_address_that_is_taken_is_phps_sentence() {
    let (_taken, port) = common::listener();
    for output in outputs(&[OsStr::new("127.0.0.1"), OsStr::new(&port.to_string())]) {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            errors.contains("socket_bind(): Unable to bind address [98]: Address already in use"),
            "{errors}"
        );
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"");
    }
}

#[test]
fn or_die_with_a_text_reports_success_and_with_a_number_that_status() {
    let status = |code: &str| {
        let output = common::limited(common::php_program()).args(["-r", code]).output().expect("php runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };

    assert_eq!(status("false or die('failed');"), (Some(0), "failed".to_owned()));
    assert_eq!(status("false or die(1);"), (Some(1), String::new()));
}
