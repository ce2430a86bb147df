//! A lesson in one of its two languages, for tests that are the same for both.

use std::process::Command;

use crate::common;

/// What runs it, without its own arguments.
pub(crate) struct Twin(Vec<String>);

/// Every test, for the program of a lesson and for its twin in PHP: `both! { "04" "04-greeting-server"; a_test another }`.
macro_rules! both {
    ($number:literal $folder:literal; $($test:ident)*) => {
        mod in_rust {
            use crate::twin::Twin;
            $(#[test] fn $test() { super::$test(&Twin::rust(env!(concat!("CARGO_BIN_EXE_lesson-", $number)))); })*
        }
        mod in_php {
            use crate::twin::Twin;
            $(#[test] fn $test() { super::$test(&Twin::php($folder)); })*
        }
    };
}
pub(crate) use both;

impl Twin {
    pub(crate) fn rust(program: &str) -> Twin {
        Twin(vec![program.to_owned()])
    }

    pub(crate) fn php(folder: &str) -> Twin {
        let script = format!("{}/lessons/{folder}/main.php", common::root().display());
        let php = [common::php_program(), "-d", "display_errors=stderr", "-d", "log_errors=0", &script];
        Twin(php.map(str::to_owned).to_vec())
    }

    pub(crate) fn is_php(&self) -> bool {
        self.0[0] == common::php_program()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.under(&[], arguments)
    }

    /// The command that runs it under another program.
    pub(crate) fn under(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let own: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let words = [wrapper, &own, arguments].concat();
        let mut command = common::limited(words[0]);
        command.args(&words[1..]);
        command
    }

    /// What it says when it does not start.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        refusal(self.command(arguments))
    }
}

/// What a command says that prints nothing and ends with status 1.
pub(crate) fn refusal(mut command: Command) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// A twin's text, for a copy that stands in another folder and finds the shared files all the same.
pub(crate) fn text_of(folder: &str) -> String {
    let folder = common::root().join("lessons").join(folder);
    let text = std::fs::read_to_string(folder.join("main.php")).expect("the twin");
    text.replace("__DIR__", &format!("'{}'", folder.display()))
}

/// A server, or its client, says 127.0.0.1 and this port where no argument does; and the Makefile knows it.
pub(crate) fn has_the_default_port(number: &str, folder: &str, port: u16) {
    let read = |path: &str| std::fs::read_to_string(common::root().join(path)).expect("the file");
    let rust = read(&format!("lessons/{folder}/main.rs"));
    assert!(rust.contains(&format!(" = arguments::address_and_port({port});\n")));
    assert!(read(&format!("lessons/{folder}/main.php")).contains(&format!(" = address_and_port({port});\n")));
    assert!(read("Makefile").contains(&format!("\nport_{number} = {port}\n")));
}
