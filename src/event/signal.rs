//! Signals: a handler that writes to the eventfd of the base that the signal belongs to.

use std::cell::Cell;
use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use std::{mem, ptr, thread};

use crate::sys::ffi::{Failed, ret};

/// Linux numbers its signals from 1 to 64.
const COUNT: usize = 65;

/// The word of a signal without a base. No descriptor has the number that it would stand for.
const FREE: u64 = u64::MAX;

/// The half of a word that counts arrivals.
const ARRIVALS: u64 = u32::MAX as u64;

/// For each signal a word: the eventfd of its base, and how often the signal has arrived and was not collected. The signal
/// belongs to the base that has put its eventfd here.
///
/// Owner and arrivals change hands together, so that a base that leaves wipes no arrival of the next one. A handler that
/// finds the word free does nothing.
static OWNERS: [AtomicU64; COUNT] = [const { AtomicU64::new(FREE) }; COUNT];

/// For each signal the action before ours.
static PREVIOUS: [Previous; COUNT] = [const { Previous(Cell::new(None)) }; COUNT];

struct Previous(Cell<Option<libc::sigaction>>);

// SAFETY: only the thread whose base has the signal in OWNERS, and none but `Owned`, reads or writes the cell; a base stays
// on its thread. The word goes from one owner to the next by atomics in sequential order, and the cell with it.
unsafe impl Sync for Previous {}

/// How many threads are inside `handler`: while there are some, an eventfd that it may have read must stay open. A handler
/// that is not counted yet reads its word after that, hence the sequential order of all operations here.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// The handler. Its address is taken here alone: the compiler may give copies of a function different ones.
static HANDLER: extern "C" fn(c_int) = handler;

/// Runs in whatever thread the kernel picks, between any two instructions. It may therefore use atomics, write(2) and
/// errno, which it restores, and nothing that locks or allocates. It may also run when its signal has no base: when it was
/// on its way, or when other code calls it or has put it back.
extern "C" fn handler(signal: c_int) {
    INSIDE.fetch_add(1, SeqCst);
    let code = errno::errno();
    let owner = usize::try_from(signal).ok().and_then(|index| OWNERS.get(index));
    let count = |word| match word {
        FREE => None,
        // Full: it stays so.
        word if word & ARRIVALS == ARRIVALS => Some(word),
        word => Some(word + 1),
    };
    if let Some(Ok(word)) = owner.map(|owner| owner.fetch_update(SeqCst, SeqCst, count)) {
        let one = 1_u64;
        // SAFETY: `one` has 8 bytes and outlives the call. The descriptor is open: before it is closed it is taken out of
        // OWNERS, and then INSIDE has to come to 0.
        unsafe { libc::write(eventfd_of(word), (&raw const one).cast(), size_of::<u64>()) };
    }
    errno::set_errno(code);
    INSIDE.fetch_sub(1, SeqCst);
}

fn word_of(eventfd: RawFd) -> u64 {
    // A descriptor is never negative: its number has 31 bits.
    u64::from(eventfd.unsigned_abs()) << 32
}

fn eventfd_of(word: u64) -> RawFd {
    RawFd::try_from(word >> 32).unwrap_or(-1)
}

/// Whether a program may wait for this signal: not those that cannot be caught, nor those of a fault in the program,
/// after which a handler that returns would run the fault again for ever.
pub(super) fn is_valid(signal: c_int) -> bool {
    let fault = [libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS].contains(&signal);
    usize::try_from(signal).is_ok_and(|signal| signal < COUNT) && !fault
}

