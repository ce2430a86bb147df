//! The events of a base, each at its place.

use std::cell::RefCell;
use std::ffi::c_int;
use std::rc::Rc;

use super::EventBase;

/// A callback, with the descriptor that its event owns. The loop clones it for a call: its event may end meanwhile.
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

/// A place in the table, and how many events have had the place before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) index: u32,
    generation: u32,
}

/// No place: the end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// One event, with the fields of libevent's `struct event`.
pub(super) struct Entry {
    /// `None` for the event of [`exit`](EventBase::exit), which calls nothing.
    pub(super) callback: Option<Rc<dyn Call>>,
    /// The descriptor, or the signal's number; -1 for a timer.
    pub(super) fd: c_int,
    pub(super) what: u8,
    /// The bits that have happened and wait in a queue for their callback.
    pub(super) active: u8,
    pub(super) priority: u8,
    /// Whether dropping it closes the descriptor.
    pub(super) closes: bool,
    /// Whether the kernel watches the descriptor or the signal for it.
    pub(super) inserted: bool,
    /// Whether its time-out runs.
    pub(super) timed: bool,
    /// How often its signal has arrived.
    pub(super) calls: u32,
    /// The event of the same descriptor that was added before this one.
    pub(super) next: u32,
    /// Its place in the queue is the one with this number; an older place is void.
    pub(super) ticket: u64,
    /// The time-out of a persistent event, 0 for none. It survives `del`, as libevent's `ev_io_timeout`.
    pub(super) timeout: u64,
    /// When its time-out ends, or has ended.
    pub(super) deadline: u64,
    /// Of equal deadlines the one with the lower number comes first.
    pub(super) order: u64,
    /// Its node in the heap has this time and this number, which is 0 if there is none. A node may be too early.
    pub(super) node: (u64, u64),
}

impl Entry {
    pub(super) fn new(callback: Option<Rc<dyn Call>>, fd: c_int, what: c_int, closes: bool) -> Entry {
        Entry {
            callback,
            fd,
            // All bits that `Event` allows are below 64.
            what: u8::try_from(what).unwrap_or(0),
            active: 0,
            priority: 0,
            closes,
            inserted: false,
            timed: false,
            calls: 0,
            next: NONE,
            ticket: 0,
            timeout: 0,
            deadline: 0,
            order: 0,
            node: (0, 0),
        }
    }

    pub(super) fn is(&self, flags: c_int) -> bool {
        c_int::from(self.what) & flags != 0
    }
}

struct Slot {
    generation: u32,
    entry: Option<Entry>,
}

#[derive(Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Table {
    pub(super) fn insert(&mut self, entry: Entry) -> Id {
        while let Some(index) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(index as usize) {
                slot.entry = Some(entry);
                return Id { index, generation: slot.generation };
            }
        }
        // Each event has memory of its own beside this one: there are never 2^32 of them.
        let index = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot { generation: 0, entry: Some(entry) });
        Id { index, generation: 0 }
    }

    /// The event at a place, for those who hold a place and no `Id`: lists, queues and the heap.
    #[inline]
    pub(super) fn at(&mut self, index: u32) -> Option<&mut Entry> {
        self.slots.get_mut(index as usize)?.entry.as_mut()
    }

    pub(super) fn get(&mut self, id: Id) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation == id.generation { slot.entry.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Entry> {
        let slot = self.slots.get_mut(index as usize)?;
        let entry = slot.entry.take()?;
        // A place that has had all its generations is not used again.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(index);
        }
        Some(entry)
    }

    /// All places, the empty ones too.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// The events of one descriptor, from the one added last.
    pub(super) fn list(&self, first: u32) -> impl Iterator<Item = (u32, &Entry)> {
        let entry = |index: u32| {
            let entry = self.slots.get(index as usize)?.entry.as_ref()?;
            Some((index, entry))
        };
        std::iter::successors(entry(first), move |(_, before)| entry(before.next))
    }
}
