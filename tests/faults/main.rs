//! Every system call of every public function fails once, and nothing is lost.
//!
//! A program, `fault-player`, plays the scenarios of `scenarios/`, one for each way through each function. strace tells
//! which system calls each of them makes, and then makes them fail one after the other. In short: with the signal's
//! EINTR and one other code each; `TORTURE=full` tries every code of each call's manual page, `TORTURE=socket_read` does
//! so for one function. `make torture` shows the table.

#[path = "../common/mod.rs"]
mod common;

mod judge;
#[allow(dead_code, reason = "the player plays, this program judges")]
mod memory;
mod php;
#[allow(dead_code, reason = "the same")]
mod scenarios;
mod short;
#[allow(dead_code, reason = "the same")]
mod stage;
mod table;
mod trace;

use std::collections::BTreeSet;

use common::codes;
use scenarios::Scenario;
use table::{Row, Table};
use trace::Place;

/// Does something with each item on as many threads as there are processors.
fn in_parallel<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    common::in_parallel(std::thread::available_parallelism().map_or(1, usize::from), items, act)
}

/// The work that the variable TORTURE asks for.
fn is_wanted(scenario: &Scenario) -> bool {
    std::env::var("TORTURE").map_or(true, |torture| torture == "full" || torture == scenario.function)
}

fn is_full() -> bool {
    std::env::var_os("TORTURE").is_some()
}

/// When the kernel answers these to its question about addresses, the C library itself ends the process, PHP's too.
const DEADLY: &[&str] = &["EBADF", "ENOTCONN", "ENOTSOCK", "ECONNREFUSED"];

/// The codes to try at a place.
fn codes_at(scenario: &Scenario, place: &Place) -> Vec<&'static str> {
    let mut codes = codes::of(codes::usual_name(&place.call));
    if place.call == "recvmsg" && scenario.asks_the_resolver() {
        codes.retain(|code| !DEADLY.contains(code));
    }
    if is_full() { codes } else { codes.into_iter().take(2).collect() }
}

#[test]
fn where_there_is_no_memory_for_a_length_it_is_an_error() {
    let output = common::limited(trace::player()).args(["memory", ""]).output();

    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let expected: String = memory::CASES.iter().map(memory::Case::expected).collect();
    assert_eq!(said, expected);
    assert!(output.status.success());
}

#[test]
fn every_public_function_has_a_scenario() {
    let played: BTreeSet<&str> = scenarios::all().map(|scenario| scenario.function).collect();
    let readme = std::fs::read_to_string(common::root().join("README.md")).expect("the README");
    let function = |row: &str| row.strip_prefix("| [`")?.split('`').next().map(str::to_owned);
    let mut public: BTreeSet<String> = readme.lines().filter_map(function).collect();
    assert!(public.len() > 50, "the table was read");

    for (file, class) in
        [("base", "EventBase"), ("run", "EventBase"), ("handle", "Event"), ("pending", "Event")]
    {
        let path = common::root().join("src/event").join(file).with_extension("rs");
        let source = std::fs::read_to_string(path).expect("a source");
        let method = |line: &str| {
            let name = line.strip_prefix("    pub fn ")?.split(['(', '<']).next()?;
            Some(format!("{class}::{name}"))
        };
        public.extend(source.lines().filter_map(method));
    }
    public.extend(["Event::drop", "Socket::from"].map(str::to_owned));

    assert_eq!(played, public.iter().map(String::as_str).collect::<BTreeSet<_>>());
}

