//! Lesson 14 beyond what it prints: that the numbers mean what the text says, and the statements of the text.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common;
use crate::stage::server::{PATIENCE, reset};
use crate::stage::twin::{Program, TWINS, Twin};

/// The output of one of the twins.
fn printed(twin: Twin) -> String {
    let output = Program::of("14", twin).command(&[]).output().expect("it runs");
    assert!(output.status.success(), "{twin:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The number between two texts.
fn number(text: &str, before: &str, after: &str) -> u64 {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    let (number, _) = rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {text}"));
    number.parse().unwrap_or_else(|_| panic!("{number:?} is no number"))
}

/// Whether a connection of this local port is in `TIME_WAIT`, state 06 in the kernel's table.
fn in_time_wait(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.get(1) == Some(&format!("0100007F:{port:04X}").as_str()) && fields.get(3) == Some(&"06")
    })
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::yield_now();
    }
}

/// A listener with `SO_REUSEADDR` or without, on this port of 127.0.0.1.
fn bind(reuse: bool, port: u16) -> Result<Socket> {
    let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_set_option(&socket, SOL_SOCKET, SO_REUSEADDR, reuse)?;
    socket_bind(&socket, "127.0.0.1", port)?;
    Ok(socket)
}

/// A server without `SO_REUSEADDR`, one connection of it, and its port.
fn served() -> (Socket, Socket, Socket, u16) {
    let listener = bind(false, 0).expect("a free port");
    socket_listen(&listener, 1).expect("it listens");
    let port = socket_getsockname(&listener).expect("a name").port;
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");
    let connection = socket_accept(&listener).expect("the connection");
    (listener, client, connection, port)
}

#[test]
fn the_server_that_starts_again_meets_a_real_time_wait() {
    for twin in TWINS {
        let port = number(&printed(twin), "bound to 127.0.0.1:", " again");
        let port = u16::try_from(port).expect("a port");

        until("TIME_WAIT", || in_time_wait(port));
        assert_eq!(bind(false, port).unwrap_err().code(), SOCKET_EADDRINUSE, "{twin:?}");
        drop(bind(true, port).expect("both have had the option"));
    }
}

#[test]
fn the_times_it_prints_are_those_that_the_text_tells_of() {
    for twin in TWINS {
        // On a busy machine a call that does not wait may take its time too.
        let as_told = (0..5).any(|_| {
            let text = printed(twin);
            let read =
                number(&text, "a silent client, read: [11] Resource temporarily unavailable, after ", " ms");
            let held_back = number(&text, "TCP_NODELAY 0: 8 bytes after ", " ms");
            let at_once = number(&text, "TCP_NODELAY 1: 8 bytes after ", " ms");
            let nonblock =
                number(&text, "nonblock, read: [11] Resource temporarily unavailable, after ", " ms");
            let block =
                number(&text, "   block, read:    [11] Resource temporarily unavailable, after ", " ms");
            assert!(read >= 190 && block >= 190, "{twin:?}: SO_RCVTIMEO is 200 ms: {text}");
            assert!(held_back >= 30, "{twin:?}: the acknowledgement takes 40 ms: {text}");
            at_once < 20 && nonblock < 20
        });

        assert!(as_told, "{twin:?}: TCP_NODELAY and nonblock do not wait");
    }
}

#[test]
fn the_sizes_it_prints_are_those_that_the_text_tells_of() {
    for twin in TWINS {
        let text = printed(twin);

        assert!(number(&text, "asked for     1: to receive ", ",") > 2, "{twin:?}: there is a least size");
        let went = number(&text, "write 10000000 bytes: ", " went");
        assert!(0 < went && went < 10_000_000, "{twin:?}: {went} bytes are a part");
    }
}

/// Binds the port as soon as it is free: a child process that another test has just started may have a copy of the closed
/// socket until it executes its program. `TIME_WAIT` lasts longer than this test waits.
fn becomes_free(port: u16) {
    let begin = Instant::now();
    while let Err(error) = bind(false, port) {
        assert_eq!(error.code(), SOCKET_EADDRINUSE);
        assert!(begin.elapsed() < PATIENCE, "the server's port is not free: {error}");
        std::thread::yield_now();
    }
}

#[test]
fn the_side_that_closes_first_has_the_time_wait() {
    let (listener, client, connection, port) = served();
    drop(client);
    assert_eq!(socket_read(&connection, 1, PHP_BINARY_READ).expect("the end"), b"");
    drop((connection, listener));

    assert!(!in_time_wait(port));
    becomes_free(port);
}

#[test]
fn a_reset_leaves_no_time_wait() {
    let (listener, client, connection, port) = served();
    reset(connection);
    assert_eq!(socket_read(&client, 1, PHP_BINARY_READ).unwrap_err().code(), SOCKET_ECONNRESET);
    drop(listener);

    becomes_free(port);
}

