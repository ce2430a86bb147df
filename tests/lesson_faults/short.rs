//! Every lesson where reads, or writes, come back short.

use crate::client::Client;
use crate::common;
use crate::judge;
use crate::lessons::{LESSONS, Lesson, Part};
use crate::process::Process;

/// What a lesson prints with short reads or writes: its expected.txt, with the changes of short.txt.
fn expected(lesson: &Lesson, variable: &str, how: &str) -> String {
    let changes = std::fs::read_to_string(common::root().join("tests/lesson_faults/short.txt"));
    let changes = changes.expect("the file");
    let title = format!("lesson {} {variable}={how}", lesson.number);
    let text = judge::expected_text(lesson);
    let mut rest: Vec<&str> = text.lines().collect();
    let mut printed = String::new();
    let mut taken = 0;
    let changes = changes.lines().skip_while(|line| *line != title).skip(1);
    for line in changes.take_while(|line| !line.starts_with("lesson ")) {
        let Some(place) = line.strip_prefix("@ ") else {
            printed.extend([line, "\n"]);
            continue;
        };
        let numbers: Vec<usize> = place.split(' ').map(|number| number.parse().expect("a number")).collect();
        let after = rest.split_off(numbers[0] - 1 - taken);
        printed.extend(rest.iter().flat_map(|line| [line, "\n"]));
        rest = after.into_iter().skip(numbers[1]).collect();
        taken = numbers[0] - 1 + numbers[1];
    }
    printed.extend(rest.iter().flat_map(|line| [line, "\n"]));
    printed
}

fn comes_back_short(variable: &str, how: &str) {
    for lesson in LESSONS {
        let start = |arguments: &[&str]| {
            Process::shimmed(&[&[lesson.program], arguments].concat(), &[(variable, how)])
        };
        // Lessons 10 and 12 answer each read, not each line.
        let in_pieces = |talk, ask| Lesson { part: Part::Always(talk, ask, 4), ..*lesson };
        let run = match (lesson.number, variable, how) {
            ("10" | "12", "SHIM_READS", "1") => {
                judge::play(&in_pieces(|port| vec![by_bytes(port)], by_bytes), &start)
            }
            ("10" | "12", "SHIM_READS", _) => {
                judge::play(&in_pieces(|port| vec![by_halves(port)], by_halves), &start)
            }
            _ => judge::play(lesson, &start),
        };
        judge::is_well(lesson, &run, &judge::pattern(&expected(lesson, variable, how)));
    }
}

fn by_bytes(port: u16) -> Client {
    let mut client = Client::connect(port);
    client.says("hey\n").hears("OK ... hOK ... eOK ... yOK ... \n").is_done().hears_the_end();
    client
}

fn by_halves(port: u16) -> Client {
    let mut client = Client::connect(port);
    client.says("hello\n").hears("OK ... helOK ... loOK ... \n").is_done().hears_the_end();
    client
}

#[test]
fn reads_of_one_byte_lose_nothing() {
    comes_back_short("SHIM_READS", "1");
}

#[test]
fn reads_of_half_of_what_has_come_lose_nothing() {
    comes_back_short("SHIM_READS", "half");
}

#[test]
fn writes_of_one_byte_lose_nothing() {
    comes_back_short("SHIM_WRITES", "1");
}

#[test]
fn writes_of_half_lose_nothing() {
    comes_back_short("SHIM_WRITES", "half");
}
