//! Lesson 13 beyond its demo: abuse and load for the select server, and the myths about it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::{self, shim};
use crate::compiler::{compiler_says, refused_as_its_readme_says};
use crate::lesson_10::{goes_on_after_what_accept_may_report, with_accept_injected, with_injected};
use crate::stage::server::{PATIENCE, Server, read_all, read_line, reset, write_all};
use crate::stage::twin::{text_of, twins_of};

const PLACES: u64 = 3;
const LINE: usize = 1024;
const WAITING: usize = 65536;

fn twins(test: impl Fn(Server)) {
    for twin in twins_of("13") {
        test(twin.start());
    }
}

/// Connects, and waits for the welcome. The server has told its command line already.
fn come(server: &Server, number: u64, place: u64) -> Socket {
    let client = server.connect();
    assert_eq!(server.line(), format!("client {number}: has come, {place} of {PLACES} places taken"));
    assert_eq!(read_line(&client), format!("Welcome, client {number}! A line has at most {LINE} bytes.\n"));
    client
}

fn begin(server: &Server) {
    assert_eq!(server.line(), format!("Second terminal: make client-13 ARGS=\"127.0.0.1 {}\"", server.port));
}

fn asks(client: &Socket, question: &str) {
    write_all(client, format!("{question}\n").as_bytes());
    assert_eq!(read_line(client), format!("OK ... {question}\n"));
}

/// Processor time and switches between processes: what a program that sleeps does not use.
fn efforts(server: &Server) -> (u64, Vec<String>) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("its state");
    let switches = status.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned).collect();
    (server.ticks(), switches)
}

/// Waits until a server does nothing at all for a tenth of a second.
pub(crate) fn until_idle(server: &Server) {
    let begin = Instant::now();
    loop {
        let before = efforts(server);
        std::thread::sleep(Duration::from_millis(100));
        if efforts(server) == before {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "it never rests");
    }
}

#[test]
fn a_line_may_come_in_parts_and_several_lines_at_once() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);
        let other = come(&server, 2, 2);

        for part in ["o", "n", "e\nt", "wo\nthree\r\n\nfo", "ur"] {
            write_all(&client, part.as_bytes());
            // The other's answer shows that the part has been read.
            asks(&other, "read?");
        }
        write_all(&client, b"\n");

        for answer in ["one\n", "two\n", "three\r\n", "\n", "four\n"] {
            let expected = format!("OK ... {answer}");
            let mut heard = Vec::new();
            socket_recv(&client, &mut heard, expected.len(), MSG_WAITALL).unwrap();
            assert_eq!(String::from_utf8(heard).unwrap(), expected);
        }
    });
}

#[test]
fn a_full_table_is_served_though_one_does_not_read_and_one_sends_a_line_without_end() {
    twins(|server| {
        begin(&server);
        let polite = come(&server, 1, 1);
        let deaf = come(&server, 2, 2);
        let endless = come(&server, 3, 3);
        socket_set_nonblock(&deaf).unwrap();

        // The deaf one asks until it is dropped; the others are answered all the time.
        write_all(&endless, &[b'x'; LINE]);
        let questions = b"\n".repeat(8192);
        while match socket_write(&deaf, &questions, None) {
            Ok(_) => true,
            Err(error) => error.is_quiet(),
        } {
            asks(&polite, "are you there?");
        }
        assert_eq!(server.line(), format!("client 2: dropped, more than {WAITING} bytes wait for it"));

        asks(&polite, "still?");
        write_all(&endless, b"x");
        assert_eq!(server.line(), format!("client 3: dropped, its line has more than {LINE} bytes"));
        assert_eq!(read_all(&endless), format!("Goodbye, a line has at most {LINE} bytes.\n").into_bytes());

        // Both places are free again, and what was kept for the two is gone.
        let next = come(&server, 4, 2);
        asks(&next, "and me?");
        asks(&polite, "and I?");
        assert!(server.resident() < 60 << 10, "{} KiB", server.resident());
    });
}

