//! Lesson 12 beyond its demo: a thread for each client, or in PHP a process, under abuse and load.

use std::time::Instant;

use php_sockets::*;

use crate::common::Strace;
use crate::compiler::{broken, compiler_says};
use crate::lesson_10::{goes_on_after_what_accept_may_report, with_accept_injected};
use crate::lesson_13::{
    refuses_bad_arguments, talks_until_it_fails_and_reads, twins_that_write_little, until_idle,
};
use crate::stage::registry::lesson;
use crate::stage::server::{PATIENCE, Server, read_all, read_line, reset, write_all};
use crate::stage::twin::{Program, Twin, twins_of};

const FULL: &str = "Sorry, 3 clients are here already. Come back later.\n";

fn twins(test: impl Fn(Server)) {
    for twin in twins_of("12") {
        test(twin.start());
    }
}

fn begin(server: &Server) {
    assert_eq!(server.line(), format!("Second terminal: make client-12 ARGS=\"127.0.0.1 {}\"", server.port));
}

/// Connects, and waits until the client's thread says what it costs: the time and the memory.
fn come(server: &Server, number: u64) -> (Socket, u64, u64) {
    let client = server.connect();
    let line = server.line();
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [time, memory] = numbers[..] else { panic!("{line}") };
    assert_eq!(
        line,
        format!("client {number}: has come; ready in {time} microseconds, {memory} KiB of its own")
    );
    (client, time, memory)
}

fn asks(client: &Socket, question: &str) {
    write_all(client, format!("{question}\n").as_bytes());
    assert_eq!(read_line(client), format!("OK ... {question}\n"));
}

/// The processes that a server has started and not waited for, those that have ended included.
fn children(server: &Server) -> Vec<String> {
    let pid = server.pid();
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}

/// Its threads and child processes beyond the first.
fn helpers(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().count() - 1 + children(server).len()
}

fn until_helpers(server: &Server, wanted: usize) {
    let begin = Instant::now();
    while helpers(server) != wanted {
        assert!(begin.elapsed() < PATIENCE, "{} helpers, not {wanted}", helpers(server));
        std::thread::yield_now();
    }
}

#[test]
fn each_client_has_a_thread_or_a_process_that_ends_with_it() {
    twins(|server| {
        begin(&server);
        let idle = server.descriptors();
        for round in 0..10 {
            // Places are free again as soon as the threads have gone, and no child stays a zombie.
            until_helpers(&server, 0);
            let clients: Vec<Socket> = (1..=3).map(|number| come(&server, round * 3 + number).0).collect();
            assert_eq!(helpers(&server), 3);
            for client in clients.iter().rev() {
                asks(client, "hello");
            }
            for client in clients {
                socket_close(client);
                assert!(server.line().ends_with(": has gone, answers: 1"));
            }
        }
        until_helpers(&server, 0);
        server.until_descriptors(idle);
        until_idle(&server);
    });
}

#[test]
fn what_a_client_costs_is_measured() {
    let cost = |server: Server| {
        begin(&server);
        // The best of some, since others run on this machine too.
        let clients: Vec<(Socket, u64, u64)> = (1..=3).map(|number| come(&server, number)).collect();
        (
            clients.iter().map(|client| client.1).min().unwrap(),
            clients.iter().map(|client| client.2).min().unwrap(),
        )
    };
    let (thread_time, thread_memory) = cost(Program::of("12", Twin::Rust).start());
    let (process_time, process_memory) = cost(Program::of("12", Twin::Php).start());

    assert!((4..60).contains(&thread_memory), "a thread's stack and a little more: {thread_memory} KiB");
    assert!((60..2000).contains(&process_memory), "what the child wrote to: {process_memory} KiB");
    assert!(thread_time > 0 && process_time > 0);
}

#[test]
fn others_are_served_though_one_does_not_read_and_one_does_not_speak() {
    twins(|server| {
        begin(&server);
        let (_silent, ..) = come(&server, 1);
        let (deaf, ..) = come(&server, 2);
        let (polite, ..) = come(&server, 3);
        socket_set_nonblock(&deaf).unwrap();
        let data = b"x".repeat(65536);
        while socket_write(&deaf, &data, None).is_ok() {}

        asks(&polite, "are you there?");
        let turned_away = server.connect();
        assert_eq!(read_line(&turned_away), FULL);
        assert_eq!(server.line(), "client 4: turned away, 3 are here");
        asks(&polite, "still?");
        assert!(server.resident() < 60 << 10, "{} KiB", server.resident());
    });
}

#[test]
fn a_client_that_reads_late_gets_every_byte() {
    twins(|server| {
        const SIZE: usize = 4 << 20;
        begin(&server);
        let (client, ..) = come(&server, 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                write_all(&client, &vec![b'x'; SIZE]);
                socket_shutdown(&client, SHUT_WR).unwrap();
            });
            // It does not read before its own buffer is half full.
            let mut seen = Vec::new();
            socket_recv(&client, &mut seen, 65536, MSG_PEEK | MSG_WAITALL).unwrap();
            assert_eq!(seen.len(), 65536);

            let heard = read_all(&client);
            let heard = String::from_utf8(heard).unwrap();
            assert_eq!(heard.matches('x').count(), SIZE);
            let answers = heard.matches("OK ... ").count();
            assert_eq!(server.line(), format!("client 1: has gone, answers: {answers}"));
        });
    });
}

