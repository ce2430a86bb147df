//! The class `Event`: what creates one; how it waits is in `pending`.

use std::any::TypeId;
use std::cell::RefCell;
use std::ffi::c_int;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::{Rc, Weak};

use crate::socket::Socket;

use super::state::State;
use super::table::{Entry, Id};
use super::{ET, Error, EventBase, PERSIST, READ, Result, SIGNAL, Site, TIMEOUT, WRITE, signal};

/// PHP's class `Event`: a descriptor, a time-out or a signal, and a callback.
///
/// [`add`](Event::add) makes it pending. [`del`](Event::del) and the drop of the `Event` end that, so store it
/// where it lives long enough. The event owns its descriptor, usually an `Rc<Socket>` that others share.
///
/// ```
/// use php_sockets::event::{Event, EventBase};
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let base = EventBase::new()?;
/// let what = Event::READ | Event::PERSIST;
/// let event = Event::new(&base, here, what, |base, socket, _what| {
///     match socket_read(socket, 100, PHP_BINARY_READ) {
///         Ok(data) if data.is_empty() => base.stop(), // the end of the stream
///         Ok(data) => println!("{}", String::from_utf8_lossy(&data)),
///         Err(error) => println!("{error}"),
///     }
/// })?;
/// event.add(None)?;
/// socket_write(&there, "hello", None)?;
/// socket_close(there);
/// base.dispatch()?;
/// # Ok::<(), Error>(())
/// ```
///
/// An event that owns its `Socket` closes it when it is dropped, which takes it out of epoll. If a child
/// process or another descriptor has the same socket too, the close does not: the base then makes itself a new
/// epoll descriptor, once, and an edge may be reported again. [`del`](Event::del) before the drop avoids that.
///
/// [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/class.event) ·
/// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html)
#[must_use = "dropping an `Event` ends it: bind it to a variable"]
pub struct Event {
    pub(super) id: Id,
    pub(super) state: Weak<RefCell<State>>,
}

impl Event {
    /// A time-out has passed. In `what` of [`new`](Event::new) it makes a timer of the event.
    pub const TIMEOUT: c_int = TIMEOUT;
    /// There is something to read, or the end of the stream, or an error; on a listener, a connection.
    pub const READ: c_int = READ;
    /// The kernel can take data to send, or a connection was made, or an error.
    pub const WRITE: c_int = WRITE;
    /// A signal has arrived.
    pub const SIGNAL: c_int = SIGNAL;
    /// The event stays pending when it has happened. Without this it has to be added again.
    pub const PERSIST: c_int = PERSIST;
    /// Edge-triggered: reports what arrives, not what is there. For non-blocking sockets, read until
    /// `SOCKET_EAGAIN`. The callback's `what` contains it.
    pub const ET: c_int = ET;

