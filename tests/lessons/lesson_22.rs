//! Lesson 22 beyond its demo.

use std::process::Command;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common;
use crate::stage::registry::lesson;
use crate::stage::server::{PATIENCE, Server, read_all, reset, write_all};
use crate::stage::twin::twins_of;

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The commands of both twins, without arguments.
fn twins() -> [Command; 2] {
    twins_of("22").map(|twin| twin.command(&[]))
}

/// Does the same with both twins at once. `arguments` follow address and port.
fn with_both(arguments: &[&str], test: impl Fn(&mut Server) + Sync) {
    std::thread::scope(|scope| {
        for mut twin in twins() {
            let test = &test;
            scope.spawn(move || {
                twin.args(["127.0.0.1", "0"]).args(arguments);
                let mut server = Server::start(twin);
                let port = server.port;
                let client = format!("Second terminal: make client-22 ARGS=\"127.0.0.1 {port}\"");
                assert_eq!(server.line(), client);
                assert_eq!(server.line(), format!("Or in a browser: http://127.0.0.1:{port}/"));
                test(&mut server);
            });
        }
    });
}

/// A plain HTTP client, which keeps what belongs to the next answer.
struct Browser {
    socket: Socket,
    pending: Vec<u8>,
}

impl Browser {
    fn new(server: &Server) -> Browser {
        Browser { socket: server.connect(), pending: Vec::new() }
    }

    fn asks(&mut self, request: &str) -> (String, String) {
        write_all(&self.socket, request.as_bytes());
        self.hears(request.starts_with("HEAD "))
    }

    /// Headers and body of one answer.
    fn hears(&mut self, head_only: bool) -> (String, String) {
        let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        while end(&self.pending).is_none() {
            self.more();
        }
        let head: Vec<u8> = self.pending.drain(..end(&self.pending).expect("it is whole")).collect();
        let head = String::from_utf8(head).expect("UTF-8");
        let length = head.split("\r\nContent-Length: ").nth(1).expect("a length");
        let length =
            if head_only { 0 } else { length.split('\r').next().unwrap().parse().expect("a number") };
        while self.pending.len() < length {
            self.more();
        }
        let body = self.pending.drain(..length).collect();
        (head, String::from_utf8(body).expect("UTF-8"))
    }

    fn more(&mut self) {
        let data = socket_read(&self.socket, 65536, PHP_BINARY_READ).expect("no error");
        assert!(!data.is_empty(), "the end, after {}", String::from_utf8_lossy(&self.pending));
        self.pending.extend(data);
    }
}

fn status(head: &str) -> &str {
    head.strip_prefix("HTTP/1.1 ").and_then(|head| head.split("\r\n").next()).expect("a status line")
}

/// Waits until the server prints a line that begins like this.
fn until_line(server: &Server, begin: &str) -> String {
    loop {
        let line = server.line();
        if line.starts_with(begin) {
            return line;
        }
    }
}

