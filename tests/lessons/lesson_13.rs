//! Lesson 13 beyond its demo.

use php_sockets::*;

use crate::common;
use crate::server::{PATIENCE, Server, read_all, read_line, reset, write_all};

fn servers() -> [Server; 2] {
    let servers = [Server::rust(env!("CARGO_BIN_EXE_lesson-13")), Server::php("13-select-server")];
    for server in &servers {
        server.line();
    }
    servers
}

/// A client that has a place.
fn enter(server: &Server) -> Socket {
    let begin = std::time::Instant::now();
    loop {
        let client = server.connect();
        if read_line(&client).starts_with("Welcome, ") {
            return client;
        }
        assert!(begin.elapsed() < PATIENCE);
    }
}

fn says(client: &Socket, text: &str) -> String {
    write_all(client, text.as_bytes());
    read_line(client)
}

#[test]
fn lines_are_answered_however_they_arrive() {
    for server in servers() {
        let client = enter(&server);
        for byte in b"byte by byte\n" {
            write_all(&client, &[*byte]);
        }
        assert_eq!(read_line(&client), "OK ... byte by byte\n");

        write_all(&client, b"one\ntwo\r\n\nthr");
        let heard = [read_line(&client), read_line(&client)].concat();
        assert_eq!(heard, "OK ... one\nOK ... two\r");
        // PHP_NORMAL_READ, which reads here, ends at \r too.
        assert_eq!([read_line(&client), read_line(&client)], ["\n", "OK ... \n"]);
        assert_eq!(says(&client, "ee\n"), "OK ... three\n");

        write_all(&client, b"\xff\xfe\x00\n");
        assert_eq!(socket_read(&client, 100, PHP_NORMAL_READ), Ok(b"OK ... \xff\xfe\x00\n".to_vec()));
    }
}

#[test]
fn whoever_ends_its_side_gets_the_answers_to_the_end() {
    for server in servers() {
        let client = enter(&server);
        write_all(&client, b"one\nand the last");
        socket_shutdown(&client, SHUT_WR).expect("connected");

        assert_eq!(read_all(&client), b"OK ... one\nOK ... and the last\n");
    }
}

#[test]
fn a_line_without_end_ends_its_client_and_no_other() {
    for server in servers() {
        let (alice, bob) = (enter(&server), enter(&server));
        assert_eq!(says(&alice, &format!("{}\n", "x".repeat(1024))).len(), "OK ... ".len() + 1025);

        let _ = socket_write(&alice, vec![b'x'; 5000], None);

        assert_eq!(read_line(&alice), "Goodbye, a line has at most 1024 bytes.\n");
        assert_eq!(says(&bob, "still there?\n"), "OK ... still there?\n");
    }
}

#[test]
fn a_reset_makes_room_and_leaves_no_descriptor() {
    for server in servers() {
        let (alice, bob) = (enter(&server), enter(&server));
        let before = server.descriptors();
        for _ in 0..20 {
            reset(enter(&server));
        }

        server.until_descriptors(before);
        assert_eq!(says(&alice, "still there?\n"), "OK ... still there?\n");
        assert_eq!(says(&bob, "and I?\n"), "OK ... and I?\n");
    }
}

#[test]
fn myth_socket_write_sends_it_all() {
    // A full send buffer takes a part, and then nothing.
    let (here, _there) = common::connection();
    socket_set_nonblock(&here).expect("an open socket");
    let data = vec![b'x'; 64 << 20];
    let sent = socket_write(&here, &data, None).expect("room for some");
    assert!(sent < data.len(), "{sent}");

    // The server keeps what a client does not read yet, up to its bound, and everybody else is served.
    for server in servers() {
        let (sleeper, alice) = (enter(&server), enter(&server));
        socket_set_nonblock(&sleeper).expect("an open socket");
        let lines = b"0123456789\n".repeat(5000);
        let begin = std::time::Instant::now();
        let dropped = loop {
            let written = socket_write(&sleeper, &lines, None);
            assert_eq!(says(&alice, "still there?\n"), "OK ... still there?\n");
            if written.is_err_and(|error| !error.is_quiet()) {
                break true;
            }
            assert!(begin.elapsed() < PATIENCE, "it is never dropped");
        };
        assert!(dropped);
        loop {
            let line = server.line();
            if line == "client 1: dropped, more than 65536 bytes wait for it" {
                break;
            }
        }
    }
}

