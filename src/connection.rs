//! A connection's life: listens, accepts, connects, shuts down.

use std::ffi::{OsStr, c_int};

use crate::arguments::Port;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{ret, ret_owned_fd};
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{SockAddr, SockAddrBuf};

/// Turns a socket into a listener: the kernel completes connections to its address and queues them.
///
/// ```php
/// socket_listen(Socket $socket, int $backlog = 0): bool
/// ```
///
/// One system call, `listen`. `backlog` is the number of connections that may wait for [`socket_accept`];
/// PHP's default is 0. The kernel limits it to `net.core.somaxconn`, and queues one connection more. A TCP
/// socket without an address gets a free port on `0.0.0.0` (`::`).
///
/// # Errors
///
/// - `SOCKET_EOPNOTSUPP`, for datagram sockets: `socket_listen(): unable to listen on socket [95]: Operation
///   not supported`
/// - `SOCKET_EINVAL`: an `AF_UNIX` socket without a name
/// - `SOCKET_EADDRINUSE`: another listener has the port
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_bind(&listener, "127.0.0.1", 0)?;
/// socket_listen(&listener, SOMAXCONN)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_listen) ·
/// [listen(2)](https://man7.org/linux/man-pages/man2/listen.2.html)
pub fn socket_listen(socket: &Socket, backlog: c_int) -> Result<()> {
    // SAFETY: `listen` takes two numbers; the descriptor is open as long as `socket` lives.
    let status = unsafe { libc::listen(socket.fd(), backlog) };

    ret(status).map_err(|_| {
        socket.warning(&Site { function: "socket_listen", message: "unable to listen on socket" })
    })
}

/// Creates a TCP socket that listens on every IPv4 address of this machine, in one step.
///
/// ```php
/// socket_create_listen(int $port, int $backlog = SOMAXCONN): Socket|false
/// ```
///
/// Three system calls, `socket`, `bind` to `0.0.0.0` and `listen`. `port` is in host byte order; 0 is a free
/// one. `backlog` is as in [`socket_listen`]; PHP's default is `SOMAXCONN`. `SO_REUSEADDR` is not set.
///
/// Other machines can connect to `0.0.0.0` too. A listener for this machine alone binds `127.0.0.1`, with
/// [`socket_create`](crate::socket_create), [`socket_bind`](crate::socket_bind) and [`socket_listen`].
///
/// # Errors
///
/// Each step has its own message. The code is remembered in the thread's slot, and the socket is closed.
///
/// - `SOCKET_EMFILE`: `socket_create_listen(): unable to create listening socket [24]: Too many open files`
/// - `SOCKET_EADDRINUSE`: `socket_create_listen(): unable to bind to given address [98]: Address already in
///   use`
/// - `SOCKET_EADDRINUSE`, another listener was first: `socket_create_listen(): unable to listen on socket
///   [98]: …`
///
/// # Differences from PHP
///
/// The descriptor is close-on-exec. A port below 0 or above 65535 is a `ValueError` in PHP; here it does not
/// compile.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let taken = socket_getsockname(&listener)?.port;
///
/// let error = socket_create_listen(taken, SOMAXCONN).unwrap_err();
/// assert_eq!(error.name(), "SOCKET_EADDRINUSE");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 04](crate::lessons::lesson_04) · [php.net](https://www.php.net/socket_create_listen) ·
/// [socket(2)](https://man7.org/linux/man-pages/man2/socket.2.html)
pub fn socket_create_listen(port: u16, backlog: c_int) -> Result<Socket> {
    // SAFETY: `socket` takes three numbers.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    // SAFETY: `fd` is −1, or the kernel has just opened it and it has no other owner.
    let fd = unsafe { ret_owned_fd(fd) }.map_err(|_| {
        Error::warning(&Site {
            function: "socket_create_listen",
            message: "unable to create listening socket",
        })
    })?;
    let socket = Socket::new(fd, libc::AF_INET, libc::SOCK_STREAM);

    let name = SockAddr::inet([0, 0, 0, 0], port);
    // SAFETY: `as_ptr` points at `len` bytes inside `name`, which outlives the call. `bind` reads them and
    // keeps no pointer.
    let status = unsafe { libc::bind(socket.fd(), name.as_ptr(), name.len()) };
    ret(status).map_err(|_| {
        Error::warning(&Site { function: "socket_create_listen", message: "unable to bind to given address" })
    })?;

    // SAFETY: `listen` takes two numbers; the descriptor is open as long as `socket` lives.
    let status = unsafe { libc::listen(socket.fd(), backlog) };
    ret(status).map_err(|_| {
        Error::warning(&Site { function: "socket_create_listen", message: "unable to listen on socket" })
    })?;
    Ok(socket)
}

