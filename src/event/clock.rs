//! The clock of time-outs: `CLOCK_MONOTONIC` in nanoseconds.

use std::time::Duration;

/// The longest time-out: 68 years.
const LONGEST: u64 = i32::MAX as u64 * 1_000_000_000;

pub(super) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };

    // SAFETY: `time` outlives the call, which fills it. The clock exists on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };

    // Neither is negative: the clock starts with the machine.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(LONGEST).min(LONGEST)
}

/// For `epoll_wait`: rounded up, so that a timer is due when the wait ends and the loop never spins.
pub(super) fn milliseconds(nanoseconds: u64) -> i32 {
    i32::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(i32::MAX)
}
