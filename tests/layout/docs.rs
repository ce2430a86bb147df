//! The documentation in `src/`: its width, its words, and the eight calls that a reader comes to see.

use std::path::Path;

use regex::Regex;

use crate::common;

/// The columns of a code block that a page shows without a scroll bar.
const WIDTH: usize = 80;

/// The modules that are not read for these rules yet.
const UNREAD: &[&str] = &["addrinfo", "event", "netdb", "options"];

/// The paths of the files below `src/`, and their texts.
fn sources() -> impl Iterator<Item = (String, String)> {
    let src = common::root().join("src");
    let name = move |path: &Path| path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    let read = |(name, _): &(String, String)| !UNREAD.contains(&name.split(['/', '.']).next().unwrap());
    common::sources().into_iter().map(move |(path, text)| (name(&path), text)).filter(read)
}

/// The code blocks of a file's documentation, line by line with their numbers, as a page shows them.
fn code_blocks(text: &str) -> Vec<(usize, &str)> {
    let mut shown = Vec::new();
    let mut within = false;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
        let doc = doc.strip_prefix(' ').unwrap_or(doc);
        if doc.starts_with("```") {
            within = !within;
        } else if within && !doc.starts_with("# ") {
            shown.push((number, doc));
        }
    }
    assert!(!within, "a code block ends");
    shown
}

#[test]
fn no_code_block_of_the_documentation_scrolls_sideways() {
    let mut wide = Vec::new();
    for (file, text) in sources() {
        for (number, line) in code_blocks(&text) {
            if line.chars().count() > WIDTH {
                wide.push(format!("{file}:{number}: {line}"));
            }
        }
    }
    assert!(wide.is_empty(), "wider than {WIDTH} columns:\n{}", wide.join("\n"));
}

#[test]
fn the_comments_use_none_of_the_words_that_mean_too_much() {
    // The text of a constant is a literal behind its name.
    let comment = Regex::new(r#"(?m)^\s*(?://[/!]? |\w+(?: \w+| = [\w:]+,)? ")(.*)$"#).unwrap();
    // A descriptor is no person; a capacity, a module and an array are no room; a subject has a noun.
    let banned = Regex::new(r"\b(?i:nobody|somebody|whoever|rooms?)\b|\b(?:Who|What)\b").unwrap();
    let mut found = Vec::new();
    for (file, text) in sources() {
        for line in comment.captures_iter(&text).filter(|line| banned.is_match(&line[1])) {
            found.push(format!("{file}: {}", &line[1]));
        }
    }
    assert!(found.is_empty(), "say it with a noun:\n{}", found.join("\n"));
}

/// The body of the function of this name, from its signature to its closing brace.
fn body<'a>(text: &'a str, function: &str) -> Option<&'a str> {
    let begin = [format!("\npub fn {function}("), format!("\npub fn {function}<")]
        .iter()
        .find_map(|signature| text.find(signature.as_str()))?;
    text[begin + 1..].split_inclusive("\n}\n").next()
}

#[test]
fn each_of_the_eight_calls_is_prepared_made_and_judged_in_the_function_of_phps_name() {
    // Prepared above a blank line, or not at all; argued; made; judged below a blank line, or not at all.
    let three_steps = |call: &str| {
        let call = format!(r"(?:let \w+ =\s+)?unsafe \{{\s+libc::{call}\([^;]*?\)\s+\}};");
        Regex::new(&format!(r"(?:\n|\{{)\n    // SAFETY: [^\n]+\n(?:    // [^\n]+\n)*    {call}\n(?:\n|\}})"))
            .unwrap()
    };
    let files: Vec<(String, String)> = sources().collect();
    for (function, call) in [
        ("socket_create", "socket"),
        ("socket_bind", "bind"),
        ("socket_listen", "listen"),
        ("socket_accept", "accept4"),
        ("socket_recv", "recv"),
        ("socket_send", "send"),
        ("socket_select", "select"),
        ("socket_close", "close"),
    ] {
        let body = files.iter().find_map(|(_, text)| body(text, function)).unwrap();
        assert!(body.lines().count() <= 40, "{function} is longer than a screen");
        assert!(
            three_steps(call).is_match(body),
            "{function} does not show how libc::{call} is called:\n{body}"
        );
    }
}
