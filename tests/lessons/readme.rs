//! The servers that the README and the porting guide show, and the output that the README quotes.

use php_sockets::*;

use crate::common;
use crate::compiler::{compile, compiler_says};
use crate::stage::pattern::{lines, quotes};
use crate::stage::server::{Server, read_line, sample, write_all};

fn start(name: &str) -> Server {
    Server::start(common::limited(sample(name)))
}

fn says(client: &Socket, text: &str) -> Vec<u8> {
    socket_write(client, text, None).expect("the server listens");
    socket_read(client, 100, PHP_BINARY_READ).expect("an answer")
}

#[test]
fn the_echo_server_answers_one_client_after_another() {
    let server = start("readme-echo");
    for name in ["alice", "bob"] {
        let client = server.connect();
        assert_eq!(says(&client, &format!("{name}\n")), format!("{name}\n").into_bytes());
    }
}

#[test]
fn the_echo_server_does_not_spin_with_a_non_blocking_listener_either() {
    let file = common::root().join("tests/readme/echo.rs");
    let program = std::fs::read_to_string(file).expect("the file");
    let listening = "    println!(\"Listening";
    assert_eq!(program.matches(listening).count(), 1);
    let folder = common::temporary::folder();
    let echo = folder.path().join("echo");
    compile(
        &program.replace(listening, &format!("    socket_set_nonblock(&listener)?;\n{listening}")),
        &echo,
    );
    let server = Server::start(common::limited(echo));

    // A client that has gone must not keep the server.
    for name in ["alice", "bob"] {
        let client = server.connect();
        assert_eq!(says(&client, &format!("{name}\n")), format!("{name}\n").into_bytes());
    }
}

#[test]
fn the_select_server_answers_all_its_clients_and_survives_them() {
    serves_many("readme-select");
}

#[test]
fn the_server_of_events_answers_all_its_clients_and_survives_them() {
    serves_many("readme-events");
}

#[test]
fn the_server_of_lines_collects_them_and_waits_for_none() {
    let server = start("readme-lines");
    let (slow, quick) = (server.connect(), server.connect());

    write_all(&slow, b"ha");
    write_all(&quick, b"one\ntwo\nth");
    assert_eq!([read_line(&quick), read_line(&quick)], ["one\n", "two\n"]);
    write_all(&quick, b"ree\n");
    assert_eq!(read_line(&quick), "three\n");
    write_all(&slow, b"lf\n");
    assert_eq!(read_line(&slow), "half\n");
}

#[test]
fn the_server_with_an_output_buffer_answers_all_its_clients_and_survives_them() {
    serves_many("readme-output");
}

#[test]
fn a_client_that_does_not_read_keeps_its_answers_until_it_does_and_stops_none() {
    let server = start("readme-output");
    let (slow, quick) = (server.connect(), server.connect());
    socket_set_nonblock(&slow).expect("an option");
    let piece = vec![b'x'; 65536];
    let mut sent = 0;

    // The server reads no more of it once its buffers are full, so that they fill up here too.
    let begin = std::time::Instant::now();
    while begin.elapsed() < std::time::Duration::from_secs(20) {
        match socket_write(&slow, &piece, None) {
            Ok(count) => sent += count,
            // While the other client is answered, the server has time to read.
            Err(_)
                if (0..10).all(|_| {
                    assert_eq!(says(&quick, "hello"), b"hello");
                    socket_write(&slow, &piece, None).map(|count| sent += count).is_err()
                }) =>
            {
                break;
            }
            Err(_) => {}
        }
    }
    socket_set_block(&slow).expect("an option");
    socket_shutdown(&slow, SHUT_WR).expect("a half-close");
    let mut heard = 0;
    loop {
        match socket_read(&slow, 65536, PHP_BINARY_READ).expect("its answers").len() {
            0 => break,
            count => heard += count,
        }
    }

    assert!(sent > 65536, "{sent}");
    assert_eq!(heard, sent);
    assert_eq!(says(&quick, "hello"), b"hello");
}

