//! Every server against every attack, in Rust and in PHP, and every client likewise: no combination is left out.

use libtest_mimic::Trial;

use crate::attacks::{self, Attack};
use crate::clients;
use crate::common;
use crate::stage::guests::{Host, SAMPLES, Stage, samples};
use crate::stage::registry::{Part, lessons};
use crate::stage::rows::row;
use crate::stage::twin::{Program, TWINS, built};

/// All rows, by names like `attack::never_reads::lesson_13::rust`.
pub(crate) fn rows() -> Vec<Trial> {
    let mut rows =
        vec![row("every_server_of_the_readme_is_attacked", every_server_of_the_readme_is_attacked)];
    for lesson in lessons() {
        for twin in TWINS {
            let victim = format!("lesson_{}::{}", lesson.number, format!("{twin:?}").to_lowercase());
            match lesson.part() {
                Part::Alone => {}
                Part::Server => rows.extend(on_server(&victim, move || Host::of(lesson, twin))),
                Part::Client | Part::ClientOf(_) => rows.extend(on_client(&victim, &lesson.program(twin))),
            }
        }
    }
    rows.extend(on_client("the_second_terminal", &Program::rust(&built("lesson-client"))));
    for (name, ..) in SAMPLES {
        let host = move || samples().iter().find(|sample| sample.name == name).cloned();
        rows.extend(on_server(&name.replace('-', "::"), host));
    }
    rows
}

/// Each attack on a server, which has a process of its own each time.
fn on_server(victim: &str, host: impl Fn() -> Option<Host> + Clone + Send + 'static) -> Vec<Trial> {
    let fight = |attack: Attack| {
        let host = host.clone();
        move || {
            let mut stage = Stage::new(&host().expect("a server"));
            attack(&mut stage);
            stage.stands();
        }
    };
    attacks::ATTACKS
        .iter()
        .map(|(name, attack)| row(format!("attack::{name}::{victim}"), fight(*attack)))
        .collect()
}

fn on_client(victim: &str, program: &Program) -> Vec<Trial> {
    let fight = |attack: clients::Attack| {
        let program = program.clone();
        move || clients::survives(attack, &program)
    };
    clients::ATTACKS
        .into_iter()
        .map(|(name, attack)| row(format!("attack::{name}::{victim}"), fight(attack)))
        .collect()
}

fn every_server_of_the_readme_is_attacked() {
    let cargo = std::fs::read_to_string(common::root().join("Cargo.toml")).expect("a text");
    let names = cargo.lines().filter_map(|line| line.strip_prefix("name = \"readme-"));
    let mut names: Vec<String> = names.map(|name| format!("readme-{}", name.trim_matches('"'))).collect();
    names.retain(|name| !SAMPLES.iter().any(|(sample, ..)| sample == name));

    assert_eq!(names, [""; 0]);
    // The daemon of the porting guide trusts its clients, as the PHP program does that it is a port of. The server of
    // datagrams has no connections that these attacks could use; `tests/readme.rs` has what may hurt it.
    for file in std::fs::read_dir(common::root().join("tests/readme")).expect("a folder") {
        let file = file.expect("a file").file_name().into_string().expect("UTF-8");
        let Some(name) = file.strip_suffix(".rs") else { continue };
        let known = SAMPLES.iter().any(|(sample, ..)| *sample == format!("readme-{name}"));
        assert!(known || ["daemon", "udp"].contains(&name), "{file}");
    }
}