/// Takes the next connection from a listener's queue, as a new socket. Waits while the queue is empty.
///
/// ```php
/// socket_accept(Socket $socket): Socket|false
/// ```
///
/// One system call, `accept4` with `SOCK_CLOEXEC`. The listener continues to listen. Dropping the new socket
/// closes the connection.
///
/// The call has `SOCK_NONBLOCK` too, so that the new socket does not block, in two cases:
///
/// - [`socket_set_nonblock`](crate::socket_set_nonblock), and not
///   [`socket_set_block`](crate::socket_set_block), was called last on the listener.
/// - The listener was made from an [`OwnedFd`](std::os::fd::OwnedFd) that did not block at that moment, and
///   neither was called since.
///
/// A listener that was created with `SOCK_NONBLOCK` gives sockets that block.
///
/// # Errors
///
/// The codes are remembered in the thread's slot, not in the listener's.
///
/// - `SOCKET_EAGAIN`, quiet: the listener does not block and no connection waits, or `SO_RCVTIMEO` ran out
/// - `SOCKET_EINVAL`: `socket_accept(): unable to accept incoming connection [22]: Invalid argument`; the
///   socket does not listen
/// - `SOCKET_EMFILE`, `SOCKET_ENFILE`: no descriptor is free; the connection stays in the queue
/// - `SOCKET_ECONNABORTED`, `SOCKET_EINTR`: try again
///
/// # Differences from PHP
///
/// None from PHP 8.5. Before 8.5 the new socket blocks whatever the listener's mode is. Before 8.4 it is not
/// close-on-exec.
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
/// socket_write(&server, "welcome\n", None)?;
/// assert_eq!(socket_read(&client, 100, PHP_BINARY_READ)?, b"welcome\n");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_accept) ·
/// [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html)
pub fn socket_accept(socket: &Socket) -> Result<Socket> {
    let mut peer = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;
    let nonblocking = if socket.accepts_nonblocking() { libc::SOCK_NONBLOCK } else { 0 };

    // SAFETY: `peer` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
    let fd = unsafe {
        libc::accept4(socket.fd(), peer.as_mut_ptr(), &raw mut len, libc::SOCK_CLOEXEC | nonblocking)
    };

    // SAFETY: `fd` is −1, or the kernel has just opened it and it has no other owner.
    let fd = unsafe { ret_owned_fd(fd) }.map_err(|_| {
        Error::warning(&Site { function: "socket_accept", message: "unable to accept incoming connection" })
    })?;
    let connection = Socket::new(fd, peer.family(), socket.kind());
    connection.inherit_peek(socket);
    Ok(connection)
}

/// Connects a socket to an address.
///
/// ```php
/// socket_connect(Socket $socket, string $address, ?int $port = null): bool
/// ```
///
/// One system call, `connect`; a host name is looked up first. `address` is as in
/// [`socket_bind`](crate::socket_bind). `port` is in host byte order, written `80` or `None`: `AF_INET` and
/// `AF_INET6` need it, `AF_UNIX` ignores it.
///
/// The call succeeds once the peer's kernel has queued the connection, before the peer calls
/// [`socket_accept`]. A datagram socket gets a default peer, and nothing is sent: a port where no socket is
/// shows in a later call, as `SOCKET_ECONNREFUSED`.
///
/// # Errors
///
/// - `SOCKET_ECONNREFUSED`: `socket_connect(): unable to connect [111]: Connection refused`; no socket
///   listens there
/// - `SOCKET_EINPROGRESS`, quiet: the socket does not block, and the connection is being made. When
///   [`socket_select`](crate::socket_select) reports it writable, `SO_ERROR` has the result.
/// - the same code on a socket that blocks: `SO_SNDTIMEO`, which limits this call too, ran out. The
///   connection is still being made. Wait as above, or close the socket. A second call waits for that time
///   again, and gives `SOCKET_EALREADY`.
/// - `SOCKET_EINTR`: a signal came, and nothing is tried again. The connection is still being made: wait for
///   it in `socket_select`, and read `SO_ERROR`.
/// - `SOCKET_EISCONN`: it is connected already
/// - `SOCKET_EINVAL`: a link-local address without its interface; see
///   [`socket_bind`](crate::socket_bind#link-local-addresses)
/// - `SOCKET_ETIMEDOUT`, `SOCKET_EHOSTUNREACH`, `SOCKET_ENETUNREACH`: no answer, or no route; the last also
///   for an IPv4 address that meets `IPV6_V6ONLY`, and for TCP to a broadcast address
/// - `SOCKET_EACCES`: a datagram socket, to a broadcast address without `SO_BROADCAST`
/// - `SOCKET_ENOENT`: `AF_UNIX`, no such path
/// - an unknown name: `socket_connect(): Host lookup failed [-10001]: Unknown host`
/// - on an `AF_INET` socket a text that can be no host, such as `::1`, `localhost:80`, `/tmp/x`, `a..b`:
///   `[-10000]: Unknown error -10000`, or the code of an earlier look-up; [`Error::code`](crate::Error::code)
///   lists the resolver's codes
/// - no port: `socket_connect(): Argument #3 ($port) cannot be null when the socket type is AF_INET` (or
///   `AF_INET6`)
/// - a path of 108 bytes or more: `socket_connect(): Argument #2 ($address) must be less than 108`
/// - a host name or an IP address with a NUL, of kind [`Value`](crate::ErrorKind::Value):
///   `socket_connect(): Argument #2 ($address) must not contain any null bytes`
/// - a socket of another family: `socket_connect(): Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or
///   AF_INET6`
///
/// # Differences from PHP
///
/// PHP uses the low 16 bits of any port; a `u16` has no more. PHP ignores the bytes after a NUL in a host
/// name or an IP address; here the NUL is an error.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let port = socket_getsockname(&listener)?.port;
///
/// let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_connect(&client, "127.0.0.1", port)?;
/// assert_eq!(socket_getpeername(&client)?.port, port);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_connect) ·
/// [connect(2)](https://man7.org/linux/man-pages/man2/connect.2.html)
pub fn socket_connect(socket: &Socket, address: impl AsRef<OsStr>, port: impl Port) -> Result<()> {
    let port = match (socket.family(), port.port()) {
        (libc::AF_INET, None) => {
            return Err(Error::value(&Site {
                function: "socket_connect",
                message: "Argument #3 ($port) cannot be null when the socket type is AF_INET",
            }));
        }
        (libc::AF_INET6, None) => {
            return Err(Error::value(&Site {
                function: "socket_connect",
                message: "Argument #3 ($port) cannot be null when the socket type is AF_INET6",
            }));
        }
        (_, port) => port.unwrap_or_default(),
    };
    let name = resolver::address(socket.family(), address.as_ref(), port)
        .map_err(|reason| unresolved(socket, reason))?;

    // SAFETY: `as_ptr` points at `len` bytes inside `name`, which outlives the call. `connect` reads them and
    // keeps no pointer.
    let status = unsafe { libc::connect(socket.fd(), name.as_ptr(), name.len()) };

    ret(status)
        .map_err(|_| socket.warning(&Site { function: "socket_connect", message: "unable to connect" }))
}

