//! The kernel's side: one epoll descriptor, and an eventfd that signal handlers write to.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use libc::epoll_event;

/// A new epoll descriptor; the error is an `errno`.
pub(super) fn create() -> Result<OwnedFd, c_int> {
    // SAFETY: the call takes a number.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };

    if fd == -1 {
        return Err(errno::errno().0);
    }
    // SAFETY: the kernel has just opened `fd`, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A new eventfd that never blocks its writer.
pub(super) fn create_eventfd() -> Result<OwnedFd, c_int> {
    // SAFETY: the call takes two numbers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };

    if fd == -1 {
        return Err(errno::errno().0);
    }
    // SAFETY: the kernel has just opened `fd`, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an eventfd's counter back to 0.
pub(super) fn drain(eventfd: &OwnedFd) {
    let mut count = 0_u64;

    // SAFETY: `count` has the 8 bytes that an eventfd fills, and outlives the call.
    unsafe { libc::read(eventfd.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
}

/// One `epoll_ctl`; the error is an `errno`. A wrong `fd` is an error, not undefined behaviour.
pub(super) fn control(epoll: &OwnedFd, op: c_int, fd: RawFd, events: u32, data: u64) -> Result<(), c_int> {
    let mut event = epoll_event { events, u64: data };

    // SAFETY: `event` outlives the call, which reads it and keeps no pointer; the rest are numbers.
    let status = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), op, fd, &raw mut event) };

    if status == -1 { Err(errno::errno().0) } else { Ok(()) }
}

/// The eventfd's mark in epoll; a descriptor is never negative.
pub(super) const SIGNALS: u64 = u64::MAX;

/// Has epoll watch an eventfd.
pub(super) fn watch_eventfd(epoll: &OwnedFd, eventfd: &OwnedFd) -> Result<(), c_int> {
    control(epoll, libc::EPOLL_CTL_ADD, eventfd.as_raw_fd(), libc::EPOLLIN as u32, SIGNALS)
}

/// Makes an eventfd ready.
pub(super) fn ring(eventfd: &OwnedFd) {
    let one = 1_u64;

    // SAFETY: `one` has 8 bytes and outlives the call.
    unsafe { libc::write(eventfd.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
}

/// What `wait` finds at most.
const BATCH: c_int = 256;

/// See `has_many`.
const MANY: usize = 8;

/// What `epoll_wait` has found, told one by one.
pub(super) struct Batch {
    found: Vec<epoll_event>,
    /// How many of them were told.
    told: usize,
}

impl Batch {
    pub(super) fn new() -> Batch {
        Batch { found: Vec::with_capacity(BATCH.unsigned_abs() as usize), told: 0 }
    }

    /// Waits for readiness, at most so many milliseconds, -1 for ever. Finds nothing more when a signal handler ran in
    /// the meantime; all that was found before has been told.
    #[inline]
    pub(super) fn wait(&mut self, epoll: &OwnedFd, milliseconds: c_int) -> Result<(), c_int> {
        // SAFETY: `found` was made with room for `BATCH` events, which the kernel fills from the front; it keeps no
        // pointer.
        let count =
            unsafe { libc::epoll_wait(epoll.as_raw_fd(), self.found.as_mut_ptr(), BATCH, milliseconds) };

        let Ok(count) = usize::try_from(count) else { return interrupted() };
        self.told = 0;
        // SAFETY: the kernel has written `count` events, which is no more than it was told there is room for.
        unsafe { self.found.set_len(count) };
        Ok(())
    }

    /// Whether so many were found that reading ahead saves more than it costs.
    #[inline]
    pub(super) fn has_many(&self) -> bool {
        self.found.len() >= MANY
    }

    /// The data of all that was found.
    pub(super) fn data(&self) -> impl Iterator<Item = u64> {
        self.found.iter().map(|found| found.u64)
    }

    /// The data of what was found next, and what is ready there.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(u64, u32)> {
        let found = *self.found.get(self.told)?;
        self.told += 1;
        Some((found.u64, found.events))
    }
}

/// An interrupted wait is no failure.
#[cold]
fn interrupted() -> Result<(), c_int> {
    let code = errno::errno().0;
    if code == libc::EINTR { Ok(()) } else { Err(code) }
}

/// A time in milliseconds: rounded up, so that a timer is due when the wait ends and the loop never spins.
pub(super) fn milliseconds(time: Duration) -> c_int {
    c_int::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}
