//! Room for what is received: checked lengths, no memory asked for that cannot be had.

use std::ffi::c_int;

use libc::ssize_t;

use crate::error::{Error, Result, Site};

/// The messages of one receiving function about its length argument.
pub(crate) struct Sites {
    pub(crate) empty: Site,
    pub(crate) too_long: Site,
}

/// Makes `data` able to hold `length` bytes in place of those that it has.
#[inline]
pub(crate) fn make_room(data: &mut Vec<u8>, length: usize, sites: &'static Sites) -> Result<()> {
    if length == 0 {
        return Err(Error::silent(&sites.empty));
    }
    if data.capacity() < length { grow(data, length.saturating_sub(data.len()), sites) } else { Ok(()) }
}

/// Makes `data` able to hold `length` bytes behind those that it has.
#[inline]
pub(crate) fn make_room_behind(data: &mut Vec<u8>, length: usize, sites: &'static Sites) -> Result<()> {
    if length == 0 {
        return Err(Error::silent(&sites.empty));
    }
    if data.capacity() - data.len() < length { grow(data, length, sites) } else { Ok(()) }
}

#[cold]
fn grow(data: &mut Vec<u8>, missing: usize, sites: &'static Sites) -> Result<()> {
    data.try_reserve(missing).map_err(|_| Error::silent(&sites.too_long))
}

/// The flags of a receiving call with which the kernel writes each byte that it counts and that fits.
const WRITTEN_AS_COUNTED: c_int = libc::MSG_OOB
    | libc::MSG_PEEK
    | libc::MSG_WAITALL
    | libc::MSG_DONTWAIT
    | libc::MSG_ERRQUEUE
    | libc::MSG_NOSIGNAL
    | libc::MSG_CMSG_CLOEXEC;

/// Whether the kernel may count bytes that it does not write. `MSG_TRUNC` does so on TCP, `MSG_SOCK_DEVMEM` leaves them in
/// a device; a flag that is not known here may be another such.
#[inline]
pub(crate) fn may_skip_bytes(flags: c_int) -> bool {
    flags & !WRITTEN_AS_COUNTED != 0
}

/// Where the kernel may count bytes that it does not write, the `length` bytes from `begin` on, for which there is
/// capacity, must be zeros.
#[inline]
pub(crate) fn blank_if_skipping(data: &mut Vec<u8>, begin: usize, length: usize, flags: c_int) {
    if may_skip_bytes(flags) {
        data.truncate(begin);
        data.resize(begin + length, 0);
    }
}

/// How many bytes a receiving call has written into a buffer of `length` bytes, if it returned `count`; `None` is a failure.
/// It may count more than it writes: a longer datagram with `MSG_TRUNC`, or a whole queue of TCP in repair mode, whatever
/// the flags.
#[inline]
#[allow(
    clippy::cast_sign_loss,
    reason = "a negative count is above every length too, so that one comparison serves both"
)]
pub(crate) fn written(count: ssize_t, length: usize) -> Option<usize> {
    if count as usize <= length { Some(count as usize) } else { beyond(count, length) }
}

#[cold]
fn beyond(count: ssize_t, length: usize) -> Option<usize> {
    (count >= 0).then_some(length)
}

/// The count for the caller: the kernel's with `MSG_TRUNC`, which asks for a datagram's real length, else what was written.
#[inline]
pub(crate) fn reported(count: ssize_t, written: usize, flags: c_int) -> usize {
    if flags & libc::MSG_TRUNC == 0 { written } else { count.unsigned_abs() }
}
