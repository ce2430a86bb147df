//! The class `EventBase`; its loop is in `run`.

use std::cell::{RefCell, RefMut};
use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;

use super::state::State;
use super::thread::BASES;
use super::{Error, Result, Site, epoll};

/// PHP's class `EventBase`: a loop that waits for events and calls their callbacks.
///
/// A clone is the same base. A base stays on its thread. It holds the callbacks, and an
/// [`Event`](super::Event) only points at it, so a callback that captures the table with its own `Event` leaks
/// nothing. A callback gets the base as an argument. If it captures a clone **and** its own `Event`, the two
/// hold each other until [`free`](EventBase::free), the drop of the `Event`, or the end of the thread.
///
/// ```
/// use std::time::Duration;
/// use php_sockets::event::{Event, EventBase};
///
/// let base = EventBase::new()?;
/// let timer = Event::timer(&base, |_| println!("10 milliseconds later"));
/// timer.add(Duration::from_millis(10))?;
/// base.dispatch()?;
/// # Ok::<(), php_sockets::Error>(())
/// ```
///
/// [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/class.eventbase) ·
/// [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)
#[derive(Clone)]
#[must_use = "dropping the last `EventBase` ends all its events: bind it to a variable"]
pub struct EventBase {
    pub(super) state: Rc<RefCell<State>>,
}

impl EventBase {
    /// Creates a base without events.
    ///
    /// ```php
    /// EventBase::__construct(EventConfig $cfg = ?)
    /// ```
    ///
    /// One system call, `epoll_create1`. There is no `EventConfig`, because epoll is the only method: PHP's
    /// `requireFeatures(EventConfig::FEATURE_ET)` holds, `FEATURE_FDS` (events on files) does not.
    ///
    /// # Errors
    ///
    /// - `SOCKET_EMFILE`: `EventBase::__construct(): Unable to create event base [24]: Too many open files`,
    ///   and the other failures of `epoll_create1`
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// let base = EventBase::new()?;
    /// assert_eq!(base.get_method(), "epoll");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.construct) ·
    /// [epoll_create1(2)](https://man7.org/linux/man-pages/man2/epoll_create1.2.html)
    pub fn new() -> Result<EventBase> {
        let epoll = epoll::create().map_err(|code| {
            Error::coded(
                &Site { function: "EventBase::__construct", message: "Unable to create event base" },
                code,
            )
        })?;
        let state = Rc::new(RefCell::new(State::new(epoll)));
        // In the destructor of another thread-local the list may be gone; such a base is on its own.
        let _ = BASES.try_with(|bases| bases.remember(&state));
        Ok(EventBase { state })
    }

    /// No borrow outlives a statement, and none is held while a caller's code runs.
    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// Sets the number of priorities, 1 at first.
    ///
    /// ```php
    /// EventBase::priorityInit(int $n_priorities): bool
    /// ```
    ///
    /// No system call. Priority 0 is the most urgent. A new event has the one in the middle, `n_priorities / 2`.
    /// An event whose priority is too large for the new number has the last one.
    ///
    /// # Errors
    ///
    /// - a number that is not 1 to 255, or events that wait for their callbacks: a silent `EventBase::priorityInit():
    ///   Unable to set priorities`; PHP returns `false` without a warning
    ///
    /// # Examples
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.priority_init(3)?;
    /// assert!(base.priority_init(256).is_err());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.priorityinit)
    pub fn priority_init(&self, n_priorities: c_int) -> Result<()> {
        let count = usize::try_from(n_priorities).ok().filter(|count| (1..=255).contains(count));
        if !count.is_some_and(|count| self.state().set_priorities(count)) {
            return Err(Error::silent(&Site {
                function: "EventBase::priorityInit",
                message: "Unable to set priorities",
            }));
        }
        Ok(())
    }

    /// Returns the name of the kernel's method, `epoll`.
    ///
    /// ```php
    /// EventBase::getMethod(): string
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// assert_eq!(base.get_method(), "epoll");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.getmethod)
    #[must_use]
    pub fn get_method(&self) -> &'static str {
        "epoll"
    }

    /// Returns the wall-clock time in seconds since 1970, in a callback that of the beginning of its round.
    ///
    /// ```php
    /// EventBase::getTimeOfDayCached(): float
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// assert!(base.get_time_of_day_cached() > 1e9);
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.gettimeofdaycached)
    #[must_use]
    pub fn get_time_of_day_cached(&self) -> f64 {
        self.state().time_of_day().as_secs_f64()
    }

    /// Reads the clock again, for a callback that takes long. Outside of callbacks it does nothing.
    ///
    /// ```php
    /// EventBase::updateCacheTime(): bool
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.update_cache_time();
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.updatecachetime)
    pub fn update_cache_time(&self) {
        let mut state = self.state();
        if state.running {
            state.set_time();
        }
    }

    /// Gives a child process its own epoll descriptor after a fork. Until then it shares that of its parent.
    ///
    /// ```php
    /// EventBase::reInit(): bool
    /// ```
    ///
    /// System calls: `epoll_create1`, an `epoll_ctl` for each descriptor, and `eventfd` if a signal is waited for.
    /// A signal that arrived before is the parent's. The signals of other threads' bases are taken in the child too.
    ///
    /// # Errors
    ///
    /// - `EventBase::reInit(): Unable to reinitialize event base`, with the failures of these calls; the base is
    ///   as before
    ///
    /// # Examples
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.re_init()?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.reinit)
    pub fn re_init(&self) -> Result<()> {
        let renewed = self.state().re_init();
        renewed.map_err(|code| {
            Error::coded(
                &Site { function: "EventBase::reInit", message: "Unable to reinitialize event base" },
                code,
            )
        })
    }

    /// Ends all events of this base, and drops what their callbacks captured.
    ///
    /// ```php
    /// EventBase::free(): void
    /// ```
    ///
    /// The base can get new events afterwards. In PHP a freed base must not be used.
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let event = Event::timer(&base, |_| ());
    /// base.free();
    /// assert!(event.add(None).is_err());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.free)
    pub fn free(&self) {
        let entries = self.state().remove_all();
        drop(entries);
    }
}

impl fmt::Debug for EventBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBase").finish_non_exhaustive()
    }
}
