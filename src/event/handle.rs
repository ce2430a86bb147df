//! The class `Event`.

use std::any::TypeId;
use std::cell::RefCell;
use std::ffi::c_int;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::socket::Socket;

use super::state::{AddError, State};
use super::table::{Entry, Id};
use super::{ET, Error, EventBase, PERSIST, READ, Result, SIGNAL, Site, TIMEOUT, WRITE, signal};

/// PHP's class `Event`: what to wait for, and what to call then.
///
/// Waiting begins with [`add`](Event::add). It ends with [`del`](Event::del), or when the `Event` is dropped: keep it
/// where it lives long enough. The event owns its descriptor, usually an `Rc<Socket>` that others share.
///
/// ```
/// use std::rc::Rc;
/// use php_sockets::event::{Event, EventBase};
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let base = EventBase::new()?;
/// let event = Event::new(&base, here, Event::READ | Event::PERSIST, |base, socket, _what| {
///     match socket_read(socket, 100, PHP_BINARY_READ) {
///         Ok(data) if !data.is_empty() => println!("{}", String::from_utf8_lossy(&data)),
///         _ => base.stop(), // the end of the stream
///     }
/// })?;
/// event.add(None)?;
/// socket_write(&there, "hello", None)?;
/// socket_close(there);
/// base.dispatch()?;
/// # Ok::<(), Error>(())
/// ```
///
/// An event that owns its `Socket` closes it when it is dropped, and closing takes it out of epoll. If a child process or
/// another descriptor has the same socket too, it does not: the base then makes itself a new epoll descriptor, once,
/// and an edge may be told again. [`del`](Event::del) before the drop avoids that.
///
/// [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/class.event) ·
/// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html)
#[must_use = "dropping an `Event` ends it: keep it as long as it is to happen"]
pub struct Event {
    id: Id,
    state: Weak<RefCell<State>>,
}

impl Event {
    /// A time-out has passed. In `what` of [`new`](Event::new) it changes nothing: the time is given to
    /// [`add`](Event::add).
    pub const TIMEOUT: c_int = TIMEOUT;
    /// There is something to read, or the end of the stream, or an error; on a listener, a connection.
    pub const READ: c_int = READ;
    /// There is room to write, or a connection was made, or an error.
    pub const WRITE: c_int = WRITE;
    /// A signal has arrived.
    pub const SIGNAL: c_int = SIGNAL;
    /// The event stays pending when it has happened. Without this it has to be added again.
    pub const PERSIST: c_int = PERSIST;
    /// Edge-triggered: tells of what arrives, not of what is there. For non-blocking sockets, read until
    /// `SOCKET_EAGAIN`.
    pub const ET: c_int = ET;