#[test]
fn a_line_has_1024_bytes_and_no_more() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);
        let other = come(&server, 2, 2);
        let longest = "x".repeat(LINE);

        asks(&client, &longest);
        // Whole when it arrives, and yet too long; the line before it is answered.
        write_all(&client, format!("short\n{longest}x\n").as_bytes());

        let expected = format!("OK ... short\nGoodbye, a line has at most {LINE} bytes.\n");
        assert_eq!(String::from_utf8(read_all(&client)).unwrap(), expected);
        assert_eq!(server.line(), format!("client 1: dropped, its line has more than {LINE} bytes"));
        asks(&other, "still here?");
    });
}

#[test]
fn who_finds_the_table_full_gets_a_sentence_even_if_it_speaks_first() {
    twins(|server| {
        begin(&server);
        let clients: Vec<Socket> = (1..=PLACES).map(|number| come(&server, number, number)).collect();

        for number in PLACES + 1..PLACES + 20 {
            let late = server.connect();
            // It may be gone already; then the write fails.
            let _ = socket_write(&late, "let me in\n", None);
            assert_eq!(read_line(&late), format!("Sorry, all {PLACES} places are taken.\n"));
            assert_eq!(server.line(), format!("client {number}: turned away, 3 of 3 places taken"));
        }

        // One that has vanished before it is turned away is no trouble.
        reset(server.connect());
        server.line();
        for client in &clients {
            asks(client, "still here?");
        }
        until_idle(&server);
    });
}

/// Writes until the other end has closed for good, which an error tells, and reads only then.
pub(crate) fn talks_until_it_fails_and_reads(client: &Socket) -> Vec<u8> {
    let begin = Instant::now();
    while socket_write(client, vec![b'x'; 65536], None).is_ok() {
        assert!(begin.elapsed() < PATIENCE, "the server reads on and on");
    }
    read_all(client)
}

#[test]
fn who_goes_on_talking_after_the_goodbye_can_still_read_it() {
    twins(|server| {
        begin(&server);
        let clients: Vec<Socket> = (1..=PLACES).map(|number| come(&server, number, number)).collect();

        let heard = talks_until_it_fails_and_reads(&server.connect());
        assert_eq!(String::from_utf8_lossy(&heard), format!("Sorry, all {PLACES} places are taken.\n"));

        let heard = talks_until_it_fails_and_reads(&clients[0]);
        assert_eq!(String::from_utf8_lossy(&heard), format!("Goodbye, a line has at most {LINE} bytes.\n"));
        asks(&clients[1], "still here?");
    });
}

/// Both twins where a write to a socket takes 7 bytes at most, as it may.
pub(crate) fn twins_that_write_little(number: &str, test: impl Fn(Server)) {
    let shim = shim::words(&[("SHIM_WRITES", "7")]);
    let shim: Vec<&str> = shim.iter().map(String::as_str).collect();
    for twin in twins_of(number) {
        test(Server::start(twin.under(&shim, &["127.0.0.1", "0"])));
    }
}

#[test]
fn when_a_write_takes_little_the_rest_follows() {
    twins_that_write_little("13", |server| {
        begin(&server);
        let client = come(&server, 1, 1);
        let other = come(&server, 2, 2);
        let question = "q".repeat(LINE);

        for _ in 0..50 {
            write_all(&client, format!("{question}\n").as_bytes());
        }
        asks(&other, "meanwhile");
        // The client ends its side before it has heard its answers, and hears all of them.
        write_all(&client, b"last");
        socket_shutdown(&client, SHUT_WR).unwrap();

        let expected = format!("OK ... {question}\n").repeat(50) + "OK ... last\n";
        assert!(read_all(&client) == expected.as_bytes(), "what arrives is what was answered");
        assert_eq!(server.line(), "client 1: has gone, answers: 51");
    });
}

#[test]
fn a_client_that_reads_late_gets_every_byte() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);
        let question = [[b'q'; LINE].as_slice(), b"\n"].concat();

        // A megabyte of answers waits in the two kernels' buffers, for the client does not read yet.
        write_all(&client, &question.repeat(1000));
        socket_shutdown(&client, SHUT_WR).unwrap();
        assert_eq!(server.line(), "client 1: has gone, answers: 1000");

        let expected = [b"OK ... ".as_slice(), &question].concat().repeat(1000);
        assert!(read_all(&client) == expected, "what arrives is what was answered");
    });
}

