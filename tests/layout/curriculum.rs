//! The curriculum: 24 lessons, whole, in order, and what each says of itself and of the others.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::{common, functions, read};

/// What old tutorials repeat: the lesson that corrects it, and its test, which fails if the correction is wrong.
const MYTHS: [(&str, &str); 21] = [
    ("01", "myth_sock_rdm_and_sock_seqpacket_are_just_flags"),
    ("02", "myth_a_failed_socket_create_is_below_zero"),
    ("02", "myth_socket_strerror_takes_a_socket"),
    ("03", "myth_one_write_is_one_read"),
    ("04", "myth_socket_write_sends_it_all"),
    ("04", "myth_set_time_limit_0_keeps_a_cli_server_alive"),
    ("05", "myth_while_out_equals_socket_read_reads_to_the_end"),
    ("06", "myth_one_write_is_one_read"),
    ("06", "myth_socket_read_stops_at_newline_tab_or_nul"),
    ("07", "myth_a_get_needs_only_a_request_line"),
    ("07", "myth_a_get_needs_only_a_request_line_and_no_connection_close"),
    ("11", "myth_with_a_backlog_of_10_the_11th_client_is_refused"),
    ("13", "myth_socket_write_sends_it_all"),
    ("13", "myth_the_select_server_makes_a_thread_per_client"),
    ("13", "myth_unset_then_socket_close_closes"),
    ("13", "myth_select_scales"),
    ("15", "myth_an_event_chat_needs_no_close_handling"),
    ("15", "myth_intval_socket_is_a_clients_number"),
    ("15", "myth_select_scales"),
    ("16", "myth_udp_stands_for_user_data_protocol"),
    ("18", "myth_the_socket_iovec_functions_exist_in_php"),
];

/// A folder of `lessons/`, and what its text says of itself.
struct Lesson {
    number: String,
    folder: String,
    /// Without the targets of its links.
    text: String,
    /// The targets of its links, by their labels.
    links: BTreeMap<String, String>,
    title: String,
    /// What follows "Functions met first here: ", without the full stop.
    met: String,
}

/// A text, and the targets of its links, which stand at its end.
fn without_links(text: &str) -> (String, BTreeMap<String, String>) {
    let definition = Regex::new(r"(?m)^\[([^\]]+)\]: (\S+)\n").unwrap();
    let links =
        definition.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    (definition.replace_all(text, "").trim_end().to_owned() + "\n", links)
}

