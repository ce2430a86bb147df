//! The lessons that need no second terminal.

use std::process::Output;

use regex::Regex;

use crate::common;

/// A lesson: its number, its folder, its program.
struct Lesson {
    number: &'static str,
    folder: &'static str,
    program: &'static str,
}

const LESSONS: [Lesson; 3] = [
    Lesson { number: "01", folder: "01-first-socket", program: env!("CARGO_BIN_EXE_lesson-01") },
    Lesson { number: "02", folder: "02-errors", program: env!("CARGO_BIN_EXE_lesson-02") },
    Lesson { number: "03", folder: "03-the-conversation", program: env!("CARGO_BIN_EXE_lesson-03") },
];

impl Lesson {
    fn file(&self, name: &str) -> String {
        let path = common::root().join("lessons").join(self.folder).join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn rust(&self) -> Output {
        common::limited(self.program).output().expect("it runs")
    }

    fn php(&self) -> Output {
        let main = common::root().join("lessons").join(self.folder).join("main.php");
        common::limited("php").args(["-d", "display_errors=stderr"]).arg(main).output().expect("it runs")
    }

    /// The one block of text under a heading of the README, in lines.
    fn block(&self, heading: &str) -> Vec<String> {
        let readme = self.file("README.md");
        let section = readme.split(&format!("\n## {heading}\n")).nth(1).expect("the section");
        let section = section.split("\n## ").next().expect("the section");
        let block = section.split("```text\n").nth(1).expect("a text block");
        lines(block.split("```").next().expect("its end"))
    }
}

/// `expected.txt` as PHP's `.phpt` tests write it: `%d` is a number, `%s` some characters.
pub(crate) fn pattern(expected: &str) -> Regex {
    let literal = regex::escape(expected);
    Regex::new(&format!(r"\A{}\z", literal.replace("%d", r"-?\d+").replace("%s", r"[^\n]+")))
        .expect("a pattern")
}

fn check(lesson: &Lesson, output: &Output, who: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{who} of lesson {} failed: {errors}", lesson.number);
    assert_eq!(errors, "", "{who} of lesson {} complains", lesson.number);
    for (line, expected) in text.lines().zip(lesson.file("expected.txt").lines()) {
        assert!(pattern(expected).is_match(line), "{who} of lesson {}:\n{line}\n{expected}", lesson.number);
    }
    assert!(
        pattern(&lesson.file("expected.txt")).is_match(&text),
        "{who} of lesson {}:\n{text}",
        lesson.number
    );
}

#[test]
fn the_programs_print_what_is_expected() {
    for lesson in &LESSONS {
        check(lesson, &lesson.rust(), "Rust");
    }
}

#[test]
fn the_php_twins_print_the_same() {
    for lesson in &LESSONS {
        check(lesson, &lesson.php(), "PHP");
    }
}

/// Whether `lines` are `shown`, in which one line `...` stands for any number of lines.
fn covers(shown: &[String], lines: &[String], same: &dyn Fn(&str, &str) -> bool) -> bool {
    match (shown.first().map(String::as_str), lines.first()) {
        (None, None) => true,
        (Some("..."), _) => (0..=lines.len()).any(|skip| covers(&shown[1..], &lines[skip..], same)),
        (Some(expected), Some(line)) if same(expected, line) => covers(&shown[1..], &lines[1..], same),
        _ => false,
    }
}

pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Whether `shown` is a real run, parts of it left out, of what `expected` describes.
pub(crate) fn quotes(shown: &[String], expected: &[String]) -> bool {
    covers(shown, expected, &|shown, expected| pattern(expected).is_match(shown))
}

#[test]
fn the_transcript_in_the_readme_is_a_real_one() {
    for lesson in &LESSONS {
        let expected = lines(&lesson.file("expected.txt"));
        let shown = lesson.block("What you see");

        assert!(quotes(&shown, &expected), "lesson {}: ## What you see", lesson.number);
    }
}

/// The function and the system call of a line of `make trace-NN`.
fn function_and_call(line: &str) -> Option<(&str, &str)> {
    let (function, call) = line.split_once(char::is_whitespace)?;
    Some((function, call.trim_start().split('(').next()?))
}

#[test]
fn the_system_calls_in_the_readme_are_those_that_a_trace_shows() {
    let call = Regex::new(r"^(?:\w+|\(drop\)) +\w+\(.*").expect("a pattern");
    for lesson in &LESSONS {
        let output = common::limited("make")
            .arg("-C")
            .arg(common::root())
            .args(["--no-print-directory", &format!("trace-{}", lesson.number)])
            .output()
            .expect("make runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "make trace-{}: {errors}", lesson.number);
        let text = String::from_utf8_lossy(&output.stdout);
        let begin = text.rfind("\n\n").expect("the trace after an empty line");
        let traced: Vec<String> =
            text[begin..].lines().filter(|line| call.is_match(line)).map(str::to_owned).collect();
        let shown = lesson.block("What the kernel sees");

        assert!(!traced.is_empty(), "lesson {}: {text}", lesson.number);
        assert!(
            covers(&shown, &traced, &|shown, traced| function_and_call(shown) == function_and_call(traced)),
            "lesson {}: ## What the kernel sees\n{}",
            lesson.number,
            traced.join("\n")
        );
    }
}

#[test]
fn no_lesson_leaks_or_reads_what_nobody_wrote() {
    for lesson in &LESSONS {
        let output = common::limited("valgrind")
            .args(["--quiet", "--leak-check=full", "--track-fds=yes", "--error-exitcode=9", lesson.program])
            .output()
            .expect("valgrind runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lesson {} under valgrind: {errors}", lesson.number);
        assert!(!errors.contains("AF_"), "lesson {} leaves a socket open: {errors}", lesson.number);
    }
}
