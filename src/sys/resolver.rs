//! Turns a name into an address, as PHP does before `bind`, `connect` and `sendto`.

use std::ffi::{CStr, CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::{iter, ptr};

use libc::{addrinfo, hostent, sockaddr_in6};

use crate::sys::entry;
use crate::sys::ffi::{self, ret_code};
use crate::sys::sockaddr::{self, SockAddr};

/// Why a name and a port are no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// PHP's functions take no address of this family.
    Family,
    /// The path of an `AF_UNIX` socket has more than 107 bytes.
    TooLong,
    /// A host name has a NUL in it.
    Nul,
    /// The resolver knows no such host: −10000 less `h_errno`, as PHP counts.
    Unknown(c_int),
}

/// The address that `name` and `port` mean for a socket of this family. `AF_UNIX` takes `name` as its path and no port;
/// the internet families resolve it, which blocks, even for a non-blocking socket.
pub(crate) fn address(family: c_int, name: &OsStr, port: u16) -> Result<SockAddr, Unresolved> {
    let bytes = name.as_bytes();
    match family {
        libc::AF_UNIX => SockAddr::unix(bytes).ok_or(Unresolved::TooLong),
        libc::AF_INET => Ok(SockAddr::inet(inet(bytes)?, port)),
        libc::AF_INET6 => Ok(SockAddr::inet6(inet6(bytes)?, port, scope(bytes))),
        _ => Err(Unresolved::Family),
    }
}

/// The IPv4 address of an address' text or of a host.
pub(crate) fn inet(name: &[u8]) -> Result<[u8; 4], Unresolved> {
    if let Some(address) = numeric(name, &mut [0; NUMERIC_MAX]).and_then(sockaddr::inet_pton) {
        return Ok(address);
    }
    let text = CString::new(name).map_err(|_| Unresolved::Nul)?;
    let address = hosts(&text).and_then(|addresses| addresses.first().copied());
    address.ok_or_else(unknown)
}

/// The IPv6 address of an address' text or of a host; its scope is not part of it.
pub(crate) fn inet6(name: &[u8]) -> Result<[u8; 16], Unresolved> {
    if let Some(address) = numeric(name, &mut [0; NUMERIC_MAX]).and_then(sockaddr::inet_pton) {
        return Ok(address);
    }
    let text = CString::new(name).map_err(|_| Unresolved::Nul)?;
    getaddrinfo(&text).ok_or_else(unknown)
}

/// The length of the longest numeric address, with its NUL.
const NUMERIC_MAX: usize = 46;

/// `name` as C takes it, copied into `text`; `None` if it is too long for an address or has a NUL in it.
fn numeric<'a>(name: &[u8], text: &'a mut [u8; NUMERIC_MAX]) -> Option<&'a CStr> {
    text.get_mut(..name.len())?.copy_from_slice(name);
    CStr::from_bytes_with_nul(text.get(..=name.len())?).ok()
}

/// Reads `h_errno`, which may be stale: only a real query sets it.
#[cold]
fn unknown() -> Unresolved {
    // SAFETY: glibc's function takes nothing and cannot fail.
    let location = unsafe { ffi::__h_errno_location() };

    // SAFETY: it points at this thread's `h_errno`, which lives as long as the thread.
    let h_errno = unsafe { *location };

    Unresolved::Unknown(-10000 - h_errno)
}

/// The longest name that C gets; a longer one is unknown.
const NAME_MAX: usize = 255;

/// The IPv4 addresses of a host, by the resolver's re-entrant function; `None` if it knows no such host.
pub(crate) fn hosts(name: &CStr) -> Option<Vec<[u8; 4]>> {
    if name.to_bytes().len() > NAME_MAX {
        return None;
    }

    let query = |entry, buffer, size, found| {
        let mut h_errno: c_int = 0;
        // SAFETY: `name` ends in a NUL and outlives the call, as does `h_errno`; `find` passes an entry, a buffer of `size`
        // bytes and the place of a pointer, all writable. C keeps no pointer.
        unsafe { ffi::gethostbyname_r(name.as_ptr(), entry, buffer, size, found, &raw mut h_errno) }
    };
    let read = |entry: &hostent| {
        // SAFETY: `gethostbyname_r` has filled the entry in, and the buffer outlives it.
        (entry.h_addrtype == libc::AF_INET).then(|| unsafe { addresses(entry) })
    };
    // SAFETY: `query` calls one of the functions that `find` is for.
    unsafe { entry::find(query, read) }
}

