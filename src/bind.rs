//! The names of a socket's two ends: sets its own, reads both.

use std::ffi::{CStr, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret;
use crate::sys::name::SocketName;
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{SockAddr, SockAddrBuf};

/// Gives a socket its own address, so that others can find it.
///
/// ```php
/// socket_bind(Socket $socket, string $address, int $port = 0): bool
/// ```
///
/// One system call, `bind`.
///
/// - `address` is an IPv4 or IPv6 address or a host name. A host name is looked up first, as PHP does, which
///   may block.
/// - For `AF_UNIX`, `address` is a path. Bytes that begin with a NUL are an abstract name. With an empty path
///   the kernel chooses an abstract name.
/// - For `AF_PACKET`, `address` is the name of an interface, as in PHP 8.5. The socket's protocol is read
///   first, with `getsockname`.
/// - An IPv4 address on an `AF_INET6` socket, `127.0.0.1`, becomes `::ffff:127.0.0.1`. With the option
///   `IPV6_V6ONLY` it is refused: `SOCKET_EINVAL` here, `SOCKET_ENETUNREACH` from
///   [`socket_connect`](crate::socket_connect) and [`socket_sendto`](crate::socket_sendto). The short form
///   `127.1` is an address for both families.
/// - `port` is in host byte order. For port 0 the kernel chooses a free port, which [`socket_getsockname`]
///   returns. `AF_UNIX` has no ports and ignores it.
///
/// # Errors
///
/// - `SOCKET_EADDRINUSE`: `socket_bind(): Unable to bind address [98]: Address already in use`. Another
///   socket has the address. Or a connection of an earlier socket is in `TIME_WAIT`: set `SO_REUSEADDR`
///   before the bind. Or the path exists: unlink it first.
/// - `SOCKET_EADDRNOTAVAIL`: this machine does not have the address
/// - `SOCKET_EACCES`: the process may not use ports below 1024
/// - `SOCKET_EINVAL`: the socket has an address already, a link-local address has no interface, or an IPv4
///   address meets `IPV6_V6ONLY`
/// - an unknown name: `socket_bind(): Host lookup failed [-10001]: Unknown host`
/// - on an `AF_INET` socket a text that can be no host, such as `::1`, `localhost:80`, `/tmp/x`, `a..b`:
///   `[-10000]: Unknown error -10000`, or the code of an earlier look-up; [`Error::code`](crate::Error::code)
///   lists the resolver's codes
/// - a path of 108 bytes or more: `socket_bind(): Argument #2 ($address) must be less than 108`
/// - a host name or an IP address with a NUL, of kind [`Value`](crate::ErrorKind::Value): `socket_bind():
///   Argument #2 ($address) must not contain any null bytes`
/// - a socket of another family: `socket_bind(): Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET,
///   AF_INET, or AF_INET6`
/// - an `AF_PACKET` socket whose `getsockname` fails: `invalid AF_PACKET socket`
///
/// # Link-local addresses
///
/// An IPv6 address that begins with `fe80:` belongs to one interface and needs its name or number behind a
/// `%`: `fe80::1%eth0`, `fe80::1%2`. This function, [`socket_connect`](crate::socket_connect),
/// [`socket_sendto`](crate::socket_sendto) and [`socket_addrinfo_lookup`](crate::socket_addrinfo_lookup) take
/// it. Without it `bind` and `connect` fail with `SOCKET_EINVAL`; `sendto` lets the kernel choose an
/// interface.
///
/// Names that come back have none, as in PHP: append it to the address of [`socket_getpeername`] before you
/// connect there. [`gethostbyaddr`](crate::gethostbyaddr) and [`inet_pton`](crate::inet_pton) refuse it. A
/// message's name has a field `scope_id`, and a group an interface of its own.
///
/// # Differences from PHP
///
/// A port above 65535 is a `ValueError` in PHP. Here it does not compile, because `port` is a `u16`. PHP
/// ignores the bytes after a NUL in a host name or an IP address; here the NUL is an error.
///
/// # Examples
///
/// The kernel chooses a port, and the program reads which one.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_bind(&socket, "127.0.0.1", 0)?;
/// assert_ne!(socket_getsockname(&socket)?.port, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 02](crate::lessons::lesson_02) · [php.net](https://www.php.net/socket_bind) ·
/// [bind(2)](https://man7.org/linux/man-pages/man2/bind.2.html)
pub fn socket_bind(socket: &Socket, address: impl AsRef<OsStr>, port: u16) -> Result<()> {
    let name = match socket.family() {
        libc::AF_PACKET => packet_address(socket, address.as_ref())?,
        family => {
            resolver::address(family, address.as_ref(), port).map_err(|reason| unresolved(socket, reason))?
        }
    };

    // SAFETY: `as_ptr` points at `len` bytes inside `name`, which outlives the call. `bind` reads them and
    // keeps no pointer.
    let status = unsafe { libc::bind(socket.fd(), name.as_ptr(), name.len()) };

    ret(status)
        .map_err(|_| socket.warning(&Site { function: "socket_bind", message: "Unable to bind address" }))
}

#[cold]
fn unresolved(socket: &Socket, reason: Unresolved) -> Error {
    match reason {
        Unresolved::Family => Error::value(&Site {
            function: "socket_bind",
            message: "Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6",
        }),
        Unresolved::TooLong => Error::value(&Site {
            function: "socket_bind",
            message: "Argument #2 ($address) must be less than 108",
        }),
        Unresolved::Nul => Error::value(&Site {
            function: "socket_bind",
            message: "Argument #2 ($address) must not contain any null bytes",
        }),
        Unresolved::Unknown(code) => {
            socket.remember(&Site { function: "socket_bind", message: "Host lookup failed" }, code)
        }
    }
}

/// The address of an `AF_PACKET` socket: the protocol that it has, on this interface. An unknown interface
/// becomes index 0, which means all of them.
fn packet_address(socket: &Socket, name: &OsStr) -> Result<SockAddr> {
    let mut buffer = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;

    // SAFETY: `buffer` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
    let status = unsafe { libc::getsockname(socket.fd(), buffer.as_mut_ptr(), &raw mut len) };

    ret(status).map_err(|_| {
        Error::bare_value(&Site { function: "socket_bind", message: "invalid AF_PACKET socket" })
    })?;
    let index = resolver::if_nametoindex(name.as_bytes());
    Ok(SockAddr::packet(buffer.packet().0, c_int::try_from(index).unwrap_or(0)))
}

/// Returns a socket's own address.
///
/// ```php
/// socket_getsockname(Socket $socket, string &$address, int &$port = null): bool
/// ```
///
/// One system call, `getsockname`. `address` and `port` are the return value.
///
/// - A bound internet socket has the port that the kernel chose for port 0.
/// - An unbound internet socket has the address `0.0.0.0` (`::`) and the port 0: its name prints `0.0.0.0:0`.
/// - An `AF_UNIX` socket without a name, or with an abstract one, has the address `""`.
/// - An `AF_UNIX` socket has no port: `port` is 0. Ask `name.family` whether there is one.
/// - The scope of an IPv6 address is left out.
///
/// # Errors
///
/// - `SOCKET_ENOTSOCK`: `socket_getsockname(): unable to retrieve socket name [88]: Socket operation on
///   non-socket`. Only a [`Socket`] made from another descriptor can fail so.
/// - a socket of another family: `socket_getsockname(): Argument #1 ($socket) must be one of AF_UNIX,
///   AF_PACKET, AF_INET, or AF_INET6`
/// - an `AF_PACKET` socket that is bound to no interface: `invalid interface index`
///
/// # Differences from PHP
///
/// For an `AF_UNIX` socket PHP leaves `$port` as it was; here `port` is 0.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let name = socket_getsockname(&listener)?;
/// assert_eq!(name.address, "0.0.0.0");
/// println!("listening on {name}");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_getsockname) ·
/// [getsockname(2)](https://man7.org/linux/man-pages/man2/getsockname.2.html)
pub fn socket_getsockname(socket: &Socket) -> Result<SocketName> {
    let mut buffer = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;

    // SAFETY: `buffer` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
    let status = unsafe { libc::getsockname(socket.fd(), buffer.as_mut_ptr(), &raw mut len) };

    ret(status).map_err(|_| {
        socket.warning(&Site { function: "socket_getsockname", message: "unable to retrieve socket name" })
    })?;
    if buffer.family() == libc::AF_PACKET {
        return packet_name(&buffer).ok_or_else(|| {
            Error::bare_value(&Site { function: "socket_getsockname", message: "invalid interface index" })
        });
    }
    buffer.name(buffer.family()).ok_or_else(|| {
        Error::value(&Site {
            function: "socket_getsockname",
            message: "Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6",
        })
    })
}

/// The name of an `AF_PACKET` socket: the interface's name as the address, its index as the port.
fn packet_name(buffer: &SockAddrBuf) -> Option<SocketName> {
    let index = u32::try_from(buffer.packet().1).ok()?;
    let mut name = [0_u8; libc::IF_NAMESIZE];

    // SAFETY: `if_indextoname` writes at most IF_NAMESIZE bytes into `name`, the NUL included, and `name` has
    // as many.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };

    if found.is_null() {
        return None;
    }
    let address = OsStr::from_bytes(CStr::from_bytes_until_nul(&name).ok()?.to_bytes()).into();
    Some(SocketName { address, port: u16::try_from(index).unwrap_or(0), family: libc::AF_PACKET })
}

/// Returns the address of the peer, the socket at the other end.
///
/// ```php
/// socket_getpeername(Socket $socket, string &$address, int &$port = null): bool
/// ```
///
/// One system call, `getpeername`. `address` and `port` are the return value, as in [`socket_getsockname`].
///
/// # Errors
///
/// - `SOCKET_ENOTCONN`: `socket_getpeername(): unable to retrieve peer name [107]: Transport endpoint is not
///   connected`
/// - a socket of another family: `socket_getpeername(): Argument #1 ($socket) must be one of AF_UNIX,
///   AF_INET, or AF_INET6`
///
/// # Differences from PHP
///
/// For an `AF_UNIX` socket PHP leaves `$port` as it was; here `port` is 0.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_connect(&client, "127.0.0.1", socket_getsockname(&listener)?.port)?;
///
/// let server = socket_accept(&listener)?;
/// assert_eq!(socket_getpeername(&server)?, socket_getsockname(&client)?);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 09](crate::lessons::lesson_09) · [php.net](https://www.php.net/socket_getpeername) ·
/// [getpeername(2)](https://man7.org/linux/man-pages/man2/getpeername.2.html)
pub fn socket_getpeername(socket: &Socket) -> Result<SocketName> {
    let mut buffer = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;

    // SAFETY: `buffer` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
    let status = unsafe { libc::getpeername(socket.fd(), buffer.as_mut_ptr(), &raw mut len) };

    ret(status).map_err(|_| {
        socket.warning(&Site { function: "socket_getpeername", message: "unable to retrieve peer name" })
    })?;
    buffer.name(buffer.family()).ok_or_else(|| {
        Error::value(&Site {
            function: "socket_getpeername",
            message: "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6",
        })
    })
}
