//! Addresses as texts, as bytes and as numbers.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use crate::sys::sockaddr;

/// The bytes of an IPv4 or IPv6 address, by its text.
///
/// ```php
/// inet_pton(string $ip): string|false
/// ```
///
/// No system call: C's `inet_pton`. The result has 4 bytes for an IPv4 address and 16 for an IPv6 address, in network byte
/// order, as they stand in a packet. `None` is PHP's `false`: a text that is no address. IPv4 addresses have four decimal
/// parts (`127.1` is none), IPv6 addresses no interface (`fe80::1%eth0` is none), and a host name is not looked up.
///
/// A text off the wire, which is bytes, is an [`Address`](crate::Address): `inet_pton(Address::from(bytes))`. So it is for
/// [`ip2long`] and the name databases.
///
/// Two texts of one address have the same bytes, so that `::1` and `0:0:0:0:0:0:0:1` can be compared.
///
/// # Differences from PHP
///
/// A text with a NUL, a `ValueError` in PHP, is no address.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(inet_pton("127.0.0.1").as_deref(), Some(&[127, 0, 0, 1][..]));
/// assert_eq!(inet_pton("::1"), inet_pton("0:0:0:0:0:0:0:1"));
/// assert_eq!(inet_pton("localhost"), None);
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/inet_pton) ·
/// [inet_pton(3)](https://man7.org/linux/man-pages/man3/inet_pton.3.html)
#[must_use]
pub fn inet_pton(ip: impl AsRef<OsStr>) -> Option<Vec<u8>> {
    let text = CString::new(ip.as_ref().as_bytes()).ok()?;

    let inet = sockaddr::inet_pton::<4>(&text).map(Vec::from);
    inet.or_else(|| sockaddr::inet_pton::<16>(&text).map(Vec::from))
}

/// The text of an IPv4 or IPv6 address, by its bytes.
///
/// ```php
/// inet_ntop(string $ip): string|false
/// ```
///
/// No system call: C's `inet_ntop`. `ip` has 4 bytes or 16, in network byte order. `None` is PHP's `false`: another number
/// of bytes. The text is the short one, `::1`. The array is the inside of `std`'s addresses too: `Ipv6Addr::octets`.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(inet_ntop([127, 0, 0, 1]).as_deref(), Some("127.0.0.1"));
/// let bytes = inet_pton("0:0::1").unwrap_or_default();
/// assert_eq!(inet_ntop(bytes).as_deref(), Some("::1"));
/// assert_eq!(inet_ntop("127.0.0.1"), None); // a text of 9 bytes
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/inet_ntop) ·
/// [inet_ntop(3)](https://man7.org/linux/man-pages/man3/inet_ntop.3.html)
#[must_use]
pub fn inet_ntop(ip: impl AsRef<[u8]>) -> Option<String> {
    let ip = ip.as_ref();

    let inet = <&[u8; 4]>::try_from(ip).map(sockaddr::inet_ntop);
    let text = inet.or_else(|_| <&[u8; 16]>::try_from(ip).map(sockaddr::inet_ntop)).ok()?;
    Some(text.to_string())
}

/// An IPv4 address as a number, by its text.
///
/// ```php
/// ip2long(string $ip): int|false
/// ```
///
/// No system call: C's `inet_pton`. The number is in host byte order, so that addresses can be compared and masked.
/// `None` is PHP's `false`: a text that is no IPv4 address of four decimal parts.
///
/// # Differences from PHP
///
/// `0.0.0.0` is 0, which in PHP is `== false`; here it is `Some(0)`. A text with a NUL, a `ValueError` in PHP, is no address.
///
/// # Examples
///
/// Is the peer in 10.0.0.0/8?
///
/// ```
/// use php_sockets::*;
///
/// let (net, mask) = (ip2long("10.0.0.0").unwrap(), u32::MAX << (32 - 8));
/// assert_eq!(ip2long("10.1.2.3").unwrap() & mask, net);
/// assert_ne!(ip2long("11.1.2.3").unwrap() & mask, net);
/// assert_eq!(ip2long("10.1"), None);
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/ip2long) ·
/// [inet_pton(3)](https://man7.org/linux/man-pages/man3/inet_pton.3.html)
#[must_use]
pub fn ip2long(ip: impl AsRef<OsStr>) -> Option<u32> {
    let text = CString::new(ip.as_ref().as_bytes()).ok()?;

    sockaddr::inet_pton(&text).map(u32::from_be_bytes)
}

/// The text of an IPv4 address, by its number.
///
/// ```php
/// long2ip(int $ip): string
/// ```
///
/// No system call: C's `inet_ntop`. The number is in host byte order. It cannot fail.
///
/// # Differences from PHP
///
/// PHP takes the low 32 bits of any number, so that −1 is `255.255.255.255`; a `u32` has no more.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(long2ip(2_130_706_433), "127.0.0.1");
/// assert_eq!(long2ip(u32::MAX), "255.255.255.255");
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/long2ip) ·
/// [inet_ntop(3)](https://man7.org/linux/man-pages/man3/inet_ntop.3.html)
#[must_use]
pub fn long2ip(ip: u32) -> String {
    sockaddr::inet_ntop(&ip.to_be_bytes()).to_string()
}
