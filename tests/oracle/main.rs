//! The same calls by real PHP and by this crate, compared value by value.

#[path = "../common/mod.rs"]
mod common;

mod constants;
mod option;
mod programs;
mod script;
