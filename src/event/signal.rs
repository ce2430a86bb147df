//! Signals: a handler that writes to the eventfd of the base that the signal belongs to.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use std::{mem, ptr, thread};

/// Linux numbers its signals from 1 to 64.
const COUNT: usize = 65;

const NOBODY: RawFd = -1;

/// For each signal the eventfd of its base. The signal belongs to the base that has put its eventfd here.
static OWNERS: [AtomicI32; COUNT] = [const { AtomicI32::new(NOBODY) }; COUNT];

/// Which signals have arrived and not been collected.
static ARRIVED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

/// How many threads are inside `handler`: while there are some, an eventfd that it may have read must stay open.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Runs in whatever thread the kernel picks, between any two instructions. It may therefore use atomics, write(2) and
/// errno, which it restores, and nothing that locks or asks for memory.
extern "C" fn handler(signal: c_int) {
    INSIDE.fetch_add(1, SeqCst);
    let code = errno::errno();
    let index = usize::try_from(signal).unwrap_or(0);
    if let (Some(owner), Some(arrived)) = (OWNERS.get(index), ARRIVED.get(index)) {
        let eventfd = owner.load(SeqCst);
        if eventfd != NOBODY {
            arrived.store(true, SeqCst);
            let one = 1_u64;
            // SAFETY: `one` has 8 bytes and outlives the call. The descriptor is open: who closes it takes it out of
            // OWNERS and then waits until nobody is INSIDE.
            unsafe { libc::write(eventfd, (&raw const one).cast(), size_of::<u64>()) };
        }
    }
    errno::set_errno(code);
    INSIDE.fetch_sub(1, SeqCst);
}

/// Whether a program may wait for this signal: not those that cannot be caught, nor those of a fault in the program,
/// after which a handler that returns would run the fault again for ever.
pub(super) fn is_valid(signal: c_int) -> bool {
    let fault = [libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS].contains(&signal);
    (1..COUNT).contains(&usize::try_from(signal).unwrap_or(0)) && !fault
}

/// A signal that belongs to a base, until it is dropped: then the previous action is back.
pub(super) struct Owned {
    signal: c_int,
    index: usize,
    previous: libc::sigaction,
}

/// Why a signal cannot be had.
pub(super) enum Refused {
    /// Another base has it.
    Taken,
    /// `sigaction` failed with this code.
    Code(c_int),
}

impl Owned {
    pub(super) fn take(signal: c_int, eventfd: RawFd) -> Result<Owned, Refused> {
        let index = usize::try_from(signal).unwrap_or(0);
        let owner = OWNERS.get(index).ok_or(Refused::Code(libc::EINVAL))?;
        owner.compare_exchange(NOBODY, eventfd, SeqCst, SeqCst).map_err(|_| Refused::Taken)?;

        // SAFETY: all zeros is a valid `sigaction`: the default action, no flags, an empty set.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        action.sa_sigaction = handler as extern "C" fn(c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: the set is part of `action`, writable, and not kept.
        unsafe { libc::sigfillset(&raw mut action.sa_mask) };
        let mut previous = action;
        // SAFETY: both structures outlive the call. The handler is a function of the type that goes with these flags,
        // lives as long as the process and does only what a signal handler may.
        let status = unsafe { libc::sigaction(signal, &raw const action, &raw mut previous) };

        if status == -1 {
            let code = errno::errno().0;
            owner.store(NOBODY, SeqCst);
            return Err(Refused::Code(code));
        }
        Ok(Owned { signal, index, previous })
    }

    pub(super) fn signal(&self) -> c_int {
        self.signal
    }

    /// Whether the signal has arrived since the last call.
    pub(super) fn collect(&self) -> bool {
        ARRIVED.get(self.index).is_some_and(|arrived| arrived.swap(false, SeqCst))
    }

    /// After a fork: the same signal, another eventfd.
    pub(super) fn move_to(&self, eventfd: RawFd) {
        if let Some(owner) = OWNERS.get(self.index) {
            owner.store(eventfd, SeqCst);
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: `previous` is what `sigaction` gave for this signal, and outlives the call.
        unsafe { libc::sigaction(self.signal, &raw const self.previous, ptr::null_mut()) };
        if let (Some(owner), Some(arrived)) = (OWNERS.get(self.index), ARRIVED.get(self.index)) {
            owner.store(NOBODY, SeqCst);
            is_quiet();
            arrived.store(false, SeqCst);
        }
    }
}

/// Waits until no thread is inside the handler, so that an eventfd taken out of OWNERS may be closed. `false` after a
/// second: in a child process a thread of the parent that was inside when it forked never comes out.
pub(super) fn is_quiet() -> bool {
    for round in 0..1100 {
        if INSIDE.load(SeqCst) == 0 {
            return true;
        }
        if round < 100 { thread::yield_now() } else { thread::sleep(Duration::from_millis(1)) }
    }
    false
}
