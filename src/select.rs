//! `select`: waits until one of many sockets is ready.

use std::ffi::c_int;
use std::ptr;

use libc::timeval;

mod arrays;
mod set;

use crate::arguments::Seconds;
use crate::error::{Error, Result, Site};
use crate::sys::ffi::ret_count;
pub use arrays::{SocketArray, SocketHandle};
pub use set::FdSet;
use set::MOST;

/// Waits until one of many sockets can be read or written, or has urgent data.
///
/// ```php
/// socket_select(
///     ?array &$read,
///     ?array &$write,
///     ?array &$except,
///     ?int $seconds,
///     int $microseconds = 0
/// ): int|false
/// ```
///
/// One system call, `select`. Each array is one of those of [`SocketArray`], or `None`, which stands for PHP's `null` and
/// for its empty array: `$write = $except = []` is `None, None`. A list that happens to be empty may be given, too.
/// After the call an array holds only its ready sockets. A
/// socket is ready
///
/// - in `read` if bytes, a connection to accept, or the end of the stream can be read without waiting;
/// - in `write` if the send buffer has free space, or a non-blocking [`socket_connect`](crate::socket_connect) has ended;
/// - in `except` if urgent data has arrived.
///
/// `seconds` and `microseconds` are the longest time to wait. `None` waits for ever, and `microseconds` is ignored; 0 and
/// 0 do not wait. Microseconds may be a million or more. Returns the number of ready sockets, 0 if the time ran out. A
/// socket that is ready in two arrays counts twice; one that stands twice in the same array counts once.
///
/// # Costs
///
/// `socket_select` allocates nothing; a caller that makes new arrays for each round does. One round is `select` over 100
/// clients, of which one is ready, and then `recv` and `send`:
///
/// | the array | instructions | allocations |
/// | --- | --- | --- |
/// | an `fd_set` by hand | 2,731 | 0 |
/// | one `Vec<&Socket>` for all rounds | 1,760 | 0 |
/// | one `Vec<Rc<Socket>>` for all rounds | 2,701 | 0 |
/// | a new `Vec<&Socket>` of a `Vec<Socket>` | 2,065 | 1 |
/// | a new `Vec<(K, &Socket)>` of a `Vec<(K, Socket)>` | 2,388 | 1 |
/// | a new `Vec<(K, &Socket)>` of a `BTreeMap<K, Socket>` | 5,462 | 2 |
/// | a new `BTreeMap<K, &Socket>` | 19,127 | 12 |
///
/// A `Vec<(K, S)>` has keys too, so a map of references is seldom worth its price.
///
/// # Errors
///
/// The arrays stay as they were. A code is remembered in the thread's slot only.
///
/// - `SOCKET_EINTR`: `socket_select(): Unable to select [4]: Interrupted system call`; a signal arrived
/// - `SOCKET_EINVAL`: a negative time
/// - no socket in any array: `socket_select(): At least one array argument must be passed`
/// - a descriptor of 1024 or more, for which an `fd_set` has no bit: `socket_select(): You MUST recompile PHP with a
///   larger value of FD_SETSIZE.`, and four lines more. Nothing is remembered; [`Error::code`] is `SOCKET_EINVAL`.
///
/// # Differences from PHP
///
/// A plain `Vec` has no keys: its elements move up. Microseconds below −2147483648 are refused like all negative times;
/// PHP uses only their lower 32 bits, which may be a time to wait. An array holds nothing but open sockets, so PHP's two
/// `TypeError`s are compile errors.
///
/// # Examples
///
/// A map of clients, and a new list of references for each call. While the list lives, the map cannot change: to insert
/// or remove a client is the compiler's error E0502. So collect the ready keys, drop the list, then change the clients.
///
/// ```
/// use std::collections::BTreeMap;
/// use php_sockets::*;
///
/// let (server, client) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let mut clients = BTreeMap::from([(1, server)]);
/// socket_close(client);
///
/// let mut read: Vec<(i32, &Socket)> =
///     clients.iter().map(|(id, socket)| (*id, socket)).collect();
/// assert_eq!(socket_select(Some(&mut read), None, None, 1, 0)?, 1);
///
/// let ready: Vec<i32> = read.into_iter().map(|(id, _)| id).collect();
/// for id in ready {
///     // `clients[&id]` would panic if the client had been removed.
///     let Some(client) = clients.get(&id) else { continue };
///     if socket_read(client, 100, PHP_BINARY_READ)?.is_empty() {
///         clients.remove(&id);
///     }
/// }
/// assert!(clients.is_empty());
/// # Ok::<(), Error>(())
/// ```
///
/// PHP's `$read = $clients`, with shared sockets: the clients may change at any time, and `read` reuses its memory.
///
/// ```
/// use std::rc::Rc;
/// use php_sockets::*;
///
/// let (server, client) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let mut clients = vec![Rc::new(server)];
/// socket_close(client);
///
/// let mut read = Vec::new();
/// while !clients.is_empty() {
///     read.clone_from(&clients);
///     socket_select(Some(&mut read), None, None, None, 0)?;
///     for client in &read {
///         if socket_read(client, 100, PHP_BINARY_READ)?.is_empty() {
///             // It closes when `read` is filled again.
///             clients.retain(|other| other != client);
///         }
///     }
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 13](crate::lessons::lesson_13) · [php.net](https://www.php.net/socket_select) ·
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
#[inline]
pub fn socket_select(
    read: Option<&mut dyn SocketArray>,
    write: Option<&mut dyn SocketArray>,
    except: Option<&mut dyn SocketArray>,
    seconds: impl Seconds,
    microseconds: i64,
) -> Result<usize> {
    let (mut readable, mut writable, mut urgent) = (FdSet::EMPTY, FdSet::EMPTY, FdSet::EMPTY);
    fill(&mut readable, read.as_deref());
    fill(&mut writable, write.as_deref());
    fill(&mut urgent, except.as_deref());
    let nfds = readable.nfds.max(writable.nfds).max(urgent.nfds);
    if !(1..=MOST).contains(&nfds) {
        return Err(refused(nfds));
    }
    let mut time = seconds.seconds().map(|seconds| until(seconds, microseconds));
    let time = time.as_mut().map_or(ptr::null_mut(), ptr::from_mut);

    #[allow(clippy::cast_possible_wrap, reason = "it is at most 1024")]
    let nfds = nfds as c_int;

    // SAFETY: the sets and the time are writable and outlive the call; `nfds` is at most 1024, the size of a set.
    let count = unsafe {
        libc::select(nfds, readable.as_mut_ptr(), writable.as_mut_ptr(), urgent.as_mut_ptr(), time)
    };

    let count = ret_count(count)
        .map_err(|_| Error::loud_warning(&Site { function: "socket_select", message: "Unable to select" }))?;
    filter(&mut readable, read, count);
    filter(&mut writable, write, count);
    filter(&mut urgent, except, count);
    Ok(count)
}

/// Adds the sockets of an array to a set, none for `None`.
#[inline]
fn fill(set: &mut FdSet, array: Option<&dyn SocketArray>) {
    if let Some(array) = array {
        array.mark(set);
    }
}

/// Retains the sockets of an array that are in a set. `count` is the result of `select`.
#[inline]
fn filter(set: &mut FdSet, array: Option<&mut dyn SocketArray>, count: usize) {
    set.count = count;
    if let Some(array) = array {
        array.keep(set);
    }
}

#[cold]
#[allow(clippy::cast_possible_wrap, reason = "the number of a descriptor fits")]
fn refused(nfds: u32) -> Error {
    if nfds == 0 {
        Error::value(&NO_SOCKET)
    } else {
        Error::plain_warning(&TOO_HIGH).about((nfds - 1) as c_int)
    }
}

/// The time for the kernel. As in PHP, a million microseconds and more are carried into the seconds, and a negative time
/// is passed on, which the C library refuses. −1 stands for all negative microseconds: the C library sees only the lower
/// 32 bits, which may be positive.
fn until(seconds: i64, microseconds: i64) -> timeval {
    if microseconds > 999_999 {
        let carried = seconds.wrapping_add(microseconds / 1_000_000);
        return timeval { tv_sec: carried, tv_usec: microseconds % 1_000_000 };
    }
    timeval { tv_sec: seconds, tv_usec: microseconds.max(-1) }
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
