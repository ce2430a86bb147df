//! Datagrams with an address: sends to one, receives from one.

use std::ffi::{OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use crate::arguments::Port;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{ret_usize, ret_written};
use crate::sys::name::SocketName;
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{PATH_MAX, SockAddrBuf, until_nul};
use crate::transfer::capacity::{self, Refused};

/// Sends one datagram to an address.
///
/// ```php
/// socket_sendto(
///     Socket $socket,
///     string $data,
///     int $length,
///     int $flags,
///     string $address,
///     ?int $port = null
/// ): int|false
/// ```
///
/// One system call, `sendto`; a host name is looked up first.
///
/// - `length` is the number of bytes to send, at most all of `data`; 0 sends an empty datagram.
/// - `flags` is as in [`socket_send`](crate::socket_send).
/// - `address` and `port` are as in [`socket_connect`](crate::socket_connect). For `AF_UNIX` the path ends at
///   the first NUL, so abstract names cannot be reached.
///
/// Returns the number of bytes sent. A datagram is sent whole or not at all.
///
/// # Errors
///
/// - `SOCKET_EMSGSIZE`: `socket_sendto(): Unable to write to socket [90]: Message too long`
/// - `SOCKET_EACCES`: a broadcast address, such as 255.255.255.255, without `SO_BROADCAST`
/// - `SOCKET_EAGAIN`, quiet: a buffer of the kernel is full, and the socket does not block or `flags` has
///   `MSG_DONTWAIT`
/// - `SOCKET_ECONNREFUSED`: `AF_UNIX`, no socket has that path. Or a connected UDP socket: no socket has
///   the port that an earlier datagram went to. It is told once, as in
///   [`socket_write`](crate::socket_write). A UDP socket that is not connected never learns of a closed
///   port: every call succeeds.
/// - `SOCKET_ENOENT`: `AF_UNIX`, no such path
/// - `SOCKET_EINVAL`: port 0, or an abstract `AF_UNIX` name
/// - `SOCKET_ENETUNREACH`: no route, or an IPv4 address that meets `IPV6_V6ONLY`
/// - an unknown name: `socket_sendto(): Host lookup failed [-10001]: Unknown host`
/// - on an `AF_INET` socket a text that can be no host, such as `::1`, `localhost:80`, `/tmp/x`, `a..b`:
///   `[-10000]: Unknown error -10000`, or the code of an earlier look-up; [`Error::code`](crate::Error::code)
///   lists the resolver's codes
/// - no port: `socket_sendto(): Argument #6 ($port) cannot be null when the socket type is AF_INET` (or
///   `AF_INET6`)
/// - a path of 108 bytes or more: `socket_sendto(): Argument #5 ($address) must be less than 108`
/// - a host name or an IP address with a NUL, of kind [`Value`](crate::ErrorKind::Value): `socket_sendto():
///   Argument #5 ($address) must not contain any null bytes`
/// - `MSG_ZEROCOPY`, as in [`socket_send`](crate::socket_send): `socket_sendto(): Argument #4 ($flags) must
///   not contain MSG_ZEROCOPY`
/// - a socket of another family: `socket_sendto(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or
///   AF_INET6`
///
/// # Differences from PHP
///
/// PHP ignores the bytes after a NUL in a host name or an IP address; here the NUL is an error. A negative
/// length and a port above 65535 are `ValueError`s in PHP; here they do not compile.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_bind(&receiver, "127.0.0.1", 0)?;
/// let port = socket_getsockname(&receiver)?.port;
///
/// let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// assert_eq!(socket_sendto(&sender, "ahoy", 4, 0, "127.0.0.1", port)?, 4);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 16](crate::lessons::lesson_16) · [php.net](https://www.php.net/socket_sendto) ·
/// [send(2)](https://man7.org/linux/man-pages/man2/send.2.html)
pub fn socket_sendto(
    socket: &Socket,
    data: impl AsRef<[u8]>,
    length: usize,
    flags: c_int,
    address: impl AsRef<OsStr>,
    port: impl Port,
) -> Result<usize> {
    if flags & libc::MSG_ZEROCOPY != 0 {
        return Err(Error::value(&Site {
            function: "socket_sendto",
            message: "Argument #4 ($flags) must not contain MSG_ZEROCOPY",
        }));
    }
    let port = match (socket.family(), port.port()) {
        (libc::AF_INET, None) => {
            return Err(Error::value(&Site {
                function: "socket_sendto",
                message: "Argument #6 ($port) cannot be null when the socket type is AF_INET",
            }));
        }
        (libc::AF_INET6, None) => {
            return Err(Error::value(&Site {
                function: "socket_sendto",
                message: "Argument #6 ($port) cannot be null when the socket type is AF_INET6",
            }));
        }
        (_, port) => port.unwrap_or_default(),
    };
    let name = resolver::address(socket.family(), path_as_c_string(socket, address.as_ref()), port)
        .map_err(|reason| unresolved(socket, reason))?;
    let data = data.as_ref();
    let length = length.min(data.len());

    // SAFETY: `data` has at least `length` bytes, and `as_ptr` points at `len` bytes inside `name`. Both
    // outlive the call, which only reads them. Without MSG_ZEROCOPY the kernel copies them and keeps no
    // pointer.
    let count =
        unsafe { libc::sendto(socket.fd(), data.as_ptr().cast(), length, flags, name.as_ptr(), name.len()) };

    ret_usize(count).map_err(|_| {
        socket.warning(&Site { function: "socket_sendto", message: "Unable to write to socket" })
    })
}

#[cold]
fn unresolved(socket: &Socket, reason: Unresolved) -> Error {
    match reason {
        Unresolved::Family => Error::value(&Site {
            function: "socket_sendto",
            message: "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6",
        }),
        Unresolved::TooLong => Error::value(&Site {
            function: "socket_sendto",
            message: "Argument #5 ($address) must be less than 108",
        }),
        Unresolved::Nul => Error::value(&Site {
            function: "socket_sendto",
            message: "Argument #5 ($address) must not contain any null bytes",
        }),
        Unresolved::Unknown(code) => {
            socket.remember(&Site { function: "socket_sendto", message: "Host lookup failed" }, code)
        }
    }
}

/// Cuts an `AF_UNIX` path at the first NUL: PHP takes it as a C string here, unlike in bind and connect. A
/// path that is too long stays as it is, so that it is refused.
fn path_as_c_string<'a>(socket: &Socket, address: &'a OsStr) -> &'a OsStr {
    if socket.family() != libc::AF_UNIX || address.len() >= PATH_MAX {
        return address;
    }
    OsStr::from_bytes(until_nul(address.as_bytes()))
}

