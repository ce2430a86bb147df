//! Lesson 09 beyond its demo.

use php_sockets::*;

use crate::lesson_10::survives_what_accept_may_report;
use crate::stage::server::{Server, read_all, reset};
use crate::stage::twin::twins_of;

fn twins() -> [Server; 2] {
    let twins = twins_of("09").map(|twin| twin.start());
    for server in &twins {
        assert!(server.line().starts_with("Second terminal: make client-09 ARGS=\"127.0.0.1 "));
    }
    twins
}

/// Sends a signal to the server itself.
fn signal(server: &Server, signal: i32) {
    let pid = i32::try_from(server.pid()).expect("a process number");
    // SAFETY: the call takes numbers; the process has not been waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

#[test]
fn the_caller_is_told_the_name_that_it_knows_of_itself() {
    for mut server in twins() {
        let client = server.connect();
        let own = socket_getsockname(&client).expect("a name");
        let other = socket_getpeername(&client).expect("a name");

        let told = String::from_utf8(read_all(&client)).expect("UTF-8");

        assert_eq!(told, format!("You are {own}\nYou have called {other}\n"));
        assert_eq!(server.line(), format!("Called by {own}"));
        assert!(server.ended());
    }
}

#[test]
fn a_call_that_is_broken_off_does_not_count() {
    for mut server in twins() {
        // The server stands still while one client breaks off and another connects.
        signal(&server, libc::SIGSTOP);
        reset(server.connect());
        let client = server.connect();
        signal(&server, libc::SIGCONT);

        let told = String::from_utf8(read_all(&client)).expect("UTF-8");

        let own = socket_getsockname(&client).expect("a name");
        assert!(told.starts_with(&format!("You are {own}\n")), "{told}");
        assert_eq!(server.line(), format!("Called by {own}"));
        assert!(server.ended());
    }
}

#[test]
fn a_caller_that_sends_what_nobody_reads_is_told_and_then_reset() {
    for mut server in twins() {
        signal(&server, libc::SIGSTOP);
        let client = server.connect();
        socket_write(&client, [0xFF; 1000], None).expect("space");
        signal(&server, libc::SIGCONT);

        assert!(server.ended());
        let told = socket_read(&client, 1024, PHP_BINARY_READ).expect("what came before the reset");
        let error = socket_read(&client, 1024, PHP_BINARY_READ).expect_err("a reset");

        assert!(told.starts_with(b"You are 127.0.0.1:"));
        assert_eq!(
            error.to_string(),
            "socket_read(): unable to read from socket [104]: Connection reset by peer"
        );
    }
}

#[test]
fn ctrl_c_ends_it_while_it_waits() {
    for mut server in twins() {
        signal(&server, libc::SIGINT);

        assert!(!server.ended(), "a signal is no success");
    }
}

#[test]
fn what_accept_may_report_of_a_client_does_not_end_it() {
    for twin in twins_of("09") {
        survives_what_accept_may_report(&twin, |server| {
            let told = read_all(&server.connect());
            assert!(told.starts_with(b"You are 127.0.0.1:"));
        });
    }
}

#[test]
fn it_says_which_address_was_called_when_it_listens_on_all() {
    for twin in twins_of("09") {
        let command = twin.command(&["0.0.0.0", "0"]);
        let server =
            Server::start_with(command, |line| line.strip_prefix("Listening on 0.0.0.0:")?.parse().ok());

        let told = String::from_utf8(read_all(&server.connect())).expect("UTF-8");

        assert!(told.ends_with(&format!("You have called 127.0.0.1:{}\n", server.port)), "{told}");
    }
}
