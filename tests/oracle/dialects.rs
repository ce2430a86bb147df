//! The listed differences: what versions before 8.5 say instead, and where this crate stays unlike PHP 8.5.
//!
//! A row recognises a step by its line and by the answer of PHP 8.5, and gives the other answer: all of it, so that the
//! older text is asserted too. A step that no row knows is answered alike by all.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::common;

/// PHP 8.5, whose answers are the reference.
pub(crate) const REFERENCE: u32 = 80500;
/// The version after it.
pub(crate) const LATER: u32 = 80600;

/// The answer that differs, by the line of the step and the answer of PHP 8.5.
type Says = fn(&str, &Value) -> Option<Value>;

struct Difference {
    item: &'static str,
    /// The first versions that speak as 8.5, one for each branch where that is not the first of the branch.
    since: &'static [u32],
    older: Says,
}

/// Whether the running PHP has what came with these versions, the last of which is that of the youngest branch.
pub(crate) fn speaks(since: &[u32]) -> bool {
    let (version, branch) = (common::php_version(), |version: u32| version / 100);
    since.iter().any(|first| version >= *first && branch(version) == branch(*first))
        || since.last().is_some_and(|last| branch(version) > branch(*last))
}

/// The fact of the running PHP among those of several versions: the last one that it has reached.
#[track_caller]
pub(crate) fn by_version<T: Copy>(facts: &[(u32, T)]) -> T {
    assert!(facts.is_sorted_by_key(|(since, _)| *since), "the oldest is the first");
    let version = common::php_version();
    let fact = facts.iter().rev().find(|(since, _)| version >= *since);
    fact.unwrap_or_else(|| panic!("PHP 8.2 is the oldest that is known, and this is {version}")).1
}

/// An older PHP's answer to a step, if it is not that of 8.5.
pub(crate) fn older(line: &str, newest: &Value) -> Option<(&'static str, Value)> {
    OLDER
        .iter()
        .filter(|row| !speaks(row.since))
        .find_map(|row| (row.older)(line, newest).map(|answer| (row.item, answer)))
}

/// This crate's answer to a step, if it is not that of PHP 8.5.
pub(crate) fn ours(line: &str, newest: &Value) -> Option<(&'static str, Value)> {
    OURS.iter().find_map(|(item, says)| says(line, newest).map(|answer| (*item, answer)))
}

