//! Texts of addresses against `inet_pton`'s rules. `control` says how to run it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use php_sockets::inside;

fuzz_target!(|text: &[u8]| inside::text(text));
