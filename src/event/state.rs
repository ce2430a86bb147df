//! What a base knows: its events, which of them wait for what, and which are to be called. No caller's code runs here.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_int;
use std::mem;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::epoll::Batch;
use super::signal::Owned;
use super::watch::Watch;
use super::{EventBase, PERSIST, READ, SIGNAL, TIMEOUT, WRITE};

mod queue;
mod round;
mod signals;
mod todo;

pub(super) use todo::Todo;

/// A callback, with the descriptor that its event owns. Who calls it holds it: its event may end meanwhile.
pub(super) trait Call {
    fn call(self: Rc<Self>, base: &EventBase, what: c_int);
}

impl<F: FnMut(&EventBase, c_int)> Call for RefCell<F> {
    #[inline]
    fn call(self: Rc<Self>, base: &EventBase, what: c_int) {
        // It is never called while it runs, because a base does not run inside its run.
        if let Ok(mut callback) = self.try_borrow_mut() {
            callback(base, what);
        }
    }
}

/// Which event: a place in the table, and how many events have had the place before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    index: u32,
    generation: u32,
}

struct Slot {
    generation: u32,
    entry: Option<Entry>,
}

/// One event.
pub(super) struct Entry {
    callback: Rc<dyn Call>,
    /// The descriptor, or the signal's number.
    fd: c_int,
    what: c_int,
    priority: usize,
    /// Whether dropping it closes the descriptor.
    closes: bool,
    /// Whether the kernel watches the descriptor or the signal for it.
    inserted: bool,
    /// What has happened and was not told yet.
    active: c_int,
    timeout: Option<Duration>,
    /// Its place among the timers.
    deadline: Option<(Instant, u64)>,
    /// When the time-out that is being told was due.
    due: Option<Instant>,
}

impl Entry {
    pub(super) fn new(callback: Rc<dyn Call>, fd: c_int, what: c_int, closes: bool) -> Entry {
        Entry {
            callback,
            fd,
            what,
            priority: 0,
            closes,
            inserted: false,
            active: 0,
            timeout: None,
            deadline: None,
            due: None,
        }
    }
}

/// What happens at a time.
enum Due {
    Event(Id),
    Exit,
}

/// Why an event cannot be added.
pub(super) enum AddError {
    Gone,
    Mixed,
    Taken,
    Code(c_int),
}

pub(super) struct State {
    epoll: OwnedFd,
    batch: Batch,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// By descriptor, which the kernel numbers from the bottom.
    watches: Vec<Watch>,
    /// Whether files may be open elsewhere too: then closing a descriptor does not take its file out of epoll.
    copied: bool,
    /// Counts the watches there ever were: an answer of the kernel that is older than its watch is recognized.
    watch_count: u32,
    inserted: usize,
    timers: BTreeMap<(Instant, u64), Due>,
    timer_count: u64,
    /// By priority; a place that is not active any more is passed over.
    queues: Vec<VecDeque<Id>>,
    active: usize,
    /// The priority of this round, once it is known.
    priority: Option<usize>,
    /// The signals that events wait for, and which these are.
    signals: Vec<(Owned, Vec<Id>)>,
    eventfd: Option<OwnedFd>,
    pub(super) running: bool,
    pub(super) todo: Todo,
    pub(super) got_exit: bool,
    pub(super) cached: Option<SystemTime>,
}

/// The longest time-out: 68 years.
const LONGEST: Duration = Duration::from_secs(i32::MAX as u64);

impl State {
    pub(super) fn new(epoll: OwnedFd) -> State {
        State {
            epoll,
            batch: Batch::new(),
            slots: Vec::new(),
            free: Vec::new(),
            watches: Vec::new(),
            copied: false,
            watch_count: 0,
            inserted: 0,
            timers: BTreeMap::new(),
            timer_count: 0,
            queues: vec![VecDeque::new()],
            active: 0,
            priority: None,
            signals: Vec::new(),
            eventfd: None,
            running: false,
            todo: Todo::default(),
            got_exit: false,
            cached: None,
        }
    }

