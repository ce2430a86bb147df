//! Hosts, by name.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::sys::{resolver, sockaddr};

/// The IPv4 address of a host, by its name; for an unknown host, the name itself.
///
/// ```php
/// gethostbyname(string $hostname): string
/// ```
///
/// No socket system call of its own: C's `gethostbyname_r` reads `/etc/hosts`. For a name that is not there it asks a name
/// server, which may take seconds. Of several addresses the first one is returned. An IPv4 address in any of its spellings
/// is returned as a dotted quad (`127.1` as `127.0.0.1`). Several threads may call it at once.
///
/// An unknown name is returned unchanged, as in PHP: compare the two, or call [`gethostbynamel`], which returns `None`. For
/// IPv6 there is [`socket_addrinfo_lookup`](crate::socket_addrinfo_lookup).
///
/// # Differences from PHP
///
/// PHP warns of a name longer than 255 bytes and throws a `ValueError` for one with a NUL; here both are unknown names.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(gethostbyname("localhost"), "127.0.0.1");
/// assert_eq!(gethostbyname("127.1"), "127.0.0.1");
/// assert_eq!(gethostbyname("256.1.1.1"), "256.1.1.1"); // unknown
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/gethostbyname) ·
/// [gethostbyname(3)](https://man7.org/linux/man-pages/man3/gethostbyname.3.html)
#[must_use]
pub fn gethostbyname(hostname: impl AsRef<OsStr>) -> OsString {
    let hostname = hostname.as_ref();

    let addresses = CString::new(hostname.as_bytes()).ok().and_then(|name| resolver::hosts(&name));

    match addresses.unwrap_or_default().first() {
        Some(address) => sockaddr::inet_ntop(address),
        None => hostname.to_os_string(),
    }
}

/// All IPv4 addresses of a host, by its name.
///
/// ```php
/// gethostbynamel(string $hostname): array|false
/// ```
///
/// As [`gethostbyname`], but it returns all addresses in the resolver's order, and `None` for an unknown name.
///
/// # Differences from PHP
///
/// PHP warns of a name longer than 255 bytes and throws a `ValueError` for one with a NUL; here both are unknown names.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let addresses = gethostbynamel("localhost").unwrap();
/// assert!(addresses.contains(&"127.0.0.1".into()));
/// assert_eq!(gethostbynamel("256.1.1.1"), None);
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/gethostbynamel) ·
/// [gethostbyname(3)](https://man7.org/linux/man-pages/man3/gethostbyname.3.html)
#[must_use]
pub fn gethostbynamel(hostname: impl AsRef<OsStr>) -> Option<Vec<OsString>> {
    let name = CString::new(hostname.as_ref().as_bytes()).ok()?;

    let addresses = resolver::hosts(&name)?;

    Some(addresses.iter().map(sockaddr::inet_ntop).collect())
}
