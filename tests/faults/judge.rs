//! Whether what came of a fault is what the table of the scenarios says.

use std::sync::OnceLock;

use php_sockets::socket_strerror;
use serde_json::Value;

use crate::common::codes;
use crate::scenarios::bind::LAST;
use crate::scenarios::{self, RESOLVER, Rule, Scenario, Then};
use crate::trace::{Place, Play};

/// A call may take so many microseconds of the processor's time; what spins takes more.
const PATIENCE: i64 = 500_000;

/// The rule for a fault.
pub(crate) fn rule(scenario: &Scenario, place: &Place, code: i32) -> Option<&'static Rule> {
    let call = codes::usual_name(&place.call);
    let rule = scenario.rules.iter().find(|rule| {
        let nth = match rule.nth {
            0 => true,
            LAST => place.nth == place.count,
            nth => place.nth == nth,
        };
        (rule.call == call || rule.call == RESOLVER)
            && nth
            && (rule.codes.is_empty() || rule.codes.contains(&code))
    });
    rule.or(ALLOCATORS.contains(&call).then_some(&ANOTHER_WAY))
}

/// When the allocator may not do one of these it finds another way: each gives memory, or gives it back.
const ALLOCATORS: &[&str] = &["mmap", "mremap", "munmap", "mprotect", "madvise"];
static ANOTHER_WAY: Rule = scenarios::on("an allocator's", Then::Same);

/// Checks what must hold whatever happens, and gives the player's report.
pub(crate) fn sound(play: &Play) -> Result<Value, String> {
    let report = play.report()?;
    let lost = &report["lost"];
    if lost.as_array().is_none_or(|lost| !lost.is_empty()) {
        return Err(format!("not so: {lost}"));
    }
    match report["microseconds"].as_i64() {
        Some(time) if time < PATIENCE => Ok(report),
        time => Err(format!("it took {time:?} microseconds of the processor")),
    }
}

/// Checks what must hold without a fault too.
pub(crate) fn clean(play: &Play) -> Result<Value, String> {
    let report = sound(play)?;
    match &report["left_in_the_end"] {
        left if *left == 0 => Ok(report),
        left => Err(format!("descriptors left open: {left}")),
    }
}

/// Judges a play with a fault beside the one without.
pub(crate) fn judge(
    scenario: &Scenario,
    place: &Place,
    name: &str,
    clean: &Value,
    play: &Play,
) -> Result<(), String> {
    play.is_as_ordered(place)?;
    let report = sound(play)?;
    let code = codes::number(name);
    let rule = rule(scenario, place, code).ok_or("the table says nothing of it")?;

    // A call that strace leaves out closes nothing.
    let kept = i64::from(place.call == "close");
    let held = kept + rule.held;
    let open = |key: &str| report[key].as_i64().unwrap_or(-1);
    let moved = if clean["error"].is_null() { 0 } else { clean["left"].as_i64().unwrap_or(0) };
    let failed = !report["error"].is_null();
    if failed && open("left") != moved + held || open("left_in_the_end") != kept {
        return Err(format!("descriptors left open: {} and {}", open("left"), open("left_in_the_end")));
    }
    if fits(scenario, rule.then, code, clean, &report) {
        Ok(())
    } else {
        Err(format!("it should be {:?}, and is {report}", rule.then))
    }
}

fn fits(scenario: &Scenario, then: Then, code: i32, clean: &Value, report: &Value) -> bool {
    let same = ["error", "value", "thread", "own"].iter().all(|key| report[*key] == clean[*key]);
    let own = |code: i32| if clean["own"].is_null() { Value::Null } else { code.into() };
    let sentence = |text: &str, code: i32| format!("{text} [{code}]: {}", socket_strerror(code));
    let quiet = if [libc::EAGAIN, libc::EINPROGRESS].contains(&code) { "Quiet" } else { "Warning" };
    let error = |text: &str, code: i32, kind: &str| {
        let error = &report["error"];
        error["text"] == text && error["code"] == code && error["kind"] == kind
    };
    let slots = |thread: i32, socket: i32| report["thread"] == thread && report["own"] == own(socket);
    // Where `localhost` has two addresses, a fault in the look-up of the one leaves the other.
    let other = || {
        let value = report["value"].to_string();
        let loopback = value.contains("127.0.0.1") || value.contains("::1");
        two_addresses() && report["error"].is_null() && loopback && slots(0, 0)
    };
    match then {
        Then::Same => same,
        Then::Both(text) => error(&sentence(text, code), code, quiet) && slots(code, code),
        Then::Thread(text) => error(&sentence(text, code), code, quiet) && slots(code, 0),
        Then::Loud(text) => error(&sentence(text, code), code, "Warning") && slots(code, 0),
        Then::Coded(text) => error(&sentence(text, code), code, quiet) && slots(0, 0),
        Then::CodedAs(text, other) => error(&sentence(text, other), other, "Warning") && slots(0, 0),
        Then::Unsaid(text, other) => error(text, other.unwrap_or(code), "Warning") && slots(0, 0),
        Then::Plain(text) => {
            let text = text.replace("{code}", &code.to_string());
            error(&text, libc::EINVAL, "Warning") && slots(0, 0)
        }
        Then::Value(text) => error(text, libc::EINVAL, "Value") && slots(0, 0),
        Then::Lookup(text) => {
            let lookup = |h_errno: i32| {
                let code = -10000 - h_errno;
                error(&sentence(text, code), code, "Warning") && slots(code, code)
            };
            same || other() || (-1..=4).any(lookup)
        }
        Then::Reason(text) => {
            let (before, behind) = text.split_once("{reason}").unwrap_or((text, ""));
            let said = report["error"]["text"].as_str().unwrap_or_default();
            let is_reason = report["error"]["code"].as_i64().is_some_and(|code| (-105..0).contains(&code));
            let silent = report["error"]["kind"] == "Silent" && is_reason && slots(0, 0);
            same || other() || silent && said.starts_with(before) && said.ends_with(behind)
        }
        Then::Or(value) => {
            same || other() || report["value"] == value && slots(0, 0) && !scenario.function.is_empty()
        }
    }
}

/// Whether `/etc/hosts` names `localhost` twice, as that of Debian does.
fn two_addresses() -> bool {
    static TWO: OnceLock<bool> = OnceLock::new();
    *TWO.get_or_init(|| {
        let text = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let names = |line: &&str| line.split_whitespace().skip(1).any(|name| name == "localhost");
        text.lines().filter(names).count() > 1
    })
}
