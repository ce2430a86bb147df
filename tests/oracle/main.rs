//! The same calls by real PHP and by this crate, compared value by value.
//!
//! One file for each section of the description of PHP's behaviour. A comment `[V] 2.12: …` names a statement of it
//! that was seen with a running PHP, and that the test around it shows.

#[path = "../common/mod.rs"]
mod common;

mod constants;
mod dialects;
mod interop;
mod message;
mod names;
mod option;
mod php;
mod programs;
mod record;
mod script;
mod select;
mod signatures;
mod stream;
mod syscalls;
mod syscalls_beside;
mod text;

mod connection;
mod datagram;
mod errors;
mod general;
mod injected;
mod life;
mod name;
mod netdb;
mod random;
mod resolution;
