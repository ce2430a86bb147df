//! Messages with an address: sendto and recvfrom.

use std::ffi::{OsStr, c_int};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{ret_usize, ret_written};
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{Buffer, PATH_MAX, SocketName, until_nul};
use crate::transfer::capacity::{self, Refused};

/// Sends one datagram to an address.
///
/// ```php
/// socket_sendto(Socket $socket, string $data, int $length, int $flags, string $address, ?int $port = null): int|false
/// ```
///
/// One system call, `sendto`; a host name is looked up first. `length` is the number of bytes to send, no more than
/// `data` has; 0 sends an empty datagram. `flags` as in [`socket_send`](crate::socket_send). `address` and `port` as in
/// [`socket_connect`](crate::socket_connect); `AF_UNIX` ends the path at the first NUL, so that it cannot reach abstract
/// names. Returns the number of bytes sent: a datagram goes whole or not at all.
///
/// # Errors
///
/// - `SOCKET_EMSGSIZE`: `socket_sendto(): Unable to write to socket [90]: Message too long`
/// - `SOCKET_EACCES`: a broadcast address without `SO_BROADCAST`
/// - `SOCKET_EAGAIN`, quiet: the socket or `MSG_DONTWAIT` does not wait, and there is no room
/// - `SOCKET_ECONNREFUSED`, `SOCKET_ENOENT`: `AF_UNIX`, nobody has that path
/// - `SOCKET_EINVAL`: an abstract `AF_UNIX` name
/// - an unknown name: `socket_sendto(): Host lookup failed [-10001]: Unknown host`
/// - no port: `socket_sendto(): Argument #6 ($port) cannot be null when the socket type is AF_INET` (or `AF_INET6`)
/// - a path of 108 bytes or more: `socket_sendto(): Argument #5 ($address) must be less than 108`
/// - a host name with a NUL: `socket_sendto(): Argument #5 ($address) must not contain any null bytes`
/// - `MSG_ZEROCOPY`, as in [`socket_send`](crate::socket_send):
///   `socket_sendto(): Argument #4 ($flags) must not contain MSG_ZEROCOPY`
/// - a socket of another family: `socket_sendto(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6`
///
/// # Differences from PHP
///
/// PHP ignores what follows a NUL in a host name.
/// A negative length and a port above 65535, `ValueError`s in PHP, do not compile.
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
    port: impl Into<Option<u16>>,
) -> Result<usize> {
    if flags & libc::MSG_ZEROCOPY != 0 {
        return Err(Error::value(&Site {
            function: "socket_sendto",
            message: "Argument #4 ($flags) must not contain MSG_ZEROCOPY",
        }));
    }
    let port = match (socket.family(), port.into()) {
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

    // SAFETY: `data` has at least `length` bytes, `as_ptr` points at `len` bytes inside `name`; both outlive the call,
    // which only reads them. Without MSG_ZEROCOPY the kernel copies them and keeps no pointer.
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

/// Here, unlike in bind and connect, PHP takes an `AF_UNIX` path as a C string. One that is too long stays as it is, to
/// be refused.
fn path_as_c_string<'a>(socket: &Socket, address: &'a OsStr) -> &'a OsStr {
    if socket.family() != libc::AF_UNIX || address.len() >= PATH_MAX {
        return address;
    }
    OsStr::from_bytes(until_nul(address.as_bytes()))
}

/// Receives one datagram, and who sent it.
///
/// ```php
/// socket_recvfrom(Socket $socket, string &$data, int $length, int $flags, string &$address, int &$port = null): int|false
/// ```
///
/// One system call, `recvfrom`. `data` is replaced by what arrived; its capacity is kept. `length` is the largest
/// number of bytes to receive: what a datagram has more is lost. `flags` as in [`socket_recv`](crate::socket_recv).
/// Returns the number of bytes and the sender; `address` and `port` are in the [`SocketName`]. 0 bytes is an empty
/// datagram, or the end of a stream. A connected TCP socket gives the address `0.0.0.0` (`::`) and port 0, an `AF_UNIX`
/// sender without a name, or with an abstract one, the address `""`.
///
/// With `MSG_TRUNC` the number is a datagram's real length and may exceed `length`: `data` holds what fits. Without it the
/// number is that of the bytes in `data`.
///
/// # Errors
///
/// `data` stays as it was.
///
/// - `SOCKET_EAGAIN`, quiet: nothing has arrived, and the socket or `MSG_DONTWAIT` does not wait, or `SO_RCVTIMEO` ran out
/// - `SOCKET_ENOTCONN`: `socket_recvfrom(): Unable to recvfrom [107]: Transport endpoint is not connected`; for `AF_INET6`
///   PHP writes `unable to recvfrom`
/// - `SOCKET_ECONNREFUSED`: an earlier datagram found nobody
/// - a socket of another family:
///   `socket_recvfrom(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6`
/// - length 0, or more than there is memory for: PHP returns `false` and says nothing
///   ([`ErrorKind::Silent`](crate::ErrorKind)); no slot is touched
///
/// # Differences from PHP
///
/// PHP demands the sixth argument for `AF_INET` and `AF_INET6`; here there is none to forget.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_bind(&receiver, "127.0.0.1", 0)?;
/// let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_sendto(&sender, "ahoy", 4, 0, "127.0.0.1", socket_getsockname(&receiver)?.port)?;
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
    // What arrives goes behind the old data, so that a failure leaves those alone.
    let old = data.len();
    capacity::reserve_after(data, length).map_err(refused)?;
    capacity::zero_if_skipping(data, old, length, flags);
    data.truncate(old);

    let unable = match socket.family() {
        libc::AF_UNIX | libc::AF_INET => &Site { function: "socket_recvfrom", message: "Unable to recvfrom" },
        libc::AF_INET6 => &Site { function: "socket_recvfrom", message: "unable to recvfrom" },
        _ => return Err(Error::value(&FAMILY)),
    };
    let mut sender = Buffer::new();
    let mut len = Buffer::LEN;

    let free = &mut data.spare_capacity_mut()[..length];
    // SAFETY: `free` is `length` writable bytes, `sender` is writable for the `len` bytes given; all outlive the call.
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
    // SAFETY: `written` is no more than `length`, for which there is capacity behind the `old` bytes; `recvfrom` wrote each
    // byte that it counted and that fits, or `zero_if_skipping` has zeroed all of them.
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
