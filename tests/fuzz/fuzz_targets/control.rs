//! Hostile bytes for the reader of control messages. With cargo-fuzz and a nightly toolchain, in the crate's folder:
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz control`; the corpus is in `tests/fuzz/corpus/control`.
//!
//! The reader is no part of the crate's public interface, so its two rooms are compiled in here.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the crate uses all of it")]
#[path = "../../../src/control.rs"]
mod control;
#[allow(dead_code, reason = "the crate uses all of it")]
#[path = "../../../src/values.rs"]
mod values;

use control::{Reader, ReceivedControl};

fuzz_target!(|bytes: &[u8]| {
    let mut taken = 0;
    for found in Reader::new(bytes) {
        taken += 16 + found.data.len();
        assert!(taken <= bytes.len(), "no byte is handed out twice");
        if let Some(rights) = found.rights() {
            assert!(rights.map(|fd| assert!(fd >= 0)).count() <= found.data.len() / 4);
        }
        match found.value() {
            ReceivedControl::Raw { level, r#type, data } => {
                assert_eq!((level, r#type, data), (found.level, found.kind, found.data));
            }
            ReceivedControl::Rights(_) => panic!("descriptors stay raw here"),
            _ => assert!(found.data.len() >= 4),
        }
    }
});
