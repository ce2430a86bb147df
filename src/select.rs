//! Waiting for many sockets at once.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::{mem, ptr};

use libc::{FD_SETSIZE, fd_set, timeval};

use crate::error::{Error, Result, Site};
use crate::socket::Socket;

/// A set of descriptors below 1024, C's `fd_set`; [`socket_select`] hands it to a [`SocketArray`].
pub struct FdSet {
    set: fd_set,
    /// The highest descriptor that was marked, in the set or too high for it; −1 for none.
    highest: c_int,
}

impl FdSet {
    /// The sockets of an array, none for `None`.
    fn of(array: Option<&dyn SocketArray>) -> FdSet {
        // SAFETY: an `fd_set` is bits alone; all of them 0 is the empty set that C's FD_ZERO makes.
        let mut set = FdSet { set: unsafe { mem::zeroed() }, highest: -1 };
        if let Some(array) = array {
            array.mark(&mut set);
        }
        set
    }

    /// Leaves the sockets of this set in an array.
    fn filter(&self, array: Option<&mut dyn SocketArray>) {
        if let Some(array) = array {
            array.keep(self);
        }
    }

    /// Adds a socket. A descriptor of 1024 or more does not fit; it is only noted, and `socket_select` refuses it.
    fn mark(&mut self, socket: &Socket) {
        let fd = socket.fd();
        self.highest = self.highest.max(fd);
        if fits(fd) {
            // SAFETY: `fd` is a bit of the set: 0 to 1023.
            unsafe { libc::FD_SET(fd, &raw mut self.set) }
        }
    }

    /// Whether a socket is in the set.
    fn has(&self, socket: &Socket) -> bool {
        let fd = socket.fd();
        // SAFETY: `fd` is a bit of the set: 0 to 1023.
        fits(fd) && unsafe { libc::FD_ISSET(fd, &raw const self.set) }
    }
}

/// Whether a descriptor has a bit in an `fd_set`.
fn fits(fd: c_int) -> bool {
    usize::try_from(fd).is_ok_and(|fd| fd < FD_SETSIZE)
}

impl fmt::Debug for FdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdSet").field("highest", &self.highest).finish_non_exhaustive()
    }
}

/// The arrays that [`socket_select`] takes: PHP's `array &$read`, with or without keys.
///
/// - `Vec<S>`: a list
/// - `Vec<(K, S)>`: PHP's ordered map; keys and order are kept
/// - `BTreeMap<K, S>`: a map ordered by its keys
///
/// where `S` is `&Socket`, `Rc<Socket>` or `Arc<Socket>`. It is never an owned `Socket`: `socket_select` removes the
/// idle ones, and a dropped `Socket` closes. No other type can implement this trait.
///
/// ```
/// use std::collections::BTreeMap;
/// use php_sockets::*;
///
/// let (alice, at_alice) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let (bob, _at_bob) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_write(&at_alice, "hello", None)?;
///
/// let mut read = BTreeMap::from([("alice", &alice), ("bob", &bob)]);
/// socket_select(Some(&mut read), None, None, 0, 0)?;
/// assert_eq!(read.into_keys().collect::<Vec<_>>(), ["alice"]);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 13](crate::lessons::lesson_13) · [php.net: socket_select](https://www.php.net/socket_select) ·
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
pub trait SocketArray: sealed::Array {
    /// Adds every socket of the array to the set.
    fn mark(&self, set: &mut FdSet);

    /// Removes the sockets that are not in the set.
    fn keep(&mut self, set: &FdSet);
}

/// What keeps [`SocketArray`] to the types listed there.
mod sealed {
    use super::{Arc, BTreeMap, Rc, Socket};

    pub trait Array {}
    impl<S: Handle> Array for Vec<S> {}
    impl<K, S: Handle> Array for Vec<(K, S)> {}
    impl<K, S: Handle> Array for BTreeMap<K, S> {}

    /// A socket that somebody else keeps open.
    #[diagnostic::on_unimplemented(
        message = "`socket_select` borrows sockets: it takes `&Socket`, `Rc<Socket>` or `Arc<Socket>`, not `{Self}`",
        label = "collect references instead: `sockets.iter().collect::<Vec<&Socket>>()`"
    )]
    pub trait Handle {
        fn socket(&self) -> &Socket;
    }
    impl Handle for &Socket {
        fn socket(&self) -> &Socket {
            self
        }
    }
    impl Handle for Rc<Socket> {
        fn socket(&self) -> &Socket {
            self
        }
    }
    impl Handle for Arc<Socket> {
        fn socket(&self) -> &Socket {
            self
        }
    }
}
use sealed::Handle;

impl<S: Handle> SocketArray for Vec<S> {
    fn mark(&self, set: &mut FdSet) {
        for handle in self {
            set.mark(handle.socket());
        }
    }

    fn keep(&mut self, set: &FdSet) {
        self.retain(|handle| set.has(handle.socket()));
    }
}

impl<K, S: Handle> SocketArray for Vec<(K, S)> {
    fn mark(&self, set: &mut FdSet) {
        for (_, handle) in self {
            set.mark(handle.socket());
        }
    }

    fn keep(&mut self, set: &FdSet) {
        self.retain(|(_, handle)| set.has(handle.socket()));
    }
}

impl<K: Ord, S: Handle> SocketArray for BTreeMap<K, S> {
    fn mark(&self, set: &mut FdSet) {
        for handle in self.values() {
            set.mark(handle.socket());
        }
    }

