//! The descriptor that closes itself.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};
use std::{ffi::c_int, mem::size_of};

use crate::error::{Error, Site, slot};
use crate::sys::ffi::{Failed, ret, ret_c_int};

/// PHP's class `Socket`: an open socket that closes itself when it is dropped.
///
/// It owns its descriptor. A closed `Socket` does not exist: [`socket_close`](crate::socket_close) takes it.
/// A use after close, which PHP finds at run time, does not compile:
///
/// ```compile_fail,E0382
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_close(socket);
/// socket_bind(&socket, "127.0.0.1", 0)?;
/// # Ok::<(), Error>(())
/// ```
///
/// A `Socket` remembers its own last error, see [`socket_last_error`](crate::socket_last_error). Threads can
/// share it: every function takes `&Socket`. Two sockets are equal if they are the same descriptor, whose number is
/// the hash too.
///
/// A `Socket` is made from each socket of `std`, and from an [`OwnedFd`]. Its family is the one that the kernel
/// reports, or `AF_UNSPEC` if the descriptor is no socket. [`socket_export_stream`](crate::socket_export_stream)
/// is the way back.
///
/// ```
/// use std::net::TcpStream;
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let port = socket_getsockname(&listener)?.port;
///
/// let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
/// let client = Socket::from(stream);
/// assert_eq!(socket_getpeername(&client)?.port, port);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 01](crate::lessons::lesson_01) · [php.net: Socket](https://www.php.net/class.socket) ·
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
#[must_use = "a socket that is dropped is closed"]
pub struct Socket {
    fd: OwnedFd,
    family: c_int,
    /// `SOCK_STREAM` and so on; 0 if the descriptor is no socket.
    kind: c_int,
    error: AtomicI32,
    /// The bytes that `MSG_PEEK` shows: `SHOWS_ALL`, `MAY_HIDE` or `UNKNOWN`.
    peek: AtomicU8,
    /// True if [`socket_accept`](crate::socket_accept) makes its new sockets non-blocking. PHP stores here
    /// which of `socket_set_nonblock` and `socket_set_block` was called last; other ways to set the mode do
    /// not change it.
    accepts_nonblocking: AtomicBool,
}

/// `MSG_PEEK` shows all bytes that have arrived.
const SHOWS_ALL: u8 = 0;
/// `SO_RCVLOWAT` or `SO_PEEK_OFF` is set: `MSG_PEEK` may wait for more than a line, or begin after its first
/// byte.
const MAY_HIDE: u8 = 1;
/// The descriptor was made elsewhere, and these two options have not been read yet.
const UNKNOWN: u8 = 2;

impl Socket {
    /// Takes a descriptor that a system call has just returned.
    #[inline]
    pub(crate) fn new(fd: OwnedFd, family: c_int, kind: c_int) -> Socket {
        Socket {
            fd,
            family,
            kind,
            error: AtomicI32::new(0),
            peek: AtomicU8::new(SHOWS_ALL),
            accepts_nonblocking: AtomicBool::new(false),
        }
    }

    /// Takes a descriptor that was made elsewhere, and reads its family and its type.
    pub(crate) fn adopt(fd: OwnedFd) -> Socket {
        let family = Socket::int_option(fd.as_fd(), libc::SO_DOMAIN).unwrap_or(libc::AF_UNSPEC);
        let kind = Socket::int_option(fd.as_fd(), libc::SO_TYPE).unwrap_or(0);
        let socket = Socket::new(fd, family, kind);
        socket.peek.store(UNKNOWN, Ordering::Relaxed);
        socket
    }

    /// Reads the blocking mode of a descriptor that was made elsewhere. It counts as if `socket_set_nonblock`
    /// or `socket_set_block` had set it.
    pub(crate) fn read_blocking_mode(&self) -> Result<(), Failed> {
        let flags = self.status_flags()?;
        self.set_accepts_nonblocking(flags & libc::O_NONBLOCK != 0);
        Ok(())
    }

    #[inline]
    pub(crate) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    pub(crate) fn family(&self) -> c_int {
        self.family
    }

    /// The same socket with a family that was read in another way.
    pub(crate) fn of_family(self, family: c_int) -> Socket {
        Socket { family, ..self }
    }

    pub(crate) fn kind(&self) -> c_int {
        self.kind
    }

    /// True if this is a socket, and false for any other descriptor that came as an [`OwnedFd`]. An `ioctl`
    /// must check it first: the descriptor's driver decides what its number means.
    pub(crate) fn is_socket(&self) -> bool {
        self.kind != 0
    }

