//! Lesson 04 beyond its demo.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::{self, Running, Strace};
use crate::stage::server::{PATIENCE, Server, read_all, read_line, reset, write_all};
use crate::stage::twin::{Program, refusal};

both! { "04";
    it_ends_after_five_clients_and_keeps_no_descriptor
    a_message_is_one_line_however_it_comes
    what_follows_the_line_does_not_reset_the_connection
    a_silent_client_loses_its_turn
    a_client_that_sends_a_byte_now_and_then_loses_its_turn
    a_line_without_end_takes_neither_memory_nor_the_turn_of_others
    clients_that_vanish_do_not_end_it
    bytes_that_are_no_text_are_printed_harmless
    a_server_stopped_and_continued_still_hears_its_client
    it_rests_while_it_waits
    a_client_that_gave_up_in_the_queue_does_not_end_it
    without_descriptors_it_ends_in_phps_words
    a_greeting_that_is_taken_in_parts_is_sent_to_its_end
    on_127_0_0_1_it_listens_there_alone_and_starts_again_at_once
    on_0_0_0_0_it_listens_everywhere
    an_old_connection_keeps_the_port_unless_both_sockets_set_reuseaddr
    an_address_in_use_is_refused_in_phps_words
    bad_arguments_are_one_sentence
    ctrl_c_ends_it
}

fn start(twin: &Program) -> Server {
    start_with(twin, &["127.0.0.1", "0"])
}

fn start_with(twin: &Program, arguments: &[&str]) -> Server {
    past_its_first_lines(Server::start(twin.command(arguments)))
}

/// The same, with some of its system calls changed.
fn start_injected(twin: &Program, inject: &str) -> Server {
    let strace = Strace::injecting(inject);
    past_its_first_lines(Server::start(twin.under(&strace.words(), &["127.0.0.1", "0"])))
}

fn past_its_first_lines(server: Server) -> Server {
    assert_eq!(server.line(), format!("Second terminal: make client-04 ARGS=\"127.0.0.1 {}\"", server.port));
    assert_eq!(server.line(), format!("See it listen: ss -ltn 'sport = :{}'", server.port));
    server
}

fn greeting(number: usize) -> String {
    format!("Hello, client {number} of 5. Say one line.\n")
}

/// Connects, is greeted, says something and reads to the end.
fn talk(server: &Server, number: usize, words: &[u8]) {
    let client = server.connect();
    assert_eq!(read_line(&client), greeting(number));
    write_all(&client, words);
    socket_shutdown(&client, SHUT_WR).expect("a connection");
    assert_eq!(read_all(&client), b"");
}

/// Waits until the server's process is in this state, as `/proc` names it.
fn until_state(server: &Server, wanted: &str) {
    let begin = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("its state");
        let state = stat.rsplit(") ").next().and_then(|fields| fields.split(' ').next()).expect("a state");
        if state == wanted {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "its state is {state}");
        std::thread::yield_now();
    }
}

fn signal(server: &Server, name: &str) {
    let kill = format!("kill -s {name} {}", server.pid());
    assert!(common::limited("sh").args(["-c", &kill]).status().expect("sh runs").success());
}

/// Whether a socket listens on this address and port.
fn is_listening(address: [u8; 4], port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the sockets of the system");
    table.contains(&format!(" {:08X}:{port:04X} 00000000:0000 0A ", u32::from_ne_bytes(address)))
}

fn it_ends_after_five_clients_and_keeps_no_descriptor(twin: &Program) {
    let mut server = start(twin);
    let before = server.descriptors();

    for number in 1..=4 {
        talk(&server, number, format!("I am number {number}\n").as_bytes());
        assert_eq!(server.line(), format!("client {number} says: I am number {number}"));
        server.until_descriptors(before);
    }
    talk(&server, 5, b"the last\n");

    assert_eq!(server.line(), "client 5 says: the last");
    assert_eq!(server.line(), "5 clients have come: the server ends");
    assert!(server.ended());
    assert!(!is_listening([127, 0, 0, 1], server.port));
}

