//! Lesson 07 beyond its demo: what it asks, what it makes of strange answers, names and arguments.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use php_sockets::*;
use tempfile::TempPath;

use crate::common::{self, Running};
use crate::lesson_06::taking_three_bytes_at_a_time;
use crate::stage::registry::lesson;
use crate::stage::server::{Server, read_all, reset, write_all};
use crate::stage::twin::twins_of;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

/// Both twins as commands without arguments.
fn twins() -> [Command; 2] {
    twins_of("07").map(|twin| twin.command(&[]))
}

/// A listener that does not wait for ever, and its port.
fn listener() -> (Socket, u16) {
    let (listener, port) = common::listener();
    socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
    (listener, port)
}

/// Takes the client and reads its request.
fn accept(listener: &Socket) -> (Socket, String) {
    let peer = socket_accept(listener).expect("the client");
    socket_set_option(&peer, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let data = socket_read(&peer, 1024, PHP_BINARY_READ).expect("the request");
        assert!(!data.is_empty(), "half a request: {request:?}");
        request.extend(data);
    }
    (peer, String::from_utf8(request).expect("UTF-8"))
}

/// Runs the client to its end against a server that does this with it.
fn against(mut client: Command, serve: impl FnOnce(Socket, String) + Send) -> Output {
    let (listener, port) = listener();
    client.args(["localhost", &port.to_string()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = Running::start(&mut client);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (peer, request) = accept(&listener);
            serve(peer, request);
        });
        child.wait_with_output()
    })
}

/// The client's output for an answer.
fn shown(client: Command, answer: &[u8]) -> Vec<u8> {
    let output = against(client, |peer, _| write_all(&peer, answer));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let begin = find(&output.stdout, b"\n\n").expect("the empty line before the answer") + 2;
    let ending = format!("\nsocket_recv:    {} bytes, and the end of the stream\n", answer.len());
    output.stdout[begin..].strip_suffix(ending.as_bytes()).expect("the last line").to_vec()
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    data.windows(wanted.len()).position(|window| window == wanted)
}

#[test]
fn the_request_is_what_http_1_1_wants_and_no_more() {
    for client in twins() {
        let (mut asked, mut after) = (String::new(), vec![0]);
        let output = against(client, |peer, request| {
            asked = request;
            write_all(&peer, OK);
            socket_shutdown(&peer, SHUT_WR).expect("the connection");
            after = read_all(&peer);
        });

        assert!(output.status.success());
        let host = asked.split("\r\n").nth(1).expect("a second line").to_owned();
        let port = host.strip_prefix("Host: localhost:").expect("the host");
        assert!(port.parse::<u16>().is_ok(), "{host}");
        assert_eq!(asked, format!("GET / HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n"));
        assert_eq!(after, b"");
    }
}

#[test]
fn a_request_that_the_kernel_takes_piece_by_piece_is_whole() {
    for client in taking_three_bytes_at_a_time("07") {
        let output = against(client, |peer, request| {
            assert!(request.starts_with("GET / HTTP/1.1\r\nHost: localhost:"), "{request}");
            assert!(request.ends_with("\r\nConnection: close\r\n\r\n"), "{request}");
            write_all(&peer, OK);
        });

        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("\nsocket_send:    3 of 5"), "{text}");
        assert!(output.status.success());
    }
}

#[test]
fn an_answer_is_shown_with_the_line_ends_of_a_terminal() {
    for client in twins() {
        let answer = "HTTP/1.1 200 OK\r\nX: \ty\r\n\r\nnaïve €\n\r\n";
        assert_eq!(shown(client, answer.as_bytes()), answer.replace('\r', "").as_bytes());
    }
}

#[test]
fn a_character_on_the_border_of_two_pieces_stays_whole() {
    let mut answer = String::new();
    for (border, character) in (1..).zip(["é", "€", "€", "😀", "😀", "😀"]) {
        // So many bytes of the character come before the border.
        let before = [1, 1, 2, 1, 2, 3][border - 1];
        while answer.len() < border * 8192 - before {
            answer.push('x');
        }
        answer.push_str(character);
    }
    for client in twins() {
        assert_eq!(shown(client, answer.as_bytes()), answer.as_bytes());
    }
}

