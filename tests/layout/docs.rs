//! The documentation: its width, its words, and the eight calls that a reader comes to see.

use std::path::Path;

use regex::Regex;

use crate::common;

/// The columns of a code block that a page shows without a scroll bar.
const WIDTH: usize = 80;

/// The paths of the files below `src/`, and their texts.
fn sources() -> impl Iterator<Item = (String, String)> {
    let src = common::root().join("src");
    let name = move |path: &Path| path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    common::sources().into_iter().map(move |(path, text)| (name(&path), text))
}

/// The texts below a folder with one of these extensions, by their paths.
fn texts(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![common::root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if entry.file_type().unwrap().is_dir() {
                // In `target` are builds, and in `corpus` the inputs of fuzzers.
                if !["target", "corpus", ".git"].iter().any(|other| path.ends_with(other)) {
                    folders.push(path);
                }
            } else if extensions.contains(&extension) {
                let name = path.strip_prefix(common::root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort_unstable();
    found
}

/// The documentation in a line of Rust.
fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// The lines of a page's code blocks that are too wide, with their numbers. A page hides lines that begin with
/// `# `.
fn wide<'a>(page: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, &'a str)> {
    let mut within = false;
    let is_wide = |(_, line): &(usize, &str)| {
        let fence = line.trim_start().starts_with("```");
        within ^= fence;
        within && !fence && !line.starts_with("# ") && line.chars().count() > WIDTH
    };
    page.filter(is_wide).collect()
}

#[test]
fn no_code_block_of_the_documentation_scrolls_sideways() {
    let mut found = Vec::new();
    for (file, text) in sources() {
        let page = (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, documentation(line)?)));
        found.extend(wide(page).into_iter().map(|(number, line)| format!("{file}:{number}: {line}")));
    }
    for (file, text) in texts("", &["md"]) {
        let page = (1..).zip(text.lines());
        found.extend(wide(page).into_iter().map(|(number, line)| format!("{file}:{number}: {line}")));
    }

    assert!(found.is_empty(), "wider than {WIDTH} columns:\n{}", found.join("\n"));
}

#[test]
fn the_comments_use_none_of_the_words_that_mean_too_much() {
    // The text of a constant in `src` is a literal behind its name.
    let constant = Regex::new(r#"(?m)^\s*\w+(?: \w+| = [\w:]+,)? "(.*)$"#).unwrap();
    let comment = Regex::new(r"(?m)(?:^|\s)(?://[/!]?|/\*\*?|#) (.*)$").unwrap();
    // A descriptor is no person, a subject has a noun, and capacity, module and array have names of their own.
    let banned =
        Regex::new(r"\b(?i:nobody|somebody|anybody|whoever|no one|rooms?)\b|(?:^|[\s(*])(?:Who|What)\b")
            .unwrap();
    let mut found = Vec::new();
    let mut search = |kind: &Regex, (file, text): &(String, String)| {
        for line in kind.captures_iter(text).filter(|line| banned.is_match(&line[1])) {
            found.push(format!("{file}: {}", &line[1]));
        }
    };
    for folder in ["src", "tests", "lessons"] {
        for text in texts(folder, &["rs", "php", "c", "h", "sh", "awk", "txt", "toml"]) {
            search(&comment, &text);
        }
    }
    for text in sources() {
        search(&constant, &text);
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
