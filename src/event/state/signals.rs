//! The signals that a base waits for.

use std::ffi::c_int;
use std::mem;
use std::os::fd::AsRawFd;

use super::super::SIGNAL;
use super::super::epoll;
use super::super::signal::{self, Owned, Refused};
use super::{AddError, Id, State};

impl State {
    pub(super) fn watch_signal(&mut self, signal: c_int, id: Id) -> Result<(), AddError> {
        if let Some((_, ids)) = self.signals.iter_mut().find(|(owned, _)| owned.signal() == signal) {
            ids.push(id);
            return Ok(());
        }
        if self.eventfd.is_none() {
            let eventfd = epoll::create_eventfd().map_err(AddError::Code)?;
            epoll::watch_eventfd(&self.epoll, &eventfd).map_err(AddError::Code)?;
            self.eventfd = Some(eventfd);
        }
        let eventfd = self.eventfd.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        let owned = Owned::take(signal, eventfd).map_err(|refused| match refused {
            Refused::Taken => AddError::Taken,
            Refused::Code(code) => AddError::Code(code),
        })?;
        self.signals.push((owned, vec![id]));
        Ok(())
    }

    /// Gives the signal back if no event waits for it any more.
    pub(super) fn forget_signal(&mut self, signal: c_int, id: Id) {
        if let Some((_, ids)) = self.signals.iter_mut().find(|(owned, _)| owned.signal() == signal) {
            ids.retain(|other| *other != id);
        }
        self.signals.retain(|(_, ids)| !ids.is_empty());
    }

    pub(super) fn collect_signals(&mut self) {
        if let Some(eventfd) = &self.eventfd {
            epoll::drain(eventfd);
        }
        let arrived = self.signals.iter().filter(|(owned, _)| owned.collect());
        let ids: Vec<Id> = arrived.flat_map(|(_, ids)| ids).copied().collect();
        for id in ids {
            self.activate(id, SIGNAL);
        }
    }

    pub(super) fn close_eventfd(&mut self) {
        let eventfd = self.eventfd.take();
        if eventfd.is_some() && !signal::wait_for_handlers() {
            // Better a descriptor too many than a handler that writes into another file.
            mem::forget(eventfd);
        }
    }
}
