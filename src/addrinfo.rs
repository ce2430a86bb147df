//! Address infos: every address of a host, each with the kind of socket it is for.

mod charset;
mod info;

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::addrinfo;

use self::charset::Utf8;
use self::info::Refused;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{self, ret, ret_code};
use crate::sys::resolver::{self, AddrList};

pub use info::{AddressDetails, AddressInfo, AddrinfoHints, Service};

/// Looks up the addresses of a host and the port of a service, IPv6 included.
///
/// ```php
/// socket_addrinfo_lookup(
///     string $host,
///     ?string $service = null,
///     array $hints = []
/// ): array|false
/// ```
///
/// No socket system call of its own: C's `getaddrinfo` reads `/etc/hosts` and `/etc/services`. For a name that is not there
/// it asks a name server, which may take seconds. Several threads may call it at once.
///
/// `host` is a name or an address, with or without a scope (`fe80::1%eth0`). A service above 65535 is its low 16 bits, as in
/// PHP: `"70000"` is port 4464. `service` is a name (`"http"`), a port (`"80"`
/// or `80`), or `None` for port 0. `hints` narrow the search; `None` is no hints. Without an `ai_socktype` each address is
/// returned once for each type of socket that the service has.
///
/// Returns the addresses in the order in which to try them (RFC 6724).
///
/// # Errors
///
/// Most failures are [`Silent`](crate::ErrorKind::Silent): PHP returns `false` without a warning. The text is the C
/// library's, and so are [`code`](crate::Error::code) and [`name`](crate::Error::name), which no slot remembers.
///
/// - `EAI_NONAME`, an unknown host: `socket_addrinfo_lookup(): Name or service not known (PHP returns false and says
///   nothing)`
/// - `EAI_AGAIN`, no answer from a name server: `… Temporary failure in name resolution …`; try again later
/// - `EAI_SERVICE`, a service that the type of socket does not have: `… Servname not supported for ai_socktype …`
/// - `EAI_BADFLAGS`, `EAI_SOCKTYPE`, hints that make no sense: `… Bad value for ai_flags …`, `… ai_socktype not supported …`
///
/// These are a `ValueError` in PHP:
///
/// - a hint below 0: `socket_addrinfo_lookup(): Argument #3 ($hints) "ai_flags" key must be between 0 and 2147483647`, and
///   the same for `ai_socktype` and `ai_protocol`
/// - another family: `socket_addrinfo_lookup(): Argument #3 ($hints) "ai_family" key must be AF_INET or AF_INET6`
/// - a host with a NUL: `socket_addrinfo_lookup(): Argument #1 ($host) must not contain any null bytes`
/// - a service with a NUL: `socket_addrinfo_lookup(): Argument #2 ($service) must not contain any null bytes`
///
/// # Differences from PHP
///
/// A hint of another name, for which PHP throws, does not compile. An `ai_family` of 0 (`AF_UNSPEC`) means both families;
/// PHP 8.5 refuses 0 and wants the key left out. PHP ignores the rest of `host` and `service` after a NUL.
///
/// # Examples
///
/// Try one address after another.
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let port = socket_getsockname(&listener)?.port;
///
/// let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
/// let addresses = socket_addrinfo_lookup("localhost", port, hints)?;
/// let client = addresses.iter().find_map(|it| socket_addrinfo_connect(it).ok());
/// assert!(client.is_some());
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/socket_addrinfo_lookup) ·
/// [getaddrinfo(3)](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)
pub fn socket_addrinfo_lookup<'a>(
    host: impl AsRef<OsStr>,
    service: impl Into<Service<'a>>,
    hints: impl Into<Option<AddrinfoHints>>,
) -> Result<Vec<AddressInfo>> {
    let host = CString::new(host.as_ref().as_bytes()).map_err(|_| {
        Error::value(&Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #1 ($host) must not contain any null bytes",
        })
    })?;
    let service = service.into().0.map(|service| CString::new(&*service)).transpose().map_err(|_| {
        Error::value(&Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #2 ($service) must not contain any null bytes",
        })
    })?;
    let service = service.as_ref().map_or(ptr::null(), |service| service.as_ptr());
    let hints = hints.into().unwrap_or_default();
    hints.check().map_err(refused)?;
    let AddrinfoHints { ai_flags, ai_family, ai_socktype, ai_protocol } = hints;
    let hints = addrinfo { ai_socktype, ai_protocol, ..resolver::hints(ai_flags, ai_family) };
    let mut list = ptr::null_mut();
    let _charset = (ai_flags & (ffi::AI_IDN | ffi::AI_CANONIDN) != 0).then(Utf8::begin);

    // SAFETY: `host` ends in a NUL, and so does what `service` points at, unless it is null, which is allowed; both,
    // `hints` and `list` outlive the call. On success `list` points at memory that is ours to free.
    let status = unsafe { libc::getaddrinfo(host.as_ptr(), service, &raw const hints, &raw mut list) };

    ret_code(status).map_err(|code| {
        let site =
            &Site { function: "socket_addrinfo_lookup", message: "(PHP returns false and says nothing)" };
        Error::resolver(site, code)
    })?;
    // SAFETY: the call succeeded, and only this function knows the list.
    let list = unsafe { AddrList::new(list) };
    Ok(list.iter().filter_map(AddressInfo::copied).collect())
}

