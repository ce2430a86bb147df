//! The parts that the suites of the lessons share: the list of the lessons, their programs in both languages, a server under
//! test and its guests, and the patterns of what is printed.

#![allow(dead_code, reason = "each suite uses a part of it")]

pub(crate) mod guests;
pub(crate) mod pattern;
pub(crate) mod registry;
pub(crate) mod rows;
pub(crate) mod server;
pub(crate) mod twin;