#[test]
fn a_client_that_ends_its_stream_before_it_reads_still_gets_all_its_answers() {
    let server = start("readme-output");
    let quick = server.connect();
    // Small segments give the server's socket a small send buffer. One of the lengths fills it, and a part of the last
    // 8192 bytes is in the server's own buffer when it reads the end.
    for length in (4096..262_144).step_by(4096) {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_set_option(&client, SOL_TCP, libc::TCP_MAXSEG, 536).expect("an option");
        socket_set_option(&client, SOL_SOCKET, SO_RCVBUF, 4096).expect("an option");
        socket_set_option(&client, SOL_SOCKET, SO_SNDBUF, 524_288).expect("an option");
        socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
        socket_connect(&client, "127.0.0.1", server.port).expect("a connection");
        socket_set_nonblock(&client).expect("an option");
        let sent = socket_write(&client, vec![b'x'; length], None).expect("it is sent");
        socket_set_block(&client).expect("an option");
        socket_shutdown(&client, SHUT_WR).expect("a half-close");
        // Each answer is a round of the server, in which it reads at most 1024 bytes of the client.
        for _ in 0..sent / 1024 + 3 {
            assert_eq!(says(&quick, "hello"), b"hello");
        }

        let mut heard = 0;
        loop {
            match socket_read(&client, 65536, PHP_BINARY_READ).expect("its answers").len() {
                0 => break,
                count => heard += count,
            }
        }
        assert_eq!(heard, sent);
    }
}

#[test]
fn the_chat_tells_all_others() {
    let server = start("readme-chat");
    let alone = server.descriptors();
    let clients = [server.connect(), server.connect(), server.connect()];
    server.until_descriptors(alone + 3);

    write_all(&clients[1], b"hello\n");
    for other in [&clients[0], &clients[2]] {
        assert_eq!(socket_read(other, 100, PHP_BINARY_READ).expect("what the other says"), b"hello\n");
    }
    socket_set_nonblock(&clients[1]).expect("an option");
    assert!(socket_read(&clients[1], 100, PHP_BINARY_READ).expect_err("no echo").is_quiet());
}

fn serves_many(name: &str) {
    let server = start(name);
    let (alice, bob, carol) = (server.connect(), server.connect(), server.connect());

    assert_eq!(says(&carol, "last first"), b"last first");
    assert_eq!(says(&alice, "hello"), b"hello");
    drop(alice);
    assert_eq!(says(&bob, "still here"), b"still here");
    assert_eq!(says(&server.connect(), "new"), b"new");
    assert_eq!(says(&carol, "and I"), b"and I");
}

#[test]
fn the_output_of_lesson_03_in_the_readme_is_a_real_one() {
    let readme = std::fs::read_to_string(common::root().join("README.md")).expect("the README");
    let shown = readme.split("```text\n").nth(1).expect("a text block").split("```").next().expect("its end");
    let expected = common::root().join("lessons/03-the-conversation/expected.txt");
    let expected = std::fs::read_to_string(expected).expect("the file");

    assert!(
        quotes(&lines(shown), &lines(&expected)),
        "the README's first text block is what lesson 03 prints"
    );
}

#[test]
fn a_client_removed_while_the_list_is_used_is_refused_as_the_readme_says() {
    let file = common::root().join("tests/readme/select.rs");
    let program = std::fs::read_to_string(file).expect("the file");
    assert_eq!(compiler_says(&program), "", "as it is, it compiles");
    let collect = "        let ready: Vec<u64> = read";
    assert!(program.contains(collect));

    let said =
        compiler_says(&program.replace(collect, &format!("        clients.remove(&last_id);\n{collect}")));

    let readme = std::fs::read_to_string(common::root().join("README.md")).expect("the README");
    let shown =
        readme.split_once("``error[E0502]").expect("the complaint").1.split("``").next().expect("its end");
    assert_eq!(said.matches("error[").count(), 1, "{said}");
    assert!(said.contains(&format!("error[E0502]{shown}")), "{shown}\n{said}");
}
