//! The events that are to be called, by priority.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::mem;
use std::rc::Rc;

use super::super::{PERSIST, TIMEOUT};
use super::{Call, Id, State, Todo};

impl State {
    /// Marks what happened to an event, and puts it into its queue.
    pub(super) fn activate(&mut self, id: Id, what: c_int) {
        let Some(entry) = self.entry(id) else { return };
        let before = entry.active;
        entry.active |= what;
        let priority = entry.priority;
        if before == 0 {
            self.active += 1;
            self.todo.add(Todo::QUEUED);
            if let Some(queue) = self.queues.get_mut(priority) {
                queue.push_back(id);
            }
        }
    }

    /// Takes back what was not told yet: an event that gets more time is not late.
    pub(super) fn deactivate(&mut self, id: Id, what: c_int) {
        let Some(entry) = self.entry(id).filter(|entry| entry.active & what != 0) else { return };
        entry.active &= !what;
        if entry.active == 0 {
            self.active -= 1;
        }
    }

    /// Takes the next event of this round's priority, the most urgent one that has something to tell. The event is as it
    /// should be when its callback runs: not pending, or with its time-out running again.
    pub(super) fn next_queued(&mut self) -> Option<(Rc<dyn Call>, c_int)> {
        while self.active > 0 {
            let priority =
                self.priority.or_else(|| self.queues.iter().position(|queue| !queue.is_empty()))?;
            self.priority = Some(priority);
            let id = self.queues.get_mut(priority)?.pop_front()?;
            let Some(entry) = self.entry(id).filter(|entry| entry.active != 0) else { continue };
            let what = mem::take(&mut entry.active);
            let (persist, timeout, due) = (entry.what & PERSIST != 0, entry.timeout, entry.due.take());
            let callback = Rc::clone(&entry.callback);
            self.active -= 1;
            if !persist {
                self.del(id);
            } else if let Some(timeout) = timeout.filter(|timeout| !timeout.is_zero()) {
                self.schedule(id, timeout, due.filter(|_| what == TIMEOUT));
            }
            return Some((callback, what));
        }
        if self.todo.take(Todo::QUEUED) {
            self.queues.iter_mut().for_each(VecDeque::clear);
            self.priority = None;
        }
        None
    }

    /// How many priorities there are. `false` while events are to be told.
    pub(in super::super) fn set_priorities(&mut self, count: usize) -> bool {
        self.settle();
        if self.active > 0 {
            return false;
        }
        self.queues.clear();
        self.queues.resize_with(count, VecDeque::new);
        self.todo.take(Todo::ORDER);
        if count > 1 {
            self.todo.add(Todo::ORDER);
        }
        for entry in self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut()) {
            entry.priority = entry.priority.min(count - 1);
        }
        true
    }

    /// `false` if there is no such priority, or the event is to be told.
    pub(in super::super) fn set_priority(&mut self, id: Id, priority: usize) -> bool {
        self.settle();
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