fn a_message_is_one_line_however_it_comes(twin: &Program) {
    let mut server = start(twin);

    let client = server.connect();
    socket_set_option(&client, SOL_TCP, TCP_NODELAY, 1).expect("an option");
    for byte in "byte by byte".bytes() {
        write_all(&client, &[byte]);
    }
    write_all(&client, b"\n");
    assert_eq!(server.line(), "client 1 says: byte by byte");
    drop(client);

    for (number, words, text) in [
        (2, "three\r\nlines\r\nat once\r\n", "says: three"),
        (3, "no end of the line", "says: no end of the line"),
        (4, "\n", "says nothing"),
        (5, "0\n", "says: 0"),
    ] {
        let client = server.connect();
        write_all(&client, words.as_bytes());
        socket_shutdown(&client, SHUT_WR).expect("a connection");
        assert_eq!(read_all(&client), greeting(number).as_bytes());
        assert_eq!(server.line(), format!("client {number} {text}"));
    }
    server.line();
    assert!(server.ended());
}

fn what_follows_the_line_does_not_reset_the_connection(twin: &Program) {
    let server = start(twin);
    let client = server.connect();

    // Far more than one read of the server's takes: closing on it would be a reset.
    write_all(&client, &[b"the line\n".as_slice(), &vec![b'y'; 100_000]].concat());

    assert_eq!(read_all(&client), greeting(1).as_bytes());
    assert_eq!(server.line(), "client 1 says: the line");
    drop(client);
    assert_eq!(read_line(&server.connect()), greeting(2));
}

fn a_silent_client_loses_its_turn(twin: &Program) {
    let server = start_with(twin, &["127.0.0.1", "0", "1"]);
    let (silent, next) = (server.connect(), server.connect());
    write_all(&silent, b"half a line");

    assert_eq!(read_all(&silent), greeting(1).as_bytes());
    assert_eq!(server.line(), "client 1 says: half a line");

    // The silent one stays connected. The server hangs up on it after a second, and goes on.
    assert_eq!(read_line(&next), greeting(2));
}

fn a_client_that_sends_a_byte_now_and_then_loses_its_turn(twin: &Program) {
    let server = start_with(twin, &["127.0.0.1", "0", "1"]);
    let client = server.connect();
    let heard = AtomicBool::new(false);

    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !heard.load(Ordering::SeqCst) && socket_write(&client, ".", None).is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let said = server.line();
        heard.store(true, Ordering::SeqCst);
        said
    });

    assert!(said.starts_with("client 1 says: ..") && said.len() < 100, "{said}");
    assert_eq!(read_all(&client), greeting(1).as_bytes());
    drop(client);
    assert_eq!(read_line(&server.connect()), greeting(2));
}

fn a_line_without_end_takes_neither_memory_nor_the_turn_of_others(twin: &Program) {
    let server = start(twin);
    let before = server.resident();
    let (endless, next) = (server.connect(), server.connect());

    let after = std::thread::scope(|scope| {
        // Until the server hangs up, it writes what it can.
        scope.spawn(|| while socket_write(&endless, vec![b'x'; 65536], None).is_ok() {});
        assert_eq!(server.line(), format!("client 1 says: {}", "x".repeat(1024)));
        assert_eq!(read_line(&next), greeting(2));
        server.resident()
    });

    assert!(after < before + 4096, "{before} KiB, then {after} KiB");
}

fn clients_that_vanish_do_not_end_it(twin: &Program) {
    let mut server = start(twin);

    // Before it is greeted: the kernel may let the greeting go, or not.
    reset(server.connect());
    let said = server.line();
    assert!(
        said.starts_with("client 1 is lost: socket_") && said.contains("Connection reset by peer"),
        "{said}"
    );

    let client = server.connect();
    read_line(&client);
    write_all(&client, b"half a li");
    reset(client);
    assert_eq!(
        server.line(),
        "client 2 is lost: socket_read(): unable to read from socket [104]: Connection reset by peer"
    );

    // It has all that it needs from this one before the reset can reach it.
    let client = server.connect();
    write_all(&client, b"that is all\n");
    assert_eq!(server.line(), "client 3 says: that is all");
    reset(client);

    // It leaves without reading the greeting: a reset as well, by the kernel.
    drop(server.connect());
    assert!(server.line().starts_with("client 4 "));
    talk(&server, 5, b"still here?\n");
    assert_eq!(server.line(), "client 5 says: still here?");
    server.line();
    assert!(server.ended());
}

