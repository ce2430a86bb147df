//! Lesson 12 beyond its demo.

use php_sockets::*;

use crate::common;
use crate::server::{PATIENCE, Server, read_all, read_line, reset, write_all};

fn servers() -> [Server; 2] {
    let servers = [Server::rust(env!("CARGO_BIN_EXE_lesson-12")), Server::php("12-threads")];
    for server in &servers {
        server.line();
    }
    servers
}

fn says(client: &Socket, text: &str) -> String {
    write_all(client, text.as_bytes());
    read_line(client)
}

/// Waits until the server has room for a client that it serves.
fn enter(server: &Server) -> Socket {
    let begin = std::time::Instant::now();
    loop {
        let client = server.connect();
        // Whoever is turned away may find the connection closed before it has said anything.
        if socket_write(&client, "hello\n", None).is_ok()
            && socket_read(&client, 100, PHP_NORMAL_READ).is_ok_and(|line| line == b"OK ... hello\n")
        {
            return client;
        }
        assert!(begin.elapsed() < PATIENCE);
    }
}

#[test]
fn no_client_waits_for_another() {
    for server in servers() {
        let clients = [enter(&server), enter(&server), enter(&server)];
        for client in clients.iter().rev() {
            assert_eq!(says(client, "still there?\n"), "OK ... still there?\n");
        }
    }
}

#[test]
fn the_fourth_is_turned_away_and_whoever_leaves_makes_room() {
    for server in servers() {
        let clients = [enter(&server), enter(&server), enter(&server)];
        assert_eq!(read_all(&server.connect()), b"Sorry, 3 clients are here already. Come back later.\n");
        let [first, ..] = clients;

        reset(first);

        enter(&server);
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_itself_alone() {
    for server in servers() {
        let sleeper = enter(&server);
        socket_set_nonblock(&sleeper).expect("an open socket");
        let data = [b'x'; 65536];
        // Until its own answers block its thread, and the thread does not read any more.
        let begin = std::time::Instant::now();
        let mut full = 0;
        while full < 1000 {
            match socket_write(&sleeper, data, None) {
                Ok(_) => full = 0,
                Err(_) => full += 1,
            }
            std::thread::yield_now();
            assert!(begin.elapsed() < PATIENCE);
        }

        assert_eq!(says(&enter(&server), "still there?\n"), "OK ... still there?\n");
    }
}

#[test]
fn clients_that_come_and_go_leave_no_descriptor_no_thread_and_no_zombie() {
    for server in servers() {
        let before = server.descriptors();
        for _ in 0..50 {
            drop(enter(&server));
        }
        reset(enter(&server));

        server.until_descriptors(before);
        let pid = server.pid();
        let begin = std::time::Instant::now();
        let left = || {
            let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").count();
            let children =
                std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("its children");
            threads - 1 + children.split_whitespace().count()
        };
        while left() > 0 {
            assert!(begin.elapsed() < PATIENCE, "{} threads or processes", left());
            std::thread::yield_now();
        }
    }
}

#[test]
fn without_threads_and_processes_a_client_is_turned_away_and_the_server_stays() {
    let main = common::root().join("lessons/12-threads/main.php");
    for own in [vec![env!("CARGO_BIN_EXE_lesson-12")], vec!["php", main.to_str().expect("UTF-8")]] {
        let mut command = common::limited("strace");
        command.args(["-qq", "-o", "/dev/null", "-e", "inject=clone,clone3,fork,vfork:error=EAGAIN"]);
        let server = Server::start({
            command.args(own).args(["127.0.0.1", "0"]);
            command
        });
        server.line();

        for number in 1..=5 {
            assert_eq!(read_all(&server.connect()), b"Sorry, the server is busy. Come back later.\n");
            let line = server.line();
            assert!(line.starts_with(&format!("client {number}: turned away, no ")), "{line}");
            assert!(line.contains("Resource temporarily unavailable"), "{line}");
        }
    }
}
