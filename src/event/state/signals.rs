//! The signals that a base waits for.

use std::ffi::c_int;
use std::mem;
use std::os::fd::AsRawFd;

use super::super::SIGNAL;
use super::super::epoll;
use super::super::signal::{self, Owned};
use super::{AddError, State};

impl State {
    pub(super) fn watch_signal(&mut self, signal: c_int, index: u32) -> Result<(), AddError> {
        if let Some((_, events)) = self.signals.iter_mut().find(|(owned, _)| owned.signal() == signal) {
            events.push(index);
            return Ok(());
        }
        if self.eventfd.is_none() {
            let eventfd = epoll::create_eventfd().map_err(AddError::Code)?;
            epoll::watch_eventfd(&self.epoll, &eventfd).map_err(AddError::Code)?;
            self.eventfd = Some(eventfd);
        }
        let eventfd = self.eventfd.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let owned = Owned::take(signal, eventfd).map_err(AddError::Code)?;
        self.signals.push((owned, vec![index]));
        Ok(())
    }

    /// Gives the signal back if no event waits for it any more. Its arrivals stay: an event that is added before they are
    /// collected gets them, as in libevent.
    pub(super) fn forget_signal(&mut self, signal: c_int, index: u32) {
        let Some(place) = self.signals.iter().position(|(owned, _)| owned.signal() == signal) else { return };
        let (owned, events) = &mut self.signals[place];
        events.retain(|other| *other != index);
        if events.is_empty() {
            let count = owned.collect();
            if count > 0 {
                self.arrived.push((signal, count));
            }
            self.signals.remove(place);
        }
    }

    /// Queues the events of the signals that have arrived: by number, and of one signal from the event added last.
    pub(super) fn collect_signals(&mut self) {
        if let Some(eventfd) = &self.eventfd {
            epoll::drain(eventfd);
        }
        let arrived = mem::take(&mut self.arrived);
        let mut calls = Vec::new();
        for (owned, events) in &self.signals {
            let earlier = arrived.iter().filter(|(signal, _)| *signal == owned.signal());
            let count = earlier.fold(owned.collect(), |count, (_, more)| count.saturating_add(*more));
            if count > 0 {
                calls.extend(events.iter().rev().map(|index| (owned.signal(), *index, count)));
            }
        }
        // Stable: the order within a signal stays.
        calls.sort_by_key(|(signal, _, _)| *signal);
        for (_, index, count) in calls {
            if let Some(entry) = self.table.at(index) {
                // Those that were not told yet are told once, as in libevent.
                if entry.active == 0 {
                    entry.calls = count;
                }
            }
            self.activate(index, SIGNAL);
        }
    }

    pub(super) fn close_eventfd(&mut self) {
        let eventfd = self.eventfd.take();
        if eventfd.is_some() && !signal::wait_for_handlers() {
            // A descriptor too many does less harm than a handler that writes into another file.
            mem::forget(eventfd);
        }
    }
}
