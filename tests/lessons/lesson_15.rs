//! Lesson 15 beyond its demo: clients that vanish, do not read, or are very many.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use regex::Regex;

use crate::common;
use crate::compiler::refused_as_its_readme_says;
use crate::stage::server::{PATIENCE, Server, read_all, read_line, reset, write_all};
use crate::stage::twin::{Program, Twin, built};

fn rust() -> Server {
    start(command(Twin::Rust))
}

/// The twin, on what stands in for PHP's event extension where there is none.
fn php() -> Server {
    start(command(Twin::Php))
}

fn command(twin: Twin) -> Command {
    Program::of("15", twin).command(&[])
}

fn start(mut command: Command) -> Server {
    command.args(["127.0.0.1", "0"]);
    let server = Server::start(command);
    server.line();
    server
}

/// A client, once it is in the chat.
fn enter(server: &Server) -> Socket {
    let client = server.connect();
    assert!(read_line(&client).starts_with("Welcome, client "));
    client
}

/// A line of the chat without its time.
fn hear(client: &Socket) -> String {
    let line = read_line(client);
    let time = Regex::new(r"^\[\d\d:\d\d:\d\d\] ").expect("a pattern");
    assert!(time.is_match(&line), "{line}");
    line[11..].trim_end().to_owned()
}

#[test]
fn what_one_says_all_others_hear_and_control_characters_do_not_travel() {
    for server in [rust(), php()] {
        let (alice, bob) = (enter(&server), enter(&server));
        let carol = enter(&server);
        assert_eq!((hear(&alice), hear(&alice)), ("client 2 has come".into(), "client 3 has come".into()));
        assert_eq!(hear(&bob), "client 3 has come");

        write_all(&alice, b"red \x1b[31m, C1 \xc2\x9b, bell \x07, gr\xc3\xbcn\r\n");

        let expected = "client 1: red ?[31m, C1 ?, bell ?, gr\u{fc}n";
        assert_eq!((hear(&bob), hear(&carol)), (expected.into(), expected.into()));
    }
}

#[test]
fn a_line_without_end_is_cut_and_bytes_that_are_no_text_do_no_harm() {
    for server in [rust(), php()] {
        let (alice, bob) = (enter(&server), enter(&server));
        hear(&alice);

        write_all(&alice, &[b'x'; 5000]);
        for _ in 0..4 {
            assert_eq!(hear(&bob), format!("client 1: {}", "x".repeat(1024)));
        }
        write_all(&alice, b"\n");
        assert_eq!(hear(&bob), format!("client 1: {}", "x".repeat(5000 - 4 * 1024)));

        // Half a control character (C1 begins with \xc2 in UTF-8) is one to terminals that know no UTF-8.
        write_all(&alice, b"\xff \x9b2J &amp;\n");
        assert_eq!(hear(&bob), "client 1: \u{fffd} \u{fffd}2J &amp;");
    }
}

#[test]
fn a_line_in_two_reads_is_bounded_too() {
    for server in [rust(), php()] {
        let (alice, bob) = (enter(&server), enter(&server));
        hear(&alice);

        write_all(&alice, &[b'x'; 1000]);
        // The server has read Alice's half before it reads Bob's line.
        write_all(&bob, b"go on\n");
        assert_eq!(hear(&alice), "client 2: go on");
        write_all(&alice, &[vec![b'x'; 1000], b"\n".to_vec()].concat());

        assert_eq!(hear(&bob), format!("client 1: {}", "x".repeat(1024)));
        assert_eq!(hear(&bob), format!("client 1: {}", "x".repeat(2000 - 1024)));
    }
}

#[test]
fn the_twin_frees_its_events_before_their_base() {
    let mut command = command(Twin::Php);
    command.stderr(Stdio::piped());
    let mut server = start(command);
    let (_alice, _bob) = (enter(&server), enter(&server));

    let pid = i32::try_from(server.pid()).expect("a process number");
    // SAFETY: the call takes numbers; `timeout` waits for the process, and has not ended.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);

    let mut said = String::new();
    server.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    assert_eq!(said, "", "the extension would crash");
    assert!(server.ended());
}

