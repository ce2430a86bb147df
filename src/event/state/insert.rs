//! Which descriptors and signals the kernel watches.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::super::{SIGNAL, epoll};
use super::{AddError, State};

impl State {
    /// Has the kernel watch for an event.
    pub(super) fn watch(&mut self, index: u32) -> Result<(), AddError> {
        // Queue what epoll has reported before adding a watcher, so that it gets no older event.
        self.settle();
        let Some(entry) = self.table.at(index) else { return Err(AddError::Gone) };
        let fd = entry.fd;
        if entry.is(SIGNAL) {
            self.watch_signal(fd, index)?;
        } else if let Ok(place) = usize::try_from(fd) {
            if place >= self.watches.len() {
                self.watches.resize_with(place + 1, Default::default);
            }
            let count = self.watch_count;
            self.watch_count = count.wrapping_add(1);
            let added = self.watches[place].add(&self.epoll, fd, &mut self.table, index, count);
            added.map_err(AddError::Code)?;
            self.watches[place].find_sole(&mut self.table);
        }
        self.inserted += 1;
        if let Some(entry) = self.table.at(index) {
            entry.inserted = true;
        }
        Ok(())
    }

    pub(super) fn unwatch(&mut self, index: u32, closed: bool) {
        let Some(entry) = self.table.at(index) else { return };
        entry.inserted = false;
        self.inserted -= 1;
        self.plain &= self.inserted > 0;
        let fd = entry.fd;
        if entry.is(SIGNAL) {
            self.forget_signal(fd, index);
        } else if let Some(watch) = usize::try_from(fd).ok().and_then(|place| self.watches.get_mut(place)) {
            watch.remove(&self.epoll, fd, &mut self.table, index, closed && !self.copied);
            watch.find_sole(&mut self.table);
        }
    }

    /// Leaves the old epoll descriptor for one that watches the same.
    pub(super) fn renew(&mut self) -> Result<(), c_int> {
        let epoll = self.another_epoll()?;
        if let Some(eventfd) = &self.eventfd {
            epoll::watch_eventfd(&epoll, eventfd)?;
        }
        self.epoll = epoll;
        Ok(())
    }

    /// Leaves also the eventfd: in a child process the parent has both.
    pub(in super::super) fn re_init(&mut self) -> Result<(), c_int> {
        let epoll = self.another_epoll()?;
        if self.eventfd.is_some() {
            let eventfd = epoll::create_eventfd()?;
            epoll::watch_eventfd(&epoll, &eventfd)?;
            for (owned, _) in &self.signals {
                owned.move_to(eventfd.as_raw_fd());
            }
            self.arrived.clear();
            self.close_eventfd();
            self.eventfd = Some(eventfd);
        }
        self.epoll = epoll;
        Ok(())
    }

    /// An epoll descriptor that watches what this one's watches.
    fn another_epoll(&mut self) -> Result<OwnedFd, c_int> {
        self.copied = true;
        let epoll = epoll::create()?;
        for (fd, watch) in (0..).zip(&self.watches).filter(|(_, watch)| !watch.is_empty()) {
            match watch.register(&epoll, fd as RawFd) {
                // Closed behind our back.
                Ok(()) | Err(libc::EBADF) => (),
                Err(code) => return Err(code),
            }
        }
        Ok(epoll)
    }
}
