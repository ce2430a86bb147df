//! Hostile bytes for the reader of control messages. With cargo-fuzz and a nightly toolchain, in the crate's folder:
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz control`; the corpus is in `tests/fuzz/corpus/control`.
//!
//! The reader is not a part of the crate's public interface; `tests/models/inside.rs` says what holds for it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use php_sockets::inside;

fuzz_target!(|bytes: &[u8]| inside::control(bytes));
