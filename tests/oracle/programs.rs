//! Whole programs in both languages, compared by what they print.

use std::process::Command;

use crate::common;

/// Runs `tests/programs/NAME.rs`, the example `program-NAME`, and `NAME.php`; both print `expected`.
#[track_caller]
fn both_print(name: &str, expected: &str) {
    let example = format!("program-{name}");
    let mut build = Command::new(env!("CARGO"));
    let status = build.current_dir(common::root()).args(["build", "--quiet", "--example", &example]).status();
    assert!(status.expect("cargo starts").success());
    let this = std::env::current_exe().expect("this program");
    let rust = this.parent().expect("deps").parent().expect("the profile").join("examples").join(example);
    let twin = common::root().join(format!("tests/programs/{name}.php"));
    let output = |program: &str, args: &[&str]| {
        let output = common::limited(program).args(args).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };

    let php = output("php", &["-d", "display_errors=stderr", twin.to_str().expect("UTF-8")]);
    let rust = output(rust.to_str().expect("UTF-8"), &[]);

    assert_eq!(rust, php, "left is Rust, right is PHP");
    assert_eq!(rust, expected);
}

#[test]
fn a_broadcast_reaches_every_receiver() {
    both_print(
        "broadcast",
        "may broadcast: 0
socket_sendto(): Unable to write to socket [13]: Permission denied
may broadcast: 1
sent 8 bytes
sent 0 bytes
sent 8 bytes
first: 8 bytes from 127.0.0.1: 'anybody?'
first: 0 bytes from 127.0.0.1: ''
first: 8 bytes from 127.0.0.1: 'good bye'
second: 8 bytes from 127.0.0.1: 'anybody?'
second: 0 bytes from 127.0.0.1: ''
second: 8 bytes from 127.0.0.1: 'good bye'
first: Resource temporarily unavailable
",
    );
}

#[test]
fn a_multicast_receiver_hears_whom_it_wants() {
    both_print(
        "multicast",
        "socket_set_option(): Unable to set socket option [98]: Address already in use
127.0.0.1 says 'hello'
127.0.0.2 says 'hello, too'
127.0.0.1 says 'I can'
127.0.0.2 says 'now I can, too'
left; multicast goes out by interface 0
silence: Resource temporarily unavailable
",
    );
}