#[test]
fn the_readmes_table_says_which_system_calls_the_first_scenario_of_each_function_makes() {
    let readme = std::fs::read_to_string(common::root().join("README.md")).expect("the README");
    let rows = readme.lines().filter_map(|row| row.strip_prefix("| [`")?.strip_suffix(" |"));
    let rows: Vec<(&str, &str)> = rows
        .map(|row| (row.split('`').next().expect("a name"), row.rsplit(" | ").next().expect("a last cell")))
        .collect();
    assert!(rows.len() > 50, "the table was read");

    let differing = in_parallel(&rows, |(function, said)| {
        let first = scenarios::all().find(|scenario| scenario.function == *function).expect("a scenario");
        // Numbers need no look-up, and the first scenario of `socket_addrinfo_lookup` has no others.
        let scenario = match *said {
            "C library's" => scenarios::all()
                .filter(|scenario| scenario.function == *function)
                .last()
                .expect("a scenario of names"),
            _ => first,
        };
        let (_, places) = trace::clean(scenario);
        let calls: Vec<String> = places
            .iter()
            .map(|place| match codes::usual_name(&place.call) {
                "recvfrom" if *function != "socket_recvfrom" => "`recv`".to_owned(),
                "sendto" if *function != "socket_sendto" => "`send`".to_owned(),
                name => format!("`{name}`"),
            })
            .collect();
        let made = match calls.as_slice() {
            [] => "none".to_owned(),
            calls if calls.iter().any(|call| call == "`openat`") => "C library's".to_owned(),
            calls => calls.join(" "),
        };
        (made != said.split(';').next().unwrap_or(said)).then(|| format!("{function}: {made}, not {said}"))
    });

    assert_eq!(differing.into_iter().flatten().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_system_call_fails_once_and_nothing_is_lost() {
    let scenarios: Vec<&Scenario> = scenarios::all().filter(|scenario| is_wanted(scenario)).collect();
    let clean = in_parallel(&scenarios, |scenario| {
        let (play, places) = trace::clean(scenario);
        let report = judge::clean(&play)
            .unwrap_or_else(|why| panic!("{} {}: {why}", scenario.function, scenario.path));
        (report, places)
    });

    let mut faults = Vec::new();
    for (scenario, (report, places)) in scenarios.iter().zip(&clean) {
        for place in places {
            faults.extend(codes_at(scenario, place).into_iter().map(|code| (*scenario, report, place, code)));
        }
    }
    println!("\n{} scenarios, {} faults to come", scenarios.len(), faults.len());
    let verdicts = in_parallel(&faults, |(scenario, report, place, code)| {
        let play = trace::faulty(scenario, place, code);
        judge::judge(scenario, place, code, report, &play)
    });
    let short = in_parallel(&scenarios, |scenario| {
        let (report, _) = &clean[scenarios.iter().position(|other| std::ptr::eq(*other, *scenario)).unwrap()];
        short::transfers(scenario, report)
    });

    let mut table = Table::default();
    for ((scenario, _, place, code), verdict) in faults.iter().zip(verdicts) {
        table.add(Row::new(scenario, &place.call), &format!("{code} at call {}", place.nth), &verdict);
    }
    for (scenario, transfers) in scenarios.iter().zip(short) {
        for (what, verdict) in transfers {
            table.add(Row::new(scenario, "short count"), &what, &verdict);
        }
    }
    for (scenario, (_, places)) in scenarios.iter().zip(&clean) {
        if places.is_empty() {
            table.none(scenario);
        }
    }
    println!("\n{table}");
    assert!(table.to_string().lines().all(|line| line.len() <= 100), "the table fits a terminal");
    let used: BTreeSet<String> = faults
        .iter()
        .filter_map(|(scenario, _, place, code)| {
            let rule = judge::rule(scenario, place, codes::number(code))?;
            Some(format!("{}: {rule:?}", scenario.function))
        })
        .collect();
    let rules = scenarios
        .iter()
        .flat_map(|scenario| scenario.rules.iter().map(|rule| format!("{}: {rule:?}", scenario.function)));
    let unused: BTreeSet<String> = rules.filter(|rule| is_full() && !used.contains(rule)).collect();
    assert!(unused.is_empty(), "no fault comes under these rules:\n{unused:#?}");
    assert!(table.lost().is_empty(), "lost:\n{}", table.lost().join("\n"));
    assert!(table.tried() > 0, "faults were tried");
}
