//! Conversion from and to the streams of `std`.

mod names;

use std::os::fd::OwnedFd;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret;
use crate::sys::sockaddr::SockAddrBuf;

/// Makes a socket of a stream.
///
/// ```php
/// socket_import_stream(resource $stream): Socket|false
/// ```
///
/// Three system calls: `getsockopt` for the family (`SO_DOMAIN`), `getsockopt` for the type (`SO_TYPE`), and
/// `fcntl` for the blocking mode, which [`socket_accept`](crate::socket_accept) passes on to new connections.
///
/// `stream` is anything that `std` converts into an `OwnedFd`: a `TcpStream`, `TcpListener`, `UdpSocket`,
/// `UnixStream`, `UnixListener`, `UnixDatagram`, or the `OwnedFd` itself. Its blocking mode and its options
/// stay as they were. Bytes that have arrived can still be read.
///
/// Returns the socket, which owns the descriptor from now on. [`socket_export_stream`] is the way back.
///
/// # Errors
///
/// The stream is dropped, which closes it.
///
/// - a file or a pipe, which is no socket: `socket_import_stream(): Cannot represent a stream of type STDIO
///   as a Socket Descriptor`; it has no code, and no slot changes
/// - `SOCKET_EBADF`, for a descriptor opened with `O_PATH`: `socket_import_stream(): Unable to obtain socket
///   family [9]: Bad file descriptor`; the code is remembered in the thread's slot
/// - `socket_import_stream(): Unable to obtain blocking state`, with the errors of fcntl(2); the code is
///   remembered in the thread's slot
///
/// # Differences from PHP
///
/// PHP's stream and its socket share one descriptor, and closing either closes both. Here the descriptor has
/// one owner at a time. PHP leaves a stream open that it refuses.
///
/// # Examples
///
/// ```
/// use std::io::Read;
/// use std::net::{TcpListener, TcpStream};
/// use php_sockets::*;
///
/// let listener = TcpListener::bind("127.0.0.1:0").unwrap();
/// let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
///
/// let listener = socket_import_stream(listener)?;
/// let server = socket_accept(&listener)?;
/// socket_write(&server, "from PHP's side", None)?;
/// socket_close(server);
///
/// let mut text = String::new();
/// client.read_to_string(&mut text).unwrap();
/// assert_eq!(text, "from PHP's side");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 24](crate::lessons::lesson_24) · [php.net](https://www.php.net/socket_import_stream) ·
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
pub fn socket_import_stream(stream: impl Into<OwnedFd>) -> Result<Socket> {
    let socket = with_family(Socket::adopt(stream.into()))?;

    socket.read_blocking_mode().map_err(|_| {
        Error::warning(&Site { function: "socket_import_stream", message: "Unable to obtain blocking state" })
    })?;
    Ok(socket)
}

/// Reads the family from the socket's name where the kernel does not know `SO_DOMAIN`, as PHP does.
fn with_family(socket: Socket) -> Result<Socket> {
    if socket.family() != libc::AF_UNSPEC {
        return Ok(socket);
    }
    let mut name = SockAddrBuf::new();
    let mut len = SockAddrBuf::LEN;

    // SAFETY: `name` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
    let status = unsafe { libc::getsockname(socket.fd(), name.as_mut_ptr(), &raw mut len) };

    match ret(status) {
        Ok(()) => Ok(socket.of_family(name.family())),
        Err(failed) if failed.errno() == libc::ENOTSOCK => Err(Error::plain_warning(&Site {
            function: "socket_import_stream",
            message: "Cannot represent a stream of type STDIO as a Socket Descriptor",
        })),
        Err(_) => Err(Error::warning(&Site {
            function: "socket_import_stream",
            message: "Unable to obtain socket family",
        })),
    }
}

/// Makes a stream of a socket. The conversion cannot fail.
///
/// ```php
/// socket_export_stream(Socket $socket): resource|false
/// ```
///
/// No system call. The function takes `socket`: its descriptor moves into the stream, with its options, its
/// blocking mode and the bytes that have arrived.
///
/// The caller chooses the stream: any type that can be made from an `OwnedFd`, such as `TcpStream`,
/// `TcpListener`, `UdpSocket`, `UnixStream`, `UnixListener`, `UnixDatagram`, `Stdio` for a child process, or
/// `OwnedFd`. The type is not checked against the socket: a `TcpStream` made of a UDP socket sends datagrams.
///
/// # Differences from PHP
///
/// PHP chooses the stream by the socket's type, with two `getsockopt` calls, and leaves the socket usable
/// beside it. Once the stream is closed, PHP's socket has a dangling descriptor. Here the socket is moved
/// away, and using it does not compile.
///
/// # Examples
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::os::unix::net::UnixStream;
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&here, "first line\nsecond line\n", None)?;
/// socket_close(here);
///
/// let stream: UnixStream = socket_export_stream(there);
/// let lines = BufReader::new(stream).lines();
/// let lines: Vec<String> = lines.map_while(std::io::Result::ok).collect();
/// assert_eq!(lines, ["first line", "second line"]);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 24](crate::lessons::lesson_24) · [php.net](https://www.php.net/socket_export_stream) ·
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
#[must_use]
pub fn socket_export_stream<T: From<OwnedFd>>(socket: Socket) -> T {
    T::from(OwnedFd::from(socket))
}
