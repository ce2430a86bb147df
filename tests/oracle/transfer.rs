//! Section 2.11 to 2.14: write, read, recv and send.

use std::os::fd::AsRawFd;
use std::sync::mpsc;

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::dialects::by_version;
use crate::php::{self, Peer, wait_until};
use crate::script::{agree, set_option};

#[test]
fn write_sends_what_it_is_told_to_and_no_more_than_there_is() {
    // 2.11: null is the whole string, otherwise min(length, strlen)
    // [V] 2.11: length 0 is legal
    // [V] 2.11: no data makes a write of length zero, which returns 0
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_SEQPACKET 0
        socket_write a "hello" null
        socket_write a "hello" 2
        socket_write a "hello" 100
        socket_write a "\0\xff\r\n" null
        socket_recv b data 10 0
        socket_recv b data 10 0
        socket_recv b data 10 0
        socket_recv b data 10 0
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write c "hello" 0
        socket_write c "" null
        socket_write c "" 5
        socket_set_nonblock d
        socket_read d 10 PHP_BINARY_READ
        e f = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write e "" null
        socket_write e "hello" 0
        socket_recv f data 10 0
        socket_recv f data 10 0
        socket_recv f data 10 MSG_DONTWAIT
        "#,
    );
}

#[test]
fn a_negative_length_is_thrown_or_does_not_compile() {
    // 2.11, 2.14: length < 0 is a ValueError; `usize` has no negative numbers
    for (call, text) in [
        (
            "socket_write($s, 'x', -1)",
            "ValueError: socket_write(): Argument #3 ($length) must be greater than or equal to 0",
        ),
        (
            "socket_send($s, 'x', -1, 0)",
            "ValueError: socket_send(): Argument #3 ($length) must be greater than or equal to 0",
        ),
    ] {
        assert_eq!(php::thrown(&format!("$s = socket_create(AF_INET, SOCK_STREAM, 0); {call}")), text);
    }
}

#[test]
fn a_write_can_be_short_and_nobody_tries_again() {
    // [V] 2.11: one call, no retry: a short write returns the short count
    // How much fits is the kernel's affair: less than all, more than nothing.
    let lengths = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_set_nonblock($p[0]);
         $short = socket_write($p[0], str_repeat('x', 10_000_000)); socket_set_nonblock($p[1]);
         for ($all = 0; ($part = socket_read($p[1], 65536)) !== false; ) $all += strlen($part);
         return [$short, $all];",
    );
    let short = lengths[0].as_u64().unwrap();
    assert!(short > 0 && short < 10_000_000, "{short}");
    assert_eq!(lengths[1], json!(short));

    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&here).unwrap();
    let short = socket_write(&here, vec![b'x'; 10_000_000], None).unwrap();
    assert!(short > 0 && short < 10_000_000, "{short}");
    socket_set_nonblock(&there).unwrap();
    let mut all = 0;
    while let Ok(part) = socket_read(&there, 65536, PHP_BINARY_READ) {
        all += part.len();
    }
    assert_eq!(all, short);
}

#[test]
fn a_write_that_cannot_be_done_fails() {
    // [V] 2.11: EAGAIN is silent, EPIPE warns
    // [V] 2.11: an unconnected TCP socket: [32] Broken pipe
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_set_nonblock a
        socket_set_option a SOL_SOCKET SO_SNDBUF 4608
        socket_write a "x"*200000 null
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        drop d
        socket_write c "x" null
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_write s "x" null
        socket_write s "" null
        u = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_write u "x" null
        "#,
    );
    let full = common::php_failure(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_set_nonblock($s);
         while (socket_write($s, str_repeat('x', 65536)) !== false); socket_clear_error(); socket_write($s, 'x')",
    );
    let (socket, _peer) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&socket).unwrap();
    let much = vec![b'x'; 65536];
    while socket_write(&socket, &much, None).is_ok() {}
    socket_clear_error(None);
    assert!(socket_write(&socket, "x", None).unwrap_err().is_quiet());
    assert_eq!((full.warning, full.last, full.own), (None, 11, Some(11)));
    assert_eq!((socket_last_error(None), socket_last_error(&socket)), (11, 11));
}

#[test]
fn read_gives_what_has_arrived() {
    // 2.12: one recv: what has arrived, at most length bytes
    // [V] 2.12: every mode but 1 is PHP_BINARY_READ
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "one\ntwo\n\0three" null
        socket_read b 6 PHP_BINARY_READ
        socket_read b 100 PHP_BINARY_READ
        socket_write a "a\nb\n" null
        socket_read b 100 0
        socket_write a "a\nb\n" null
        socket_read b 100 3
        socket_write a "a\nb\n" null
        socket_read b 100 -1
        socket_write a "a\nb\n" null
        socket_read b 100 99
        "#,
    );
}

