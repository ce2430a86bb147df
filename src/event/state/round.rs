//! A round of the loop: the kernel is asked once, then callbacks are called.

use std::ffi::c_int;
use std::hint;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Instant;

use super::super::{TIMEOUT, epoll, watch::Watch};
use super::{Call, Due, State, Todo};

impl State {
    /// Asks the kernel what is ready, waiting for it if it may.
    #[inline]
    pub(in super::super) fn poll(&mut self) -> Result<(), c_int> {
        self.cached = None;
        if self.todo.is_nothing() {
            return self.wait(-1);
        }
        self.wait(self.patience())?;
        self.sort();
        Ok(())
    }

    #[inline]
    fn wait(&mut self, milliseconds: c_int) -> Result<(), c_int> {
        self.batch.wait(&self.epoll, milliseconds)?;
        if self.batch.has_many() {
            self.look_ahead();
        }
        Ok(())
    }

    /// Reads from the memory of all that was found. With thousands of events it is far away: now the processor fetches it
    /// for many of them at the same time, later it would wait for one after the other, a hundredth of all its time.
    fn look_ahead(&self) {
        let seen = self.batch.data().fold(0, |seen, data| {
            let (place, _) = Watch::from_data(data);
            let callback = self.watches.get(place).and_then(|watch| watch.sole.as_ref());
            seen ^ callback.map_or(0, Rc::strong_count)
        });
        hint::black_box(seen);
    }

    /// How many milliseconds there are until something is to be done, -1 if nothing is.
    fn patience(&self) -> c_int {
        if self.todo.has(Todo::NO_WAIT) || self.has_active() {
            return 0;
        }
        self.timers
            .first_key_value()
            .map_or(-1, |((at, _), _)| epoll::milliseconds(at.saturating_duration_since(Instant::now())))
    }

    /// What is to be called next, and with what. What was found comes first, without a detour through the queues.
    #[inline]
    pub(in super::super) fn next(&mut self) -> Option<(Rc<dyn Call>, c_int)> {
        while let Some((data, ready)) = self.batch.next() {
            let (place, generation) = Watch::from_data(data);
            let sole = self.watches.get(place).and_then(|watch| watch.sole(generation, ready));
            if let Some((callback, what)) = sole {
                return Some((Rc::clone(callback), what));
            }
            // It is told from its queue; what was found later does not overtake it.
            self.mark(data, ready);
            self.settle();
        }
        if self.todo.is_nothing() { None } else { self.next_queued() }
    }

    /// Whether the callback that has just run wants the round to end. What is left of it is told later.
    #[inline]
    pub(in super::super) fn interrupted(&mut self) -> bool {
        let interrupted = self.todo.has(Todo::STOP.or(Todo::RESUME));
        if interrupted {
            self.settle();
        }
        interrupted
    }

    /// Whether the loop ends after this round, in which it has `called` something or not.
    #[inline]
    pub(in super::super) fn ends(&mut self, called: bool) -> bool {
        !self.todo.is_nothing() && self.ends_early(called)
    }

    fn ends_early(&mut self, called: bool) -> bool {
        self.todo.take(Todo::RESUME);
        if self.todo.has(Todo::STOP) {
            return true;
        }
        if self.todo.take(Todo::EXIT) {
            self.got_exit = true;
            return true;
        }
        let satisfied = called || self.todo.has(Todo::NO_WAIT);
        self.todo.has(Todo::ONCE.or(Todo::NO_WAIT)) && satisfied && !self.has_active()
    }

    /// Looks at the timers, and at what is to be told in another order than that of the batch: then it is put into the
    /// queues before anything is called.
    fn sort(&mut self) {
        self.priority = None;
        let due = self.timers.first_key_value().is_some_and(|((at, _), _)| *at <= Instant::now());
        let stale = self.todo.take(Todo::STALE);
        if due || stale || self.todo.has(Todo::QUEUED.or(Todo::ORDER)) {
            self.settle();
            self.expire();
        }
        if self.timers.is_empty() {
            self.todo.take(Todo::TIMERS);
        }
        // The kernel speaks of a file that nobody here watches: its number was closed behind our back while a copy of
        // it is open elsewhere. Only a new epoll descriptor is rid of it. If there is none to be had, the loop goes on,
        // and tries again as long as the kernel speaks of that file.
        if self.todo.take(Todo::STALE) {
            let _ = self.renew();
        }
    }

    /// Puts what was found and not told yet into the queues.
    pub(in super::super) fn settle(&mut self) {
        while let Some((data, ready)) = self.batch.next() {
            self.mark(data, ready);
        }
    }

    /// Puts the events of a descriptor that is ready into the queues.
    fn mark(&mut self, data: u64, ready: u32) {
        if data == epoll::SIGNALS {
            self.collect_signals();
            return;
        }
        let (place, generation) = Watch::from_data(data);
        let Some(watch) = self.watches.get(place).filter(|watch| watch.is(generation)) else {
            self.todo.add(Todo::STALE);
            return;
        };
        let mut wanted = false;
        for position in 0..watch.len() {
            let (id, what) = self.watches[place].woken(position, ready);
            if what != 0 {
                wanted = true;
                self.activate(id, what);
            }
        }
        // Epoll refused to hear that no event waits for this any more, and would tell of it for ever.
        if let (false, Ok(fd)) = (wanted, RawFd::try_from(place)) {
            self.watches[place].tell_again(&self.epoll, fd);
        }
    }

    /// Marks the events whose time has come.
    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.timers.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), due) = first.remove_entry();
            let Due::Event(id) = due else {
                self.todo.add(Todo::EXIT);
                continue;
            };
            let Some(entry) = self.entry(id) else { continue };
            entry.deadline = None;
            // What has happened in time is told, not that it might have come late.
            if entry.active == 0 {
                entry.due = Some(at);
                self.activate(id, TIMEOUT);
            }
        }
    }

    /// Leaves the old epoll descriptor for one that watches the same.
    fn renew(&mut self) -> Result<(), c_int> {
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
            // A signal may have arrived by the old one.
            epoll::ring(&eventfd);
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
            match watch.register(&epoll, fd) {
                // Closed behind our back.
                Ok(()) | Err(libc::EBADF) => (),
                Err(code) => return Err(code),
            }
        }
        Ok(epoll)
    }
}
