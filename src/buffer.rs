//! Room for what is received: checked lengths, no memory asked for that cannot be had.

use std::ffi::c_int;

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

/// With `MSG_TRUNC` the kernel may count bytes that it does not write: then the `length` bytes from `begin` on, for which
/// there is room, must be zeros.
#[inline]
pub(crate) fn blank_if_truncating(data: &mut Vec<u8>, begin: usize, length: usize, flags: c_int) {
    if flags & libc::MSG_TRUNC != 0 {
        data.truncate(begin);
        data.resize(begin + length, 0);
    }
}
