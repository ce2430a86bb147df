//! Hostile peers, exhausted resources, many threads, and what a program must not give away.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/server.rs"]
#[allow(dead_code, reason = "the lessons' tests use the rest")]
mod server;

#[path = "../attacks/attacks.rs"]
mod attacks;
mod clients;
mod exhaustion;
mod security;
#[path = "../stage/guests.rs"]
mod stage;
#[path = "../attacks/table.rs"]
mod table;
mod threads;
