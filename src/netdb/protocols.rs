//! Protocols, by name and by number.

use std::ffi::{CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use libc::protoent;

use crate::sys::entry;
use crate::sys::ffi::{self, ret_c_str};

/// The number of a protocol, by its name in `/etc/protocols` or one of its aliases.
///
/// ```php
/// getprotobyname(string $protocol): int|false
/// ```
///
/// No socket system call: C's `getprotobyname_r` opens, reads and closes `/etc/protocols` at each call. Returns the number
/// for [`socket_create`](crate::socket_create), `None` for an unknown name. Several threads may call it at once.
///
/// # Differences from PHP
///
/// `ip` is 0, which in PHP is `== false`; here it is `Some(0)`. A name with a NUL, a `ValueError` in PHP, is an unknown name.
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

    let query = |entry, buffer, size, found| {
        // SAFETY: `name` ends in a NUL and outlives the call; `find` passes an entry, a buffer of `size` bytes and the place
        // of a pointer, all writable. C keeps no pointer.
        unsafe { ffi::getprotobyname_r(name.as_ptr(), entry, buffer, size, found) }
    };
    // SAFETY: `query` calls one of the functions that `find` is for.
    unsafe { entry::find(query, |entry: &protoent| Some(entry.p_proto)) }
}

/// The name of a protocol, by its number in `/etc/protocols`.
///
/// ```php
/// getprotobynumber(int $protocol): string|false
/// ```
///
/// No socket system call: C's `getprotobynumber_r`, as in [`getprotobyname`]. Returns the name, `None` for a number
/// without one. Several threads may call it at once.
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
    let query = |entry, buffer, size, found| {
        // SAFETY: `find` passes an entry, a buffer of `size` bytes and the place of a pointer, all writable. C keeps no
        // pointer.
        unsafe { ffi::getprotobynumber_r(protocol, entry, buffer, size, found) }
    };
    let read = |entry: &protoent| {
        // SAFETY: an entry's name is a string in the buffer, which outlives the entry.
        unsafe { ret_c_str(entry.p_name) }.map(|name| name.to_string_lossy().into_owned())
    };
    // SAFETY: `query` calls one of the functions that `find` is for.
    unsafe { entry::find(query, read) }
}
