//! The recorded programs of PHP's event extension, played here. A program is played alone in a process of its own.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::player;

const PROGRAM: &str = "PHP_SOCKETS_TEST_EVENT_PROGRAM";
const OUTPUT: &str = "PHP_SOCKETS_TEST_EVENT_OUTPUT";

/// The programs that do something else here, and why.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "80_timers_same_time_order",
        "libevent's order of equal times is an accident of its heap; here the first added comes first",
    ),
    ("83_zero_timers_order", "the same"),
    ("C5", "PHP crashes: `priorityInit` in a callback frees the queue that is being read; here it is safe"),
];

/// How much a time may differ, in milliseconds.
const TOLERANCE: i64 = 45;

/// The player, which this file starts; among the other tests it plays nothing.
#[test]
fn played() {
    let Ok(path) = std::env::var(PROGRAM) else { return };
    let output = File::options().append(true).open(std::env::var(OUTPUT).unwrap()).unwrap();
    player::play(&fs::read_to_string(path).unwrap(), output);
    std::process::exit(0);
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/event/programs")
}

/// The output of our player, in at most so long.
fn output(program: &PathBuf, limit: Duration) -> String {
    let name = program.file_stem().unwrap().to_string_lossy().into_owned();
    let path = std::env::temp_dir().join(format!("php-sockets-event-{}-{name}", std::process::id()));
    File::create(&path).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "programs::played", "--test-threads=1"]);
    command.env(PROGRAM, program).env(OUTPUT, &path).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: it may have forked when it is ended.
    let mut child = command.process_group(0).spawn().unwrap();
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.to_string();
        }
        if Instant::now() > end {
            let group = i32::try_from(child.id()).unwrap();
            // SAFETY: the call takes numbers; the group is the child's, which was not waited for yet.
            unsafe { libc::kill(-group, libc::SIGKILL) };
            break format!("after {limit:?}: {}", child.wait().unwrap());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(path).unwrap();
    // The player's last step is to end well.
    if status == "exit status: 0" { text } else { text + &status + "\n" }
}

/// A line without its time, and the time.
fn parts(line: &str) -> (String, Option<i64>) {
    let split = line.rsplit_once(" @").or_else(|| line.rsplit_once("elapsed -> "));
    let parsed = split.and_then(|(text, time)| Some((text, time.parse().ok()?)));
    parsed.map_or((line.to_owned(), None), |(text, time)| (text.to_owned(), Some(time)))
}

fn is_like(real: &str, ours: &str) -> bool {
    let ((real, time), (ours, our_time)) = (parts(real), parts(ours));
    let near = match (time, our_time) {
        (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE,
        (one, other) => one == other,
    };
    real == ours && near
}

/// The first line that differs. Where PHP hangs, the comparison ends: so does ours, or it does better.
fn difference(real: &str, ours: &str) -> Option<String> {
    let mut ours = ours.lines();
    for line in real.lines() {
        if line == "HANGS" {
            return None;
        }
        let our_line = ours.next().unwrap_or("nothing");
        if !is_like(line, our_line) {
            return Some(format!("PHP: {line}\nhere: {our_line}"));
        }
    }
    ours.next().map(|line| format!("PHP: nothing\nhere: {line}"))
}

#[test]
fn every_recorded_program_does_here_what_it_does_in_php() {
    let mut failures = Vec::new();
    let mut count = 0;
    let mut programs: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.sort();
    for program in programs.iter().filter(|path| path.extension().is_some_and(|ending| ending == "t")) {
        let name = program.file_stem().unwrap().to_string_lossy().into_owned();
        let real = fs::read_to_string(program.with_extension("real")).unwrap();
        let limit = Duration::from_secs(if real.contains("HANGS") { 1 } else { 20 });
        count += 1;
        // A busy machine is late: again.
        let mut plays = (0..5).map(|_| difference(&real, &output(program, limit)));
        let mut different = plays.next().flatten();
        while different.is_some() {
            let Some(again) = plays.next() else { break };
            different = again;
        }
        let known = DIFFERENT.iter().any(|(known, _)| *known == name);
        match different {
            Some(difference) if !known => failures.push(format!("{name}\n{difference}")),
            None if known => failures.push(format!("{name} is the same: the list is too long")),
            _ => {}
        }
    }
    assert_eq!(count, 78);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
