//! The arguments of a look-up, and its results.

use std::borrow::Cow;
use std::ffi::{OsStr, c_int};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use libc::{addrinfo, sockaddr, socklen_t};

use crate::socket::Socket;
use crate::sys::ffi::{Failed, ret_c_str, ret_owned_fd};
use crate::sys::name::{Address, SocketName};
use crate::sys::sockaddr::SockAddrBuf;

/// The hints that narrow a [`socket_addrinfo_lookup`](crate::socket_addrinfo_lookup): PHP's `$hints` array.
///
/// The fields are the array's keys; 0, their default, leaves the choice open.
///
/// ```
/// use php_sockets::*;
///
/// let hints = AddrinfoHints::new().ai_family(AF_INET).ai_socktype(SOCK_STREAM);
/// assert_eq!(hints.ai_family, AF_INET);
/// assert_eq!(hints.ai_flags, 0);
/// ```
///
/// [php.net: socket_addrinfo_lookup](https://www.php.net/socket_addrinfo_lookup) ·
/// [getaddrinfo(3)](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AddrinfoHints {
    /// `AI_PASSIVE`, `AI_CANONNAME` and so on, or-ed.
    pub ai_flags: c_int,
    /// `AF_INET` or `AF_INET6`; 0 for both.
    pub ai_family: c_int,
    /// `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_RAW`; 0 for all three.
    pub ai_socktype: c_int,
    /// `SOL_TCP`, `SOL_UDP` and so on; 0 for any.
    pub ai_protocol: c_int,
}

impl AddrinfoHints {
    /// Hints that leave every choice open: PHP's empty array.
    #[must_use]
    pub fn new() -> AddrinfoHints {
        AddrinfoHints::default()
    }

    /// The same hints with these flags.
    #[must_use]
    pub fn ai_flags(self, ai_flags: c_int) -> AddrinfoHints {
        AddrinfoHints { ai_flags, ..self }
    }

    /// The same hints with this family.
    #[must_use]
    pub fn ai_family(self, ai_family: c_int) -> AddrinfoHints {
        AddrinfoHints { ai_family, ..self }
    }

    /// The same hints with this type of socket.
    #[must_use]
    pub fn ai_socktype(self, ai_socktype: c_int) -> AddrinfoHints {
        AddrinfoHints { ai_socktype, ..self }
    }

    /// The same hints with this protocol.
    #[must_use]
    pub fn ai_protocol(self, ai_protocol: c_int) -> AddrinfoHints {
        AddrinfoHints { ai_protocol, ..self }
    }
}

/// The hint that PHP refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// `ai_flags` below 0.
    Flags,
    /// `ai_family` other than 0, `AF_INET` and `AF_INET6`.
    Family,
    /// `ai_socktype` below 0.
    Socktype,
    /// `ai_protocol` below 0.
    Protocol,
}

impl AddrinfoHints {
    /// The first field that is wrong, if one is; PHP goes by the order of the array.
    pub(super) fn check(self) -> Result<(), Refused> {
        match self {
            AddrinfoHints { ai_flags: ..0, .. } => Err(Refused::Flags),
            AddrinfoHints { ai_family, .. }
                if !matches!(ai_family, libc::AF_UNSPEC | libc::AF_INET | libc::AF_INET6) =>
            {
                Err(Refused::Family)
            }
            AddrinfoHints { ai_socktype: ..0, .. } => Err(Refused::Socktype),
            AddrinfoHints { ai_protocol: ..0, .. } => Err(Refused::Protocol),
            _ => Ok(()),
        }
    }
}

/// The service of a look-up, PHP's `?string $service`: a name, a port as text or as a number, or `None`.
///
/// A program does not name this type: [`socket_addrinfo_lookup`](crate::socket_addrinfo_lookup) converts its argument.
///
/// ```
/// use php_sockets::*;
///
/// let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
/// let port = |service: Service| -> Result<u16> {
///     let addresses = socket_addrinfo_lookup("127.0.0.1", service, hints)?;
///     Ok(socket_addrinfo_explain(&addresses[0]).ai_addr.port)
/// };
///
/// assert_eq!(port("http".into())?, 80);
/// assert_eq!(port("8080".into())?, 8080);
/// assert_eq!(port(String::from("8080").into())?, 8080);
/// assert_eq!(port(8080.into())?, 8080);
/// assert_eq!(port(None.into())?, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_addrinfo_lookup](https://www.php.net/socket_addrinfo_lookup) ·
/// [services(5)](https://man7.org/linux/man-pages/man5/services.5.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service<'a>(pub(super) Option<Cow<'a, str>>);

impl<'a> From<Option<&'a str>> for Service<'a> {
    fn from(service: Option<&'a str>) -> Service<'a> {
        Service(service.map(Cow::Borrowed))
    }
}

impl<'a> From<&'a str> for Service<'a> {
    fn from(service: &'a str) -> Service<'a> {
        Service(Some(Cow::Borrowed(service)))
    }
}

impl<'a> From<&'a String> for Service<'a> {
    fn from(service: &'a String) -> Service<'a> {
        Service(Some(Cow::Borrowed(service)))
    }
}

impl From<String> for Service<'_> {
    fn from(service: String) -> Self {
        Service(Some(Cow::Owned(service)))
    }
}

