//! PHP's `$address, $port` as the `sockaddr` that the kernel takes, and back. No system call is made here.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::mem::{self, offset_of, size_of};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::{
    sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_ll, sockaddr_storage, sockaddr_un, socklen_t,
};

use crate::sys::ffi;
use crate::sys::name::{Address, SocketName};

/// An address for the kernel to read.
pub(crate) enum SockAddr {
    Inet(sockaddr_in),
    Inet6(sockaddr_in6),
    Unix(sockaddr_un, socklen_t),
    Packet(sockaddr_ll),
}

/// The family as the first field of every `sockaddr`: two bytes.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Linux has fewer than 100 families"
)]
const fn tag(family: c_int) -> sa_family_t {
    family as sa_family_t
}

/// The size of a `sockaddr` structure as the kernel counts it.
#[allow(clippy::cast_possible_truncation, reason = "no sockaddr is larger than 128 bytes")]
const fn size<T>() -> socklen_t {
    size_of::<T>() as socklen_t
}

/// Where the path begins in a `sockaddr_un`.
const PATH: usize = offset_of!(sockaddr_un, sun_path);

/// The bytes of the longest path for the kernel, which needs no NUL behind it.
pub(crate) const PATH_MAX: usize = size_of::<sockaddr_un>() - PATH;

impl SockAddr {
    pub(crate) fn inet(address: [u8; 4], port: u16) -> SockAddr {
        SockAddr::Inet(sockaddr_in {
            sin_family: tag(libc::AF_INET),
            sin_port: port.to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address) },
            sin_zero: [0; 8],
        })
    }

    pub(crate) fn inet6(address: [u8; 16], port: u16, scope: u32) -> SockAddr {
        SockAddr::Inet6(sockaddr_in6 {
            sin6_family: tag(libc::AF_INET6),
            sin6_port: port.to_be(),
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: address },
            sin6_scope_id: scope,
        })
    }

    /// The same with a flow, in network byte order; other families have none.
    pub(crate) fn with_flow(mut self, flow: u32) -> SockAddr {
        if let SockAddr::Inet6(address) = &mut self {
            address.sin6_flowinfo = flow;
        }
        self
    }

    /// Copies `path` as it is, NULs included. A leading NUL makes it an abstract name; with an empty path the kernel chooses
    /// a name. `None` if it is longer than 107 bytes, PHP's limit.
    pub(crate) fn unix(path: &[u8]) -> Option<SockAddr> {
        if path.len() >= PATH_MAX {
            return None;
        }
        let mut address = sockaddr_un { sun_family: tag(libc::AF_UNIX), sun_path: [0; PATH_MAX] };
        for (to, from) in address.sun_path.iter_mut().zip(path) {
            *to = c_char::from_ne_bytes([*from]);
        }
        Some(SockAddr::Unix(address, socklen_t::try_from(PATH + path.len()).ok()?))
    }

    /// An interface of `AF_PACKET`; `protocol` is in network byte order.
    pub(crate) fn packet(protocol: u16, ifindex: c_int) -> SockAddr {
        SockAddr::Packet(sockaddr_ll {
            sll_family: tag(libc::AF_PACKET),
            sll_protocol: protocol,
            sll_ifindex: ifindex,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        })
    }

    pub(crate) fn as_ptr(&self) -> *const sockaddr {
        match self {
            SockAddr::Inet(address) => (&raw const *address).cast(),
            SockAddr::Inet6(address) => (&raw const *address).cast(),
            SockAddr::Unix(address, _) => (&raw const *address).cast(),
            SockAddr::Packet(address) => (&raw const *address).cast(),
        }
    }

    /// The same address, filled up with zeros.
    pub(crate) fn storage(&self) -> sockaddr_storage {
        // SAFETY: a `sockaddr_storage` is integers only, for which zeros are valid.
        let mut storage: sockaddr_storage = unsafe { mem::zeroed() };

        // SAFETY: `as_ptr` points at `len` bytes inside `self`; a `sockaddr_storage` is at least as long as every other
        // `sockaddr`, and the two do not overlap.
        unsafe {
            ptr::copy_nonoverlapping(
                self.as_ptr().cast::<u8>(),
                (&raw mut storage).cast(),
                self.len() as usize,
            );
        }

        storage
    }

    pub(crate) fn len(&self) -> socklen_t {
        match self {
            SockAddr::Inet(_) => size::<sockaddr_in>(),
            SockAddr::Inet6(_) => size::<sockaddr_in6>(),
            SockAddr::Unix(_, len) => *len,
            SockAddr::Packet(_) => size::<sockaddr_ll>(),
        }
    }
}

/// The bytes of an address that the kernel writes. They begin as zeros: an address that it does not write reads as
/// `AF_UNSPEC`.
#[derive(Clone)]
#[repr(C, align(8))]
pub(crate) struct SockAddrBuf([u8; size_of::<sockaddr_storage>()]);

