//! Every server against every attack, in Rust and in PHP: no combination is left out.

use std::sync::OnceLock;

use crate::attacks::ATTACKS;
use crate::common;
use crate::server;
use crate::stage::{Lesson, Serves, Stage, Twin};

/// What each server asks of its clients, and what they hear.
pub(crate) const LESSONS: [Lesson; 8] = [
    Lesson {
        folder: "04-greeting-server",
        program: env!("CARGO_BIN_EXE_lesson-04"),
        arguments: &["1"],
        first: "Say one line.\n",
        request: "hello\n",
        answer: "",
        serves: Serves::InTurns,
    },
    Lesson {
        folder: "06-reverse-server",
        program: env!("CARGO_BIN_EXE_lesson-06"),
        arguments: &[],
        first: "",
        request: "hello\n",
        answer: "olleh\n",
        serves: Serves::OneByOne,
    },
    Lesson {
        folder: "09-who-is-calling",
        program: env!("CARGO_BIN_EXE_lesson-09"),
        arguments: &[],
        first: "",
        request: "hello\n",
        answer: "",
        serves: Serves::Once,
    },
    Lesson {
        folder: "10-always-on",
        program: env!("CARGO_BIN_EXE_lesson-10"),
        arguments: &[],
        first: "",
        request: "hello\n",
        answer: "OK ... ",
        serves: Serves::OneByOne,
    },
    Lesson {
        folder: "12-threads",
        program: env!("CARGO_BIN_EXE_lesson-12"),
        arguments: &[],
        first: "",
        request: "hello\n",
        answer: "OK ... ",
        serves: Serves::Together,
    },
    Lesson {
        folder: "13-select-server",
        program: env!("CARGO_BIN_EXE_lesson-13"),
        arguments: &[],
        first: "A line has at most 1024 bytes.\n",
        request: "hello\n",
        answer: "OK ... hello\n",
        serves: Serves::Together,
    },
    Lesson {
        folder: "15-epoll-chat",
        program: env!("CARGO_BIN_EXE_lesson-15"),
        arguments: &[],
        first: "Here with you: ",
        request: "hello\n",
        answer: "",
        serves: Serves::Chat,
    },
    Lesson {
        folder: "22-http-server",
        program: env!("CARGO_BIN_EXE_lesson-22"),
        arguments: &[],
        first: "",
        request: "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        answer: "HTTP/1.1 200 OK\r\n",
        serves: Serves::Together,
    },
];

/// The servers of the README, which have no twins.
pub(crate) fn samples() -> &'static [Lesson] {
    static SAMPLES: OnceLock<Vec<Lesson>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let sample = |folder, answer, serves| {
            let program: &str = Box::leak(server::sample(folder).into_boxed_str());
            Lesson { folder, program, arguments: &[], first: "", request: "hello\n", answer, serves }
        };
        vec![
            sample("readme-echo", "hello\n", Serves::OneByOne),
            sample("readme-select", "hello\n", Serves::Together),
            sample("readme-chat", "", Serves::Relay),
            sample("readme-lines", "hello\n", Serves::Together),
            sample("readme-events", "hello\n", Serves::Together),
        ]
    })
}

fn sample(name: &str) -> &'static Lesson {
    samples().iter().find(|sample| sample.folder == name).expect("a sample")
}

#[test]
fn every_server_of_the_readme_is_in_the_table() {
    let cargo = std::fs::read_to_string(common::root().join("Cargo.toml")).expect("a text");
    let names = cargo.lines().filter_map(|line| line.strip_prefix("name = \"readme-"));
    let mut names: Vec<String> = names.map(|name| format!("readme-{}", name.trim_matches('"'))).collect();
    names.retain(|name| !samples().iter().any(|sample| sample.folder == name));

    assert_eq!(names, [""; 0]);
    // The daemon of the porting guide trusts its clients, as the PHP program does that it is a port of.
    for file in std::fs::read_dir(common::root().join("tests/readme")).expect("a folder") {
        let file = file.expect("a file").file_name().into_string().expect("UTF-8");
        let Some(name) = file.strip_suffix(".rs") else { continue };
        let known = samples().iter().any(|sample| sample.folder == format!("readme-{name}"));
        assert!(known || name == "daemon", "{file}");
    }
}

/// The lesson with this number.
fn lesson(number: &str) -> &'static Lesson {
    LESSONS.iter().find(|lesson| lesson.folder.starts_with(number)).expect("a lesson")
}

/// All attacks on one server, each on a process of its own, all at the same time.
fn survives_every_attack(lesson: &'static Lesson, twin: Twin) {
    std::thread::scope(|scope| {
        for (name, attack) in ATTACKS {
            // A failure is told with the name of its thread.
            let thread = std::thread::Builder::new().name(format!("{}, {twin:?}, {name}", lesson.folder));
            let fight = move || {
                let mut stage = Stage::new(lesson, twin);
                attack(&mut stage);
                stage.stands();
            };
            thread.spawn_scoped(scope, fight).expect("a thread");
        }
    });
}

macro_rules! servers {
    ($($lesson:ident $number:literal)*) => {
        $(mod $lesson {
            #[test]
            fn survives_every_attack_in_rust() {
                super::survives_every_attack(super::lesson($number), super::Twin::Rust);
            }

            #[test]
            fn survives_every_attack_in_php() {
                super::survives_every_attack(super::lesson($number), super::Twin::Php);
            }
        })*

        #[test]
        fn every_server_is_in_the_table() {
            let mut numbers: Vec<&str> = LESSONS.iter().map(|lesson| &lesson.folder[..2]).collect();
            assert_eq!(numbers, [$($number),*]);

            // The Makefile knows a port for each lesson that is a server.
            let makefile = std::fs::read_to_string(common::root().join("Makefile")).expect("a text");
            numbers.retain(|number| !makefile.contains(&format!("\nport_{number} = ")));
            assert_eq!(numbers, [""; 0]);
            assert_eq!(makefile.matches("\nport_").count(), LESSONS.len());
        }
    };
}

servers! {
    lesson_04 "04"
    lesson_06 "06"
    lesson_09 "09"
    lesson_10 "10"
    lesson_12 "12"
    lesson_13 "13"
    lesson_15 "15"
    lesson_22 "22"
}

mod readme {
    use super::{Twin, sample, survives_every_attack};

    #[test]
    fn echo_survives_every_attack() {
        survives_every_attack(sample("readme-echo"), Twin::Rust);
    }

    #[test]
    fn select_survives_every_attack() {
        survives_every_attack(sample("readme-select"), Twin::Rust);
    }

    #[test]
    fn chat_survives_every_attack() {
        survives_every_attack(sample("readme-chat"), Twin::Rust);
    }

    #[test]
    fn lines_survives_every_attack() {
        survives_every_attack(sample("readme-lines"), Twin::Rust);
    }

    #[test]
    fn events_survives_every_attack() {
        survives_every_attack(sample("readme-events"), Twin::Rust);
    }
}
