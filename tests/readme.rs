//! The two pages a reader meets first: the PHP that they show runs, and the daemon of the porting guide is the same before
//! and after. Their Rust is tested as documentation, the README's servers in `tests/lessons` and `tests/attacks`.

#[path = "common/mod.rs"]
mod common;
#[path = "common/watchdog.rs"]
mod watchdog;

use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process::{ChildStdout, Command, Stdio};

use php_sockets::*;

fn read(path: &str) -> String {
    std::fs::read_to_string(common::root().join(path)).expect("a text")
}

/// The blocks of a language in a text.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap_or(rest)).collect()
}

/// A program of `tests/readme`, without the comment at its top.
fn program(name: &str) -> String {
    read(&format!("tests/readme/{name}")).split_once("\n\n").expect("a comment at the top").1.to_owned()
}

/// Runs PHP code as a program of its own that systemd has started: descriptor 3 is a listener. Any warning is a failure.
fn run(code: &str) -> String {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_bind(&listener, "127.0.0.1", 0).expect("an address");
    socket_listen(&listener, 1).expect("a listener");
    let mut command = common::limited("sh");
    command.args(["-c", "exec 3<&0 </dev/null; exec \"$@\"", "sh", common::php_program()]);
    command.args([
        "-d",
        "display_errors=stderr",
        "-d",
        "log_errors=0",
        "-d",
        "zend.assertions=1",
        "-r",
        code,
    ]);
    let output = command.stdin(OwnedFd::from(listener)).output().expect("PHP runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{code}\n{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_block_of_php_runs_without_a_warning() {
    // These never end by themselves.
    let servers = ["daemon.php", "udp.php"].map(program);
    for page in ["README.md", "src/php-to-rust.md", "src/php-to-rust-porting.md"] {
        let text = read(page);
        let all = blocks(&text, "php");
        assert!(all.len() > 8 || !page.contains("porting"), "{page} has {}", all.len());
        for block in all.into_iter().filter(|block| !servers.iter().any(|server| server == block)) {
            run(block);
        }
    }
}

#[test]
#[should_panic(expected = "assert(1 + 1 === 3)")]
fn a_block_whose_assertion_is_wrong_does_not_run() {
    run("assert(1 + 1 === 3);");
}

#[test]
fn the_porting_guide_shows_the_daemon_and_the_udp_server_that_are_tested() {
    let guide = read("src/php-to-rust-porting.md");

    for name in ["daemon", "udp"] {
        assert!(blocks(&guide, "php").contains(&program(&format!("{name}.php")).as_str()), "{name} before");
        assert!(
            blocks(&guide, "rust,no_run").contains(&program(&format!("{name}.rs")).as_str()),
            "{name} after"
        );
    }
}

/// A daemon in a process of its own, ended with the test.
struct Daemon {
    process: common::Running,
    output: BufReader<ChildStdout>,
    port: u16,
}

impl Daemon {
    fn start(mut command: Command) -> Daemon {
        let mut process = common::Running::start(command.stdout(Stdio::piped()));
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let port = line.strip_prefix("Listening on 127.0.0.1:").expect("its port").trim_end();
        Daemon { process, output, port: port.parse().expect("a number") }
    }

    fn connect(&self) -> Socket {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_connect(&client, "127.0.0.1", self.port).expect("a connection");
        socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
        client
    }

    /// Sends it SIGTERM; what it still prints. It has to end well.
    fn stop(mut self) -> String {
        let pid = i32::try_from(self.process.pid()).expect("a process number");
        // SAFETY: the daemon's parent has not ended, so the number is still the daemon's.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("the end of its output");
        assert!(self.process.ended(), "it ends with an error");
        rest
    }
}

/// The program `tests/readme/NAME.php`.
fn before(name: &str) -> Daemon {
    let mut php = common::limited(common::php_program());
    php.args(["-d", "display_errors=stderr", "-d", "log_errors=0"]);
    php.arg(common::root().join(format!("tests/readme/{name}.php")));
    Daemon::start(php)
}

/// Its port to Rust.
fn after(name: &str) -> Daemon {
    Daemon::start(common::limited(common::example(&format!("porting-{name}")).to_str().expect("UTF-8")))
}

/// All that two clients see of a daemon, and what it prints when it is told to end.
fn conversation(daemon: Daemon) -> Vec<String> {
    let (alice, bob) = (daemon.connect(), daemon.connect());
    let mut seen = Vec::new();
    let mut hear = |client: &Socket| {
        let line = socket_read(client, 1000, PHP_NORMAL_READ).expect("a line");
        seen.push(String::from_utf8_lossy(&line).into_owned());
    };
    let tell = |client: &Socket, text: &[u8]| {
        assert_eq!(socket_write(client, text, None), Ok(text.len()));
    };

    tell(&alice, b"reverse ab");
    tell(&bob, b"hex a b\r\nlength xyz\nfirst A\n");
    for _ in 0..3 {
        hear(&bob);
    }
    tell(&alice, b"c\n  reverse  d \nfirst\n\nnope \xff\n\x0b\x0c\nhex \xff\0\n");
    for _ in 0..6 {
        hear(&alice);
    }
    socket_close(bob);
    tell(&alice, b"reverse still here\n");
    hear(&alice);
    // The daemon closes the socket of a client that has said all, and does not wait for another one to do so.
    let carol = daemon.connect();
    tell(&carol, b"hex c\n");
    hear(&carol);
    socket_shutdown(&carol, SHUT_WR).expect("it is connected");
    assert_eq!(socket_read(&carol, 1000, PHP_BINARY_READ), Ok(Vec::new()), "the end of the stream");
    seen.push(daemon.stop());
    seen
}

#[test]
fn the_daemon_of_the_porting_guide_answers_after_as_before() {
    let (before, after) = (conversation(before("daemon")), conversation(after("daemon")));

    assert_eq!(after, before);
    assert_eq!(before[0], "612062\n");
    assert_eq!(before.last().map(String::as_str), Some("Bye\n"));
}

#[test]
#[should_panic(expected = "it ends with an error")]
fn a_daemon_that_ends_with_an_error_is_seen() {
    let mut daemon = common::limited("sh");
    daemon.args(["-c", "sleep 20 >&- & trap 'kill $!; exit 1' TERM; echo Listening on 127.0.0.1:1; wait"]);

    Daemon::start(daemon).stop();
}

/// The answers of a UDP server to two senders, while others flood it, send it nothing, or have gone before it answers.
fn datagrams(server: &Daemon) -> Vec<Vec<u8>> {
    let sender = || {
        let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).expect("a socket");
        socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
        socket_connect(&socket, "127.0.0.1", server.port).expect("a peer");
        socket
    };
    let (alice, bob) = (sender(), sender());
    let mut heard = Vec::new();
    let mut ask = |socket: &Socket, text: &[u8]| {
        socket_write(socket, text, None).expect("it is sent");
        heard.push(socket_read(socket, 65536, PHP_BINARY_READ).expect("an answer"));
    };

    ask(&alice, b"ping one");
    for _ in 0..20 {
        // The socket that the answer is for is closed; nothing is in a datagram; an answer has no answer.
        socket_write(&sender(), "ping gone", None).expect("it is sent");
        socket_write(&bob, "", None).expect("it is sent");
        socket_write(&bob, "pong", None).expect("it is sent");
        socket_write(&bob, "ping", None).expect("it is sent");
    }
    ask(&bob, b"ping \xff\0");
    ask(&alice, &[&b"ping "[..], &vec![b'x'; 60000]].concat());
    let flood = sender();
    for _ in 0..2000 {
        socket_write(&flood, "ping flood", None).expect("it is sent");
    }
    // The kernel throws away what a flood leaves no place for, so that one question may not be enough.
    let begin = std::time::Instant::now();
    loop {
        assert!(begin.elapsed().as_secs() < 20, "the flood has ended it");
        socket_write(&bob, "ping ", None).expect("it is sent");
        if socket_select(Some(&mut vec![&bob]), None, None, 1, 0).expect("no signal") == 1 {
            break;
        }
    }
    heard.push(socket_read(&bob, 65536, PHP_BINARY_READ).expect("an answer"));
    heard
}

#[test]
fn the_udp_server_of_the_porting_guide_answers_after_as_before() {
    let (before, after) = (before("udp"), after("udp"));

    let heard = datagrams(&after);

    assert_eq!(heard, datagrams(&before));
    assert_eq!(heard[..2], [&b"pong one"[..], b"pong \xff\0"]);
    assert_eq!((heard[2].len(), &heard[3][..]), (1500, &b"pong "[..]));
}
