//! The laws of what no public function shows, for any bytes. The unit tests try them, and so do the fuzz targets: with
//! `--cfg fuzzing` this is a public module of the crate.

pub(crate) mod address;
mod control;
pub(crate) mod text;

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use crate::sys::resolver;
use crate::sys::sockaddr;

/// The laws of an address that the kernel wrote, for 128 bytes and more; of a path, for fewer.
///
/// # Panics
///
/// If one is broken, as below.
pub fn address(bytes: &[u8]) {
    match bytes.first_chunk() {
        Some(bytes) => address::holds(bytes),
        None => address::path_holds(bytes),
    }
}

/// The laws of a buffer with control messages.
///
/// # Panics
///
/// See [`address`].
pub fn control(bytes: &[u8]) {
    control::holds(bytes);
}

/// The laws of an address as text. The resolver gets only a text that it answers by itself, and no host name, which would
/// go to a name server.
///
/// # Panics
///
/// See [`address`].
pub fn text(text: &[u8]) {
    let (four, six) = (text::inet4_pton(text), text::inet6_pton(text));
    if let Ok(text) = CString::new(text) {
        assert_eq!(sockaddr::inet_pton(&text), four);
        assert_eq!(sockaddr::inet_pton(&text), six);
    }

    if four.is_some() || text::is_digits_and_dots(text) {
        let found = resolved(libc::AF_INET, text);
        assert_eq!(found.map(|bytes| bytes[4..8].to_vec()), text::inet_aton(text).map(Vec::from));
    }

    // A scope, which is an interface.
    let percent = text.iter().position(|byte| *byte == b'%').unwrap_or(text.len());
    if let Some(six) = text::inet6_pton(&text[..percent]) {
        let found = resolved(libc::AF_INET6, text);
        assert!(percent < text.len() || found.is_some());
        if let Some(found) = found {
            assert_eq!((&found[2..4], &found[8..24]), (&[1, 2][..], &six[..]));
            let scope = text.get(percent + 1..).and_then(|scope| std::str::from_utf8(scope).ok());
            if let Some(number) = scope.and_then(|scope| scope.parse::<u32>().ok()) {
                assert_eq!(found[24..28], number.to_ne_bytes());
            }
        }
    }
}

/// The bytes of the address that a text means with port 258, if it is one.
fn resolved(family: i32, text: &[u8]) -> Option<Vec<u8>> {
    resolver::address(family, OsStr::from_bytes(text), 258).ok().map(|address| address::sent(&address))
}