fn bytes_that_are_no_text_are_printed_harmless(twin: &Program) {
    let mut child = Running::start(twin.command(&["127.0.0.1", "0"]).stdout(Stdio::piped()));
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    output.read_line(&mut first).expect("a line");
    let port: u16 = first.trim_end().rsplit(':').next().expect("a port").parse().expect("a number");

    let messages: [&[u8]; 5] = [
        b"\x1b[2Jred\x07\x7f\n",
        "gr\u{fc}n \u{9b}1m\n".as_bytes(),
        b"tab\tnul\0 \r\n",
        b"a\rb\r\n",
        b"\xffcaf\xe9 \x80\n",
    ];
    for message in messages {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_connect(&client, "127.0.0.1", port).expect("a connection");
        write_all(&client, message);
        read_all(&client);
    }

    let mut rest = Vec::new();
    output.read_to_end(&mut rest).expect("its output");
    assert!(child.ended());
    assert!(rest.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()));
    let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').skip(2).collect();
    assert_eq!(lines[0], b"client 1 says: ?[2Jred??");
    assert_eq!(lines[1], "client 2 says: grün ?1m".as_bytes());
    assert_eq!(lines[2], b"client 3 says: tab?nul? ");
    assert_eq!(lines[3], b"client 4 says: a?b");
    // PHP leaves what is not UTF-8 to the terminal, Rust replaces it.
    let broken =
        ["client 5 says: \u{fffd}caf\u{fffd} \u{fffd}".as_bytes(), b"client 5 says: \xffcaf\xe9 \x80"];
    assert!(broken.contains(&lines[4]), "{:?}", lines[4]);
    assert_eq!(lines[5], b"5 clients have come: the server ends");
}

fn a_server_stopped_and_continued_still_hears_its_client(twin: &Program) {
    let server = start(twin);
    let client = server.connect();
    assert_eq!(read_line(&client), greeting(1));
    until_state(&server, "S");

    // Linux interrupts a read that has a time limit, although no handler ran.
    signal(&server, "STOP");
    until_state(&server, "T");
    signal(&server, "CONT");
    until_state(&server, "S");
    write_all(&client, b"awake?\n");

    assert_eq!(server.line(), "client 1 says: awake?");
}

fn it_rests_while_it_waits(twin: &Program) {
    let server = start(twin);
    let before = server.ticks();

    // A time to measure: first without a client, then with one that is silent.
    std::thread::sleep(Duration::from_millis(200));
    let client = server.connect();
    read_line(&client);
    std::thread::sleep(Duration::from_millis(200));

    assert!(server.ticks() - before < 10, "{} ticks", server.ticks() - before);
}

fn a_client_that_gave_up_in_the_queue_does_not_end_it(twin: &Program) {
    for code in ["ECONNABORTED", "EINTR"] {
        let server = start_injected(twin, &format!("accept,accept4:error={code}:when=1"));

        talk(&server, 1, b"hello\n");

        assert_eq!(server.line(), "client 1 says: hello");
    }
}

fn without_descriptors_it_ends_in_phps_words(twin: &Program) {
    let strace = Strace::injecting("accept,accept4:error=EMFILE");

    let output = twin.under(&strace.words(), &["127.0.0.1", "0"]).output().expect("strace runs");

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: socket_accept(): unable to accept incoming connection [24]: Too many open files\n"
    );
}

fn a_greeting_that_is_taken_in_parts_is_sent_to_its_end(twin: &Program) {
    // It prints three lines; the fourth write is the greeting. strace claims that 3 bytes of it went, and sends none.
    let server = start_injected(twin, "write:retval=3:when=4");

    let client = server.connect();

    assert_eq!(read_line(&client), &greeting(1)[3..]);
}

