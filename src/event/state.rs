//! The data of a base: its events, what the kernel watches for them, and the queues. No caller's code runs here.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::epoll::Batch;
use super::signal::Owned;
use super::table::{Call, Entry, Id, NONE, Table};
use super::watch::Watch;
use super::{PERSIST, READ, SIGNAL, TIMEOUT, WRITE, clock};

mod insert;
mod queue;
mod round;
mod signals;
mod timers;

use timers::Timers;

/// Why an event cannot be added.
pub(super) enum AddError {
    Gone,
    Code(c_int),
}

/// The place of an event that has ended in its own callback.
const GONE: u32 = NONE - 1;

/// The bits of `Event::READ`, `WRITE` and `SIGNAL`: the kernel is needed for them.
const WATCHED: c_int = READ | WRITE | SIGNAL;

#[allow(clippy::struct_excessive_bools, reason = "libevent's event_base has them, and each changes alone")]
pub(super) struct State {
    epoll: OwnedFd,
    batch: Batch,
    table: Table,
    /// By descriptor, which the kernel numbers from the bottom.
    watches: Vec<Watch>,
    /// Whether files may be open elsewhere too: then closing a descriptor does not take its file out of epoll.
    copied: bool,
    /// Counts the watches there ever were: an answer of the kernel that is older than its watch is recognized.
    watch_count: u32,
    /// Epoll has reported a descriptor without a watch; its watch may have ended after that.
    stale: bool,
    inserted: usize,
    timers: Timers,
    /// By priority, each place with its ticket.
    queues: Vec<VecDeque<(u32, u64)>>,
    tickets: u64,
    /// How many events wait in the queues.
    active: usize,
    /// The priority of this round, once an event of it was called.
    priority: Option<usize>,
    /// The place of the event whose callback was called last, and how often it is to be called again, for a signal.
    calling: u32,
    again: u32,
    /// The signals that events wait for, and their events.
    signals: Vec<(Owned, Vec<u32>)>,
    /// The arrivals of signals that no event waited for any more.
    arrived: Vec<(c_int, u32)>,
    eventfd: Option<OwnedFd>,
    /// Whether the reading of signals waits in the queue of priority 0.
    signals_queued: bool,
    /// Whether nothing but descriptors is to be done, in the order of the kernel, and nothing wants the loop to end: one
    /// question instead of eight in every round. Such a base has never used a time, and reads no clock.
    plain: bool,
    pub(super) running: bool,
    pub(super) stop: bool,
    resume: bool,
    pub(super) got_exit: bool,
    /// Whether this round has called or done something.
    busy: bool,
    /// The time of this round, which is every `now` until the next one. It is read when the round begins, in the first
    /// round that uses a time at its first use.
    cached: Option<u64>,
    /// The same since 1970, once a callback of this round has asked for it.
    time_of_day: Option<Duration>,
}

impl State {
    pub(super) fn new(epoll: OwnedFd) -> State {
        State {
            epoll,
            batch: Batch::new(),
            table: Table::default(),
            watches: Vec::new(),
            copied: false,
            watch_count: 0,
            stale: false,
            inserted: 0,
            timers: Timers::default(),
            queues: vec![VecDeque::new()],
            tickets: 0,
            active: 0,
            priority: None,
            calling: NONE,
            again: 0,
            signals: Vec::new(),
            arrived: Vec::new(),
            eventfd: None,
            signals_queued: false,
            plain: false,
            running: false,
            stop: false,
            resume: false,
            got_exit: false,
            busy: false,
            cached: None,
            time_of_day: None,
        }
    }

    pub(super) fn now(&mut self) -> u64 {
        if self.running {
            (self.timers.used, self.plain) = (true, false);
            return *self.cached.get_or_insert_with(clock::now);
        }
        clock::now()
    }

    /// Wants the loop to end, or the round.
    pub(super) fn interrupt(&mut self, stop: bool) {
        self.plain = false;
        if stop { self.stop = true } else { self.resume = true }
    }

    /// Makes now the time of this round.
    pub(super) fn set_time(&mut self) -> u64 {
        let now = clock::now();
        (self.cached, self.time_of_day) = (Some(now), None);
        now
    }

    pub(super) fn time_of_day(&mut self) -> Duration {
        let age = self.now();
        let age = clock::now().saturating_sub(age);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let then = now.saturating_sub(Duration::from_nanos(age));
        if self.running { *self.time_of_day.get_or_insert(then) } else { then }
    }

