//! Bytes over a connection: writes, reads, sends, receives, and finds the urgent mark.

use std::ffi::c_int;

use self::capacity::Refused;
use self::line::{NoLine, read_line};
use crate::constants::PHP_NORMAL_READ;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::{self, ret_c_int, ret_usize, ret_written};

pub(crate) mod capacity;
mod line;

/// Sends bytes to the peer.
///
/// ```php
/// socket_write(Socket $socket, string $data, ?int $length = null): int|false
/// ```
///
/// One system call, `write`. `length` is the number of bytes to send, at most all of `data`; `None` means
/// all.
///
/// Returns the number of bytes that the kernel has copied into the socket's send buffer. On a stream they may
/// be fewer than `length`: send the rest with another call. A datagram is sent whole or not at all. The peer
/// has not received the bytes yet.
///
/// # Errors
///
/// - `SOCKET_EPIPE`: `socket_write(): unable to write to socket [32]: Broken pipe`; the connection has ended,
///   or was never made. SIGPIPE does not kill a program whose `main` is Rust's: Rust's runtime ignores the
///   signal, as PHP does.
/// - `SOCKET_EAGAIN`, quiet: the socket does not block and the send buffer is full
/// - `SOCKET_ECONNREFUSED`, of a connected UDP socket: no socket has the port that an earlier datagram went
///   to. This datagram is not sent. The first call that sends, receives or reads `SO_ERROR` is told, and no
///   later one. A UDP socket that is not connected never learns of it.
/// - `SOCKET_ECONNRESET`, `SOCKET_EINTR`, `SOCKET_EMSGSIZE`, `SOCKET_EDESTADDRREQ`
///
/// # Differences from PHP
///
/// A negative length is a `ValueError` in PHP; here it does not compile.
///
/// # Examples
///
/// A loop sends all bytes, in as many calls as it takes.
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let mut rest: &[u8] = b"a long story";
/// while !rest.is_empty() {
///     let sent = socket_write(&here, rest, None)?;
///     rest = &rest[sent..];
/// }
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"a long story");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_write) ·
/// [write(2)](https://man7.org/linux/man-pages/man2/write.2.html)
#[inline]
pub fn socket_write(
    socket: &Socket,
    data: impl AsRef<[u8]>,
    length: impl Into<Option<usize>>,
) -> Result<usize> {
    let data = data.as_ref();
    let length = length.into().unwrap_or(data.len()).min(data.len());

    // SAFETY: `data` has at least `length` bytes and outlives the call, which only reads them. A socket
    // copies them. The driver of another descriptor uses them as safely as in std's `File`, which writes
    // there too.
    let count = unsafe { libc::write(socket.fd(), data.as_ptr().cast(), length) };

    ret_usize(count)
        .map_err(|_| socket.warning(&Site { function: "socket_write", message: "unable to write to socket" }))
}

/// Sends bytes to the peer, with flags.
///
/// ```php
/// socket_send(Socket $socket, string $data, int $length, int $flags): int|false
/// ```
///
/// One system call, `send`. `length` is the number of bytes to send, at most all of `data`. `flags` is 0 or a
/// combination of `MSG_OOB`, `MSG_DONTWAIT`, `MSG_MORE`, `MSG_EOR`, `MSG_DONTROUTE`, `MSG_NOSIGNAL`. Returns
/// the number of bytes that the kernel has copied into the send buffer. On a stream they may be fewer than
/// `length`. A datagram is sent whole or not at all.
///
/// # Errors
///
/// The codes of [`socket_write`], `SOCKET_ECONNREFUSED` among them, worded differently: `socket_send():
/// Unable to write to socket [32]: Broken pipe`; and
///
/// - `MSG_ZEROCOPY`: `socket_send(): Argument #4 ($flags) must not contain MSG_ZEROCOPY`
///
/// # Differences from PHP
///
/// A negative length is a `ValueError` in PHP; here it does not compile. PHP passes `MSG_ZEROCOPY` on: the
/// kernel then reads the bytes after the call has returned, from memory that may have changed by then.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// assert_eq!(socket_send(&here, "hello, world", 5, MSG_DONTWAIT)?, 5);
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"hello");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/socket_send) ·
/// [send(2)](https://man7.org/linux/man-pages/man2/send.2.html)
#[inline]
pub fn socket_send(socket: &Socket, data: impl AsRef<[u8]>, length: usize, flags: c_int) -> Result<usize> {
    if flags & libc::MSG_ZEROCOPY != 0 {
        return Err(zerocopy());
    }
    let data = data.as_ref();
    let length = length.min(data.len());

    // SAFETY: `data` has at least `length` bytes and outlives the call, which only reads them. Without
    // MSG_ZEROCOPY the kernel copies them and keeps no pointer.
    let count = unsafe { libc::send(socket.fd(), data.as_ptr().cast(), length, flags) };

    ret_usize(count)
        .map_err(|_| socket.warning(&Site { function: "socket_send", message: "Unable to write to socket" }))
}

