//! One run of a lesson in which one system call fails, and what is to be said of it.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use php_sockets::*;
use regex::Regex;

use crate::client::{Client, State};
use crate::lessons::{Lesson, Part, Talk, serve};
use crate::plan::Fault;
use crate::process::{Ended, Process};
use crate::stage::pattern::aligned_pattern;
use crate::stage::registry::Service;

/// The outcome of a fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Everything was as without it.
    Unharmed,
    /// The program has said so, in its output, and has gone on; or it was one client that suffered.
    Told,
    /// The program has ended with PHP's words.
    Ended,
    /// The call was not made this time.
    Missed,
    /// Anything else.
    Lost(String),
}
use Outcome::{Ended as EndedInWords, Lost, Missed, Told, Unharmed};

/// The codes by which a server's calls report a client that has gone already; and a signal.
const VANISHED: [&str; 5] = ["ECONNABORTED", "ECONNRESET", "EINTR", "ENOTCONN", "EPIPE"];

/// The events of a run.
pub(crate) struct Run {
    pub(crate) ended: Ended,
    /// The clients of a server, in the order in which they came, and a new one after them.
    clients: Vec<Client>,
    new: Option<Client>,
    /// How many descriptors too many a server had without clients.
    left: Option<(usize, usize)>,
}

/// Runs a lesson from its beginning to its end.
pub(crate) fn run(lesson: &Lesson, fault: Option<&Fault>) -> Run {
    let start = |arguments: &[&str]| {
        let words = [&[lesson.program.as_str()], arguments].concat();
        match fault.filter(|fault| fault.preloaded) {
            Some(fault) => Process::shimmed(&words, &[("SHIM_FAIL", &fault.in_library())]),
            None => Process::traced(&words, fault),
        }
    };
    play(&lesson.part, &start)
}

/// Runs a lesson that `start` starts, with these arguments.
pub(crate) fn play(role: &Part, start: &dyn Fn(&[&str]) -> Process) -> Run {
    let alone = |ended| Run { ended, clients: Vec::new(), new: None, left: None };
    match role {
        Part::Alone(arguments) => {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            alone(start(&arguments).end())
        }
        Part::Client(host, player) => {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
            let port = listener.local_addr().expect("a name").port().to_string();
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| serve(&listener, *player, &stop).expect("a server"));
                let ended = start(&[host, &port]).end();
                stop.store(true, Ordering::Relaxed);
                alone(ended)
            })
        }
        Part::Once(talk) => {
            let mut process = start(&["127.0.0.1", "0"]);
            let clients = process.port().map(talk).unwrap_or_default();
            Run { ended: process.end(), clients, new: None, left: None }
        }
        Part::Always(service, Talk { clients, new }) => {
            let idle = service.idle;
            let mut process = start(&["127.0.0.1", "0"]);
            let Some(port) = process.port() else { return alone(process.end()) };
            let mut clients = clients(service, port);
            let mut left = process.until_descriptors(Some(idle));
            let mut last = new(service, port);
            // It may be the one that suffers; then the next is well.
            if last.state == State::Closed {
                clients.push(std::mem::replace(&mut last, new(service, port)));
            }
            left = process.until_descriptors(Some(idle)).max(left);
            process.interrupt();
            let left = left.filter(|left| *left != idle).map(|left| (left, idle));
            Run { ended: process.end(), clients, new: Some(last), left }
        }
    }
}

/// Whether `text` tells its reader of an error.
fn tells(text: &str, code: i32) -> bool {
    text.contains(&format!("[{code}]")) || text.contains(&socket_strerror(code))
}

/// The output of a lesson when all goes well: the whole of a program that ends by itself.
pub(crate) fn expected_text(lesson: &Lesson) -> String {
    let text = lesson.row.file("expected.txt");
    if lesson.number != "08" {
        return text;
    }
    // The arguments are others here.
    text.lines().filter(|line| !line.contains(" ports tried")).fold(String::new(), |all, line| {
        let progress = if line.starts_with("Scanning") { "%d of %d ports tried, %d open\n" } else { "" };
        all + &line.replace("1024", "4") + "\n" + progress
    })
}

