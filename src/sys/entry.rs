//! An entry of a name database: a host, a protocol or a service.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use libc::size_t;

use crate::sys::ffi::ret_code;

/// The capacity for the strings of an entry, in bytes: at first, and at most.
const CAPACITY: usize = 1024;
const CAPACITY_MAX: usize = 1 << 20;

/// Queries a database by one of C's re-entrant functions, again with twice the buffer while the entry does not fit, and
/// reads the entry. `None` if there is none.
///
/// # Safety
///
/// `query` calls such a function (`getprotobyname_r` and its kin) with its arguments, and returns what that returns: if
/// this is 0, the fourth argument points at null, or at the first argument, filled in, whose pointers lead into the buffer.
pub(crate) unsafe fn find<E, T>(
    query: impl Fn(*mut E, *mut c_char, size_t, *mut *mut E) -> c_int,
    read: impl FnOnce(&E) -> Option<T>,
) -> Option<T> {
    let mut buffer: Vec<c_char> = vec![0; CAPACITY];
    loop {
        let mut entry = MaybeUninit::<E>::uninit();
        let mut found: *mut E = ptr::null_mut();

        let status = query(entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found);

        match ret_code(status) {
            // SAFETY: null, or a pointer at `entry`, which the query has filled in, as the caller promises.
            Ok(()) => return unsafe { found.as_ref() }.and_then(read),
            Err(libc::ERANGE) if buffer.len() < CAPACITY_MAX => buffer.resize(buffer.len() * 2, 0),
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests;
