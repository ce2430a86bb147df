//! Lesson 11 beyond what it prints.

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common;
use crate::common::network::in_own_network;
use crate::stage::server::{PATIENCE, Server};
use crate::stage::twin::twins_of;

fn both() -> [Vec<OsString>; 2] {
    twins_of("11").map(|twin| twin.os_words())
}

/// The outcome for the clients of a backlog, by the first of two tables: connected, refused, reset, still trying.
fn row(text: &str, table: usize, backlog: u32) -> [u32; 4] {
    let table = text.split("still trying\n").nth(table).expect("the table");
    let numbers = |line: &str| line.split_whitespace().map(str::parse).collect::<Result<Vec<u32>, _>>();
    let rows = table.lines().map_while(|line| numbers(line).ok());
    let row = rows.into_iter().find(|row| row.first() == Some(&backlog)).expect("the row");
    [row[2], row[3], row[4], row[5]]
}

/// Clients that begin to connect, without waiting.
fn clients(port: u16, count: usize) -> Vec<Socket> {
    let client = |_| {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_set_nonblock(&client).expect("an option");
        let error = socket_connect(&client, "127.0.0.1", port).expect_err("it does not wait");
        assert_eq!(error.code(), SOCKET_EINPROGRESS);
        client
    };
    (0..count).map(client).collect()
}

/// The states of a client's socket in the kernel, as `/proc/net/tcp` and `ss -tan` show them.
const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;

/// The state is the first byte of `TCP_INFO`.
fn state(client: &Socket) -> u8 {
    let mut state = 0_u8;
    let mut length = 1;
    // SAFETY: the one byte and its length outlive the call, which writes no more than it is told.
    let status = unsafe {
        libc::getsockopt(
            client.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut length,
        )
    };
    assert_eq!(status, 0, "the state of a socket");
    state
}

/// Waits until the connect of a client has ended; how it ended.
fn outcome(client: &Socket) -> i32 {
    let mut write = vec![client];
    let patience = i64::try_from(PATIENCE.as_secs()).expect("a time");
    assert_eq!(socket_select(None, Some(&mut write), None, patience, 0).expect("no error"), 1);
    socket_get_option(client, SOL_SOCKET, SO_ERROR).expect("an option").int().expect("a number")
}

#[test]
fn myth_with_a_backlog_of_10_the_11th_client_is_refused() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 10).expect("listening");
    let clients = clients(name.port, 13);

    // The 11th is connected as the first ten are, and the kernel still tries for the others.
    for client in &clients[..11] {
        assert_eq!(outcome(client), 0);
        assert_eq!(state(client), ESTABLISHED);
    }
    for client in &clients[11..] {
        assert_eq!(state(client), SYN_SENT);
    }
    // They are not refused: with places for both, both get in.
    let _first = socket_accept(&listener).expect("a client");
    let _second = socket_accept(&listener).expect("a client");
    for client in &clients[11..] {
        assert_eq!(outcome(client), 0);
    }
}

#[test]
fn the_lesson_tells_of_the_11th_client_and_ends_within_seconds() {
    let begin = Instant::now();
    let runs = both().map(|twin| {
        let mut command = common::limited(twin[0].to_str().expect("UTF-8"));
        std::thread::spawn(move || command.args(&twin[1..]).output().expect("it runs"))
    });
    for run in runs {
        let output = run.join().expect("it ends");

        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(row(&text, 1, 10), [11, 0, 0, 2], "{text}");
        assert_eq!(row(&text, 2, 10), [13, 0, 0, 0], "{text}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success(), "{}", output.status);
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn even_a_backlog_of_0_lets_one_client_in() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 0).expect("listening");
    let clients = clients(name.port, 2);

    assert_eq!(outcome(&clients[0]), 0);
    assert_eq!(state(&clients[1]), SYN_SENT);
}

#[test]
fn a_listener_that_closes_resets_who_is_in_its_queue_and_refuses_who_still_tries() {
    let (listener, name) = common::bound(SOCK_STREAM);
    socket_listen(&listener, 0).expect("listening");
    let clients = clients(name.port, 2);
    assert_eq!(outcome(&clients[0]), 0);

    socket_close(listener);

    assert_eq!(outcome(&clients[0]), SOCKET_ECONNRESET);
    assert_eq!(outcome(&clients[1]), SOCKET_ECONNREFUSED);
}

#[test]
fn the_lesson_prints_what_the_kernel_did_where_somaxconn_is_smaller() {
    let setup = "file_put_contents('/proc/sys/net/core/somaxconn', '5')";
    for twin in both() {
        let command = in_own_network(setup, &twin, &[]);
        let lesson = Server::start_with(command, |line| line.starts_with("1. ").then_some(0));
        let text: String = (0..4).map(|_| lesson.line() + "\n").collect();

        assert_eq!(row(&text, 1, 10), [6, 0, 0, 7], "{text}");
        assert_eq!(row(&text, 1, 1), [2, 0, 0, 2], "{text}");
    }
}

#[test]
fn with_tcp_abort_on_overflow_nobody_is_refused_either() {
    let setup = "file_put_contents('/proc/sys/net/ipv4/tcp_abort_on_overflow', '1')";
    for twin in both() {
        let command = in_own_network(setup, &twin, &[]);
        let lesson = Server::start_with(command, |line| line.starts_with("1. ").then_some(0));
        let text: String = (0..4).map(|_| lesson.line() + "\n").collect();

        assert_eq!(row(&text, 1, 10), [11, 0, 0, 2], "{text}");
    }
}