/// One row for each row of the table of versions that a step can show.
const OLDER: &[Difference] = &[
    Difference {
        item: "create, pair: the text for a bad type",
        since: &[80400],
        older: |_, newest| {
            let text = newest["thrown"]
                .as_str()?
                .strip_suffix(" optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK")?;
            Some(with(newest, "thrown", json!(text)))
        },
    },
    Difference {
        item: "create, pair: SOCK_CLOEXEC and SOCK_NONBLOCK",
        since: &[80400],
        older: |line, newest| {
            let (call, arguments) = call(line);
            let bits = arguments.get(1)?.parse::<i64>().ok()? & 0o2_004_000;
            let made = newest["thrown"].is_null() && newest["warning"].is_null();
            if bits == 0 || !made || !["socket_create", "socket_create_pair"].contains(&call) {
                return None;
            }
            let text = "Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM";
            Some(with(&thrown(newest, &format!("{call}(): {text}")), "own", Value::Null))
        },
    },
    Difference {
        item: "create: the text for a bad domain",
        since: &[80500],
        older: |_, newest| {
            let new = "socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_PACKET, AF_INET6, or AF_INET";
            (newest["thrown"] == new).then(|| with(newest, "thrown", json!(new.replace("AF_PACKET, ", ""))))
        },
    },
    Difference {
        item: "shutdown with another mode",
        since: &[80500],
        older: |_, newest| {
            let new = "socket_shutdown(): Argument #2 ($mode) must be one of SHUT_RD, SHUT_WR or SHUT_RDWR";
            let old = "socket_shutdown(): Unable to shutdown socket [22]: Invalid argument";
            (newest["thrown"] == new).then(|| warned(newest, old, 22))
        },
    },
    Difference {
        item: "sendto: a path of 108 bytes or more",
        since: &[80427, 80507],
        older: |_, newest| {
            let new = "socket_sendto(): Argument #5 ($address) must be less than 108";
            let old = "socket_sendto(): Unable to write to socket [2]: No such file or directory";
            (newest["thrown"] == new).then(|| warned(newest, old, 2))
        },
    },
    Difference {
        item: "SO_LINGER with int or string",
        since: &[80403],
        older: |_, newest| must_have_key(newest, &["SO_LINGER"], "l_onoff"),
    },
    Difference {
        item: "SO_RCVTIMEO, SO_SNDTIMEO with int or string",
        since: &[80403],
        older: |_, newest| must_have_key(newest, &["SO_RCVTIMEO", "SO_SNDTIMEO"], "sec"),
    },
    Difference {
        item: "SO_BINDTODEVICE with an int",
        since: &[80500],
        older: |_, newest| {
            type_wanted(newest, "string", &["SO_BINDTODEVICE"])?;
            Some(done(newest))
        },
    },
    Difference {
        item: "TCP_CONGESTION with an int",
        since: &[80500],
        older: |_, newest| {
            let function = type_wanted(newest, "string", &["TCP_CONGESTION"])?;
            Some(kernel(newest, &function, "[22]: Invalid argument", 22))
        },
    },
    Difference {
        item: "UDP_SEGMENT out of range",
        since: &[80500],
        older: |_, newest| {
            let function = newest["thrown"]
                .as_str()?
                .strip_suffix("(): Argument #4 ($value) must be of between 0 and 65535")?;
            Some(kernel(newest, function, "[22]: Invalid argument", 22))
        },
    },
    Difference {
        item: "SO_ATTACH_REUSEPORT_CBPF is an option of the extension's",
        since: &[80300],
        older: |line, newest| {
            let (_, arguments) = call(line);
            let ours = arguments.get(2) == Some(&"SO_ATTACH_REUSEPORT_CBPF") && line.contains("set");
            let function = if line.contains("setopt") { "socket_setopt" } else { "socket_set_option" };
            // The kernel refuses a number with a code of its own in either case.
            (ours && newest["last"] != 22).then(|| kernel(newest, function, "[22]: Invalid argument", 22))
        },
    },
    Difference {
        item: "MCAST_* with int or string",
        since: &[80500],
        older: |_, newest| {
            type_wanted(newest, "array", &["MCAST_LEAVE_GROUP", "MCAST_LEAVE_SOURCE_GROUP"])?;
            Some(with(newest, "thrown", json!("No key \"group\" passed in optval")))
        },
    },
    Difference {
        item: "MCAST_* on a socket of another family",
        since: &[80500],
        older: |line, newest| {
            let new = "IP address used in the context of an unexpected type of socket";
            let function = if line.contains("setopt") { "socket_setopt" } else { "socket_set_option" };
            let warning = json!(format!("{function}(): {new}"));
            (newest["thrown"] == new).then(|| with(&with(newest, "thrown", Value::Null), "warning", warning))
        },
    },
    Difference {
        item: "look-up: hints out of range, another family",
        since: &[80500],
        older: |_, newest| {
            let ours = newest["thrown"]
                .as_str()?
                .starts_with("socket_addrinfo_lookup(): Argument #3 ($hints) \"ai_");
            ours.then(|| with(newest, "thrown", Value::Null))
        },
    },
    Difference {
        item: "sendmsg: the text for an empty path",
        since: &[80400],
        older: |_, newest| {
            let text = newest["warning"].as_str()?;
            let old = text.replace("the path is must not be empty", "the path is cannot be empty");
            (old != text).then(|| with(newest, "warning", json!(old)))
        },
    },
];