    /// An event on a descriptor: a `Socket`, a stream of `std`, standard input, or an `Rc` of one.
    ///
    /// `what` is made of [`READ`](Event::READ), [`WRITE`](Event::WRITE), [`PERSIST`](Event::PERSIST),
    /// [`ET`](Event::ET) and [`TIMEOUT`](Event::TIMEOUT). The callback gets what of it has happened. No system call.
    ///
    /// # Errors
    ///
    /// - other bits, [`SIGNAL`](Event::SIGNAL) among them: `Event::__construct(): Invalid mask`
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let error = Event::new(&base, std::io::stdin(), 64, |_, _, _| {}).unwrap_err();
    /// assert_eq!(error.to_string(), "Event::__construct(): Invalid mask");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn new<F: AsFd + 'static>(
        base: &EventBase,
        fd: F,
        what: c_int,
        mut callback: impl FnMut(&EventBase, &F, c_int) + 'static,
    ) -> Result<Event> {
        if what & !(TIMEOUT | READ | WRITE | PERSIST | ET) != 0 {
            return Err(Error::plain_warning(&Site {
                function: "Event::__construct",
                message: "Invalid mask",
            }));
        }
        let number = if what & TIMEOUT == 0 { fd.as_fd().as_raw_fd() } else { -1 };
        let closes = closes_when_dropped::<F>();
        let callback = RefCell::new(move |base: &EventBase, what| callback(base, &fd, what));
        Ok(Event::insert(base, Entry::new(Some(Rc::new(callback)), number, what, closes)))
    }

    /// An event that happens once, when the time that [`add`](Event::add) gets has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let timer = Event::timer(&base, |_base| println!("now"));
    /// timer.add(Duration::from_millis(5))?;
    /// base.dispatch()?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn timer(base: &EventBase, mut callback: impl FnMut(&EventBase) + 'static) -> Event {
        let callback = RefCell::new(move |base: &EventBase, _| callback(base));
        Event::insert(base, Entry::new(Some(Rc::new(callback)), -1, 0, false))
    }

    /// A timer that happens again and again: PHP's `new Event($base, -1, Event::TIMEOUT | Event::PERSIST, …)`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let mut left = 3;
    /// let ticks = Event::repeated_timer(&base, move |base| {
    ///     left -= 1;
    ///     if left == 0 {
    ///         base.stop();
    ///     }
    /// });
    /// ticks.add(Duration::from_millis(2))?;
    /// base.dispatch()?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn repeated_timer(base: &EventBase, mut callback: impl FnMut(&EventBase) + 'static) -> Event {
        let callback = RefCell::new(move |base: &EventBase, _| callback(base));
        Event::insert(base, Entry::new(Some(Rc::new(callback)), -1, PERSIST, false))
    }

    /// An event that happens whenever a signal arrives. The callback runs in the loop like any other, and may do what
    /// it likes. When the last event of the signal is deleted, the signal's previous action is back, and an arrival
    /// that was not told yet is forgotten. If other code has set its own action with `sigaction` since, that one stays:
    /// only an [`add`](Event::add) that begins the waiting takes the signal from it, until the event is deleted.
    ///
    /// The handler has `SA_RESTART` and `SA_ONSTACK`. Other code that has saved it and puts it back when the last event is
    /// gone silences the signal, until an event takes it again.
    ///
    /// # Errors
    ///
    /// - no signal, or one that a fault raises: `Event::signal(): Invalid signal passed`
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let event = Event::signal(&base, 15, |base, signal| {
    ///     println!("signal {signal}");
    ///     base.exit(None);
    /// })?;
    /// event.add(None)?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn signal(
        base: &EventBase,
        signum: c_int,
        mut callback: impl FnMut(&EventBase, c_int) + 'static,
    ) -> Result<Event> {
        if !signal::is_valid(signum) {
            return Err(Error::plain_warning(&Site {
                function: "Event::signal",
                message: "Invalid signal passed",
            }));
        }
        let callback = RefCell::new(move |base: &EventBase, _| callback(base, signum));
        Ok(Event::insert(base, Entry::new(Some(Rc::new(callback)), signum, SIGNAL | PERSIST, false)))
    }

    fn insert(base: &EventBase, entry: Entry) -> Event {
        let id = base.state().insert(entry);
        Event { id, state: Rc::downgrade(&base.state) }
    }

    /// Makes the event pending. With a time, it happens as [`TIMEOUT`](Event::TIMEOUT) if nothing else has happened for
    /// so long. On a pending event a time begins anew, also one that has run out and was not told yet; `None` leaves it as it
    /// is.
    ///
    /// At most one `epoll_ctl`; none for a timer.
    ///
    /// # Errors
    ///
    /// - `Event::add(): Failed adding event`, with what `epoll_ctl` and `sigaction` can fail with
    /// - a regular file: `Event::add(): Failed adding event: files and folders are always ready, epoll does not take
    ///   them`
    /// - `Event::add(): Failed adding event: one event of this descriptor has ET and another has not`
    /// - `Event::add(): Failed adding event: another base has this signal`
    /// - the base is gone: `Event::add(): Failed adding event: Event object is malformed or freed`
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    /// use php_sockets::*;
    ///
    /// let (here, _there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    /// let base = EventBase::new()?;
    /// let event = Event::new(&base, here, Event::WRITE, |_, _, what| assert_eq!(what, Event::WRITE))?;
    /// event.add(None)?;
    /// base.dispatch()?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add(&self, timeout: impl Into<Option<Duration>>) -> Result<()> {
        let timeout = timeout.into();
        let added = match self.state.upgrade() {
            Some(state) => state.borrow_mut().add(self.id, timeout),
            None => Err(AddError::Gone),
        };
        added.map_err(|error| match error {
            AddError::Gone => Error::plain_warning(&Site {
                function: "Event::add",
                message: "Failed adding event: Event object is malformed or freed",
            }),
            AddError::Taken => Error::plain_warning(&Site {
                function: "Event::add",
                message: "Failed adding event: another base has this signal",
            }),
            AddError::Code(libc::EPERM) => Error::plain_warning(&Site {
                function: "Event::add",
                message: "Failed adding event: files and folders are always ready, epoll does not take them",
            }),
            AddError::Code(code) => {
                Error::coded(&Site { function: "Event::add", message: "Failed adding event" }, code)
            }
        })
    }

    /// Ends the waiting; [`add`](Event::add) begins it again. What has happened and was not told yet is forgotten.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let timer = Event::timer(&base, |_| unreachable!());
    /// timer.add(Duration::ZERO)?;
    /// timer.del();
    /// base.dispatch()?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn del(&self) {
        if let Some(state) = self.state.upgrade() {
            state.borrow_mut().del(self.id);
        }
    }

    /// Whether the event waits for one of these flags, or has them to tell.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let timer = Event::timer(&base, |_| ());
    /// assert!(!timer.pending(Event::TIMEOUT));
    /// timer.add(Duration::ZERO)?;
    /// assert!(timer.pending(Event::TIMEOUT | Event::READ));
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    #[must_use]
    pub fn pending(&self, flags: c_int) -> bool {
        self.state.upgrade().is_some_and(|state| state.borrow_mut().pending(self.id) & flags != 0)
    }

    /// How urgent the event is: 0 comes first. [`EventBase::priority_init`] says how many priorities there are.
    ///
    /// # Errors
    ///
    /// - no such priority, or the callback waits to be called: `Event::setPriority(): Unable to set priority`
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// base.priority_init(2)?;
    /// let event = Event::timer(&base, |_| ());
    /// event.set_priority(0)?;
    /// assert!(event.set_priority(2).is_err());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn set_priority(&self, priority: c_int) -> Result<()> {
        let set = self.state.upgrade().zip(u8::try_from(priority).ok());
        if !set.is_some_and(|(state, priority)| state.borrow_mut().set_priority(self.id, priority)) {
            return Err(Error::plain_warning(&Site {
                function: "Event::setPriority",
                message: "Unable to set priority",
            }));
        }
        Ok(())
    }
}

/// Whether dropping an `F` surely closes its descriptor. That takes it out of epoll without a call, unless its file is
/// open elsewhere too. An `Rc` may live on.
fn closes_when_dropped<F: 'static>() -> bool {
    [TypeId::of::<Socket>(), TypeId::of::<OwnedFd>()].contains(&TypeId::of::<F>())
}

impl Drop for Event {
    fn drop(&mut self) {
        if let Some(state) = self.state.upgrade() {
            // The state is let go before the callback is dropped: what that captured may use the base.
            let entry = state.borrow_mut().remove(self.id);
            drop(entry);
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("id", &self.id).finish_non_exhaustive()
    }
}
