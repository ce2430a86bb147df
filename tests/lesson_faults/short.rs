//! Every lesson where reads, or writes, come back short.

use crate::client::Client;
use crate::common;
use crate::judge;
use crate::lessons::{Lesson, Part, Talk};
use crate::process::Process;
use crate::stage::pattern::aligned_pattern;
use crate::stage::registry::Service;

/// The output of a lesson with short reads or writes: its expected.txt, with the changes of short.txt.
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

/// The ways in which reads or writes come back short: the name of the row, and what steers the shim.
pub(crate) const WAYS: [(&str, &str, &str); 4] = [
    ("reads_of_one_byte_lose_nothing", "SHIM_READS", "1"),
    ("reads_of_half_of_what_has_come_lose_nothing", "SHIM_READS", "half"),
    ("writes_of_one_byte_lose_nothing", "SHIM_WRITES", "1"),
    ("writes_of_half_lose_nothing", "SHIM_WRITES", "half"),
];

pub(crate) fn loses_nothing(lesson: &Lesson, variable: &str, how: &str) {
    let start = |arguments: &[&str]| {
        Process::shimmed(&[&[lesson.program.as_str()], arguments].concat(), &[(variable, how)])
    };
    let run = match &lesson.part {
        Part::Always(service, _) if service.each_read && variable == "SHIM_READS" => {
            let talk = if how == "1" {
                Talk { clients: |service, port| vec![by_bytes(service, port)], new: by_bytes }
            } else {
                Talk { clients: |service, port| vec![by_halves(service, port)], new: by_halves }
            };
            judge::play(&Part::Always(service, talk), &start)
        }
        part => judge::play(part, &start),
    };
    let expected = aligned_pattern(&expected(lesson, variable, how));
    judge::wellness(lesson, &run, &expected).unwrap_or_else(|reason| panic!("{reason}"));
}

fn by_bytes(_: &Service, port: u16) -> Client {
    let mut client = Client::connect(port);
    client.says("hey\n").hears("OK ... hOK ... eOK ... yOK ... \n").is_done().hears_the_end();
    client
}

fn by_halves(_: &Service, port: u16) -> Client {
    let mut client = Client::connect(port);
    client.says("hello\n").hears("OK ... helOK ... loOK ... \n").is_done().hears_the_end();
    client
}
