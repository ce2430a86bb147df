//! The arguments of a lesson with two ends: `ARGS="ADDRESS PORT"`, or a port alone, or nothing.

#![allow(dead_code, reason = "each lesson uses a part of it")]

use std::env;
use std::ffi::{OsStr, OsString};
use std::process;

use php_sockets::Address;

/// Address and port, this one if none is given; and the arguments after them.
pub(crate) fn address_and_port(usual: u16) -> (Address, u16, Vec<OsString>) {
    let mut words: Vec<OsString> = env::args_os().skip(1).collect();
    // A bare number is never meant as an address: 8000 would be 0.0.31.64.
    if words.first().is_none_or(|word| is_number(word)) {
        words.insert(0, "127.0.0.1".into());
    }
    if words.len() < 2 {
        words.push(usual.to_string().into());
    }
    let rest = words.split_off(2);
    let Some(port) = words.pop().and_then(|port| port.to_str()?.parse().ok()) else {
        eprintln!("The port has to be a number from 0 to 65535.");
        process::exit(1);
    };
    (words.remove(0).into(), port, rest)
}

/// Whether it is digits alone.
pub(crate) fn is_number(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}
