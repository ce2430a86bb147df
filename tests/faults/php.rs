//! Real PHP under the same fault: the same words, and the code in the same slots. `tests/oracle/injected.rs` has the
//! functions that do no more than one system call; here are the others.

use crate::common::{self, Failure, Strace};
use crate::scenarios;
use crate::trace::{self, Place};

/// A scenario, and the same in PHP; `$s` is the socket whose slot matters.
struct Twin {
    function: &'static str,
    path: &'static str,
    php: &'static str,
    /// The system calls that are to fail: which one of that name, and with which code.
    faults: &'static [(&'static str, usize, &'static str)],
    /// How many of them the beginning of the PHP code makes.
    before: usize,
}

const TWINS: &[Twin] = &[
    Twin {
        function: "socket_get_option",
        path: "a number",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_get_option($s, SOL_SOCKET, SO_TYPE)",
        faults: &[("getsockopt", 1, "EIO"), ("getsockopt", 1, "EAGAIN")],
        before: 0,
    },
    Twin {
        function: "socket_get_option",
        path: "SO_LINGER",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_get_option($s, SOL_SOCKET, SO_LINGER)",
        faults: &[("getsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_get_option",
        path: "SO_RCVTIMEO",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_get_option($s, SOL_SOCKET, SO_RCVTIMEO)",
        faults: &[("getsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_get_option",
        path: "IPV6_PKTINFO",
        php: "$s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_get_option($s, IPPROTO_IPV6, IPV6_PKTINFO)",
        faults: &[("getsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_get_option",
        path: "IP_MULTICAST_IF",
        php: "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
              socket_set_option($s, IPPROTO_IP, IP_MULTICAST_IF, 1);
              socket_get_option($s, IPPROTO_IP, IP_MULTICAST_IF)",
        faults: &[("getsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_get_option",
        path: "IP_MULTICAST_IF",
        php: "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
              socket_set_option($s, IPPROTO_IP, IP_MULTICAST_IF, 1);
              socket_get_option($s, IPPROTO_IP, IP_MULTICAST_IF)",
        faults: &[("ioctl", 1, "EIO"), ("ioctl", 2, "EIO"), ("ioctl", 3, "EIO")],
        before: 2,
    },
    Twin {
        function: "socket_getopt",
        path: "",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_getopt($s, SOL_SOCKET, SO_TYPE)",
        faults: &[("getsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_set_option",
        path: "a number",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_set_option($s, SOL_SOCKET, SO_REUSEADDR, 1)",
        faults: &[("setsockopt", 1, "EIO"), ("setsockopt", 1, "EINPROGRESS")],
        before: 0,
    },
    Twin {
        function: "socket_set_option",
        path: "SO_LINGER",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0);
              socket_set_option($s, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 5])",
        faults: &[("setsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_set_option",
        path: "IP_MULTICAST_IF, a number",
        php: "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_set_option($s, IPPROTO_IP, IP_MULTICAST_IF, 1)",
        faults: &[("ioctl", 1, "EIO"), ("ioctl", 2, "EIO"), ("setsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_set_option",
        path: "MCAST_JOIN_GROUP",
        php:
            "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
              socket_set_option($s, IPPROTO_IP, MCAST_JOIN_GROUP, ['group' => '224.0.0.1', 'interface' => 1])",
        faults: &[("setsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "socket_setopt",
        path: "",
        php: "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_setopt($s, SOL_SOCKET, SO_BROADCAST, 1)",
        faults: &[("setsockopt", 1, "EIO")],
        before: 0,
    },
    Twin {
        function: "gethostname",
        path: "",
        php: "gethostname()",
        faults: &[("uname", 1, "EFAULT"), ("uname", 1, "EINTR")],
        before: 0,
    },
    Twin {
        function: "socket_sendmsg",
        path: "",
        php: "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_sendmsg($s, ['iov' => ['x']], 0)",
        faults: &[("sendmsg", 1, "EIO"), ("sendmsg", 1, "EAGAIN"), ("sendmsg", 1, "EINTR")],
        before: 0,
    },
    Twin {
        function: "socket_recvmsg",
        path: "",
        php: "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_write($p[1], 'x');
              $m = ['name' => [], 'buffer_size' => 20, 'controllen' => 64]; socket_recvmsg($s, $m, 0)",
        faults: &[("recvmsg", 1, "EIO"), ("recvmsg", 1, "EAGAIN"), ("recvmsg", 1, "EINTR")],
        before: 0,
    },
    Twin {
        function: "socket_recvfrom",
        path: "AF_INET6",
        php: "$s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_recvfrom($s, $d, 100, 0, $a, $p)",
        faults: &[("recvfrom", 1, "EIO"), ("recvfrom", 1, "EAGAIN")],
        before: 0,
    },
    Twin {
        function: "socket_read",
        path: "a line",
        php: "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_write($p[1], \"first\\n\");
              socket_read($s, 100, PHP_NORMAL_READ)",
        faults: &[("recvfrom", 1, "EIO"), ("recvfrom", 2, "EINTR")],
        before: 0,
    },
    Twin {
        function: "socket_addrinfo_connect",
        path: "",
        php: "$i = socket_addrinfo_lookup('127.0.0.1', '9', ['ai_flags' => AI_NUMERICHOST]); socket_addrinfo_connect($i[0])",
        faults: &[
            ("socket", 1, "EIO"),
            ("socket", 1, "EAGAIN"),
            ("connect", 1, "EIO"),
            ("connect", 1, "EINPROGRESS"),
        ],
        before: 0,
    },
    Twin {
        function: "socket_addrinfo_bind",
        path: "",
        php: "$i = socket_addrinfo_lookup('127.0.0.1', '0', ['ai_flags' => AI_NUMERICHOST]); socket_addrinfo_bind($i[0])",
        faults: &[("socket", 1, "EIO"), ("bind", 1, "EIO"), ("bind", 1, "EAGAIN")],
        before: 0,
    },
];

/// How many calls of this name PHP makes as it starts: `ioctl`, for each file of its configuration.
fn at_start(call: &str) -> usize {
    let strace = Strace::of_first_thread(call);
    assert!(strace.command(common::php_program()).args(["-r", ""]).status().expect("strace runs").success());
    strace.calls().len()
}

fn in_php(twin: &Twin, (call, nth, error): (&str, usize, &str)) -> Failure {
    let when = nth + twin.before + at_start(call);
    common::php_failure_with(&format!("{call}:error={error}:when={when}"), twin.php)
}

fn in_rust(twin: &Twin, (call, nth, error): (&str, usize, &str)) -> Failure {
    let scenario =
        scenarios::all().find(|scenario| scenario.is(twin.function, twin.path)).expect("a scenario");
    let (_, places) = trace::clean(scenario);
    let place =
        places.iter().find(|place: &&Place| place.call == call && place.nth == nth).expect("such a call");
    let play = trace::faulty(scenario, place, error);
    let report = play.report().unwrap_or_else(|why| panic!("{why}"));
    let text = |key: &str| report["error"][key].as_str().map(str::to_owned);
    Failure {
        warning: text("text").filter(|_| text("kind").is_some_and(|kind| kind == "Warning")),
        thrown: None,
        last: report["thread"].as_i64().expect("a number"),
        own: report["own"].as_i64(),
    }
}

#[test]
fn php_has_the_same_words_for_the_same_faults() {
    let faults: Vec<_> =
        TWINS.iter().flat_map(|twin| twin.faults.iter().map(move |fault| (twin, *fault))).collect();

    let both = super::in_parallel(&faults, |(twin, fault)| (in_rust(twin, *fault), in_php(twin, *fault)));

    for ((twin, fault), (ours, php)) in faults.iter().zip(both) {
        assert_eq!(ours, php, "left is Rust, right is PHP: {} {}, {fault:?}", twin.function, twin.path);
    }
}
