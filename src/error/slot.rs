//! The thread's error slot.

use std::cell::Cell;
use std::ffi::c_int;

thread_local! {
    static LAST_ERROR: Cell<c_int> = const { Cell::new(0) };
}

/// The code that `socket_last_error(null)` reads. PHP has one slot per request; this crate has one per
/// thread.
pub(crate) fn last() -> c_int {
    LAST_ERROR.get()
}

pub(crate) fn remember(code: c_int) {
    LAST_ERROR.set(code);
}

/// Reads `errno` before another call can change it, and remembers it in the thread's slot.
#[cold]
pub(crate) fn remember_errno() -> c_int {
    let code = errno::errno().0;
    remember(code);
    code
}
