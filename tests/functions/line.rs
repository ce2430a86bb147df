//! `PHP_NORMAL_READ`: one line, and not a byte of the next.

use php_sockets::*;
use proptest::prelude::*;

use crate::common;

#[path = "../models/line.rs"]
mod phps;

/// The lines of PHP's loop for a stream of these bytes, whose other end then closes: one byte a `recv`, until a `\n` or
/// `\r` or `length` bytes. At the end of the stream we give the unterminated line that PHP throws away.
fn model(mut bytes: &[u8], length: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let end =
            bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |at| at + 1);
        let (line, rest) = bytes.split_at(end.min(length));
        lines.push(line.to_vec());
        bytes = rest;
    }
    lines
}

/// Reads lines until the stream ends.
fn lines(socket: &Socket, length: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    loop {
        match socket_read(socket, length, PHP_NORMAL_READ) {
            Ok(line) => lines.push(line),
            Err(error) => {
                assert_eq!(error.code(), SOCKET_ECONNRESET);
                return lines;
            }
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        prop_oneof![3 => Just(b'x'), 1 => Just(b'\n'), 1 => Just(b'\r'), 1 => any::<u8>()],
        0..300,
    )
}

/// The arrivals on a socket: mostly short pieces, empty ones among them.
fn arrived() -> impl Strategy<Value = phps::Arrived> {
    let piece = prop_oneof![1 => Just(Vec::new()), 3 => text().prop_map(|text| text.into_iter().take(5).collect()), 1 => text()];
    let kind = prop_oneof![Just(SOCK_STREAM), Just(SOCK_SEQPACKET), Just(SOCK_DGRAM)];
    (kind, any::<bool>(), prop::collection::vec(piece, 0..20))
        .prop_map(|(kind, nonblock, pieces)| phps::Arrived { kind, nonblock, pieces: pieces.into() })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn lines_are_those_of_phps_rules(bytes in text(), length in 1_usize..50, tcp in any::<bool>()) {
        let (one, other) = if tcp { common::connection() } else { common::pair(SOCK_STREAM) };
        socket_write(&one, &bytes, None).unwrap();
        socket_close(one);

        prop_assert_eq!(lines(&other, length), model(&bytes, length));
    }

    #[test]
    fn lines_are_the_same_however_they_arrive(pieces in prop::collection::vec(text(), 0..8), nonblock in any::<bool>()) {
        let (one, other) = common::connection();
        if nonblock {
            socket_set_nonblock(&other).unwrap();
        }
        let bytes = pieces.concat();
        let writer = std::thread::spawn(move || {
            for piece in &pieces {
                socket_write(&one, piece, None).unwrap();
                std::thread::yield_now();
            }
        });

        let mut seen = Vec::new();
        let expected = model(&bytes, 1000);
        while seen.len() < expected.len() {
            seen.push(socket_read(&other, 1000, PHP_NORMAL_READ).unwrap());
        }

        writer.join().unwrap();
        prop_assert_eq!(seen, expected);
        let end = socket_read(&other, 1000, PHP_NORMAL_READ);
        if nonblock {
            prop_assert_eq!(end.unwrap(), b"");
        } else {
            prop_assert_eq!(end.unwrap_err().code(), SOCKET_ECONNRESET);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn every_kind_of_socket_is_read_by_phps_rules(
        arrived in arrived(),
        lengths in prop::collection::vec(1_usize..50, 1..30),
    ) {
        phps::holds(arrived, &lengths);
    }
}

#[test]
fn a_line_ends_at_n_or_r_and_keeps_its_end() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "unix\ndos\r\nmac\rnul\0tab\t\nlimit", None).unwrap();

    let read = |length| socket_read(&other, length, PHP_NORMAL_READ).unwrap();

    assert_eq!(read(100), b"unix\n");
    assert_eq!(read(100), b"dos\r");
    assert_eq!(read(100), b"\n");
    assert_eq!(read(100), b"mac\r");
    assert_eq!(read(100), b"nul\0tab\t\n");
    assert_eq!(read(3), b"lim");
}

#[test]
fn a_limit_leaves_the_end_of_the_line_in_the_socket() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "abc\n", None).unwrap();

    assert_eq!(socket_read(&other, 3, PHP_NORMAL_READ).unwrap(), b"abc");
    assert_eq!(socket_read(&other, 3, PHP_NORMAL_READ).unwrap(), b"\n");
}