/// All lessons in order.
fn lessons() -> Vec<Lesson> {
    let name = Regex::new(r"^(\d\d)-[a-z0-9-]+$").unwrap();
    let mut folders: Vec<String> = std::fs::read_dir(common::root().join("lessons"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let lesson = |folder: String| {
        let number = name.captures(&folder).unwrap_or_else(|| panic!("{folder}: NN-slug"))[1].to_owned();
        let (text, links) = without_links(&read(&format!("lessons/{folder}/README.md")));
        let title = text.lines().next().and_then(|line| line.strip_prefix(&format!("# Lesson {number} · ")));
        let title = title.unwrap_or_else(|| panic!("{folder}: the title")).to_owned();
        let met = text.lines().find_map(|line| line.strip_prefix("Functions met first here: "));
        let met = met.unwrap_or_else(|| panic!("{folder}: Functions met first here"));
        let met = met.strip_suffix('.').unwrap_or_else(|| panic!("{folder}: a full stop")).to_owned();
        Lesson { number, folder, text, links, title, met }
    };
    folders.into_iter().map(lesson).collect()
}

/// The lesson that introduces each function. No function has two.
fn introduced() -> BTreeMap<String, String> {
    let name = Regex::new(r"`(\w+)`").unwrap();
    let mut introduced = BTreeMap::new();
    for lesson in lessons() {
        for found in name.captures_iter(&lesson.met) {
            let earlier = introduced.insert(found[1].to_owned(), lesson.number.clone());
            assert_eq!(earlier, None, "lesson {} introduces {} again", lesson.number, &found[1]);
        }
    }
    introduced
}

#[test]
fn every_lesson_is_whole_and_listed() {
    let cargo = read("Cargo.toml");
    let row =
        Regex::new(r"(?m)^\| \[(\d\d) ([^\]]+)\]\[lesson (\d\d)\] \| [^|]*\w[^|]* \| ([^|]+) \|$").unwrap();
    let (index, links) = without_links(&read("lessons/README.md"));
    let listed: Vec<[&str; 4]> = row.captures_iter(&index).map(|found| found.extract().1).collect();
    let lessons = lessons();
    let of_itself =
        |lesson: &Lesson| [&lesson.number, &lesson.title, &lesson.number, &lesson.met].map(ToOwned::to_owned);
    let listed: Vec<_> = listed.iter().map(|row| row.map(str::to_owned)).collect();
    assert_eq!(listed, lessons.iter().map(of_itself).collect::<Vec<_>>(), "lessons/README.md lists them");
    let docs = read("src/lessons.rs");
    let (_, docs_links) = without_links(&read("src/lessons/links.md"));
    for Lesson { number, folder, .. } in &lessons {
        assert_eq!(links[&format!("lesson {number}")], format!("{folder}/README.md"), "its link there");
        assert!(docs.contains(&format!("    lesson_{number} \"{folder}\";\n")), "docs.rs shows {folder}");
        let link = &docs_links[&format!("lesson {number}")];
        assert_eq!(*link, format!("crate::lessons::lesson_{number}"), "and leads to it");
    }

    for (position, lesson) in lessons.iter().enumerate() {
        let Lesson { number, folder, text, .. } = lesson;
        assert_eq!(*number, format!("{:02}", position + 1), "the numbers have no gap");
        for file in ["main.rs", "main.php", "expected.txt"] {
            assert!(
                common::root().join("lessons").join(folder).join(file).is_file(),
                "{folder} has no {file}"
            );
        }
        let bin = format!(
            "name = \"lesson-{number}\"\npath = \"lessons/{folder}/main.rs\"\ndoc = false\n\
             test = false\nrequired-features = [\"lessons\"]\n"
        );
        assert!(cargo.contains(&bin), "Cargo.toml builds {folder}");
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
    let written: BTreeSet<String> = lessons().into_iter().map(|lesson| lesson.number).collect();
    assert_eq!(written.len(), 24, "the course is whole");
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
                    assert_eq!(named, lesson, "{}: the page of {}", path.display(), &found[1]);
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
    let part = Regex::new(r#"(?m)^    \w+ "(\d\d)" "([^"]+)" (\w+)"#).unwrap();
    let play = read("tests/lessons/play.rs");
    let played: Vec<[&str; 3]> = part.captures_iter(&play).map(|found| found.extract().1).collect();
    let lessons = lessons();
    let own = lessons.iter().map(|lesson| [lesson.number.as_str(), lesson.folder.as_str()]);
    assert_eq!(
        played.iter().map(|[number, folder, _]| [*number, *folder]).collect::<Vec<_>>(),
        own.collect::<Vec<_>>()
    );

    for [_, folder, part] in played {
        let demo = common::root().join("lessons").join(folder).join("demo.txt");
        assert_eq!(demo.is_file(), part != "Alone", "{folder}/demo.txt, and its part {part} in play.rs");
    }
}

#[test]
fn the_introduction_knows_which_lessons_want_a_second_terminal_and_where_its_links_lead() {
    let has_demo =
        |lesson: &Lesson| common::root().join("lessons").join(&lesson.folder).join("demo.txt").is_file();
    let demos: Vec<String> = lessons().into_iter().filter(has_demo).map(|lesson| lesson.number).collect();
    let (text, links) = without_links(&read("lessons/README.md"));
    let sentence = format!("The servers and the clients ({}) want a second", demos.join(", "));
    assert!(text.contains(&sentence), "{sentence}");

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
    let modules = read("tests/lessons/main.rs");
    let mut tested = BTreeSet::new();
    for lesson in lessons() {
        let number = lesson.number;
        assert!(modules.contains(&format!("\nmod lesson_{number};\n")), "the tests of lesson {number} run");
        let tests = read(&format!("tests/lessons/lesson_{number}.rs"));
        for attribute in ["#[ignore", "#[cfg", "#![cfg"] {
            assert!(!tests.contains(attribute), "{attribute} leaves out tests of lesson {number}");
        }
        for test in tests.split("#[test]\nfn ").skip(1).filter(|test| test.starts_with("myth_")) {
            let (name, body) = test.split_once("() {\n").unwrap();
            let (body, _) = body.split_once("\n}\n").unwrap();
            assert!(body.contains("    assert"), "{name} asserts something");
            tested.insert((number.clone(), name.to_owned()));
        }
    }

    let myths = MYTHS.map(|(number, name)| (number.to_owned(), name.to_owned()));
    assert_eq!(tested, BTreeSet::from(myths), "each has its test in tests/lessons/lesson_NN.rs");
}