    pub(super) fn insert(&mut self, mut entry: Entry) -> Id {
        // There are at most 255.
        entry.priority = u8::try_from(self.queues.len() / 2).unwrap_or(0);
        self.table.insert(entry)
    }

    /// Ends an event. The caller drops what it held when the state is not borrowed any more.
    pub(super) fn remove(&mut self, id: Id) -> Option<Entry> {
        let closes = self.table.get(id)?.closes;
        self.remove_at(id.index, closes)
    }

    fn remove_at(&mut self, index: u32, closes: bool) -> Option<Entry> {
        self.end(index, closes);
        if self.calling == index {
            self.calling = GONE;
        }
        let entry = self.table.remove(index)?;
        self.timers.void += usize::from(entry.node.1 != 0);
        Some(entry)
    }

    /// Ends all events, in the same way.
    pub(super) fn remove_all(&mut self) -> Vec<Entry> {
        (0..self.table.places())
            .filter_map(|index| {
                let closes = self.table.at(index)?.closes;
                self.remove_at(index, closes)
            })
            .collect()
    }

    /// libevent's `event_add`.
    pub(super) fn add(&mut self, id: Id, timeout: Option<Duration>) -> Result<(), AddError> {
        let entry = self.table.get(id).ok_or(AddError::Gone)?;
        if !entry.inserted && entry.active == 0 && entry.is(WATCHED) {
            self.watch(id.index)?;
        }
        let Some(timeout) = timeout.map(clock::nanoseconds) else { return Ok(()) };
        let at = self.now() + timeout;
        let entry = self.table.at(id.index).ok_or(AddError::Gone)?;
        let watch = usize::try_from(entry.fd).ok().filter(|_| entry.is(PERSIST) && !entry.is(SIGNAL));
        if entry.is(PERSIST) && !entry.is(SIGNAL) {
            entry.timeout = timeout;
        }
        // A time-out that has run out and gets more time before its callback is not late any more.
        if c_int::from(entry.active) & TIMEOUT != 0 {
            self.deactivate(id.index);
        }
        self.schedule(id.index, at);
        if let Some(watch) = watch.and_then(|place| self.watches.get_mut(place)) {
            watch.find_sole(&mut self.table);
        }
        Ok(())
    }

    pub(super) fn del(&mut self, id: Id) {
        if self.table.get(id).is_some() {
            self.end(id.index, false);
        }
    }

    /// libevent's `event_del`, for an event whose descriptor is about to be closed, or not.
    fn end(&mut self, index: u32, closed: bool) {
        self.settle();
        let Some(entry) = self.table.at(index) else { return };
        let inserted = entry.inserted;
        if self.calling == index {
            self.again = 0;
        }
        self.unschedule(index);
        self.deactivate(index);
        if inserted {
            self.unwatch(index, closed);
        }
    }

    /// The bits of `READ`, `WRITE`, `TIMEOUT` and `SIGNAL` for which an event waits, or waits to be called.
    pub(super) fn pending(&mut self, id: Id) -> c_int {
        let Some(entry) = self.table.get(id) else { return 0 };
        let watched = if entry.inserted { c_int::from(entry.what) } else { 0 };
        let timed = if entry.timed { TIMEOUT } else { 0 };
        (watched | c_int::from(entry.active)) & WATCHED | timed | c_int::from(entry.active) & TIMEOUT
    }

    /// Ends the loop by an event of the middle priority, at once or after a time.
    pub(super) fn exit(&mut self, time: Option<Duration>) {
        let id = self.insert(Entry::new(None, -1, 0, false));
        match time.map(clock::nanoseconds) {
            None | Some(0) => {
                self.settle();
                self.activate(id.index, TIMEOUT);
            }
            Some(time) => {
                let at = self.now() + time;
                self.schedule(id.index, at);
            }
        }
    }

    pub(super) fn callback(&mut self, index: u32) -> Option<Rc<dyn Call>> {
        self.table.at(index)?.callback.clone()
    }

    pub(super) fn begin(&mut self) {
        (self.running, self.got_exit, self.stop, self.plain) = (true, false, false, false);
    }

    /// The end of a run. If it is the panic of a callback, its event is deleted, as PHP does when a callback throws.
    pub(super) fn finish(&mut self, panicked: bool) {
        (self.running, self.cached, self.priority, self.again) = (false, None, None, 0);
        // Events that were reported and not called wait for the next loop.
        self.settle();
        if panicked && self.calling != NONE {
            self.stop = true;
            self.end(self.calling, false);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.signals.clear();
        self.close_eventfd();
    }
}
