//! Every function: what it does, each error it can return, its edge cases.

#[path = "../common/mod.rs"]
mod common;

mod addrinfo;
mod connection;
mod errors;
mod errors_event;
mod errors_message;
mod errors_names;
mod errors_option;
mod imports;
mod interop;
mod line;
mod message;
mod name;
mod netdb;
mod option;
mod packet;
mod select;
mod socket;
mod soundness;
mod transfer;
mod unused;
mod value;
mod vector;
