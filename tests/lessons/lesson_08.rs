//! Lesson 08 beyond what it prints.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

use php_sockets::*;
use regex::Regex;

use crate::common::network::in_own_network;
use crate::common::{self, Running, Strace};
use crate::stage::twin::twins_of;

fn scanners() -> [Vec<OsString>; 2] {
    twins_of("08").map(|twin| twin.os_words())
}

/// A twin with its arguments.
fn command(twin: &[OsString], arguments: &[&str]) -> Command {
    let mut command = common::limited(twin[0].to_str().expect("UTF-8"));
    command.args(&twin[1..]).args(arguments);
    command
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The numbers of the last line: ports, milliseconds, open, closed, silent.
fn summary(text: &str) -> [u64; 5] {
    let pattern = r"\n(\d+) ports in (\d+) ms: (\d+) open, (\d+) closed, (\d+) silent\n\z";
    let found = Regex::new(pattern).expect("a pattern").captures(text).expect("a summary");
    [1, 2, 3, 4, 5].map(|group| found[group].parse().expect("a number"))
}

/// The line `Open: ...` for these ports.
fn open_line(ports: &[u16]) -> String {
    let name = |port: &u16| match getservbyport(*port, "tcp") {
        Some(service) => format!("{port} ({service})"),
        None => port.to_string(),
    };
    format!("\nOpen: {}\n", ports.iter().map(name).collect::<Vec<_>>().join(", "))
}

// In the network that a test shares with others a scan would disturb them, and they would change what it finds.

#[test]
fn it_finds_exactly_the_ports_that_somebody_listens_on() {
    let setup = "foreach ([40000, 40003, 40004, 40007] as $port) { $keep[] = socket_create_listen($port); }
        $keep[] = $bound = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_bind($bound, '127.0.0.1', 40005)";
    for twin in scanners() {
        let mut command = in_own_network(setup, &twin, &["localhost", "40000", "40007"]);
        let text = printed(&command.output().expect("it runs"));

        assert!(text.starts_with("Scanning 127.0.0.1, ports 40000 to 40007\n"), "{text}");
        let expected = open_line(&[40000, 40003, 40004, 40007]);
        assert!(text.contains(&expected), "{text}{expected}");
        let [tried, _, open, closed, silent] = summary(&text);
        assert_eq!([tried, open, closed, silent], [8, 4, 4, 0], "{text}");
    }
}

#[test]
fn a_port_that_does_not_answer_costs_its_batch_a_second_and_no_more() {
    // A queue of one place (lesson 11), and a client that has taken it: the next one gets no answer.
    let setup = "$full = socket_create_listen(40001, 0);
        $first = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_connect($first, '127.0.0.1', 40001);
        $open = socket_create_listen(40300)";
    let scans = scanners().map(|twin| {
        let mut command = in_own_network(setup, &twin, &["127.0.0.1", "40000", "40300"]);
        std::thread::spawn(move || printed(&command.output().expect("it runs")))
    });
    for scan in scans {
        let text = scan.join().expect("it ends");

        assert!(
            text.contains("  256 of 301 ports tried, 0 open\n  301 of 301 ports tried, 1 open\n"),
            "{text}"
        );
        assert!(text.contains(&open_line(&[40300])), "{text}");
        let [tried, time, open, closed, silent] = summary(&text);
        assert_eq!([tried, open, closed, silent], [301, 1, 299, 1], "{text}");
        assert!((1000..5000).contains(&time), "{text}");
    }
}

#[test]
fn a_thousand_ports_take_less_than_two_seconds_and_progress_is_shown() {
    for twin in scanners() {
        let text = printed(&command(&twin, &[]).output().expect("it runs"));

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        for (line, tried) in lines[1..5].iter().zip([256, 512, 768, 1024]) {
            assert!(line.starts_with(&format!("{tried:>5} of 1024 ports tried, ")), "{text}");
        }
        let [tried, time, open, closed, silent] = summary(&text);
        assert_eq!((tried, open + closed + silent), (1024, 1024), "{text}");
        assert!(time < 2000, "{text}");
    }
}

#[test]
fn among_the_first_1024_ports_it_finds_what_listens_and_names_it() {
    let setup = "foreach ([22, 80, 1024] as $port) { $keep[] = socket_create_listen($port); }";
    for twin in scanners() {
        let text = printed(&in_own_network(setup, &twin, &[]).output().expect("it runs"));

        assert!(text.contains(&open_line(&[22, 80, 1024])), "{text}");
        assert!(text.contains("\nOpen: 22 (ssh), 80 (http), 1024\n"), "{text}");
        let [tried, _, open, closed, silent] = summary(&text);
        assert_eq!([tried, open, closed, silent], [1024, 3, 1021, 0], "{text}");
    }
}

#[test]
fn a_socket_that_has_called_itself_is_no_open_port() {
    // The only port that the kernel can choose for a client is the one that the client calls.
    let setup = "file_put_contents('/proc/sys/net/ipv4/ip_local_port_range', '40000 40000');
        $self = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_connect($self, '127.0.0.1', 40000);
        socket_getsockname($self, $address, $port);
        echo \"$address:$port\\n\";
        socket_set_option($self, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
        socket_close($self)";
    // To call 0.0.0.0 is to call 127.0.0.1.
    for host in ["127.0.0.1", "0.0.0.0"] {
        for twin in scanners() {
            let mut command = in_own_network(setup, &twin, &[host, "40000", "40000"]);
            let text = printed(&command.output().expect("it runs"));

            assert!(text.starts_with("127.0.0.1:40000\n"), "a connection without a listener: {text}");
            assert!(text.contains("\nOpen: none\n"), "{text}");
            let [tried, _, open, closed, silent] = summary(&text);
            assert_eq!([tried, open, closed, silent], [1, 0, 1, 0], "{text}");
        }
    }
}

#[test]
fn a_host_that_has_hung_up_already_has_an_open_port() {
    let (listener, port) = common::listener();
    for twin in scanners() {
        let strace = Strace::injecting("getpeername:error=ENOTCONN");
        let traced: Vec<OsString> = strace.words().into_iter().map(OsString::from).chain(twin).collect();
        let text = printed(
            &command(&traced, &["127.0.0.1", &port.to_string(), &port.to_string()]).output().unwrap(),
        );

        assert!(text.contains(&open_line(&[port])), "{text}");
    }
    drop(listener);
}

#[test]
fn hosts_that_hang_up_at_once_have_open_ports() {
    // Sixty listeners, whose clients are reset as soon as they have come.
    let setup = "$listeners = array_map('socket_create_listen', range(40000, 40059));
        if (pcntl_fork() === 0) {
            for ($left = 60; $left > 0; $left--) {
                [$read, $none] = [$listeners, null];
                socket_select($read, $none, $none, 20);
                $client = socket_accept(array_values($read)[0]);
                socket_set_option($client, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
            }
            exit(0);
        }";
    for twin in scanners() {
        let mut command = in_own_network(setup, &twin, &["127.0.0.1", "40000", "40059"]);
        let text = printed(&command.output().expect("it runs"));

        let [tried, _, open, closed, silent] = summary(&text);
        assert_eq!([tried, open, closed, silent], [60, 60, 0, 0], "{text}");
    }
}

/// A terminal: the end of who looks at it, and the end of the programs in it. No other test's child gets one of them.
fn terminal() -> (File, OwnedFd) {
    let master = File::options().read(true).write(true).open("/dev/ptmx").expect("a terminal");
    let unlocked = 0;
    // SAFETY: `unlocked` outlives the call, which reads it.
    let status = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) };
    assert_eq!(status, 0, "the other end, unlocked");
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the call takes numbers.
    let slave = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) };
    assert_ne!(slave, -1, "the other end");
    // SAFETY: the descriptor was just opened and has no other owner.
    (master, unsafe { OwnedFd::from_raw_fd(slave) })
}

