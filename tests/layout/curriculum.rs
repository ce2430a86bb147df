//! The curriculum: the lessons, whole, in order, and what each says of itself and of the others.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::registry::{self, Part};
use crate::{common, functions, read};

/// A lesson, and what its text says of itself.
struct Lesson {
    number: &'static str,
    folder: String,
    /// Without the targets of its links.
    text: String,
    /// The targets of its links, by their labels.
    links: BTreeMap<String, String>,
    /// The text behind "Functions met first here: ", without the full stop.
    met: String,
}

/// A text, and the targets of its links, which stand at its end.
fn without_links(text: &str) -> (String, BTreeMap<String, String>) {
    let definition = Regex::new(r"(?m)^\[([^\]]+)\]: (\S+)\n").unwrap();
    let links =
        definition.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    (definition.replace_all(text, "").trim_end().to_owned() + "\n", links)
}

/// A lesson's list of the functions that it introduces.
pub(crate) fn functions_met(lesson: &registry::Lesson) -> String {
    let text = lesson.file("README.md");
    let met =
        text.lines().find_map(|line| line.strip_prefix("Functions met first here: ")?.strip_suffix('.'));
    met.unwrap_or_else(|| panic!("{}: Functions met first here, and a full stop", lesson.folder())).to_owned()
}

/// All lessons in order.
fn lessons() -> Vec<Lesson> {
    let lesson = |row: &'static registry::Lesson| {
        let (text, links) = without_links(&row.file("README.md"));
        let title = format!("# Lesson {} · {}", row.number, row.title);
        assert_eq!(text.lines().next(), Some(title.as_str()), "{}: the title", row.folder());
        Lesson { number: &row.number, folder: row.folder(), text, links, met: functions_met(row) }
    };
    registry::lessons().iter().map(lesson).collect()
}

/// The lesson that introduces each function. No function has two.
fn introduced() -> BTreeMap<String, &'static str> {
    let name = Regex::new(r"`(\w+)`").unwrap();
    let mut introduced = BTreeMap::new();
    for lesson in lessons() {
        for found in name.captures_iter(&lesson.met) {
            let earlier = introduced.insert(found[1].to_owned(), lesson.number);
            assert_eq!(earlier, None, "lesson {} introduces {} again", lesson.number, &found[1]);
        }
    }
    introduced
}

#[test]
fn every_lesson_is_whole() {
    for Lesson { number, folder, text, .. } in &lessons() {
        let tests = format!("tests/lessons/lesson_{number}.rs");
        for file in ["main.rs", "main.php", "expected.txt"].map(|file| format!("lessons/{folder}/{file}")) {
            assert!(common::root().join(&file).is_file(), "{file} is missing");
        }
        assert!(common::root().join(&tests).is_file(), "{tests} is missing");
        let length = text.lines().filter(|line| !(line.starts_with('[') && line.contains("]: "))).count();
        assert!(length <= 160, "{folder}: the text is too long without its links: {length} lines");
        let mut rest = text.as_str();
        for heading in [
            "What you build",
            "Run it",
            "What you see",
            "PHP, C and Rust, side by side",
            "What the kernel sees",
            "What goes wrong",
            "Break it",
            "Your turn",
        ] {
            let at = rest
                .find(&format!("\n## {heading}\n"))
                .unwrap_or_else(|| panic!("{folder}: ## {heading}, in its place"));
            rest = &rest[at + 1..];
            let below = rest.lines().skip(1).find(|line| !line.is_empty()).unwrap_or("## ");
            assert!(!below.starts_with("## "), "{folder}: nothing stands below ## {heading}");
        }
        for hint in text.split("<details>").skip(1) {
            let (hint, _) = hint.split_once("</details>").unwrap_or_else(|| panic!("{folder}: an open hint"));
            assert!(!hint.contains('`'), "{folder}: within HTML, Markdown is shown as it is: {hint}");
        }
    }
}

