//! Which system calls a lesson makes, and how each of them may fail.

use std::collections::BTreeMap;
use std::ffi::c_int;

use crate::common::{codes, strace};

/// The calls in which a server waits for its clients: what comes before the first of them is its set-up.
const WAITING: [&str; 5] = ["accept4", "select", "pselect6", "epoll_wait", "poll"];

/// The n-th time that a program makes a system call.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) call: &'static str,
    /// Counted from the program's first instruction, as strace counts.
    pub(crate) nth: usize,
    /// Whether a server waits for its clients already.
    pub(crate) serving: bool,
    /// Whether one of the machine's databases of names or settings is read here. Where it cannot be read, a name is not known.
    pub(crate) database: bool,
    /// Whether there are calls that return at once where others would wait.
    waits_never: bool,
}

/// The fault there.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) error: &'static str,
    /// The last of the times that fail.
    pub(crate) until: usize,
    /// Whether the shim does it, in the C library; otherwise it is strace, in the kernel.
    pub(crate) preloaded: bool,
}

impl Fault {
    /// Accepting fails, from one time to another.
    pub(crate) fn accept(nth: usize, until: usize, error: &'static str) -> Fault {
        let place = Place { call: "accept4", nth, serving: true, database: false, waits_never: true };
        Fault { place, error, until, preloaded: false }
    }

    /// The error's number.
    pub(crate) fn code(&self) -> c_int {
        codes::number(self.error)
    }

    /// The same in the shim's words.
    pub(crate) fn in_library(&self) -> String {
        format!("{}:{}:{}", self.place.call, self.place.nth, self.code())
    }

    /// The same in strace's words.
    pub(crate) fn injection(&self) -> String {
        let Fault { place: Place { call, nth, .. }, error, until, .. } = self;
        format!("{call}:error={error}:when={nth}..{until}")
    }
}

impl Place {
    /// Every way in which the call may fail here.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Fault> {
        let errors = codes::of_a_right_program(self.call).into_iter();
        // A socket that waits has nothing to try again, unless a time for waiting is set.
        let errors = errors.filter(|error| *error != "EAGAIN" || self.waits_never || self.call == "fcntl");
        errors.map(|error| Fault { place: self.clone(), error, until: self.nth, preloaded: false })
    }
}

/// The faults of a lesson that strace cannot make: closing always closes, also where it reports an error, and of several
/// threads or processes only one is to fail. There are places enough for all; those that no run reaches do not count.
pub(crate) fn in_library(lesson: &str, log: &str) -> Vec<Fault> {
    let closed = log.lines().filter(|line| line.starts_with("close(")).count();
    let fault = |call, nth, error| {
        let place = Place { call, nth, serving: true, database: false, waits_never: false };
        Fault { place, error, until: nth, preloaded: true }
    };
    calls_in_library(lesson, closed)
        .flat_map(|(call, errors, most)| (1..=most).map(move |nth| (call, errors, nth)))
        .flat_map(|(call, errors, nth)| errors.split(' ').map(move |error| fault(call, nth, error)))
        .collect()
}

type Calls = &'static [(&'static str, &'static str, usize)];

/// The calls of the C library that fail in a lesson, their errors, and how many of each; so many close something.
fn calls_in_library(
    lesson: &str,
    closed: usize,
) -> impl Iterator<Item = (&'static str, &'static str, usize)> + use<> {
    let calls: Calls = match lesson {
        "12" => &[
            ("recv", "EINTR ECONNRESET ENOMEM ETIMEDOUT", 12),
            ("write", "EINTR ECONNRESET ENOBUFS EPIPE", 8),
            ("shutdown", "ENOTCONN", 2),
        ],
        "19" => &[("recv", "EINTR ECONNRESET ENOMEM", 1), ("read", "EIO", 1)],
        _ => &[],
    };
    calls.iter().copied().chain([("close", "EINTR EIO", closed)])
}

/// The names of a lesson's faults, without the number at the end: `fault::lesson_13::accept4::EMFILE::`. Which of them it
/// really has is known when it has been played.
pub(crate) fn names(lesson: &str) -> impl Iterator<Item = String> {
    let name = move |layer, call, error| format!("fault::lesson_{lesson}::{layer}{call}::{error}::");
    let traced = codes::calls_of_a_right_program().flat_map(move |call| {
        codes::of_a_right_program(call).into_iter().map(move |error| name("", call, error))
    });
    let preloaded = calls_in_library(lesson, 1)
        .flat_map(move |(call, errors, _)| errors.split(' ').map(move |error| name("library_", call, error)));
    traced.chain(preloaded)
}

/// Whether a name, which goes on with a number, may contain a text.
pub(crate) fn may_contain(name: &str, text: &str) -> bool {
    let start = text.trim_end_matches(|end: char| end.is_ascii_digit());
    name.contains(text) || start.len() < text.len() && name.ends_with(start)
}

/// The calls that strace is to write down. The rest is of no interest where this machine does not know it.
pub(crate) fn traced() -> String {
    let calls: Vec<String> = codes::calls_of_a_right_program().map(|call| format!("?{call}")).collect();
    format!("?close,sigaltstack,{}", calls.join(","))
}

/// The places of a program in strace's log of it.
pub(crate) fn places(log: &str) -> Vec<Place> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut started, mut serving) = (false, false);
    let waits_never = log.contains("O_NONBLOCK") || log.contains("SO_RCVTIMEO");
    let (mut database, mut counter) = ("none".to_owned(), "none".to_owned());
    let mut places = Vec::new();
    for line in strace::calls(log) {
        let rest = line.arguments();
        // Rust's start-up ends with a stack for its handler of overflows.
        started |= line.name() == "sigaltstack" && rest.starts_with('{');
        let Some(call) = codes::calls_of_a_right_program().find(|call| *call == line.name()) else {
            continue;
        };
        let nth = counts.entry(call).or_default();
        *nth += 1;
        serving |= started && WAITING.contains(&call);
        // A lesson whose standard output or error fails may end.
        let screen = call.starts_with("write") && (rest.starts_with("1,") || rest.starts_with("2,"));
        let path = rest.split('"').nth(1).unwrap_or_default();
        let opens = call == "openat"
            && ["/etc/", "/lib/", "/proc/", "/usr/"].iter().any(|begin| path.starts_with(begin));
        if call == "openat" {
            line.result().clone_into(&mut database);
            if !opens {
                "none".clone_into(&mut database);
            }
        }
        let descriptor = rest.split(',').next();
        let reads = call == "read" && descriptor == Some(database.as_str());
        // The handler of a signal counts it in an eventfd. That cannot fail before 2^64 have come.
        if call == "eventfd2" {
            line.result().clone_into(&mut counter);
        }
        let counts = call == "write" && descriptor == Some(counter.as_str());
        if started && !screen && !counts {
            places.push(Place { call, nth: *nth, serving, database: opens || reads, waits_never });
        }
    }
    assert!(started, "Rust's start-up looks different: {log}");
    places
}
