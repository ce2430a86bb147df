//! PHP's arrays for options, as structs with PHP's keys.

use std::ffi::{OsStr, c_int};
use std::net::Ipv6Addr;
use std::time::Duration;

use crate::sys::name::Address;

/// The value of `SO_LINGER`: how long closing waits for unsent data.
///
/// Switched on, closing waits up to `l_linger` seconds. With 0 seconds it drops the data and resets the connection.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_set_option(&socket, SOL_SOCKET, SO_LINGER, Linger::new(1, 5))?;
/// let linger = socket_get_option(&socket, SOL_SOCKET, SO_LINGER)?.linger()?;
/// assert_eq!(linger.l_linger, 5);
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Linger {
    /// 0 for off, anything else for on.
    pub l_onoff: u16,
    /// Seconds.
    pub l_linger: u16,
}

impl Linger {
    /// A switch, on if it is not 0, and the seconds.
    #[must_use]
    pub const fn new(l_onoff: u16, l_linger: u16) -> Linger {
        Linger { l_onoff, l_linger }
    }
}

/// The value of `SO_RCVTIMEO` and `SO_SNDTIMEO`: how long a call may block. Zero is for ever.
///
/// A [`Duration`] becomes a `Timeval`. One below a microsecond is rounded up, because 0 would be for ever.
///
/// ```
/// use std::time::Duration;
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(1, 500_000))?;
///
/// let time = socket_get_option(&socket, SOL_SOCKET, SO_RCVTIMEO)?.timeval()?;
/// assert_eq!(time, Duration::from_millis(1500).into());
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Timeval {
    /// Seconds.
    pub sec: i64,
    /// Microseconds, fewer than a million.
    pub usec: i64,
}

impl Timeval {
    /// Seconds and microseconds.
    #[must_use]
    pub const fn new(sec: i64, usec: i64) -> Timeval {
        Timeval { sec, usec }
    }
}

impl From<Duration> for Timeval {
    fn from(time: Duration) -> Timeval {
        let usec = if time < Duration::from_micros(1) && !time.is_zero() { 1 } else { time.subsec_micros() };
        Timeval { sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), usec: i64::from(usec) }
    }
}

/// The value of `SO_MEMINFO`: the memory that a socket holds. Every number but `drops` is in bytes.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// let memory = socket_get_option(&socket, SOL_SOCKET, SO_MEMINFO)?.meminfo()?;
/// assert_eq!((memory.rmem_alloc, memory.drops), (0, 0));
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [sock_diag(7)](https://man7.org/linux/man-pages/man7/sock_diag.7.html)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Meminfo {
    /// Received data in the queue.
    pub rmem_alloc: u32,
    /// The limit of the receive queue: `SO_RCVBUF`.
    pub rcvbuf: u32,
    /// Data that is being sent.
    pub wmem_alloc: u32,
    /// The limit of the send queue: `SO_SNDBUF`.
    pub sndbuf: u32,
    /// Memory that is reserved and not in use.
    pub fwd_alloc: u32,
    /// Data that TCP has queued and not sent.
    pub wmem_queued: u32,
    /// Memory of the socket's options.
    pub optmem: u32,
    /// Packets that wait to be processed.
    pub backlog: u32,
    /// The number of datagrams that were dropped.
    pub drops: u32,
}

/// The nine numbers in the kernel's order, which is PHP's.
impl From<[u32; 9]> for Meminfo {
    fn from(numbers: [u32; 9]) -> Meminfo {
        let [rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops] =
            numbers;
        Meminfo { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops }
    }
}

/// A network interface, by number or by name. A text is always a name, as in PHP: `"1"` is not interface 1.
///
/// ```
/// use php_sockets::*;
///
/// assert_eq!(Interface::from(1), Interface::Index(1));
/// assert_eq!(Interface::from("lo"), Interface::Name("lo".into()));
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [netdevice(7)](https://man7.org/linux/man-pages/man7/netdevice.7.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interface {
    /// Its index; 0 lets the kernel choose. No interface has a negative one, or one above 4294967295.
    Index(i64),
    /// Its name, `lo` or `eth0`.
    Name(Address),
}

impl From<c_int> for Interface {
    fn from(index: c_int) -> Interface {
        Interface::Index(index.into())
    }
}

impl From<u32> for Interface {
    fn from(index: u32) -> Interface {
        Interface::Index(index.into())
    }
}

impl From<&str> for Interface {
    fn from(name: &str) -> Interface {
        Interface::Name(name.into())
    }
}

impl From<Address> for Interface {
    fn from(name: Address) -> Interface {
        Interface::Name(name)
    }
}

impl From<&String> for Interface {
    fn from(name: &String) -> Interface {
        Interface::Name(name.as_str().into())
    }
}

impl From<String> for Interface {
    fn from(name: String) -> Interface {
        Interface::Name(name.into())
    }
}

/// The value of `MCAST_JOIN_GROUP` and `MCAST_LEAVE_GROUP`: a multicast group.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// let group = Group::new("239.1.2.3", "lo");
/// socket_set_option(&socket, IPPROTO_IP, MCAST_JOIN_GROUP, group)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [ip(7)](https://man7.org/linux/man-pages/man7/ip.7.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "it joins nothing by itself: give it to socket_set_option"]
pub struct Group {
    /// The group's address, or a host name that stands for it.
    pub group: Address,
    /// The interface of the membership. Index 0, as without PHP's key, lets the kernel choose.
    pub interface: Interface,
}

impl Group {
    /// A group on an interface, which is an index or a name. Index 0 lets the kernel choose.
    pub fn new(group: impl AsRef<OsStr>, interface: impl Into<Interface>) -> Group {
        Group { group: group.as_ref().into(), interface: interface.into() }
    }
}

/// The value of the other four `MCAST_` options: one sender of a multicast group.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// let source = Source::new("239.1.2.3", "127.0.0.1", "lo");
/// socket_set_option(&socket, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, source)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [ip(7)](https://man7.org/linux/man-pages/man7/ip.7.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[must_use = "it joins nothing by itself: give it to socket_set_option"]
pub struct Source {
    /// The group's address, or a host name that stands for it.
    pub group: Address,
    /// The sender's address, or its name.
    pub source: Address,
    /// The interface of the membership. Index 0, as without PHP's key, lets the kernel choose.
    pub interface: Interface,
}

impl Source {
    /// A sender of a group on an interface, which is an index or a name. Index 0 lets the kernel choose.
    pub fn new(
        group: impl AsRef<OsStr>,
        source: impl AsRef<OsStr>,
        interface: impl Into<Interface>,
    ) -> Source {
        Source { group: group.as_ref().into(), source: source.as_ref().into(), interface: interface.into() }
    }
}

/// The value of `SO_PEERCRED` and of `SCM_CREDENTIALS`: a process, its user and its group.
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

/// The value of `IPV6_PKTINFO`: an address of this machine and an interface.
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