#[test]
fn a_length_of_nothing_is_a_plain_false() {
    // [V] 2.12: length ≤ 0 gives false, no warning, no error recorded
    // [V] 2.13: length ≤ 0 gives false, and $data is left alone
    // A negative length does not compile.
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write b "waiting" null
        socket_read a 0 PHP_BINARY_READ
        socket_read a 0 PHP_NORMAL_READ
        socket_recv a data 3 0
        socket_recv a data 0 0
        socket_last_error null
        socket_last_error a
        "#,
    );
    let negative = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $data = 'kept';
         return [socket_read($p[0], -5), socket_read($p[0], -5, PHP_NORMAL_READ), socket_recv($p[0], $data, -5, 0), $data,
             error_get_last(), socket_last_error(), socket_last_error($p[0])];",
    );
    assert_eq!(negative, json!([false, false, false, "kept", null, 0, 0]));
}

#[test]
fn more_than_there_is_memory_for_is_a_plain_false() {
    // [V] 2.12: PHP_INT_MAX is a plain false; before 8.4 PHP tries to allocate it and dies of memory exhaustion, as 8.5
    // still does for one byte less. Ours fails, and says nothing.
    let dying = by_version(&[(80200, "exhausted (tried to allocate"), (80500, "Out of memory")]);
    for (length, dies) in
        [("PHP_INT_MAX", by_version(&[(80200, true), (80400, false)])), ("PHP_INT_MAX - 1", true)]
    {
        for call in [
            format!("socket_read($p[0], {length})"),
            format!("socket_read($p[0], {length}, PHP_NORMAL_READ)"),
            format!("socket_recv($p[0], $data, {length}, 0)"),
        ] {
            let code = format!(
                "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], \"x\\n\");
                 echo json_encode([{call}, error_get_last(), socket_last_error(), socket_last_error($p[0])]);"
            );
            let output = common::php_command().args(["-r", &code]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            if dies {
                assert!(!output.status.success() && said.contains(dying), "{call}: {said}");
            } else {
                assert!(output.status.success(), "{call}: {}", output.status);
                assert_eq!(said, "[false,null,0,0]", "{call}");
            }
        }
    }

    let (socket, _peer) = common::pair(SOCK_STREAM);
    for length in [usize::MAX, isize::MAX.unsigned_abs()] {
        for mode in [PHP_BINARY_READ, PHP_NORMAL_READ] {
            assert_eq!(socket_read(&socket, length, mode).unwrap_err().kind(), ErrorKind::Silent);
        }
    }
    assert_eq!((socket_last_error(None), socket_last_error(&socket)), (0, 0));
}

#[test]
fn the_end_of_a_stream_is_the_empty_string() {
    // [V] 2.12: 0 bytes is "": the end of the stream, or an empty datagram; −1 is false, EAGAIN silent
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "last" null
        drop a
        socket_read b 10 PHP_BINARY_READ
        socket_read b 10 PHP_BINARY_READ
        socket_read b 10 PHP_BINARY_READ
        c d = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write c "" null
        socket_read d 10 PHP_BINARY_READ
        socket_set_nonblock d
        socket_read d 10 PHP_BINARY_READ
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_read s 10 PHP_BINARY_READ
        "#,
    );
}

#[test]
fn a_line_ends_at_a_newline_or_a_carriage_return() {
    // 2.12, rule 2: the terminator is kept and counts
    // [V] 2.12, rule 2: NUL ends no line
    // [V] 2.12, rule 2: a limit that is hit first leaves the terminator in the socket
    // [V] 2.12, rule 3: \r\n is two lines: "…\r", then "\n"
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "one\ntwo\rthree\r\nfo\0ur\nlimit\n\n\r" null
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 5 PHP_NORMAL_READ
        socket_read b 5 PHP_NORMAL_READ
        socket_read b 1 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_write a "exact\n" null
        socket_read b 6 PHP_NORMAL_READ
        socket_write a "x"*40000 null
        socket_write a "\n" null
        socket_read b 50000 PHP_NORMAL_READ
        "#,
    );
}