#[test]
fn clients_that_vanish_leave_nothing() {
    twins(|server| {
        begin(&server);
        let stays = come(&server, 1, 1);
        let before = server.descriptors();
        for number in [2, 4, 6] {
            let vanishes = come(&server, number, 2);
            asks(&vanishes, "hello");
            reset(vanishes);
            assert_eq!(
                server.line(),
                format!(
                    "client {number}: socket_read(): unable to read from socket [104]: Connection reset by peer"
                )
            );
            let leaves = come(&server, number + 1, 2);
            socket_close(leaves);
            assert_eq!(server.line(), format!("client {}: has gone, answers: 0", number + 1));
        }

        asks(&stays, "hello");
        server.until_descriptors(before);
        until_idle(&server);
    });
}

#[test]
fn a_client_that_asked_ends_its_side_and_vanishes_does_not_stay() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);
        socket_set_nonblock(&client).unwrap();
        while socket_write(&client, b"\n".repeat(1024), None).is_ok() {}
        let _ = socket_shutdown(&client, SHUT_WR);
        reset(client);

        // Whichever of the two it meets first, what it says is one line and the place is free.
        assert!(server.line().starts_with("client 1: "));
        drop(come(&server, 2, 1));
    });
}

#[test]
fn bytes_that_are_not_utf_8_come_back_and_never_reach_the_servers_terminal() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);

        write_all(&client, b"\x1b[2J\x00\xff\xc3\n\x9b\xe2\x82");
        socket_shutdown(&client, SHUT_WR).unwrap();

        assert_eq!(read_all(&client), b"OK ... \x1b[2J\x00\xff\xc3\nOK ... \x9b\xe2\x82\n");
        assert_eq!(server.line(), "client 1: has gone, answers: 2");
    });
}

#[test]
fn it_rests_while_nobody_speaks_also_when_somebody_has_half_closed_or_said_half_a_line() {
    twins(|server| {
        begin(&server);
        until_idle(&server);
        let _silent = come(&server, 1, 1);
        let half = come(&server, 2, 2);
        write_all(&half, b"half a li");
        // Ended, and does not read: its answers wait in the server, and cannot be sent.
        let deaf = come(&server, 3, 3);
        write_all(&deaf, b"\n");
        socket_shutdown(&deaf, SHUT_WR).unwrap();

        until_idle(&server);
    });
}

#[test]
fn it_rests_when_no_descriptor_is_left_and_goes_on_when_there_is_one() {
    twins(|server| {
        begin(&server);
        let alice = come(&server, 1, 1);
        let bob = come(&server, 2, 2);
        let limit = |most: u64| {
            let limit = libc::rlimit { rlim_cur: most, rlim_max: 1024 };
            let pid = i32::try_from(server.pid()).unwrap();
            // SAFETY: `limit` outlives the call, which reads it; the old one is not asked for.
            let status =
                unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut()) };
            assert_eq!(status, 0);
        };
        // No new descriptor gets a number from here on; the numbers below are in use.
        let free = (0..1024).find(|fd| !PathBuf::from(format!("/proc/{}/fd/{fd}", server.pid())).exists());
        limit(free.unwrap());

        let carol = server.connect();
        assert_eq!(
            server.line(),
            "socket_accept(): unable to accept incoming connection [24]: Too many open files"
        );
        until_idle(&server);
        asks(&alice, "are you there?");
        until_idle(&server);

        socket_close(bob);
        assert_eq!(server.line(), "client 2: has gone, answers: 0");
        assert_eq!(server.line(), "client 3: has come, 2 of 3 places taken");
        assert_eq!(read_line(&carol), "Welcome, client 3! A line has at most 1024 bytes.\n");
        asks(&carol, "here I am");
    });
}

#[test]
fn what_accept_may_report_of_a_client_does_not_end_it_and_what_is_wrong_with_the_machine_does() {
    for twin in twins_of("13") {
        goes_on_after_what_accept_may_report(&twin, |server| {
            begin(server);
            asks(&come(server, 1, 1), "hello");
        });

        // Without a client to wait for, there is no hope that a descriptor becomes free.
        let mut server = Server::start(with_accept_injected(&twin, "error=ENFILE"));
        let _calls = server.connect();
        assert!(!server.ended());
    }
}