    fn keep(&mut self, set: &FdSet) {
        self.retain(|_, handle| set.has(handle.socket()));
    }
}

/// Waits until one of many sockets can be read or written, or has urgent data.
///
/// ```php
/// socket_select(?array &$read, ?array &$write, ?array &$except, ?int $seconds, int $microseconds = 0): int|false
/// ```
///
/// One system call, `select`. Each array is one of those of [`SocketArray`], or `None`; afterwards only its ready
/// sockets are left. A socket is ready
///
/// - in `read` if bytes, a connection to accept, or the end of the stream can be read without waiting;
/// - in `write` if there is room to send, or a non-blocking [`socket_connect`](crate::socket_connect) has ended;
/// - in `except` if urgent data has come.
///
/// `seconds` and `microseconds` are the longest time to wait: `None` for ever (then `microseconds` counts for
/// nothing), 0 and 0 not at all. Microseconds may be a million or more. Returns the number of ready sockets, counting
/// one that is ready in two arrays twice and one that stands twice in the same array once; 0 if the time ran out.
///
/// # Errors
///
/// The arrays stay as they were. A code is remembered in the thread's slot only.
///
/// - `SOCKET_EINTR`: `socket_select(): Unable to select [4]: Interrupted system call`; a signal came
/// - `SOCKET_EINVAL`: a negative time
/// - no socket in any array: `socket_select(): At least one array argument must be passed`
/// - a descriptor of 1024 or more, which an `fd_set` cannot hold: `socket_select(): You MUST recompile PHP with a
///   larger value of FD_SETSIZE.`, and four lines more. Nothing is remembered; [`Error::code`] is `SOCKET_EINVAL`.
///
/// # Differences from PHP
///
/// A plain `Vec` has no keys: its elements move up. An array cannot hold anything but open sockets, so PHP's two
/// `TypeError`s have become compile errors.
///
/// # Examples
///
/// A map of clients of one's own, and a map of references made anew for each call:
///
/// ```
/// use std::collections::BTreeMap;
/// use php_sockets::*;
///
/// let (server, client) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let mut clients = BTreeMap::from([(1, server)]);
/// socket_close(client);
///
/// let mut read: BTreeMap<i32, &Socket> = clients.iter().map(|(id, socket)| (*id, socket)).collect();
/// assert_eq!(socket_select(Some(&mut read), None, None, 1, 0)?, 1);
///
/// // Keep the ready keys, let the references go, then change the clients.
/// let ready: Vec<i32> = read.into_keys().collect();
/// for id in ready {
///     if socket_read(&clients[&id], 100, PHP_BINARY_READ)?.is_empty() {
///         clients.remove(&id);
///     }
/// }
/// assert!(clients.is_empty());
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 13](crate::lessons::lesson_13) · [php.net](https://www.php.net/socket_select) ·
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
pub fn socket_select(
    read: Option<&mut dyn SocketArray>,
    write: Option<&mut dyn SocketArray>,
    except: Option<&mut dyn SocketArray>,
    seconds: impl Into<Option<i64>>,
    microseconds: i64,
) -> Result<usize> {
    let mut readable = FdSet::of(read.as_deref());
    let mut writable = FdSet::of(write.as_deref());
    let mut urgent = FdSet::of(except.as_deref());
    let highest = readable.highest.max(writable.highest).max(urgent.highest);
    if highest == -1 {
        return Err(Error::value(&NO_SOCKET));
    }
    if !fits(highest) {
        return Err(Error::plain_warning(&TOO_HIGH).about(highest));
    }
    let mut time = seconds.into().map(|seconds| until(seconds, microseconds));
    let time = time.as_mut().map_or(ptr::null_mut(), ptr::from_mut);

    // SAFETY: the sets and the time are writable and outlive the call; every descriptor in a set is below
    // `highest` + 1, which is at most 1024, the size of a set.
    let count = unsafe {
        libc::select(highest + 1, &raw mut readable.set, &raw mut writable.set, &raw mut urgent.set, time)
    };

    let Ok(count) = usize::try_from(count) else {
        return Err(Error::loud_warning(&Site { function: "socket_select", message: "Unable to select" }));
    };
    readable.filter(read);
    writable.filter(write);
    urgent.filter(except);
    Ok(count)
}

/// The time as the kernel wants it. Like PHP, it carries microseconds of a million or more and passes on a negative
/// time, which the kernel refuses.
fn until(seconds: i64, microseconds: i64) -> timeval {
    if microseconds > 999_999 {
        let carried = seconds.wrapping_add(microseconds / 1_000_000);
        return timeval { tv_sec: carried, tv_usec: microseconds % 1_000_000 };
    }
    timeval { tv_sec: seconds, tv_usec: microseconds }
}

static NO_SOCKET: Site =
    Site { function: "socket_select", message: "At least one array argument must be passed" };

static TOO_HIGH: Site = Site {
    function: "socket_select",
    message: "You MUST recompile PHP with a larger value of FD_SETSIZE.\n\
        It is set to 1024, but you have \
        descriptors numbered at least as high as {}.\n\
        \x20--enable-fd-setsize={limit} is recommended, but you may want to set it\n\
        to equal the maximum number of open files supported by your system,\n\
        in order to avoid seeing this error again at a later date.",
};