#[cold]
fn zerocopy() -> Error {
    Error::value(&Site {
        function: "socket_send",
        message: "Argument #4 ($flags) must not contain MSG_ZEROCOPY",
    })
}

/// Receives bytes from the peer. An empty result is the end of a stream, or an empty datagram.
///
/// ```php
/// socket_read(
///     Socket $socket,
///     int $length,
///     int $mode = PHP_BINARY_READ
/// ): string|false
/// ```
///
/// `length` is the highest number of bytes to return. `mode` is `PHP_BINARY_READ`, PHP's default, or
/// `PHP_NORMAL_READ`.
///
/// **`PHP_BINARY_READ`** is one system call, `recv`. It returns the bytes that have arrived, up to `length`,
/// and waits only if there are none. The bytes do not show where one write of the peer ends and the next one
/// begins.
///
/// **`PHP_NORMAL_READ`** reads one line, up to and including the first `\n` or `\r`, or `length` bytes if
/// they end first.
///
/// - A line that has arrived takes two system calls. `recv` with `MSG_PEEK` finds its end. `recv` receives
///   the line and no byte after it, as long as no other thread reads the same socket.
/// - A line that arrives in pieces, or is longer than 16 KiB, takes two more for each further piece.
/// - It waits for the whole line, on a non-blocking socket too (with `fcntl` and `poll`). `SO_RCVTIMEO` does
///   not limit the wait.
/// - `\r\n` ends two lines; the second is `"\n"`.
/// - On a datagram socket it returns the first byte of each datagram and loses the rest, as PHP does.
///
/// In a server of many clients, half a line from one client stops all the others. There, read with
/// `PHP_BINARY_READ` and collect the lines, as the [porting guide](crate::php_to_rust#more-on-the-select-server)
/// does.
///
/// At the end of the stream the result is empty. In `PHP_NORMAL_READ`, a last line without an end is returned
/// first. After it, a blocking socket gives `SOCKET_ECONNRESET` and a non-blocking one an empty result. On a
/// datagram socket an empty result is an empty datagram, and the next one may have bytes.
///
/// # Errors
///
/// - `SOCKET_EAGAIN`, quiet: the socket does not block and nothing has arrived, or `SO_RCVTIMEO` ran out. Not
///   in `PHP_NORMAL_READ`.
/// - `SOCKET_ECONNRESET`: `socket_read(): unable to read from socket [104]: Connection reset by peer`
/// - `SOCKET_ENOTCONN`, `SOCKET_EINTR`, `SOCKET_ECONNREFUSED` (connected UDP, as in [`socket_write`]). In
///   `PHP_NORMAL_READ` an error in the middle of a line loses the bytes of the line that were read, as in
///   PHP.
/// - length 0, or a failed allocation: PHP returns `false` without a warning
///   ([`ErrorKind::Silent`](crate::ErrorKind)); no slot changes
///
/// # Differences from PHP
///
/// In `PHP_NORMAL_READ`, PHP makes one `recv` for each byte and loses the last line if it has no end. It
/// makes 200 empty reads at the end of the stream, and on a non-blocking socket it tries again without a
/// pause.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "one\ntwo\nthree", None)?;
/// socket_close(here);
///
/// assert_eq!(socket_read(&there, 100, PHP_NORMAL_READ)?, b"one\n");
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"two\nthree");
/// assert_eq!(socket_read(&there, 100, PHP_BINARY_READ)?, b"");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net](https://www.php.net/socket_read) ·
/// [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
pub fn socket_read(socket: &Socket, length: usize, mode: c_int) -> Result<Vec<u8>> {
    if mode == PHP_NORMAL_READ {
        return read_line(socket, length).map_err(|reason| no_line(socket, reason));
    }
    let mut data = Vec::new();
    capacity::reserve(&mut data, length).map_err(read_refused)?;

    // SAFETY: `data` has capacity for `length` bytes and outlives the call, which only writes them.
    let count = unsafe { libc::recv(socket.fd(), data.as_mut_ptr().cast(), length, 0) };

    let written = ret_written(count, length).map_err(|_| {
        socket.warning(&Site { function: "socket_read", message: "unable to read from socket" })
    })?;
    // SAFETY: `written` is at most `length`, for which `data` has capacity. Without flags, `recv` writes each
    // byte that it counts and that fits, from the first on.
    unsafe { data.set_len(written) };
    capacity::give_back(&mut data);
    Ok(data)
}