impl SockAddrBuf {
    pub(crate) const LEN: socklen_t = size::<sockaddr_storage>();

    pub(crate) const fn new() -> SockAddrBuf {
        SockAddrBuf([0; size_of::<sockaddr_storage>()])
    }

    /// A copy of the `len` bytes at `address`, of as many as fit.
    ///
    /// # Safety
    ///
    /// `address` points at `len` bytes.
    pub(crate) unsafe fn copied(address: *const sockaddr, len: socklen_t) -> SockAddrBuf {
        let mut copy = SockAddrBuf::new();
        let len = len.min(SockAddrBuf::LEN) as usize;

        // SAFETY: `address` has `len` bytes, as the caller promises, and `copy` has LEN, which is no less. `copy` is a
        // local variable, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(address.cast(), copy.0.as_mut_ptr(), len) };

        copy
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        self.0.as_mut_ptr().cast()
    }

    pub(crate) fn as_ptr(&self) -> *const sockaddr {
        self.0.as_ptr().cast()
    }

    /// The `N` bytes at `offset`, which is an `offset_of!` in one of the `sockaddr` structures.
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[offset..offset + N]);
        bytes
    }

    pub(crate) fn family(&self) -> c_int {
        c_int::from(sa_family_t::from_ne_bytes(self.at(offset_of!(sockaddr, sa_family))))
    }

    /// Reads the address as one of `family`: the text and the port, as PHP returns them. `None` for other families than
    /// `AF_INET`, `AF_INET6` and `AF_UNIX`.
    pub(crate) fn name(&self, family: c_int) -> Option<SocketName> {
        let (address, port) = match family {
            libc::AF_INET => (
                inet_ntop(&self.at::<4>(offset_of!(sockaddr_in, sin_addr))),
                u16::from_be_bytes(self.at(offset_of!(sockaddr_in, sin_port))),
            ),
            libc::AF_INET6 => (
                inet_ntop(&self.at::<16>(offset_of!(sockaddr_in6, sin6_addr))),
                u16::from_be_bytes(self.at(offset_of!(sockaddr_in6, sin6_port))),
            ),
            libc::AF_UNIX => (OsStr::from_bytes(until_nul(&self.at::<PATH_MAX>(PATH))).into(), 0),
            _ => return None,
        };
        Some(SocketName { address, port, family })
    }

    /// The flow, in network byte order, and the scope of an `AF_INET6` address.
    pub(crate) fn flow_and_scope(&self) -> (u32, u32) {
        (
            u32::from_ne_bytes(self.at(offset_of!(sockaddr_in6, sin6_flowinfo))),
            u32::from_ne_bytes(self.at(offset_of!(sockaddr_in6, sin6_scope_id))),
        )
    }

    /// The protocol, in network byte order, and the interface's index of an `AF_PACKET` address.
    pub(crate) fn packet(&self) -> (u16, c_int) {
        (
            u16::from_ne_bytes(self.at(offset_of!(sockaddr_ll, sll_protocol))),
            c_int::from_ne_bytes(self.at(offset_of!(sockaddr_ll, sll_ifindex))),
        )
    }
}

/// The part of a string that C reads: it ends before the first NUL.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The family whose addresses have `N` bytes: `AF_INET` 4, `AF_INET6` 16.
const fn family_of<const N: usize>() -> c_int {
    match N {
        4 => libc::AF_INET,
        16 => libc::AF_INET6,
        _ => panic!("no family has addresses of this length"),
    }
}

/// The text of an address.
pub(crate) fn inet_ntop<const N: usize>(address: &[u8; N]) -> Address {
    let family = const { family_of::<N>() };
    let mut text = [0_u8; TEXT_MAX as usize];

    // SAFETY: `inet_ntop` reads the 4 or 16 bytes that `family` implies, and `address` has just as many; it writes at
    // most TEXT_MAX bytes into `text`, the NUL included, and keeps no pointer.
    unsafe { ffi::inet_ntop(family, address.as_ptr().cast(), text.as_mut_ptr().cast(), TEXT_MAX) };

    OsStr::from_bytes(until_nul(&text)).into()
}

/// The longest text of an address, with its NUL: C's `INET6_ADDRSTRLEN`.
const TEXT_MAX: socklen_t = 46;

/// The bytes of an address: 4 of a dotted quad, 16 of an IPv6 address without a scope. `None` for any other spelling.
pub(crate) fn inet_pton<const N: usize>(text: &CStr) -> Option<[u8; N]> {
    let family = const { family_of::<N>() };
    let mut address = [0; N];

    // SAFETY: `text` ends in a NUL; `inet_pton` writes the 4 or 16 bytes that `family` implies, and `address` has just as
    // many. It keeps no pointer.
    let status = unsafe { ffi::inet_pton(family, text.as_ptr(), address.as_mut_ptr().cast()) };

    (status == 1).then_some(address)
}

#[cfg(test)]
mod tests;
