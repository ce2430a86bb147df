//! Services, by name and by port.

use std::ffi::{CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use libc::servent;

use crate::sys::entry;
use crate::sys::ffi::{self, ret_c_str};

/// The port of a service, by its name in `/etc/services` or one of its aliases.
///
/// ```php
/// getservbyname(string $service, string $protocol): int|false
/// ```
///
/// No socket system call: C's `getservbyname_r` opens, reads and closes `/etc/services` at each call. `protocol` is `tcp`
/// or `udp`; the same service may have another port, or none, in the other. Returns the port in host byte order, `None`
/// for an unknown service. Several threads may call it at once.
///
/// # Differences from PHP
///
/// A name with a NUL, a `ValueError` in PHP, is an unknown name.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(getservbyname("http", "tcp"), Some(80));
/// assert_eq!(getservbyname("domain", "udp"), Some(53));
/// assert_eq!(getservbyname("nosuch", "tcp"), None);
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/getservbyname) ·
/// [getservent_r(3)](https://man7.org/linux/man-pages/man3/getservent_r.3.html)
#[must_use]
pub fn getservbyname(service: impl AsRef<OsStr>, protocol: impl AsRef<OsStr>) -> Option<u16> {
    let name = CString::new(service.as_ref().as_bytes()).ok()?;
    let protocol = CString::new(protocol.as_ref().as_bytes()).ok()?;

    let query = |entry, buffer, size, found| {
        // SAFETY: `name` and `protocol` end in a NUL and outlive the call; `find` passes an entry, a buffer of `size` bytes
        // and the place of a pointer, all writable. C keeps no pointer.
        unsafe { ffi::getservbyname_r(name.as_ptr(), protocol.as_ptr(), entry, buffer, size, found) }
    };
    // SAFETY: `query` calls one of the functions that `find` is for.
    unsafe { entry::find(query, |entry: &servent| Some(host_order(entry.s_port))) }
}

/// The name of a service, by its port in `/etc/services`.
///
/// ```php
/// getservbyport(int $port, string $protocol): string|false
/// ```
///
/// No socket system call: C's `getservbyport_r`, as in [`getservbyname`]. `port` is in host byte order, `protocol` is
/// `tcp` or `udp`. Returns the name, `None` for a port without one. Several threads may call it at once.
///
/// # Differences from PHP
///
/// PHP treats port 65616 as 80; a `u16` cannot hold it. A protocol with a NUL, a `ValueError` in PHP, is an unknown one.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(getservbyport(80, "tcp").as_deref(), Some("http"));
/// assert_eq!(getservbyport(0, "tcp"), None);
/// ```
///
/// [Lesson 08](crate::lessons::lesson_08) · [php.net](https://www.php.net/getservbyport) ·
/// [getservent_r(3)](https://man7.org/linux/man-pages/man3/getservent_r.3.html)
#[must_use]
pub fn getservbyport(port: u16, protocol: impl AsRef<OsStr>) -> Option<String> {
    let protocol = CString::new(protocol.as_ref().as_bytes()).ok()?;
    let port = c_int::from(port.to_be());

    let query = |entry, buffer, size, found| {
        // SAFETY: `protocol` ends in a NUL and outlives the call; `find` passes an entry, a buffer of `size` bytes and the
        // place of a pointer, all writable. C keeps no pointer.
        unsafe { ffi::getservbyport_r(port, protocol.as_ptr(), entry, buffer, size, found) }
    };
    let read = |entry: &servent| {
        // SAFETY: an entry's name is a string in the buffer, which outlives the entry.
        unsafe { ret_c_str(entry.s_name) }.map(|name| name.to_string_lossy().into_owned())
    };
    // SAFETY: `query` calls one of the functions that `find` is for.
    unsafe { entry::find(query, read) }
}

/// A port out of C's int, whose low 16 bits are in network byte order.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 16 bits are the port")]
fn host_order(port: c_int) -> u16 {
    u16::from_be(port as u16)
}