#[cold]
fn refused(hint: Refused) -> Error {
    Error::value(match hint {
        Refused::Flags => &Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #3 ($hints) \"ai_flags\" key must be between 0 and 2147483647",
        },
        Refused::Family => &Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #3 ($hints) \"ai_family\" key must be AF_INET or AF_INET6",
        },
        Refused::Socktype => &Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #3 ($hints) \"ai_socktype\" key must be between 0 and 2147483647",
        },
        Refused::Protocol => &Site {
            function: "socket_addrinfo_lookup",
            message: "Argument #3 ($hints) \"ai_protocol\" key must be between 0 and 2147483647",
        },
    })
}

/// Creates a socket for an address and connects it there.
///
/// ```php
/// socket_addrinfo_connect(AddressInfo $address): Socket|false
/// ```
///
/// Two system calls, `socket` and `connect`. `address` comes from [`socket_addrinfo_lookup`]; it has the family, the type,
/// the protocol, the port and, for IPv6, the scope. A datagram socket only gets a default peer.
///
/// # Errors
///
/// They are remembered in the thread's slot; the socket is closed.
///
/// - `SOCKET_ECONNREFUSED`: `socket_addrinfo_connect(): Unable to connect address [111]: Connection refused`
/// - `SOCKET_ETIMEDOUT`, `SOCKET_EHOSTUNREACH`, `SOCKET_ENETUNREACH`: no answer, or no route; try the next address
/// - `SOCKET_EPERM`, an address for `SOCK_RAW`: `socket_addrinfo_connect(): Unable to create socket [1]: Operation not
///   permitted`
///
/// # Differences from PHP
///
/// The descriptor is close-on-exec. After a failed `connect` PHP closes it twice, which in a threaded program can close
/// another thread's descriptor.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let port = socket_getsockname(&listener)?.port;
///
/// let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
/// let addresses = socket_addrinfo_lookup("127.0.0.1", port, hints)?;
/// let client = socket_addrinfo_connect(&addresses[0])?;
/// assert_eq!(socket_getpeername(&client)?.port, port);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/socket_addrinfo_connect) ·
/// [connect(2)](https://man7.org/linux/man-pages/man2/connect.2.html)
pub fn socket_addrinfo_connect(address: &AddressInfo) -> Result<Socket> {
    let socket = address.socket().map_err(|_| {
        Error::loud_warning(&Site { function: "socket_addrinfo_connect", message: "Unable to create socket" })
    })?;

    // SAFETY: `as_ptr` points at `len` bytes inside `address`, which outlives the call; `connect` reads them and keeps
    // no pointer.
    let status = unsafe { libc::connect(socket.fd(), address.as_ptr(), address.len()) };

    ret(status).map_err(|_| {
        Error::warning(&Site { function: "socket_addrinfo_connect", message: "Unable to connect address" })
    })?;
    Ok(socket)
}

