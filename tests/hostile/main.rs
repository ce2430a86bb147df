//! Exhausted resources, many threads, and what a program must not give away.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;

mod exhaustion;
mod security;
mod threads;
