//! All faults of all lessons, and the table of what came of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::AT_ONCE;
use crate::common;
use crate::judge::{self, Outcome};
use crate::lessons::{LESSONS, Lesson};
use crate::plan::{self, Fault, in_library, places};
use crate::stage::pattern::aligned_pattern;
use crate::stage::rows::row;

/// Unless all faults are asked for, one in so many is tried.
const SHARE: usize = 41;

/// A fault that is to be tried, in a lesson that makes so many calls without it.
struct Fate {
    lesson: &'static Lesson,
    calls: usize,
    fault: Fault,
}

/// The outcomes of those that were tried.
static TRIED: Mutex<Vec<(&str, Fault, Outcome)>> = Mutex::new(Vec::new());

/// A row for each fault, such as `fault::lesson_13::accept4::EMFILE::2`, the second accept; all of them, or a share. Which
/// calls a lesson makes is known when it has been played once: only those are played that may have a row which the
/// arguments ask for. A list plays none, and has a row for each lesson.
pub(crate) fn rows(arguments: &Arguments, all: bool) -> Vec<Trial> {
    let wanted: Vec<&Lesson> = LESSONS.iter().filter(|lesson| is_wanted(arguments, lesson.number)).collect();
    if arguments.list {
        return wanted.into_iter().map(|lesson| row(format!("fault::{}", name(lesson)), || ())).collect();
    }
    let mut rows = Vec::new();
    for (lesson, fates) in wanted.iter().zip(common::in_parallel(AT_ONCE, &wanted, |lesson| fates(lesson))) {
        let fates = match fates {
            Ok(fates) => fates,
            Err(reason) => {
                // Whatever row was asked for: there is none now.
                let well = format!("fault::{}::none", name(lesson));
                let asked = arguments.filter.clone().unwrap_or_else(|| well.clone());
                rows.push(Trial::test(asked, move || Err(Failed::from(format!("{well}: {reason}")))));
                continue;
            }
        };
        // It begins elsewhere in each lesson, so that all calls and errors have their turn.
        let begin: usize = lesson.number.parse().expect("a number");
        for (index, fate) in fates.into_iter().enumerate() {
            if all || (index + begin) % SHARE == 0 {
                let Fault { place, error, preloaded, .. } = &fate.fault;
                let layer = if *preloaded { "library_" } else { "" };
                let name = format!("fault::{}::{layer}{}::{error}::{}", name(lesson), place.call, place.nth);
                rows.push(row(name, move || nothing_is_lost(&fate)));
            }
        }
    }
    rows
}

fn name(lesson: &Lesson) -> String {
    format!("lesson_{}", lesson.number)
}

/// Whether a fault of this lesson may have a name that the arguments ask for.
fn is_wanted(arguments: &Arguments, lesson: &str) -> bool {
    let Arguments { filter, skip, exact, .. } = arguments;
    let is_skipped = |name: &str| !exact && skip.iter().any(|part| name.contains(part));
    let is_asked = |name: &str| filter.as_deref().is_none_or(|part| plan::may_contain(name, part));
    plan::names(lesson).any(|name| is_asked(&name) && !is_skipped(&name))
}

pub(crate) fn only_lessons_that_may_have_the_row_are_played() {
    let wanted = |words: &[&str]| {
        let arguments = Arguments::from_iter(["lesson_faults"].iter().chain(words));
        let wanted = LESSONS.iter().filter(|lesson| is_wanted(&arguments, lesson.number));
        wanted.map(|lesson| lesson.number).collect::<Vec<_>>()
    };
    let every: Vec<&str> = LESSONS.iter().map(|lesson| lesson.number).collect();

    for none in ["no_such_row", "lesson_99", "fault::lesson_1::", "accept5", "EMFILE::x", "::1::", "short"] {
        assert_eq!(wanted(&[none]), [""; 0], "{none}");
    }
    for one in [
        "lesson_13",
        "fault::lesson_13",
        "t::lesson_13::acc",
        "lesson_13::accept4::EMFILE::2",
        "13::select::EINTR::10",
        "lesson_13::library_close::EIO::3",
    ] {
        assert_eq!(wanted(&[one]), ["13"], "{one}");
        assert_eq!(wanted(&[one, "--exact"]), ["13"], "{one}");
        assert_eq!(wanted(&[one, "--skip", "fault"]), [""; 0], "{one}");
    }
    for all in
        ["fault", "fault::lesson_", "EMFILE", "accept4::EMFILE::1", "4::E", "::7", "7", "library_close"]
    {
        assert_eq!(wanted(&[all]), every, "{all}");
    }
    assert_eq!(wanted(&["library_recv"]), ["12", "19"]);
    assert_eq!(wanted(&[]), every);
    assert_eq!(wanted(&["--skip", "lesson_13"]).len(), every.len() - 1);
}

/// A lesson's run without a fault, and the calls that could fail in it; or what is wrong with it.
fn fates(lesson: &'static Lesson) -> Result<Vec<Fate>, String> {
    let run = judge::run(lesson, None);
    judge::wellness(lesson, &run, &aligned_pattern(&judge::expected_text(lesson)))?;
    let calls = run.ended.log.lines().count();
    let faults = places(&run.ended.log).into_iter().flat_map(|place| place.faults().collect::<Vec<_>>());
    let faults = faults.chain(in_library(lesson.number, &run.ended.log));
    Ok(faults.map(|fault| Fate { lesson, calls, fault }).collect())
}

fn nothing_is_lost(fate: &Fate) {
    let outcome = outcome(fate);
    let lost = if let Outcome::Lost(what) = &outcome { Some(what.clone()) } else { None };
    let tried = (fate.lesson.number, fate.fault.clone(), outcome);
    TRIED.lock().unwrap_or_else(PoisonError::into_inner).push(tried);
    assert_eq!(lost, None, "{}", fate.fault.injection());
}

fn outcome(fate: &Fate) -> Outcome {
    let Fate { lesson, calls, fault } = fate;
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

pub(crate) fn has_tried() -> bool {
    !TRIED.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// The table of all that was tried.
pub(crate) fn report() -> String {
    let mut rows: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    for (number, fault, outcome) in &*TRIED.lock().unwrap_or_else(PoisonError::into_inner) {
        // The shim's places are not counted before.
        if !fault.preloaded || *outcome != Outcome::Missed {
            rows.entry((number, fault.place.call)).or_default().add(fault.place.nth, outcome);
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
        survived + all(|counts| counts.lost + counts.missed),
        all(|counts| counts.unharmed),
        all(|counts| counts.told),
        all(|counts| counts.ended),
        all(|counts| counts.missed),
        all(|counts| counts.lost)
    );
    table
}
