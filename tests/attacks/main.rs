//! Hostile peers. Each row is one attack on one server or client in one of its languages, and can be run alone:
//! `cargo test --features lessons --test attacks attack::never_reads::lesson_13::rust`.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;

mod attacks;
mod clients;
mod table;

use libtest_mimic::Arguments;

/// How many rows are fought at once. Most of them wait most of the time.
const AT_ONCE: usize = 16;

fn main() {
    stage::rows::run(Arguments::from_args(), AT_ONCE, table::rows()).exit();
}