#[cold]
fn no_line(socket: &Socket, reason: NoLine) -> Error {
    match reason {
        NoLine::Refused(reason) => read_refused(reason),
        NoLine::Code(code) => {
            socket.remember(&Site { function: "socket_read", message: "unable to read from socket" }, code)
        }
    }
}

#[cold]
fn read_refused(reason: Refused) -> Error {
    Error::silent(match reason {
        Refused::Empty => {
            &Site { function: "socket_read", message: "the length is 0 (PHP returns false and says nothing)" }
        }
        Refused::TooLong => &Site {
            function: "socket_read",
            message: "there is no memory for so many bytes (PHP returns false and says nothing, or dies)",
        },
    })
}

/// Receives bytes from the peer, with flags, into a buffer that can be used again.
///
/// ```php
/// socket_recv(Socket $socket, string &$data, int $length, int $flags): int|false
/// ```
///
/// One system call, `recv`. The bytes replace those of `data`. Its capacity is retained, so a buffer that is
/// large enough is never allocated again. `length` is the highest number of bytes to receive. `flags` is 0 or
/// a combination of `MSG_PEEK`, `MSG_WAITALL`, `MSG_DONTWAIT`, `MSG_OOB`, `MSG_TRUNC`.
///
/// A `data` that is kept, in a queue for instance, keeps a capacity of `length` too: 65535 bytes for a
/// packet of 10. Copy it with `data.to_vec()` and receive into the same buffer again, or call
/// `data.shrink_to_fit()`.
///
/// Returns the number of bytes in `data`. 0, with an empty `data`, is the end of a stream or an empty
/// datagram.
///
/// With `MSG_TRUNC` the number is the real length of a datagram and may be more than `length`; `data` has the
/// bytes that fit. On TCP, `MSG_TRUNC` discards the bytes, and `data` has as many zeros. All `length` bytes
/// are zeroed before the call with `MSG_TRUNC`, and with any flag whose effect on `recv` the crate does not
/// know.
///
/// # Errors
///
/// `data` is empty afterwards, as PHP's is null.
///
/// - `SOCKET_EAGAIN`, quiet: nothing has arrived, and the socket does not block, `flags` has `MSG_DONTWAIT`,
///   or `SO_RCVTIMEO` ran out
/// - `SOCKET_ECONNRESET`: `socket_recv(): Unable to read from socket [104]: Connection reset by peer`
/// - `SOCKET_ENOTCONN`, `SOCKET_ECONNREFUSED` (connected UDP, as in [`socket_write`]), `SOCKET_EINTR`,
///   `SOCKET_EINVAL` (`MSG_OOB` without urgent data)
/// - length 0, or a failed allocation: PHP returns `false` without a warning
///   ([`ErrorKind::Silent`](crate::ErrorKind)); no slot changes, and `data` stays as it was
///
/// # Differences from PHP
///
/// For 0 bytes, the end of a stream or an empty datagram, PHP sets `$data` to null; here it is empty. PHP's
/// `$data === null` becomes `data.is_empty()`.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "peek, then receive", None)?;
///
/// let mut data = Vec::new();
/// assert_eq!(socket_recv(&there, &mut data, 4, MSG_PEEK)?, 4);
/// assert_eq!(data, b"peek");
/// assert_eq!(socket_recv(&there, &mut data, 100, 0)?, 18);
/// assert_eq!(data, b"peek, then receive");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 07](crate::lessons::lesson_07) · [php.net](https://www.php.net/socket_recv) ·
/// [recv(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
#[inline]
pub fn socket_recv(socket: &Socket, data: &mut Vec<u8>, length: usize, flags: c_int) -> Result<usize> {
    capacity::reserve(data, length).map_err(recv_refused)?;
    capacity::zero_if_skipping(data, 0, length, flags);

    // SAFETY: `data` has capacity for `length` bytes and outlives the call, which only writes them.
    let count = unsafe { libc::recv(socket.fd(), data.as_mut_ptr().cast(), length, flags) };

    let written = ret_written(count, length).map_err(|_| {
        data.clear();
        socket.warning(&Site { function: "socket_recv", message: "Unable to read from socket" })
    })?;
    // SAFETY: `written` is at most `length`, for which `data` has capacity. `recv` wrote each byte that it
    // counted and that fits, or `zero_if_skipping` has zeroed all of them.
    unsafe { data.set_len(written) };
    Ok(capacity::reported(count, written, flags))
}

