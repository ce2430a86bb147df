//! Every function: what it does, each error it can return, its edge cases.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/watchdog.rs"]
mod watchdog;

mod addrinfo;
mod bind;
mod connection;
mod errors;
mod errors_event;
mod errors_message;
mod errors_names;
mod errors_option;
mod imports;
mod iovec;
mod line;
mod message;
mod name;
mod netdb;
mod options;
mod packet;
mod select;
mod slips;
mod socket;
mod soundness;
mod std_streams;
mod transfer;
mod unused;
mod value;
