//! Every function: what it does, each error it can return, its edge cases.

#[path = "../common/mod.rs"]
mod common;

mod connection;
mod errors;
mod errors_option;
mod line;
mod name;
mod option;
mod packet;
mod select;
mod socket;
mod transfer;
mod value;
