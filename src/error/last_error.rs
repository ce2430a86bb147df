//! The two error slots, and the texts of error codes.

use std::ffi::c_int;

use crate::arguments::SocketRef;
use crate::error::{slot, text};
use crate::socket::Socket;

/// The code of the last failure: of one socket, or of any function called by this thread.
///
/// ```php
/// socket_last_error(?Socket $socket = null): int
/// ```
///
/// No system call. `&socket` reads the socket's own slot, `None` the thread's. The two slots are independent.
/// The reference may be one to an `Rc<Socket>` or an `Arc<Socket>`, too, see [`SocketRef`].
/// Success clears neither; only [`socket_clear_error`] does. 0 means that nothing has failed yet.
///
/// In Rust an [`Error`](crate::Error) has its own code, so this function is for code that is ported from PHP.
/// PHP's rules say which slot remembers a failure. A failed [`socket_accept`](crate::socket_accept) is
/// remembered in the thread's slot only, because the socket that it failed to make does not exist.
///
/// A failure of kind [`Value`](crate::ErrorKind::Value), for which PHP throws, or of kind
/// [`Silent`](crate::ErrorKind::Silent) changes neither slot. After it the slots have the code of an older
/// failure, or 0.
///
/// # Differences from PHP
///
/// PHP has one global slot; here each thread has its own.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert_eq!(socket_last_error(&socket), 0);
///
/// assert!(socket_read(&socket, 10, PHP_BINARY_READ).is_err());
/// assert_eq!(socket_last_error(&socket), SOCKET_ENOTCONN);
/// assert_eq!(socket_last_error(None), SOCKET_ENOTCONN);
///
/// // A success changes nothing, nor does a call for which PHP throws.
/// socket_bind(&socket, "127.0.0.1", 0)?;
/// assert!(socket_shutdown(&socket, 9).is_err());
/// assert_eq!(socket_last_error(&socket), SOCKET_ENOTCONN);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 02](crate::lessons::lesson_02) · [php.net](https://www.php.net/socket_last_error) ·
/// [errno(3)](https://man7.org/linux/man-pages/man3/errno.3.html)
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "it is a reference")]
pub fn socket_last_error(socket: impl SocketRef) -> c_int {
    socket.socket().map_or_else(slot::last, Socket::error)
}

/// Sets a last error back to 0: that of one socket, or the thread's.
///
/// ```php
/// socket_clear_error(?Socket $socket = null): void
/// ```
///
/// No system call. The other slot stays as it is. The argument is that of [`socket_last_error`].
///
/// # Differences from PHP
///
/// PHP has one global slot; here each thread has its own.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert!(socket_getpeername(&socket).is_err());
///
/// socket_clear_error(&socket);
/// assert_eq!(socket_last_error(&socket), 0);
/// assert_eq!(socket_last_error(None), SOCKET_ENOTCONN);
///
/// socket_clear_error(None);
/// assert_eq!(socket_last_error(None), 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 02](crate::lessons::lesson_02) · [php.net](https://www.php.net/socket_clear_error) ·
/// [errno(3)](https://man7.org/linux/man-pages/man3/errno.3.html)
#[allow(clippy::needless_pass_by_value, reason = "it is a reference")]
pub fn socket_clear_error(socket: impl SocketRef) {
    match socket.socket() {
        Some(socket) => socket.set_error(0),
        None => slot::remember(0),
    }
}

/// The text for an error code.
///
/// ```php
/// socket_strerror(int $error_code): string
/// ```
///
/// No system call: the C library's `strerror_r` has the texts. Codes below −10000 are the resolver's and get
/// the text of `hstrerror`.
///
/// The parameter is a code, not a socket. Old tutorials have `socket_strerror($socket)`, which is a mistake:
/// PHP throws a `TypeError`, and Rust does not compile it.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(socket_strerror(SOCKET_EADDRINUSE), "Address already in use");
/// assert_eq!(socket_strerror(0), "Success");
/// assert_eq!(socket_strerror(9999), "Unknown error 9999");
/// assert_eq!(socket_strerror(-10001), "Unknown host");
/// ```
///
/// [Lesson 02](crate::lessons::lesson_02) · [php.net](https://www.php.net/socket_strerror) ·
/// [strerror(3)](https://man7.org/linux/man-pages/man3/strerror.3.html)
#[must_use]
pub fn socket_strerror(error_code: c_int) -> String {
    text::strerror(error_code)
}
