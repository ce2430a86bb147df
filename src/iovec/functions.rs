//! PHP 4's `socket_iovec_*` functions, which change the elements of an [`IoVec`] without a system call.

use crate::error::{Error, Result, Site};
use crate::iovec::IoVec;

/// Makes buffers for [`socket_readv`](crate::socket_readv).
///
/// ```php
/// socket_iovec_alloc(int $num_vectors, int ...$lens): resource|false
/// ```
///
/// No system call. `lens` are the lengths of the buffers in bytes, in their order; a slice has their number itself.
/// Returns an [`IoVec`] whose elements are empty.
///
/// # Errors
///
/// Nothing is remembered.
///
/// - more than 1024 buffers: `socket_iovec_alloc(): Argument #2 ($lens) must have at most 1024 elements`
/// - more bytes than there is memory for: `socket_iovec_alloc(): there is no memory for so many bytes`
///
/// # Differences from PHP
///
/// PHP 4 did not compare `$num_vectors` with the number of lengths, and returned memory that had not been written.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let iovec = socket_iovec_alloc(&[20, 1500])?;
/// assert_eq!(iovec.len(), 2);
/// assert_eq!(iovec.get(1), Some(&b""[..]));
/// assert!(socket_iovec_alloc(&[usize::MAX]).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_alloc) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_iovec_alloc(lens: &[usize]) -> Result<IoVec> {
    if lens.len() > IoVec::MAX {
        return Err(Error::value(&Site {
            function: "socket_iovec_alloc",
            message: "Argument #2 ($lens) must have at most 1024 elements",
        }));
    }
    let mut iovec = IoVec::default();
    let mut made = iovec.reserve(lens.len());
    for len in lens {
        made = made.and_then(|()| iovec.push(*len));
    }
    made.map(|()| iovec).map_err(|_| {
        Error::plain_warning(&Site {
            function: "socket_iovec_alloc",
            message: "there is no memory for so many bytes",
        })
    })
}

/// Adds a buffer at the end.
///
/// ```php
/// socket_iovec_add(resource $iovec, int $iov_len): bool
/// ```
///
/// No system call. `iov_len` is the new buffer's length in bytes.
///
/// # Errors
///
/// The `iovec` stays as it was, and nothing is remembered.
///
/// - there are 1024 buffers already: `socket_iovec_add(): Argument #1 ($iovec) must have less than 1024 elements`
/// - more bytes than there is memory for: `socket_iovec_add(): there is no memory for so many bytes`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let mut iovec = socket_iovec_alloc(&[20])?;
/// socket_iovec_add(&mut iovec, 1500)?;
/// assert_eq!(iovec.len(), 2);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_add) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_iovec_add(iovec: &mut IoVec, iov_len: usize) -> Result<()> {
    if iovec.len() >= IoVec::MAX {
        return Err(Error::value(&Site {
            function: "socket_iovec_add",
            message: "Argument #1 ($iovec) must have less than 1024 elements",
        }));
    }
    iovec.push(iov_len).map_err(|_| {
        Error::plain_warning(&Site {
            function: "socket_iovec_add",
            message: "there is no memory for so many bytes",
        })
    })
}

/// Puts bytes into a buffer.
///
/// ```php
/// socket_iovec_set(resource $iovec, int $iov_position, string $new_val): bool
/// ```
///
/// No system call. The element at `iov_position`, counted from 0, holds a copy of `new_val` and has its length: a later
/// [`socket_readv`](crate::socket_readv) puts no more bytes there.
///
/// # Errors
///
/// The `iovec` stays as it was, and nothing is remembered.
///
/// - no such element:
///   `socket_iovec_set(): can't access a vector position outside of the vector array bounds`
/// - no memory for a copy: `socket_iovec_set(): there is no memory for so many bytes`
///
/// # Differences from PHP
///
/// PHP 4 stopped at the first NUL.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let mut iovec = socket_iovec_alloc(&[0, 0])?;
/// socket_iovec_set(&mut iovec, 1, "the body")?;
/// assert_eq!(socket_iovec_fetch(&iovec, 1)?, b"the body");
/// assert!(socket_iovec_set(&mut iovec, 2, "one too far").is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_set) ·
/// [writev(2)](https://man7.org/linux/man-pages/man2/writev.2.html)
pub fn socket_iovec_set(iovec: &mut IoVec, iov_position: usize, new_val: impl AsRef<[u8]>) -> Result<()> {
    match iovec.set(iov_position, new_val.as_ref()) {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(Error::plain_warning(&Site {
            function: "socket_iovec_set",
            message: "there is no memory for so many bytes",
        })),
        None => Err(Error::plain_warning(&Site {
            function: "socket_iovec_set",
            message: "can't access a vector position outside of the vector array bounds",
        })),
    }
}

