//! Addresses as the kernel writes and reads them. `control` says how to run it.
//!
//! 128 bytes and more are a `sockaddr_storage`, fewer are a path.

#![no_main]

use libfuzzer_sys::fuzz_target;
use php_sockets::inside;

fuzz_target!(|bytes: &[u8]| inside::address(bytes));
