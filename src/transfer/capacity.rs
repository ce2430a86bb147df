//! Grows receive buffers. A length of 0 and a failed allocation are errors, never aborts.

use std::ffi::c_int;

use libc::ssize_t;

/// Why a buffer cannot get the length that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The length is 0.
    Empty,
    /// The allocation failed.
    TooLong,
}

/// Gives `data` capacity for `length` bytes in place of those that it has.
#[inline]
pub(crate) fn reserve(data: &mut Vec<u8>, length: usize) -> Result<(), Refused> {
    if length == 0 {
        return Err(Refused::Empty);
    }
    if data.capacity() < length { grow(data, length.saturating_sub(data.len())) } else { Ok(()) }
}

/// Gives `data` capacity for `length` bytes after those that it has.
#[inline]
pub(crate) fn reserve_after(data: &mut Vec<u8>, length: usize) -> Result<(), Refused> {
    if length == 0 {
        return Err(Refused::Empty);
    }
    if data.capacity() - data.len() < length { grow(data, length) } else { Ok(()) }
}

#[cold]
fn grow(data: &mut Vec<u8>, missing: usize) -> Result<(), Refused> {
    data.try_reserve(missing).map_err(|_| Refused::TooLong)
}

/// The bytes that are copied in fewer instructions than an allocation is shrunk.
const COPIED: usize = 512;

/// Gives `data` an allocation of its length.
#[inline]
pub(crate) fn give_back(data: &mut Vec<u8>) {
    if data.len() > COPIED || data.len() == data.capacity() {
        return data.shrink_to_fit();
    }
    let mut exact = Vec::new();
    // Without memory for the copy, the bytes stay where they are.
    if exact.try_reserve_exact(data.len()).is_ok() {
        exact.extend_from_slice(data);
        *data = exact;
    }
}

/// The flags of a receiving call with which the kernel writes each byte that it counts and that fits.
const WRITTEN_AS_COUNTED: c_int = libc::MSG_OOB
    | libc::MSG_PEEK
    | libc::MSG_WAITALL
    | libc::MSG_DONTWAIT
    | libc::MSG_ERRQUEUE
    | libc::MSG_NOSIGNAL
    | libc::MSG_CMSG_CLOEXEC;

/// True if the kernel may count bytes that it does not write. `MSG_TRUNC` does so on TCP, and
/// `MSG_SOCK_DEVMEM` leaves them in a device. A flag that is not known here may do the same.
#[inline]
pub(crate) fn may_skip_bytes(flags: c_int) -> bool {
    flags & !WRITTEN_AS_COUNTED != 0
}

/// Zeroes the `length` bytes from `begin` on, for which there is capacity, if the kernel may count bytes that
/// it does not write.
#[inline]
pub(crate) fn zero_if_skipping(data: &mut Vec<u8>, begin: usize, length: usize, flags: c_int) {
    if may_skip_bytes(flags) {
        zero(data, begin, length);
    }
}

#[cold]
fn zero(data: &mut Vec<u8>, begin: usize, length: usize) {
    data.truncate(begin);
    data.resize(begin + length, 0);
}

/// The count to report: with `MSG_TRUNC` the kernel's, a datagram's real length; without it the bytes
/// written.
#[inline]
pub(crate) fn reported(count: ssize_t, written: usize, flags: c_int) -> usize {
    if flags & libc::MSG_TRUNC == 0 { written } else { count.unsigned_abs() }
}
