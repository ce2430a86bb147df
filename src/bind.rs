//! The names of a socket's two ends: give one, ask for either.

use std::ffi::{CStr, OsStr, OsString, c_int};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret;
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{Buffer, SockAddr, SocketName};

/// Gives a socket its own address, so that others can find it.
///
/// ```php
/// socket_bind(Socket $socket, string $address, int $port = 0): bool
/// ```
///
/// One system call, `bind`; a host name is looked up first, as PHP does, which may block. `address` is an IPv4 or IPv6
/// address or a host name, or the path of an `AF_UNIX` socket: bytes that begin with a NUL name an abstract socket, an
/// empty path lets the kernel choose an abstract name. `port` is in host byte order; 0 lets the kernel choose a free
/// one, and [`socket_getsockname`] says which. `AF_UNIX` has no port and ignores it. For an `AF_PACKET` socket, as in PHP
/// 8.5, `address` is the name of an interface, and its protocol is asked for first (`getsockname`).
///
/// # Errors
///
/// - `SOCKET_EADDRINUSE`: `socket_bind(): Unable to bind address [98]: Address already in use`. Another socket has
///   the address, or a connection of an earlier one is in `TIME_WAIT`: `SO_REUSEADDR` is for that. Or the path exists:
///   unlink it first.
/// - `SOCKET_EADDRNOTAVAIL`: the address is not this machine's
/// - `SOCKET_EACCES`: a port below 1024 without the right to it
/// - `SOCKET_EINVAL`: the socket has an address already
/// - an unknown name: `socket_bind(): Host lookup failed [-10001]: Unknown host`
/// - a path of 108 bytes or more: `socket_bind(): Argument #2 ($address) must be less than 108`
/// - a host name with a NUL: `socket_bind(): Argument #2 ($address) must not contain any null bytes`
/// - a socket of another family:
///   `socket_bind(): Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6`
/// - an `AF_PACKET` socket that the kernel does not name: `invalid AF_PACKET socket`
///
/// # Differences from PHP
///
/// A port above 65535, a `ValueError` in PHP, does not compile: a `u16` cannot hold that mistake. PHP ignores what follows a NUL in a
/// host name; here it is an error.
///
/// # Examples
///
/// Let the kernel pick a port, and ask which it was.
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
        libc::AF_PACKET => interface(socket, address.as_ref())?,
        family => {
            resolver::address(family, address.as_ref(), port).map_err(|reason| unresolved(socket, reason))?
        }
    };

    // SAFETY: `as_ptr` points at `len` bytes inside `name`, which outlives the call; `bind` reads them and keeps no
    // pointer.
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

/// The address of an `AF_PACKET` socket: the protocol it has, on this interface. An unknown one means all of them.
fn interface(socket: &Socket, name: &OsStr) -> Result<SockAddr> {
    let mut buffer = Buffer::new();
    let mut len = Buffer::LEN;

    // SAFETY: `buffer` is writable for the `len` bytes given, and both outlive the call.
    let status = unsafe { libc::getsockname(socket.fd(), buffer.as_mut_ptr(), &raw mut len) };

    ret(status).map_err(|_| {
        Error::bare_value(&Site { function: "socket_bind", message: "invalid AF_PACKET socket" })
    })?;
    let index = resolver::if_nametoindex(name.as_bytes());
    Ok(SockAddr::packet(buffer.packet().0, c_int::try_from(index).unwrap_or(0)))
}

/// Asks for a socket's own address.
///
/// ```php
/// socket_getsockname(Socket $socket, string &$address, int &$port = null): bool
/// ```
///
/// One system call, `getsockname`. `address` and `port` are the return value. This is how to learn the port that the
/// kernel chose for port 0. An unbound internet socket has the address `0.0.0.0` (`::`) and the port 0; an `AF_UNIX`
/// socket without a name, or with an abstract one, the address `""`. The scope of an IPv6 address is not part of it.
///
/// # Errors
///
/// - `SOCKET_ENOTSOCK`: `socket_getsockname(): unable to retrieve socket name [88]: Socket operation on non-socket`;
///   only a [`Socket`] made from another descriptor can be that
/// - a socket of another family:
///   `socket_getsockname(): Argument #1 ($socket) must be one of AF_UNIX, AF_PACKET, AF_INET, or AF_INET6`
/// - an `AF_PACKET` socket that is bound to no interface: `invalid interface index`
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
    let mut buffer = Buffer::new();
    let mut len = Buffer::LEN;

    // SAFETY: `buffer` is writable for the `len` bytes given, and both outlive the call.
    let status = unsafe { libc::getsockname(socket.fd(), buffer.as_mut_ptr(), &raw mut len) };

    ret(status).map_err(|_| {
        socket.warning(&Site { function: "socket_getsockname", message: "unable to retrieve socket name" })
    })?;
    if buffer.family() == libc::AF_PACKET {
        return interface_name(&buffer).ok_or_else(|| {
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

/// The name of an `AF_PACKET` socket: its interface's name, and the interface's index for a port.
fn interface_name(buffer: &Buffer) -> Option<SocketName> {
    let index = u32::try_from(buffer.packet().1).ok()?;
    let mut name = [0_u8; libc::IF_NAMESIZE];

    // SAFETY: `if_indextoname` writes at most IF_NAMESIZE bytes, the NUL included, and `name` has as many.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };

    if found.is_null() {
        return None;
    }
    let address: OsString = OsStr::from_bytes(CStr::from_bytes_until_nul(&name).ok()?.to_bytes()).to_owned();
    Some(SocketName { address, port: u16::try_from(index).unwrap_or(0), family: libc::AF_PACKET })
}

/// Asks for the address of the peer, the socket at the other end.
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
/// - a socket of another family:
///   `socket_getpeername(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6`
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
    let mut buffer = Buffer::new();
    let mut len = Buffer::LEN;

    // SAFETY: `buffer` is writable for the `len` bytes given, and both outlive the call.
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
