//! Scenarios under strace: what they call between the marks, and what comes of it when a call fails.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use serde_json::Value;

use crate::common::strace::Call;
use crate::common::{self, Strace, codes};
use crate::scenarios::Scenario;

/// The program that plays, built once.
pub(crate) fn player() -> &'static Path {
    static PLAYER: OnceLock<PathBuf> = OnceLock::new();
    PLAYER.get_or_init(|| common::example("fault-player"))
}

/// How the marks look.
const BEGIN: &str = "write(-1, \"begin\"";
const END: &str = "write(-1, \"end\"";

/// The outcome of a play.
pub(crate) struct Play {
    pub(crate) output: Output,
    /// The calls of all threads.
    calls: Vec<Call>,
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

/// Plays a scenario under strace.
fn play(scenario: &Scenario, strace: &Strace) -> Play {
    let output = strace.command(player()).args([scenario.function, scenario.path]).output();
    Play { output: output.expect("strace runs"), calls: strace.calls() }
}

/// Without a fault: the play, and the places of its calls.
pub(crate) fn clean(scenario: &Scenario) -> (Play, Vec<Place>) {
    let play = play(scenario, &Strace::of("all"));
    let places = play.places();
    (play, places)
}

/// With a fault at one place.
pub(crate) fn faulty(scenario: &Scenario, place: &Place, code: &str) -> Play {
    let Place { call, when, .. } = place;
    let strace = Strace::of(&format!("write,close,{call}"));
    play(scenario, &strace.inject(&format!("{call}:error={code}:when={when}")))
}

impl Play {
    pub(crate) fn untraced(output: Output) -> Play {
        Play { output, calls: Vec::new() }
    }

    /// The output of the player.
    pub(crate) fn report(&self) -> Result<Value, String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&self.output.stdout), text(&self.output.stderr));
        if !self.output.status.success() || !errors.is_empty() {
            return Err(format!("{}: {said}{errors}", self.output.status));
        }
        serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))
    }

    /// The calls of the thread that made the marks.
    fn own(&self) -> Vec<&Call> {
        let Some(marked) = self.calls.iter().find(|call| call.text.starts_with(BEGIN)) else {
            return Vec::new();
        };
        self.calls.iter().filter(|call| call.thread == marked.thread).collect()
    }

    /// The calls between the marks, and how many lines there are before them.
    fn between(&self) -> (usize, Vec<&Call>) {
        let own = self.own();
        let at = |mark: &str| own.iter().position(|call| call.text.starts_with(mark));
        match (at(BEGIN), at(END)) {
            (Some(begin), Some(end)) => (begin + 1, own[begin + 1..end].to_vec()),
            _ => (0, Vec::new()),
        }
    }

    fn places(&self) -> Vec<Place> {
        let own = self.own();
        let (before, between) = self.between();
        let mut places: Vec<Place> = Vec::new();
        for (at, call) in between.iter().enumerate() {
            let name = call.name();
            // A line in angle brackets is the end of a call that another thread's line came between.
            if call.is_of_rusts_close() || name.starts_with('<') || codes::NEVER.contains(&name) {
                continue;
            }
            let when = own[..=before + at].iter().filter(|other| other.name() == name).count();
            let nth = 1 + places.iter().filter(|place| place.call == name).count();
            let same = |other: &&&Call| other.name() == name && !other.is_of_rusts_close();
            let count = between.iter().filter(same).count();
            places.push(Place { call: name.to_owned(), when, nth, count });
        }
        places
    }

    /// Whether exactly one call was made to fail, between the marks, it was not tried again and again, and nothing was
    /// closed twice.
    pub(crate) fn is_as_ordered(&self, place: &Place) -> Result<(), String> {
        let injected = |calls: &[&Call]| calls.iter().filter(|call| call.is_injected()).count();
        let (_, between) = self.between();
        if injected(&between) != 1 || injected(&self.own()) != 1 {
            return Err("the fault was not injected where it should".to_owned());
        }
        let calls = between.iter().filter(|call| call.name() == place.call).count();
        if calls > place.count + AGAIN {
            return Err(format!("{calls} calls instead of {}", place.count));
        }
        let twice =
            |call: &&&Call| call.name() == "close" && call.text.contains("EBADF") && !call.is_injected();
        self.own().iter().find(twice).map_or(Ok(()), |call| Err(format!("closed twice: {}", call.text)))
    }
}
