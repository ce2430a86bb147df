//! The same calls by real PHP and by this crate, compared value by value.
//!
//! One file for each section of the description of PHP's behaviour. A comment `[V] 2.12: …` names a statement of it
//! that was seen with a running PHP, and that the test around it shows.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/watchdog.rs"]
mod watchdog;

mod constants;
mod dialects;
mod message;
mod names;
mod options;
mod php;
mod programs;
mod record;
mod script;
mod select;
mod signatures;
mod std_streams;
mod syscalls;
mod syscalls_beside;
mod text;
mod transfer;

mod bind;
mod connection;
mod create;
mod datagram;
mod errors;
mod general;
mod injected;
mod netdb;
mod porting;
mod porting_datagrams;
mod random;
mod resolution;
