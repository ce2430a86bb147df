//! Services, by name and by port.

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::servent;

use super::{ROOM, more_room};
use crate::sys::ffi;

/// The port of a service, by its name in `/etc/services` or one of its aliases.
///
/// ```php
/// getservbyname(string $service, string $protocol): int|false
/// ```
///
/// No socket system call: C's `getservbyname_r` reads `/etc/services` (it opens, reads and closes the file at each
/// call). `protocol` is `tcp` or `udp`, and the service must have it. Returns the port in host byte order, `None` for an
/// unknown service. It can be called from several threads at once.
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
    let mut buffer: Vec<c_char> = vec![0; ROOM];
    loop {
        let mut entry = MaybeUninit::<servent>::uninit();
        let mut found: *mut servent = ptr::null_mut();

        // SAFETY: `name` and `protocol` end in a NUL; `entry` and `found` are writable; `buffer` has the length given.
        // All outlive the call, and what `found` points at lies in `entry` and `buffer`.
        let status = unsafe {
            ffi::getservbyname_r(
                name.as_ptr(),
                protocol.as_ptr(),
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };

        if !more_room(status, &mut buffer) {
            // SAFETY: null, or a pointer at `entry`, which the call filled in.
            return unsafe { found.as_ref() }.map(|entry| host_order(entry.s_port));
        }
    }
}

/// The name of a service, by its port in `/etc/services`.
///
/// ```php
/// getservbyport(int $port, string $protocol): string|false
/// ```
///
/// No socket system call: C's `getservbyport_r`, as in [`getservbyname`]. `port` is in host byte order, `protocol` is
/// `tcp` or `udp`. Returns the name, `None` for a port without one. It can be called from several threads at once.
///
/// # Differences from PHP
///
/// PHP takes port 65616 for 80; a `u16` cannot hold it. A protocol with a NUL, a `ValueError` in PHP, is an unknown
/// one.
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
    let mut buffer: Vec<c_char> = vec![0; ROOM];
    loop {
        let mut entry = MaybeUninit::<servent>::uninit();
        let mut found: *mut servent = ptr::null_mut();

        // SAFETY: `protocol` ends in a NUL; `entry` and `found` are writable; `buffer` has the length given. All outlive
        // the call, and what `found` points at lies in `entry` and `buffer`.
        let status = unsafe {
            ffi::getservbyport_r(
                c_int::from(port.to_be()),
                protocol.as_ptr(),
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
        let name = unsafe { CStr::from_ptr(entry.s_name) };
        return Some(name.to_string_lossy().into_owned());
    }
}

/// A port as C has it in an int: its low 16 bits are in network byte order.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 16 bits are the port")]
fn host_order(port: c_int) -> u16 {
    u16::from_be(port as u16)
}