    pub(crate) fn error(&self) -> c_int {
        self.error.load(Ordering::Relaxed)
    }

    pub(crate) fn set_error(&self, code: c_int) {
        self.error.store(code, Ordering::Relaxed);
    }

    /// True if `MSG_PEEK` may hide bytes; lines are then read one byte per `recv`.
    pub(crate) fn peek_may_hide_bytes(&self) -> bool {
        match self.peek.load(Ordering::Relaxed) {
            SHOWS_ALL => false,
            MAY_HIDE => true,
            _ => {
                let low_water = Socket::int_option(self.as_fd(), libc::SO_RCVLOWAT).unwrap_or(1);
                let peek_offset = Socket::int_option(self.as_fd(), libc::SO_PEEK_OFF).unwrap_or(-1);
                let may_hide = low_water > 1 || peek_offset >= 0;
                self.peek.store(if may_hide { MAY_HIDE } else { SHOWS_ALL }, Ordering::Relaxed);
                may_hide
            }
        }
    }

    /// `SO_RCVLOWAT` or `SO_PEEK_OFF` has been set.
    pub(crate) fn set_peek_may_hide_bytes(&self) {
        self.peek.store(MAY_HIDE, Ordering::Relaxed);
    }

    /// A new connection has the options of its listener.
    pub(crate) fn inherit_peek(&self, listener: &Socket) {
        self.peek.store(listener.peek.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn accepts_nonblocking(&self) -> bool {
        self.accepts_nonblocking.load(Ordering::Relaxed)
    }

    pub(crate) fn set_accepts_nonblocking(&self, nonblocking: bool) {
        self.accepts_nonblocking.store(nonblocking, Ordering::Relaxed);
    }

    /// PHP's warning about `errno`, which is remembered in this socket's slot and in the thread's.
    #[cold]
    pub(crate) fn warning(&self, site: &'static Site) -> Error {
        let code = slot::remember_errno();
        self.set_error(code);
        Error::coded(site, code)
    }

    /// As [`warning`](Socket::warning), for a code that is not in `errno`.
    #[cold]
    pub(crate) fn remember(&self, site: &'static Site, code: c_int) -> Error {
        slot::remember(code);
        self.set_error(code);
        Error::coded(site, code)
    }

    /// The descriptor's status flags.
    pub(crate) fn status_flags(&self) -> Result<c_int, Failed> {
        // SAFETY: F_GETFL takes no further argument; the descriptor is open as long as `self` lives.
        ret_c_int(unsafe { libc::fcntl(self.fd(), libc::F_GETFL) })
    }

    /// An integer option of the level `SOL_SOCKET`; `None` if the descriptor is no socket.
    pub(crate) fn int_option(fd: BorrowedFd<'_>, option: c_int) -> Option<c_int> {
        let mut value: c_int = 0;
        let mut len = INT_LEN;

        // SAFETY: `value` is writable for `len` bytes. Both outlive the call, which keeps no pointer.
        let status = unsafe {
            libc::getsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut len)
        };

        ret(status).ok().map(|()| value)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "an int has 4 bytes")]
const INT_LEN: libc::socklen_t = size_of::<c_int>() as libc::socklen_t;

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd()
    }
}

impl IntoRawFd for Socket {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> OwnedFd {
        socket.fd
    }
}

/// Reads the family (`SO_DOMAIN`), the type (`SO_TYPE`) and the blocking mode (`fcntl`) from the kernel. The
/// family is `AF_UNSPEC` if the descriptor is no socket.
impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Socket {
        let socket = Socket::adopt(fd);
        // If the mode cannot be read, the descriptor counts as blocking.
        let _ = socket.read_blocking_mode();
        socket
    }
}

/// Conversions from the sockets of `std`.
macro_rules! from {
    ($($stream:ty)*) => {$(
        /// As from an [`OwnedFd`].
        impl From<$stream> for Socket {
            fn from(stream: $stream) -> Socket {
                OwnedFd::from(stream).into()
            }
        }
    )*};
}

from!(TcpStream TcpListener UdpSocket UnixStream UnixListener UnixDatagram);

impl PartialEq for Socket {
    fn eq(&self, other: &Socket) -> bool {
        self.fd() == other.fd()
    }
}

impl Eq for Socket {}

/// The descriptor's number, as for `==`.
impl Hash for Socket {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fd().hash(state);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("fd", &self.fd())
            .field("family", &self.family)
            .field("type", &self.kind)
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}
