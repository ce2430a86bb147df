//! Exhausted resources, many threads, and what a program must not give away.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;
#[path = "../common/watchdog.rs"]
mod watchdog;

mod exhaustion;
mod security;
mod threads;
