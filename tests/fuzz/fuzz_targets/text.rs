//! Texts of addresses against `inet_pton`'s rules. `control` says how to run it.
//!
//! A text that is a host name would go to the resolver, so it is asked only about what it answers by itself. The rooms are
//! compiled in here, since they are no part of the crate's public interface.

#![no_main]
#![allow(dead_code, unused_imports, reason = "the crate uses all of it")]

use std::ffi::{CString, OsStr};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

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
#[path = "../../models/text.rs"]
mod model;
#[path = "../../../src/socket.rs"]
mod socket;

mod constants {
    pub(crate) use super::errors;
}

use error::Site;
use host::Sites;
use socket::Socket;

thread_local! {
    static INET: Socket = Socket::from(OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap()));
    static INET6: Socket = Socket::from(OwnedFd::from(UdpSocket::bind("[::1]:0").unwrap()));
}

const SITE: Site = Site { function: "", message: "" };
static SITES: Sites = Sites { family: SITE, too_long: SITE, nul: SITE, unknown: SITE };

/// The bytes of the address, if it is one.
fn find(socket: &Socket, text: &[u8]) -> Option<Vec<u8>> {
    let found = host::find(socket, &SITES, OsStr::from_bytes(text), 258).ok()?;
    let len = found.len() as usize;
    // SAFETY: `as_ptr` points at `len` bytes inside `found`.
    Some(unsafe { std::slice::from_raw_parts(found.as_ptr().cast::<u8>(), len) }.to_vec())
}

fuzz_target!(|text: &[u8]| {
    let (four, six) = (model::inet4_pton(text), model::inet6_pton(text));
    if let Ok(text) = CString::new(text) {
        assert_eq!(address::inet4_pton(&text), four);
        assert_eq!(address::inet6_pton(&text), six);
    }
    if four.is_some() || model::is_digits_and_dots(text) {
        let found = INET.with(|socket| find(socket, text));
        assert_eq!(found.map(|bytes| bytes[4..8].to_vec()), model::inet_aton(text).map(Vec::from));
    }
    // A scope, which is looked up in the list of interfaces.
    let percent = text.iter().position(|byte| *byte == b'%').unwrap_or(text.len());
    if let Some(six) = model::inet6_pton(&text[..percent]) {
        let found = INET6.with(|socket| find(socket, text));
        assert!(percent < text.len() || found.is_some());
        if let Some(found) = found {
            assert_eq!((&found[2..4], &found[8..24]), (&[1, 2][..], &six[..]));
            let scope = text.get(percent + 1..).and_then(|scope| std::str::from_utf8(scope).ok());
            if let Some(number) = scope.and_then(|scope| scope.parse::<u32>().ok()) {
                assert_eq!(found[24..28], number.to_ne_bytes());
            }
        }
    }
});
