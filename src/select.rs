//! `select`: waits until one of many sockets is ready.

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_int;
use std::mem;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use libc::{FD_SETSIZE, fd_set, timeval};

use crate::arguments::{Seconds, sealed::AsSocket};
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::ret_count;

/// A set of descriptors below 1024: C's `fd_set`. [`socket_select`] passes it to a [`SocketArray`].
#[derive(Debug)]
pub struct FdSet {
    /// One bit a descriptor, as C lays them out.
    words: [u64; WORDS],
    /// One more than the highest descriptor that was marked; 0 if none was. It may be too high for the set.
    nfds: u32,
    /// The result of `select`: the number of bits that it left, in all sets together.
    count: usize,
}

const BITS: usize = u64::BITS as usize;
const WORDS: usize = FD_SETSIZE / BITS;
#[allow(clippy::cast_possible_truncation, reason = "it is 1024")]
const MOST: u32 = FD_SETSIZE as u32;
const _: () = assert!(size_of::<[u64; WORDS]>() == size_of::<fd_set>());

impl FdSet {
    const EMPTY: FdSet = FdSet { words: [0; WORDS], nfds: 0, count: 0 };

    /// Adds the sockets of an array, none for `None`.
    #[inline]
    fn fill(&mut self, array: Option<&dyn SocketArray>) {
        if let Some(array) = array {
            array.mark(self);
        }
    }

    /// Retains the sockets of an array that are in this set.
    #[inline]
    fn filter(&mut self, array: Option<&mut dyn SocketArray>, count: usize) {
        self.count = count;
        if let Some(array) = array {
            array.keep(self);
        }
    }

    fn as_mut_ptr(&mut self) -> *mut fd_set {
        (&raw mut self.words).cast()
    }

    /// Adds sockets. Neighbours in a list mostly share a word, so their bits are collected before they are stored.
    #[inline]
    fn mark<'a>(&mut self, mut sockets: impl Iterator<Item = &'a Socket>) {
        let Some(socket) = sockets.next() else { return };
        let (mut first, mut bits) = place(socket);
        sockets.for_each(|socket| {
            let offset = number(socket).wrapping_sub(first);
            if offset < BITS {
                bits |= 1 << offset;
            } else {
                self.mark_word(first, bits);
                (first, bits) = place(socket);
            }
        });
        self.mark_word(first, bits);
    }

    /// Adds bits, at least one, of the word that begins with the descriptor `first`. A descriptor of 1024 or more marks a
    /// wrong bit. Then `nfds` is above 1024, and `socket_select` refuses the set.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a descriptor has 32 bits")]
    fn mark_word(&mut self, first: usize, bits: u64) {
        self.words[first / BITS % WORDS] |= bits;
        // There is a highest bit. `| 1` shows the compiler that it need not check for zero.
        self.nfds = self.nfds.max(first as u32 + (bits | 1).ilog2() + 1);
    }

    /// Whether a socket is in the set.
    #[inline]
    fn has(&self, socket: &Socket) -> bool {
        let (first, bit) = place(socket);
        self.words[first / BITS % WORDS] & bit != 0
    }

    /// Retains the elements of a list whose sockets are in the set. One ready socket is the usual case: to compare numbers
    /// then costs less than to test a bit for each socket.
    #[inline]
    fn keep<T>(&self, list: &mut Vec<T>, socket: impl Fn(&T) -> &Socket) {
        if self.count == 1 {
            let only = self.first();
            list.retain(|element| number(socket(element)) == only);
        } else {
            list.retain(|element| self.has(socket(element)));
        }
    }

    /// The lowest descriptor in the set, which is the number of zeros before its bit; 1024 if the set is empty.
    #[inline]
    fn first(&self) -> usize {
        let mut zeros = 0;
        for word in &self.words {
            zeros += word.trailing_zeros();
            if *word != 0 {
                break;
            }
        }
        zeros as usize
    }
}

/// The descriptor that the word of a socket begins with, and the socket's bit there.
#[inline]
fn place(socket: &Socket) -> (usize, u64) {
    let number = number(socket);
    (number - number % BITS, 1 << (number % BITS))
}

#[inline]
#[allow(clippy::cast_sign_loss, reason = "an open descriptor is not negative")]
fn number(socket: &Socket) -> usize {
    socket.fd() as u32 as usize
}

/// The arrays that [`socket_select`] takes: PHP's `array &$read`, with or without keys.
///
/// - `Vec<S>`: a list
/// - `Vec<(K, S)>`: PHP's ordered map; keys and order are kept
/// - `BTreeMap<K, S>`: a map ordered by its keys
/// - `HashMap<K, S, H>`: a map in no order
///
/// `S` is a [`SocketHandle`]: `&Socket`, `Rc<Socket>` or `Arc<Socket>`. It is never an owned `Socket`, because
/// `socket_select` removes the idle ones, and a dropped `Socket` closes. No other type can implement this trait.
///
/// PHP's empty array, as in `$write = $except = [];`, is `None`.
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
#[diagnostic::on_unimplemented(
    message = "`socket_select` takes lists and maps of references to sockets, not `{Self}`",
    label = "write a `Vec<&Socket>`, a `Vec<(K, &Socket)>` or a map of references",
    note = "collect references with keys by `clients.iter().map(|(key, socket)| (*key, socket)).collect::<Vec<_>>()`",
    note = "PHP's empty array is `None`: `socket_select(Some(&mut read), None, None, 0, 0)`"
)]
pub trait SocketArray: sealed::Array {
    /// Adds every socket of the array to the set.
    fn mark(&self, set: &mut FdSet);