    /// Creates an event on a descriptor: a `Socket`, a stream of `std`, standard input, or an `Rc` of one.
    ///
    /// ```php
    /// Event::__construct(
    ///     EventBase $base, mixed $fd, int $what, callable $cb, mixed $arg = NULL
    /// )
    /// ```
    ///
    /// No system call.
    ///
    /// - `what` is made of [`READ`](Event::READ), [`WRITE`](Event::WRITE), [`PERSIST`](Event::PERSIST),
    ///   [`ET`](Event::ET) and [`TIMEOUT`](Event::TIMEOUT). With `TIMEOUT` the event is a timer, and the descriptor
    ///   is not watched, as in PHP; a time-out needs only its time in [`add`](Event::add).
    /// - `callback` gets the base, `fd`, and the bits of `what` that have happened.
    ///
    /// PHP's `new Event($base, SIGTERM, Event::SIGNAL | Event::PERSIST, …)` is [`Event::signal`], and
    /// `new Event($base, -1, Event::TIMEOUT | Event::PERSIST, …)` is [`Event::repeated_timer`].
    ///
    /// # Errors
    ///
    /// - other bits, [`SIGNAL`](Event::SIGNAL) among them: `Event::__construct(): Invalid mask`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let error = Event::new(&base, std::io::stdin(), 64, |_, _, _| {});
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "Event::__construct(): Invalid mask"
    /// );
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/event.construct)
    pub fn new<F: AsFd + 'static>(
        base: &EventBase,
        fd: F,
        what: c_int,
        callback: impl FnMut(&EventBase, &F, c_int) + 'static,
    ) -> Result<Event> {
        if !is_mask(what) {
            return Err(Error::plain_warning(&Site {
                function: "Event::__construct",
                message: "Invalid mask",
            }));
        }
        Ok(Event::on(base, fd, what, callback))
    }

    fn on<F: AsFd + 'static>(
        base: &EventBase,
        fd: F,
        what: c_int,
        mut callback: impl FnMut(&EventBase, &F, c_int) + 'static,
    ) -> Event {
        let number = if what & TIMEOUT == 0 { fd.as_fd().as_raw_fd() } else { -1 };
        let callback = RefCell::new(move |base: &EventBase, what| callback(base, &fd, what));
        Event::insert(base, Entry::new(Some(Rc::new(callback)), number, what, closes_when_dropped::<F>()))
    }

    /// Creates an event that happens once, when the time of [`add`](Event::add) has passed.
    ///
    /// ```php
    /// Event::timer(EventBase $base, callable $cb, mixed $arg = ?): Event
    /// ```
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
    ///
    /// [php.net](https://www.php.net/event.timer)
    pub fn timer(base: &EventBase, callback: impl FnMut(&EventBase) + 'static) -> Event {
        Event::timed(base, 0, callback)
    }

    /// Creates a timer that happens again and again.
    ///
    /// ```php
    /// new Event($base, -1, Event::TIMEOUT | Event::PERSIST, $callback)
    /// ```
    ///
    /// Its beat is steady: a late callback does not move the next one, and a beat that was missed is skipped. A
    /// time of zero happens once.
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
    ///
    /// [php.net](https://www.php.net/event.construct)
    pub fn repeated_timer(base: &EventBase, callback: impl FnMut(&EventBase) + 'static) -> Event {
        Event::timed(base, PERSIST, callback)
    }

    fn timed(base: &EventBase, what: c_int, mut callback: impl FnMut(&EventBase) + 'static) -> Event {
        let callback = RefCell::new(move |base: &EventBase, _| callback(base));
        Event::insert(base, Entry::new(Some(Rc::new(callback)), -1, what, false))
    }

    /// Creates an event that happens whenever a signal arrives, as often as it has arrived.
    ///
    /// ```php
    /// Event::signal(
    ///     EventBase $base, int $signum, callable $cb, mixed $arg = ?
    /// ): Event
    /// ```
    ///
    /// The callback runs in the loop like any other, not in the signal handler. [`add`](Event::add) sets the
    /// handler, with `SA_RESTART` and `SA_ONSTACK`. When the last event of the signal is deleted, the previous
    /// action is back. An action that other code has set with `sigaction` since stays; other code that has saved
    /// our handler and sets it later silences the signal, until an event takes it again.
    ///
    /// # Errors
    ///
    /// - a number that is not 0 to 64, or the signal of a fault: `Event::signal(): Invalid signal passed`
    ///
    /// # Examples
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
    ///
    /// [php.net](https://www.php.net/event.signal) ·
    /// [sigaction(2)](https://man7.org/linux/man-pages/man2/sigaction.2.html)
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

    /// Makes an event that is not pending another one, as [`new`](Event::new) creates it.
    ///
    /// ```php
    /// Event::set(
    ///     EventBase $base, mixed $fd, int $what = ?, callable $cb = ?, mixed $arg = ?
    /// ): bool
    /// ```
    ///
    /// No system call, unless the event owned its old descriptor. Its priority is the one in the middle again.
    ///
    /// # Errors
    ///
    /// - other bits than `new` takes: `Event::set(): Invalid events mask`
    /// - `Event::set(): Can't modify pending event`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let mut event = Event::timer(&base, |_| ());
    /// event.set(&base, std::io::stdin(), Event::READ, |_, _, _| ())?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/event.set)
    pub fn set<F: AsFd + 'static>(
        &mut self,
        base: &EventBase,
        fd: F,
        what: c_int,
        callback: impl FnMut(&EventBase, &F, c_int) + 'static,
    ) -> Result<()> {
        if !is_mask(what) {
            return Err(Error::plain_warning(&Site {
                function: "Event::set",
                message: "Invalid events mask",
            }));
        }
        if self.pending(TIMEOUT | READ | WRITE | SIGNAL) {
            return Err(Error::plain_warning(&Site {
                function: "Event::set",
                message: "Can't modify pending event",
            }));
        }
        *self = Event::on(base, fd, what, callback);
        Ok(())
    }

    /// Makes an event that is not pending a timer, as [`timer`](Event::timer) creates it.
    ///
    /// ```php
    /// Event::setTimer(EventBase $base, callable $cb, mixed $arg = ?): bool
    /// ```
    ///
    /// # Errors
    ///
    /// - `Event::setTimer(): Can't modify pending timer`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let mut timer = Event::timer(&base, |_| ());
    /// timer.set_timer(&base, |_| println!("another callback"))?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/event.settimer)
    pub fn set_timer(&mut self, base: &EventBase, callback: impl FnMut(&EventBase) + 'static) -> Result<()> {
        if self.pending(TIMEOUT | READ | WRITE | SIGNAL) {
            return Err(Error::plain_warning(&Site {
                function: "Event::setTimer",
                message: "Can't modify pending timer",
            }));
        }
        *self = Event::timer(base, callback);
        Ok(())
    }
}

fn is_mask(what: c_int) -> bool {
    what & !(TIMEOUT | READ | WRITE | PERSIST | ET) == 0
}

/// Whether dropping an `F` surely closes its descriptor, which saves an `epoll_ctl`, one of the nine system calls of a
/// connection's life. A file that is open elsewhere too stays in epoll; an `Rc` may live on.
fn closes_when_dropped<F: 'static>() -> bool {
    [TypeId::of::<Socket>(), TypeId::of::<OwnedFd>()].contains(&TypeId::of::<F>())
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("id", &self.id).finish_non_exhaustive()
    }
}
