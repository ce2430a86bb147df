//! Lesson 05 beyond its demo.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::process::{ChildStdout, Output, Stdio};
use std::time::Duration;

use php_sockets::*;

use crate::common::{self, Running, Strace, pid, resident, ticks};
use crate::stage::server::{read_all, reset, write_all};
use crate::stage::twin::{Program, refusal};

both! { "05";
    it_says_two_lines_and_that_this_is_all
    a_server_without_a_word_is_no_error
    a_long_answer_in_many_reads_arrives_whole
    a_line_without_end_does_not_fill_the_memory
    bytes_that_are_no_text_are_printed_harmless
    lines_that_are_taken_in_parts_are_sent_to_their_end
    a_server_that_vanishes_ends_it_in_phps_words
    nobody_at_the_port_is_said_in_phps_words
    bad_arguments_are_one_sentence
    it_waits_at_rest_until_ctrl_c
    a_zero_is_no_end_of_the_stream
}

const SENT: &str = "Hello, server!\nI have a second line, too.\n";

/// The lesson, and the socket by which the test is its server.
struct Client {
    child: Running,
    screen: BufReader<ChildStdout>,
    port: u16,
    peer: Socket,
}

fn start(twin: &Program) -> Client {
    start_under(twin, &[])
}

/// Starts it, under another program if one is given, and accepts its connection.
fn start_under(twin: &Program, wrapper: &[&str]) -> Client {
    let (listener, port) = common::listener();
    socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
    let mut command = twin.under(wrapper, &["127.0.0.1", &port.to_string()]);
    let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let screen = BufReader::new(child.stdout.take().expect("a pipe"));
    let peer = socket_accept(&listener).expect("the client connects");
    socket_set_option(&peer, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
    Client { child, screen, port, peer }
}

impl Client {
    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.screen.read_line(&mut line).expect("UTF-8");
        line
    }

    /// The lines that it prints first.
    fn first_lines(&mut self) {
        assert_eq!(self.line(), format!("Connected to 127.0.0.1:{}\n", self.port));
        assert_eq!(self.line(), "sent:     Hello, server!\n");
        assert_eq!(self.line(), "sent:     I have a second line, too.\n");
    }

    /// Waits for its end; gives what it had still to print. The connection is closed.
    fn end(self) -> Output {
        let Client { child, mut screen, peer, .. } = self;
        drop(peer);
        let mut stdout = Vec::new();
        screen.read_to_end(&mut stdout).expect("its output");
        Output { stdout, ..child.wait_with_output() }
    }

    /// Plays the server that says `answer` and closes; gives what the client prints of it.
    fn hears(mut self, answer: &[u8]) -> Vec<u8> {
        self.first_lines();
        assert_eq!(read_all(&self.peer), SENT.as_bytes());
        let Client { child, mut screen, peer, .. } = self;
        // It reads and prints at the same time, and here too neither may wait for the other.
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                write_all(&peer, answer);
                socket_shutdown(&peer, SHUT_WR).expect("a connection");
            });
            let mut stdout = Vec::new();
            screen.read_to_end(&mut stdout).expect("its output");
            stdout
        });
        let end = child.wait_with_output();
        assert_eq!(String::from_utf8_lossy(&end.stderr), "");
        assert!(end.status.success());
        output.strip_suffix(b"The server has said all, and closed.\n").expect("its last line").to_vec()
    }
}

fn it_says_two_lines_and_that_this_is_all(twin: &Program) {
    let mut client = start(twin);
    client.first_lines();

    // A server that answers only when it has read all, to the end.
    assert_eq!(read_all(&client.peer), SENT.as_bytes());
    write_all(&client.peer, b"Hello, ");
    write_all(&client.peer, b"client!\r\nThat is");
    write_all(&client.peer, b" all");

    let output = client.end();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "received: Hello, client!\nreceived: That is all\nThe server has said all, and closed.\n"
    );
}

