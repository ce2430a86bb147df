//! The events that wait for their callbacks, by priority.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::mem;
use std::rc::Rc;

use super::super::table::{Call, NONE};
use super::super::{PERSIST, SIGNAL, TIMEOUT};
use super::State;

/// The place of the reading of signals, which has no event of its own.
const SIGNALS: (u32, u64) = (NONE, 0);

impl State {
    /// libevent's `event_active`: an event comes to the end of its queue, unless it waits there already.
    pub(super) fn activate(&mut self, index: u32, what: c_int) {
        let count = self.queues.len();
        let Some(entry) = self.table.at(index) else { return };
        let before = entry.active;
        entry.active |= u8::try_from(what).unwrap_or(0);
        if before != 0 {
            return;
        }
        self.tickets += 1;
        entry.ticket = self.tickets;
        // There may be fewer priorities than when it was set.
        let priority = usize::from(entry.priority).min(count - 1);
        self.queues[priority].push_back((index, self.tickets));
        self.active += 1;
        self.plain = false;
        // The more urgent one comes first: the round ends after this callback.
        self.resume |= self.priority.is_some_and(|running| priority < running);
    }

    pub(super) fn activate_signals(&mut self) {
        if !mem::replace(&mut self.signals_queued, true) {
            self.queues[0].push_back(SIGNALS);
            self.active += 1;
            self.plain = false;
        }
    }

    /// Takes an event out of its queue: its place is void from now on.
    pub(super) fn deactivate(&mut self, index: u32) {
        if let Some(entry) = self.table.at(index).filter(|entry| entry.active != 0) {
            entry.active = 0;
            self.active -= 1;
        }
    }

    /// The next callback of this round's priority, the most urgent one that has an event. The event is as it should be when
    /// its callback runs: not pending, or with its time-out running again.
    pub(super) fn next_queued(&mut self) -> Option<(Rc<dyn Call>, u8)> {
        if self.again > 0 {
            self.again -= 1;
            return Some((self.callback(self.calling)?, SIGNAL.to_le_bytes()[0]));
        }
        while self.active > 0 {
            let urgent = || self.queues.iter().position(|queue| !queue.is_empty());
            let priority = self.priority.or_else(urgent)?;
            let Some((index, ticket)) = self.queues[priority].pop_front() else {
                self.priority = None;
                return None;
            };
            if (index, ticket) == SIGNALS {
                // No event: if the queue has no other, the next priority has its turn in this round.
                self.busy = true;
                self.signals_queued = false;
                self.active -= 1;
                self.collect_signals();
                continue;
            }
            let entry = self.table.at(index).filter(|entry| entry.active != 0 && entry.ticket == ticket);
            let Some(entry) = entry else { continue };
            let happened = mem::take(&mut entry.active);
            let what = c_int::from(happened);
            let (persists, signal) = (entry.is(PERSIST), entry.is(SIGNAL));
            let (calls, timeout, deadline) = (entry.calls, entry.timeout, entry.deadline);
            self.active -= 1;
            self.priority = Some(priority);
            let Some(callback) = self.callback(index) else {
                self.busy = true;
                self.got_exit = true;
                self.table.remove(index);
                continue;
            };
            if !persists {
                self.end(index, false);
            }
            self.calling = index;
            if signal {
                self.again = if what & SIGNAL == 0 { 0 } else { calls.saturating_sub(1) };
            } else if persists && timeout != 0 {
                self.repeat(index, timeout, if what & TIMEOUT == 0 { None } else { Some(deadline) });
            }
            return Some((callback, happened));
        }
        self.priority = None;
        None
    }

    /// Adds a persistent event again: its time-out begins anew, where the last one ended if that is what has `passed`.
    fn repeat(&mut self, index: u32, timeout: u64, passed: Option<u64>) {
        let now = self.now();
        let next = passed.unwrap_or(now) + timeout;
        let inserted = self.table.at(index).is_some_and(|entry| entry.inserted || !entry.is(super::WATCHED));
        if inserted || self.watch(index).is_ok() {
            // A beat that was missed is skipped.
            self.schedule(index, if next < now { now + timeout } else { next });
        }
    }

    /// How many priorities there are. `false` while events wait for their callbacks.
    pub(in super::super) fn set_priorities(&mut self, count: usize) -> bool {
        self.settle();
        if self.active > 0 {
            return false;
        }
        self.plain = false;
        self.queues.clear();
        self.queues.resize_with(count, VecDeque::new);
        true
    }

    /// `false` if there is no such priority, or the event waits for its callback.
    pub(in super::super) fn set_priority(&mut self, id: super::Id, priority: u8) -> bool {
        self.settle();
        let count = self.queues.len();
        let entry = self.table.get(id).filter(|entry| entry.active == 0 && usize::from(priority) < count);
        let Some(entry) = entry else { return false };
        entry.priority = priority;
        true
    }
}