#[test]
fn a_limit_holds_beyond_the_first_look() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, vec![b'x'; 50_000], None).unwrap();

    assert_eq!(socket_read(&other, 20_000, PHP_NORMAL_READ).unwrap().len(), 20_000);
    assert_eq!(socket_read(&other, 30_000, PHP_NORMAL_READ).unwrap().len(), 30_000);
}

#[test]
fn what_follows_the_line_stays_for_other_calls() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "line\nbody", None).unwrap();

    assert_eq!(socket_read(&other, 100, PHP_NORMAL_READ).unwrap(), b"line\n");

    let mut data = Vec::new();
    assert_eq!(socket_recv(&other, &mut data, 100, 0).unwrap(), 4);
    assert_eq!(data, b"body");
}

#[test]
fn another_reader_between_two_lines_changes_no_line() {
    let (one, other) = common::pair(SOCK_STREAM);
    let read = || socket_read(&other, 100, PHP_NORMAL_READ).unwrap();
    socket_write(&one, "begin\r\n\r\nlonger\n", None).unwrap();

    assert_eq!(read(), b"begin\r");
    // The peek has shown three empty lines, which another call receives.
    assert_eq!(socket_read(&other, 3, PHP_BINARY_READ).unwrap(), b"\n\r\n");
    assert_eq!(read(), b"longer\n");
    for _ in 0..30 {
        socket_write(&one, "a\n", None).unwrap();
        assert_eq!(read(), b"a\n");
    }
    socket_write(&one, "longer again\n\nx\r", None).unwrap();
    assert_eq!(read(), b"longer again\n");
    assert_eq!(read(), b"\n");
    assert_eq!(read(), b"x\r");
}

#[test]
fn a_line_of_many_looks_is_whole() {
    let (one, other) = common::connection();
    let mut line = vec![b'x'; 1_000_000];
    line.push(b'\n');
    let expected = line.clone();
    let writer = std::thread::spawn(move || {
        let mut rest = &line[..];
        while !rest.is_empty() {
            rest = &rest[socket_write(&one, rest, None).unwrap()..];
        }
        socket_write(&one, "next\n", None).unwrap();
    });

    assert_eq!(socket_read(&other, 2_000_000, PHP_NORMAL_READ).unwrap(), expected);
    assert_eq!(socket_read(&other, 2_000_000, PHP_NORMAL_READ).unwrap(), b"next\n");
    writer.join().unwrap();
}

#[test]
fn a_socket_that_does_not_wait_waits_for_its_line_without_spinning() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&other).unwrap();
    socket_write(&one, "begun, ", None).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        tell.send(()).unwrap();
        let before = (cpu_time(), common::sleeps());
        let line = socket_read(&other, 100, PHP_NORMAL_READ).unwrap();
        (line, cpu_time() - before.0, common::sleeps() - before.1)
    });
    told.recv().unwrap();
    // The time in which PHP would spin; what is asserted does not depend on how long it is.
    std::thread::sleep(std::time::Duration::from_millis(200));
    socket_write(&one, "done\n", None).unwrap();

    let (line, cpu, sleeps) = reader.join().unwrap();

    assert_eq!(line, b"begun, done\n");
    assert!(cpu < 0.05, "it took {cpu} s of processor time");
    assert!(sleeps < 20, "it slept {sleeps} times");
}

