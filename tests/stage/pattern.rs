//! The patterns of `expected.txt`, as PHP's `.phpt` tests write them: `%d` is a number, `%s` some characters of a line.

use regex::Regex;

use super::registry::Lesson;

/// The whole of a text.
pub(crate) fn pattern(expected: &str) -> Regex {
    pattern_with(expected, r"-?\d+")
}

/// The same where a number may stand behind blanks that align it.
pub(crate) fn aligned_pattern(expected: &str) -> Regex {
    pattern_with(expected, r"\s*-?\d+")
}

fn pattern_with(expected: &str, number: &str) -> Regex {
    let literal = regex::escape(expected);
    Regex::new(&format!(r"\A{}\z", literal.replace("%d", number).replace("%s", r"[^\n]+")))
        .expect("a pattern")
}

/// The longest part of a pattern that is the same each time.
pub(crate) fn fixed_part(pattern: &str) -> &str {
    let parts = pattern.split("%d").flat_map(|part| part.split("%s"));
    parts.max_by_key(|part| part.len()).unwrap_or_default()
}

/// Whether `lines` are `shown`, in which one line `...` stands for any number of lines.
pub(crate) fn covers(shown: &[String], lines: &[String], same: &dyn Fn(&str, &str) -> bool) -> bool {
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

impl Lesson {
    /// The one block of text under a heading of the README, in lines.
    pub(crate) fn block(&self, heading: &str) -> Vec<String> {
        let readme = self.file("README.md");
        let section = readme.split(&format!("\n## {heading}\n")).nth(1).expect("the section");
        let section = section.split("\n## ").next().expect("the section");
        let block = section.split("```text\n").nth(1).expect("a text block");
        lines(block.split("```").next().expect("its end"))
    }
}
