//! To and from the streams of `std`.

use std::os::fd::OwnedFd;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret;
use crate::sys::sockaddr::Buffer;

/// Makes a socket of a stream.
///
/// ```php
/// socket_import_stream(resource $stream): Socket|false
/// ```
///
/// Three system calls, `getsockopt` for the family (`SO_DOMAIN`) and for the type (`SO_TYPE`), and `fcntl` for the
/// blocking mode, which [`socket_accept`](crate::socket_accept) hands on. `stream` is whatever `std` makes an
/// `OwnedFd` of: a `TcpStream`, `TcpListener`, `UdpSocket`, `UnixStream`, `UnixListener`, `UnixDatagram`, or the
/// `OwnedFd` itself. Whether it blocks stays as it was, as do its options and what waits to be read.
///
/// Returns the socket, which owns the descriptor from now on; [`socket_export_stream`] is the way back.
///
/// # Errors
///
/// The stream is dropped, which closes it.
///
/// - no socket, but a file or a pipe: `socket_import_stream(): Cannot represent a stream of type STDIO as a Socket
///   Descriptor`; no code, and nothing is remembered
/// - `SOCKET_EBADF`, for a descriptor opened with `O_PATH`: `socket_import_stream(): Unable to obtain socket family [9]:
///   Bad file descriptor`; remembered in the thread's slot
/// - `socket_import_stream(): Unable to obtain blocking state`, with what `fcntl` can fail with; remembered there too
///
/// # Differences from PHP
///
/// PHP's stream and its socket share one descriptor, and closing either closes both; here it has one owner at a time.
/// PHP keeps a stream that it refuses.
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

/// Where the kernel does not know `SO_DOMAIN`, PHP asks for the socket's name, which begins with the family.
fn with_family(socket: Socket) -> Result<Socket> {
    if socket.family() != libc::AF_UNSPEC {
        return Ok(socket);
    }
    let mut name = Buffer::new();
    let mut len = Buffer::LEN;

    // SAFETY: `name` is writable for the `len` bytes given, and both outlive the call.
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

/// Makes a stream of a socket.
///
/// ```php
/// socket_export_stream(Socket $socket): resource|false
/// ```
///
/// No system call. `socket` is taken: its descriptor moves into the stream as it is, with its options, its blocking mode
/// and what waits to be read. The caller says which stream it is to be: any type that can be made from an `OwnedFd`, such
/// as `TcpStream`, `TcpListener`, `UdpSocket`, `UnixStream`, `UnixListener`, `UnixDatagram`, `Stdio` for a child process,
/// or `OwnedFd`.
///
/// Nobody checks that the type suits the socket: a `TcpStream` made of a UDP socket sends datagrams. It cannot fail.
///
/// # Differences from PHP
///
/// PHP chooses the stream by the socket's type (two `getsockopt` calls), keeps the socket beside it, and leaves that with
/// a dangling descriptor once the stream is closed; here the socket is gone, and using it does not compile.
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
/// let lines: Vec<String> = BufReader::new(stream).lines().map_while(std::io::Result::ok).collect();
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
