//! A name to an address: what PHP does before bind, connect and sendto.

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::{iter, ptr};

use libc::{addrinfo, hostent, sockaddr_in6};

use crate::sys::ffi;
use crate::sys::sockaddr::{self, SockAddr};

/// Why a name and a port are no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// PHP's function takes no address of this family.
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

/// The length of the longest numeric address, its NUL included.
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

/// Names longer than this are not looked up.
const NAME_MAX: usize = 255;

/// The IPv4 addresses of a host, by the resolver's re-entrant function; `None` if it knows no such host.
pub(crate) fn hosts(name: &CStr) -> Option<Vec<[u8; 4]>> {
    if name.to_bytes().len() > NAME_MAX {
        return None;
    }
    let mut buffer: Vec<c_char> = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::<hostent>::uninit();
        let mut found: *mut hostent = ptr::null_mut();
        let mut h_errno: c_int = 0;

        // SAFETY: `name` ends in a NUL; `entry`, `found` and `h_errno` are writable; `buffer` has the length given.
        // All outlive the call, and what `found` points at lies in `entry` and `buffer`.
        let status = unsafe {
            ffi::gethostbyname_r(
                name.as_ptr(),
                entry.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
                &raw mut h_errno,
            )
        };

        if status == libc::ERANGE && buffer.len() < 1 << 20 {
            buffer.resize(buffer.len() * 2, 0);
            continue;
        }
        if status != 0 || found.is_null() {
            return None;
        }

        // SAFETY: `found` is not null, so it points at `entry`, which the call filled in.
        let host = unsafe { &*found };
        if host.h_addrtype != libc::AF_INET {
            return None;
        }

        let mut addresses = Vec::new();
        let mut next = host.h_addr_list;
        loop {
            // SAFETY: `h_addr_list` is an array that ends in a null pointer, and `next` is not beyond that.
            let address = unsafe { *next };
            if address.is_null() {
                return Some(addresses);
            }
            // SAFETY: an address of AF_INET is 4 bytes; bytes need no alignment.
            addresses.push(unsafe { *address.cast::<[u8; 4]>() });
            // SAFETY: this element was not the last, so the next one is in the array too.
            next = unsafe { next.add(1) };
        }
    }
}

/// A list that `getaddrinfo` allocated, given back when it goes out of scope.
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

/// The hints of `getaddrinfo`: sockets of any type and protocol.
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

/// The first IPv6 address of a host; that of an IPv4 host is mapped, `::ffff:a.b.c.d`.
#[allow(clippy::cast_ptr_alignment, reason = "getaddrinfo aligns the addresses that it allocates")]
fn getaddrinfo(name: &CStr) -> Option<[u8; 16]> {
    let hints = hints(libc::AI_V4MAPPED | libc::AI_ADDRCONFIG, libc::AF_INET6);
    let mut list = ptr::null_mut();

    // SAFETY: `name` ends in a NUL, the service may be null, `hints` and `list` outlive the call; on success `list`
    // points at memory that is ours to free.
    let status = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut list) };

    if status != 0 {
        return None;
    }
    // SAFETY: the call succeeded, and the list has no other owner.
    let list = unsafe { AddrList::new(list) };
    let first = list.iter().next()?;
    if first.ai_family != libc::AF_INET6 || first.ai_addr.is_null() {
        return None;
    }

    // SAFETY: an element of AF_INET6 carries a `sockaddr_in6`; `getaddrinfo` aligns it.
    let name = unsafe { &*first.ai_addr.cast::<sockaddr_in6>() };
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
