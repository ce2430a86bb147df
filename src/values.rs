//! What both options and control messages carry: the credentials of a process, and where a datagram arrived.

use std::net::Ipv6Addr;

/// Who is at the other end: PHP's array of `pid`, `uid` and `gid`.
///
/// ```
/// use php_sockets::*;
///
/// let credentials = Credentials::new(1, 0, 0);
/// assert_eq!((credentials.pid, credentials.uid, credentials.gid), (1, 0, 0));
/// ```
///
/// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// The process.
    pub pid: i32,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Credentials {
    /// The credentials of this process, user and group.
    #[must_use]
    pub const fn new(pid: i32, uid: u32, gid: u32) -> Credentials {
        Credentials { pid, uid, gid }
    }
}

/// An address of this machine and an interface of it: PHP's array of `addr` and `ifindex`.
///
/// ```
/// use std::net::Ipv6Addr;
/// use php_sockets::*;
///
/// let from = Pktinfo::new(Ipv6Addr::LOCALHOST, 1);
/// assert_eq!((from.addr.to_string().as_str(), from.ifindex), ("::1", 1));
/// ```
///
/// [ipv6(7)](https://man7.org/linux/man-pages/man7/ipv6.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pktinfo {
    /// The address: the source to send from, or the destination that a datagram had.
    pub addr: Ipv6Addr,
    /// The interface's index, 0 for any.
    pub ifindex: u32,
}

impl Pktinfo {
    /// This address on the interface of this index.
    #[must_use]
    pub const fn new(addr: Ipv6Addr, ifindex: u32) -> Pktinfo {
        Pktinfo { addr, ifindex }
    }
}
