//! Transfers that come back short, by the preloaded library.

use serde_json::Value;

use crate::common::shim::shimmed;
use crate::common::temporary;
use crate::scenarios::{Scenario, Short};
use crate::trace;

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
    let (log, nth) = (temporary::file(""), nth.to_string());
    let log_path = log.to_str().expect("UTF-8");
    let variables =
        [("SHIM_READS", to), ("SHIM_WRITES", to), ("SHIM_NTH", nth.as_str()), ("SHIM_LOG", log_path)];
    let mut player = shimmed(&variables, trace::player());
    let output = player.args([scenario.function, scenario.path]).output().expect("it runs");
    let was_short = std::fs::read_to_string(&log).expect("the log") == "(SHORT)\n";
    if output.status.success() && output.stderr.is_empty() && !was_short {
        return None;
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
