//! Lesson 10 beyond its demo, and what all servers of the lessons have in common.

use std::ffi::{OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::{self, Strace};
use crate::stage::registry::lessons;
use crate::stage::server::{PATIENCE, Server, read_all, reset, write_all};
use crate::stage::twin::{Program, TWINS, twins_of};

/// A lesson of whose calls strace answers some, as its expression says.
pub(crate) fn with_injected(twin: &Program, calls: &str, answer: &str) -> Command {
    twin.under(&Strace::injecting(&format!("{calls}:{answer}")).words(), &["127.0.0.1", "0"])
}

pub(crate) fn with_accept_injected(twin: &Program, answer: &str) -> Command {
    with_injected(twin, "accept,accept4", answer)
}

/// A client that gave up while it waited, and a signal, are no end.
pub(crate) fn goes_on_after_what_accept_may_report(twin: &Program, is_served: impl Fn(&Server)) {
    for error in ["ECONNABORTED", "EINTR"] {
        let answer = format!("error={error}:when=1..2");
        is_served(&Server::start(with_accept_injected(twin, &answer)));
    }
}

/// The same, and what is wrong with the server or its machine is an end.
pub(crate) fn survives_what_accept_may_report(twin: &Program, is_served: impl Fn(&Server)) {
    goes_on_after_what_accept_may_report(twin, is_served);
    for (error, text) in [
        ("EMFILE", "[24]: Too many open files"),
        ("ENFILE", "[23]: Too many open files in system"),
        ("ENOBUFS", "[105]: No buffer space available"),
        ("ENOMEM", "[12]: Cannot allocate memory"),
        ("EINVAL", "[22]: Invalid argument"),
    ] {
        let mut command = with_accept_injected(twin, &format!("error={error}"));
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            format!("Error: socket_accept(): unable to accept incoming connection {text}\n")
        );
    }
}

fn twins() -> [Server; 2] {
    let twins = twins_of("10").map(|twin| twin.start());
    for server in &twins {
        assert!(server.line().starts_with("Second terminal: make client-10 ARGS=\"127.0.0.1 "));
    }
    twins
}

/// Says something and takes the whole answer.
fn says(client: &Socket, data: &[u8]) -> Vec<u8> {
    write_all(client, data);
    let mut answer = Vec::new();
    let length = data.len() + "OK ... ".len();
    socket_recv(client, &mut answer, length, MSG_WAITALL).expect("an answer");
    answer
}

/// Waits until all that a socket has sent has reached the other end's kernel.
fn until_delivered(socket: &Socket) {
    use std::os::fd::AsRawFd;
    let begin = Instant::now();
    loop {
        let mut left: c_int = 0;
        // SAFETY: `left` outlives the call, which writes it.
        assert_eq!(unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut left) }, 0);
        if left == 0 {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "{left} bytes are still on their way");
        thread::yield_now();
    }
}

#[test]
fn what_arrives_in_one_read_is_not_a_line() {
    for server in twins() {
        let alice = server.connect();
        // Half a line: it is answered, although no line has ended.
        assert_eq!(says(&alice, b"h"), b"OK ... h");
        assert_eq!(says(&alice, b"ello\n"), b"OK ... ello\n");

        // Two lines of a client that waits: they are one read.
        let bob = server.connect();
        write_all(&bob, b"one\n");
        until_delivered(&bob);
        write_all(&bob, b"two\n");
        until_delivered(&bob);
        socket_shutdown(&bob, SHUT_WR).expect("he has said it all");
        drop(alice);

        assert_eq!(read_all(&bob), b"OK ... one\ntwo\n");
        for line in ["client 1: has come", "client 1: has gone, answers: 2"] {
            assert_eq!(server.line(), line);
        }
        for line in ["client 2: has come", "client 2: has gone, answers: 1"] {
            assert_eq!(server.line(), line);
        }
    }
}

#[test]
fn the_second_client_waits_for_the_first_to_leave() {
    for server in twins() {
        let (alice, bob) = (server.connect(), server.connect());
        write_all(&bob, b"first!");
        until_delivered(&bob);
        // Alice has been answered three times since, and Bob not once.
        for _ in 0..3 {
            assert_eq!(says(&alice, b"still here"), b"OK ... still here");
        }
        socket_set_nonblock(&bob).expect("a socket");
        let early = socket_read(&bob, 100, PHP_BINARY_READ).expect_err("nothing yet");
        assert_eq!(early.code(), SOCKET_EAGAIN);
        socket_set_block(&bob).expect("a socket");

        drop(alice);

        assert_eq!(socket_read(&bob, 100, PHP_BINARY_READ).expect("his turn"), b"OK ... first!");
    }
}

#[test]
fn bytes_that_are_no_text_come_back_as_they_are() {
    for server in twins() {
        let client = server.connect();
        let bytes: Vec<u8> = (0..=255).collect();

        assert_eq!(says(&client, &bytes), [b"OK ... ".as_slice(), &bytes].concat());
        assert_eq!(says(&client, b"0"), b"OK ... 0");

        drop(client);
        assert_eq!(server.line(), "client 1: has come");
        assert_eq!(server.line(), "client 1: has gone, answers: 2");
    }
}