#[test]
fn an_error_that_waits_beside_the_data_is_borne_without_spinning() {
    const IP_RECVERR: i32 = 11;
    let ours = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).unwrap();
    socket_bind(&ours, "127.0.0.1", 0).unwrap();
    let here = socket_getsockname(&ours).unwrap().port;
    socket_set_option(&ours, IPPROTO_IP, IP_RECVERR, 1).unwrap();
    socket_set_nonblock(&ours).unwrap();
    // UDP port 1 has no socket, and loopback says so at once.
    socket_sendto(&ours, "x", 1, 0, "127.0.0.1", 1).unwrap();
    let refused = socket_recv(&ours, &mut Vec::new(), 1, 0).unwrap_err();
    assert_eq!(refused.code(), SOCKET_ECONNREFUSED);

    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        tell.send(()).unwrap();
        let before = cpu_time();
        (socket_read(&ours, 100, PHP_NORMAL_READ).unwrap(), cpu_time() - before)
    });
    told.recv().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).unwrap();
    socket_sendto(&sender, "\n", 1, 0, "127.0.0.1", here).unwrap();

    let (line, cpu) = reader.join().unwrap();

    assert_eq!(line, b"\n");
    assert!(cpu < 0.05, "it took {cpu} s of processor time");
}

/// Seconds of processor time that this thread has used.
fn cpu_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call, which writes it.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    std::time::Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap()).as_secs_f64()
}

#[test]
fn a_time_out_of_the_socket_does_not_end_the_wait_for_a_line() {
    use std::os::fd::AsRawFd;
    let (one, other) = common::pair(SOCK_STREAM);
    let time = libc::timeval { tv_sec: 0, tv_usec: 10_000 };
    // SAFETY: `time` is a `timeval`, as SO_RCVTIMEO wants, and outlives the call.
    let status =
        unsafe { libc::setsockopt(other.as_raw_fd(), SOL_SOCKET, SO_RCVTIMEO, (&raw const time).cast(), 16) };
    assert_eq!(status, 0);
    assert!(
        socket_read(&other, 100, PHP_BINARY_READ).unwrap_err().is_quiet(),
        "a binary read ends after 10 ms"
    );

    let reader = std::thread::spawn(move || socket_read(&other, 100, PHP_NORMAL_READ).unwrap());
    std::thread::sleep(std::time::Duration::from_millis(50));
    socket_write(&one, "late\n", None).unwrap();

    assert_eq!(reader.join().unwrap(), b"late\n");
}

#[test]
fn a_low_water_mark_does_not_hold_a_line_back() {
    for nonblock in [false, true] {
        let (client, server) = common::connection();
        socket_set_option(&server, SOL_SOCKET, SO_RCVLOWAT, 100).unwrap();
        if nonblock {
            socket_set_nonblock(&server).unwrap();
        }
        socket_write(&client, "hi\nyo\n", None).unwrap();

        assert_eq!(socket_read(&server, 100, PHP_NORMAL_READ).unwrap(), b"hi\n");
        // The mark is the descriptor's, and a socket made from it knows.
        let server = Socket::from(std::os::fd::OwnedFd::from(server));
        assert_eq!(socket_read(&server, 100, PHP_NORMAL_READ).unwrap(), b"yo\n");
    }
}

#[test]
fn a_low_water_mark_does_not_hold_back_a_line_that_comes_later() {
    let (client, server) = common::connection();
    socket_set_option(&server, SOL_SOCKET, SO_RCVLOWAT, 100).unwrap();
    socket_set_nonblock(&server).unwrap();

    // The reader waits by then; a line that is there before tests less, and is read all the same.
    let writer = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        socket_write(&client, "hi\n", None).unwrap();
        // The test ends in any case: the end of the stream wakes poll, whatever the mark is.
        std::thread::sleep(std::time::Duration::from_secs(5));
    });
    let begin = std::time::Instant::now();

    assert_eq!(socket_read(&server, 100, PHP_NORMAL_READ).unwrap(), b"hi\n");
    assert!(begin.elapsed() < std::time::Duration::from_secs(4), "it waited for the end of the stream");
    drop(writer);
}

#[test]
fn a_connection_has_the_low_water_mark_of_its_listener() {
    let (listener, port) = common::listener();
    socket_set_option(&listener, SOL_SOCKET, SO_RCVLOWAT, 100).unwrap();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_connect(&client, "127.0.0.1", port).unwrap();
    let server = socket_accept(&listener).unwrap();
    socket_write(&client, "hi\n", None).unwrap();

    assert_eq!(socket_read(&server, 100, PHP_NORMAL_READ).unwrap(), b"hi\n");
}

