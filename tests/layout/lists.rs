//! The lists of lessons that other files have: each says what `lessons/lessons.toml` says. `LISTS=write` writes them.

use std::fmt::Write as _;

use regex::Regex;

use crate::curriculum::functions_met;
use crate::registry::{self, Lesson, Part};
use crate::{common, read};

const REGISTRY: &str = "lessons/lessons.toml";
const COMMAND: &str = "LISTS=write cargo test --test layout";

/// A list in another file.
struct List {
    file: &'static str,
    /// Its rows as they stand there, right or wrong.
    rows: &'static str,
    /// The rows of all lessons.
    right: fn(&[Lesson]) -> String,
}

const LISTS: [List; 7] = [
    List {
        file: "Cargo.toml",
        rows: r#"(?:\[\[bin\]\]\nname = "lesson-\d\d"\n(?:[^\n]+\n)*\n)+"#,
        right: |lessons| {
            each(lessons, |Lesson { number, .. }, folder| {
                format!(
                    "[[bin]]\nname = \"lesson-{number}\"\npath = \"lessons/{folder}/main.rs\"\ndoc = false\n\
                     test = false\nrequired-features = [\"lessons\"]\n\n"
                )
            })
        },
    },
    List {
        file: "lessons/README.md",
        rows: r"(?:\| \[\d\d [^\n]+\n)+",
        right: |lessons| {
            each(lessons, |lesson, _| {
                let Lesson { number, title, learn, .. } = lesson;
                let met = functions_met(lesson);
                format!("| [{number} {title}][lesson {number}] | {learn} | {met} |\n")
            })
        },
    },
    List {
        file: "lessons/README.md",
        rows: r"(?:\[lesson \d\d\]: [^\n]+\n)+",
        right: |lessons| {
            each(lessons, |lesson, folder| format!("[lesson {}]: {folder}/README.md\n", lesson.number))
        },
    },
    List {
        file: "lessons/README.md",
        rows: r"The servers and the clients \([\d, ]*\) want a second",
        right: |lessons| {
            let second = lessons.iter().filter(|lesson| lesson.part() != Part::Alone);
            let numbers: Vec<&str> = second.map(|lesson| lesson.number.as_str()).collect();
            format!("The servers and the clients ({}) want a second", numbers.join(", "))
        },
    },
    List {
        file: "src/lessons.rs",
        rows: r#"(?:    lesson_\d\d "[^"]+";\n)+"#,
        right: |lessons| {
            each(lessons, |lesson, folder| format!("    lesson_{} \"{folder}\";\n", lesson.number))
        },
    },
    List {
        file: "src/lessons/links.md",
        rows: r"(?:\[lesson \d\d\]: [^\n]+\n)+",
        right: |lessons| {
            each(lessons, |Lesson { number, .. }, _| {
                format!("[lesson {number}]: crate::lessons::lesson_{number}\n")
            })
        },
    },
    List {
        file: "tests/lessons/main.rs",
        rows: r"(?:mod lesson_\d\d;\n)+",
        right: |lessons| each(lessons, |lesson, _| format!("mod lesson_{};\n", lesson.number)),
    },
];

/// The rows of all lessons, one after another.
fn each(lessons: &[Lesson], row: fn(&Lesson, &str) -> String) -> String {
    lessons.iter().map(|lesson| row(lesson, &lesson.folder())).collect()
}

impl List {
    /// The file's text with the right rows.
    fn written(&self, text: &str, lessons: &[Lesson]) -> String {
        let rows = Regex::new(self.rows).unwrap();
        assert_eq!(rows.find_iter(text).count(), 1, "{} has one list like {}", self.file, self.rows);
        rows.replace(text, regex::NoExpand(&(self.right)(lessons))).into_owned()
    }

    /// The fault of the list in the file's text, and what to do.
    fn fault(&self, text: &str, lessons: &[Lesson]) -> Option<String> {
        let right = self.written(text, lessons);
        if right == text {
            return None;
        }
        let mut fault = format!("{} differs from {REGISTRY}. Type: {COMMAND}\n", self.file);
        for (sign, lines, others) in [("-", text, right.as_str()), ("+", right.as_str(), text)] {
            for line in lines.lines().filter(|line| !others.lines().any(|other| other == *line)) {
                let _ = writeln!(fault, "{sign} {line}");
            }
        }
        Some(fault)
    }
}