#[test]
fn what_a_server_sends_cannot_repaint_the_screen() {
    // U+009B begins a command, as ESC [ does. On the border of two pieces, and hidden behind a CR, it is cut in two.
    let mut answer = b"\x1b[2J\x07\x08\x7f\xc2\x9b0m\xc2\r\x9b\n".to_vec();
    answer.resize(8191, b'x');
    answer.extend(b"\xc2\x9b");
    answer.resize(2 * 8192 - 2, b'x');
    answer.extend(b"\xc2\r\x9b1m");
    answer.extend("\u{202e}\u{2066}".as_bytes());
    for client in twins() {
        let shown = shown(client, &answer);

        let raw = shown.iter().find(|byte| byte.is_ascii_control() && !b"\n\t".contains(byte));
        assert_eq!(raw, None);
        assert!(!String::from_utf8_lossy(&shown).contains(['\u{9b}', '\u{202e}', '\u{2066}']));
        assert!(shown.starts_with(b"?[2J????0m"), "{shown:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_do_not_stop_it() {
    let answer: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    for client in twins() {
        assert!(!shown(client, &answer).is_empty());
    }
}

#[test]
fn a_piece_is_shown_when_it_is_there_and_not_only_at_the_end() {
    for mut client in twins() {
        let (listener, port) = listener();
        client.args(["localhost", &port.to_string()]).stdout(Stdio::piped());
        let mut child = Running::start(&mut client);
        let (peer, _) = accept(&listener);
        // Not a byte more than one piece, and the connection stays.
        write_all(&peer, &b"a line\r\n".repeat(1024));

        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let count = lines.by_ref().skip_while(|line| !line.is_empty()).skip(1).take(1024).count();
        assert_eq!(count, 1024);
        socket_close(peer);
        assert_eq!(lines.last().expect("a line"), "socket_recv:    8192 bytes, and the end of the stream");
        assert!(child.ended());
    }
}

#[test]
fn an_answer_without_end_fills_no_memory() {
    for mut client in twins() {
        let (listener, port) = listener();
        client.args(["localhost", &port.to_string()]);
        // Its lines are taken from the pipe as they come.
        let client = Server::start_with(client, |_| Some(0));
        let (peer, _) = accept(&listener);
        write_all(&peer, &vec![b'x'; 1 << 20]);
        let before = client.resident();
        for byte in [b'x', 0x80, 0xC3, 0xFF] {
            write_all(&peer, &vec![byte; 1 << 20]);
        }

        // The kernel has what the buffers of the connection hold; the client has read the rest.
        let grown = client.resident().saturating_sub(before);
        assert!(grown < 1024, "{grown} KiB more");
    }
}

#[test]
fn a_server_that_says_nothing_has_no_answer() {
    for client in twins() {
        assert_eq!(shown(client, b""), b"");
    }
}

/// Whether the client ended with status 1, and this in its complaint.
fn complains(output: &Output, sentence: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.ends_with(&format!("{sentence}\n")), "{errors}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_server_that_vanishes_is_phps_sentence() {
    for client in twins() {
        let output = against(client, |peer, _| reset(peer));

        complains(
            &output,
            "Error: socket_recv(): Unable to read from socket [104]: Connection reset by peer",
        );
    }
}

#[test]
fn a_port_where_nobody_listens_is_phps_sentence() {
    let (_closed, port) = common::closed_port();
    for mut client in twins() {
        let output = client.args(["localhost", &port.to_string()]).output().expect("it runs");

        complains(&output, "Error: socket_connect(): unable to connect [111]: Connection refused");
    }
}

#[test]
fn a_host_without_an_ipv4_address_is_one_sentence() {
    for host in [&b"256.1.1.1"[..], b"::1", b"a b", b"127.0.0.1\r\nX: y", b"", b"\xff.\xff"] {
        for mut client in twins() {
            let output = client.args([OsStr::from_bytes(host), OsStr::new("80")]).output().expect("it runs");

            complains(&output, "Nobody knows an IPv4 address of this host.");
            assert_eq!(output.stdout, b"");
        }
    }
}

#[test]
fn a_port_that_is_none_is_one_sentence() {
    for port in [&b"http"[..], b"65536", b"-1", b"", b"80x", b"\xff"] {
        for mut client in twins() {
            let output =
                client.args([OsStr::new("localhost"), OsStr::from_bytes(port)]).output().expect("it runs");

            complains(&output, "The port has to be a number from 0 to 65535.");
            assert_eq!(output.stdout, b"");
        }
    }
    // Leading zeros change nothing.
    for mut client in twins() {
        let output = client.args(["224.0.0.1", "0080"]).output().expect("it runs");

        assert!(String::from_utf8_lossy(&output.stdout).ends_with("; this time it is 80\n"));
        complains(&output, "Error: socket_connect(): unable to connect [101]: Network is unreachable");
    }
}

#[test]
fn a_host_alone_means_the_port_of_http_and_no_argument_a_server_on_this_machine() {
    for mut client in twins() {
        // No connection can go to a multicast address, so no machine is asked.
        let output = client.arg("224.0.0.1").output().expect("it runs");

        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.ends_with("\ngetservbyname:  http over tcp is port 80; this time it is 80\n"), "{text}");
        complains(&output, "Error: socket_connect(): unable to connect [101]: Network is unreachable");
    }
    let read = |name| std::fs::read_to_string(lesson("07").path(name)).unwrap();
    assert!(read("main.rs").contains(r#"[] => ("localhost", Some(8080))"#));
    assert!(read("main.php").contains("$argc === 1 => ['localhost', 8080],"));
}

#[test]
fn an_unknown_name_comes_back_as_if_it_were_an_address() {
    assert_eq!(gethostbyname("256.1.1.1"), "256.1.1.1");
    assert_eq!(gethostbynamel("256.1.1.1"), None);
    assert_eq!(
        common::php("echo json_encode([gethostbyname('256.1.1.1'), gethostbynamel('256.1.1.1')]);"),
        r#"["256.1.1.1",false]"#
    );
}

#[test]
fn sending_is_like_writing_a_file_and_is_not() {
    let (listener, port) = listener();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");

    // Taken is not arrived: the connection has not been accepted yet.
    assert_eq!(socket_send(&client, "hello", 5, 0).expect("space"), 5);
    // A file could be written from its beginning again.
    // SAFETY: the call takes numbers.
    assert_eq!(unsafe { libc::lseek(client.as_raw_fd(), 0, libc::SEEK_SET) }, -1);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::ESPIPE));
    // It takes less than all when its buffer is full.
    let sent = socket_send(&client, vec![b'x'; 50_000_000], 50_000_000, MSG_DONTWAIT).expect("space");
    assert!(sent > 0 && sent < 50_000_000, "{sent}");
    // A failure turns up in a later call: the peer goes, and the kernel says so only when it is asked.
    reset(socket_accept(&listener).expect("the client"));
    let begin = Instant::now();
    let error = loop {
        match socket_send(&client, "x", 1, MSG_DONTWAIT) {
            Err(error) if !error.is_quiet() => break error,
            _ => assert!(begin.elapsed() < Duration::from_secs(20)),
        }
    };
    assert!([SOCKET_ECONNRESET, SOCKET_EPIPE].contains(&error.code()), "{error}");
}

/// PHP's own web server, with a script that tells which site was asked for.
struct WebServer {
    _child: Running,
    _script: TempPath,
    port: u16,
}

impl WebServer {
    fn start() -> WebServer {
        let script = common::temporary::file("<?php echo 'site: ', $_SERVER['HTTP_HOST'] ?? 'none';\n");
        let mut command = common::limited(common::php_program());
        command.args(["-S", "127.0.0.1:0"]).arg(&script).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Running::start(&mut command);
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("a line");
        // Its later output has to go somewhere.
        thread::spawn(move || log.lines().count());
        let port = line.rsplit("127.0.0.1:").next().and_then(|rest| rest.split(')').next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port: {line}"));
        WebServer { _child: child, _script: script, port }
    }
}

#[test]
fn myth_a_get_needs_only_a_request_line() {
    // Without Host, the server cannot know which of its sites is meant.
    let server = WebServer::start();
    let bare = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&bare, "127.0.0.1", server.port).expect("a connection");
    write_all(&bare, b"GET / HTTP/1.1\r\n\r\n");
    assert!(String::from_utf8_lossy(&read_all(&bare)).ends_with("\r\n\r\nsite: none"));
    for mut client in twins() {
        let text = common::printed(client.args(["localhost", &server.port.to_string()]));
        assert!(text.contains(&format!("\n\nsite: localhost:{}\n", server.port)), "{text}");
    }
}

#[test]
fn myth_a_get_needs_only_a_request_line_and_no_connection_close() {
    // A server that keeps connections sends the whole answer, and waits for the next request.
    let (client, server) = common::connection();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n";
    write_all(&server, answer);
    let mut data = Vec::new();
    while socket_recv(&client, &mut data, 8192, MSG_PEEK).expect("the answer") < answer.len() {}

    // All of it is here, and MSG_WAITALL waits all the same, until something else ends its patience.
    socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 200_000)).expect("an option");
    let begin = Instant::now();
    assert_eq!(
        socket_recv(&client, &mut data, 8192, MSG_WAITALL | MSG_PEEK).expect("the answer"),
        answer.len()
    );
    assert!(begin.elapsed() >= Duration::from_millis(200), "{:?}", begin.elapsed());

    // A server that was asked to close ends the wait itself.
    socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(20, 0)).expect("an option");
    socket_close(server);
    let begin = Instant::now();
    assert_eq!(socket_recv(&client, &mut data, 8192, MSG_WAITALL).expect("the answer"), answer.len());
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}
