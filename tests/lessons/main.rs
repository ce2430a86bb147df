//! Every lesson, played: the program and its PHP twin against `expected.txt`, the transcript and the list of system
//! calls in its README against the real thing, and the programs of the README.

#[path = "../common/mod.rs"]
mod common;

mod make;
mod play;
mod readme;
