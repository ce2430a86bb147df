//! Whole programs in both languages, compared by what they print.

use std::process::Command;

use crate::common;

mod datagrams;
mod time;
mod worker;

/// The Rust program `tests/programs/NAME.rs`, which is an example of the package.
fn rust(name: &str) -> Command {
    common::limited(common::example(&format!("program-{name}")).to_str().expect("UTF-8"))
}

/// Its twin `tests/programs/NAME.php`.
fn php(name: &str) -> Command {
    let mut command = common::limited(common::php_program());
    command.args(["-d", "display_errors=stderr", "-d", "log_errors=0"]);
    command.arg(common::root().join("tests/programs").join(format!("{name}.php")));
    command
}

/// Both programs run through and print `expected`.
#[track_caller]
fn both_print(name: &str, expected: &str) {
    let output = |mut command: Command| {
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };

    let (rust, php) = (output(rust(name)), output(php(name)));

    assert_eq!(rust, php, "left is Rust, right is PHP");
    assert_eq!(rust, expected);
}
