//! The PHP that the tests run.

use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::{Strace, limited, root, temporary};

/// Errors go to the standard error, and once.
pub(crate) const PHP_OPTIONS: [&str; 4] = ["-d", "display_errors=stderr", "-d", "log_errors=0"];

/// PHP, limited, and its options; a script follows, or `-r` and code.
pub(crate) fn php_command() -> Command {
    let mut command = limited(php_program());
    command.args(PHP_OPTIONS);
    command
}

/// The PHP that every test runs: the one that `PHP` in the environment names, as `make test PHP=…` does, else `php`.
/// A relative path begins at the package's folder, wherever the process that is started may be.
pub(crate) fn php_program() -> &'static str {
    static PROGRAM: LazyLock<String> = LazyLock::new(|| {
        let program = std::env::var("PHP").ok().filter(|name| !name.is_empty());
        let program = program.unwrap_or_else(|| "php".to_owned());
        let path = if program.contains('/') { root().join(program) } else { program.into() };
        path.into_os_string().into_string().expect("UTF-8")
    });
    &PROGRAM
}

/// The version of the PHP that every test runs, as `PHP_VERSION_ID`: 80507 for 8.5.7.
pub(crate) fn php_version() -> u32 {
    static VERSION: LazyLock<u32> = LazyLock::new(|| php("echo PHP_VERSION_ID;").parse().expect("a number"));
    *VERSION
}

/// Runs PHP code and gives what it printed.
pub(crate) fn php(code: &str) -> String {
    // The files that it leaves there go with it.
    let folder = temporary::folder();
    let output = php_command().env("TMPDIR", folder.path()).args(["-r", code]).output().expect("php runs");
    assert!(output.status.success(), "php failed: {}\n{code}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("php printed UTF-8")
}

/// PHP's answer to one failing call.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    /// The warning's text, if there was one.
    pub warning: Option<String>,
    /// The text of what was thrown, if anything was.
    pub thrown: Option<String>,
    /// `socket_last_error()`.
    pub last: i64,
    /// `socket_last_error($s)`, if the code set `$s`.
    pub own: Option<i64>,
}

/// Runs PHP code whose last statement fails. The code may set `$s` to the socket whose slot matters.
pub(crate) fn php_failure(code: &str) -> Failure {
    failure(php_command(), code)
}

/// The same while strace changes system calls (as `Strace::injecting` has it).
pub(crate) fn php_failure_with(fault: &str, code: &str) -> Failure {
    let mut command = Strace::injecting(fault).command(php_program());
    command.args(PHP_OPTIONS);
    failure(command, code)
}

fn failure(mut php: Command, code: &str) -> Failure {
    let script = format!(
        "$w = $t = null; set_error_handler(function ($l, $m) use (&$w) {{ $w = $m; return true; }});
         try {{ {code}; }} catch (\\Error $e) {{ $t = $e->getMessage(); }}
         echo json_encode([$w, $t, socket_last_error(), isset($s) ? socket_last_error($s) : null]);"
    );
    let output = php.args(["-r", &script]).output().expect("php runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {text}\n{code}", output.status);
    let json: Value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}\n{code}", String::from_utf8_lossy(&output.stderr)));
    Failure {
        warning: json[0].as_str().map(str::to_owned),
        thrown: json[1].as_str().map(str::to_owned),
        last: json[2].as_i64().expect("a number"),
        own: json[3].as_i64(),
    }
}
