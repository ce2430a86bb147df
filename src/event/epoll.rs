//! The kernel's side: one epoll descriptor, and an eventfd that signal handlers write to.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use libc::epoll_event;

use crate::sys::ffi::{Failed, ret, ret_owned_fd};

/// A new epoll descriptor; the error is an `errno`.
pub(super) fn create() -> Result<OwnedFd, c_int> {
    // SAFETY: the call takes a number.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };

    // SAFETY: `fd` is the answer of the call above, and has no other owner.
    unsafe { ret_owned_fd(fd) }.map_err(Failed::errno)
}

/// A new eventfd that never blocks its writer.
pub(super) fn create_eventfd() -> Result<OwnedFd, c_int> {
    // SAFETY: the call takes two numbers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };

    // SAFETY: `fd` is the answer of the call above, and has no other owner.
    unsafe { ret_owned_fd(fd) }.map_err(Failed::errno)
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

    ret(status).map_err(Failed::errno)
}

/// The eventfd's mark in epoll; a descriptor is never negative.
pub(super) const SIGNALS: u64 = u64::MAX;

/// Has epoll watch an eventfd.
pub(super) fn watch_eventfd(epoll: &OwnedFd, eventfd: &OwnedFd) -> Result<(), c_int> {
    control(epoll, libc::EPOLL_CTL_ADD, eventfd.as_raw_fd(), libc::EPOLLIN as u32, SIGNALS)
}

/// How many descriptors a wait finds at first and at most, as in libevent: it doubles when a wait has found as many.
const FIRST: usize = 32;
const MOST: usize = 4096;

/// The answer of `epoll_wait`, given out one by one.
pub(super) struct Batch {
    found: Vec<epoll_event>,
    capacity: usize,
    /// How many of them were given out.
    given: usize,
}

impl Batch {
    pub(super) fn new() -> Batch {
        Batch { found: Vec::with_capacity(FIRST), capacity: FIRST, given: 0 }
    }

    /// Waits for readiness, at most so many milliseconds, -1 for ever; all that was found before has been given out.
    /// `false` if that failed: see `interrupted`.
    #[inline]
    pub(super) fn wait(&mut self, epoll: &OwnedFd, milliseconds: c_int) -> bool {
        if self.found.len() == self.capacity {
            self.grow();
        }
        self.given = 0;
        // At most `MOST`.
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a small number")]
        let most = self.capacity as c_int;

        // SAFETY: `found` has the capacity for `most` events, which the kernel fills from the front; it keeps no pointer.
        let count =
            unsafe { libc::epoll_wait(epoll.as_raw_fd(), self.found.as_mut_ptr(), most, milliseconds) };

        let Ok(count) = usize::try_from(count) else {
            self.found.clear();
            return false;
        };
        // SAFETY: the kernel has written `count` events, which is no more than the capacity that it was given.
        unsafe { self.found.set_len(count) };
        true
    }

    #[cold]
    fn grow(&mut self) {
        if self.capacity < MOST {
            self.found.reserve_exact(self.capacity);
            self.capacity *= 2;
        }
    }

    /// Whether all that was found has been given out.
    pub(super) fn is_empty(&self) -> bool {
        self.given == self.found.len()
    }

    /// The data of what was found next, and its readiness.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(u64, u32)> {
        let found = *self.found.get(self.given)?;
        self.given += 1;
        Some((found.u64, found.events))
    }
}

/// Whether a wait that failed is over, which it is not if a signal handler ran. The error is an `errno`.
#[cold]
pub(super) fn interrupted() -> Result<bool, c_int> {
    let code = Failed.errno();
    if code == libc::EINTR { Ok(false) } else { Err(code) }
}
