//! Whole programs in both languages, compared by what they print.

use std::process::Command;

use crate::common;

mod datagrams;
mod time;
mod worker;

/// The Rust program `tests/programs/NAME.rs`, which is an example of the package.
fn rust(name: &str) -> Command {
    common::limited(common::example(&format!("program-{name}")))
}

/// Its twin `tests/programs/NAME.php`.
fn php(name: &str) -> Command {
    let mut command = common::php_command();
    command.arg(common::root().join("tests/programs").join(format!("{name}.php")));
    command
}

/// Both programs run through and print `expected`.
#[track_caller]
fn both_print(name: &str, expected: &str) {
    let (rust, php) = (common::printed(&mut rust(name)), common::printed(&mut php(name)));

    assert_eq!(rust, php, "left is Rust, right is PHP");
    assert_eq!(rust, expected);
}