    pub(super) fn insert(&mut self, mut entry: Entry) -> Id {
        entry.priority = self.queues.len() / 2;
        while let Some(index) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.entry = Some(entry);
                return Id { index, generation: slot.generation };
            }
        }
        // Each event has memory of its own beside this one: there are never 2^32 of them.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, entry: Some(entry) });
        Id { index, generation: 0 }
    }

    pub(super) fn entry(&mut self, id: Id) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.entry.as_mut() } else { None }
    }

    /// Ends an event. What it held is for the caller to drop, after the state was let go.
    pub(super) fn remove(&mut self, id: Id) -> Option<Entry> {
        let closes = self.entry(id)?.closes;
        self.end(id, closes);
        let slot = self.slots.get_mut(id.index as usize)?;
        let entry = slot.entry.take();
        // A place that has had all its generations is not used again.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(id.index);
        }
        entry
    }

    /// Ends all events, in the same way.
    pub(super) fn remove_all(&mut self) -> Vec<Entry> {
        self.timers.clear();
        let ids: Vec<Id> =
            (0..).zip(&self.slots).map(|(index, slot)| Id { index, generation: slot.generation }).collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    pub(super) fn add(&mut self, id: Id, timeout: Option<Duration>) -> Result<(), AddError> {
        let entry = self.entry(id).ok_or(AddError::Gone)?;
        let (what, fd) = (entry.what, entry.fd);
        if !entry.inserted && what & (READ | WRITE | SIGNAL) != 0 {
            // What was found is for those who waited when it was found, here and below.
            self.settle();
            if what & SIGNAL != 0 {
                self.watch_signal(fd, id)?;
            } else {
                self.watch(fd, id, what)?;
            }
            self.inserted += 1;
            if let Some(entry) = self.entry(id) {
                entry.inserted = true;
            }
        }
        if let Some(timeout) = timeout {
            self.deactivate(id, TIMEOUT);
            self.schedule(id, timeout.min(LONGEST), None);
        }
        // A signal's number may be a descriptor's too, whose answer stays the same. A timer has -1.
        self.find_sole(fd);
        Ok(())
    }

    fn schedule(&mut self, id: Id, timeout: Duration, from: Option<Instant>) {
        let now = Instant::now();
        let from =
            from.filter(|from| from.checked_add(timeout).is_some_and(|next| next > now)).unwrap_or(now);
        let key = (from.checked_add(timeout).unwrap_or(now), self.timer_count);
        let Some(entry) = self.entry(id) else { return };
        entry.timeout = Some(timeout);
        let old = entry.deadline.replace(key);
        self.timer_count += 1;
        if let Some(old) = old {
            self.timers.remove(&old);
        }
        self.timers.insert(key, Due::Event(id));
        self.todo.add(Todo::TIMERS);
    }

    pub(super) fn exit_after(&mut self, time: Duration) {
        let now = Instant::now();
        let at = now.checked_add(time.min(LONGEST)).unwrap_or(now);
        self.timers.insert((at, self.timer_count), Due::Exit);
        self.timer_count += 1;
        self.todo.add(Todo::TIMERS);
    }

    pub(super) fn del(&mut self, id: Id) {
        self.end(id, false);
    }

    /// Ends the waiting of an event whose descriptor is about to be closed, or not.
    fn end(&mut self, id: Id, closed: bool) {
        self.settle();
        let Some(entry) = self.entry(id) else { return };
        let (what, fd) = (entry.what, entry.fd);
        let inserted = mem::take(&mut entry.inserted);
        let active = mem::take(&mut entry.active);
        let deadline = entry.deadline.take();
        entry.timeout = None;
        entry.due = None;
        if active != 0 {
            self.active -= 1;
        }
        if let Some(deadline) = deadline {
            self.timers.remove(&deadline);
        }
        if inserted {
            self.inserted -= 1;
            if what & SIGNAL != 0 { self.forget_signal(fd, id) } else { self.unwatch(fd, id, closed) }
        }
    }

    /// What of `READ`, `WRITE`, `TIMEOUT` and `SIGNAL` an event waits for, or is to be told.
    pub(super) fn pending(&mut self, id: Id) -> c_int {
        let Some(entry) = self.entry(id) else { return 0 };
        let watched = if entry.inserted { entry.what & (READ | WRITE | SIGNAL) } else { 0 };
        watched | entry.active | if entry.deadline.is_some() { TIMEOUT } else { 0 }
    }

    fn watch(&mut self, fd: RawFd, id: Id, what: c_int) -> Result<(), AddError> {
        let place = usize::try_from(fd).map_err(|_| AddError::Code(libc::EBADF))?;
        if place >= self.watches.len() {
            self.watches.resize_with(place + 1, Watch::default);
        }
        let Some(watch) = self.watches.get_mut(place) else { return Err(AddError::Gone) };
        if watch.is_empty() {
            watch.begin(self.watch_count);
            self.watch_count = self.watch_count.wrapping_add(1);
        }
        watch.add(&self.epoll, fd, id, what)
    }

    fn unwatch(&mut self, fd: RawFd, id: Id, closed: bool) {
        let closed = closed && !self.copied;
        let Ok(place) = usize::try_from(fd) else { return };
        if let Some(watch) = self.watches.get_mut(place) {
            watch.remove(&self.epoll, fd, id, closed);
        }
        self.find_sole(fd);
    }

    /// Finds out anew whether a descriptor has one event alone, whose callback can be called at once.
    fn find_sole(&mut self, fd: RawFd) {
        let Some(place) = usize::try_from(fd).ok().filter(|place| *place < self.watches.len()) else {
            return;
        };
        let only = self.watches[place].only();
        let sole = only
            .and_then(|id| self.entry(id))
            .filter(|entry| entry.what & PERSIST != 0 && entry.timeout.is_none())
            .map(|entry| (Rc::clone(&entry.callback), entry.what));
        let watch = &mut self.watches[place];
        watch.what = sole.as_ref().map_or(0, |(_, what)| *what);
        watch.sole = sole.map(|(callback, _)| callback);
    }

    pub(super) fn has_events(&self) -> bool {
        self.inserted > 0 || !self.timers.is_empty() || self.has_active()
    }

    /// Whether something is to be done without waiting.
    pub(super) fn has_active(&self) -> bool {
        self.active > 0 || self.todo.has(Todo::EXIT)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.signals.clear();
        self.close_eventfd();
    }
}
