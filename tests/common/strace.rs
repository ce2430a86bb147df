//! strace before a program: which system calls it makes, and calls that fail.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempPath;

use super::{limited, temporary};

/// The words before the program's own, and where strace writes.
pub(crate) struct Strace {
    words: Vec<String>,
    log: Option<TempPath>,
}

impl Strace {
    /// Follows every thread and child, stops it at these calls alone (as `-e trace=` names them), and logs them.
    pub(crate) fn of(calls: &str) -> Strace {
        Strace::new(&["-f"], Some(temporary::file(""))).tracing(calls)
    }

    /// The same for the program's first thread alone.
    pub(crate) fn of_first_thread(calls: &str) -> Strace {
        Strace::new(&[], Some(temporary::file(""))).tracing(calls)
    }

    /// Changes calls, as `-e inject=` describes it: `accept,accept4:error=EMFILE:when=2`. Logs nothing.
    pub(crate) fn injecting(fault: &str) -> Strace {
        let calls = fault.split(':').next().unwrap_or_default();
        Strace::new(&["-f"], None).tracing(calls).inject(fault)
    }

    /// Counts every call instead of logging it.
    pub(crate) fn counting() -> Strace {
        Strace::new(&["-f", "-c", "-U", "calls,name"], Some(temporary::file("")))
    }

    fn new(options: &[&str], log: Option<TempPath>) -> Strace {
        let file = log.as_ref().map_or("/dev/null", |log| log.to_str().expect("UTF-8"));
        let common = ["-qqq", "-s", "200", "-e", "signal=none", "-o", file];
        let words = [&["strace"], options, &common].concat();
        Strace { words: words.into_iter().map(str::to_owned).collect(), log }
    }

    fn with(mut self, words: [&str; 2]) -> Strace {
        self.words.extend(words.map(str::to_owned));
        self
    }

    fn tracing(mut self, calls: &str) -> Strace {
        // The filter has to have something to leave out, and is for those who follow.
        if calls != "all" && self.words.iter().any(|word| word == "-f") {
            self.words.push("--seccomp-bpf".to_owned());
        }
        self.with(["-e", &format!("trace={calls}")])
    }

    pub(crate) fn inject(self, fault: &str) -> Strace {
        self.with(["-e", &format!("inject={fault}")])
    }

    /// The words that come before a program's own.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// The program under strace, limited.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = limited(&self.words[0]);
        command.args(&self.words[1..]).arg(program);
        command
    }

    /// The lines that strace has written by now.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read(self.log.as_ref().expect("a log")).expect("strace's file");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The calls that it has written down.
    pub(crate) fn calls(&self) -> Vec<Call> {
        calls(&self.log())
    }

    /// How many of each call there were.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let log = self.log();
        let rows = log.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let count = words.next()?.parse().ok()?;
            Some((words.next()?.to_owned(), count))
        });
        rows.filter(|(name, _)| name != "total").collect()
    }
}

/// A line of a log.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The number of the thread that made it, where more than one is followed.
    pub(crate) thread: String,
    /// `name(arguments) = result`, or a part of that where another thread's call came between.
    pub(crate) text: String,
}

/// The calls of a log.
pub(crate) fn calls(log: &str) -> Vec<Call> {
    static PADDING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\) +=").expect("a pattern"));
    let call = |line: &str| {
        let end = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let (thread, text) = line.split_at(end);
        Call { thread: thread.to_owned(), text: PADDING.replace(text.trim_start(), ") =").into_owned() }
    };
    log.lines().map(call).collect()
}

impl Call {
    pub(crate) fn name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default()
    }

    pub(crate) fn arguments(&self) -> &str {
        self.text.split_once('(').map_or("", |(_, rest)| rest)
    }

    /// The last word: the number of a new descriptor.
    pub(crate) fn result(&self) -> &str {
        self.text.rsplit(' ').next().unwrap_or_default()
    }

    pub(crate) fn is_injected(&self) -> bool {
        self.text.contains("(INJECTED)")
    }

    /// In a debug build Rust's library asks whether a descriptor that it closes is open.
    pub(crate) fn is_of_rusts_close(&self) -> bool {
        self.text.contains(", F_GETFD)")
    }
}
