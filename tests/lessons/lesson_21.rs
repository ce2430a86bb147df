//! Lesson 21 beyond what it prints.

use std::ffi::OsString;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::common::network::in_own_network;
use crate::stage::twin::twins_of;

/// Runs both twins at once, each in a network of its own, behind the words of `before`.
fn run(setup: &str, before: &[&str]) -> [Output; 2] {
    let running = twins_of("21").map(|twin| {
        let words: Vec<OsString> = before.iter().map(OsString::from).chain(twin.os_words()).collect();
        let mut command = in_own_network(setup, &words, &[]);
        std::thread::spawn(move || command.output().expect("it runs"))
    });
    running.map(|thread| thread.join().expect("it ends"))
}

/// Without the right to raw sockets.
const PLAIN: [&str; 2] = ["setpriv", "--bounding-set=-net_raw"];

#[test]
fn where_raw_is_refused_it_takes_the_datagram_socket() {
    for output in run("file_put_contents('/proc/sys/net/ipv4/ping_group_range', '0 0')", &PLAIN) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("\n4 sent, 4 received, 0% lost\n"), "{text}");
    }
}

#[test]
fn where_both_are_refused_it_says_what_to_allow() {
    for output in run("1", &PLAIN) {
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "socket_create(): Unable to create socket [13]: Permission denied\n\
             Run it as root, or let root allow it: sysctl net.ipv4.ping_group_range='0 2147483647'\n"
        );
    }
}

#[test]
fn a_machine_that_does_not_answer_is_told_after_a_second_each_time() {
    for output in run("file_put_contents('/proc/sys/net/ipv4/icmp_echo_ignore_all', '1')", &[]) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(text, silence());
    }
}

fn silence() -> String {
    let silence = [1, 2, 3, 4].map(|number| format!("seq={number}: no answer within 1 s\n")).concat();
    format!("PING 127.0.0.1 (127.0.0.1)\n{silence}4 sent, 0 received, 100% lost\n")
}

#[test]
fn packets_of_others_are_no_answer_and_do_not_prolong_the_wait() {
    // Two that end within the ICMP header, answers to another program, and questions.
    let setup = r#"
        file_put_contents('/proc/sys/net/ipv4/icmp_echo_ignore_all', '1');
        $code = '$socket = socket_create(AF_INET, SOCK_RAW, 1);
            for ($number = 0; true; $number++) {
                $answer = pack("CCnnn", 0, 0, 0, 65535, $number % 5);
                foreach ([substr($answer, 0, 2), substr($answer, 0, 7), $answer, "\10$answer"] as $packet) {
                    socket_sendto($socket, $packet, strlen($packet), 0, "127.0.0.1", 0);
                }
                usleep(5000);
            }';
        $others = proc_open(['timeout', '20', PHP_BINARY, '-r', $code], [], $pipes);
        register_shutdown_function(fn () => proc_terminate($others))"#;

    let begin = Instant::now();
    for output in run(setup, &[]) {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(String::from_utf8_lossy(&output.stdout), silence());
        assert!(output.status.success(), "{}", output.status);
    }

    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}