/// A port, in host byte order.
impl From<u16> for Service<'_> {
    fn from(port: u16) -> Self {
        Service(Some(Cow::Owned(port.to_string())))
    }
}

/// PHP's class `AddressInfo`: one address that a look-up found, and the socket that it is for.
///
/// It owns its data. [`socket_addrinfo_connect`](crate::socket_addrinfo_connect) and
/// [`socket_addrinfo_bind`](crate::socket_addrinfo_bind) use it;
/// [`socket_addrinfo_explain`](crate::socket_addrinfo_explain) returns its fields.
///
/// ```
/// use php_sockets::*;
///
/// let addresses = socket_addrinfo_lookup("127.0.0.1", "80", None)?;
/// let first: &AddressInfo = &addresses[0];
/// assert_eq!(socket_addrinfo_explain(first).ai_addr.to_string(), "127.0.0.1:80");
/// std::thread::spawn(move || println!("{addresses:?}")).join().unwrap();
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net: AddressInfo](https://www.php.net/class.addressinfo) ·
/// [getaddrinfo(3)](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)
#[derive(Clone)]
pub struct AddressInfo {
    pub(super) details: AddressDetails,
    address: SockAddrBuf,
    len: socklen_t,
}

impl AddressInfo {
    /// Copies one element of a list of `getaddrinfo`. `None` for a family that PHP does not know; glibc has none.
    pub(super) fn copied(node: &addrinfo) -> Option<AddressInfo> {
        if node.ai_addr.is_null() {
            return None;
        }
        // SAFETY: it is not null, so it points at `ai_addrlen` bytes.
        let address = unsafe { SockAddrBuf::copied(node.ai_addr, node.ai_addrlen) };

        // SAFETY: null, or a string that ends in a NUL and lives as long as `node`.
        let canonname = unsafe { ret_c_str(node.ai_canonname) };

        let details = AddressDetails {
            ai_flags: node.ai_flags,
            ai_family: node.ai_family,
            ai_socktype: node.ai_socktype,
            ai_protocol: node.ai_protocol,
            ai_canonname: canonname.map(|name| OsStr::from_bytes(name.to_bytes()).into()),
            ai_addr: address.name(node.ai_family)?,
        };
        Some(AddressInfo { details, address, len: node.ai_addrlen.min(SockAddrBuf::LEN) })
    }

    /// A new socket of the kind that the address is for, without a name and without a peer.
    pub(super) fn socket(&self) -> Result<Socket, Failed> {
        let AddressDetails { ai_family, ai_socktype, ai_protocol, .. } = self.details;

        // SAFETY: `socket` takes three numbers.
        let fd = unsafe { libc::socket(ai_family, ai_socktype | libc::SOCK_CLOEXEC, ai_protocol) };

        // SAFETY: the kernel has just opened `fd`, unless it is −1, and only this function knows it.
        unsafe { ret_owned_fd(fd) }.map(|fd| Socket::new(fd, ai_family, ai_socktype))
    }

    pub(super) fn as_ptr(&self) -> *const sockaddr {
        self.address.as_ptr()
    }

    pub(super) fn len(&self) -> socklen_t {
        self.len
    }
}

impl fmt::Debug for AddressInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AddressInfo").field(&self.details).finish()
    }
}

/// The fields of an [`AddressInfo`]: the array that PHP's [`socket_addrinfo_explain`](crate::socket_addrinfo_explain)
/// returns.
///
/// The fields are the array's keys. `ai_addr` is PHP's `sin_addr` and `sin_port`, or `sin6_addr` and `sin6_port`.
///
/// ```
/// use php_sockets::*;
///
/// let hints = AddrinfoHints::new().ai_socktype(SOCK_DGRAM);
/// let addresses = socket_addrinfo_lookup("::1", "53", hints)?;
/// let details = socket_addrinfo_explain(&addresses[0]);
/// assert_eq!((details.ai_family, details.ai_socktype), (AF_INET6, SOCK_DGRAM));
/// assert_eq!(details.ai_protocol, SOL_UDP);
/// assert_eq!(details.ai_addr.to_string(), "[::1]:53");
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_addrinfo_explain](https://www.php.net/socket_addrinfo_explain) ·
/// [getaddrinfo(3)](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AddressDetails {
    /// The flags of the look-up, as the C library returns them.
    pub ai_flags: c_int,
    /// `AF_INET` or `AF_INET6`.
    pub ai_family: c_int,
    /// `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_RAW`.
    pub ai_socktype: c_int,
    /// `SOL_TCP`, `SOL_UDP`; 0 for the type's default.
    pub ai_protocol: c_int,
    /// The host's canonical name: only in the first address, and only if `ai_flags` had `AI_CANONNAME`.
    pub ai_canonname: Option<Address>,
    /// The address and the port. The scope of an IPv6 address is not among them: only
    /// [`socket_addrinfo_connect`](crate::socket_addrinfo_connect), which waits for the connection, and
    /// [`socket_addrinfo_bind`](crate::socket_addrinfo_bind) use it. For [`socket_connect`](crate::socket_connect)
    /// on a socket that does not wait, append `%eth0` to a link-local address.
    pub ai_addr: SocketName,
}
