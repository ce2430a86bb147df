//! Events: `EventBase` and `Event` of PHP's `event` extension, over epoll.
//!
//! An [`Event`] says what to wait for and what to call then; an [`EventBase`] waits, for all its events at once, and
//! calls. Ten thousand connections that are idle cost nothing; there is no limit of 1024 descriptors.
//!
//! ```
//! use std::rc::Rc;
//! use php_sockets::event::{Event, EventBase};
//! use php_sockets::*;
//!
//! let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
//! let base = EventBase::new()?;
//! let event = Event::new(&base, Rc::new(here), Event::READ, |_base, socket, _what| {
//!     assert_eq!(socket_read(socket, 100, PHP_BINARY_READ).unwrap(), b"hello");
//! })?;
//! event.add(None)?;
//!
//! socket_write(&there, "hello", None)?;
//! base.dispatch()?; // ends when no event is pending any more
//! # Ok::<(), Error>(())
//! ```
//!
//! # Callbacks
//!
//! A callback gets the base, the descriptor's owner and what happened. It may add, delete and drop any event, its own
//! included, and close sockets; nothing that is gone is delivered, also if its descriptor's number is in use again. If
//! it panics, [`EventBase::run`] unwinds, and the base can go on afterwards.
//!
//! # Differences from PHP
//!
//! - `loop` is a word of Rust's: here it is [`EventBase::run`].
//! - A socket that remembers an error can be waited for (in PHP the event is dead without a word), and
//!   [`Event::TIMEOUT`] in `$what` does no harm (in PHP the descriptor is thrown away).
//! - The callback gets the descriptor's owner, not its number; what PHP hands over as `$arg` is captured.
//! - A signal that arrives several times before the loop comes to it counts once. A signal belongs to one base at a
//!   time, and those of faults (`SIGSEGV` and its kin) are refused.
//! - `LOOP_NONBLOCK` asks the kernel once, which tells of 256 descriptors at most: an event that stays ready does not keep
//!   the loop from returning.
//! - The cached time of a round is that of its first question, not that of its beginning: who does not ask pays for no
//!   look at the clock.
//! - A time-out of zero of a `PERSIST` event is told once.
//! - Functions that cannot fail return nothing, where PHP returns `true`.
//!
//! [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/book.event) · [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)

use std::cell::{RefCell, RefMut};
use std::ffi::c_int;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::error::{Error, Result, Site};

mod clock;
mod epoll;
mod handle;
mod signal;
mod state;
mod table;
mod thread;
mod turn;
mod watch;

pub use handle::Event;
use state::State;
use thread::BASES;
use turn::Turn;

const TIMEOUT: c_int = 1;
const READ: c_int = 2;
const WRITE: c_int = 4;
const SIGNAL: c_int = 8;
const PERSIST: c_int = 16;
const ET: c_int = 32;
/// A flag of libevent's loop for which PHP has no name: the loop waits although no event is pending.
const NO_EXIT_ON_EMPTY: c_int = 4;

/// PHP's class `EventBase`: a loop that waits for events and calls their callbacks.
///
/// Clones are the same base. It stays on its thread. The base holds the callbacks, an [`Event`] only points at it:
/// a callback that captures the room where its own `Event` is kept leaks nothing. A callback needs no clone of the base,
/// it gets it as an argument; if one captures a clone **and** keeps its own `Event`, the two keep each other until
/// [`free`](EventBase::free), the end of the `Event`, or that of the thread.
///
/// ```
/// use std::time::Duration;
/// use php_sockets::event::{Event, EventBase};
///
/// let base = EventBase::new()?;
/// let timer = Event::timer(&base, |_base| println!("a hundredth of a second later"));
/// timer.add(Duration::from_millis(10))?;
/// base.dispatch()?;
/// # Ok::<(), php_sockets::Error>(())
/// ```
///
/// [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/class.eventbase) ·
/// [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)
#[derive(Clone)]
#[must_use = "dropping the last `EventBase` ends all its events: keep it in a variable"]
pub struct EventBase {
    state: Rc<RefCell<State>>,
}

impl EventBase {
    /// [`run`](EventBase::run) waits until something happens, calls the callbacks, and returns.
    pub const LOOP_ONCE: c_int = 1;
    /// [`run`](EventBase::run) does not wait: it calls the callbacks of what is ready, of 256 descriptors
    /// at most, and returns.
    pub const LOOP_NONBLOCK: c_int = 2;

    /// A base without events.
    ///
    /// # Errors
    ///
    /// - `SOCKET_EMFILE`: `EventBase::__construct(): Unable to create event base [24]: Too many open files`, and what
    ///   else `epoll_create1` can fail with
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// let base = EventBase::new()?;
    /// assert_eq!(base.get_method(), "epoll");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
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
    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// PHP's `loop`: waits and calls until no event is pending, or [`exit`](EventBase::exit) or
    /// [`stop`](EventBase::stop) is called. `flags` is 0 or −1 for that,
    /// [`LOOP_ONCE`](EventBase::LOOP_ONCE), [`LOOP_NONBLOCK`](EventBase::LOOP_NONBLOCK), or both.
    ///
    /// Each round asks the kernel, then calls the callbacks of the most urgent priority: descriptors and signals first,
    /// then timers by their time.
    ///
    /// # Errors
    ///
    /// - inside a callback of the same base: `EventBase::loop(): reentrant invocation. Only one event_base_loop can run
    ///   on each event_base at once.`
    /// - `EventBase::loop(): Unable to wait for events`, with what `epoll_wait` can fail with; an interruption is no
    ///   failure
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// let base = EventBase::new()?;
    /// base.run(EventBase::LOOP_NONBLOCK)?; // nothing to do is no error
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn run(&self, flags: c_int) -> Result<()> {
        // PHP's default.
        let flags = if flags == -1 { 0 } else { flags };
        // Declared before the state, so that the borrow ends first.
        let turn = Turn::begin(self)?;
        let mut state = self.state();
        while state.goes_on(flags) {
            state.poll(flags).map_err(cannot_wait)?;
            let mut called = false;
            while let Some((callback, what)) = state.next() {
                called = true;
                // The state is not borrowed while a caller's code runs, nor while what that captured is dropped.
                drop(state);
                callback.call(self, what);
                state = self.state();
                if state.interrupted() {
                    break;
                }
            }
            if state.is_done(flags, called) {
                break;
            }
        }
        drop(state);
        turn.finish();
        Ok(())
    }