#[test]
fn the_end_of_the_stream_ends_the_last_line_too() {
    for server in [rust(), php()] {
        let (alice, bob) = (enter(&server), enter(&server));
        hear(&alice);

        write_all(&alice, b"without Enter");
        socket_shutdown(&alice, SHUT_WR).expect("a connection");

        assert_eq!((hear(&bob), hear(&bob)), ("client 1: without Enter".into(), "client 1 has gone".into()));
        assert_eq!(read_all(&alice), b"");
    }
}

#[test]
fn a_client_that_is_reset_is_removed_and_the_others_hear_of_it() {
    for server in [rust(), php()] {
        let alice = enter(&server);
        let before = server.descriptors();
        let bob = enter(&server);
        assert_eq!(hear(&alice), "client 2 has come");

        reset(bob);

        assert_eq!(hear(&alice), "client 2 is lost: Connection reset by peer");
        server.until_descriptors(before);
    }
}

#[test]
fn a_client_that_does_not_read_delays_nobody_and_is_dropped_at_the_bound() {
    for server in [rust(), php()] {
        // A small window at this end keeps the kernel's buffers at the other end small, too.
        let sleeper = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_set_option(&sleeper, SOL_SOCKET, SO_RCVBUF, 4096).expect("an option");
        socket_connect(&sleeper, "127.0.0.1", server.port).expect("a connection");
        assert!(read_line(&sleeper).starts_with("Welcome, client 1."));
        let (alice, bob) = (enter(&server), enter(&server));
        hear(&alice);
        let lines = [vec![b'x'; 1000], b"\n".to_vec()].concat().repeat(64);

        // Bob hears all that Alice says; what the kernel keeps for the sleeper ends at some megabytes.
        let mut heard = Vec::new();
        let begin = Instant::now();
        let end = loop {
            write_all(&alice, &lines);
            let before = heard.len();
            while heard.len() - before < lines.len() {
                let data = socket_read(&bob, 1 << 17, PHP_BINARY_READ).expect("the room");
                assert_ne!(data, b"", "the room is still open");
                heard.extend(data);
            }
            let dropped = b"] client 1 is dropped: it does not read\n";
            let from = before.saturating_sub(dropped.len());
            if let Some(at) = heard[from..].windows(dropped.len()).position(|part| part == dropped) {
                break from + at - "[00:00:00".len();
            }
            assert!(begin.elapsed() < PATIENCE, "the sleeper is never dropped");
        };

        // The kernel has a part of what the sleeper was told (of the two clients that came, too). The server had the rest.
        let told = end + 2 * "[00:00:00] client 2 has come\n".len();
        let name = socket_getsockname(&sleeper).expect("a name");
        let waiting = told - queue(server.port, name.port, 0) - queue(name.port, server.port, 1);
        let bound = 256 * 1024;
        // A read of the server is up to 1024 bytes, and its lines get longer by a time and a name.
        assert!((bound..bound + 2048).contains(&waiting), "{waiting} bytes waited");
    }
}

/// The connection between two ports as the kernel has it at the end of the first. Columns of /proc/net/tcp: number, own
/// address, other address, state, queues, timer.
fn row(own: u16, other: u16) -> Vec<String> {
    let ends = [own, other].map(|port| format!("0100007F:{port:04X}"));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the connections");
    let rows = table.lines().map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    rows.into_iter().find(|row| row[1..3] == ends).expect("the connection")
}

/// How many bytes one end has sent that are not acknowledged (0), or received that are not read (1).
fn queue(own: u16, other: u16, which: usize) -> usize {
    usize::from_str_radix(row(own, other)[4].split(':').nth(which).expect("two queues"), 16).expect("hex")
}