#[cold]
fn unresolved(socket: &Socket, reason: Unresolved) -> Error {
    match reason {
        Unresolved::Family => Error::value(&Site {
            function: "socket_connect",
            message: "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6",
        }),
        Unresolved::TooLong => Error::value(&Site {
            function: "socket_connect",
            message: "Argument #2 ($address) must be less than 108",
        }),
        Unresolved::Nul => Error::value(&Site {
            function: "socket_connect",
            message: "Argument #2 ($address) must not contain any null bytes",
        }),
        Unresolved::Unknown(code) => {
            socket.remember(&Site { function: "socket_connect", message: "Host lookup failed" }, code)
        }
    }
}

/// Ends one direction of a connection, or both. The socket stays open.
///
/// ```php
/// socket_shutdown(Socket $socket, int $mode = 2): bool
/// ```
///
/// One system call, `shutdown`. `mode` is `SHUT_RD` (0), `SHUT_WR` (1) or `SHUT_RDWR` (2, PHP's default).
/// `SHUT_WR` is a half-close: the peer reads what was sent and then the end of the stream, and can still
/// answer.
///
/// # Errors
///
/// - `SOCKET_ENOTCONN`: `socket_shutdown(): Unable to shutdown socket [107]: Transport endpoint is not
///   connected`
/// - another mode: `socket_shutdown(): Argument #2 ($mode) must be one of SHUT_RD, SHUT_WR or SHUT_RDWR`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "that is all", None)?;
/// socket_shutdown(&here, SHUT_WR)?;
///
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"that is all");
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"");
/// socket_write(&there, "understood", None)?;
/// assert_eq!(socket_read(&here, 100, PHP_BINARY_READ)?, b"understood");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 22](crate::lessons::lesson_22) · [php.net](https://www.php.net/socket_shutdown) ·
/// [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html)
pub fn socket_shutdown(socket: &Socket, mode: c_int) -> Result<()> {
    if !matches!(mode, libc::SHUT_RD | libc::SHUT_WR | libc::SHUT_RDWR) {
        return Err(Error::value(&Site {
            function: "socket_shutdown",
            message: "Argument #2 ($mode) must be one of SHUT_RD, SHUT_WR or SHUT_RDWR",
        }));
    }

    // SAFETY: `shutdown` takes two numbers; the descriptor is open as long as `socket` lives.
    let status = unsafe { libc::shutdown(socket.fd(), mode) };

    ret(status).map_err(|_| {
        socket.warning(&Site { function: "socket_shutdown", message: "Unable to shutdown socket" })
    })
}