#[test]
fn lines_of_a_tcp_connection_are_the_same() {
    // 2.12, rules 2 and 3, on TCP, with a line in two parts and a look that may not take
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        s = socket_accept l
        socket_write c "GET / HT" null
        socket_write c "TP/1.1\r\nHost: x\r\n\r\nbody" null
        socket_read s 8192 PHP_NORMAL_READ
        socket_recv s data 1 MSG_PEEK
        socket_read s 8192 PHP_NORMAL_READ
        socket_read s 8192 PHP_NORMAL_READ
        socket_read s 8192 PHP_NORMAL_READ
        socket_read s 8192 PHP_NORMAL_READ
        socket_read s 8192 PHP_NORMAL_READ
        socket_recv s data 4 MSG_WAITALL
        "#,
    );
}

#[test]
fn php_spins_for_a_line_of_a_nonblocking_socket_and_we_wait() {
    // [V] 2.12, rule 4: on a non-blocking socket PHP calls recv again and again at 100 % CPU until the line is whole,
    // and never returns EAGAIN. Ours waits in poll (an intended difference: syscalls.rs shows the calls) and returns
    // the same.
    let php = Peer::new(
        "socket_set_nonblock($s); $line = socket_read($s, 100, PHP_NORMAL_READ);
         socket_write($s, json_encode([$line, socket_last_error(), error_get_last()]));",
    );
    php.write("half ");
    let begin = processor_ticks(php.pid());
    wait_until("PHP burns a tenth of a second", || processor_ticks(php.pid()) >= begin + 10);
    php.write("line\n");
    assert_eq!(php.answer(), r#"["half line\n",0,null]"#);

    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&here).unwrap();
    socket_write(&there, "half ", None).unwrap();
    let (tell, told) = mpsc::channel();
    let (line, last) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            tell.send(thread()).unwrap();
            (socket_read(&here, 100, PHP_NORMAL_READ), socket_last_error(None))
        });
        let reader_thread = told.recv().unwrap();
        wait_until("the reader has taken the half and sleeps", || {
            is_empty(&here) && state(reader_thread) == Some('S')
        });
        socket_write(&there, "line\n", None).unwrap();
        reader.join().unwrap()
    });
    assert_eq!((line.unwrap(), last), (b"half line\n".to_vec(), 0));
}

#[test]
fn a_time_limit_does_not_end_a_line() {
    // [V] 2.12, rule 4: SO_RCVTIMEO has no effect in this mode. The writer waits until the reader has been woken by its
    // limit three times.
    let php = Peer::new(
        "socket_set_option($s, SOL_SOCKET, SO_RCVTIMEO, ['sec' => 0, 'usec' => 20000]);
         $line = socket_read($s, 100, PHP_NORMAL_READ);
         socket_write($s, json_encode([$line, socket_last_error(), error_get_last()]));",
    );
    php.write("half ");
    let status = format!("/proc/{}/status", php.pid());
    wait_until("PHP sleeps", || state_in(&format!("/proc/{}/stat", php.pid())) == Some('S'));
    let begin = times_asleep(&status);
    wait_until("PHP wakes up three times", || times_asleep(&status) >= begin + 3);
    php.write("line\n");
    assert_eq!(php.answer(), r#"["half line\n",0,null]"#);

    let (here, there) = common::pair(SOCK_STREAM);
    set_option(&here, SOL_SOCKET, SO_RCVTIMEO, &libc::timeval { tv_sec: 0, tv_usec: 20000 });
    socket_write(&there, "half ", None).unwrap();
    let (tell, told) = mpsc::channel();
    let (line, last) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            tell.send(thread()).unwrap();
            (socket_read(&here, 100, PHP_NORMAL_READ), socket_last_error(None))
        });
        let status = format!("/proc/self/task/{}/status", told.recv().unwrap());
        wait_until("the reader has taken the half", || is_empty(&here));
        let begin = times_asleep(&status);
        wait_until("the reader wakes up three times", || times_asleep(&status) >= begin + 3);
        socket_write(&there, "line\n", None).unwrap();
        reader.join().unwrap()
    });
    assert_eq!((line.unwrap(), last), (b"half line\n".to_vec(), 0));
}