#[test]
fn in_a_terminal_the_progress_is_one_line_that_changes() {
    let progress = Regex::new(
        "\\AScanning 127.0.0.1, ports 1 to 300\r\n\
         \r  256 of 300 ports tried, \\d+ open\r  300 of 300 ports tried, \\d+ open\r\nOpen: ",
    )
    .expect("a pattern");
    for twin in scanners() {
        let (mut master, slave) = terminal();
        let mut command = command(&twin, &["127.0.0.1", "1", "300"]);
        let mut child = Running::start(command.stdout(Stdio::from(slave)));
        // The command has the other end of the terminal too.
        drop(command);
        let mut shown = Vec::new();
        // A terminal that no process has open any more ends with an error instead of nothing.
        let end = master.read_to_end(&mut shown).expect_err("the end");

        assert_eq!(end.raw_os_error(), Some(SOCKET_EIO));
        assert!(child.ended());
        let text = String::from_utf8(shown).expect("UTF-8");
        assert!(progress.is_match(&text), "{text:?}");
    }
}

#[test]
fn batch_after_batch_no_descriptor_is_left_open() {
    let few = ["-c", "ulimit -n 300 && exec \"$@\"", "sh"].map(OsString::from);
    for twin in scanners() {
        let twin: Vec<OsString> = [OsString::from("sh")].into_iter().chain(few.clone()).chain(twin).collect();
        let text = printed(&command(&twin, &[]).output().expect("it runs"));

        assert_eq!(summary(&text)[0], 1024, "{text}");
    }
}

