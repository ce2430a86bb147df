//! The system calls behind each function: the same as PHP's, in the same order, with the same arguments.
//!
//! A test plays its script three times: PHP under strace; this very test under strace, which finds the variable
//! [`MARKS`] set and then only plays; and itself, which compares the two traces step by step. The intended difference
//! is put into PHP's trace before the comparison: `SOCK_CLOEXEC`. The other calls of an older PHP are listed. Only lines
//! are read in another way: their tests count the calls.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::common;
use crate::php;
use crate::record;
use crate::script::{MARKS, play_php, play_rust, steps};

/// The traced calls: everything about sockets, and what shows where a step begins and ends.
const TRACED: &str =
    "%network,read,write,close,fcntl,ioctl,?select,pselect6,?poll,ppoll,?access,faccessat,?faccessat2,statx";

/// The calls of each step, by PHP and by this crate.
struct Traces {
    steps: Vec<String>,
    php: Vec<Vec<String>>,
    ours: Vec<Vec<String>>,
}

/// Traces both players of a script. `test` is the name of the test that asks. Where it is itself the traced player, it
/// plays, and there is nothing to compare.
fn traces(test: &str, script: &str) -> Option<Traces> {
    traces_with(test, script, &[])
}

fn traces_with(test: &str, script: &str, inject: &[&str]) -> Option<Traces> {
    let steps = steps(script);
    if std::env::var_os(MARKS).is_some() {
        play_rust(&steps);
        return None;
    }

    let strace = php::strace(TRACED, inject);
    let mut command = strace.command(common::php_program());
    command.env(MARKS, "1");
    play_php(&steps, command);
    let php = by_step(&php::texts(&strace), steps.len(), Side::Php);

    let strace = php::strace(TRACED, inject);
    let mut command = strace.command(std::env::current_exe().expect("a program"));
    let said = common::printed(command.env(MARKS, "1").args([
        "--exact",
        &format!("syscalls::{test}"),
        "--nocapture",
    ]));
    assert!(said.contains("1 passed"), "{said}");
    let ours = by_step(&php::texts(&strace), steps.len(), Side::Ours);

    Some(Traces { steps: steps.into_iter().map(|step| step.line).collect(), php, ours })
}

/// Compares the calls; gives ours, with the text of the step.
#[track_caller]
fn same_system_calls(test: &str, script: &str) -> Vec<(String, Vec<String>)> {
    let Some(Traces { steps, php, ours }) = traces(test, script) else { return Vec::new() };
    for ((step, php), ours) in steps.iter().zip(&php).zip(&ours) {
        let listed = older(step, ours);
        let expected = listed.as_ref().map_or(ours, |(_, calls)| calls);
        assert_eq!(expected, php, "left is Rust (or listed), right is PHP, at: {step}");
        record::tally(listed.map(|(item, _)| item));
    }
    eprintln!("compared {} steps", steps.len());
    steps.into_iter().zip(ours).collect()
}

/// An older PHP's calls, where they differ: of a step's text and our calls.
fn older(step: &str, ours: &[String]) -> Option<(&'static str, Vec<String>)> {
    let version = common::php_version();
    let accepts = step.contains("socket_accept ");
    if accepts && version < 80500 {
        let [call] = ours else { panic!("one call accepts: {ours:?}") };
        let old = call.replace(", SOCK_CLOEXEC|SOCK_NONBLOCK)", ")").replace(", SOCK_CLOEXEC)", ")");
        let mut calls = vec![old.replace("accept4(", "accept(")];
        // Success ends with the number of a socket.
        let made = call.rsplit_once("= ").map(|(_, made)| made).filter(|made| made.starts_with("SOCKET"));
        if let (Some(made), true) = (made, version >= 80400) {
            calls.push(format!("fcntl({made}, F_GETFD) = 0"));
            calls.push(format!("fcntl({made}, F_SETFD, FD_CLOEXEC) = 0"));
        }
        return Some(("accept: its system calls", calls));
    }
    let mode = step.strip_prefix("socket_shutdown s ").filter(|mode| !["0", "1", "2"].contains(mode))?;
    assert!(ours.is_empty(), "PHP 8.5 calls nothing: {ours:?}");
    let call = format!("shutdown(SOCKET3, 0x{mode} /* SHUT_??? */) = -1 EINVAL (Invalid argument)");
    (version < 80500).then(|| ("shutdown with another mode: its system call", vec![call]))
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Php,
    Ours,
}