/// The processor time that a process has used, in clock ticks of a hundredth of a second.
fn processor_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// How often a process or thread has gone to sleep of its own accord.
fn times_asleep(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

/// The state of a process or thread: `S` is asleep.
fn state_in(stat: &str) -> Option<char> {
    std::fs::read_to_string(stat).ok()?.rsplit_once(')')?.1.trim_start().chars().next()
}

fn state(thread: libc::pid_t) -> Option<char> {
    state_in(&format!("/proc/self/task/{thread}/stat"))
}

/// The kernel's number of this thread.
fn thread() -> libc::pid_t {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Whether nothing has arrived that could be read.
fn is_empty(socket: &Socket) -> bool {
    socket_recv(socket, &mut Vec::new(), 1, MSG_PEEK | MSG_DONTWAIT).is_err()
}

#[test]
fn php_asks_again_after_eagain_and_loses_bytes_after_another_code() {
    // 2.12, rule 4: EAGAIN and ESPIPE are forgotten and recv is called again, on a blocking socket too
    for code in ["EAGAIN", "ESPIPE"] {
        let (calls, said) = php::traced(
            "recvfrom",
            &[&format!("recvfrom:error={code}:when=2..3")],
            "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], \"ab\\n\");
             echo json_encode([socket_read($p[0], 100, PHP_NORMAL_READ), socket_last_error(), error_get_last()]);",
        );
        assert_eq!((said.as_str(), calls.len()), (r#"["ab\n",0,null]"#, 5));
    }
    // 2.12, rule 5: any other code is a failure, and the bytes that PHP has taken are lost. Ours only looks at bytes
    // before it takes the whole line.
    let (_, said) = php::traced(
        "recvfrom",
        &["recvfrom:error=EIO:when=2"],
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], \"ab\\n\");
         echo json_encode([@socket_read($p[0], 100, PHP_NORMAL_READ), error_get_last()['message'],
             socket_read($p[0], 100, PHP_NORMAL_READ)]);",
    );
    assert_eq!(said, r#"[false,"socket_read(): unable to read from socket [5]: Input\/output error","b\n"]"#);

    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "ab\n", None).unwrap();
    let error = common::failing(libc::SYS_recvfrom, SOCKET_EIO, || {
        socket_read(&here, 100, PHP_NORMAL_READ).unwrap_err().to_string()
    });
    assert_eq!(error, "socket_read(): unable to read from socket [5]: Input/output error");
    assert_eq!(socket_read(&here, 100, PHP_NORMAL_READ).unwrap(), b"ab\n");
}

#[test]
fn a_line_at_the_end_of_a_nonblocking_stream_is_what_there_is() {
    // [V] 2.12, rule 6: end of stream, non-blocking: what was gathered so far, possibly "", at once
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "whole\npart" null
        drop a
        socket_set_nonblock b
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_last_error null
        "#,
    );
}

#[test]
fn the_mode_of_a_line_is_that_of_the_descriptor() {
    // 2.12, rule 1: whether a line waits is taken from fcntl(F_GETFL), not from what set_block and set_nonblock were
    // told: here another process has changed the mode.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); stream_set_blocking(socket_export_stream($p[0]), false);
         socket_write($p[1], 'part'); socket_close($p[1]);
         return [socket_read($p[0], 100, PHP_NORMAL_READ), socket_read($p[0], 100, PHP_NORMAL_READ), error_get_last()];",
    );
    let (here, there) = common::pair(SOCK_STREAM);
    // SAFETY: F_SETFL takes a number; the descriptor is open as long as `here` lives.
    assert_eq!(unsafe { libc::fcntl(here.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
    socket_write(&there, "part", None).unwrap();
    socket_close(there);
    let lines =
        [(); 2].map(|()| String::from_utf8(socket_read(&here, 100, PHP_NORMAL_READ).unwrap()).unwrap());
    assert_eq!(php, json!([lines[0], lines[1], null]));
    // If fcntl fails, so does PHP, with its code. Ours asks for the mode only where it matters.
    let (_, said) = php::traced(
        "fcntl",
        &["fcntl:error=EIO"],
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], \"line\\n\");
         echo json_encode([@socket_read($p[0], 100, PHP_NORMAL_READ), error_get_last()['message'], socket_last_error($p[0])]);",
    );
    assert_eq!(said, r#"[false,"socket_read(): unable to read from socket [5]: Input\/output error",5]"#);
}

#[test]
fn a_line_at_the_end_of_a_blocking_stream_is_an_error() {
    // [V] 2.12, rule 6: blocking: after 200 reads of nothing the warning [104] Connection reset by peer, and false
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "whole\n" null
        drop a
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_BINARY_READ
        "#,
    );
    // [V] 2.12, rule 6: a partial last line is discarded. Ours returns it, an intended difference, and then fails
    // alike.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], 'part'); socket_close($p[1]);
         return [socket_read($p[0], 100, PHP_NORMAL_READ), error_get_last()['message'], socket_read($p[0], 100)];",
    );
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "part", None).unwrap();
    socket_close(there);
    assert_eq!(socket_read(&here, 100, PHP_NORMAL_READ).unwrap(), b"part");
    let error = socket_read(&here, 100, PHP_NORMAL_READ).unwrap_err();
    assert_eq!(php, json!([false, error.to_string(), ""]));
    assert_eq!(error.code(), SOCKET_ECONNRESET);
}

#[test]
fn a_line_of_datagrams_takes_one_byte_of_each() {
    // [V] 2.12, rule 7: on datagram sockets each 1-byte recv discards the rest of its datagram
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write a "a1" null
        socket_write a "b2\n" null
        socket_write a "\nc" null
        socket_write a "next\n" null
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 1 PHP_NORMAL_READ
        socket_set_nonblock b
        socket_write a "x" null
        socket_write a "" null
        socket_read b 100 PHP_NORMAL_READ
        c d = socket_create_pair AF_UNIX SOCK_SEQPACKET 0
        socket_write c "one" null
        socket_write c "\r" null
        socket_read d 100 PHP_NORMAL_READ
        "#,
    );
}

