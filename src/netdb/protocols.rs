//! Protocols, by name and by number.

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::protoent;

use super::{ROOM, more_room};
use crate::sys::ffi;

/// The number of a protocol, by its name in `/etc/protocols` or one of its aliases.
///
/// ```php
/// getprotobyname(string $protocol): int|false
/// ```
///
/// No socket system call: C's `getprotobyname_r` reads `/etc/protocols` (it opens, reads and closes the file at each
/// call). Returns the number for [`socket_create`](crate::socket_create), `None` for an unknown name. It can be called
/// from several threads at once.
///
/// # Differences from PHP
///
/// `ip` is 0, which in PHP is easily taken for `false`; `Some(0)` is not `None`. A name with a NUL, a `ValueError` in PHP,
/// is an unknown name.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(getprotobyname("tcp"), Some(SOL_TCP));
/// assert_eq!(getprotobyname("TCP"), Some(SOL_TCP)); // an alias
/// assert_eq!(getprotobyname("ip"), Some(0));
/// assert_eq!(getprotobyname("nosuch"), None);
/// ```
///
/// [Lesson 01](crate::lessons::lesson_01) · [php.net](https://www.php.net/getprotobyname) ·
/// [getprotoent_r(3)](https://man7.org/linux/man-pages/man3/getprotoent_r.3.html)
#[must_use]
pub fn getprotobyname(protocol: impl AsRef<OsStr>) -> Option<c_int> {
    let name = CString::new(protocol.as_ref().as_bytes()).ok()?;
    let mut buffer: Vec<c_char> = vec![0; ROOM];
    loop {
        let mut entry = MaybeUninit::<protoent>::uninit();
        let mut found: *mut protoent = ptr::null_mut();

        // SAFETY: `name` ends in a NUL; `entry` and `found` are writable; `buffer` has the length given. All outlive
        // the call, and what `found` points at lies in `entry` and `buffer`.
        let status = unsafe {
            ffi::getprotobyname_r(
                name.as_ptr(),
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };

        if !more_room(status, &mut buffer) {
            // SAFETY: null, or a pointer at `entry`, which the call filled in.
            return unsafe { found.as_ref() }.map(|entry| entry.p_proto);
        }
    }
}

/// The name of a protocol, by its number in `/etc/protocols`.
///
/// ```php
/// getprotobynumber(int $protocol): string|false
/// ```
///
/// No socket system call: C's `getprotobynumber_r`, as in [`getprotobyname`]. Returns the name, `None` for a number
/// without one. It can be called from several threads at once.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(getprotobynumber(17).as_deref(), Some("udp"));
/// assert_eq!(getprotobynumber(-1), None);
/// ```
///
/// [Lesson 01](crate::lessons::lesson_01) · [php.net](https://www.php.net/getprotobynumber) ·
/// [getprotoent_r(3)](https://man7.org/linux/man-pages/man3/getprotoent_r.3.html)
#[must_use]
pub fn getprotobynumber(protocol: c_int) -> Option<String> {
    let mut buffer: Vec<c_char> = vec![0; ROOM];
    loop {
        let mut entry = MaybeUninit::<protoent>::uninit();
        let mut found: *mut protoent = ptr::null_mut();

        // SAFETY: `entry` and `found` are writable; `buffer` has the length given. All outlive the call, and what
        // `found` points at lies in `entry` and `buffer`.
        let status = unsafe {
            ffi::getprotobynumber_r(
                protocol,
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };

        if more_room(status, &mut buffer) {
            continue;
        }
        // SAFETY: null, or a pointer at `entry`, which the call filled in.
        let entry = unsafe { found.as_ref() }?;
        // SAFETY: the name is a string in `buffer` that ends in a NUL.
        let name = unsafe { CStr::from_ptr(entry.p_name) };
        return Some(name.to_string_lossy().into_owned());
    }
}
