//! `PHP_NORMAL_READ` against PHP's rules. `control` says how to run it.
//!
//! The first byte is the kind of socket; then lengths up to a 0; then pieces, each with its length before it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use php_sockets::*;

#[path = "../../models/line.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let [how, rest @ ..] = bytes else { return };
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (lengths, mut rest) = rest.split_at(end);
    let lengths: Vec<usize> = lengths.iter().map(|length| usize::from(*length)).collect();
    let mut pieces = std::collections::VecDeque::new();
    while let [len, others @ ..] = rest {
        let (piece, others) = others.split_at(others.len().min(usize::from(*len)));
        pieces.push_back(piece.to_vec());
        rest = others;
    }
    let kind = [SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM][usize::from(how % 3)];
    model::holds(model::Arrived { kind, nonblock: how & 128 != 0, pieces }, &lengths);
});
