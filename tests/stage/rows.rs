//! Tests that are rows of a table, each with a name by which it can be run alone.

use libtest_mimic::{Arguments, Conclusion, FormatSetting, Trial};

/// A row that fails if `act` panics.
pub(crate) fn row(name: impl Into<String>, act: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        act();
        Ok(())
    })
}

/// Runs the rows that the command line asks for, so many at once unless it says how many. All of them are too many to be
/// shown by name.
pub(crate) fn run(mut arguments: Arguments, at_once: usize, rows: Vec<Trial>) -> Conclusion {
    arguments.test_threads.get_or_insert(at_once);
    if arguments.filter.is_none() && !arguments.list {
        arguments.format.get_or_insert(FormatSetting::Terse);
    }
    libtest_mimic::run(&arguments, rows)
}