/// The calls on sockets between the marks of each step. In a debug build Rust's library asks with `F_GETFD` whether a
/// descriptor that it closes is open; neither PHP nor this crate has a use for that call.
fn by_step(lines: &[String], steps: usize, side: Side) -> Vec<Vec<String>> {
    let mut plain = Plain::default();
    let mut all = vec![Vec::new(); steps];
    let mut now = None;
    for line in lines {
        if let Some(found) = MARK.captures(line) {
            now = if now.is_none() { found[1].parse::<usize>().ok() } else { None };
        } else if let (Some(step), false) = (now, side == Side::Ours && line.contains(", F_GETFD)")) {
            let line = if side == Side::Php { close_on_exec(line) } else { line.clone() };
            all[step].extend(plain.line(&line));
        }
    }
    assert!(now.is_none(), "the last step has an end");
    all
}

/// PHP's call as this crate makes it: close-on-exec from its birth.
fn close_on_exec(line: &str) -> String {
    // The resolver's own sockets are so already.
    if line.contains("SOCK_CLOEXEC") {
        line.to_owned()
    } else {
        TYPE.replace(line, "$1|SOCK_CLOEXEC").into_owned()
    }
}

macro_rules! patterns {
    ($($name:ident $pattern:literal)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a pattern"));)*
    };
}

patterns! {
    MARK r#""/step/(\d+)""#
    TYPE r"^(socket(?:pair)?\(\w+, [\w|]+)"
    FOLDER r"/\S*/sockets-\w{19}"
    POINTER r"0x[0-9a-f]{6,}"
    TIME_LEFT r", left \{[^}]*\}"
    CAPACITY r"\[(?:\d+ => )?(\d+)\](\) = \d|, SOCK_CLOEXEC(?:\|SOCK_NONBLOCK)?\) = \d)"
    NO_CAPACITY r"\[\d+\](, SOCK_[A-Z|_]+)?\) = -1"
    NETLINK r"nl_pid=\d+|nlmsg_seq=\d+|msg_iov=.*, msg_iovlen"
    PORT r"htons\((\d+)\)"
    LIMIT r"^(pselect6|select)\(\d+"
    SET r"\[\d+(?:,? \d+)*\]"
    NUMBER r"\d+"
    FIRST r"^(\w+)\((\d+)\b"
    MADE r"^((?:socket|accept4?)\(.*\) = )(\d+)$"
}

/// Takes out of a line what differs from run to run: numbers of descriptors and ports, the folder, pointers, time left,
/// the capacity that there was for an address, and what the kernel tells the resolver about interfaces.
#[derive(Default)]
struct Plain {
    sockets: HashMap<String, String>,
    seen: usize,
    ports: Vec<String>,
}

impl Plain {
    /// The line, unless it is about a file.
    fn line(&mut self, line: &str) -> Option<String> {
        let about = FIRST.captures(line).map(|found| (found[1].to_owned(), found[2].to_owned()));
        let about = about.filter(|(call, _)| !["select", "pselect6"].contains(&call.as_str()));
        if about.as_ref().is_some_and(|(_, fd)| !self.sockets.contains_key(fd)) {
            return None;
        }
        let line = FOLDER.replace_all(line, "DIR");
        let line = POINTER.replace_all(&line, "POINTER");
        let line = TIME_LEFT.replace_all(&line, "");
        let line = CAPACITY.replace(&line, "[$1 BYTES]$2");
        let line = NO_CAPACITY.replace(&line, "[CAPACITY]$1) = -1");
        let line = NETLINK.replace_all(&line, "");
        let line = PORT.replace_all(&line, |found: &Captures| self.port(&found[1]));
        let line = LIMIT.replace(&line, "$1(LIMIT");
        let line = if line.contains("select") || line.starts_with("socketpair") {
            SET.replace_all(&line, |set: &Captures| {
                NUMBER.replace_all(&set[0], |fd: &Captures| self.socket(&fd[0])).into_owned()
            })
        } else {
            line
        };
        let line = about.as_ref().map_or(line.clone(), |(call, fd)| {
            FIRST.replace(&line, format!("{call}({}", self.socket(fd))).into_owned().into()
        });
        let line = MADE
            .replace(&line, |found: &Captures| format!("{}{}", &found[1], self.socket(&found[2])))
            .into_owned();
        if let Some(("close", fd)) = about.as_ref().map(|(call, fd)| (call.as_str(), fd)) {
            self.sockets.remove(fd);
        }
        Some(line)
    }

