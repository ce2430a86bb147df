//! Hosts, by name and by address, and the name of this one.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use crate::error::{Error, Result, Site};
use crate::sys::ffi::{ret, ret_code};
use crate::sys::name::Address;
use crate::sys::resolver;
use crate::sys::sockaddr::{self, SockAddr, until_nul};

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
pub fn gethostbyname(hostname: impl AsRef<OsStr>) -> Address {
    let hostname = hostname.as_ref();

    let addresses = CString::new(hostname.as_bytes()).ok().and_then(|name| resolver::hosts(&name));

    match addresses.unwrap_or_default().first() {
        Some(address) => sockaddr::inet_ntop(address),
        None => hostname.into(),
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
pub fn gethostbynamel(hostname: impl AsRef<OsStr>) -> Option<Vec<Address>> {
    let name = CString::new(hostname.as_ref().as_bytes()).ok()?;

    let addresses = resolver::hosts(&name)?;

    Some(addresses.iter().map(sockaddr::inet_ntop).collect())
}

/// The name of a host, by its IPv4 or IPv6 address; for an address without a name, the address itself.
///
/// ```php
/// gethostbyaddr(string $ip): string|false
/// ```
///
/// No socket system call of its own: C's `getnameinfo` reads `/etc/hosts`. For an address that is not there it asks a name
/// server, which may take seconds. A server that asks it for each client waits with it for each client. Several threads may
/// call it at once.
///
/// The owner of an address chooses its name, so it proves nothing: look up whether [`gethostbyname`] leads back.
///
/// # Errors
///
/// No slot remembers them.
///
/// - a text that is no address: `gethostbyaddr(): Address is not a valid IPv4 or IPv6 address`. A host name is none, nor is
///   an address with an interface (`fe80::1%eth0`).
/// - a NUL: `gethostbyaddr(): Argument #1 ($ip) must not contain any null bytes`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// println!("127.0.0.1 is {}", gethostbyaddr("127.0.0.1")?.to_string_lossy());
///
/// assert_eq!(gethostbyaddr("0.0.0.0")?, "0.0.0.0"); // without a name
/// assert_eq!(
///     gethostbyaddr("localhost").unwrap_err().to_string(),
///     "gethostbyaddr(): Address is not a valid IPv4 or IPv6 address"
/// );
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/gethostbyaddr) ·
/// [getnameinfo(3)](https://man7.org/linux/man-pages/man3/getnameinfo.3.html)
pub fn gethostbyaddr(ip: impl AsRef<OsStr>) -> Result<Address> {
    let ip = ip.as_ref();
    let text = CString::new(ip.as_bytes()).map_err(|_| {
        Error::value(&Site {
            function: "gethostbyaddr",
            message: "Argument #1 ($ip) must not contain any null bytes",
        })
    })?;
    let inet = sockaddr::inet_pton(&text).map(|address| SockAddr::inet(address, 0));
    let address = inet.or_else(|| sockaddr::inet_pton(&text).map(|address| SockAddr::inet6(address, 0, 0)));
    let address = address.ok_or_else(|| {
        Error::plain_warning(&Site {
            function: "gethostbyaddr",
            message: "Address is not a valid IPv4 or IPv6 address",
        })
    })?;
    let mut host = [0_u8; libc::NI_MAXHOST as usize];

    // SAFETY: `as_ptr` points at `len` bytes inside `address`, and `host` has NI_MAXHOST bytes, its NUL included; both
    // outlive the call, which keeps no pointer. A service that is null and has no bytes is not asked for.
    let status = unsafe {
        libc::getnameinfo(
            address.as_ptr(),
            address.len(),
            host.as_mut_ptr().cast(),
            libc::NI_MAXHOST,
            ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };

    Ok(match ret_code(status) {
        Ok(()) => OsStr::from_bytes(until_nul(&host)).into(),
        Err(_) => ip.into(),
    })
}

/// The longest name of a machine, and a NUL.
const HOST_NAME_MAX: usize = 65;

/// The name of this machine.
///
/// ```php
/// gethostname(): string|false
/// ```
///
/// One system call, `uname`. The name need not be one that [`gethostbyname`] knows. Bytes that are no UTF-8 become U+FFFD.
///
/// # Errors
///
/// The kernel has no reason to refuse. No slot remembers it if it does:
///
/// - `gethostname(): Unable to fetch host [14]: Bad address`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let name = gethostname()?;
/// println!("This is {name}.");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/gethostname) ·
/// [gethostname(2)](https://man7.org/linux/man-pages/man2/gethostname.2.html)
pub fn gethostname() -> Result<String> {
    let mut name = [0_u8; HOST_NAME_MAX];

    // SAFETY: `name` is writable for its length and outlives the call, which keeps no pointer.
    let status = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };

    ret(status).map_err(|failed| {
        Error::unremembered(
            &Site { function: "gethostname", message: "Unable to fetch host" },
            failed.errno(),
        )
    })?;
    Ok(String::from_utf8_lossy(until_nul(&name)).into_owned())
}
