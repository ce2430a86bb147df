//! How an `Event` waits: from `add` to its drop.

use std::ffi::c_int;

use super::state::AddError;
use super::{Error, Event, Result, Site, Timeout};

impl Event {
    /// Makes the event pending.
    ///
    /// ```php
    /// Event::add(float $timeout = ?): bool
    /// ```
    ///
    /// At most one `epoll_ctl`; none for a timer. PHP's `addTimer` and `addSignal` are the same.
    ///
    /// With a time the event happens as [`TIMEOUT`](Event::TIMEOUT) if nothing else has happened for so long.
    /// On a pending event the time begins anew, also one that has passed if the callback was not called yet;
    /// `None` leaves it as it is. A persistent event remembers its time: each time the event happens it begins
    /// anew, also after [`del`](Event::del) and `add(None)`.
    ///
    /// # Errors
    ///
    /// - `Event::add(): Failed adding event`, as PHP says it; [`code`](Error::code) has the `errno` of `epoll_ctl` or
    ///   `sigaction`: `SOCKET_EPERM` for a regular file, which epoll does not take, `SOCKET_EBADF` for a descriptor
    ///   that was closed, `SOCKET_EINVAL` for signal 0 and one that cannot be caught, `SOCKET_EBUSY` for a signal
    ///   of another base
    /// - the base is gone: `Event::add(): Failed adding event: Event object is malformed or freed`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    /// use php_sockets::*;
    ///
    /// let (here, _there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    /// let base = EventBase::new()?;
    /// let event = Event::new(&base, here, Event::WRITE, |_, _, what| {
    ///     assert_eq!(what, Event::WRITE);
    /// })?;
    /// event.add(None)?;
    /// base.dispatch()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/event.add) ·
    /// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html)
    pub fn add(&self, timeout: impl Timeout) -> Result<()> {
        let timeout = timeout.timeout();
        let added = match self.state.upgrade() {
            Some(state) => state.borrow_mut().add(self.id, timeout),
            None => Err(AddError::Gone),
        };
        added.map_err(|error| match error {
            AddError::Gone => Error::plain_warning(&Site {
                function: "Event::add",
                message: "Failed adding event: Event object is malformed or freed",
            }),
            AddError::Code(code) => {
                Error::unsaid(&Site { function: "Event::add", message: "Failed adding event" }, code)
            }
        })
    }

    /// Ends the waiting. A callback that is due is not called any more.
    ///
    /// ```php
    /// Event::del(): bool
    /// ```
    ///
    /// At most one `epoll_ctl`. PHP's `delTimer` and `delSignal` are the same.
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
    ///
    /// [php.net](https://www.php.net/event.del)
    pub fn del(&self) {
        if let Some(state) = self.state.upgrade() {
            state.borrow_mut().del(self.id);
        }
    }

    /// Returns whether the event waits for one of these flags, or its callback is due for one.
    ///
    /// ```php
    /// Event::pending(int $flags): bool
    /// ```
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
    ///
    /// [php.net](https://www.php.net/event.pending)
    #[must_use]
    pub fn pending(&self, flags: c_int) -> bool {
        self.state.upgrade().is_some_and(|state| state.borrow_mut().pending(self.id) & flags != 0)
    }

    /// Sets how urgent the event is: 0 comes first.
    ///
    /// ```php
    /// Event::setPriority(int $priority): bool
    /// ```
    ///
    /// [`EventBase::priority_init`](super::EventBase::priority_init) sets how many priorities there are.
    ///
    /// # Errors
    ///
    /// - no such priority, or the callback is due: `Event::setPriority(): Unable to set event priority: 7`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// base.priority_init(2)?;
    /// let event = Event::timer(&base, |_| ());
    /// event.set_priority(0)?;
    /// assert_eq!(
    ///     event.set_priority(7).unwrap_err().to_string(),
    ///     "Event::setPriority(): Unable to set event priority: 7"
    /// );
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/event.setpriority)
    pub fn set_priority(&self, priority: c_int) -> Result<()> {
        let set = self.state.upgrade().zip(u8::try_from(priority).ok());
        if !set.is_some_and(|(state, priority)| state.borrow_mut().set_priority(self.id, priority)) {
            let site = &Site { function: "Event::setPriority", message: "Unable to set event priority: {}" };
            return Err(Error::plain_warning(site).about(priority));
        }
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if let Some(state) = self.state.upgrade() {
            // The borrow ends before the callback is dropped: what that captured may use the base.
            let entry = state.borrow_mut().remove(self.id);
            drop(entry);
        }
    }
}