    fn socket(&mut self, number: &str) -> String {
        if let Some(label) = self.sockets.get(number) {
            return label.clone();
        }
        self.seen += 1;
        let label = format!("SOCKET{}", self.seen);
        self.sockets.insert(number.to_owned(), label.clone());
        label
    }

    fn port(&mut self, port: &str) -> String {
        if port == "0" {
            return "htons(0)".to_owned();
        }
        let known = self.ports.iter().position(|known| known == port);
        let number = known.unwrap_or_else(|| {
            self.ports.push(port.to_owned());
            self.ports.len() - 1
        });
        format!("PORT{}", number + 1)
    }
}

#[test]
fn sockets_are_made_and_closed_with_phps_calls() {
    same_system_calls(
        "sockets_are_made_and_closed_with_phps_calls",
        "
        a = socket_create AF_INET SOCK_STREAM SOL_TCP
        b = socket_create AF_INET6 SOCK_DGRAM 0
        c = socket_create AF_UNIX SOCK_SEQPACKET 0
        socket_create AF_INET SOCK_DGRAM SOL_TCP
        socket_create AF_INET SOCK_RDM 0
        socket_create 99 SOCK_STREAM 0
        socket_create AF_INET 11 0
        d e = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_create_pair AF_INET SOCK_STREAM 0
        socket_create_pair AF_UNIX 11 0
        socket_set_nonblock d
        socket_set_nonblock d
        socket_set_block d
        l = socket_create_listen 0 5
        n = socket_getsockname l
        socket_create_listen n.port 5
        socket_close a
        socket_close d
        drop e
        ",
    );
}

#[test]
fn names_are_given_and_asked_for_with_phps_calls() {
    same_system_calls(
        "names_are_given_and_asked_for_with_phps_calls",
        r#"
        a = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        socket_getpeername a
        socket_bind a "127.1" 0
        socket_bind a "256.1.1.1" 0
        b = socket_create AF_INET6 SOCK_STREAM SOL_TCP
        socket_bind b "::1" 0
        socket_getsockname b
        socket_getpeername b
        c = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind c path:letterbox 0
        socket_getsockname c
        socket_getpeername c
        d = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind d "" 0
        e = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind e abstract:letterbox\0more 0
        socket_getsockname e
        socket_bind e "x"*108 0
        "#,
    );
}

#[test]
fn connections_are_made_with_phps_calls() {
    let ours = same_system_calls(
        "connections_are_made_with_phps_calls",
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 0
        socket_listen l -5
        n = socket_getsockname l
        socket_set_nonblock l
        socket_accept l
        socket_set_block l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address null
        socket_connect c n.address n.port
        socket_connect c n.address n.port
        s = socket_accept l
        socket_getpeername s
        socket_shutdown s 1
        socket_shutdown s 7
        u = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect u path:nobody 80
        socket_bind u path:door 0
        socket_listen u 5
        v = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect v path:door null
        w = socket_accept u
        socket_set_nonblock u
        x = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect x path:door null
        y = socket_accept u
        socket_accept u
        socket_set_block u
        z = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect z path:door null
        k = socket_accept u
        socket_accept a_socket_that_does_not_listen
        "#
        .replace("a_socket_that_does_not_listen", "v")
        .as_str(),
    );

    // Whether the new socket blocks: where set_nonblock was the last word on the listener, it does not.
    let accepts = ours.iter().filter(|(step, _)| step.contains("socket_accept "));
    let flags: Vec<bool> =
        accepts.map(|(_, calls)| calls[0].contains(", SOCK_CLOEXEC|SOCK_NONBLOCK) = ")).collect();
    assert!(ours.is_empty() || flags == [true, false, false, true, true, false, false], "{flags:?}");
}

#[test]
fn data_moves_with_phps_calls() {
    // [V] 2.11: write(2), not send: no flags; one call, and none again after a short or an empty one
    same_system_calls(
        "data_moves_with_phps_calls",
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "hello" null
        socket_write a "hello" 3
        socket_write a "hello" 0
        socket_write a "hello" 99
        socket_send a "hello" 3 0
        socket_send a "hello" 99 MSG_NOSIGNAL
        socket_send a "" 0 MSG_DONTWAIT
        socket_read b 5 PHP_BINARY_READ
        socket_read b 0 PHP_BINARY_READ
        socket_read b 0 PHP_NORMAL_READ
        socket_read b 2 99
        socket_recv b data 4 MSG_PEEK
        socket_recv b data 4 0
        socket_recv b data 0 0
        socket_recv b data 100 MSG_DONTWAIT
        socket_recv b data 100 MSG_DONTWAIT
        drop a
        socket_read b 10 PHP_BINARY_READ
        socket_recv b data 10 0
        socket_write b "x" null
        socket_send b "x" 1 0
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_read s 10 PHP_BINARY_READ
        socket_recv s data 10 0
        "#,
    );
}

