//! A socket's life: creates one socket or a pair, sets the blocking mode, closes.

use std::ffi::c_int;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{ret, ret_owned_fd};

/// The flags that `socket(2)` takes in the argument of the type.
const TYPE_FLAGS: c_int = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// The highest type that PHP passes on to the kernel.
const TYPE_MAX: c_int = 10;

/// Creates a socket, which has no address and no peer yet.
///
/// ```php
/// socket_create(int $domain, int $type, int $protocol): Socket|false
/// ```
///
/// One system call, `socket`.
///
/// - `domain` is `AF_INET`, `AF_INET6`, `AF_UNIX` or `AF_PACKET`.
/// - `type` is `SOCK_STREAM`, `SOCK_DGRAM`, `SOCK_SEQPACKET`, `SOCK_RAW` or `SOCK_RDM`. With `SOCK_NONBLOCK`
///   added, no call on the socket blocks.
/// - `protocol` is `SOL_TCP`, `SOL_UDP`, a number from [`getprotobyname`](crate::getprotobyname), or 0 for
///   the type's default. For `AF_PACKET` it is in host byte order.
///
/// Returns the socket. Dropping it closes it.
///
/// # Errors
///
/// - another domain: `socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_PACKET, AF_INET6, or
///   AF_INET`
/// - a type above 10: `socket_create(): Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM,
///   SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK`
/// - `SOCKET_EPROTONOSUPPORT`, `SOCKET_ESOCKTNOSUPPORT`: the domain has no such protocol or type
/// - `SOCKET_EPERM`: `SOCK_RAW` and `AF_PACKET` need `CAP_NET_RAW`
/// - `SOCKET_EMFILE`: `socket_create(): Unable to create socket [24]: Too many open files`
///
/// The codes are remembered in the thread's slot only, because there is no socket.
///
/// # Differences from PHP
///
/// The descriptor is close-on-exec from the start. PHP's is close-on-exec only if `type` has `SOCK_CLOEXEC`.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let tcp = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// let udp = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// assert_ne!(tcp, udp);
///
/// // TCP is no datagram protocol.
/// let error = socket_create(AF_INET, SOCK_DGRAM, SOL_TCP).unwrap_err();
/// assert_eq!(error.code(), SOCKET_EPROTONOSUPPORT);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 01](crate::lessons::lesson_01) · [php.net](https://www.php.net/socket_create) ·
/// [socket(2)](https://man7.org/linux/man-pages/man2/socket.2.html)
pub fn socket_create(domain: c_int, r#type: c_int, protocol: c_int) -> Result<Socket> {
    if !matches!(domain, libc::AF_UNIX | libc::AF_INET | libc::AF_INET6 | libc::AF_PACKET) {
        return Err(Error::value(&Site {
            function: "socket_create",
            message: "Argument #1 ($domain) must be one of AF_UNIX, AF_PACKET, AF_INET6, or AF_INET",
        }));
    }
    if r#type & !TYPE_FLAGS > TYPE_MAX {
        return Err(Error::value(&Site {
            function: "socket_create",
            message: "Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM \
                      optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK",
        }));
    }
    let protocol = if domain == libc::AF_PACKET { network_order(protocol) } else { protocol };

    // SAFETY: `socket` takes three numbers.
    let fd = unsafe { libc::socket(domain, r#type | libc::SOCK_CLOEXEC, protocol) };

    // SAFETY: `fd` is −1, or the kernel has just opened it and it has no other owner.
    unsafe { ret_owned_fd(fd) }.map(|fd| Socket::new(fd, domain, r#type & !TYPE_FLAGS)).map_err(|_| {
        Error::loud_warning(&Site { function: "socket_create", message: "Unable to create socket" })
    })
}

/// Converts an `AF_PACKET` protocol to network byte order, which the kernel wants. PHP leaves a number above
/// 65535 as it is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 16 bits are meant")]
fn network_order(protocol: c_int) -> c_int {
    if protocol > c_int::from(u16::MAX) { protocol } else { c_int::from((protocol as u16).to_be()) }
}

/// Creates two sockets that are connected to each other.
///
/// ```php
/// socket_create_pair(int $domain, int $type, int $protocol, array &$pair): bool
/// ```
///
/// One system call, `socketpair`. On Linux only `AF_UNIX` has pairs. The parameters are those of
/// [`socket_create`]; `pair` is the return value. Each socket reads the bytes that the other one writes.
///
/// # Errors
///
/// - another domain: `socket_create_pair(): Argument #1 ($domain) must be one of AF_UNIX, AF_INET6, or
///   AF_INET`
/// - a type above 10: the same text as [`socket_create`] for argument 2
/// - `SOCKET_EOPNOTSUPP`, for `AF_INET` and `AF_INET6`: `socket_create_pair(): Unable to create socket pair
///   [95]: Operation not supported`
///
/// The codes are remembered in the thread's slot only.
///
/// # Differences from PHP
///
/// Both descriptors are close-on-exec from the start.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (parent, child) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&parent, "over here", None)?;
/// assert_eq!(socket_read(&child, 100, PHP_BINARY_READ)?, b"over here");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 17](crate::lessons::lesson_17) · [php.net](https://www.php.net/socket_create_pair) ·
/// [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html)
pub fn socket_create_pair(domain: c_int, r#type: c_int, protocol: c_int) -> Result<(Socket, Socket)> {
    if !matches!(domain, libc::AF_UNIX | libc::AF_INET | libc::AF_INET6) {
        return Err(Error::value(&Site {
            function: "socket_create_pair",
            message: "Argument #1 ($domain) must be one of AF_UNIX, AF_INET6, or AF_INET",
        }));
    }
    if r#type & !TYPE_FLAGS > TYPE_MAX {
        return Err(Error::value(&Site {
            function: "socket_create_pair",
            message: "Argument #2 ($type) must be one of SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, or SOCK_RDM \
                      optionally OR'ed with SOCK_CLOEXEC, SOCK_NONBLOCK",
        }));
    }
    let mut fds = [-1; 2];

    // SAFETY: `socketpair` writes two numbers into `fds`, an array of two, and keeps no pointer.
    let status = unsafe { libc::socketpair(domain, r#type | libc::SOCK_CLOEXEC, protocol, fds.as_mut_ptr()) };

    ret(status).map_err(|_| {
        Error::loud_warning(&Site { function: "socket_create_pair", message: "Unable to create socket pair" })
    })?;
    let end = |fd| {
        // SAFETY: the kernel has just opened `fd`, and it has no other owner.
        Socket::new(unsafe { OwnedFd::from_raw_fd(fd) }, domain, r#type & !TYPE_FLAGS)
    };
    Ok((end(fds[0]), end(fds[1])))
}

/// Makes the calls on a socket wait until they can be done. A new socket is in this mode.
///
/// ```php
/// socket_set_block(Socket $socket): bool
/// ```
///
/// Two system calls, `fcntl` with `F_GETFL` and `fcntl` with `F_SETFL`.
///
/// # Errors
///
/// - `socket_set_block(): unable to set blocking mode [9]: Bad file descriptor`, and the other errors of
///   fcntl(2)
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_set_nonblock(&here)?;
/// let error = socket_read(&here, 10, PHP_BINARY_READ).unwrap_err();
/// assert!(error.is_quiet());
///
/// socket_set_block(&here)?;
/// socket_write(&there, "now", None)?;
/// assert_eq!(socket_read(&here, 10, PHP_BINARY_READ)?, b"now");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 14](crate::lessons::lesson_14) · [php.net](https://www.php.net/socket_set_block) ·
/// [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html)
pub fn socket_set_block(socket: &Socket) -> Result<()> {
    let status = socket.status_flags().and_then(|flags| {
        // SAFETY: F_SETFL takes a number; the descriptor is open as long as `socket` lives.
        ret(unsafe { libc::fcntl(socket.fd(), libc::F_SETFL, flags & !libc::O_NONBLOCK) })
    });

    status.map_err(|_| {
        socket.warning(&Site { function: "socket_set_block", message: "unable to set blocking mode" })
    })?;
    socket.set_accepts_nonblocking(false);
    Ok(())
}

/// Makes the calls on a socket return at once, with `SOCKET_EAGAIN` where they would block.
///
/// ```php
/// socket_set_nonblock(Socket $socket): bool
/// ```
///
/// Two system calls, `fcntl` with `F_GETFL` and `fcntl` with `F_SETFL`. `SOCKET_EAGAIN` is a quiet error, see
/// [`Error::is_quiet`]. [`socket_select`](crate::socket_select) reports when the call can be tried again.
///
/// [`socket_accept`](crate::socket_accept) gives sockets that do not block if this function was the last to
/// set the listener's mode.
///
/// # Errors
///
/// - `socket_set_nonblock(): unable to set nonblocking mode [9]: Bad file descriptor`, and the other errors
///   of fcntl(2)
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// socket_set_nonblock(&listener)?;
///
/// // No connection waits, and the program continues.
/// let error = socket_accept(&listener).unwrap_err();
/// assert_eq!(error.code(), SOCKET_EAGAIN);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 08](crate::lessons::lesson_08) · [php.net](https://www.php.net/socket_set_nonblock) ·
/// [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html)
pub fn socket_set_nonblock(socket: &Socket) -> Result<()> {
    let status = socket.status_flags().and_then(|flags| {
        // SAFETY: F_SETFL takes a number; the descriptor is open as long as `socket` lives.
        ret(unsafe { libc::fcntl(socket.fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) })
    });

    status.map_err(|_| {
        socket.warning(&Site { function: "socket_set_nonblock", message: "unable to set nonblocking mode" })
    })?;
    socket.set_accepts_nonblocking(true);
    Ok(())
}

/// Closes a socket. A peer that has read everything then reads the end of the stream.
///
/// ```php
/// socket_close(Socket $socket): void
/// ```
///
/// One system call, `close`. Dropping a [`Socket`] does the same; this function has PHP's name. An error of
/// close(2) is not reported, as in PHP.
///
/// - A TCP port may stay in use for a minute, by connections in `TIME_WAIT`. `SO_REUSEADDR` lets a server
///   bind it all the same.
/// - The path of an `AF_UNIX` socket stays until it is unlinked.
/// - If bytes that have arrived were not read, the peer gets `SOCKET_ECONNRESET`.
/// - With `SO_LINGER`, closing waits until the peer has confirmed all bytes, or until the time is over: on a
///   socket that does not block too, and where a `Socket` is dropped. A server of many clients stands still
///   meanwhile. A time of 0 waits for nothing: the bytes are thrown away, and the peer gets
///   `SOCKET_ECONNRESET`.
///
/// # Differences from PHP
///
/// The function takes the socket, so a second call does not compile. PHP reports it at run time:
/// `socket_close(): Argument #1 ($socket) has already been closed`.
///
/// ```compile_fail,E0382
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_close(socket);
/// socket_close(socket);
/// # Ok::<(), Error>(())
/// ```
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_close(here);
/// assert_eq!(socket_read(&there, 10, PHP_BINARY_READ)?, b"");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 01](crate::lessons::lesson_01) · [php.net](https://www.php.net/socket_close) ·
/// [close(2)](https://man7.org/linux/man-pages/man2/close.2.html)
pub fn socket_close(socket: Socket) {
    let fd = socket.into_raw_fd();

    // SAFETY: `into_raw_fd` has taken the descriptor from its only owner: it is open, and no `Socket` closes
    // it again. Linux closes it whatever `close` returns, so there is nothing to try again. PHP ignores the
    // result too.
    unsafe { libc::close(fd) };
}
