//! The output of a lesson. `println!` and its kin are here what they are in std, but for one thing: std's panic when they
//! cannot print, because the reader has left (`make lesson-03 | head -1`) or the disk is full. These go on: a lesson
//! cleans up behind itself, and a server has clients to serve.

#![allow(dead_code, unused_macros, reason = "each lesson uses a part of it")]

use std::fmt::Arguments;
use std::io::{Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static GONE: AtomicBool = AtomicBool::new(false);

macro_rules! print {
    ($($text:tt)*) => { $crate::screen::show(format_args!($($text)*)) };
}

macro_rules! println {
    () => { $crate::screen::show(format_args!("\n")) };
    ($($text:tt)*) => { $crate::screen::show(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprintln {
    ($($text:tt)*) => {{ use std::io::Write; let _ = writeln!(std::io::stderr(), $($text)*); }};
}

pub(crate) fn show(text: Arguments) {
    if stdout().write_fmt(text).is_err() {
        GONE.store(true, Relaxed);
    }
}

/// Whether the reader has left: what takes long may end then. PHP's `connection_aborted`.
pub(crate) fn is_gone() -> bool {
    GONE.load(Relaxed)
}
