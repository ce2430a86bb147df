//! Several buffers in one system call: functions that PHP has lost after version 4, without their bugs.

use std::ffi::c_int;

use crate::error::{Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret_usize;

mod buffers;
mod functions;

pub(crate) use buffers::array;
pub use buffers::{IoVec, IoVecIter};
pub use functions::{
    socket_iovec_add, socket_iovec_alloc, socket_iovec_delete, socket_iovec_fetch, socket_iovec_free,
    socket_iovec_set,
};

/// Receives into several buffers at once.
///
/// ```php
/// socket_readv(Socket $socket, resource $iovec): bool
/// ```
///
/// One system call, `readv`. It fills the first buffer, then the second, and so on. Returns the number of bytes; 0 is the
/// end of a stream or an empty datagram, or all buffers have the length 0. After the call the elements hold just the bytes that arrived;
/// those that no byte reached are empty.
///
/// # Errors
///
/// The buffers stay as they were.
///
/// - `SOCKET_EAGAIN`, quiet: nothing has arrived, and the socket does not block
/// - `SOCKET_ENOTCONN`: `socket_readv(): unable to read from socket [107]: Transport endpoint is not connected`
/// - `SOCKET_ECONNRESET`, `SOCKET_EINTR`, `SOCKET_ECONNREFUSED` (connected UDP, as in [`socket_write`](crate::socket_write))
///
/// # Differences from PHP
///
/// PHP 4 returned `false` for every read of more than 0 bytes, and never their number.
///
/// # Examples
///
/// A header of a known length and the body after it, in one call.
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "0005hello", None)?;
///
/// let mut iovec = socket_iovec_alloc(&[4, 1000])?;
/// assert_eq!(socket_readv(&there, &mut iovec)?, 9);
/// assert!(iovec.iter().eq([&b"0005"[..], &b"hello"[..]]));
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_readv) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_readv(socket: &Socket, iovec: &mut IoVec) -> Result<usize> {
    let mut array = array();
    let vectors = iovec.for_filling(&mut array);
    let number = c_int::try_from(vectors.len()).unwrap_or_default();

    // SAFETY: `vectors` has `number` elements, each with the address and the length of memory that is ours to write;
    // all outlive the call, which keeps no pointer. A descriptor that is no socket is as safe here as in std's `File`.
    let count = unsafe { libc::readv(socket.fd(), vectors.as_ptr(), number) };

    // SAFETY: `readv` wrote each byte of the vectors that it counted and that fits, in their order.
    let written = unsafe { iovec.filled(count) };

    written.map_err(|_| {
        socket.warning(&Site { function: "socket_readv", message: "unable to read from socket" })
    })
}

/// Sends several buffers at once.
///
/// ```php
/// socket_writev(Socket $socket, resource $iovec): bool
/// ```
///
/// One system call, `writev`. It sends the bytes of the elements, as [`socket_iovec_fetch`] would return them, one after
/// another. The peer sees no difference from one buffer; a datagram socket sends one datagram. Returns the number of
/// bytes that the kernel took. On a stream they may be fewer than there are; a datagram is sent whole or not at all.
///
/// # Errors
///
/// - `SOCKET_EPIPE`: `socket_writev(): Unable to write to socket [32]: Broken pipe`
/// - `SOCKET_EAGAIN`, quiet: the socket does not block and the send buffer is full
/// - `SOCKET_ECONNRESET`, `SOCKET_EINTR`, `SOCKET_EMSGSIZE`, `SOCKET_EDESTADDRREQ`; `SOCKET_ECONNREFUSED` of a connected UDP
///   socket, as in [`socket_write`](crate::socket_write)
///
/// # Differences from PHP
///
/// PHP 4 returned `false` for every write of more than 0 bytes, and never their number.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_DGRAM, 0)?;
/// assert_eq!(socket_writev(&here, &IoVec::from(["0005", "hello"]))?, 9);
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"0005hello");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_writev) ·
/// [writev(2)](https://man7.org/linux/man-pages/man2/writev.2.html)
pub fn socket_writev(socket: &Socket, iovec: &IoVec) -> Result<usize> {
    let mut array = array();
    let vectors = iovec.for_sending(&mut array);
    let number = c_int::try_from(vectors.len()).unwrap_or_default();

    // SAFETY: `vectors` has `number` elements, each with the address and the length of bytes that `iovec` owns; all
    // outlive the call, which only reads them. A descriptor that is no socket is as safe here as in std's `File`.
    let count = unsafe { libc::writev(socket.fd(), vectors.as_ptr(), number) };

    ret_usize(count).map_err(|_| {
        socket.warning(&Site { function: "socket_writev", message: "Unable to write to socket" })
    })
}
