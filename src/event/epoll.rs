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

/// What `wait` finds at first in one call, and at most.
const BATCH: usize = 32;
const LARGEST_BATCH: usize = 4096;

/// Room for what `epoll_wait` finds; it grows when it was full.
#[derive(Default)]
pub(super) struct Batch {
    found: Vec<epoll_event>,
}

impl Batch {
    /// Waits for readiness, `None` without end. Finds nothing when a signal handler ran in the meantime.
    #[inline]
    pub(super) fn wait(&mut self, epoll: &OwnedFd, time: Option<Duration>) -> Result<(), c_int> {
        if self.found.len() == self.found.capacity() {
            let wanted = (self.found.len() * 2).clamp(BATCH, LARGEST_BATCH);
            self.found.reserve(wanted.saturating_sub(self.found.len()));
        }
        self.found.clear();
        let room = c_int::try_from(self.found.capacity().min(LARGEST_BATCH)).unwrap_or(1);

        // SAFETY: `found` owns room for at least `room` events, which the kernel fills from the front; it keeps no
        // pointer.
        let count =
            unsafe { libc::epoll_wait(epoll.as_raw_fd(), self.found.as_mut_ptr(), room, milliseconds(time)) };

        if count == -1 {
            let code = errno::errno().0;
            return if code == libc::EINTR { Ok(()) } else { Err(code) };
        }
        // SAFETY: the kernel has written `count` events, which is no more than the capacity it was told.
        unsafe { self.found.set_len(usize::try_from(count).unwrap_or(0)) };
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The data of what was found, and what is ready there.
    pub(super) fn found(&self, position: usize) -> (u64, u32) {
        let found = self.found[position];
        (found.u64, found.events)
    }
}

/// `epoll_wait`'s time-out: rounded up, so that a timer is due when the wait ends and the loop never spins.
fn milliseconds(time: Option<Duration>) -> c_int {
    let Some(time) = time else { return -1 };
    c_int::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
}