/// The addresses of an entry.
///
/// # Safety
///
/// `entry` is one of `AF_INET`, as the resolver has filled it in, and its buffer is alive.
unsafe fn addresses(entry: &hostent) -> Vec<[u8; 4]> {
    let mut addresses = Vec::new();
    let mut next = entry.h_addr_list;
    loop {
        // SAFETY: `h_addr_list` is an array that ends in a null pointer, and `next` is not beyond that.
        let address = unsafe { *next };
        // SAFETY: null, or an address of AF_INET, which is 4 bytes; bytes need no alignment.
        let Some(address) = (unsafe { address.cast::<[u8; 4]>().as_ref() }) else { return addresses };
        addresses.push(*address);
        // SAFETY: this element was not the last, so the next one is in the array too.
        next = unsafe { next.add(1) };
    }
}

/// A list that `getaddrinfo` allocated. It is freed when it goes out of scope.
pub(crate) struct AddrList(*mut addrinfo);

impl AddrList {
    /// # Safety
    ///
    /// `list` is the one that a successful `getaddrinfo` stored, and it has no other owner.
    pub(crate) unsafe fn new(list: *mut addrinfo) -> AddrList {
        AddrList(list)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &addrinfo> {
        // SAFETY: null or the first element, which lives as long as `self`.
        let first = unsafe { self.0.as_ref() };

        iter::successors(first, |node| {
            // SAFETY: null or the next element, which lives as long as `self`.
            unsafe { node.ai_next.as_ref() }
        })
    }
}

impl Drop for AddrList {
    fn drop(&mut self) {
        // SAFETY: as `new` was promised, the pointer came from `getaddrinfo`, and it is freed only here.
        unsafe { libc::freeaddrinfo(self.0) }
    }
}

/// Hints for `getaddrinfo`: these flags, this family, sockets of any type and protocol.
pub(crate) fn hints(flags: c_int, family: c_int) -> addrinfo {
    addrinfo {
        ai_flags: flags,
        ai_family: family,
        ai_socktype: 0,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: ptr::null_mut(),
        ai_canonname: ptr::null_mut(),
        ai_next: ptr::null_mut(),
    }
}

/// The first IPv6 address of a host. The address of a host without one is its IPv4 address, mapped: `::ffff:a.b.c.d`.
#[allow(clippy::cast_ptr_alignment, reason = "getaddrinfo aligns the addresses that it allocates")]
fn getaddrinfo(name: &CStr) -> Option<[u8; 16]> {
    let hints = hints(libc::AI_V4MAPPED | libc::AI_ADDRCONFIG, libc::AF_INET6);
    let mut list = ptr::null_mut();

    // SAFETY: `name` ends in a NUL, the service may be null, `hints` and `list` outlive the call; on success `list`
    // points at memory that is ours to free.
    let status = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut list) };

    ret_code(status).ok()?;
    // SAFETY: the call succeeded, and the list has no other owner.
    let list = unsafe { AddrList::new(list) };
    let first = list.iter().next()?;
    if first.ai_family != libc::AF_INET6 {
        return None;
    }

    // SAFETY: null, or the `sockaddr_in6` of an element of AF_INET6; `getaddrinfo` aligns it.
    let name = unsafe { first.ai_addr.cast::<sockaddr_in6>().as_ref() }?;
    Some(name.sin6_addr.s6_addr)
}

/// The scope after the first `%`: an interface's number, else its name; 0 if there is none by that name.
fn scope(address: &[u8]) -> u32 {
    let Some(percent) = address.iter().position(|byte| *byte == b'%') else { return 0 };
    let scope = &address[percent + 1..];

    let number = std::str::from_utf8(scope).ok().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| if_nametoindex(scope))
}

/// The index of the interface of this name, 0 if there is none.
pub(crate) fn if_nametoindex(name: &[u8]) -> u32 {
    let Ok(name) = CString::new(name) else { return 0 };

    // SAFETY: `name` ends in a NUL and outlives the call.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

#[cfg(test)]
mod tests;