fn on_127_0_0_1_it_listens_there_alone_and_starts_again_at_once(twin: &Program) {
    let mut server = start(twin);
    assert!(is_listening([127, 0, 0, 1], server.port) && !is_listening([0; 4], server.port));
    // Loopback has more addresses than one, and this one is not the server's.
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    assert_eq!(socket_connect(&client, "127.0.0.2", server.port).unwrap_err().code(), SOCKET_ECONNREFUSED);

    // The server says first that it closes, so its port stays reserved.
    for _ in 1..=5 {
        let client = server.connect();
        write_all(&client, b"hello\n");
        read_all(&client);
    }
    assert!(server.ended());

    let again = start_with(twin, &["127.0.0.1", &server.port.to_string()]);
    talk(&again, 1, b"again\n");
}

fn on_0_0_0_0_it_listens_everywhere(twin: &Program) {
    let everywhere = twin.command(&["0.0.0.0", "0"]);
    let port = |line: &str| line.strip_prefix("Listening on 0.0.0.0:")?.parse().ok();
    let mut server = Server::start_with(everywhere, port);
    assert_eq!(server.line(), format!("Second terminal: make client-04 ARGS=\"0.0.0.0 {}\"", server.port));
    assert!(is_listening([0; 4], server.port) && !is_listening([127, 0, 0, 1], server.port));
    for address in ["127.0.0.2", "0.0.0.0"] {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
        socket_connect(&client, address, server.port).expect("every address of this machine is the server's");
        write_all(&client, b"hello\n");
        read_all(&client);
    }
    (3..=5).for_each(|number| talk(&server, number, b"hello\n"));
    assert!(server.ended());
}

/// A port whose listener has gone, while a connection that it accepted is still there: what a server leaves behind. A
/// connection in `TIME_WAIT` would do as well, but a busy kernel keeps only so many of those.
fn old_connection(reuse: bool) -> (u16, [Socket; 2]) {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_set_option(&listener, SOL_SOCKET, SO_REUSEADDR, i32::from(reuse)).expect("an option");
    socket_bind(&listener, "127.0.0.1", 0).expect("a free port");
    socket_listen(&listener, 1).expect("listening");
    let port = socket_getsockname(&listener).expect("a name").port;
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");
    (port, [client, socket_accept(&listener).expect("the connection")])
}

fn an_old_connection_keeps_the_port_unless_both_sockets_set_reuseaddr(twin: &Program) {
    let short =
        "Error: socket_create_listen(): unable to bind to given address [98]: Address already in use\n";
    let long = "Error: socket_bind(): Unable to bind address [98]: Address already in use\n";

    // The old server was one of the short form.
    let (port, _connection) = old_connection(false);
    let port = port.to_string();
    assert_eq!(twin.refusal(&["0.0.0.0", &port]), short);
    assert_eq!(twin.refusal(&["127.0.0.1", &port]), long);

    // The old server had set the option, and the new one of the short form does not.
    let (port, _connection) = old_connection(true);
    let port = port.to_string();
    assert_eq!(twin.refusal(&["0.0.0.0", &port]), short);
    talk(&start_with(twin, &["127.0.0.1", &port]), 1, b"hello\n");
}

fn an_address_in_use_is_refused_in_phps_words(twin: &Program) {
    let (_holder, port) = common::listener();

    assert_eq!(
        twin.refusal(&["127.0.0.1", &port.to_string()]),
        "Error: socket_bind(): Unable to bind address [98]: Address already in use\n"
    );
}

fn bad_arguments_are_one_sentence(twin: &Program) {
    for port in ["", "http", "-1", "65536", "80.5"] {
        let said = twin.refusal(&["127.0.0.1", port]);
        assert_eq!(said, "The port has to be a number from 0 to 65535.\n", "{port}");
    }
    for seconds in ["", "long", "0", "256"] {
        let said = twin.refusal(&["127.0.0.1", "0", seconds]);
        assert_eq!(said, "The seconds for a line have to be a number from 1 to 255.\n", "{seconds}");
    }

    let mut bytes = twin.command(&["127.0.0.1"]);
    bytes.arg(OsStr::from_bytes(b"\xff"));
    assert_eq!(refusal(bytes), "The port has to be a number from 0 to 65535.\n");
    let mut bytes = twin.command(&[]);
    bytes.arg(OsStr::from_bytes(b"\xff.invalid"));
    assert!(refusal(bytes).starts_with("Error: socket_bind(): Host lookup failed ["));
}

