//! Every function: what it does, each error it can return, its edge cases.

#[path = "../common/mod.rs"]
mod common;

mod errors;
