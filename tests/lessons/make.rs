//! The front door: the targets of the Makefile.

use std::process::Command;

use crate::common;

fn make(arguments: &[&str]) -> (bool, String, String) {
    make_in(common::root(), arguments)
}

fn make_in(folder: &std::path::Path, arguments: &[&str]) -> (bool, String, String) {
    let mut command: Command = common::limited("make");
    let output =
        command.current_dir(folder).arg("--no-print-directory").args(arguments).output().expect("make runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn make_alone_lists_the_lessons_and_the_targets() {
    let (done, text, _) = make(&[]);

    assert!(done);
    for line in [
        "  make lesson-01   ",
        "  make lesson-02   ",
        "  make lesson-03   ",
        "  make php-03 ",
        "  make test ",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 80), "it fits a terminal of 80 columns");
}

#[test]
fn a_lesson_that_does_not_exist_is_one_line() {
    for target in ["lesson-99", "php-99", "trace-99", "lesson-3", "lesson-"] {
        let (done, text, errors) = make(&[target]);

        assert!(!done, "{target}");
        assert_eq!(text, "");
        let lines: Vec<&str> = errors.lines().filter(|line| !line.starts_with("make: ***")).collect();
        assert_eq!(lines.len(), 1, "{target}: {errors}");
        assert!(lines[0].contains("Type 'make'") || lines[0].contains("make"), "{errors}");
    }
}

#[test]
fn a_tool_that_is_missing_is_one_line_that_says_what_to_do() {
    for (arguments, remedy) in [
        (["lesson-03", "CARGO=no-such-cargo"], "install Rust from https://rustup.rs"),
        (["php-03", "PHP=no-such-php"], "apt install php-cli"),
        (["trace-03", "STRACE=no-such-strace"], "apt install strace"),
    ] {
        let (done, _, errors) = make(&arguments);

        assert!(!done);
        let first = errors.lines().next().unwrap_or_default();
        assert!(first.starts_with("This needs no-such-") && first.ends_with(remedy), "{errors}");
    }
}

#[test]
fn it_works_from_a_path_with_spaces() {
    let folder = std::env::temp_dir().join(format!("a path with spaces {}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut copy = common::limited("cp");
    copy.current_dir(common::root()).arg("-r");
    copy.args(["Makefile", "Cargo.toml", "Cargo.lock", "README.md", "src", "lessons", "tests"]).arg(&folder);
    assert!(copy.status().expect("cp runs").success());

    let (listed, _, _) = make_in(&folder, &[]);
    let (ran, text, errors) = make_in(&folder, &["lesson-03"]);
    let (php, twin, _) = make_in(&folder, &["php-03"]);
    let (traced, trace, _) = make_in(&folder, &["trace-03"]);

    std::fs::remove_dir_all(&folder).expect("the folder");
    assert!(listed && ran && php && traced, "{errors}");
    assert_eq!(text.lines().count(), twin.lines().count());
    assert!(trace.contains("\nsocket_listen        listen("));
}