#[test]
fn myth_the_select_server_makes_a_thread_per_client() {
    for server in servers() {
        let _clients = [enter(&server), enter(&server), enter(&server)];

        let pid = server.pid();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").count();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("its children");
        assert_eq!((threads, children.as_str()), (1, ""));
    }
}

#[test]
fn an_idle_server_uses_no_processor_time_even_if_its_table_is_full() {
    for server in servers() {
        let _clients = [enter(&server), enter(&server), enter(&server)];
        let before = server.ticks();
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(server.ticks() - before <= 3, "{} hundredths of a second", server.ticks() - before);
    }
}

#[test]
fn without_descriptors_the_server_neither_spins_nor_ends_and_takes_clients_again_later() {
    for server in servers() {
        let alice = enter(&server);
        // All numbers below the limit are taken.
        let free =
            |number: &u32| !std::path::Path::new(&format!("/proc/{}/fd/{number}", server.pid())).exists();
        let limit = format!("--nofile={}", (0..).find(free).expect("a free number"));
        let pid = format!("--pid={}", server.pid());
        let old = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).expect("its limits");
        let old = old.lines().find(|line| line.starts_with("Max open files")).expect("the row");
        let old: Vec<&str> = old["Max open files".len()..].split_whitespace().collect();
        let prlimit = |limit: &str| {
            let status = common::limited("prlimit").args([&pid, limit]).status();
            assert!(status.expect("it runs").success());
        };
        prlimit(&format!("{limit}:{}", old[1]));

        let bob = server.connect();
        let mut line = server.line();
        while !line.contains("[24]") {
            line = server.line();
        }
        assert_eq!(line, "socket_accept(): unable to accept incoming connection [24]: Too many open files");
        let before = server.ticks();
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(server.ticks() - before <= 3, "{} hundredths of a second", server.ticks() - before);
        assert_eq!(says(&alice, "still there?\n"), "OK ... still there?\n");

        prlimit(&format!("--nofile={}:{}", old[0], old[1]));
        drop(alice);
        assert!(read_line(&bob).starts_with("Welcome, "));
    }
}

#[test]
fn myth_unset_then_socket_close_closes() {
    let thrown = common::php_failure(
        "$clients = [socket_create(AF_INET, SOCK_STREAM, 0)]; unset($clients[0]); @socket_close($clients[0])",
    )
    .thrown;

    let expected = "socket_close(): Argument #1 ($socket) must be of type Socket, null given";
    assert_eq!(thrown.as_deref(), Some(expected));
    // In Rust, `remove` hands the client out, and closing it is what happens when nobody keeps it.
    let (here, there) = common::pair(SOCK_STREAM);
    let mut clients = std::collections::BTreeMap::from([(1, here)]);
    clients.remove(&1);
    assert_eq!(socket_read(&there, 10, PHP_BINARY_READ), Ok(Vec::new()));
}

#[test]
fn myth_select_scales() {
    let done = common::in_child(|| {
        common::raise_descriptor_limit();
        let sockets: Vec<Socket> = (0..1100).map(|_| common::pair(SOCK_DGRAM).0).collect();
        let mut low: Vec<&Socket> = sockets.iter().take(10).collect();
        assert_eq!(socket_select(Some(&mut low), None, None, 0, 0).expect("descriptors below 1024"), 0);

        let mut all: Vec<&Socket> = sockets.iter().collect();
        let error = socket_select(Some(&mut all), None, None, 0, 0).unwrap_err();
        assert!(error.to_string().contains("FD_SETSIZE"));
        assert_eq!(all.len(), 1100);
        0
    });

    assert_eq!(done, 0);
}
