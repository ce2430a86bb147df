//! All faults of all lessons, and the table of what came of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::common;
use crate::judge::{self, Outcome};
use crate::lessons::{LESSONS, Lesson};
use crate::plan::{Fault, in_library, places};

/// How many runs go on at once. Most of them wait most of the time.
const WORKERS: usize = 4;
/// Without `TORTURE=full`, one fault in so many is tried.
const SHARE: usize = 41;

/// A fault that is to be tried, in a lesson that makes so many calls without it.
struct Trial {
    lesson: &'static Lesson,
    calls: usize,
    fault: Fault,
}

#[test]
fn every_system_call_of_every_lesson_fails_once_and_nothing_is_lost() {
    let full = std::env::var("TORTURE").is_ok_and(|value| value == "full");
    let wanted = std::env::var("LESSON").ok();
    let lessons: Vec<&Lesson> = LESSONS
        .iter()
        .filter(|lesson| {
            wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|number| number == lesson.number))
        })
        .collect();

    let trials: Vec<Trial> =
        common::in_parallel(WORKERS, &lessons, |lesson| trials(lesson)).into_iter().flatten().collect();
    // Every so many-th, beginning elsewhere in each lesson, so that all calls and errors have their turn.
    let chosen: Vec<&Trial> = trials
        .iter()
        .enumerate()
        .filter(|(index, _)| full || index % SHARE == 0)
        .map(|(_, trial)| trial)
        .collect();
    let outcomes = common::in_parallel(WORKERS, &chosen, |trial| outcome(trial));

    let report = Report::new(&chosen, &outcomes);
    if full || wanted.is_some() {
        // Not with println!, which the test harness would keep for itself.
        std::io::stdout().write_all(report.table.as_bytes()).expect("somebody reads");
    }
    assert!(report.lost.is_empty(), "{} lost:\n{}", report.lost.len(), report.lost.join("\n"));
}

#[test]
fn every_lesson_is_tried() {
    let folders = std::fs::read_dir(common::root().join("lessons")).expect("the folder");
    let count = folders.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count();

    assert_eq!(LESSONS.len(), count);
}

/// What a lesson does without a fault, and what could fail in it.
fn trials(lesson: &'static Lesson) -> Vec<Trial> {
    let run = judge::run(lesson, None);
    judge::is_well(lesson, &run, &judge::pattern(&judge::expected_text(lesson)));
    let calls = run.ended.log.lines().count();
    let faults = places(&run.ended.log).into_iter().flat_map(|place| place.faults().collect::<Vec<_>>());
    let faults = faults.chain(in_library(lesson.number, &run.ended.log));
    faults.map(|fault| Trial { lesson, calls, fault }).collect()
}

fn outcome(trial: &Trial) -> Outcome {
    let Trial { lesson, calls, fault } = trial;
    let mut outcome = Outcome::Missed;
    // Another order of events may have no such call at that place; it is rare.
    for _ in 0..5 {
        outcome = judge::judge(lesson, fault, &judge::run(lesson, Some(fault)), *calls);
        if outcome != Outcome::Missed || fault.preloaded {
            break;
        }
    }
    outcome
}

struct Report {
    table: String,
    lost: Vec<String>,
}

/// How many faults of a kind had each outcome.
#[derive(Clone, Default)]
struct Counts {
    places: std::collections::BTreeSet<usize>,
    unharmed: usize,
    told: usize,
    ended: usize,
    missed: usize,
    lost: usize,
}

impl Counts {
    fn add(&mut self, nth: usize, outcome: &Outcome) {
        self.places.insert(nth);
        *match outcome {
            Outcome::Unharmed => &mut self.unharmed,
            Outcome::Told => &mut self.told,
            Outcome::Ended => &mut self.ended,
            Outcome::Missed => &mut self.missed,
            Outcome::Lost(_) => &mut self.lost,
        } += 1;
    }
}

impl Report {
    fn new(trials: &[&Trial], outcomes: &[Outcome]) -> Report {
        let mut rows: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        let mut lost = Vec::new();
        for (Trial { lesson, fault, .. }, outcome) in trials.iter().copied().zip(outcomes) {
            // The shim's places are not counted before.
            if fault.preloaded && *outcome == Outcome::Missed {
                continue;
            }
            rows.entry((lesson.number, fault.place.call)).or_default().add(fault.place.nth, outcome);
            if let Outcome::Lost(what) = outcome {
                lost.push(format!("lesson {}, {}: {what}", lesson.number, fault.injection()));
            }
        }
        let mut table = format!(
            "\n{:<8}{:<15}{:>8}{:>8}{:>10}{:>10}{:>10}{:>10}{:>8}{:>8}\n",
            "lesson",
            "system call",
            "places",
            "faults",
            "survived",
            "unharmed",
            "told",
            "ended",
            "missed",
            "lost"
        );
        for ((lesson, call), counts) in &rows {
            let Counts { places, unharmed, told, ended, missed, lost } = counts;
            let survived = unharmed + told + ended;
            let _ = writeln!(
                table,
                "{lesson:<8}{call:<15}{:>8}{:>8}{survived:>10}{unharmed:>10}{told:>10}{ended:>10}{missed:>8}{lost:>8}",
                places.len(),
                survived + missed + lost
            );
        }
        let all = |count: fn(&Counts) -> usize| rows.values().map(count).sum::<usize>();
        let survived = all(|counts| counts.unharmed + counts.told + counts.ended);
        let _ = writeln!(
            table,
            "{:<23}{:>8}{:>8}{survived:>10}{:>10}{:>10}{:>10}{:>8}{:>8}",
            "all",
            all(|counts| counts.places.len()),
            survived + lost.len() + all(|counts| counts.missed),
            all(|counts| counts.unharmed),
            all(|counts| counts.told),
            all(|counts| counts.ended),
            all(|counts| counts.missed),
            lost.len()
        );
        Report { table, lost }
    }
}