/// Copies the bytes of a buffer.
///
/// ```php
/// socket_iovec_fetch(resource $iovec, int $iov_position): string
/// ```
///
/// No system call. Returns the bytes that arrived in the element at `iov_position`, counted from 0, or that
/// [`socket_iovec_set`] put there. [`IoVec::get`] returns them without a copy.
///
/// # Errors
///
/// Nothing is remembered.
///
/// - no such element:
///   `socket_iovec_fetch(): can't access a vector position past the amount of vectors set in the array`
/// - no memory for the copy: `socket_iovec_fetch(): there is no memory for so many bytes`
///
/// # Differences from PHP
///
/// PHP 4 returned the whole buffer, even if fewer bytes had arrived, and `""` for a position that does not exist.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "six by", None)?;
///
/// let mut iovec = socket_iovec_alloc(&[4, 4, 4])?;
/// socket_readv(&there, &mut iovec)?;
/// assert_eq!(socket_iovec_fetch(&iovec, 0)?, b"six ");
/// assert_eq!(socket_iovec_fetch(&iovec, 1)?, b"by");
/// assert_eq!(socket_iovec_fetch(&iovec, 2)?, b"");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_fetch) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_iovec_fetch(iovec: &IoVec, iov_position: usize) -> Result<Vec<u8>> {
    let value = iovec.get(iov_position).ok_or_else(|| {
        Error::plain_warning(&Site {
            function: "socket_iovec_fetch",
            message: "can't access a vector position past the amount of vectors set in the array",
        })
    })?;
    let mut data = Vec::new();
    data.try_reserve_exact(value.len()).map_err(|_| {
        Error::plain_warning(&Site {
            function: "socket_iovec_fetch",
            message: "there is no memory for so many bytes",
        })
    })?;
    data.extend_from_slice(value);
    Ok(data)
}

/// Removes a buffer.
///
/// ```php
/// socket_iovec_delete(resource $iovec, int $iov_pos): bool
/// ```
///
/// No system call. The elements after the one at `iov_pos`, counted from 0, move up by one.
///
/// # Errors
///
/// Nothing is remembered.
///
/// - no such element: `socket_iovec_delete(): can't delete an IO vector that is out of array bounds`
///
/// # Differences from PHP
///
/// PHP 4 allowed the position after the last element, moved the others the wrong way, and did not change their number.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let mut iovec = IoVec::from(["a", "b", "c"]);
/// socket_iovec_delete(&mut iovec, 1)?;
/// assert!(iovec.iter().eq([b"a", b"c"]));
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_delete) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_iovec_delete(iovec: &mut IoVec, iov_pos: usize) -> Result<()> {
    iovec.remove(iov_pos).ok_or_else(|| {
        Error::plain_warning(&Site {
            function: "socket_iovec_delete",
            message: "can't delete an IO vector that is out of array bounds",
        })
    })
}

/// Frees the buffers.
///
/// ```php
/// socket_iovec_free(resource $iovec): bool
/// ```
///
/// No system call. Dropping an [`IoVec`] frees them too. The function takes it, so that a use after free does not compile.
///
/// # Examples
///
/// ```compile_fail,E0382
/// use php_sockets::*;
///
/// let iovec = socket_iovec_alloc(&[1500])?;
/// socket_iovec_free(iovec);
/// socket_iovec_fetch(&iovec, 0)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/socket_iovec_free) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
pub fn socket_iovec_free(iovec: IoVec) {
    drop(iovec);
}
