//! The arrays of sockets that `select` takes: lists and maps, of references.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;

use super::set::FdSet;
use crate::arguments::sealed::AsSocket;
use crate::socket::Socket;

/// The arrays that [`socket_select`](crate::socket_select) takes: PHP's `array &$read`, with or without keys.
///
/// - `Vec<S>`: a list
/// - `Vec<(K, S)>`: PHP's ordered map; keys and order are kept
/// - `BTreeMap<K, S>`: a map ordered by its keys
/// - `HashMap<K, S, H>`: a map in no order
///
/// `S` is a [`SocketHandle`]: `&Socket`, `Rc<Socket>` or `Arc<Socket>`. It is never an owned `Socket`, because
/// `socket_select` removes the idle ones, and a dropped `Socket` closes. No other type can implement this trait.
///
/// PHP's empty array, as in `$write = $except = [];`, may be `None`. An empty list may be given beside one that is not
/// empty: `Some(&mut write)`, whose type the list's declaration says, `Vec<&Socket>`.
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
/// None of them closes the socket when [`socket_select`](crate::socket_select) removes it. No other type can implement this trait.
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

    use super::SocketHandle;
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
