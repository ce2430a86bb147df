//! Scenarios under strace: what they call between the marks, and what comes of it when a call fails.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::codes;
use crate::common;
use crate::scenarios::Scenario;

/// The program that plays, built once.
pub(crate) fn player() -> &'static Path {
    static PLAYER: OnceLock<PathBuf> = OnceLock::new();
    PLAYER.get_or_init(|| common::example("fault-player"))
}

/// How the marks look.
const BEGIN: &str = "write(-1, \"begin\"";
const END: &str = "write(-1, \"end\"";

/// The name of a line's call.
fn name(line: &str) -> &str {
    line.split('(').next().unwrap_or_default()
}

/// What a play came to.
pub(crate) struct Play {
    pub(crate) output: Output,
    /// The calls of the thread that plays, as strace writes them.
    lines: Vec<String>,
}

/// One system call between the marks.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// As strace names it.
    pub(crate) call: String,
    /// How many of this name the process has made before and with it.
    when: usize,
    /// How many of them between the marks, and how many there are in the end.
    pub(crate) nth: usize,
    pub(crate) count: usize,
}

/// After a fault a function may make so many calls of its name more than without.
const AGAIN: usize = 2;

/// Plays a scenario. `traced` are the calls to look at, `inject` is for strace.
fn play(scenario: &Scenario, traced: &str, inject: Option<String>) -> Play {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let file = format!("sockets-fault-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(file);
    let mut command = common::limited("strace");
    command
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(&path)
        .args(["-e", &format!("trace={traced}")]);
    if let Some(inject) = inject {
        command.args(["--seccomp-bpf", "-e", &format!("inject={inject}")]);
    }
    let output =
        command.arg(player()).args([scenario.function, scenario.path]).output().expect("strace runs");
    let text = std::fs::read(&path).expect("strace wrote its file");
    let _ = std::fs::remove_file(&path);
    let lines = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    Play { output, lines }
}

/// Without a fault: the play, and the places of its calls.
pub(crate) fn clean(scenario: &Scenario) -> (Play, Vec<Place>) {
    let play = play(scenario, "all", None);
    let places = play.places();
    (play, places)
}

/// With a fault at one place.
pub(crate) fn faulty(scenario: &Scenario, place: &Place, code: &str) -> Play {
    let Place { call, when, .. } = place;
    play(scenario, &format!("write,close,{call}"), Some(format!("{call}:error={code}:when={when}")))
}

impl Play {
    pub(crate) fn untraced(output: Output) -> Play {
        Play { output, lines: Vec::new() }
    }

    /// What the player printed.
    pub(crate) fn report(&self) -> Result<Value, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&self.output.stdout), text(&self.output.stderr));
        if !self.output.status.success() || !errors.is_empty() {
            return Err(format!("{}: {said}{errors}", self.output.status));
        }
        serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))
    }

    /// The lines of the thread that made the marks.
    fn own(&self) -> Vec<&str> {
        let marked = self.lines.iter().find(|line| line.contains(BEGIN));
        let Some((thread, _)) = marked.and_then(|line| line.split_once(' ')) else { return Vec::new() };
        let split = self.lines.iter().filter_map(|line| line.split_once(' '));
        split.filter(|(other, _)| *other == thread).map(|(_, line)| line.trim_start()).collect()
    }

    /// The calls between the marks, and how many lines there are before them.
    fn between(&self) -> (usize, Vec<&str>) {
        let own = self.own();
        let at = |mark: &str| own.iter().position(|line| line.starts_with(mark));
        match (at(BEGIN), at(END)) {
            (Some(begin), Some(end)) => (begin + 1, own[begin + 1..end].to_vec()),
            _ => (0, Vec::new()),
        }
    }

    fn places(&self) -> Vec<Place> {
        let own = self.own();
        let (before, between) = self.between();
        let mut places: Vec<Place> = Vec::new();
        for (at, line) in between.iter().enumerate() {
            // In a debug build Rust's library asks whether what it closes is open. A line in angle brackets is the end of a
            // call that another thread's line came between.
            let call = name(line);
            if line.contains(", F_GETFD)") || line.starts_with('<') || codes::NEVER.contains(&call) {
                continue;
            }
            let when = own[..=before + at].iter().filter(|line| name(line) == call).count();
            let nth = 1 + places.iter().filter(|place| place.call == call).count();
            let count =
                between.iter().filter(|line| name(line) == call && !line.contains(", F_GETFD)")).count();
            places.push(Place { call: call.to_owned(), when, nth, count });
        }
        places
    }

    /// Whether exactly one call was made to fail, between the marks, it was not tried again and again, and nothing was
    /// closed twice.
    pub(crate) fn is_as_ordered(&self, place: &Place) -> Result<(), String> {
        let injected = |lines: &[&str]| lines.iter().filter(|line| line.contains("(INJECTED)")).count();
        let (_, between) = self.between();
        if injected(&between) != 1 || injected(&self.own()) != 1 {
            return Err("the fault was not injected where it should".to_owned());
        }
        let calls = between.iter().filter(|line| name(line) == place.call).count();
        if calls > place.count + AGAIN {
            return Err(format!("{calls} calls instead of {}", place.count));
        }
        let twice = |line: &&&str| {
            line.starts_with("close(") && line.contains("EBADF") && !line.contains("(INJECTED)")
        };
        self.own().iter().find(twice).map_or(Ok(()), |line| Err(format!("closed twice: {line}")))
    }
}