#[test]
fn a_page_its_picture_and_errors_are_served_on_one_connection() {
    with_both(&[], |server| {
        let mut browser = Browser::new(server);
        let own = socket_getsockname(&browser.socket).unwrap();
        let (head, page) = browser.asks(GET);
        assert_eq!(
            head,
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
                page.len()
            )
        );
        assert!(page.contains(&format!("<li>client 1, {own}, answers: 0 (you)\n")), "{page}");
        let source = page.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap();

        let (head, picture) = browser.asks(&format!("GET {source} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(head.contains("\r\nContent-Type: image/svg+xml\r\n"), "{head}");
        let file = lesson("22").path("picture.svg");
        assert_eq!(picture, std::fs::read_to_string(file).unwrap());

        // HEAD promises the length of what GET would bring, and brings nothing.
        let (promise, _) = browser.asks(&format!("HEAD {source} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(promise, head);
        for (request, expected) in [
            ("GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"),
            ("HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"),
            ("GET /?x=1 HTTP/1.1\nhOST:a\n\n", "200 OK"),
            ("\r\n\r\nGET http://a/picture.svg HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"),
            ("GET http://a HTTP/1.1\r\nHost: a\r\nX: \u{ff}\r\n\r\n", "200 OK"),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b", "405 Method Not Allowed"),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 00004\r\n\r\n\r\n\r\n", "200 OK"),
            ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"),
        ] {
            let (head, body) = browser.asks(request);
            assert_eq!(status(&head), expected, "{request}");
            assert!(!head.contains("Connection"), "{head}");
            assert_eq!(head.contains("\r\nAllow: GET, HEAD\r\n"), expected.starts_with("405"), "{head}");
            assert!(body.starts_with('<') || request.starts_with("HEAD") || body == format!("{expected}\n"));
        }
        assert!(browser.asks(GET).1.contains(", answers: 11 (you)\n"));
    });
}

#[test]
fn whoever_says_close_or_speaks_http_1_0_gets_the_end_after_the_answer() {
    with_both(&[], |server| {
        for request in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        ] {
            let client = server.connect();
            write_all(&client, format!("{request}{GET}").as_bytes());
            let answer = String::from_utf8(read_all(&client)).unwrap();
            assert_eq!(status(&answer), "200 OK");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "nothing after the last answer");
        }
        // A client that ends its side with the request is answered, too.
        let client = server.connect();
        write_all(&client, GET.as_bytes());
        socket_shutdown(&client, SHUT_WR).unwrap();
        assert!(read_all(&client).ends_with(b"</ul>\n"));
    });
}

#[test]
fn requests_are_answered_in_order_however_they_are_cut() {
    with_both(&[], |server| {
        let requests = [
            ("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found"),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n12345",
                "405 Method Not Allowed",
            ),
            ("HEAD / HTTP/1.1\nHost: a\n\n", "200 OK"),
        ];
        let all: String = requests.iter().map(|(request, _)| *request).collect();
        let mut browser = Browser::new(server);
        let hears_all = |browser: &mut Browser| {
            for (request, expected) in requests {
                assert_eq!(status(&browser.hears(request.starts_with("HEAD")).0), expected);
            }
        };
        for byte in all.as_bytes() {
            write_all(&browser.socket, &[*byte]);
        }
        hears_all(&mut browser);
        // Many at once: more than is read at once.
        write_all(&browser.socket, all.repeat(100).as_bytes());
        for _ in 0..100 {
            hears_all(&mut browser);
        }
    });
}