#[test]
fn closing_with_unread_data_resets_the_connection() {
    let (_listener, client, connection, _) = served();
    socket_write(&client, "unread", None).expect("space");
    let mut seen = Vec::new();
    socket_recv(&connection, &mut seen, 6, MSG_PEEK | MSG_WAITALL).expect("it arrives");
    drop(connection);

    assert_eq!(socket_read(&client, 1, PHP_BINARY_READ).unwrap_err().code(), SOCKET_ECONNRESET);
}

#[test]
fn two_listeners_on_one_port_are_one_too_many_with_so_reuseaddr_too() {
    let first = bind(true, 0).expect("a free port");
    socket_listen(&first, 1).expect("it listens");
    let port = socket_getsockname(&first).expect("a name").port;

    assert_eq!(bind(true, port).unwrap_err().code(), SOCKET_EADDRINUSE);
}

#[test]
fn so_rcvtimeo_bounds_accept_and_so_sndtimeo_bounds_write() {
    let (listener, _client, connection, _) = served();
    let soon = Timeval::new(0, 10_000);
    socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, soon).expect("an option");
    assert!(socket_accept(&listener).unwrap_err().is_quiet());

    socket_set_option(&connection, SOL_SOCKET, SO_SNDBUF, 20_000).expect("an option");
    socket_set_option(&connection, SOL_SOCKET, SO_SNDTIMEO, soon).expect("an option");
    let data = "x".repeat(10_000_000);
    let sent = socket_write(&connection, &data, None).expect("a part");
    assert!(0 < sent && sent < data.len());
    until("the send buffer is full", || {
        socket_write(&connection, &data, None).is_err_and(|error| error.is_quiet())
    });
}

#[test]
fn what_the_text_calls_mistakes_fails_as_it_says() {
    let (_listener, client, connection, _) = served();

    let million = socket_set_option(&connection, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 1_000_000));
    assert_eq!(
        million.unwrap_err().to_string(),
        "socket_set_option(): Unable to set socket option [33]: Numerical argument out of domain"
    );
    // SO_RCVTIMEO does not bound PHP_NORMAL_READ: the line that comes much later is read.
    socket_set_option(&connection, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 1)).expect("an option");
    assert!(socket_read(&connection, 9, PHP_BINARY_READ).unwrap_err().is_quiet());
    let late = std::thread::scope(|scope| {
        let reader = scope.spawn(|| socket_read(&connection, 9, PHP_NORMAL_READ));
        std::thread::sleep(Duration::from_millis(50));
        socket_write(&client, "late\n", None).expect("space");
        reader.join().expect("the thread ends")
    });
    assert_eq!(late.expect("a line"), b"late\n");
}

#[test]
fn half_a_second_in_seconds_is_for_ever_in_php() {
    let kept = common::php(
        "$s = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
         var_dump(socket_set_option($s, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0.5, 'usec' => 0]));
         echo json_encode(socket_get_option($s, SOL_SOCKET, SO_RCVTIMEO));",
    );

    assert_eq!(kept, "bool(true)\n{\"sec\":0,\"usec\":0}");
}

#[test]
fn keepalive_ends_a_read_from_a_peer_that_answers_nothing() {
    let (_listener, client, connection, _) = served();
    // A filter of the peer that lets no packet through: it is as if its machine were gone.
    let mut nothing = libc::sock_filter { code: 6, jt: 0, jf: 0, k: 0 };
    let filter = libc::sock_fprog { len: 1, filter: &raw mut nothing };
    // SAFETY: the filter outlives the call, which copies it.
    let status = unsafe {
        libc::setsockopt(
            client.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            libc::socklen_t::try_from(size_of_val(&filter)).expect("a size"),
        )
    };
    assert_eq!(status, 0);
    let options = [
        (SOL_SOCKET, SO_KEEPALIVE, 1),
        (SOL_TCP, TCP_KEEPIDLE, 1),
        (SOL_TCP, TCP_KEEPINTVL, 1),
        (SOL_TCP, TCP_KEEPCNT, 1),
    ];
    for (level, option, value) in options {
        socket_set_option(&connection, level, option, value).expect("an option");
    }

    let error = socket_read(&connection, 1, PHP_BINARY_READ).unwrap_err();
    // Or the kernel would go on looking for the peer of `client` when this test is over.
    socket_set_option(&client, SOL_SOCKET, libc::SO_DETACH_FILTER, 0).expect("the filter goes");

    assert_eq!(error.to_string(), "socket_read(): unable to read from socket [110]: Connection timed out");
}

#[test]
fn reading_so_error_empties_it() {
    let (_listener, client, connection, _) = served();
    reset(connection);
    // select waits for the reset without taking it.
    let mut read = vec![&client];
    socket_select(Some(&mut read), None, None, 20, 0).expect("it arrives");

    let error =
        || socket_get_option(&client, SOL_SOCKET, SO_ERROR).expect("an option").int().expect("a number");
    assert_eq!((error(), error()), (SOCKET_ECONNRESET, 0));
    assert!(socket_set_option(&client, SOL_SOCKET, SO_ERROR, 0).is_err());
}