fn ctrl_c_ends_it(twin: &Program) {
    let mut server = start(twin);
    let client = server.connect();
    read_line(&client);

    signal(&server, "INT");

    assert!(!server.ended());
    assert_eq!(read_all(&client), b"");
}

/// 8 MiB are more than the buffers of both ends take, and neither end reads.
const MUCH: usize = 8 << 20;

#[test]
fn myth_socket_write_sends_it_all() {
    // A socket that does not wait: some of it goes, and then nothing.
    let (client, _server) = common::connection();
    socket_set_nonblock(&client).expect("a socket");
    let sent = socket_write(&client, vec![b'x'; MUCH], None).expect("some of it goes");
    assert!(0 < sent && sent < MUCH, "{sent}");

    // One that waits, but not for ever.
    let (client, _server) = common::connection();
    socket_set_option(&client, SOL_SOCKET, SO_SNDTIMEO, Timeval::new(0, 100_000)).expect("an option");
    let sent = socket_write(&client, vec![b'x'; MUCH], None).expect("some of it goes");
    assert!(0 < sent && sent < MUCH, "{sent}");
    // Then it is full, and an error of its own kind says so.
    let full = (0..100).find_map(|_| socket_write(&client, vec![b'x'; MUCH], None).err());
    assert_eq!(full.expect("it is full").code(), SOCKET_EAGAIN);

    // The same in PHP. Neither is a failure, and neither warns.
    let code = format!(
        "$patience = ['sec' => 0, 'usec' => 100000];
         foreach (['socket_set_nonblock($client);',
                   'socket_set_option($client, SOL_SOCKET, SO_SNDTIMEO, $patience);'] as $how) {{
             socket_bind($listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP), '127.0.0.1');
             socket_listen($listener);
             socket_getsockname($listener, $address, $port);
             socket_connect($client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP), $address, $port);
             eval($how);
             $sent = socket_write($client, str_repeat('x', {MUCH}));
             echo 0 < $sent && $sent < {MUCH} ? 'some ' : \"$sent \";
         }}
         for ($times = 0; $times < 100 && $sent !== false; $times++) {{
             $sent = socket_write($client, str_repeat('x', {MUCH}));
         }}
         echo json_encode($sent), ' ', socket_last_error($client) === SOCKET_EAGAIN, ' ',
             json_encode(error_get_last());"
    );
    assert_eq!(common::php(&code), "some some false 1 null");
}

#[test]
fn myth_set_time_limit_0_keeps_a_cli_server_alive() {
    // On the command line the limit is 0 from the beginning, whatever php.ini says.
    let ini = common::temporary::file("max_execution_time = 30\n");
    let mut command = common::limited(common::php_program());
    command.arg("-c").arg(&ini).args(["-r", "echo ini_get('max_execution_time');"]);
    assert_eq!(common::printed(&mut command), "0");

    // And with a limit of a second, a server that waits for longer than that lives on,
    let waits = "set_time_limit(1);
        socket_bind($listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP), '127.0.0.1');
        socket_listen($listener);
        socket_set_option($listener, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 1, 'usec' => 200000]);
        $begin = hrtime(true);
        echo json_encode(socket_accept($listener)), ' ', hrtime(true) - $begin > 1.1e9 ? 'alive' : 'too early';";
    // while one that computes for as long is ended.
    let mut computes = common::php_command();
    computes.args(["-r", "set_time_limit(1); while (true);"]);
    let computes = std::thread::spawn(move || computes.output().expect("php runs"));

    assert_eq!(common::php(waits), "false alive");
    let output = computes.join().expect("it ends");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Maximum execution time of 1 second exceeded"), "{said}");

    let twin = std::fs::read_to_string(common::root().join("lessons/04-greeting-server/main.php"));
    assert!(!twin.expect("the file").contains("set_time_limit"));
}
