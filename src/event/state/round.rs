//! A round of the loop: the kernel is asked once, then callbacks are called.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::rc::Rc;

use super::super::epoll::{self, interrupted};
use super::super::table::{Call, NONE};
use super::super::watch::{Watch, woken};
use super::super::{EventBase, PERSIST, clock};
use super::State;

/// A flag of libevent without a name in PHP: the loop waits although no event is pending.
const NO_EXIT_ON_EMPTY: c_int = 4;

impl State {
    /// Whether there is another round after this one.
    #[inline]
    pub(in super::super) fn goes_on_after(&mut self, flags: c_int) -> bool {
        self.plain || !self.is_done(flags) && self.goes_on(flags)
    }

    /// Whether there is a round.
    pub(in super::super) fn goes_on(&mut self, flags: c_int) -> bool {
        self.resume = false;
        self.plain = flags & (EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK) == 0
            && self.inserted > 0
            && self.active == 0
            && self.queues.len() == 1
            && !(self.timers.used || self.stale || self.stop || self.got_exit);
        let has_events = self.inserted > 0 || self.timers.running > 0 || self.active > 0;
        !self.got_exit && !self.stop && (has_events || flags & NO_EXIT_ON_EMPTY != 0)
    }

    /// Asks the kernel what is ready, waiting for it if it may.
    #[inline]
    pub(in super::super) fn poll(&mut self, flags: c_int) -> Result<(), c_int> {
        if self.plain && self.batch.wait(&self.epoll, -1) {
            return Ok(());
        }
        self.poll_all(flags)
    }

    #[cold]
    fn poll_all(&mut self, flags: c_int) -> Result<(), c_int> {
        (self.priority, self.calling, self.busy) = (None, NONE, false);
        if self.plain {
            return interrupted().map(drop);
        }
        let waits = flags & EventBase::LOOP_NONBLOCK == 0 && self.active == 0;
        while !self.wait(waits)? {}

        let now = self.set_time();
        let due = self.timers.first().is_some_and(|(at, _, _)| at <= now);
        if due || self.active > 0 || self.queues.len() > 1 || self.stale {
            self.sort(now);
        }
        Ok(())
    }

    /// Waits for readiness or the first time-out. `false` if nothing came but a node whose deadline has moved: then the time
    /// is that node's, and the waiting goes on.
    #[inline]
    fn wait(&mut self, waits: bool) -> Result<bool, c_int> {
        let first = self.timers.first().filter(|_| waits).map(|(at, _, _)| at);
        // As in libevent, the time is still that of the last round.
        let patience = match first {
            Some(at) => clock::milliseconds(at.saturating_sub(self.now())),
            None => -c_int::from(waits),
        };
        let over = self.batch.wait(&self.epoll, patience) || interrupted()?;
        let Some(at) = first.filter(|_| over && patience > 0 && self.batch.is_empty()) else {
            return Ok(true);
        };
        if self.first_is_true() {
            return Ok(true);
        }
        self.refile_first();
        self.cached = Some(at);
        Ok(false)
    }

    /// The next callback and the bits it gets. Events that epoll has just reported come first, without a detour through the queues.
    #[inline]
    pub(in super::super) fn next(&mut self) -> Option<(Rc<dyn Call>, u8)> {
        while let Some((data, ready)) = self.batch.next() {
            let watch = self.watches.get(Watch::place(data));
            if let Some((callback, what)) = watch.and_then(|watch| watch.sole(data, ready)) {
                self.calling = watch?.first;
                return Some((Rc::clone(callback), what));
            }
            if let Some(call) = self.direct(data, ready) {
                return Some(call);
            }
            // It is called from its queue; what was found later does not overtake it.
            self.mark(data, ready);
            self.settle();
        }
        if self.plain || self.active == 0 && self.again == 0 { None } else { self.next_queued() }
    }

    /// The callback of a descriptor's only event, if that persists: nothing else is to be done for it but to begin its
    /// time-out anew.
    fn direct(&mut self, data: u64, ready: u32) -> Option<(Rc<dyn Call>, u8)> {
        let watch = self.watches.get(Watch::place(data)).filter(|watch| watch.is(data))?;
        let index = watch.first;
        let entry = self.table.at(index)?;
        let what = woken(entry.what, ready);
        if what == 0 || entry.next != NONE || !entry.is(PERSIST) {
            return None;
        }
        let timeout = entry.timeout;
        let callback = entry.callback.clone()?;
        if timeout != 0 {
            let at = self.now() + timeout;
            self.schedule(index, at);
        }
        self.calling = index;
        Some((callback, what))
    }

    /// True if the callback that has just run wants the round to end. The rest of the round is called later.
    #[inline]
    pub(in super::super) fn interrupted(&mut self) -> bool {
        !self.plain && self.is_interrupted()
    }

    fn is_interrupted(&mut self) -> bool {
        let interrupted = self.stop || self.resume && self.again == 0;
        if interrupted {
            self.settle();
            (self.priority, self.again) = (None, 0);
        }
        interrupted
    }

    /// Whether the flags end the loop after this round.
    fn is_done(&self, flags: c_int) -> bool {
        let called = self.calling != NONE;
        let once = flags & EventBase::LOOP_ONCE != 0 && called && self.active == 0;
        let idle = flags & EventBase::LOOP_NONBLOCK != 0 && !called && !self.busy;
        once || idle
    }

    /// Puts all that was found into the queues before anything is called.
    fn sort(&mut self, now: u64) {
        let stale = std::mem::take(&mut self.stale);
        self.settle();
        self.expire(now);
        // The kernel reports a file that has no watch: its number was closed behind our back while a copy of it is open
        // elsewhere. Only a new epoll descriptor is rid of it. If there is none to be had, the loop goes on, and tries
        // again as long as the kernel reports that file.
        if stale && self.stale {
            self.stale = false;
            let _ = self.renew();
        }
    }

    /// Puts what was found and not called yet into the queues.
    pub(in super::super) fn settle(&mut self) {
        while let Some((data, ready)) = self.batch.next() {
            self.mark(data, ready);
        }
    }

    /// Puts the events of a descriptor that is ready into the queues.
    fn mark(&mut self, data: u64, ready: u32) {
        if data == epoll::SIGNALS {
            self.activate_signals();
            return;
        }
        let place = Watch::place(data);
        let Some(watch) = self.watches.get(place).filter(|watch| watch.is(data)) else {
            (self.stale, self.plain) = (true, false);
            return;
        };
        let mut index = watch.first;
        let mut wanted = false;
        while let Some(entry) = self.table.at(index) {
            let (at, what) = (index, woken(entry.what, ready));
            index = entry.next;
            if what != 0 {
                wanted = true;
                self.activate(at, c_int::from(what));
            }
        }
        // Epoll refused a mask without this readiness, and would report it for ever.
        if let (false, Ok(fd)) = (wanted, RawFd::try_from(place)) {
            self.watches[place].set_again(&self.epoll, fd, &self.table);
        }
    }
}