#[test]
fn the_last_port_of_all_can_be_scanned() {
    for twin in scanners() {
        let mut command = in_own_network("", &twin, &["127.0.0.1", "65535", "65535"]);
        let text = printed(&command.output().expect("it runs"));

        assert_eq!(summary(&text)[0], 1, "{text}");
    }
}

#[test]
fn an_unknown_host_gives_phps_sentence() {
    let sentence = r"\AError: socket_connect\(\): Host lookup failed \[-1\d{4}\]: [^\n]+\n\z";
    let sentence = Regex::new(sentence).expect("a pattern");
    for twin in scanners() {
        let output = command(&twin, &["no-such-host.invalid"]).output().expect("it runs");

        assert_eq!(output.status.code(), Some(1));
        assert!(sentence.is_match(&String::from_utf8_lossy(&output.stderr)), "{output:?}");
    }
}

#[test]
fn a_host_that_cannot_be_called_gives_phps_sentence() {
    for twin in scanners() {
        // In a network of loopback alone there is no way to the machines of documentation.
        let output = in_own_network("", &twin, &["192.0.2.1"]).output().expect("it runs");

        assert_eq!(output.status.code(), Some(1));
        let sentence = "Error: socket_connect(): unable to connect [101]: Network is unreachable\n";
        assert_eq!(String::from_utf8_lossy(&output.stderr), sentence);
    }
}

#[test]
fn leading_zeros_or_a_plus_change_no_port() {
    for twin in scanners() {
        let text = printed(&command(&twin, &["127.0.0.1", "01", "+2"]).output().expect("it runs"));

        assert!(text.starts_with("Scanning 127.0.0.1, ports 1 to 2\n"), "{text}");
    }
}

#[test]
fn what_is_no_range_of_ports_gives_a_sentence() {
    let not_utf8 = OsStr::from_bytes(b"8\xff");
    let ranges: [&[&OsStr]; 8] = [
        &["x".as_ref()],
        &["".as_ref()],
        &["0".as_ref()],
        &["-1".as_ref()],
        &["65536".as_ref(), "65537".as_ref()],
        &["1".as_ref(), "65536".as_ref()],
        &["2".as_ref(), "1".as_ref()],
        &[not_utf8, not_utf8],
    ];
    for twin in scanners() {
        for range in ranges {
            let output = command(&twin, &["127.0.0.1"]).args(range).output().expect("it runs");

            assert_eq!(output.status.code(), Some(1), "{range:?}");
            let sentence = "FIRST and LAST have to be ports from 1 to 65535, and FIRST not above LAST.\n";
            assert_eq!(String::from_utf8_lossy(&output.stderr), sentence, "{range:?}");
            assert_eq!(output.stdout, b"", "{range:?}");
        }
    }
}
