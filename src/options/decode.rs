//! What `getsockopt` wrote, as a value of Rust.

use std::ffi::{OsStr, c_int};
use std::mem::offset_of;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStrExt;

use libc::{in6_pktinfo, linger, socklen_t, timeval, ucred};

use super::c_value::{Room, get_site};
use super::multicast;
use super::types::{Credentials, Pktinfo};
use super::types::{Linger, Meminfo, Timeval};
use super::value::OptionValue;
use crate::error::{Error, Result};
use crate::socket::Socket;
use crate::sys::sockaddr::until_nul;

/// The value of this option, of which the kernel wrote `len` bytes into `room`.
pub(super) fn value<const ALIAS: bool>(
    socket: &Socket,
    level: c_int,
    option: c_int,
    room: &Room,
    len: socklen_t,
) -> Result<OptionValue> {
    Ok(match (level, option) {
        (libc::SOL_SOCKET, libc::SO_LINGER) => {
            let field = |offset| u16::try_from(room.int(offset)).unwrap_or(u16::MAX);
            Linger::new(field(offset_of!(linger, l_onoff)), field(offset_of!(linger, l_linger))).into()
        }
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO) => {
            let field = |offset| i64::from_ne_bytes(room.at(offset));
            Timeval::new(field(offset_of!(timeval, tv_sec)), field(offset_of!(timeval, tv_usec))).into()
        }
        (libc::SOL_SOCKET, libc::SO_MEMINFO) => {
            if len != Room::len::<[u32; 9]>() {
                let site = const { &get_site(ALIAS, "Unable to retrieve all socket meminfo data") };
                return Err(Error::plain_warning(site));
            }
            Meminfo::from(std::array::from_fn(|word| room.uint(4 * word))).into()
        }
        (libc::SOL_SOCKET, libc::SO_PEERCRED) => Credentials::new(
            room.int(offset_of!(ucred, pid)),
            room.uint(offset_of!(ucred, uid)),
            room.uint(offset_of!(ucred, gid)),
        )
        .into(),
        (libc::SOL_TCP, libc::TCP_CONGESTION) => OsStr::from_bytes(until_nul(&room.at::<16>(0))).into(),
        (libc::IPPROTO_IP, libc::IP_MULTICAST_IF) => multicast::index_of::<ALIAS>(socket, room.at(0))?.into(),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => Pktinfo::new(
            Ipv6Addr::from(room.at::<16>(offset_of!(in6_pktinfo, ipi6_addr))),
            room.uint(offset_of!(in6_pktinfo, ipi6_ifindex)),
        )
        .into(),
        // Some options of IP are one byte.
        _ if len == 1 => c_int::from(room.at::<1>(0)[0]).into(),
        _ => room.int(0).into(),
    })
}
