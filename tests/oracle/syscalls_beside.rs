//! The system calls of messages, vectors, address infos and streams, which the scripts do not have: their names, by PHP
//! and by this crate.

use std::os::fd::OwnedFd;

use php_sockets::*;

use crate::common::{self, Strace, strace::Call};

/// Each step, PHP's calls and ours. PHP has no vectors any more.
const STEPS: [(&str, &[&str], &[&str]); 8] = [
    ("sendmsg", &["sendmsg"], &["sendmsg"]),
    ("recvmsg", &["recvmsg"], &["recvmsg"]),
    ("addrinfo_connect", &["socket", "connect"], &["socket", "connect"]),
    ("addrinfo_bind", &["socket", "bind"], &["socket", "bind"]),
    // Both ask for the family and the blocking mode, we for the type too.
    ("import_stream", &["getsockopt", "fcntl"], &["getsockopt", "getsockopt", "fcntl"]),
    // The caller says what stream it is to be.
    ("export_stream", &["getsockopt", "getsockopt"], &[]),
    ("writev", &[], &["writev"]),
    ("readv", &[], &["readv"]),
];

const PHP: &str = r"
    socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $l = socket_create_listen(0); socket_getsockname($l, $a, $port);
    [$to] = socket_addrinfo_lookup('127.0.0.1', (string) $port, ['ai_socktype' => SOCK_STREAM]);
    [$at] = socket_addrinfo_lookup('127.0.0.1', '0', ['ai_socktype' => SOCK_STREAM]);
    $stream = stream_socket_server('tcp://127.0.0.1:0'); $m = ['controllen' => 100];
    @file_exists('/step/0'); socket_sendmsg($p[0], ['iov' => ['x']]);
    @file_exists('/step/1'); socket_recvmsg($p[1], $m);
    @file_exists('/step/2'); $c = socket_addrinfo_connect($to);
    @file_exists('/step/3'); $b = socket_addrinfo_bind($at);
    @file_exists('/step/4'); $i = socket_import_stream($stream);
    @file_exists('/step/5'); $e = socket_export_stream($b);
    @file_exists('/step/6');
";

/// Plays the same steps.
fn play() {
    let step = |number: usize| drop(std::fs::exists(format!("/step/{number}")));
    let (one, other) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0).unwrap();
    let listener = socket_create_listen(0, 5).unwrap();
    let port = socket_getsockname(&listener).unwrap().port.to_string();
    let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
    let to = socket_addrinfo_lookup("127.0.0.1", &port, hints).unwrap().remove(0);
    let at = socket_addrinfo_lookup("127.0.0.1", "0", hints).unwrap().remove(0);
    let stream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut message = Received::new(socket_iovec_alloc(&[100]).unwrap(), 100).unwrap();
    let mut iov = IoVec::from(["x"]);

    step(0);
    socket_sendmsg(&one, &Message::new().iov(&iov), 0).unwrap();
    step(1);
    socket_recvmsg(&other, &mut message, 0).unwrap();
    step(2);
    let client = socket_addrinfo_connect(&to).unwrap();
    step(3);
    let bound = socket_addrinfo_bind(&at).unwrap();
    step(4);
    let imported = socket_import_stream(stream).unwrap();
    step(5);
    let exported: OwnedFd = socket_export_stream(bound);
    step(6);
    socket_writev(&one, &iov).unwrap();
    step(7);
    socket_readv(&other, &mut iov).unwrap();
    step(8);
    drop((client, imported, exported));
}

/// The names of the calls of each step.
fn by_step(calls: &[Call]) -> Vec<Vec<String>> {
    let mut steps = vec![Vec::new(); STEPS.len()];
    let mut now = None;
    for call in calls {
        if let Some((_, number)) = call.text.split_once("\"/step/") {
            now = number.split('"').next().and_then(|number| number.parse::<usize>().ok());
        } else if let Some(step) = now.and_then(|now| steps.get_mut(now)) {
            step.push(call.name().to_owned());
        }
    }
    steps
}

#[test]
fn messages_and_the_rest_make_the_calls_that_php_makes() {
    const PLAY: &str = "PHP_SOCKETS_PLAY_THE_REST";
    const TRACED: &str = "%network,readv,writev,fcntl,?access,faccessat,?faccessat2,statx";
    if std::env::var_os(PLAY).is_some() {
        play();
        return;
    }
    let strace = Strace::of(TRACED);
    let mut command = strace.command(common::php_program());
    common::printed(command.args(common::PHP_OPTIONS).args(["-r", PHP]));
    let phps = by_step(&strace.calls());

    let strace = Strace::of(TRACED);
    let mut command = strace.command(std::env::current_exe().expect("a program"));
    common::printed(command.env(PLAY, "1").args([
        "--exact",
        "syscalls_beside::messages_and_the_rest_make_the_calls_that_php_makes",
        "--nocapture",
    ]));
    let ours = by_step(&strace.calls());

    for ((name, in_php, in_rust), (php, rust)) in STEPS.iter().zip(phps.iter().zip(&ours)) {
        assert_eq!((rust, php), (&owned(in_rust), &owned(in_php)), "{name}: left is Rust, PHP");
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
