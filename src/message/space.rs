//! The size of a control message.

use std::ffi::c_int;

use super::control;
use crate::error::{Error, Result, Site};

/// Computes the size of a control message in a buffer.
///
/// ```php
/// socket_cmsg_space(int $level, int $type, int $num = 0): ?int
/// ```
///
/// No system call. `num` is the number of descriptors for `SCM_RIGHTS`; other messages have a fixed size.
/// Returns the number of bytes, header and padding included, for [`Received::new`](crate::Received::new).
///
/// # Errors
///
/// Nothing is remembered.
///
/// - not one of the five messages that PHP knows: `Pair level 0 and/or type 0 is not supported`
/// - `socket_cmsg_space(): Argument #3 ($num) must be between -2147483648 and 2147483647`
///
/// # Differences from PHP
///
/// A negative number, a `ValueError` in PHP, does not compile.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 3)?, 32);
/// assert_eq!(socket_cmsg_space(SOL_SOCKET, SCM_CREDENTIALS, 0)?, 32);
/// assert!(socket_cmsg_space(SOL_SOCKET, 0, 0).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_cmsg_space) ·
/// [cmsg(3)](https://man7.org/linux/man-pages/man3/cmsg.3.html)
pub fn socket_cmsg_space(level: c_int, r#type: c_int, num: usize) -> Result<usize> {
    if c_int::try_from(num).is_err() {
        return Err(Error::value(&Site {
            function: "socket_cmsg_space",
            message: "Argument #3 ($num) must be between -2147483648 and 2147483647",
        }));
    }
    control::data_len(level, r#type, num).map(control::space).ok_or_else(|| unsupported(level, r#type))
}

/// PHP prints both numbers. The second number of an `Error` has 16 bits, which is enough for every type that is known.
fn unsupported(level: c_int, kind: c_int) -> Error {
    match u16::try_from(kind) {
        Ok(kind) => Error::bare_value(&Site {
            function: "socket_cmsg_space",
            message: "Pair level {} and/or type {} is not supported",
        })
        .about(level)
        .and(kind),
        Err(_) => Error::bare_value(&Site {
            function: "socket_cmsg_space",
            message: "Pair level {} and/or this type is not supported",
        })
        .about(level),
    }
}