#[test]
fn an_offset_for_peeking_does_not_change_the_lines() {
    for imported in [false, true] {
        let (one, mut other) = common::pair(SOCK_STREAM);
        socket_set_option(&other, SOL_SOCKET, libc::SO_PEEK_OFF, 2).unwrap();
        if imported {
            other = Socket::from(std::os::fd::OwnedFd::from(other));
        }
        socket_write(&one, "a\nlonger\n", None).unwrap();

        assert_eq!(socket_read(&other, 100, PHP_NORMAL_READ).unwrap(), b"a\n");
        assert_eq!(socket_read(&other, 100, PHP_NORMAL_READ).unwrap(), b"longer\n");
    }
}

#[test]
fn the_last_line_may_lack_its_end() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "one\ntwo", None).unwrap();
    socket_close(one);

    assert_eq!(lines(&other, 100), [&b"one\n"[..], b"two"]);
    assert_eq!(socket_last_error(&other), SOCKET_ECONNRESET);
}

#[test]
fn datagrams_give_their_first_byte_each_as_in_php() {
    let (one, other) = common::pair(SOCK_DGRAM);
    for datagram in ["hello", "i", "\nrest", "next"] {
        socket_write(&one, datagram, None).unwrap();
    }

    assert_eq!(socket_read(&other, 100, PHP_NORMAL_READ).unwrap(), b"hi\n");
    assert_eq!(socket_read(&other, 1, PHP_NORMAL_READ).unwrap(), b"n");
}

#[test]
fn two_hundred_empty_datagrams_are_a_reset_as_in_php() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let fill = |count| (0..count).for_each(|_| assert_eq!(socket_write(&one, "", None).unwrap(), 0));
    socket_set_nonblock(&other).unwrap();
    fill(1);
    assert_eq!(
        socket_read(&other, 100, PHP_NORMAL_READ).unwrap(),
        b"",
        "a socket that does not wait returns"
    );
    socket_set_block(&other).unwrap();

    let feeder = std::thread::spawn({
        let one = Socket::from(std::os::fd::AsFd::as_fd(&one).try_clone_to_owned().unwrap());
        move || {
            (0..199).for_each(|_| assert_eq!(socket_write(&one, "", None).unwrap(), 0));
            socket_write(&one, "\n", None).unwrap();
        }
    });
    assert_eq!(socket_read(&other, 100, PHP_NORMAL_READ).unwrap(), b"\n", "199 are not enough");
    feeder.join().unwrap();

    let reader = std::thread::spawn(move || socket_read(&other, 100, PHP_NORMAL_READ).unwrap_err());
    fill(200);

    assert_eq!(reader.join().unwrap().code(), SOCKET_ECONNRESET);
}

#[test]
fn a_mode_that_is_neither_reads_like_binary() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "a\nb", None).unwrap();

    assert_eq!(socket_read(&other, 100, 7).unwrap(), b"a\nb");
}

#[cfg(target_arch = "x86_64")]
const POLL: libc::c_long = libc::SYS_poll;
#[cfg(not(target_arch = "x86_64"))]
const POLL: libc::c_long = libc::SYS_ppoll;

#[test]
fn an_error_of_fcntl_or_poll_is_an_error_of_the_read() {
    let (_one, other) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&other).unwrap();
    let datagrams = common::pair(SOCK_DGRAM);

    let read = |socket: &Socket| socket_read(socket, 10, PHP_NORMAL_READ).unwrap_err().code();
    assert_eq!(common::failing(libc::SYS_fcntl, SOCKET_EBADF, || read(&other)), SOCKET_EBADF);
    assert_eq!(common::failing(libc::SYS_fcntl, SOCKET_EBADF, || read(&datagrams.0)), SOCKET_EBADF);
    assert_eq!(common::failing(POLL, SOCKET_ENOMEM, || read(&other)), SOCKET_ENOMEM);
}
