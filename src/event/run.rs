//! The loop of a base: runs it and ends it.

use std::ffi::c_int;

use super::{Error, EventBase, Result, Site, Timeout};

impl EventBase {
    /// [`run`](EventBase::run) waits until something happens, calls the callbacks, and returns.
    pub const LOOP_ONCE: c_int = 1;
    /// [`run`](EventBase::run) does not wait: it returns when nothing is ready any more.
    pub const LOOP_NONBLOCK: c_int = 2;

    /// Waits for events and calls their callbacks, until no event is pending.
    ///
    /// ```php
    /// EventBase::loop(int $flags = ?): bool
    /// ```
    ///
    /// One system call a round, `epoll_wait`. [`exit`](EventBase::exit) and [`stop`](EventBase::stop) end it
    /// earlier. The module's page has the order of the calls.
    ///
    /// - 0 or −1: no flags.
    /// - [`LOOP_ONCE`](EventBase::LOOP_ONCE) returns after the callbacks of one round. A round asks the
    ///   kernel for 32 descriptors at first. The number doubles when that many are ready, up to 4096.
    /// - [`LOOP_NONBLOCK`](EventBase::LOOP_NONBLOCK) goes on while something is ready, as in PHP. An event that
    ///   stays ready holds it for ever: `LOOP_ONCE | LOOP_NONBLOCK` is one round without waiting.
    /// - 4 is libevent's `EVLOOP_NO_EXIT_ON_EMPTY`: the loop waits although no event is pending.
    ///
    /// # Errors
    ///
    /// - in a callback of the same base: `EventBase::loop(): event_base_loop: reentrant invocation.  Only one
    ///   event_base_loop can run on each event_base at once.`
    /// - `EventBase::loop(): Unable to wait for events`, with the failures of `epoll_wait`; a signal is none
    ///
    /// # Examples
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// let base = EventBase::new()?;
    /// base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK)?;
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.loop) ·
    /// [epoll_wait(2)](https://man7.org/linux/man-pages/man2/epoll_wait.2.html)
    pub fn run(&self, flags: c_int) -> Result<()> {
        // PHP's default.
        let flags = if flags == -1 { 0 } else { flags };
        // Declared before the state, so that the borrow ends first.
        let turn = Turn::begin(self)?;
        let mut state = self.state();
        let mut goes_on = state.goes_on(flags);
        while goes_on {
            state.poll(flags).map_err(cannot_wait)?;
            while let Some((callback, what)) = state.next() {
                // The state is not borrowed while a caller's code runs, nor while what that captured is dropped.
                drop(state);
                callback.call(self, c_int::from(what));
                state = self.state();
                if state.interrupted() {
                    break;
                }
            }
            goes_on = state.goes_on_after(flags);
        }
        drop(state);
        turn.finish();
        Ok(())
    }

    /// Runs the loop without flags.
    ///
    /// ```php
    /// EventBase::dispatch(): bool
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`run`](EventBase::run).
    ///
    /// ```
    /// use php_sockets::event::EventBase;
    ///
    /// EventBase::new()?.dispatch()?; // no event is pending: it returns
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.dispatch)
    pub fn dispatch(&self) -> Result<()> {
        self.run(0)
    }

    /// Ends the loop after its round, at once or after a time.
    ///
    /// ```php
    /// EventBase::exit(float $timeout = ?): bool
    /// ```
    ///
    /// No system call. `exit` is itself an event of the priority in the middle, as in libevent: more urgent
    /// events are called before it. While no loop runs, it ends the next one. Each call ends one loop.
    ///
    /// ```
    /// use std::time::Duration;
    /// use php_sockets::event::{Event, EventBase};
    ///
    /// let base = EventBase::new()?;
    /// let ticks = Event::repeated_timer(&base, |_| println!("tick"));
    /// ticks.add(Duration::from_secs(1))?;
    /// base.exit(Duration::from_millis(10));
    /// base.dispatch()?;
    /// assert!(base.got_exit());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.exit)
    pub fn exit(&self, timeout: impl Timeout) {
        self.state().exit(timeout.timeout());
    }

    /// Ends the loop right after the callback that runs now. The next loop calls the rest of the round.
    ///
    /// ```php
    /// EventBase::stop(): bool
    /// ```
    ///
    /// No system call. While no loop runs, it ends none.
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
    ///
    /// [php.net](https://www.php.net/eventbase.stop)
    pub fn stop(&self) {
        self.state().interrupt(true);
    }

    /// Returns whether [`exit`](EventBase::exit) has ended the loop. It stays true until the next loop begins.
    ///
    /// ```php
    /// EventBase::gotExit(): bool
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.exit(None);
    /// base.dispatch()?;
    /// assert!(base.got_exit());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.gotexit)
    #[must_use]
    pub fn got_exit(&self) -> bool {
        self.state().got_exit
    }

    /// Returns whether [`stop`](EventBase::stop) was called since the last loop began.
    ///
    /// ```php
    /// EventBase::gotStop(): bool
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// assert!(!base.got_stop());
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.gotstop)
    #[must_use]
    pub fn got_stop(&self) -> bool {
        self.state().stop
    }

    /// Ends the round right after the callback that runs now: the loop asks the kernel again, and more urgent
    /// events come first.
    ///
    /// ```php
    /// EventBase::resume(): bool
    /// ```
    ///
    /// ```
    /// let base = php_sockets::event::EventBase::new()?;
    /// base.resume();
    /// # Ok::<(), php_sockets::Error>(())
    /// ```
    ///
    /// [php.net](https://www.php.net/eventbase.resume)
    pub fn resume(&self) {
        self.state().interrupt(false);
    }
}

#[cold]
fn cannot_wait(code: c_int) -> Error {
    Error::coded(&Site { function: "EventBase::loop", message: "Unable to wait for events" }, code)
}

/// The base is running while this lives. It ends the run also when a callback panics.
struct Turn<'a> {
    base: &'a EventBase,
    finished: bool,
}

impl<'a> Turn<'a> {
    fn begin(base: &'a EventBase) -> Result<Turn<'a>> {
        let mut state = base.state();
        if state.running {
            return Err(Error::plain_warning(&Site {
                function: "EventBase::loop",
                message: "event_base_loop: reentrant invocation.  \
                          Only one event_base_loop can run on each event_base at once.",
            }));
        }
        state.begin();
        Ok(Turn { base, finished: false })
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.base.state().finish(!self.finished);
    }
}