/// The differences to PHP 8.5 that the documentation lists.
const OURS: &[(&str, Says)] = &[
    ("a text that is no number is an error, to PHP mostly 0", |line, newest| {
        let (function, value) = set(line)?;
        let text = value.strip_prefix('"')?.strip_suffix('"')?;
        // PHP asks for the truth of the value in the one, and takes the other for a name.
        let other =
            ["_LOOP", "_IF ", "MCAST_", "SO_LINGER", "TIMEO", "SO_BINDTODEVICE", "TCP_CONGESTION", "PKTINFO"];
        let plain = !other.iter().any(|option| line.contains(option));
        let text = serde_json::from_str::<String>(&format!("\"{text}\"")).expect("a text");
        let refusal = format!("{function}(): Argument #4 ($value) must be of type int, string given");
        (plain && !is_numeric(&text)).then(|| thrown(&done(newest), &refusal))
    }),
    ("a bool for an interface is its index, to PHP a name", |line, newest| {
        let (_, value) = set(line)?;
        let interface = line.contains("_MULTICAST_IF ") && ["true", "false"].contains(&value);
        interface.then(|| done(newest))
    }),
    ("a bool is an int, and the text says so", |_, newest| {
        let text = newest["thrown"].as_str()?;
        let rest = text.strip_suffix(", true given").or(text.strip_suffix(", false given"))?;
        Some(with(newest, "thrown", json!(format!("{rest}, int given"))))
    }),
    ("SO_ATTACH_REUSEPORT_CBPF with 0 detaches, in PHP it fails", |line, newest| {
        let (_, value) = set(line)?;
        (line.contains("SO_ATTACH_REUSEPORT_CBPF") && ["0", "false", "\"0\""].contains(&value))
            .then(|| done(newest))
    }),
];

/// Whether a text is a number for PHP: `is_numeric`, which a test compares with PHP's.
pub(crate) fn is_numeric(text: &str) -> bool {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        let space = r"[ \t\n\r\x0B\x0C]*";
        let number = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?";
        Regex::new(&format!("^{space}{number}{space}$")).expect("a pattern")
    });
    NUMBER.is_match(text)
}

/// The function of a call and its arguments, without what it sets.
fn call(line: &str) -> (&str, Vec<&str>) {
    let line = line.split_once(" = ").map_or(line, |(_, call)| call);
    let mut words = line.split_whitespace();
    (words.next().unwrap_or_default(), words.collect())
}

/// Of a row that sets an option: PHP's function and the value.
fn set(line: &str) -> Option<(&str, &str)> {
    let mut words = line.splitn(5, ' ');
    let function = match words.nth(1)? {
        "set" => "socket_set_option",
        "setopt" => "socket_setopt",
        _ => return None,
    };
    Some((function, words.nth(2)?))
}

fn with(answer: &Value, key: &str, value: Value) -> Value {
    let mut answer = answer.clone();
    answer[key] = value;
    answer
}

/// Success, which leaves the slots of a row as they are: clear.
fn done(newest: &Value) -> Value {
    let mut answer = newest.clone();
    (answer["value"], answer["warning"], answer["thrown"]) = (json!(true), Value::Null, Value::Null);
    (answer["last"], answer["own"]) = (json!(0), json!(0));
    answer
}

fn thrown(newest: &Value, text: &str) -> Value {
    with(&with(newest, "thrown", json!(text)), "value", json!(false))
}

/// A warning whose code is in both slots.
fn warned(newest: &Value, text: &str, code: i64) -> Value {
    let answer = with(&with(newest, "thrown", Value::Null), "warning", json!(text));
    let answer = with(&answer, "value", json!(false));
    with(&with(&answer, "last", json!(code)), "own", json!(code))
}

/// The kernel's refusal of an option.
fn kernel(newest: &Value, function: &str, text: &str, code: i64) -> Value {
    warned(newest, &format!("{function}(): Unable to set socket option {text}"), code)
}

/// The function that wants another type for one of these options, if that is what is thrown.
fn type_wanted(newest: &Value, kind: &str, options: &[&str]) -> Option<String> {
    let (function, rest) =
        newest["thrown"].as_str()?.split_once("(): Argument #4 ($value) must be of type ")?;
    let rest = rest.strip_prefix(kind)?.strip_prefix(" when argument #3 ($option) is ")?;
    options.contains(&rest.split_once(',')?.0).then(|| function.to_owned())
}

fn must_have_key(newest: &Value, options: &[&str], key: &str) -> Option<Value> {
    let function = type_wanted(newest, "array", options)?;
    let text = format!("{function}(): Argument #4 ($value) must have key \"{key}\"");
    Some(with(newest, "thrown", json!(text)))
}
