//! Scenarios under strace: what they call between the marks, and what comes of it when a call fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::codes;
use crate::common;
use crate::scenarios::Scenario;

/// The program that plays, built once.
pub(crate) fn player() -> &'static Path {
    static PLAYER: OnceLock<PathBuf> = OnceLock::new();
    PLAYER.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(common::root()).args(["build", "--quiet", "--example", "fault-player"]);
        assert!(build.status().expect("cargo runs").success(), "the player is built");
        // Examples stand beside the folder of this test's own program.
        let own = std::env::current_exe().expect("this program");
        own.parent().and_then(Path::parent).expect("the profile").join("examples/fault-player")
    })
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

/// Plays a scenario. `traced` are the calls to look at, `inject` is for strace.
fn play(scenario: &Scenario, traced: &str, inject: Option<String>) -> Play {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("sockets-fault-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
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

    /// The lines of the thread that made the marks, with the number of each mark among them.
    fn own(&self) -> Vec<&str> {
        let begin = self.lines.iter().find(|line| line.contains("write(-1, \"begin\""));
        let own = begin.and_then(|line| line.split(' ').next()).unwrap_or_default();
        let own: Vec<&str> =
            self.lines.iter().filter_map(|line| line.strip_prefix(own)).map(str::trim_start).collect();
        own
    }

    /// The calls between the marks.
    pub(crate) fn between(&self) -> Vec<&str> {
        let own = self.own();
        let begin = own.iter().position(|line| line.starts_with("write(-1, \"begin\""));
        let end = own.iter().position(|line| line.starts_with("write(-1, \"end\""));
        own.get(begin.map_or(0, |begin| begin + 1)..end.unwrap_or(0)).unwrap_or_default().to_vec()
    }

    fn places(&self) -> Vec<Place> {
        let own = self.own();
        let begin = own.iter().position(|line| line.starts_with("write(-1, \"begin\"")).expect("a beginning");
        let end = own.iter().position(|line| line.starts_with("write(-1, \"end\"")).expect("an end");
        let name = |line: &str| line.split('(').next().unwrap_or_default().to_owned();
        // A call that another thread's line interrupts is resumed in a second line.
        let counts = |lines: &[&str], call: &str| {
            lines.iter().filter(|line| name(line) == call && !line.starts_with('<')).count()
        };
        let mut places: Vec<Place> = Vec::new();
        for (at, line) in own.iter().enumerate().take(end).skip(begin + 1) {
            let call = name(line);
            let resumed = line.starts_with('<') || line.starts_with("+++");
            // In a debug build Rust's library asks whether what it closes is open.
            if resumed || line.contains(", F_GETFD)") || codes::NEVER.contains(&call.as_str()) {
                continue;
            }
            let nth = 1 + places.iter().filter(|place| place.call == call).count();
            places.push(Place { when: counts(&own[..=at], &call), nth, count: 0, call });
        }
        for at in 0..places.len() {
            places[at].count = places.iter().filter(|place| place.call == places[at].call).count();
        }
        places
    }

    /// Whether exactly one call was made to fail, between the marks, and nothing was closed twice.
    pub(crate) fn is_as_ordered(&self) -> Result<(), String> {
        let injected = |lines: &[&str]| lines.iter().filter(|line| line.contains("(INJECTED)")).count();
        if injected(&self.between()) != 1 || injected(&self.own()) != 1 {
            return Err("the fault was not injected where it should".to_owned());
        }
        let twice = |line: &&&str| {
            line.starts_with("close(") && line.contains("EBADF") && !line.contains("(INJECTED)")
        };
        self.own().iter().find(twice).map_or(Ok(()), |line| Err(format!("closed twice: {line}")))
    }
}