#[cold]
fn recv_refused(reason: Refused) -> Error {
    Error::silent(match reason {
        Refused::Empty => {
            &Site { function: "socket_recv", message: "the length is 0 (PHP returns false and says nothing)" }
        }
        Refused::TooLong => &Site {
            function: "socket_recv",
            message: "there is no memory for so many bytes (PHP returns false and says nothing, or dies)",
        },
    })
}

/// True if the next byte of a TCP stream is at the mark that urgent data left.
///
/// ```php
/// socket_atmark(Socket $socket): bool
/// ```
///
/// One system call, `ioctl` with SIOCATMARK (C's `sockatmark`). PHP has the function since 8.3.
///
/// # Errors
///
/// - `socket_atmark(): Unable to apply sockmark [25]: Inappropriate ioctl for device`: this kind of socket
///   has no mark
///
/// # Differences from PHP
///
/// PHP returns `false` for "no" and for a failure. Here a failure is an `Err`.
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_connect(&client, "127.0.0.1", socket_getsockname(&listener)?.port)?;
/// let server = socket_accept(&listener)?;
///
/// socket_send(&client, "ab!", 3, MSG_OOB)?; // the last byte is the urgent one
/// assert!(!socket_atmark(&server)?);
/// assert_eq!(socket_read(&server, 100, PHP_BINARY_READ)?, b"ab");
/// assert!(socket_atmark(&server)?);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 23](crate::lessons::lesson_23) · [php.net](https://www.php.net/socket_atmark) ·
/// [sockatmark(3)](https://man7.org/linux/man-pages/man3/sockatmark.3.html)
pub fn socket_atmark(socket: &Socket) -> Result<bool> {
    if !socket.is_socket() {
        let site = &Site { function: "socket_atmark", message: "Unable to apply sockmark" };
        return Err(socket.remember(site, libc::ENOTSOCK));
    }

    // SAFETY: `sockatmark` takes a descriptor, which is open as long as `socket` lives, and calls an `ioctl`
    // that writes an int of its own. The descriptor is a socket: a device could mean something else by the
    // same number.
    let mark = unsafe { ffi::sockatmark(socket.fd()) };

    ret_c_int(mark)
        .map(|mark| mark == 1)
        .map_err(|_| socket.warning(&Site { function: "socket_atmark", message: "Unable to apply sockmark" }))
}