#[test]
fn when_a_write_takes_little_the_rest_follows() {
    twins_that_write_little("12", |server| {
        begin(&server);
        let (client, ..) = come(&server, 1);
        asks(&client, "a question of more than 7 bytes");
        write_all(&client, b"last");
        socket_shutdown(&client, SHUT_WR).unwrap();

        assert_eq!(read_all(&client), b"OK ... last");
        assert_eq!(server.line(), "client 1: has gone, answers: 2");
    });
}

#[test]
fn a_client_that_vanishes_ends_its_own_conversation_only() {
    twins(|server| {
        begin(&server);
        let (stays, ..) = come(&server, 1);
        let (vanishes, ..) = come(&server, 2);
        asks(&vanishes, "hello");
        reset(vanishes);

        assert_eq!(
            server.line(),
            "client 2: socket_read(): unable to read from socket [104]: Connection reset by peer"
        );
        asks(&stays, "still here?");
        until_helpers(&server, 1);
        asks(&come(&server, 3).0, "and I?");
    });
}

#[test]
fn a_client_for_whom_no_thread_can_be_started_is_turned_away() {
    for twin in twins_of("12") {
        let reason = match twin.twin {
            Twin::Rust => "no thread: Resource temporarily unavailable (os error 11)",
            Twin::Php => "no process: Resource temporarily unavailable",
        };
        let strace = Strace::injecting("clone,clone3,fork,vfork:error=EAGAIN");
        let server = Server::start(twin.under(&strace.words(), &["127.0.0.1", "0"]));
        begin(&server);
        for number in 1..=5 {
            let client = server.connect();
            let heard = read_all(&client);
            assert_eq!(String::from_utf8_lossy(&heard), "Sorry, the server is busy. Come back later.\n");
            assert_eq!(server.line(), format!("client {number}: turned away, {reason}"));
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_come_back_and_never_reach_the_servers_terminal() {
    twins(|server| {
        begin(&server);
        let (client, ..) = come(&server, 1);

        write_all(&client, b"\x1b[2J\x00\xff\xc3\n");

        let mut heard = Vec::new();
        socket_recv(&client, &mut heard, 15, MSG_WAITALL).unwrap();
        assert_eq!(heard, b"OK ... \x1b[2J\x00\xff\xc3\n");
        socket_close(client);
        assert_eq!(server.line(), "client 1: has gone, answers: 1");
    });
}

#[test]
fn ctrl_c_ends_it_and_all_that_serve() {
    twins(|mut server| {
        begin(&server);
        let (alice, ..) = come(&server, 1);
        let (bob, ..) = come(&server, 2);
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
        let group: i32 = stat.rsplit(") ").next().unwrap().split(' ').nth(2).unwrap().parse().unwrap();

        // As the terminal does it: to the whole group, which `timeout` leads.
        // SAFETY: `kill` takes numbers; the group is this test's.
        assert_eq!(unsafe { libc::kill(-group, libc::SIGINT) }, 0);

        assert_eq!(read_all(&alice), b"");
        assert_eq!(read_all(&bob), b"");
        assert!(!server.ended(), "by the signal");
    });
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    let complaint = broken("12-threads");

    assert!(complaint.contains("error[E0373]: closure may outlive the current function"), "{complaint}");
}

#[test]
fn with_rc_instead_of_arc_it_does_not_compile() {
    let text = lesson("12").file("main.rs");
    let complaint = compiler_says(&text.replace("sync::Arc", "rc::Rc").replace("Arc::", "Rc::"));

    assert!(complaint.contains("error[E0277]: `Rc<"), "{complaint}");
    assert!(complaint.contains("cannot be sent between threads safely"), "{complaint}");
}

#[test]
fn arguments_that_cannot_be_used_get_a_sentence() {
    refuses_bad_arguments("12");
}

#[test]
fn what_accept_may_report_of_a_client_does_not_end_it() {
    for twin in twins_of("12") {
        goes_on_after_what_accept_may_report(&twin, |server| {
            begin(server);
            asks(&come(server, 1).0, "hello");
        });
    }
}

#[test]
fn without_descriptors_the_server_stays_and_takes_clients_again_later() {
    for twin in twins_of("12") {
        let server = Server::start(with_accept_injected(&twin, "error=EMFILE:when=1..2"));
        server.line();
        let client = server.connect();

        let sentence = "socket_accept(): unable to accept incoming connection [24]: Too many open files";
        assert_eq!([server.line(), server.line()], [sentence, sentence]);
        socket_write(&client, "hello\n", None).expect("space");
        assert_eq!(socket_read(&client, 100, PHP_NORMAL_READ), Ok(b"OK ... hello\n".to_vec()));
    }
}

#[test]
fn whoever_speaks_first_and_is_turned_away_reads_the_sentence_and_the_end() {
    for server in twins_of("12").map(|twin| twin.start()) {
        let clients: Vec<Socket> = (0..3).map(|_| server.connect()).collect();
        for client in &clients {
            socket_write(client, "hello\n", None).expect("space");
            assert_eq!(socket_read(client, 100, PHP_NORMAL_READ), Ok(b"OK ... hello\n".to_vec()));
        }

        let late = server.connect();
        let _ = socket_write(&late, "hello\n", None);
        assert_eq!(String::from_utf8_lossy(&read_all(&late)), FULL);

        let heard = talks_until_it_fails_and_reads(&server.connect());
        assert_eq!(String::from_utf8_lossy(&heard), FULL);
    }
}
