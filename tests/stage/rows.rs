//! Tests that are rows of a table, each with a name by which it can be run alone.

use libtest_mimic::{Arguments, Conclusion, FormatSetting, Trial};

use crate::common;

/// A row that fails if `act` panics.
pub(crate) fn row(name: impl Into<String>, act: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        act();
        Ok(())
    })
}

/// Runs the rows that the command line asks for, so many at once unless it says how many. All of them are too many to be
/// shown by name.
pub(crate) fn run(mut arguments: Arguments, at_once: usize, mut rows: Vec<Trial>) -> Conclusion {
    rows.push(row("a_list_and_a_filter_without_a_row_start_no_program", a_list_starts_no_program));
    arguments.test_threads.get_or_insert(at_once);
    if arguments.filter.is_none() && !arguments.list {
        arguments.format.get_or_insert(FormatSetting::Terse);
    }
    libtest_mimic::run(&arguments, rows)
}

/// Without a PATH no program is found.
fn a_list_starts_no_program() {
    let this = std::env::current_exe().expect("this program");
    let without_programs = |words: &[&str]| {
        let mut command = common::limited("sh");
        command.args(["-c", "PATH=/nowhere exec \"$@\"", "sh"]).arg(&this).args(words);
        common::printed(&mut command)
    };

    let list = without_programs(&["--list"]);
    assert!(
        list.lines().filter(|line| line.contains("lesson_13") && line.ends_with(": test")).count() > 1,
        "{list}"
    );
    for none in ["no_such_row", "lesson_99"] {
        assert_eq!(without_programs(&["--list", none]).trim(), "", "{none}");
        let text = without_programs(&[none]);
        assert!(text.contains("\nrunning 0 tests\n"), "{text}");
    }
}
