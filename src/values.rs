//! Values that options and control messages share.

use std::net::Ipv6Addr;

/// Who a process is: what `SO_PEERCRED` reads and `SCM_CREDENTIALS` carries.
///
/// ```
/// use php_sockets::*;
///
/// let credentials = Credentials::new(1, 0, 0);
/// assert_eq!((credentials.pid, credentials.uid, credentials.gid), (1, 0, 0));
/// ```
///
/// [php.net](https://www.php.net/socket_sendmsg) · [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// The process.
    pub pid: i32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

impl Credentials {
    /// The three numbers, in PHP's order.
    #[must_use]
    pub const fn new(pid: i32, uid: u32, gid: u32) -> Credentials {
        Credentials { pid, uid, gid }
    }
}

/// An address of this machine and an interface: what `IPV6_PKTINFO` is about.
///
/// ```
/// use std::net::Ipv6Addr;
/// use php_sockets::*;
///
/// let info = Pktinfo::new(Ipv6Addr::LOCALHOST, 1);
/// assert_eq!((info.addr, info.ifindex), (Ipv6Addr::LOCALHOST, 1));
/// ```
///
/// [php.net](https://www.php.net/socket_sendmsg) · [ipv6(7)](https://man7.org/linux/man-pages/man7/ipv6.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pktinfo {
    /// The address; `::` for none.
    pub addr: Ipv6Addr,
    /// The interface's index; 0 for any.
    pub ifindex: u32,
}

impl Pktinfo {
    /// An address and an interface.
    #[must_use]
    pub const fn new(addr: Ipv6Addr, ifindex: u32) -> Pktinfo {
        Pktinfo { addr, ifindex }
    }
}