/// Judges a run in which a call failed; `calls` is how many lines strace writes without that.
pub(crate) fn judge(lesson: &Lesson, fault: &Fault, run: &Run, calls: usize) -> Outcome {
    let Run { ended, clients, new, left } = run;
    let lost = |what: &str| Lost(format!("{what}; {}", summary(run)));
    if !ended.log.contains("(INJECTED)") {
        return Missed;
    }
    if let Some(what) = misbehaves(run, calls) {
        return lost(&what);
    }
    // Ctrl-C came in the middle of its words, which are written piece by piece.
    if by_interrupt(run) && !ended.errors.is_empty() && !ended.errors.ends_with('\n') {
        return Missed;
    }
    let told = tells(&ended.errors, fault.code()) || resolver(&ended.errors);
    // Ctrl-C may come before it has ended by itself.
    if ended.status.code() == Some(1) || (ended.errors.starts_with("Error: ") && by_interrupt(run)) {
        let may_end = match lesson.part {
            Part::Always(service, _) => {
                !fault.place.serving || is_own(fault) || ends_alone(service, fault, clients)
            }
            // It would end anyway; but not for a client that has vanished.
            Part::Once(..) => !fault.place.serving || !VANISHED.contains(&fault.error),
            _ => true,
        };
        return match (told, may_end) {
            (true, true) => EndedInWords,
            (false, _) => lost("it ended without a word of the error"),
            _ => lost("one call of one client ended the server"),
        };
    }
    if let Some((left, idle)) = left {
        return lost(&format!("{left} descriptors are open where {idle} should be"));
    }
    if let Some(new) = new.as_ref().filter(|new| !new.is_served()) {
        return lost(&format!("a new client is not served: {:?}", new.state));
    }
    let by_child = lesson.number == "19" && ended.output.contains("the child ended with 1");
    if !ended.errors.is_empty() {
        return if told && by_child { Told } else { lost("it went on and complained") };
    }
    let told = tells(&ended.output, fault.code());
    let unharmed = match lesson.part {
        Part::Alone(_) | Part::Client(..) => aligned_pattern(&expected_text(lesson)).is_match(&ended.output),
        _ => clients.iter().all(Client::is_served),
    };
    let server = matches!(lesson.part, Part::Once(..) | Part::Always(..));
    match (unharmed, told) {
        (true, _) => Unharmed,
        (false, true) => Told,
        // A client that is turned away and has gone already misses nothing, and the server does not mention it. Neither
        // is it said why a name is not known, as in PHP.
        (false, false) if server || fault.place.database => Told,
        _ => lost("the result is another, and nobody says why"),
    }
}

/// Whether a server that does not end by itself was ended by Ctrl-C.
fn by_interrupt(run: &Run) -> bool {
    let status = run.ended.status;
    run.new.is_some() && (status.signal() == Some(libc::SIGINT) || status.code() == Some(130))
}

/// The misbehaviour that no program may show.
fn misbehaves(run: &Run, calls: usize) -> Option<String> {
    let Run { ended, clients, .. } = run;
    if ended.errors.contains("panicked at") {
        return Some("it panicked".to_owned());
    }
    if !matches!(ended.status.code(), Some(0 | 1)) && !by_interrupt(run) {
        return Some("it did not end as it should".to_owned());
    }
    if ended.cpu > Duration::from_secs(1) {
        return Some(format!("it used the processor for {:?}", ended.cpu));
    }
    if ended.log.lines().count() > calls + 150 {
        return Some(format!("{} system calls instead of {calls}", ended.log.lines().count()));
    }
    let wrong = clients.iter().find(|client| matches!(client.state, State::Wrong(_)))?;
    Some(format!("a client: {:?}", wrong.state))
}

/// Whether a call is about the server's waiting itself, not about one client.
fn is_own(fault: &Fault) -> bool {
    let waiting = ["select", "pselect6", "epoll_wait", "poll"].contains(&fault.place.call);
    waiting && fault.error != "EINTR"
}

/// Where no client can be accepted, because something is wrong with the machine, some lessons end; but never while they
/// have a client.
fn ends_alone(service: &Service, fault: &Fault, clients: &[Client]) -> bool {
    service.may_end
        && fault.place.call == "accept4"
        && !VANISHED.contains(&fault.error)
        && clients.iter().all(|client| client.is_served() || !client.answered)
}

/// The resolver makes its own errors of those of its system calls.
fn resolver(errors: &str) -> bool {
    ["Host name lookup failure", "Unknown host", "Nobody knows an IPv4 address", "Temporary failure in name"]
        .iter()
        .any(|words| errors.contains(words))
}

fn summary(run: &Run) -> String {
    let Run { ended, clients, .. } = run;
    let states: Vec<&State> = clients.iter().map(|client| &client.state).collect();
    let tail = |text: &str| text.chars().skip(text.chars().count().saturating_sub(600)).collect::<String>();
    format!(
        "{}, clients {states:?}, stdout ...{:?}, stderr {:?}",
        ended.status,
        tail(&ended.output),
        tail(&ended.errors)
    )
}

/// Without a fault a lesson does what is expected; its output counts where it has no clients. Else the reason.
pub(crate) fn wellness(lesson: &Lesson, run: &Run, expected: &Regex) -> Result<(), String> {
    let well = misbehaves(run, usize::MAX - 150).is_none()
        && run.left.is_none()
        && run.ended.errors.is_empty()
        && run.clients.iter().chain(&run.new).all(Client::is_served)
        && (!run.clients.is_empty() || expected.is_match(&run.ended.output));
    let reason = || format!("lesson {} without a fault: {:?}; {}", lesson.number, run.left, summary(run));
    if well { Ok(()) } else { Err(reason()) }
}
