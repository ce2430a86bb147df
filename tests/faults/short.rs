//! Transfers that come back short, by a preloaded library that calls the real function with less room.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::common;
use crate::scenarios::{Scenario, Short};
use crate::trace;

/// Builds the library, once.
fn library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("short.so");
            // Another run may be using the library: it is replaced, not written into.
            let new = library.with_extension(std::process::id().to_string());
            let mut cc = common::limited("cc");
            cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&new);
            cc.arg(common::root().join("tests/faults/short.c")).arg("-ldl");
            assert!(cc.status().expect("cc runs").success(), "the library is built");
            std::fs::rename(&new, &library).expect("its place");
            library
        })
        .clone()
}

/// Makes each transfer short, to half of it and to one byte; gives what was done and how it went.
pub(crate) fn transfers(scenario: &Scenario, clean: &Value) -> Vec<(String, Result<(), String>)> {
    let mut done = Vec::new();
    for to in ["half", "1"] {
        for nth in 1..100 {
            match transfer(scenario, clean, nth, to) {
                Some(verdict) => done.push((format!("transfer {nth} to {to}"), verdict)),
                None => break,
            }
        }
    }
    if done.is_empty() && scenario.short != Short::Never {
        done.push(("no transfer".to_owned(), Err("nothing could be made short".to_owned())));
    }
    done
}

/// `None` if there are not so many transfers.
fn transfer(scenario: &Scenario, clean: &Value, nth: usize, to: &str) -> Option<Result<(), String>> {
    let mut player: Command = common::limited("env");
    player.arg(format!("LD_PRELOAD={}", library().display()));
    player.args([format!("SHORT_NTH={nth}"), format!("SHORT_TO={to}")]);
    let mut output =
        player.arg(trace::player()).args([scenario.function, scenario.path]).output().expect("it runs");
    if output.status.success() && output.stderr.is_empty() {
        return None;
    }
    if output.stderr == b"made short\n" {
        output.stderr.clear();
    }
    Some(judge(scenario, clean, &trace::Play::untraced(output)))
}

fn judge(scenario: &Scenario, clean: &Value, play: &trace::Play) -> Result<(), String> {
    let report = crate::judge::sound(play)?;
    let same = ["error", "thread", "own", "left_in_the_end"].iter().all(|key| report[*key] == clean[*key]);
    let right = match scenario.short {
        Short::Never => false,
        Short::Part => same && report["error"].is_null() && report["value"] != clean["value"],
        Short::Whole => same && report["value"] == clean["value"],
    };
    if right { Ok(()) } else { Err(format!("it should be {:?}, and is {report}", scenario.short)) }
}