fn a_server_without_a_word_is_no_error(twin: &Program) {
    assert_eq!(start(twin).hears(b""), b"");
    assert_eq!(start(twin).hears(b"\n"), b"received: \n");
}

fn a_long_answer_in_many_reads_arrives_whole(twin: &Program) {
    // Characters of two and three bytes, so that reads end in the middle of some.
    let mut answer = String::new();
    let mut expected = String::new();
    for number in 0..20_000 {
        let _ = write!(answer, "{number}: grün, 茶\r\n");
        let _ = writeln!(expected, "received: {number}: grün, 茶");
    }

    let printed = start(twin).hears(answer.as_bytes());

    assert!(printed == expected.as_bytes(), "{} bytes, not {}", printed.len(), expected.len());
}

fn a_line_without_end_does_not_fill_the_memory(twin: &Program) {
    const LENGTH: usize = 16 << 20;
    let count = |bytes: &[u8]| bytes.iter().map(|byte| usize::from(*byte == b'x')).sum::<usize>();
    let mut client = start(twin);
    client.first_lines();
    assert_eq!(read_all(&client.peer), SENT.as_bytes());
    let before = resident(pid(&client.child));

    let mut heard = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| write_all(&client.peer, &vec![b'x'; LENGTH]));
        let mut chunk = vec![0; 65536];
        // It keeps what is less than its bound for later.
        while heard + 8192 < LENGTH {
            let length = client.screen.read(&mut chunk).expect("its output");
            assert_ne!(length, 0, "it ends at {heard}");
            heard += count(&chunk[..length]);
        }
    });
    let after = resident(pid(&client.child));

    let output = client.end();
    assert!(output.status.success());
    let rest = count(&output.stdout);
    assert_eq!(heard + rest, LENGTH);
    assert!(after < before + 4096, "{before} KiB, then {after} KiB");
}

fn bytes_that_are_no_text_are_printed_harmless(twin: &Program) {
    let printed = start(twin).hears(b"\x1b[2Jred\x07\x7f\0\n\xc2\x9b1m\na\rb\r\ncaf\xe9\n\x1b]0;");

    let lines: Vec<&[u8]> = printed.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[..3], [b"received: ?[2Jred???".as_slice(), b"received: ?1m", b"received: a?b"]);
    // PHP leaves what is not UTF-8 to the terminal, Rust replaces it.
    assert!(["received: caf\u{fffd}".as_bytes(), b"received: caf\xe9"].contains(&lines[3]));
    assert_eq!(lines[4..], [b"received: ?]0;".as_slice(), b""]);
}

fn lines_that_are_taken_in_parts_are_sent_to_their_end(twin: &Program) {
    // The first write prints; the second is the first line. strace claims that 3 bytes of it went, and sends none.
    let strace = Strace::injecting("write:retval=3:when=2");
    let client = start_under(twin, &strace.words());

    assert_eq!(read_all(&client.peer), SENT.as_bytes()[3..].to_vec());

    assert!(client.end().status.success());
}

fn a_server_that_vanishes_ends_it_in_phps_words(twin: &Program) {
    let mut client = start(twin);
    client.first_lines();
    assert_eq!(read_all(&client.peer), SENT.as_bytes());
    write_all(&client.peer, b"One moment\nand th");
    assert_eq!(client.line(), "received: One moment\n");

    let Client { mut child, peer, .. } = client;
    reset(peer);

    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_eq!(said, "Error: socket_read(): unable to read from socket [104]: Connection reset by peer\n");

    // Before it could say a word, or in the middle: which call finds out is a matter of chance.
    let Client { child, screen: _screen, peer, .. } = start(twin);
    reset(peer);
    let output = child.wait_with_output();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("Error: socket_") && said.lines().count() == 1, "{said}");
}

fn nobody_at_the_port_is_said_in_phps_words(twin: &Program) {
    let (_owner, port) = common::closed_port();

    assert_eq!(twin.refusal(&["127.0.0.1", &port.to_string()]), nobody_at(twin, port));
}

