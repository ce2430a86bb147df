//! The texts of error codes.

use std::ffi::{CStr, c_int};

/// The C library's text for a code of `getaddrinfo`.
pub(super) fn gai_strerror(code: c_int) -> String {
    // SAFETY: `gai_strerror` takes any number and returns a string constant of the C library, never null.
    let text = unsafe { libc::gai_strerror(code) };

    // SAFETY: `text` ends in a NUL and lives as long as the process.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Codes below this one are the resolver's.
const RESOLVER: c_int = -10000;

/// The C library's text for a code. Codes below −10000 have the resolver's text.
pub(crate) fn strerror(code: c_int) -> String {
    if code < RESOLVER {
        // SAFETY: `hstrerror` takes any number and returns a string constant of the C library, never null.
        let text = unsafe { libc::hstrerror(RESOLVER - code) };

        // SAFETY: `text` ends in a NUL and lives as long as the process.
        return unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    }

    let mut text = [0_u8; 256];
    // SAFETY: `strerror_r` writes at most `text.len()` bytes into `text`, the NUL included, and keeps no
    // pointer. It writes a text for an unknown code too, so its status is not needed.
    unsafe { libc::strerror_r(code, text.as_mut_ptr().cast(), text.len()) };

    CStr::from_bytes_until_nul(&text).unwrap_or_default().to_string_lossy().into_owned()
}