#[test]
fn a_line_without_end_to_a_client_that_reads_late_is_answered_whole_in_little_memory() {
    const LENGTH: usize = 12 << 20;
    for server in twins() {
        let client = server.connect();
        assert_eq!(says(&client, b"x"), b"OK ... x");
        let before = server.resident();
        let all = thread::scope(|scope| {
            scope.spawn(|| {
                write_all(&client, &vec![b'x'; LENGTH]);
                socket_shutdown(&client, SHUT_WR).expect("that is all");
            });
            // The client does not read until the server can write no more.
            let begin = Instant::now();
            let path = format!("/proc/{}/syscall", server.pid());
            let writing = format!("{} ", libc::SYS_write);
            while !std::fs::read_to_string(&path).expect("its system call").starts_with(&writing) {
                assert!(begin.elapsed() < PATIENCE, "the server is never stopped in a write");
                thread::yield_now();
            }
            read_all(&client)
        });

        let text = String::from_utf8(all).expect("UTF-8");
        assert!(text.starts_with("OK ... x"));
        let said = text.replace("OK ... ", "");
        assert_eq!(said.len(), LENGTH);
        assert!(said.bytes().all(|byte| byte == b'x'));
        let grown = server.resident().saturating_sub(before);
        assert!(grown < 2048, "{grown} KiB more");
    }
}

#[test]
fn clients_that_vanish_end_their_own_conversation_and_leave_nothing_behind() {
    for server in twins() {
        let before = server.descriptors();
        // In the middle of a conversation.
        let client = server.connect();
        assert_eq!(says(&client, b"hello"), b"OK ... hello");
        reset(client);
        assert_eq!(server.line(), "client 1: has come");
        let cause = "socket_read(): unable to read from socket [104]: Connection reset by peer";
        assert_eq!(server.line(), format!("client 1: {cause}"));
        // With answers that are not taken, and with bytes that are not read, at any moment.
        for number in 2..=40 {
            let client = server.connect();
            if number % 2 == 0 {
                write_all(&client, &[b'x'; 5000]);
            }
            if number % 3 == 0 {
                reset(client);
            } else {
                drop(client);
            }
            assert_eq!(server.line(), format!("client {number}: has come"));
            assert!(server.line().starts_with(&format!("client {number}: ")));
        }

        let client = server.connect();
        assert_eq!(says(&client, b"still there?"), b"OK ... still there?");
        drop(client);
        assert_eq!(server.line(), "client 41: has come");
        assert_eq!(server.line(), "client 41: has gone, answers: 1");
        server.until_descriptors(before);
    }
}

#[test]
fn it_does_not_spin_while_a_client_is_silent() {
    for server in twins() {
        let client = server.connect();
        assert_eq!(says(&client, b"x"), b"OK ... x");
        let before = server.ticks();
        // The window that is measured, no synchronisation: a loop that spins would use some 30 ticks of it.
        thread::sleep(Duration::from_millis(300));
        assert!(server.ticks() - before < 10);
    }
}

#[test]
fn ctrl_c_ends_it_while_it_waits_and_while_it_serves() {
    for served in [false, true] {
        for mut server in twins() {
            let client = served.then(|| server.connect());
            if let Some(client) = &client {
                assert_eq!(says(client, b"x"), b"OK ... x");
            }
            let pid = i32::try_from(server.pid()).expect("a process number");
            // SAFETY: the call takes numbers; the process has not been waited for.
            assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);

            assert!(!server.ended(), "a signal is no success");
            if let Some(client) = client {
                assert_eq!(read_all(&client), b"", "the kernel closes what it had open");
            }
        }
    }
}

#[test]
fn what_accept_may_report_of_a_client_does_not_end_it() {
    for twin in twins_of("10") {
        survives_what_accept_may_report(&twin, |server| {
            assert_eq!(says(&server.connect(), b"hello"), b"OK ... hello");
        });
    }
}

/// Each server in each language ends with status 1, one line, and nothing else, for these arguments.
fn every_server_refuses(address: &[u8], port: &[u8], sentence: &str) {
    for lesson in lessons().iter().filter(|lesson| lesson.server.is_some()) {
        for twin in TWINS {
            let mut command = lesson.program(twin).command(&[]);
            let folder = lesson.folder();
            let output = command.args([address, port].map(OsStr::from_bytes)).output().expect("it runs");

            assert_eq!(output.status.code(), Some(1), "{folder}");
            // PHP's own warning has more around the sentence.
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(errors.contains(sentence) && errors.lines().count() == 1, "{folder}: {errors}");
            assert_eq!(output.stdout, b"", "{folder}");
        }
    }
}

#[test]
fn a_port_that_is_none_gets_a_sentence_and_status_1() {
    for port in [&b"http"[..], b"65536", b"-1", b"", b" 1", b"1\n", b"1e2", b"++1", b"\xFF1"] {
        every_server_refuses(b"127.0.0.1", port, "The port has to be a number from 0 to 65535.");
    }
}

#[test]
fn a_port_with_leading_zeros_or_a_plus_is_that_port() {
    let (_holder, port) = common::listener();
    for port in [format!("0{port}"), format!("000000{port}"), format!("+{port}")] {
        every_server_refuses(
            b"127.0.0.1",
            port.as_bytes(),
            "socket_bind(): Unable to bind address [98]: Address already in use",
        );
    }
}

#[test]
fn an_address_in_use_gets_phps_sentence_and_status_1() {
    let (_holder, port) = common::listener();
    every_server_refuses(
        b"127.0.0.1",
        port.to_string().as_bytes(),
        "socket_bind(): Unable to bind address [98]: Address already in use",
    );
}

#[test]
fn an_address_of_another_machine_gets_phps_sentence_and_status_1() {
    every_server_refuses(
        b"192.0.2.1",
        b"0",
        "socket_bind(): Unable to bind address [99]: Cannot assign requested address",
    );
}

#[test]
fn an_address_that_is_not_utf_8_is_a_host_that_nobody_knows() {
    for twin in twins_of("10") {
        let mut command = twin.command(&[]);
        let arguments = [b"\xFF\xFE".as_slice(), b"0"].map(OsStr::from_bytes);
        let output = command.args(arguments).output().expect("it runs");

        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.starts_with(b"Error: socket_bind(): Host lookup failed [-1000"));
    }
}