/// The action that calls `handler`. It interrupts system calls as little as may be, lets no other handler in between, and
/// runs on the alternate stack of a thread that has one: that thread's own may be too small for it.
fn our_action() -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction`: the default action, no flags, an empty set.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = HANDLER as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the set is part of `action`, writable, and not kept.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    action
}

/// Whether an action calls `handler`, whatever flags and mask it has got from others, as by siginterrupt(3).
fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == HANDLER as libc::sighandler_t
}

/// Sets the action of a signal if one is given: ours, or one that was the signal's before. The result is the action until
/// now; the error is an `errno`.
fn exchange(signal: c_int, action: Option<&libc::sigaction>) -> Result<libc::sigaction, c_int> {
    // SAFETY: all zeros is a valid `sigaction`, and overwritten.
    let mut before: libc::sigaction = unsafe { mem::zeroed() };
    let action = action.map_or(ptr::null(), ptr::from_ref);

    // SAFETY: both structures outlive the call; a null pointer sets nothing. `handler` is of the type that goes with its
    // flags, lives as long as the process and does only what a signal handler may. Another action that was set before is
    // one that its program has vouched for.
    let status = unsafe { libc::sigaction(signal, action, &raw mut before) };

    ret(status).map(|()| before).map_err(Failed::errno)
}

/// Puts the previous action back if the action is still ours.
///
/// Asking first: to set it at once and to look at what was there would let the previous action rule for a moment where
/// another handler is at home, and the default action may end the process.
fn restore(signal: c_int, previous: &libc::sigaction) {
    if exchange(signal, None).is_ok_and(|now| is_ours(&now)) {
        replace_ours(signal, previous);
    }
}

/// Sets an action in the place of ours. If another thread has set its own since the question, that one goes back.
fn replace_ours(signal: c_int, action: &libc::sigaction) {
    if let Some(theirs) = exchange(signal, Some(action)).ok().filter(|was| !is_ours(was)) {
        let _ = exchange(signal, Some(&theirs));
    }
}

/// A signal that belongs to a base, until it is dropped: then the previous action is back, unless another has come since.
pub(super) struct Owned {
    signal: c_int,
    index: usize,
}

impl Owned {
    /// Takes a signal for a base. The error is an `errno`: `EBUSY` if another base has it.
    pub(super) fn take(signal: c_int, eventfd: RawFd) -> Result<Owned, c_int> {
        let index = usize::try_from(signal).unwrap_or(0);
        let owner = OWNERS.get(index).ok_or(libc::EINVAL)?;
        owner.compare_exchange(FREE, word_of(eventfd), SeqCst, SeqCst).map_err(|_| libc::EBUSY)?;

        match exchange(signal, Some(&our_action())) {
            Ok(previous) => {
                // Ours may be there without a base, put back by other code. Then the one before ours was known already.
                if !is_ours(&previous) {
                    PREVIOUS[index].0.set(Some(previous));
                }
                Ok(Owned { signal, index })
            }
            Err(code) => {
                owner.store(FREE, SeqCst);
                Err(code)
            }
        }
    }

    pub(super) fn signal(&self) -> c_int {
        self.signal
    }

    /// How often the signal has arrived since the last call.
    pub(super) fn collect(&self) -> u32 {
        let arrivals = OWNERS[self.index].fetch_and(!ARRIVALS, SeqCst) & ARRIVALS;
        u32::try_from(arrivals).unwrap_or(0)
    }

    /// After a fork: the same signal, another eventfd. Earlier arrivals are the parent's.
    pub(super) fn move_to(&self, eventfd: RawFd) {
        OWNERS[self.index].store(word_of(eventfd), SeqCst);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(previous) = PREVIOUS[self.index].0.get() {
            restore(self.signal, &previous);
        }
        // After that: the next base must find the previous action, and not ours.
        OWNERS[self.index].store(FREE, SeqCst);
    }
}

/// Waits until no thread is inside the handler, so that an eventfd taken out of OWNERS may be closed. `false` after a
/// second: in a child process a thread of the parent that was inside when it forked never comes out.
pub(super) fn wait_for_handlers() -> bool {
    for round in 0..1100 {
        if INSIDE.load(SeqCst) == 0 {
            return true;
        }
        if round < 100 { thread::yield_now() } else { thread::sleep(Duration::from_millis(1)) }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    fn raise(signal: c_int) {
        // SAFETY: the call takes a number; the signal has a handler.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }

    /// An eventfd for a handler to write to.
    fn eventfd() -> std::os::fd::OwnedFd {
        crate::event::epoll::create_eventfd().unwrap()
    }

    /// Takes a signal as soon as it is free.
    fn taken(signal: c_int, eventfd: RawFd) -> Owned {
        loop {
            match Owned::take(signal, eventfd) {
                Ok(owned) => return owned,
                Err(libc::EBUSY) => thread::yield_now(),
                Err(code) => panic!("{code}"),
            }
        }
    }

    #[test]
    fn a_base_that_leaves_wipes_no_arrival_of_the_next_one() {
        let (first, second) = (eventfd(), eventfd());
        let owned = Owned::take(62, first.as_raw_fd()).ok().unwrap();
        // A thread that stays inside a handler, of whatever signal.
        INSIDE.fetch_add(1, SeqCst);
        thread::scope(|scope| {
            let leaving = scope.spawn(move || drop(owned));
            let owned = taken(62, second.as_raw_fd());
            raise(62);
            INSIDE.fetch_sub(1, SeqCst);
            leaving.join().unwrap();

            assert_eq!((owned.collect(), owned.collect()), (1, 0));
        });
    }

    #[test]
    fn arrivals_are_counted_and_end_with_a_move_and_with_their_owner() {
        let (first, second) = (eventfd(), eventfd());
        let owned = Owned::take(63, first.as_raw_fd()).ok().unwrap();
        for _ in 0..3 {
            raise(63);
        }
        assert_eq!((owned.collect(), owned.collect()), (3, 0));

        raise(63);
        owned.move_to(second.as_raw_fd());
        assert_eq!(owned.collect(), 0);

        raise(63);
        drop(owned);
        let owned = taken(63, first.as_raw_fd());
        assert_eq!(owned.collect(), 0);
    }

    #[test]
    fn an_action_set_between_question_and_answer_goes_back() {
        extern "C" fn nothing(_: c_int) {}
        let mut theirs = our_action();
        theirs.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
        let previous = exchange(61, Some(&theirs)).ok().unwrap();

        replace_ours(61, &previous);
        assert_eq!(exchange(61, Some(&our_action())).ok().unwrap().sa_sigaction, theirs.sa_sigaction);

        replace_ours(61, &previous);
        assert_eq!(exchange(61, None).ok().unwrap().sa_sigaction, previous.sa_sigaction);
    }

    #[test]
    fn a_handler_leaves_errno_and_does_nothing_without_a_base() {
        errno::set_errno(errno::Errno(libc::EDOM));
        for signal in [-1, 0, 64, 65, c_int::MAX] {
            handler(signal);
        }
        assert_eq!(errno::errno().0, libc::EDOM);
        assert_eq!(OWNERS[64].load(SeqCst), FREE);

        // A number that is no descriptor, which write(2) refuses.
        let owned = Owned::take(60, RawFd::MAX - 1).ok().unwrap();
        errno::set_errno(errno::Errno(libc::EDOM));
        handler(60);
        assert_eq!(errno::errno().0, libc::EDOM);
        assert_eq!(owned.collect(), 1);
    }
}