/// Receives one datagram and the address of its sender.
///
/// ```php
/// socket_recvfrom(
///     Socket $socket,
///     string &$data,
///     int $length,
///     int $flags,
///     string &$address,
///     int &$port = null
/// ): int|false
/// ```
///
/// One system call, `recvfrom`. The bytes replace those of `data`, and its capacity is retained. `length` is
/// the highest number of bytes to receive; the rest of a longer datagram is lost. `flags` is as in
/// [`socket_recv`](crate::socket_recv).
///
/// Returns the number of bytes in `data`, and the sender as a [`SocketName`], which has `address` and `port`.
///
/// - 0 bytes are an empty datagram, or the end of a stream.
/// - A connected TCP socket gives the address `0.0.0.0` (`::`) and the port 0.
/// - An `AF_UNIX` sender without a name, or with an abstract one, has the address `""`. Its port is 0.
/// - With `MSG_TRUNC` the number is the real length of a datagram and may be more than `length`; `data` has
///   the bytes that fit.
///
/// # Errors
///
/// `data` stays as it was.
///
/// - `SOCKET_EAGAIN`, quiet: nothing has arrived, and the socket does not block, `flags` has `MSG_DONTWAIT`,
///   or `SO_RCVTIMEO` ran out
/// - `SOCKET_ENOTCONN`: `socket_recvfrom(): Unable to recvfrom [107]: Transport endpoint is not connected`;
///   for `AF_INET6` PHP writes `unable to recvfrom`
/// - `SOCKET_ECONNREFUSED`: the socket is connected, and no socket received an earlier datagram. A server's
///   socket, which is not connected, never fails so.
/// - a socket of another family: `socket_recvfrom(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET,
///   or AF_INET6`
/// - length 0, or a failed allocation: PHP returns `false` without a warning
///   ([`ErrorKind::Silent`](crate::ErrorKind)); no slot changes
///
/// # Differences from PHP
///
/// PHP demands the sixth argument for `AF_INET` and `AF_INET6`. Here the sender is always returned. For
/// `AF_UNIX` PHP leaves `$port` as it was; here the sender's port is 0.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_bind(&receiver, "127.0.0.1", 0)?;
/// let port = socket_getsockname(&receiver)?.port;
/// let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_sendto(&sender, "ahoy", 4, 0, "127.0.0.1", port)?;
///
/// let mut data = Vec::new();
/// let (count, from) = socket_recvfrom(&receiver, &mut data, 1500, 0)?;
/// assert_eq!((count, &data[..]), (4, &b"ahoy"[..]));
/// assert_eq!(from.port, socket_getsockname(&sender)?.port);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 16](crate::lessons::lesson_16) · [php.net](https://www.php.net/socket_recvfrom) ·
/// [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
pub fn socket_recvfrom(
    socket: &Socket,
    data: &mut Vec<u8>,
    length: usize,
    flags: c_int,
) -> Result<(usize, SocketName)> {
    // The datagram is received after the old bytes, so that a failure leaves them as they are.
    let old = data.len();
    capacity::reserve_after(data, length).map_err(refused)?;
    capacity::zero_if_skipping(data, old, length, flags);
    data.truncate(old);

    let unable = match socket.family() {
        libc::AF_UNIX | libc::AF_INET => &Site { function: "socket_recvfrom", message: "Unable to recvfrom" },
        libc::AF_INET6 => &Site { function: "socket_recvfrom", message: "unable to recvfrom" },
        _ => return Err(Error::value(&FAMILY)),
    };
    let mut sender = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;
    let free = &mut data.spare_capacity_mut()[..length];

    // SAFETY: `free` is `length` writable bytes, and `sender` is writable for `len` bytes. All outlive the
    // call, which keeps no pointer.
    let count = unsafe {
        libc::recvfrom(
            socket.fd(),
            free.as_mut_ptr().cast(),
            length,
            flags,
            sender.as_mut_ptr(),
            &raw mut len,
        )
    };

    let written = ret_written(count, length).map_err(|_| socket.warning(unable))?;
    // SAFETY: `written` is at most `length`, for which there is capacity after the `old` bytes. `recvfrom`
    // wrote each byte that it counted and that fits, or `zero_if_skipping` has zeroed all of them.
    unsafe { data.set_len(old + written) };
    data.drain(..old);
    let name = sender.name(socket.family()).ok_or_else(|| Error::value(&FAMILY))?;
    Ok((capacity::reported(count, written, flags), name))
}

#[cold]
fn refused(reason: Refused) -> Error {
    Error::silent(match reason {
        Refused::Empty => &Site {
            function: "socket_recvfrom",
            message: "the length is 0 (PHP returns false and says nothing)",
        },
        Refused::TooLong => &Site {
            function: "socket_recvfrom",
            message: "there is no memory for so many bytes (PHP returns false and says nothing, or dies)",
        },
    })
}

static FAMILY: Site = Site {
    function: "socket_recvfrom",
    message: "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6",
};