/// The folders of `lessons/`.
fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(common::root().join("lessons")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The lessons that lack their row or their folder, in sentences that say what to add.
fn unpaired(folders: &[String], lessons: &[Lesson]) -> Vec<String> {
    let name = Regex::new(r"^(\d\d)-([a-z0-9-]+)$").unwrap();
    let listed: Vec<String> = lessons.iter().map(Lesson::folder).collect();
    let rows =
        folders.iter().filter(|folder| !listed.contains(folder)).map(|folder| match name.captures(folder) {
            Some(parts) => format!(
                "lessons/{folder} has no row: add [{}] with slug = \"{}\" to {REGISTRY}",
                &parts[1], &parts[2]
            ),
            None => format!("lessons/{folder} is the folder of no lesson: name it NN-slug"),
        });
    let gone = listed
        .iter()
        .filter(|folder| !folders.contains(folder))
        .map(|folder| format!("{REGISTRY} lists {folder}, and there is no folder lessons/{folder}"));
    let order = lessons.iter().zip(1..).filter(|(lesson, right)| lesson.number != format!("{right:02}"));
    let order = order.take(1).map(|(lesson, right)| {
        format!("{REGISTRY} has [{}] where [{right:02}] follows: the numbers have no gap", lesson.number)
    });
    rows.chain(gone).chain(order).collect()
}

#[test]
fn every_folder_of_a_lesson_has_its_row_and_every_row_its_folder() {
    let faults = unpaired(&folders(), registry::lessons());

    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_list_of_lessons_says_what_the_registry_says() {
    let write = std::env::var("LISTS").is_ok_and(|value| value == "write");
    let mut faults = Vec::new();
    for list in LISTS {
        let text = read(list.file);
        let Some(fault) = list.fault(&text, registry::lessons()) else { continue };
        if write {
            let written = list.written(&text, registry::lessons());
            std::fs::write(common::root().join(list.file), written).unwrap();
            faults.push(format!(
                "{} is written: look at the change, and run the test without LISTS",
                list.file
            ));
        } else {
            faults.push(fault);
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_folder_without_a_row_and_a_row_without_a_folder_are_told_what_is_missing() {
    let row = |number: &str| format!("[{number}]\nslug = \"new\"\ntitle = \"New\"\nlearn = \"something\"\n");
    let rows = registry::read(&(row("01") + &row("03"))).unwrap();

    assert_eq!(
        unpaired(&["01-new".to_owned(), "02-old".to_owned(), "drafts".to_owned()], &rows),
        [
            "lessons/02-old has no row: add [02] with slug = \"old\" to lessons/lessons.toml",
            "lessons/drafts is the folder of no lesson: name it NN-slug",
            "lessons/lessons.toml lists 03-new, and there is no folder lessons/03-new",
            "lessons/lessons.toml has [03] where [02] follows: the numbers have no gap",
        ]
    );
}

#[test]
fn a_lesson_that_a_list_lacks_is_shown_with_the_command_that_adds_it() {
    let text = read(REGISTRY);
    let more = registry::read(&format!(
        "{text}\n[99]\nslug = \"more\"\ntitle = \"More\"\nlearn = \"more\"\nclient_of = \"demo\"\n"
    ));
    let more = more.unwrap();
    for (list, added) in [
        (&LISTS[0], "+ name = \"lesson-99\"\n+ path = \"lessons/99-more/main.rs\"\n"),
        (&LISTS[2], "+ [lesson 99]: 99-more/README.md\n"),
        (&LISTS[4], "+     lesson_99 \"99-more\";\n"),
        (&LISTS[5], "+ [lesson 99]: crate::lessons::lesson_99\n"),
        (&LISTS[6], "+ mod lesson_99;\n"),
    ] {
        let fault = list.fault(&read(list.file), &more);

        assert_eq!(
            fault.as_deref(),
            Some(format!("{} differs from {REGISTRY}. Type: {COMMAND}\n{added}", list.file).as_str())
        );
    }
    assert!(LISTS[3].fault(&read(LISTS[3].file), &more).unwrap().contains(", 99) want a second"));
}

#[test]
fn contributing_names_the_command_and_each_list_that_it_writes() {
    let text = read("CONTRIBUTING.md");
    let (_, section) = text.split_once("\n## Add a lesson\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();

    for named in [REGISTRY, COMMAND].into_iter().chain(LISTS.map(|list| list.file)) {
        assert!(section.contains(named), "{named}");
    }
}

#[test]
fn a_key_that_is_none_is_an_error_that_names_it() {
    let text = "[01]\nslug = \"new\"\ntitle = \"New\"\nlearn = \"something\"\nprot = 80\n";

    let error = registry::read(text).unwrap_err();

    assert!(error.contains("unknown field `prot`, expected one of"), "{error}");
}
