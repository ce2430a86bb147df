//! Hostile peers, exhausted resources, many threads, and what a program must not give away.

#[path = "../common/mod.rs"]
mod common;
#[path = "../lessons/server.rs"]
#[allow(dead_code, reason = "the lessons' tests use the rest")]
mod server;

mod attacks;
mod clients;
mod exhaustion;
mod security;
mod stage;
mod table;
mod threads;
