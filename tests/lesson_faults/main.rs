//! Every lesson, while each of its system calls fails once, and while reads and writes come back short. A filter runs all
//! rows with that part in their names: `cargo test --features lessons --test lesson_faults fault::lesson_13` tries all
//! faults of lesson 13. `TORTURE=full` tries those of all lessons; otherwise it is a share of them that takes seconds.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;

mod client;
mod exhaustion;
mod judge;
mod lessons;
mod plan;
mod process;
mod short;
mod torture;

use libtest_mimic::Arguments;

use lessons::{LESSONS, Part};
use stage::rows::{self, row};

/// How many rows are run at once. Most of them wait most of the time.
const AT_ONCE: usize = 4;

fn main() {
    let arguments = Arguments::from_args();
    let all = std::env::var("TORTURE").is_ok_and(|value| value == "full") || arguments.filter.is_some();
    let mut rows = torture::rows(&arguments, all);
    rows.push(row(
        "only_lessons_that_may_have_the_row_are_played",
        torture::only_lessons_that_may_have_the_row_are_played,
    ));
    for lesson in LESSONS.iter() {
        for (name, variable, how) in short::WAYS {
            let name = format!("{name}::lesson_{}", lesson.number);
            rows.push(row(name, move || short::loses_nothing(lesson, variable, how)));
        }
        if let Part::Always(service, _) = lesson.part {
            if service.serves.many() {
                let name = format!("without_descriptors_others_are_served::lesson_{}", lesson.number);
                rows.push(row(name, move || exhaustion::serves_without_descriptors(lesson, service)));
            }
        }
    }
    let conclusion = rows::run(arguments, AT_ONCE, rows);
    if all && torture::has_tried() {
        println!("{}", torture::report());
    }
    conclusion.exit();
}