#[test]
fn errors_end_the_connection_after_their_answer_and_not_with_a_reset() {
    let long = |length: usize| {
        let begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{begin}{}\r\n\r\n", "x".repeat(length - begin.len() - 4))
    };
    let (fits, too_long) = (long(8192), long(8193));
    let endless = "x".repeat(100_000);
    let requests: [(&str, &str); 26] = [
        ("hello\n\n", "400 Bad Request"),
        ("\x16\x03\x01\x02\n\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("G\x1b[2J / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", "413 Content Too Large"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "413 Content Too Large",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501 Not Implemented"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported"),
        (&too_long, "431 Request Header Fields Too Large"),
        (&endless, "431 Request Header Fields Too Large"),
        ("HEAD / HTTP/1.1\r\n\r\n", "400 Bad Request"),
    ];
    with_both(&[], |server| {
        for (request, expected) in requests {
            let client = server.connect();
            // The bytes that follow are not read as a request any more, and yet they are read.
            write_all(&client, format!("{request}{GET}").as_bytes());
            let body = if request.starts_with("HEAD") { String::new() } else { format!("{expected}\n") };
            let answer = format!(
                "HTTP/1.1 {expected}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                expected.len() + 1
            );
            assert_eq!(String::from_utf8(read_all(&client)).unwrap(), answer, "{request:?}");
        }
        assert_eq!(status(&Browser::new(server).asks(&fits).0), "200 OK");
    });
}

#[test]
fn a_client_whose_body_is_too_large_sends_it_and_still_gets_the_answer() {
    with_both(&[], |server| {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
        let client = server.connect();
        write_all(&client, head.as_bytes());
        write_all(&client, &vec![b'x'; 1_000_000]);
        assert_eq!(status(&String::from_utf8(read_all(&client)).unwrap()), "413 Content Too Large");
        drop(client);
        assert_eq!(until_line(server, "client 1: has g"), "client 1: has gone, answers: 1");

        // Not for ever: after a mebibyte it is dropped.
        let client = server.connect();
        write_all(&client, head.as_bytes());
        while socket_write(&client, vec![b'x'; 65536], None).is_ok() {}
        assert_eq!(
            until_line(server, "client 2: dropped"),
            "client 2: dropped, it sends on and on, answers: 1"
        );
    });
}

#[test]
fn no_path_leads_out_of_the_table() {
    with_both(&[], |server| {
        let mut browser = Browser::new(server);
        for path in [
            "/../../../../../../etc/passwd",
            "/..%2f..%2f..%2f..%2fetc%2fpasswd",
            "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/%252e%252e/etc/passwd",
            "//etc/passwd",
            "/main.rs",
            "/main.php",
            "/./main.php",
            "/picture.svg/../main.php",
            "/picture.svg%00.php",
            "/..\\main.php",
            "http://a/../main.php",
            "/picture.svg/",
        ] {
            let (head, body) = browser.asks(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!((status(&head), body.as_str()), ("404 Not Found", "404 Not Found\n"), "{path}");
        }
        for path in ["file:///etc/passwd", "../main.php", "etc/passwd"] {
            let (head, _) = Browser::new(server).asks(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(status(&head), "400 Bad Request", "{path}");
        }
    });
}

#[test]
fn two_hundred_slow_and_hostile_clients_do_not_stop_the_others() {
    with_both(&[], |server| {
        let before = server.descriptors();
        let mut browser = Browser::new(server);
        let hostile: Vec<Socket> = (0..220)
            .map(|number| {
                let client = server.connect();
                match number % 20 {
                    // Asks and asks, and never reads.
                    0 => {
                        socket_set_nonblock(&client).unwrap();
                        let _ = socket_write(&client, GET.repeat(2000), None);
                    }
                    // Has its error, and does not go.
                    1..5 => write_all(&client, b"nonsense\n\n"),
                    // A header without end, a body that does not come, half a request, and nothing at all.
                    5..9 => write_all(&client, &[b'x'; 8000]),
                    9..12 => write_all(&client, b"POST / HTTP/1.1\nHost: a\nContent-Length: 60000\n\n"),
                    12..18 => write_all(&client, b"GET / HT"),
                    _ => {}
                }
                client
            })
            .collect();

        let begin = Instant::now();
        for round in 0..50 {
            // The slow ones say one byte more from time to time.
            write_all(&hostile[12 + 20 * (round % 10)], b"T");
            let (head, page) = browser.asks(GET);
            assert_eq!(status(&head), "200 OK");
            assert!(round < 49 || page.matches("<li>client ").count() == 221, "{page}");
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        let others: Vec<String> = (0..20).map(|_| Browser::new(server).asks(GET).0).collect();
        assert!(others.iter().all(|head| status(head) == "200 OK"));
        assert!(server.resident() < 100 << 10, "{} KiB", server.resident());

        hostile.into_iter().for_each(reset);
        drop(browser);
        server.until_descriptors(before);
    });
}

#[test]
fn the_table_has_500_places_and_the_next_one_waits() {
    common::raise_descriptor_limit();
    with_both(&[], |server| {
        let mut clients: Vec<Browser> = (0..500).map(|_| Browser::new(server)).collect();
        let people = |browser: &mut Browser| browser.asks(GET).1.matches("<li>client ").count();
        // A connection is made before the server accepts it; the last one is the last to be accepted.
        let mut last = clients.pop().unwrap();
        assert_eq!(people(&mut last), 500);

        let mut late = Browser::new(server);
        write_all(&late.socket, GET.as_bytes());
        assert_eq!(people(&mut last), 500);
        socket_set_nonblock(&late.socket).unwrap();
        assert!(socket_read(&late.socket, 1, PHP_BINARY_READ).is_err_and(|error| error.is_quiet()));
        socket_set_block(&late.socket).unwrap();

        drop(clients.swap_remove(0));
        assert_eq!(status(&late.hears(false).0), "200 OK");
    });
}

#[test]
fn a_client_that_takes_too_long_frees_its_place() {
    with_both(&["1"], |server| {
        let before = server.descriptors();
        let [silent, half, done, deaf] = [(); 4].map(|()| server.connect());
        write_all(&half, b"GET / HTTP/1.1\r\nHost: a\x1b[2J");
        write_all(&done, b"nonsense\n\n");
        socket_set_nonblock(&deaf).unwrap();
        while socket_write(&deaf, GET.repeat(1000), None).is_ok() {}

        // The silent one gets nothing. The one that has begun gets an answer.
        assert_eq!(read_all(&silent), b"");
        let answer = String::from_utf8(read_all(&half)).unwrap();
        assert_eq!(status(&answer), "408 Request Timeout");
        assert_eq!(status(&String::from_utf8(read_all(&done)).unwrap()), "400 Bad Request");
        // They do not close, and have to go all the same.
        server.until_descriptors(before);
        let mut lines: Vec<String> =
            (0..).map(|_| server.line()).filter(|line| line.contains("dropped")).take(4).collect();
        lines.sort();
        let end = "dropped, its time is over, answers:";
        assert_eq!(
            lines[..3],
            [format!("client 1: {end} 0"), format!("client 2: {end} 1"), format!("client 3: {end} 1")]
        );
        assert!(lines[3].starts_with(&format!("client 4: {end} ")), "{lines:?}");
    });
}

#[test]
fn a_request_that_comes_in_time_begins_the_time_anew() {
    with_both(&["1"], |server| {
        let mut browser = Browser::new(server);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(1500) {
            browser.asks(GET);
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(status(&browser.asks(GET).0), "200 OK");
    });
}

#[test]
fn a_client_that_vanishes_leaves_nothing() {
    with_both(&[], |server| {
        let before = server.descriptors();
        for request in ["", "GET / HT", GET, "nonsense\n\n", &GET.repeat(5000)] {
            let client = server.connect();
            socket_set_nonblock(&client).unwrap();
            let _ = socket_write(&client, request, None);
            reset(client);
            let client = server.connect();
            let _ = socket_write(&client, request, None);
            drop(client);
        }
        server.until_descriptors(before);
        assert_eq!(status(&Browser::new(server).asks(GET).0), "200 OK");
    });
}

#[test]
fn the_servers_terminal_gets_the_beginning_of_a_request_line_and_no_control_character() {
    with_both(&[], |server| {
        let client = server.connect();
        write_all(&client, b"GET /\x1b]0;x\x07\xc2\x9b2J\xff HTTP/1.1\r\nHost: a\r\n\r\n");
        read_all(&client);
        assert!(server.line().starts_with("client 1: has come from 127.0.0.1:"));
        assert_eq!(server.line(), "client 1: GET /?]0;x???2J? HTTP/1.1: 400 Bad Request");

        let client = server.connect();
        write_all(&client, format!("GET /{} HTTP/1.0\n\n", "x".repeat(200)).as_bytes());
        read_all(&client);
        let expected = format!("client 2: GET /{}: 404 Not Found", "x".repeat(55));
        assert_eq!(until_line(server, "client 2: GET"), expected);
    });
}

#[test]
fn the_twins_judge_alike() {
    let parts = [
        "GET ",
        "HEAD ",
        "/",
        "/picture.svg",
        " ",
        " HTTP/1.1",
        " HTTP/1.0",
        " HTTP/1.1\r\n",
        "\r\n",
        "\n",
        "\r",
        "\r\n\r\n",
        "\n\n",
        "Host: a",
        "Host: a\r\n",
        "Content-Length: ",
        "3",
        "5\r\n",
        ":",
        "\t",
        "\0",
        "\u{85}",
        "\u{a0}",
        "X: \u{2028}",
        "Connection: close\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "?",
        "http://",
    ];
    // A row of numbers that look random and are the same every time.
    let mut state: u32 = 22;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let requests: Vec<String> = (0..300)
        .map(|_| (0..next(12)).map(|_| parts[next(parts.len())]).collect::<String>() + "\n\n")
        .collect();
    let servers = twins().map(|mut twin| {
        twin.args(["127.0.0.1", "0"]);
        Server::start(twin)
    });
    for request in requests {
        let [rust, php] = [0, 1].map(|at| {
            let client = servers[at].connect();
            write_all(&client, request.as_bytes());
            socket_shutdown(&client, SHUT_WR).unwrap();
            let own = socket_getsockname(&client).unwrap().to_string();
            let text = String::from_utf8(read_all(&client)).unwrap();
            drop(client);
            let mut lines = vec![until_line(&servers[at], "client ").replace(&own, "PEER")];
            while !lines.last().unwrap().contains(": has gone, ") {
                lines.push(servers[at].line());
            }
            let lengths =
                text.lines().map(|line| line.split_once("Content-Length").map_or(line, |(begin, _)| begin));
            (lengths.map(|line| line.replace(&own, "PEER")).collect::<Vec<_>>(), lines)
        });
        assert_eq!(rust, php, "{request:?}");
    }
}

#[test]
fn it_rests_while_nobody_speaks() {
    with_both(&[], |server| {
        let clients = [(); 4].map(|()| server.connect());
        write_all(&clients[1], b"GET / HT");
        write_all(&clients[2], b"nonsense\n\n");
        read_all(&clients[2]);
        socket_set_nonblock(&clients[3]).unwrap();
        let _ = socket_write(&clients[3], GET.repeat(20_000), None);
        // Until it has sent what the kernel takes of the answers to the last one.
        let begin = Instant::now();
        loop {
            let before = server.ticks();
            std::thread::sleep(Duration::from_millis(200));
            if server.ticks() - before <= 1 {
                break;
            }
            assert!(begin.elapsed() < PATIENCE, "it never rests");
        }
    });
}

#[test]
fn ctrl_c_ends_it() {
    with_both(&[], |server| {
        let mut browser = Browser::new(server);
        browser.asks(GET);
        let pid = i32::try_from(server.pid()).expect("a process number");
        // SAFETY: `kill` takes two numbers; the process is the one that this test started.
        unsafe { libc::kill(pid, libc::SIGINT) };
        assert_eq!(read_all(&browser.socket), b"");
        assert!(!server.ended(), "by the signal");
    });
}

#[test]
fn arguments_that_cannot_be_used_get_a_sentence_and_status_1() {
    let (_taken, port) = common::listener();
    let port = port.to_string();
    let bad_port = "The port has to be a number from 0 to 65535.\n";
    let bad_seconds = "The seconds have to be a number from 1 to 3600.\n";
    let taken = "Error: socket_bind(): Unable to bind address [98]: Address already in use\n";
    for (arguments, sentence) in [
        (["127.0.0.1", "65536", "1"], bad_port),
        (["127.0.0.1", "http", "1"], bad_port),
        (["127.0.0.1", "0", "0"], bad_seconds),
        (["127.0.0.1", "0", "3601"], bad_seconds),
        (["127.0.0.1", "0", "soon"], bad_seconds),
        (["127.0.0.1", &port, "1"], taken),
    ] {
        for mut twin in twins() {
            let output = twin.args(arguments).output().expect("it runs");
            assert_eq!(String::from_utf8_lossy(&output.stderr), sentence, "{arguments:?}");
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

#[test]
fn closing_with_something_unread_is_a_reset_and_a_half_close_is_not() {
    let (client, server) = common::connection();
    write_all(&client, b"too much");
    write_all(&server, b"413");
    socket_close(server);
    assert_eq!(socket_read(&client, 100, PHP_BINARY_READ), Ok(b"413".to_vec()));
    let error = socket_read(&client, 100, PHP_BINARY_READ).unwrap_err();
    assert_eq!(
        error.to_string(),
        "socket_read(): unable to read from socket [104]: Connection reset by peer"
    );

    let (client, server) = common::connection();
    write_all(&client, b"too much");
    write_all(&server, b"413");
    socket_shutdown(&server, SHUT_WR).unwrap();
    assert_eq!(read_all(&client), b"413");
    // The other direction is still open.
    write_all(&client, b", and more");
    socket_close(client);
    assert_eq!(read_all(&server), b"too much, and more");
}