    /// Removes the sockets that are not in the set.
    fn keep(&mut self, set: &FdSet);
}

/// A socket in a [`SocketArray`]: `&Socket`, `Rc<Socket>`, `Arc<Socket>`, or a reference to a type that dereferences to
/// a `Socket`, such as `&Rc<Socket>`.
///
/// None of them closes the socket when [`socket_select`] removes it. No other type can implement this trait.
///
/// The compiler names this trait where it does not know the type of an empty array. Such an array is `None`:
///
/// ```
/// use std::sync::Arc;
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let clients = vec![Arc::new(here), Arc::new(there)];
///
/// // PHP: $read = $clients; $write = $except = [];
/// let mut read: Vec<&Arc<Socket>> = clients.iter().collect();
/// let (write, except) = (None, None);
/// assert_eq!(socket_select(Some(&mut read), write, except, 0, 0)?, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 13](crate::lessons::lesson_13) · [php.net: socket_select](https://www.php.net/socket_select) ·
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html)
#[diagnostic::on_unimplemented(
    message = "`socket_select` borrows sockets: it takes `&Socket`, `Rc<Socket>` or `Arc<Socket>`, not `{Self}`",
    label = "collect references instead: `sockets.iter().collect::<Vec<&Socket>>()`",
    note = "PHP's empty array is `None`: `socket_select(Some(&mut read), None, None, 0, 0)`"
)]
pub trait SocketHandle: sealed::Handle {}

/// Limits [`SocketArray`] and [`SocketHandle`] to the types listed there.
mod sealed {
    use std::collections::{BTreeMap, HashMap};

    use crate::select::SocketHandle;
    use crate::socket::Socket;

    pub trait Array {}
    impl<S: SocketHandle> Array for Vec<S> {}
    impl<K, S: SocketHandle> Array for Vec<(K, S)> {}
    impl<K, S: SocketHandle> Array for BTreeMap<K, S> {}
    impl<K, V: SocketHandle, S> Array for HashMap<K, V, S> {}

    /// The socket that is in a set or is not.
    pub trait Handle {
        fn socket(&self) -> &Socket;
    }
}

#[diagnostic::do_not_recommend]
impl<S: AsSocket> SocketHandle for &S {}
#[diagnostic::do_not_recommend]
impl<S: AsSocket> sealed::Handle for &S {
    #[inline]
    fn socket(&self) -> &Socket {
        self.as_socket()
    }
}

impl SocketHandle for Rc<Socket> {}
impl sealed::Handle for Rc<Socket> {
    #[inline]
    fn socket(&self) -> &Socket {
        self
    }
}

impl SocketHandle for Arc<Socket> {}
impl sealed::Handle for Arc<Socket> {
    #[inline]
    fn socket(&self) -> &Socket {
        self
    }
}

impl<S: SocketHandle> SocketArray for Vec<S> {
    #[inline]
    fn mark(&self, set: &mut FdSet) {
        set.mark(self.iter().map(S::socket));
    }

    #[inline]
    fn keep(&mut self, set: &FdSet) {
        set.keep(self, S::socket);
    }
}

impl<K, S: SocketHandle> SocketArray for Vec<(K, S)> {
    #[inline]
    fn mark(&self, set: &mut FdSet) {
        set.mark(self.iter().map(|(_, handle)| handle.socket()));
    }

    #[inline]
    fn keep(&mut self, set: &FdSet) {
        set.keep(self, |(_, handle)| handle.socket());
    }
}

impl<K: Ord, S: SocketHandle> SocketArray for BTreeMap<K, S> {
    fn mark(&self, set: &mut FdSet) {
        set.mark(self.values().map(S::socket));
    }

    // A removal rebalances the tree. If few sockets are ready, a new tree costs less than the removal of the others.
    fn keep(&mut self, set: &FdSet) {
        if set.count < self.len() / 4 {
            let all = mem::take(self).into_iter();
            self.extend(all.filter(|(_, handle)| set.has(handle.socket())));
        } else {
            self.retain(|_, handle| set.has(handle.socket()));
        }
    }
}

impl<K, V: SocketHandle, S> SocketArray for HashMap<K, V, S> {
    fn mark(&self, set: &mut FdSet) {
        set.mark(self.values().map(V::socket));
    }

    fn keep(&mut self, set: &FdSet) {
        self.retain(|_, handle| set.has(handle.socket()));
    }
}

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
/// for its empty array: `$write = $except = []` is `None, None`. After the call an array holds only its ready sockets. A
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
/// | one `Vec<&Socket>` for all rounds | 1,759 | 0 |
/// | one `Vec<Rc<Socket>>` for all rounds | 2,697 | 0 |
/// | a new `Vec<&Socket>` of a `Vec<Socket>` | 2,063 | 1 |
/// | a new `Vec<(K, &Socket)>` of a `Vec<(K, Socket)>` | 2,389 | 1 |
/// | a new `Vec<(K, &Socket)>` of a `BTreeMap<K, Socket>` | 5,460 | 2 |
/// | a new `BTreeMap<K, &Socket>` | 19,126 | 12 |
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
    readable.fill(read.as_deref());
    writable.fill(write.as_deref());
    urgent.fill(except.as_deref());
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
    readable.filter(read, count);
    writable.filter(write, count);
    urgent.filter(except, count);
    Ok(count)
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