#[test]
fn a_caller_who_gave_up_between_select_and_accept_keeps_nobody_waiting() {
    for twin in twins_of("13") {
        // strace answers in place of select that sockets are ready, and leaves the sets as they are: all are ready, the
        // listener too, though no client calls.
        let server = Server::start(with_injected(&twin, "select,pselect6", "retval=9"));
        begin(&server);

        let client = come(&server, 1, 1);
        asks(&client, "am I kept waiting?");
        asks(&client, "still not?");
    }
}

#[test]
fn a_client_that_would_keep_the_others_waiting_is_closed_at_once() {
    for twin in twins_of("13") {
        // The listener takes two calls, and so does PHP 8.4's accept of its own.
        let accepting = twin.is_php() && (80400..80500).contains(&common::php_version());
        let fault = if accepting { "error=ENOMEM:when=5" } else { "error=ENOMEM:when=3" };
        let server = Server::start(with_injected(&twin, "fcntl", fault));
        begin(&server);

        let client = server.connect();

        assert_eq!(read_all(&client), b"");
        let error = server.line();
        assert!(error.starts_with("client 1: socket_set_nonblock(): "), "{error}");
        drop(come(&server, 2, 1));
    }
}

#[test]
fn it_survives_being_stopped_and_continued() {
    twins(|server| {
        begin(&server);
        let client = come(&server, 1, 1);
        let pid = i32::try_from(server.pid()).unwrap();
        let state = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.rsplit(") ").next().unwrap().starts_with('T')
        };
        // SAFETY: `kill` takes numbers; the process is this test's.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGSTOP) }, 0);
        let begin = Instant::now();
        while !state() {
            assert!(begin.elapsed() < PATIENCE);
        }
        // SAFETY: as above.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGCONT) }, 0);

        asks(&client, "awake?");
    });
}

#[test]
fn ctrl_c_ends_it() {
    twins(|mut server| {
        begin(&server);
        let client = come(&server, 1, 1);
        // SAFETY: `kill` takes numbers; the process is this test's.
        assert_eq!(unsafe { libc::kill(i32::try_from(server.pid()).unwrap(), libc::SIGINT) }, 0);

        assert_eq!(read_all(&client), b"");
        assert!(!server.ended(), "by the signal");
    });
}

/// A lesson's answer to arguments that it cannot use: the status and the sentence.
pub(crate) fn refuses_bad_arguments(number: &str) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (_taken, port) = common::listener();
    let port = port.to_string();
    let bad = "The port has to be a number from 0 to 65535.\n";
    let taken = "Error: socket_bind(): Unable to bind address [98]: Address already in use\n";
    let cases: [(&[u8], &str); 5] =
        [(b"65536", bad), (b"http", bad), (b"-1", bad), (b"\xff", bad), (port.as_bytes(), taken)];
    for (port, sentence) in cases {
        for twin in twins_of(number) {
            let output = twin.command(&["127.0.0.1"]).arg(OsStr::from_bytes(port)).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), sentence);
            assert_eq!(output.status.code(), Some(1));
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("13-select-server");

    // The same in the twin, which finds out later.
    let text = text_of("13");
    let heard = "            $clients[$key]->hear();\n";
    assert!(text.contains(heard));
    let script = common::temporary::file(&text.replace(heard, &format!("{heard} socket_close($socket);\n")));
    let mut command = common::limited(common::php_program());
    command.args(["-d", "display_errors=1", "-d", "log_errors=0"]).arg(&script).args(["127.0.0.1", "0"]);
    let server = Server::start(command);
    begin(&server);
    let client = come(&server, 1, 1);
    write_all(&client, b"hello\n");
    assert_eq!(server.line(), "");
    let error = server.line();
    let expected = "Uncaught TypeError: socket_select(): Argument #1 ($read) contains a closed socket in";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn arguments_that_cannot_be_used_get_a_sentence() {
    refuses_bad_arguments("13");
}

#[test]
fn myth_the_select_server_makes_a_thread_per_client() {
    twins(|server| {
        begin(&server);
        let clients: Vec<Socket> = (1..=PLACES).map(|number| come(&server, number, number)).collect();
        for client in &clients {
            asks(client, "who serves me?");
        }

        let pid = server.pid();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().count();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        assert_eq!((threads, children.as_str()), (1, ""), "one thread serves them all, and no process");
    });
}