#[test]
fn datagrams_move_with_phps_calls() {
    same_system_calls(
        "datagrams_move_with_phps_calls",
        r#"
        a = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_bind a "127.0.0.1" 0
        n = socket_getsockname a
        b = socket_create AF_INET SOCK_DGRAM SOL_UDP
        socket_sendto b "hello" 5 0 n.address n.port
        socket_sendto b "hello" 0 MSG_DONTWAIT n.address n.port
        socket_sendto b "hello" 99 0 n.address n.port
        socket_sendto b "hello" 5 0 n.address null
        m = socket_recvfrom a data 10 0
        socket_recvfrom a data 10 MSG_PEEK
        socket_recvfrom a data 10 0
        socket_recvfrom a data 3 0
        socket_recvfrom a data 3 MSG_DONTWAIT
        socket_recvfrom a data 0 0
        c = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_bind c "::1" 0
        k = socket_getsockname c
        socket_sendto c "to myself" 9 0 k.address k.port
        socket_recvfrom c data 10 0
        d = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind d path:letterbox 0
        e f = socket_create_pair AF_UNIX SOCK_DGRAM 0
        g = socket_create AF_UNIX SOCK_DGRAM 0
        socket_sendto g "hello" 5 0 path:letterbox null
        socket_sendto g "hello" 5 0 path:letterbox\0junk null
        socket_sendto g "hello" 5 0 abstract:letterbox null
        socket_recvfrom d data 10 0
        "#,
    );
}

#[test]
fn waiting_takes_one_call_and_errors_take_none() {
    same_system_calls(
        "waiting_takes_one_call_and_errors_take_none",
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "x" null
        socket_select [b] null null 0 0
        socket_select [b] null null null 0
        socket_select [b] null null null 5
        socket_select [b] null null 0 1500000
        socket_select [b] null null 3 999999
        socket_select [b] null null -1 0
        socket_select [b] null null 0 -1
        socket_select [a b c d] [] [d] 0 0
        socket_select {x:b y:b} {1:a} null 0 0
        socket_select null [a c] null 1 0
        socket_select null null null 0 0
        socket_last_error null
        socket_clear_error b
        socket_strerror 5
        "#,
    );
}

#[test]
fn names_are_looked_up_with_phps_calls() {
    same_system_calls(
        "names_are_looked_up_with_phps_calls",
        r#"
        a = socket_create AF_INET SOCK_DGRAM 0
        socket_bind a "localhost" 0
        socket_connect a "localhost" 9
        socket_sendto a "x" 1 0 "localhost" 9
        b = socket_create AF_INET6 SOCK_DGRAM 0
        socket_bind b "localhost" 0
        socket_connect b "127.1" 9
        socket_bind b "" 0
        getprotobyname "tcp"
        getprotobyname "nosuch"
        getprotobynumber 17
        getprotobynumber 999
        "#,
    );
}

/// How many `recv` there are among the calls.
fn receives(calls: &[String]) -> usize {
    calls.iter().filter(|call| call.starts_with("recvfrom(")).count()
}