#[test]
fn a_line_of_no_connection_is_an_error() {
    // 2.12, rules 1 and 5: another code of the kernel is a failure
    agree(
        "
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_read s 100 PHP_NORMAL_READ
        socket_set_nonblock s
        socket_read s 100 PHP_NORMAL_READ
        u = socket_create AF_UNIX SOCK_STREAM 0
        socket_read u 100 PHP_NORMAL_READ
        ",
    );
}

#[test]
fn recv_leaves_null_where_nothing_came() {
    // [V] 2.13: n = 0: $data is null and the result int 0; n = −1: $data is null, recorded, false (on EAGAIN too)
    // In Rust the buffer is emptied.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_set_nonblock($p[0]); $a = $b = 'old';
         $again = socket_recv($p[0], $a, 10, 0); socket_close($p[1]); $end = socket_recv($p[0], $b, 10, 0);
         return [$again, $a, $end, $b];",
    );
    assert_eq!(php, json!([false, null, 0, null]));
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write b "old" null
        socket_recv a data 10 0
        socket_set_nonblock a
        socket_recv a data 10 0
        socket_write b "new" null
        socket_recv a data 10 0
        drop b
        socket_recv a data 10 0
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_recv s data 10 0
        "#,
    );
}

#[test]
fn recv_passes_its_flags_to_the_kernel() {
    // 2.13: MSG_PEEK, MSG_WAITALL, MSG_DONTWAIT and MSG_OOB are passed straight through
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        s = socket_accept l
        socket_recv s data 10 MSG_DONTWAIT
        socket_recv s data 10 MSG_OOB
        socket_write c "hello" null
        socket_recv s data 3 MSG_PEEK
        socket_recv s data 5 MSG_WAITALL
        socket_send c "!" 1 MSG_OOB
        socket_select null null [s] 10 0
        socket_recv s data 10 MSG_OOB
        socket_recv s data 10 MSG_OOB
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "ab" null
        socket_write a "cd" null
        socket_recv b data 4 MSG_WAITALL
        socket_recv b data 10 -1
        "#,
    );
}

#[test]
fn a_datagram_longer_than_the_buffer_is_counted_and_cut() {
    // 2.13: with MSG_TRUNC the result can exceed length. PHP, 8.5 included, then reads past its buffer; ours has what fits.
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); socket_write($p[1], 'hello world');
         return [socket_recv($p[0], $data, 3, MSG_TRUNC), strlen($data), substr($data, 0, 3)];",
    );
    assert_eq!(php, json!([11, 11, "hel"]));

    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, "hello world", None).unwrap();
    let mut data = Vec::new();
    assert_eq!(socket_recv(&here, &mut data, 3, MSG_TRUNC).unwrap(), 11);
    assert_eq!(data, b"hel");
    // Without the flag both cut and report nothing.
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write b "hello world" null
        socket_write b "next" null
        socket_recv a data 3 0
        socket_recv a data 10 0
        "#,
    );
}

#[test]
fn send_sends_at_most_what_there_is() {
    // 2.14: min(length, strlen) bytes; 0 is legal
    // [V] 2.14: SIGPIPE is ignored, so MSG_NOSIGNAL changes nothing
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_SEQPACKET 0
        socket_send a "hello" 2 0
        socket_send a "hello" 100 0
        socket_send a "hello" 0 0
        socket_recv b data 10 0
        socket_recv b data 10 0
        socket_recv b data 10 0
        socket_send a "urgent" 6 MSG_OOB
        drop b
        socket_send a "x" 1 0
        socket_send a "x" 1 MSG_NOSIGNAL
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_send s "x" 1 0
        socket_send s "x" 1 MSG_NOSIGNAL
        u = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_send u "x" 1 0
        "#,
    );
}
