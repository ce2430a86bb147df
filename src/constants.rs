//! PHP's constants under PHP's names, as `c_int`, which is `i32` (`std::ffi::c_int`). Where `libc` has the item, it is re-exported.

use std::ffi::c_int;

pub(crate) mod errors;
mod option;

pub use errors::*;
pub use option::*;

/// Re-exports constants of `libc`, one sentence each.
macro_rules! from_libc {
    ($($name:ident $text:literal)*) => { $( #[doc = $text] #[doc(inline)] pub use libc::$name; )* };
}
pub(crate) use from_libc;

/// Defines constants that `libc` lacks or that only PHP has.
macro_rules! own {
    ($($name:ident = $value:expr, $text:literal)*) => { $( #[doc = $text] pub const $name: c_int = $value; )* };
}
pub(crate) use own;

from_libc! {
    AF_UNIX "Domain: sockets within one machine, named by a path, by an abstract name, or not at all."
    AF_INET "Domain: IPv4, addresses like `127.0.0.1`."
    AF_INET6 "Domain: IPv6, addresses like `::1`."
    AF_PACKET "Domain: raw frames of a network interface (PHP 8.5)."

    SOCK_STREAM "Type: an ordered, reliable, full-duplex byte stream; TCP in `AF_INET` and `AF_INET6`."
    SOCK_DGRAM "Type: datagrams; UDP in `AF_INET` and `AF_INET6`."
    SOCK_RAW "Type: raw protocol access; needs `CAP_NET_RAW`."
    SOCK_RDM "Type: reliable, unordered datagrams; `AF_INET`, `AF_INET6` and `AF_UNIX` do not have it."
    SOCK_SEQPACKET "Type: an ordered, reliable connection that preserves record boundaries; `AF_UNIX` has it."
    SOCK_DCCP "Type: the Datagram Congestion Control Protocol (PHP 8.4)."
    SOCK_CLOEXEC "Type flag: close the descriptor on exec (PHP 8.4). This crate always sets it."
    SOCK_NONBLOCK "Type flag: the new socket does not block (PHP 8.4)."

    MSG_OOB "Flag: send or receive the out-of-band byte."
    MSG_PEEK "Flag: peek at the data, which stays in the queue."
    MSG_DONTROUTE "Flag: send only to directly connected networks."
    MSG_CTRUNC "Flag on receipt: control data was cut, because the buffer was too small."
    MSG_TRUNC "Flag: report a datagram's real length; on TCP, discard instead of copying."
    MSG_DONTWAIT "Flag: this one call does not block."
    MSG_EOR "Flag: end of record."
    MSG_WAITALL "Flag: block until all the bytes asked for have arrived."
    MSG_CONFIRM "Flag: report to the link layer that the neighbour still answers."
    MSG_ERRQUEUE "Flag: receive from the socket's error queue."
    MSG_NOSIGNAL "Flag: no SIGPIPE. PHP and Rust ignore that signal already."
    MSG_MORE "Flag: more data follows, so do not send a short packet yet."
    MSG_WAITFORONE "Flag: of recvmmsg(2): do not wait after the first message."
    MSG_ZEROCOPY "Flag: send without copying from user memory."
    MSG_CMSG_CLOEXEC "Flag: received descriptors are closed on exec."

    SOL_SOCKET "Level: options of the socket itself."
    SOL_TCP "Level and protocol: TCP."
    SOL_UDP "Level and protocol: UDP."
    IPPROTO_IP "Level: IPv4. As a protocol: 0, the type's default."
    IPPROTO_IPV6 "Level: IPv6."
    IPPROTO_ICMP "Protocol: ICMP, which ping uses (PHP 8.5)."
    IPPROTO_ICMPV6 "Protocol: ICMP for IPv6 (PHP 8.5)."

    SOMAXCONN "The largest backlog by the C headers. The kernel's limit is the sysctl `net.core.somaxconn`."

    SHUT_RD "Shutdown mode 0: no more reading (PHP 8.5)."
    SHUT_WR "Shutdown mode 1: no more writing; the peer reads end of stream (PHP 8.5)."
    SHUT_RDWR "Shutdown mode 2: no more reading and no more writing (PHP 8.5)."

    SCM_RIGHTS "Control message: open descriptors."
    SCM_CREDENTIALS "Control message: the sender's process, user and group."

    AI_PASSIVE "Lookup flag: addresses to bind, not to connect to."
    AI_CANONNAME "Lookup flag: also give the canonical name."
    AI_NUMERICHOST "Lookup flag: the host is an address already, so no server is asked."
    AI_V4MAPPED "Lookup flag: give `::ffff:a.b.c.d` for a host without IPv6."
    AI_ALL "Lookup flag: with `AI_V4MAPPED`, IPv6 and mapped IPv4 addresses."
    AI_ADDRCONFIG "Lookup flag: only families that this machine has an address in."
    AI_NUMERICSERV "Lookup flag: the service is a port number already."

    ETH_P_IP "Ethernet protocol: IPv4 (PHP 8.5)."
    ETH_P_IPV6 "Ethernet protocol: IPv6 (PHP 8.5)."
    ETH_P_LOOP "Ethernet protocol: loopback (PHP 8.5)."
    ETH_P_ALL "Ethernet protocol: every frame (PHP 8.5)."

    SKF_AD_OFF "Classic BPF: where the kernel's ancillary data begin."
    SKF_AD_PROTOCOL "Classic BPF ancillary: the Ethernet protocol."
    SKF_AD_PKTTYPE "Classic BPF ancillary: the packet type."
    SKF_AD_IFINDEX "Classic BPF ancillary: the interface index."
    SKF_AD_NLATTR "Classic BPF ancillary: find a netlink attribute."
    SKF_AD_NLATTR_NEST "Classic BPF ancillary: find a nested netlink attribute."
    SKF_AD_MARK "Classic BPF ancillary: the packet's mark."
    SKF_AD_QUEUE "Classic BPF ancillary: the receive queue."
    SKF_AD_HATYPE "Classic BPF ancillary: the device type."
    SKF_AD_RXHASH "Classic BPF ancillary: the receive hash."
    SKF_AD_CPU "Classic BPF ancillary: the processor that runs the filter."
    SKF_AD_ALU_XOR_X "Classic BPF ancillary: A xor X."
    SKF_AD_VLAN_TAG "Classic BPF ancillary: the VLAN tag."
    SKF_AD_VLAN_TAG_PRESENT "Classic BPF ancillary: whether there is a VLAN tag."
    SKF_AD_PAY_OFFSET "Classic BPF ancillary: where the payload begins."
    SKF_AD_RANDOM "Classic BPF ancillary: a random number."
    SKF_AD_VLAN_TPID "Classic BPF ancillary: the VLAN's protocol."
    SKF_AD_MAX "Classic BPF ancillary: the end of the list."
}

own! {
    MSG_EOF = crate::sys::ffi::MSG_EOF, "Flag: the sender has finished; Linux calls it `MSG_FIN`."
    SOL_UDPLITE = crate::sys::ffi::SOL_UDPLITE, "Level and protocol: UDP-Lite (PHP 8.3)."
    AI_IDN = crate::sys::ffi::AI_IDN, "Lookup flag: the host may be an internationalized name."
    AI_CANONIDN = crate::sys::ffi::AI_CANONIDN, "Lookup flag: give the canonical name internationalized."
    PHP_NORMAL_READ = 1, "Read mode: up to and including the first `\\n` or `\\r`."
    PHP_BINARY_READ = 2, "Read mode: the bytes that have arrived; PHP's default."
}