#[test]
fn a_line_of_64_bytes_takes_two_recv() {
    let script = format!(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "{}\nbehind" null
        socket_read b 8192 PHP_NORMAL_READ
        "#,
        "x".repeat(63)
    );
    let Some(Traces { php, ours, .. }) = traces("a_line_of_64_bytes_takes_two_recv", &script) else { return };

    // One look, which takes nothing, and then the line and no byte more.
    let line = "x".repeat(63);
    assert_eq!(
        ours[2],
        [
            format!(r#"recvfrom(SOCKET2, "{line}\nbehind", 8192, MSG_PEEK, NULL, NULL) = 70"#),
            format!(r#"recvfrom(SOCKET2, "{line}\n", 64, 0, NULL, NULL) = 64"#),
        ]
    );
    // PHP asks for its mode first, and then for one byte after the other.
    assert_eq!((php[2].len(), receives(&php[2])), (65, 64));
    assert_eq!(php[2][0], "fcntl(SOCKET2, F_GETFL) = 0x2 (flags O_RDWR)");
    assert!(php[2][1..64].iter().all(|call| call == r#"recvfrom(SOCKET2, "x", 1, 0, NULL, NULL) = 1"#));
}

#[test]
fn a_line_of_10_000_bytes_takes_two_recv() {
    let script = format!(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "{}\n" null
        socket_read b 20000 PHP_NORMAL_READ
        "#,
        "x".repeat(9999)
    );
    let Some(Traces { php, ours, .. }) = traces("a_line_of_10_000_bytes_takes_two_recv", &script) else {
        return;
    };

    assert_eq!((ours[2].len(), receives(&ours[2]), receives(&php[2])), (2, 2, 10_000));
}

#[test]
fn a_line_longer_than_16_kib_takes_more_looks() {
    // A look goes 16 KiB far: 40,001 bytes are three looks and three takes.
    let script = r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "x"*40000 null
        socket_write a "\n" null
        socket_read b 50000 PHP_NORMAL_READ
        "#;
    let Some(Traces { php, ours, .. }) = traces("a_line_longer_than_16_kib_takes_more_looks", script) else {
        return;
    };

    assert_eq!((ours[3].len(), receives(&ours[3]), receives(&php[3])), (6, 6, 40_001));
}

#[test]
fn lines_that_arrived_together_take_two_recv_each() {
    let script = r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "one\r\ntwo\nthree" null
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 100 PHP_NORMAL_READ
        socket_read b 3 PHP_NORMAL_READ
        "#;
    let Some(Traces { php, ours, .. }) = traces("lines_that_arrived_together_take_two_recv_each", script)
    else {
        return;
    };

    let receives = |calls: &[Vec<String>]| calls[2..].iter().map(|calls| receives(calls)).collect::<Vec<_>>();
    assert_eq!((receives(&ours), receives(&php)), (vec![2, 2, 2, 2], vec![4, 1, 4, 3]));
}

#[test]
fn the_end_of_a_stream_takes_one_look() {
    // [V] 2.12, rule 6: PHP reads nothing 200 times before it gives up; ours looks once.
    let script = r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        drop a
        socket_read b 100 PHP_NORMAL_READ
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write c "part" null
        drop c
        socket_set_nonblock d
        socket_read d 100 PHP_NORMAL_READ
        socket_read d 100 PHP_NORMAL_READ
        "#;
    let Some(Traces { php, ours, .. }) = traces("the_end_of_a_stream_takes_one_look", script) else { return };

    assert_eq!((receives(&ours[2]), receives(&php[2])), (1, 200));
    assert_eq!((receives(&ours[7]), receives(&php[7])), (3, 5));
    assert_eq!((receives(&ours[8]), receives(&php[8])), (1, 1));
}

#[test]
fn a_line_that_is_not_there_yet_is_waited_for_in_poll() {
    // The first recv of each player says EAGAIN. On a non-blocking socket ours waits in poll where PHP tries again at
    // once: 2.12, rule 4.
    let script = r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "hi\n" null
        socket_set_nonblock b
        socket_read b 100 PHP_NORMAL_READ
        "#;
    let inject = ["recvfrom:error=EAGAIN:when=1"];
    let Some(Traces { php, ours, .. }) =
        traces_with("a_line_that_is_not_there_yet_is_waited_for_in_poll", script, &inject)
    else {
        return;
    };

    // Some machines have only ppoll.
    let name = |call: &String| call.split('(').next().unwrap().replace("ppoll", "poll");
    let names = |calls: &[String]| calls.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(&ours[3]), ["recvfrom", "fcntl", "poll", "recvfrom", "recvfrom"]);
    assert_eq!(names(&php[3]), ["fcntl", "recvfrom", "recvfrom", "recvfrom", "recvfrom"]);
}

#[test]
fn a_line_of_datagrams_takes_phps_calls() {
    same_system_calls(
        "a_line_of_datagrams_takes_phps_calls",
        r#"
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_write a "a1" null
        socket_write a "b2\n" null
        socket_write a "\nc" null
        socket_read b 100 PHP_NORMAL_READ
        socket_set_nonblock b
        socket_write a "" null
        socket_read b 100 PHP_NORMAL_READ
        "#,
    );
}