/// The sentence, and before it the command that starts the server.
fn nobody_at(twin: &Program, port: u16) -> String {
    let make = if twin.is_php() { "php" } else { "lesson" };
    format!(
        "No server listens there. Start it first, in another terminal: make {make}-04 ARGS=\"127.0.0.1 {port}\"\n\
         Error: socket_connect(): unable to connect [111]: Connection refused\n"
    )
}

fn bad_arguments_are_one_sentence(twin: &Program) {
    for port in ["", "http", "-1", "65536", " 1"] {
        let said = twin.refusal(&["127.0.0.1", port]);
        assert_eq!(said, "The port has to be a number from 0 to 65535.\n", "{port}");
    }
    // Port 1, which has no listener.
    for port in ["01", "+1"] {
        let said = twin.refusal(&["127.0.0.1", port]);
        assert_eq!(said, nobody_at(twin, 1), "{port}");
    }

    let mut bytes = twin.command(&["127.0.0.1"]);
    bytes.arg(OsStr::from_bytes(b"\xff"));
    assert_eq!(refusal(bytes), "The port has to be a number from 0 to 65535.\n");
    let mut bytes = twin.command(&[]);
    bytes.arg(OsStr::from_bytes(b"\xff.invalid"));
    assert!(refusal(bytes).starts_with("Error: socket_connect(): Host lookup failed ["));
}

fn it_waits_at_rest_until_ctrl_c(twin: &Program) {
    let mut client = start(twin);
    client.first_lines();
    assert_eq!(read_all(&client.peer), SENT.as_bytes());
    let before = ticks(pid(&client.child));

    // A time to measure, in which the server says nothing.
    std::thread::sleep(Duration::from_millis(200));
    assert!(ticks(pid(&client.child)) - before < 5, "{} ticks", ticks(pid(&client.child)) - before);

    let kill = format!("kill -s INT {}", pid(&client.child));
    assert!(common::limited("sh").args(["-c", &kill]).status().expect("sh runs").success());
    let output = client.end();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.stdout, b"");
}

/// One read takes 1024 bytes of it, the next one a lonely `0`. One write brings all of it at once.
fn with_a_zero_of_its_own() -> Vec<u8> {
    let mut answer = vec![b'x'; 1023];
    answer.extend(b"\n0");
    answer
}

fn a_zero_is_no_end_of_the_stream(twin: &Program) {
    let printed = start(twin).hears(&with_a_zero_of_its_own());

    assert_eq!(String::from_utf8_lossy(&printed), format!("received: {}\nreceived: 0\n", "x".repeat(1023)));
}

#[test]
fn myth_while_out_equals_socket_read_reads_to_the_end() {
    // Plays the server for a loop of PHP, and gives what the loop printed. The connection stays open meanwhile.
    let prints = |condition: &str, hang_up: bool| {
        let (listener, port) = common::listener();
        socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
        let code = format!(
            "$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
             socket_connect($socket, '127.0.0.1', {port});
             while ({condition}) echo $out;
             echo '|';"
        );
        let php = std::thread::spawn(move || common::php(&code));
        let peer = socket_accept(&listener).expect("the client connects");
        write_all(&peer, &with_a_zero_of_its_own());
        if hang_up {
            drop(peer);
            return php.join().expect("it ends");
        }
        // The loop has ended while the stream goes on.
        let printed = php.join().expect("it ends");
        write_all(&peer, b"and so on");
        printed
    };
    let line = format!("{}\n", "x".repeat(1023));

    assert_eq!(prints("$out = socket_read($socket, 1024)", false), format!("{line}|"));
    assert_eq!(prints("($out = socket_read($socket, 1024)) !== ''", true), format!("{line}0|"));
    assert_eq!(
        prints("!in_array($out = socket_read($socket, 1024), ['', false], true)", true),
        format!("{line}0|")
    );
}
