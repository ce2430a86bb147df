//! Lesson 10 beyond its demo, and what all servers of the lessons have in common.

use std::os::unix::ffi::OsStrExt;

use php_sockets::*;

use crate::common;
use crate::server::{Server, read_all, read_line, reset, write_all};

fn servers() -> [Server; 2] {
    let servers = [Server::rust(env!("CARGO_BIN_EXE_lesson-10")), Server::php("10-always-on")];
    for server in &servers {
        server.line();
    }
    servers
}

#[test]
fn a_client_that_is_reset_ends_its_conversation_and_not_the_server() {
    for server in servers() {
        let before = server.descriptors();
        let alice = server.connect();
        write_all(&alice, b"hello\n");
        assert_eq!(read_line(&alice), "OK ... hello\n");

        reset(alice);

        assert_eq!(server.line(), "client 1: has come");
        assert_eq!(
            server.line(),
            "client 1: socket_read(): unable to read from socket [104]: Connection reset by peer"
        );
        let bob = server.connect();
        write_all(&bob, b"still there?\n");
        assert_eq!(read_line(&bob), "OK ... still there?\n");
        drop(bob);
        server.until_descriptors(before);
    }
}

#[test]
fn a_large_answer_arrives_whole_at_a_client_that_reads_late() {
    for server in servers() {
        let client = server.connect();
        // More than the kernel keeps for both ends, so the server's writes come back short, or wait.
        let data = vec![b'x'; 20 << 20];
        let answers = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                write_all(&client, &data);
                socket_shutdown(&client, SHUT_WR).expect("connected");
            });
            let answers = read_all(&client);
            writer.join().expect("it writes");
            answers
        });

        assert_eq!(answers.iter().filter(|byte| **byte == b'x').count(), data.len());
        let prefixes = answers.iter().filter(|byte| **byte == b'K').count();
        assert_eq!(answers.len(), data.len() + prefixes * "OK ... ".len());
    }
}

#[test]
fn bytes_that_are_no_text_come_back_as_they_are() {
    for server in servers() {
        let client = server.connect();
        write_all(&client, b"\xff\x00\x1b[2J\n");
        assert_eq!(socket_read(&client, 100, PHP_NORMAL_READ), Ok(b"OK ... \xff\x00\x1b[2J\n".to_vec()));
    }
}

#[test]
fn a_waiting_server_uses_no_processor_time() {
    for server in servers() {
        let client = server.connect();
        write_all(&client, b"hello\n");
        read_line(&client);
        let before = server.ticks();
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(server.ticks() - before <= 3, "{} hundredths of a second", server.ticks() - before);
    }
}

/// The servers of the lessons: number, folder, program, and the port of the curriculum.
const SERVERS: [(&str, &str, &str, &str); 6] = [
    ("04", "04-greeting-server", env!("CARGO_BIN_EXE_lesson-04"), "1935"),
    ("06", "06-reverse-server", env!("CARGO_BIN_EXE_lesson-06"), "1234"),
    ("09", "09-who-is-calling", env!("CARGO_BIN_EXE_lesson-09"), "5001"),
    ("10", "10-always-on", env!("CARGO_BIN_EXE_lesson-10"), "5001"),
    ("12", "12-threads", env!("CARGO_BIN_EXE_lesson-12"), "5000"),
    ("13", "13-select-server", env!("CARGO_BIN_EXE_lesson-13"), "5000"),
];

fn both(folder: &str, program: &str) -> [std::process::Command; 2] {
    let mut php = common::limited("php");
    php.args(["-d", "display_errors=stderr", "-d", "log_errors=0"]);
    php.arg(common::root().join("lessons").join(folder).join("main.php"));
    [common::limited(program), php]
}

#[test]
fn every_server_has_the_port_of_the_curriculum() {
    let makefile = std::fs::read_to_string(common::root().join("Makefile")).expect("the Makefile");
    for (number, folder, _, port) in SERVERS {
        let read = |file: &str| {
            std::fs::read_to_string(common::root().join("lessons").join(folder).join(file)).expect("the file")
        };
        assert!(
            read("main.rs").contains(&format!("unwrap_or_else(|| \"{port}\".into())")),
            "{folder}/main.rs"
        );
        assert!(read("main.php").contains(&format!("$argv[2] ?? {port}")), "{folder}/main.php");
        assert!(read("main.php").contains("$argv[1] ?? '127.0.0.1'"), "{folder}/main.php");
        assert!(makefile.contains(&format!("\nport_{number} = {port}\n")), "the Makefile and {folder}");
    }
}

#[test]
fn a_port_that_is_none_gets_a_sentence_and_status_1() {
    let bad = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    for (_, folder, program, _) in SERVERS {
        for (language, mut command) in both(folder, program).into_iter().enumerate() {
            let port = if language == 0 { bad } else { "70000".as_ref() };
            let output = command.arg("127.0.0.1").arg(port).output().expect("it runs");

            assert_eq!(output.status.code(), Some(1), "{folder}");
            assert_eq!(
                String::from_utf8_lossy(&output.stderr),
                "The port has to be a number from 0 to 65535.\n",
                "{folder}"
            );
        }
    }
}

#[test]
fn an_address_in_use_gets_phps_sentence_and_status_1() {
    let (_listener, port) = common::listener();
    for (_, folder, program, _) in SERVERS {
        for mut command in both(folder, program) {
            let output = command.args(["127.0.0.1", &port.to_string()]).output().expect("it runs");

            assert_eq!(output.status.code(), Some(1), "{folder}");
            assert_eq!(
                String::from_utf8_lossy(&output.stderr),
                "Error: socket_bind(): Unable to bind address [98]: Address already in use\n",
                "{folder}"
            );
        }
    }
}

#[test]
fn ctrl_c_ends_a_server_at_once() {
    for server in servers() {
        let client = server.connect();
        write_all(&client, b"hello\n");
        read_line(&client);

        let pid = i32::try_from(server.pid()).expect("a process number");
        // SAFETY: `kill` takes two numbers; the process is the one that this test started.
        unsafe { libc::kill(pid, libc::SIGINT) };

        assert_eq!(read_all(&client), b"");
    }
}