    /// [`run`](EventBase::run) without flags.
    ///
    /// # Errors
    ///
    /// As `run`.
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// EventBase::new()?.dispatch()?; // no event is pending: it returns
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn dispatch(&self) -> Result<()> {
        self.run(0)
    }

    /// Ends the loop: with `None` after the callbacks of this round, with a time when that has passed. While no loop
    /// runs, it is meant for the next one, which ends after its first round.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let stdin = Event::new(&base, std::io::stdin(), Event::TIMEOUT | Event::PERSIST, |_, _, _| {})?;
    /// stdin.add(Duration::from_secs(3600))?;
    /// base.exit(Duration::from_millis(10));
    /// base.dispatch()?;
    /// assert!(base.got_exit());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn exit(&self, timeout: impl Into<Option<Duration>>) {
        self.state().exit(timeout.into());
    }

    /// Ends the loop right after the callback that runs now. What else was to be called is called by the next loop.
    /// While no loop runs, it changes nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let first = Event::timer(&base, |base| base.stop());
    /// let second = Event::timer(&base, |_| unreachable!());
    /// first.add(Duration::ZERO)?;
    /// second.add(Duration::from_secs(3600))?;
    /// base.dispatch()?;
    /// assert!(base.got_stop());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn stop(&self) {
        self.state().stop = true;
    }

    /// Whether [`exit`](EventBase::exit) ended the last loop. It stays so until the next one begins.
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.exit(None);
    /// base.dispatch()?;
    /// assert!(base.got_exit());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    #[must_use]
    pub fn got_exit(&self) -> bool {
        self.state().got_exit
    }

    /// Whether [`stop`](EventBase::stop) was called since the last loop began.
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// assert!(!base.got_stop());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    #[must_use]
    pub fn got_stop(&self) -> bool {
        self.state().stop
    }

    /// Makes the loop look for new events right after the callback that runs now; more urgent ones come first then.
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.resume();
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn resume(&self) {
        self.state().resume = true;
    }

    /// The wall-clock time in seconds since 1970, as it was when a callback of this round first asked; outside of
    /// callbacks, as it is now.
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// assert!(base.get_time_of_day_cached() > 1e9);
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    #[must_use]
    pub fn get_time_of_day_cached(&self) -> f64 {
        self.state().time_of_day().as_secs_f64()
    }

    /// Makes [`get_time_of_day_cached`](EventBase::get_time_of_day_cached) look at the clock again, for a callback that
    /// takes long.
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.update_cache_time();
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn update_cache_time(&self) {
        let mut state = self.state();
        if state.running {
            state.set_time();
        }
    }

    /// To be called in a child process after a fork: parent and child share their epoll descriptor until then. A signal
    /// that has arrived and was not told yet is told, in both. The signals of other threads' bases are taken in the child
    /// too.
    ///
    /// # Errors
    ///
    /// - `EventBase::reInit(): Unable to reinitialize event base`, with what `epoll_create1`, `epoll_ctl` and `eventfd`
    ///   can fail with; the base is as before
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.re_init()?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn re_init(&self) -> Result<()> {
        let renewed = self.state().re_init();
        renewed.map_err(|code| {
            Error::coded(
                &Site { function: "EventBase::reInit", message: "Unable to reinitialize event base" },
                code,
            )
        })
    }

    /// How many priorities there are, 1 to 256, 1 at first. 0 is the most urgent; a new event has the one in the middle.
    ///
    /// # Errors
    ///
    /// - another number, or while callbacks wait to be called: `EventBase::priorityInit(): Unable to set priorities`
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.priority_init(3)?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn priority_init(&self, n_priorities: c_int) -> Result<()> {
        let count = usize::try_from(n_priorities).ok().filter(|count| (1..=255).contains(count));
        if !count.is_some_and(|count| self.state().set_priorities(count)) {
            return Err(Error::plain_warning(&Site {
                function: "EventBase::priorityInit",
                message: "Unable to set priorities",
            }));
        }
        Ok(())
    }

    /// What waits for the events: `epoll`.
    ///
    /// ```
    /// assert_eq!(php_sockets::event::EventBase::new()?.get_method(), "epoll");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    #[must_use]
    pub fn get_method(&self) -> &'static str {
        "epoll"
    }

    /// Ends all events of this base, and frees what their callbacks captured.
    ///
    /// ```
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let event = Event::timer(&base, |_| ());
    /// base.free();
    /// assert_eq!(event.add(None).unwrap_err().site().message, "Failed adding event: Event object is malformed or freed");
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    pub fn free(&self) {
        let entries = self.state().remove_all();
        drop(entries);
    }
}

#[cold]
fn cannot_wait(code: c_int) -> Error {
    Error::coded(&Site { function: "EventBase::loop", message: "Unable to wait for events" }, code)
}

impl fmt::Debug for EventBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBase").finish_non_exhaustive()
    }
}
