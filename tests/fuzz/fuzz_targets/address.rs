//! Addresses as the kernel writes and reads them. `control` says how to run it.
//!
//! 128 bytes and more are a `sockaddr_storage`, fewer are a path. The rooms are compiled in here, since they are no part
//! of the crate's public interface.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the crate uses all of it")]

use libfuzzer_sys::fuzz_target;

#[path = "../../../src/address.rs"]
mod address;
#[path = "../../../src/c.rs"]
mod c;
#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/constants/errors.rs"]
mod errors;
#[path = "../../../src/host.rs"]
mod host;
#[path = "../../models/address.rs"]
mod model;
#[path = "../../../src/message/name.rs"]
mod name;
#[path = "../../../src/socket.rs"]
mod socket;

mod constants {
    pub(crate) use super::errors;
}

mod message {
    pub use super::name::MessageName;
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.first_chunk() {
        Some(bytes) => model::holds(bytes),
        None => model::path_holds(bytes),
    }
});
