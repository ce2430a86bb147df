//! A program under test: a lesson in one of its two languages, or another program.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::registry::{Lesson, lesson};
use super::server::Server;
use crate::common;

/// The two languages of a lesson.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Twin {
    Rust,
    Php,
}

pub(crate) const TWINS: [Twin; 2] = [Twin::Rust, Twin::Php];

/// The command that runs it, without its own arguments.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub twin: Twin,
    pub words: Vec<String>,
}

/// A lesson in both of its languages.
pub(crate) fn twins_of(number: &str) -> [Program; 2] {
    TWINS.map(|twin| Program::of(number, twin))
}

/// A program of `lessons/`, built with this test: `lesson-client`.
pub(crate) fn built(name: &str) -> String {
    let path = Path::new(env!("CARGO_BIN_EXE_lesson-client")).with_file_name(name);
    path.into_os_string().into_string().expect("UTF-8")
}

impl Lesson {
    pub(crate) fn program(&self, twin: Twin) -> Program {
        match twin {
            Twin::Rust => Program::rust(&built(&format!("lesson-{}", self.number))),
            Twin::Php => {
                let mut program = Program::php(&self.path("main.php"));
                if let Some(stand_in) = &self.stand_in {
                    let prepend = format!("auto_prepend_file={}", common::root().join(stand_in).display());
                    program.words.splice(1..1, ["-d".to_owned(), prepend]);
                }
                program
            }
        }
    }
}

impl Program {
    /// The lesson with this number.
    pub(crate) fn of(number: &str, twin: Twin) -> Program {
        lesson(number).program(twin)
    }

    pub(crate) fn rust(path: &str) -> Program {
        Program { twin: Twin::Rust, words: vec![path.to_owned()] }
    }

    pub(crate) fn php(script: &str) -> Program {
        let words = [&[common::php_program()], &common::PHP_OPTIONS[..], &[script]].concat();
        Program { twin: Twin::Php, words: words.into_iter().map(str::to_owned).collect() }
    }

    pub(crate) fn is_php(&self) -> bool {
        self.twin == Twin::Php
    }

    pub(crate) fn os_words(&self) -> Vec<OsString> {
        self.words.iter().map(OsString::from).collect()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.under(&[], arguments)
    }

    /// The command that runs it under another program.
    pub(crate) fn under(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        self.under_to(30, wrapper, arguments)
    }

    /// The same with a limit of its own, in seconds.
    pub(crate) fn under_to(&self, seconds: u32, wrapper: &[&str], arguments: &[&str]) -> Command {
        let own: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let words = [wrapper, &own, arguments].concat();
        let mut command = common::limited_to(seconds, words[0]);
        command.args(&words[1..]);
        command
    }

    /// A server that is told to choose a port.
    pub(crate) fn start(&self) -> Server {
        Server::start(self.command(&["127.0.0.1", "0"]))
    }

    /// Its complaint when it does not start.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        refusal(self.command(arguments))
    }
}

/// The complaint of a command that prints nothing and ends with status 1.
pub(crate) fn refusal(mut command: Command) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// A twin's text, for a copy that stands in another folder and finds the shared files all the same.
pub(crate) fn text_of(number: &str) -> String {
    let folder = common::root().join("lessons").join(lesson(number).folder());
    lesson(number).file("main.php").replace("__DIR__", &format!("'{}'", folder.display()))
}