/// Creates a socket for an address and binds it there.
///
/// ```php
/// socket_addrinfo_bind(AddressInfo $address): Socket|false
/// ```
///
/// Two system calls, `socket` and `bind`. `address` comes from [`socket_addrinfo_lookup`] with the flag `AI_PASSIVE`. A
/// stream socket does not listen yet; [`socket_listen`](crate::socket_listen) is next.
///
/// # Errors
///
/// They are remembered in the thread's slot; the socket is closed.
///
/// - `SOCKET_EADDRINUSE`: `socket_addrinfo_bind(): Unable to bind address [98]: Address already in use`
/// - `SOCKET_EADDRNOTAVAIL`: this machine does not have the address
/// - `SOCKET_EPERM`, an address for `SOCK_RAW`: `socket_addrinfo_bind(): Unable to create socket [1]: Operation not
///   permitted`
///
/// # Differences from PHP
///
/// The descriptor is close-on-exec. After a failed `bind` PHP closes it twice.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let hints = AddrinfoHints::new().ai_flags(AI_PASSIVE).ai_socktype(SOCK_STREAM);
/// let addresses = socket_addrinfo_lookup("localhost", 0, hints)?;
/// let listener = socket_addrinfo_bind(&addresses[0])?;
/// socket_listen(&listener, SOMAXCONN)?;
/// assert_ne!(socket_getsockname(&listener)?.port, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/socket_addrinfo_bind) ·
/// [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html)
pub fn socket_addrinfo_bind(address: &AddressInfo) -> Result<Socket> {
    let socket = address.socket().map_err(|_| {
        Error::loud_warning(&Site { function: "socket_addrinfo_bind", message: "Unable to create socket" })
    })?;

    // SAFETY: `as_ptr` points at `len` bytes inside `address`, which outlives the call; `bind` reads them and keeps no
    // pointer.
    let status = unsafe { libc::bind(socket.fd(), address.as_ptr(), address.len()) };

    ret(status).map_err(|_| {
        Error::warning(&Site { function: "socket_addrinfo_bind", message: "Unable to bind address" })
    })?;
    Ok(socket)
}

/// Returns the fields of an address info.
///
/// ```php
/// socket_addrinfo_explain(AddressInfo $address): array
/// ```
///
/// No system call. The result is a copy; its fields are named as PHP's array keys. It cannot fail.
///
/// # Differences from PHP
///
/// `ai_addr` is a [`SocketName`](crate::SocketName) for both families; PHP's array calls its parts `sin_addr` and
/// `sin_port`, or `sin6_addr` and `sin6_port`. `ai_canonname` is `None` where PHP leaves the key out.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let hints = AddrinfoHints::new().ai_flags(AI_CANONNAME).ai_family(AF_INET);
/// let hints = hints.ai_socktype(SOCK_STREAM);
/// let addresses = socket_addrinfo_lookup("localhost", "http", hints)?;
/// let details = socket_addrinfo_explain(&addresses[0]);
/// assert_eq!(details.ai_addr.to_string(), "127.0.0.1:80");
/// assert_eq!(details.ai_protocol, SOL_TCP);
/// assert_eq!(details.ai_canonname.unwrap(), "localhost");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 20](crate::lessons::lesson_20) · [php.net](https://www.php.net/socket_addrinfo_explain) ·
/// [getaddrinfo(3)](https://man7.org/linux/man-pages/man3/getaddrinfo.3.html)
#[must_use]
pub fn socket_addrinfo_explain(address: &AddressInfo) -> AddressDetails {
    address.details.clone()
}
