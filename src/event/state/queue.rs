//! The events that are to be called, by priority.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::mem;

use super::super::{PERSIST, TIMEOUT};
use super::{Callback, Id, State};

impl State {
    /// Marks what happened to an event, and puts it into its queue.
    pub(super) fn activate(&mut self, id: Id, what: c_int) {
        let Some(entry) = self.entry(id) else { return };
        let before = entry.active;
        entry.active |= what;
        let priority = entry.priority;
        if before == 0 {
            self.active += 1;
            if let Some(queue) = self.queues.get_mut(priority) {
                queue.push_back(id);
            }
        }
    }

    /// The most urgent priority that has something to tell.
    pub(in super::super) fn urgent(&mut self) -> Option<usize> {
        if self.active == 0 {
            self.queues.iter_mut().for_each(VecDeque::clear);
            return None;
        }
        self.queues.iter().position(|queue| !queue.is_empty())
    }

    /// Takes the next event of a priority, with what is to be told. It is as it should be when its callback runs: not
    /// pending, or with its time-out running again.
    #[inline]
    pub(in super::super) fn next(&mut self, priority: usize) -> Option<(Id, Callback, c_int)> {
        while self.active > 0 {
            let id = self.queues.get_mut(priority)?.pop_front()?;
            let Some(entry) = self.entry(id).filter(|entry| entry.active != 0) else { continue };
            let what = mem::take(&mut entry.active);
            let (persist, timeout, due) = (entry.what & PERSIST != 0, entry.timeout, entry.due.take());
            let callback = entry.callback.take();
            self.active -= 1;
            if !persist {
                self.del(id);
            } else if let Some(timeout) = timeout.filter(|timeout| !timeout.is_zero()) {
                self.schedule(id, timeout, due.filter(|_| what == TIMEOUT));
            }
            if let Some(callback) = callback {
                return Some((id, callback, what));
            }
        }
        self.queues.get_mut(priority)?.clear();
        None
    }

    /// How many priorities there are. `false` while events are to be told.
    pub(in super::super) fn set_priorities(&mut self, count: usize) -> bool {
        if self.active > 0 {
            return false;
        }
        self.queues.clear();
        self.queues.resize_with(count, VecDeque::new);
        for entry in self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut()) {
            entry.priority = entry.priority.min(count - 1);
        }
        true
    }

    /// `false` if there is no such priority, or the event is to be told.
    pub(in super::super) fn set_priority(&mut self, id: Id, priority: usize) -> bool {
        let count = self.queues.len();
        match self.entry(id) {
            Some(entry) if entry.active == 0 && priority < count => {
                entry.priority = priority;
                true
            }
            _ => false,
        }
    }
}