#[test]
fn every_function_is_introduced_by_one_lesson_and_its_page_names_that_lesson() {
    let number = Regex::new(r"(?m)^/// \[?Lesson (\d\d)(?:\]\(crate::lessons::lesson_(\d\d)\))? · ").unwrap();
    let declaration = Regex::new(r"(?m)^pub fn (\w+)").unwrap();
    let introduced = introduced();
    let functions = functions();
    let written: BTreeSet<&str> = lessons().into_iter().map(|lesson| lesson.number).collect();
    for name in introduced.keys() {
        assert!(functions.contains_key(name), "{name} is introduced and does not exist");
    }

    for (path, text) in common::sources() {
        for found in declaration.captures_iter(&text) {
            let before = &text[..found.get(0).unwrap().start()];
            let page = &before[before.rfind("\n\n").unwrap()..];
            let named = number.captures(page).unwrap_or_else(|| panic!("{}: no lesson", &found[1]));
            // A lesson that is not there has no link.
            let link = named.get(2).map(|link| link.as_str());
            let named = &named[1];
            let expected = written.contains(named).then_some(named);
            assert_eq!(link, expected, "{}: the link of its lesson", &found[1]);
            match introduced.get(&found[1]) {
                Some(lesson) => {
                    assert_eq!(named, *lesson, "{}: the page of {}", path.display(), &found[1]);
                }
                None => panic!("lesson {named} introduces {}", &found[1]),
            }
        }
    }
}

#[test]
fn a_link_to_a_lesson_says_its_number_and_next_leads_to_the_next() {
    let label = Regex::new(r"\[([Ll]esson\s+\d\d)\]").unwrap();
    let lessons = lessons();
    for Lesson { folder, text, links, .. } in &lessons {
        let used: BTreeSet<String> =
            label.captures_iter(text).map(|found| found[1].to_lowercase().replace('\n', " ")).collect();
        let defined = links.iter().filter(|(label, _)| label.starts_with("lesson "));
        assert_eq!(
            used,
            defined.clone().map(|(label, _)| label.clone()).collect(),
            "{folder}: links and targets"
        );
        for (label, target) in defined {
            let number = &label["lesson ".len()..];
            let lesson = lessons.iter().find(|lesson| lesson.number == number);
            let lesson = lesson.unwrap_or_else(|| panic!("{folder}: there is no {label}"));
            assert_eq!(*target, format!("../{}/README.md", lesson.folder), "{folder}: {label}");
        }
    }

    for pair in lessons.windows(2) {
        let [lesson, next] = pair else { unreachable!("two") };
        let link = format!("Next: [lesson {}]", next.number);
        let last = lesson.text.lines().last().unwrap();
        assert!(last.starts_with(&link), "{} ends with {link}", lesson.folder);
    }
    if let Some(last) = lessons.last() {
        assert!(!last.text.contains("\nNext: ["), "{} is the last", last.folder);
    }
}

#[test]
fn a_lesson_has_a_demo_if_it_has_a_second_terminal() {
    for lesson in registry::lessons() {
        let demo = std::path::Path::new(&lesson.path("demo.txt")).is_file();
        let folder = lesson.folder();
        assert_eq!(
            demo,
            lesson.part() != Part::Alone,
            "{folder}/demo.txt, and the row in lessons/lessons.toml"
        );
    }
}

#[test]
fn the_links_of_the_introduction_lead_somewhere() {
    let (text, links) = without_links(&read("lessons/README.md"));
    let label = Regex::new(r"\[([Ll]esson \d\d)\]").unwrap();
    for found in label.captures_iter(&text) {
        assert!(links.contains_key(&found[1]), "{} leads nowhere", &found[1]);
    }
}

#[test]
fn a_lesson_calls_what_it_introduces() {
    let lessons = lessons();
    for (name, number) in introduced() {
        let lesson = lessons.iter().find(|lesson| lesson.number == number).unwrap();
        let calls =
            |file: &str| read(&format!("lessons/{}/{file}", lesson.folder)).contains(&format!("{name}("));
        assert!(calls("main.rs"), "lesson {number} introduces {name} and does not call it");
        // PHP has lost the functions of lesson 18, and its twin says so.
        assert!(number == "18" || calls("main.php"), "the twin of lesson {number} does not call {name}");
    }
}

#[test]
fn every_myth_has_a_test() {
    for lesson in registry::lessons() {
        let number = &lesson.number;
        let tests = read(&format!("tests/lessons/lesson_{number}.rs"));
        for attribute in ["#[ignore", "#[cfg", "#![cfg"] {
            assert!(!tests.contains(attribute), "{attribute} leaves out tests of lesson {number}");
        }
        let mut tested = BTreeSet::new();
        for test in tests.split("#[test]\nfn ").skip(1) {
            let Some(test) = test.strip_prefix("myth_") else { continue };
            let (name, body) = test.split_once("() {\n").unwrap();
            let (body, _) = body.split_once("\n}\n").unwrap();
            assert!(body.contains("    assert"), "{name} asserts something");
            tested.insert(name);
        }

        let myths: BTreeSet<&str> = lesson.myths.iter().map(String::as_str).collect();
        assert_eq!(tested, myths, "the tests in lesson_{number}.rs, and the myths in lessons/lessons.toml");
    }
}
