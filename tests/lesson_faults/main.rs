//! Every lesson, while each of its system calls fails once, and while reads and writes come back short. `TORTURE=full`
//! tries all errors at all places; otherwise it is a share of them that takes seconds. `LESSON=13` plays that one alone.

#[path = "../common/mod.rs"]
mod common;

mod client;
mod exhaustion;
mod judge;
mod lessons;
mod plan;
mod process;
mod short;
mod torture;