#[test]
fn myth_unset_then_socket_close_closes() {
    let php = common::php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
         [$i, $clients, $peer] = [7, [7 => $pair[0]], $pair[1]];
         unset($pair);
         $read = $clients;
         unset($clients[$i]);
         try {
             @socket_close($clients[$i]);
         } catch (TypeError $error) {
             echo $error->getMessage(), \"\\n\";
         }
         socket_set_nonblock($peer);
         echo socket_read($peer, 1) === false ? \"open\\n\" : \"closed\\n\";
         unset($read);
         echo socket_read($peer, 1) === '' ? \"closed\\n\" : \"open\\n\";",
    );
    let rust = compiler_says(
        "use php_sockets::*;

         pub fn leave(sockets: &mut std::collections::BTreeMap<u64, Socket>, i: u64) {
             sockets.remove(&i);
             socket_close(sockets[&i]);
         }
         fn main() {}",
    );

    assert_eq!(
        php,
        "socket_close(): Argument #1 ($socket) must be of type Socket, null given\nopen\nclosed\n"
    );
    assert!(rust.contains("error[E0507]: cannot move out of index of `BTreeMap<u64, "), "{rust}");
}

#[test]
fn myth_select_scales() {
    common::raise_descriptor_limit();
    let (socket, _peer) = common::pair(SOCK_STREAM);
    let high = common::numbered(&socket, 1024);
    let low = common::numbered(&socket, 1023);
    let refused = socket_select(Some(&mut vec![&high]), None, None, 0, 0).unwrap_err();
    let php = common::php(
        "$sockets = [];
         while (count($sockets) < 1030) {
             $sockets[] = socket_create(AF_INET, SOCK_DGRAM, 0);
         }
         $read = [end($sockets)];
         $write = $except = null;
         var_dump(@socket_select($read, $write, $except, 0));
         echo strtok(error_get_last()['message'], \"\\n\");",
    );

    let sentence = "socket_select(): You MUST recompile PHP with a larger value of FD_SETSIZE.";
    assert_eq!(refused.to_string().lines().next(), Some(sentence));
    assert_eq!(php, format!("bool(false)\n{sentence}"));

    // Up to there every call costs more the more there are: it goes through all of them, and the kernel through all bits.
    let time = |sockets: &[&Socket]| {
        let best = (0..20).map(|_| {
            let begin = Instant::now();
            for _ in 0..20 {
                assert_eq!(socket_select(Some(&mut sockets.to_vec()), None, None, 0, 0), Ok(0));
            }
            begin.elapsed()
        });
        best.min().unwrap()
    };
    let many: Vec<Socket> = (0..500).map(|_| socket.duplicate()).collect();
    let many: Vec<&Socket> = many.iter().chain([&low]).collect();
    let (one, all) = (time(&many[..1]), time(&many));
    assert!(all > one * 10, "one: {one:?}, {}: {all:?}", many.len());
}

/// Another descriptor of the same socket.
trait Duplicate {
    fn duplicate(&self) -> Socket;
}

impl Duplicate for Socket {
    fn duplicate(&self) -> Socket {
        use std::os::fd::AsFd;
        Socket::from(self.as_fd().try_clone_to_owned().unwrap())
    }
}

#[test]
fn myth_socket_write_sends_it_all() {
    let data = vec![b'x'; 64 << 20];
    let (client, _server) = common::connection();
    socket_set_nonblock(&client).unwrap();
    let sent = socket_write(&client, &data, None).unwrap();
    // The peer's kernel still takes what fits there, and then no more.
    let error = loop {
        if let Err(error) = socket_write(&client, &data, None) {
            break error;
        }
    };
    let php = common::php(
        "$listener = socket_create_listen(0);
         socket_getsockname($listener, $address, $port);
         $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
         socket_connect($client, '127.0.0.1', $port);
         $data = str_repeat('x', 64 << 20);
         socket_set_nonblock($client);
         $sent = socket_write($client, $data);
         echo $sent > 0 && $sent < strlen($data) ? 'less' : 'all', \"\\n\";
         while (socket_write($client, $data) !== false);
         echo socket_last_error($client), \"\\n\", json_encode(error_get_last());",
    );

    assert!(sent > 0 && sent < data.len(), "{sent} of {}", data.len());
    assert_eq!((error.code(), error.is_quiet()), (SOCKET_EAGAIN, true));
    assert_eq!(php, format!("less\n{SOCKET_EAGAIN}\nnull"));
}