#[test]
fn the_kernel_asks_after_a_client_that_is_silent_for_a_minute() {
    for server in [rust(), php()] {
        let alice = enter(&server);

        let timer = &row(server.port, socket_getsockname(&alice).expect("a name").port)[5];
        let (kind, left) = timer.split_once(':').expect("a kind and hundredths of a second");
        assert_eq!(kind, "02", "keep-alive");
        assert!((3000..=6000).contains(&u32::from_str_radix(left, 16).expect("hex")), "{left}");
    }
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("15-epoll-chat");
}

#[test]
fn ctrl_c_tells_everybody_and_ends_with_success() {
    for mut server in [rust(), php()] {
        let alice = enter(&server);

        let pid = i32::try_from(server.pid()).expect("a process number");
        // SAFETY: `kill` takes two numbers; the process is the one that this test started.
        unsafe { libc::kill(pid, libc::SIGINT) };

        assert_eq!(read_all(&alice), b"The room closes.\n");
        assert!(server.ended());
    }
}

#[test]
fn myth_an_event_chat_needs_no_close_handling() {
    // Without: at the end of the stream the event happens again and again.
    let (here, there) = common::pair(SOCK_STREAM);
    let base = EventBase::new().expect("a base");
    let times = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = std::rc::Rc::clone(&times);
    let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |_, socket, _| {
        assert_eq!(socket_read(socket, 10, PHP_BINARY_READ), Ok(vec![]));
        count.set(count.get() + 1);
    });
    let event = event.expect("an event");
    event.add(None).expect("pending");
    socket_close(there);
    for _ in 0..100 {
        base.run(EventBase::LOOP_ONCE).expect("a round");
    }
    assert_eq!(times.get(), 100);

    // With: the server is at rest after a client has gone.
    for server in [rust(), php()] {
        let (alice, bob) = (enter(&server), enter(&server));
        hear(&alice);
        socket_close(bob);
        assert_eq!(hear(&alice), "client 2 has gone");
        let before = server.ticks();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(300) {
            std::thread::sleep(Duration::from_millis(50));
        }
        // A spinning server would have used 30 hundredths of a second.
        assert!(server.ticks() - before <= 5, "{} ticks", server.ticks() - before);
    }
}

#[test]
fn myth_intval_socket_is_a_clients_number() {
    let numbers = common::php(
        "$sockets = [socket_create(AF_INET, SOCK_STREAM, 0), socket_create(AF_INET, SOCK_STREAM, 0)];
         foreach ($sockets as $socket) { echo @intval($socket), ' '; }",
    );

    assert_eq!(numbers, "1 1 ");
}

#[test]
fn myth_select_scales() {
    // In a process of its own, whose descriptors disturb no other test.
    let done = common::in_child(|| {
        fifteen_hundred_clients();
        0
    });

    assert_eq!(done, 0);
}

fn fifteen_hundred_clients() {
    common::raise_descriptor_limit();
    // A chat so full may take longer than other servers, on a machine that does much else.
    let server = start(common::limited_to(120, built("lesson-15")));
    let first = enter(&server);
    let mut clients = Vec::new();
    for number in 2..=1500 {
        clients.push(enter(&server));
        assert_eq!(hear(&first), format!("client {number} has come"));
    }

    // Far beyond select, in the server's process and in this one.
    let highest = clients.iter().max_by_key(|client| std::os::fd::AsRawFd::as_raw_fd(*client)).expect("many");
    let error = socket_select(Some(&mut vec![highest]), None, None, 0, 0).unwrap_err();
    assert!(error.to_string().contains("FD_SETSIZE"), "{error}");
    assert!(server.descriptors() > 1500);

    // The last one speaks, and all hear it.
    let last = clients.pop().expect("many");
    write_all(&last, b"Can you hear me?\n");
    let begin = Instant::now();
    for client in clients.iter().chain([&first]) {
        let mut heard = Vec::new();
        while !heard.ends_with(b"client 1500: Can you hear me?\n") {
            heard.extend(socket_read(client, 1 << 17, PHP_BINARY_READ).expect("the room"));
            assert!(begin.elapsed() < PATIENCE);
        }
    }

    // And idle they cost nothing.
    let before = server.ticks();
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.ticks() - before <= 3, "{} ticks", server.ticks() - before);
}
