//! One row for each option whose value is more than an int.

#![allow(clippy::unnecessary_wraps, reason = "all functions of a column have one type")]

use std::ffi::{OsStr, c_int};
use std::mem::offset_of;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStrExt;

// Each name by itself: in a pattern a name that nothing imports binds whatever there is, and matches it.
use libc::{
    IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IPPROTO_IP, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP, IPV6_PKTINFO, MCAST_BLOCK_SOURCE, MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_UNBLOCK_SOURCE,
    SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF, SO_BINDTODEVICE, SO_GET_FILTER,
    SO_LINGER, SO_MEMINFO, SO_PEERCRED, SO_RCVTIMEO, SO_SNDTIMEO, SOL_PACKET, SOL_SOCKET, SOL_TCP, SOL_UDP,
    TCP_CONGESTION, UDP_SEGMENT, in_addr, in6_addr, in6_pktinfo, linger, socklen_t, timeval, ucred,
};

use super::c_value::{Answer, CValue};
use super::failure::{Called, GetFailure, Key, Mistyped, SetFailure};
use super::failure::{no, no_array, no_string, set_site};
use super::multicast::{from_group, from_ipv4_interface, from_ipv6_interface, from_source, to_index};
use super::types::{Credentials, Linger, Meminfo, Pktinfo, Timeval};
use super::value::{Given, OptionValue};
use crate::error::{Error, Site};
use crate::socket::Socket;
use crate::sys::ffi::{PACKET_FANOUT_DATA, SO_PEERPIDFD};
use crate::sys::sockaddr::until_nul;

/// How an option is read and set.
pub(super) struct Row {
    /// How it is read, or why it is not.
    pub(super) get: Result<Get, GetFailure>,
    /// Makes the value that `setsockopt` gets.
    pub(super) encode: for<'a> fn(&Socket, &'a OptionValue) -> Encoded<'a>,
    /// PHP's sentence about a value of another type.
    pub(super) mistyped: Mistyped,
}

/// How an option is read.
#[derive(Clone, Copy)]
pub(super) struct Get {
    /// The length that `getsockopt` is given.
    pub(super) len: socklen_t,
    /// Makes a value of Rust of its answer.
    pub(super) decode: Decode,
}

type Decode = fn(&Socket, &Answer) -> Result<OptionValue, GetFailure>;
type Encoded<'a> = Result<CValue<'a>, SetFailure>;

/// A constant row: a call only takes its address.
macro_rules! row {
    ($get:expr, $encode:expr, $mistyped:expr) => {
        const { &Row { get: $get, encode: $encode, mistyped: $mistyped } }
    };
}

/// Reads as many bytes as a `T` has.
const fn reads<T>(decode: Decode) -> Result<Get, GetFailure> {
    Ok(Get { len: Answer::len_of::<T>(), decode })
}

/// Most options are read as an int.
const INT: Result<Get, GetFailure> = reads::<c_int>(to_int_or_byte);
const TIMEVAL: Result<Get, GetFailure> = reads::<timeval>(to_timeval);

/// The row of an option: how it is read, how its value is encoded, and PHP's sentence about a value of another type.
#[allow(clippy::match_same_arms, reason = "options stand by level, then by C name")]
pub(super) fn row(level: c_int, option: c_int) -> &'static Row {
    match (level, option) {
        // The value is the descriptor of an eBPF program, which may belong to other code.
        (SOL_SOCKET, SO_ATTACH_BPF | SO_ATTACH_REUSEPORT_EBPF) => row!(INT, refused, no_int),
        (SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF) => row!(INT, from_word, no_int),
        (SOL_SOCKET, SO_BINDTODEVICE) => row!(INT, from_text, no_string!("SO_BINDTODEVICE")),
        // The length counts filters: 1 is 8 bytes, and not one.
        (SOL_SOCKET, SO_GET_FILTER) => row!(reads::<c_int>(to_int), from_int, no_int),
        (SOL_SOCKET, SO_LINGER) => row!(reads::<linger>(to_linger), from_linger, no_array!("SO_LINGER")),
        (SOL_SOCKET, SO_MEMINFO) => row!(reads::<[u32; 9]>(to_meminfo), from_int, no_int),
        (SOL_SOCKET, SO_PEERCRED) => row!(reads::<ucred>(to_credentials), from_int, no_int),
        (SOL_SOCKET, SO_PEERPIDFD) => row!(Err(GetFailure::OpensDescriptor), from_int, no_int),
        (SOL_SOCKET, SO_RCVTIMEO) => row!(TIMEVAL, from_timeval, no_array!("SO_RCVTIMEO")),
        (SOL_SOCKET, SO_SNDTIMEO) => row!(TIMEVAL, from_timeval, no_array!("SO_SNDTIMEO")),

        (SOL_TCP, TCP_CONGESTION) => {
            row!(reads::<[u8; 16]>(to_text), from_text, no_string!("TCP_CONGESTION"))
        }
        (SOL_UDP, UDP_SEGMENT) => row!(INT, from_segment, no_int),
        (SOL_PACKET, PACKET_FANOUT_DATA) => row!(INT, refused, no_int),

        (IPPROTO_IP, IP_MULTICAST_IF) => row!(reads::<in_addr>(to_index), from_ipv4_interface, no_interface),
        (IPPROTO_IP, IP_MULTICAST_LOOP) => row!(INT, from_switch_to_byte, no_int),
        (IPPROTO_IP, IP_MULTICAST_TTL) => row!(INT, from_ttl, no_int),
        // IPT_SO_SET_REPLACE and IPT_SO_SET_ADD_COUNTERS, and the same of arptables and of ebtables: the value begins a
        // table with addresses in it, and old kernels read past the end of a short one.
        (IPPROTO_IP, 64 | 65 | 96 | 97 | 128 | 129) => row!(INT, refused, no_int),

        (IPPROTO_IPV6, IPV6_MULTICAST_HOPS) => row!(INT, from_hops, no_int),
        (IPPROTO_IPV6, IPV6_MULTICAST_IF) => row!(INT, from_ipv6_interface, no_interface),
        (IPPROTO_IPV6, IPV6_MULTICAST_LOOP) => row!(INT, from_switch, no_int),
        (IPPROTO_IPV6, IPV6_PKTINFO) => row!(reads::<in6_pktinfo>(to_pktinfo), from_pktinfo, no_pktinfo),
        // IP6T_SO_SET_REPLACE and IP6T_SO_SET_ADD_COUNTERS.
        (IPPROTO_IPV6, 64 | 65) => row!(INT, refused, no_int),

        // PHP's sentences name the last option of several.
        (IPPROTO_IP | IPPROTO_IPV6, MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP) => {
            row!(INT, from_group, no_array!("MCAST_LEAVE_GROUP"))
        }
        (
            IPPROTO_IP | IPPROTO_IPV6,
            MCAST_BLOCK_SOURCE | MCAST_UNBLOCK_SOURCE | MCAST_JOIN_SOURCE_GROUP | MCAST_LEAVE_SOURCE_GROUP,
        ) => row!(INT, from_source, no_array!("MCAST_LEAVE_SOURCE_GROUP")),

        _ => row!(INT, from_int, no_int),
    }
}

fn no_int(called: Called, given: Given) -> Error {
    Error::value(match given {
        Given::String => set_site!(called, "Argument #4 ($value) must be of type int, string given"),
        _ => set_site!(called, "Argument #4 ($value) must be of type int, array given"),
    })
}

fn no_interface(called: Called, _array: Given) -> Error {
    Error::value(set_site!(called, "Argument #4 ($value) must be of type string|int, array given"))
}

fn no_pktinfo(called: Called, _given: Given) -> Error {
    Error::plain_warning(set_site!(
        called,
        "error converting user data (path: in6_pktinfo): expected an array here"
    ))
}

/// A number that the kernel takes as an `int`: as in PHP, its low 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "the low 32 bits are meant")]
fn int(value: &OptionValue) -> Result<c_int, SetFailure> {
    number(value).map(|number| number as c_int)
}

fn number(value: &OptionValue) -> Result<i64, SetFailure> {
    value.number().ok_or_else(|| SetFailure::Mistyped(value.given()))
}

/// PHP takes any number but 0 for true, and any text but `""` and `"0"`.
fn switch(value: &OptionValue) -> Result<bool, SetFailure> {
    match value {
        OptionValue::Text(text) => Ok(!text.is_empty() && text != "0"),
        other => Ok(int(other)? != 0),
    }
}

fn from_int<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    Ok(CValue::Int(int(value)?))
}

fn refused<'a>(_: &Socket, _: &'a OptionValue) -> Encoded<'a> {
    Err(SetFailure::ReachesFurther)
}

fn from_text<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    match value {
        OptionValue::Text(text) => Ok(CValue::Text(text)),
        other => Err(SetFailure::Mistyped(other.given())),
    }
}

fn from_switch<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    Ok(CValue::Int(switch(value)?.into()))
}

fn from_switch_to_byte<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    Ok(CValue::Byte(switch(value)?.into()))
}

fn from_ttl<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    u8::try_from(number(value)?).map(CValue::Byte).map_err(|_| SetFailure::NoByte)
}

fn from_hops<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    let hops = c_int::try_from(number(value)?).ok().filter(|hops| (-1..=255).contains(hops));
    hops.map(CValue::Int).ok_or(SetFailure::NoHops)
}

fn from_segment<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    let len = int(value)?;
    u16::try_from(len).map(|_| CValue::Int(len)).map_err(|_| SetFailure::NoSegment)
}

/// Attaches PHP's filter. 0 detaches, which is an option of its own.
fn from_word<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    match int(value)? {
        0 => Ok(CValue::Detach(1)),
        word => CValue::filter(word).ok_or(SetFailure::NoFilter),
    }
}

fn from_linger<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    let OptionValue::Linger(Linger { l_onoff, l_linger }) = *value else {
        return Err(SetFailure::no_struct(value, Key::Onoff));
    };
    Ok(CValue::Linger(linger { l_onoff: l_onoff.into(), l_linger: l_linger.into() }))
}

fn to_linger(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    let field = |offset| u16::try_from(answer.int(offset)).unwrap_or(u16::MAX);
    Ok(Linger::new(field(offset_of!(linger, l_onoff)), field(offset_of!(linger, l_linger))).into())
}

fn from_timeval<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    let OptionValue::Timeval(Timeval { sec, usec }) = *value else {
        return Err(SetFailure::no_struct(value, Key::Sec));
    };
    Ok(CValue::Timeval(timeval { tv_sec: sec, tv_usec: usec }))
}

fn to_timeval(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    let field = |offset| i64::from_ne_bytes(answer.at(offset));
    Ok(Timeval::new(field(offset_of!(timeval, tv_sec)), field(offset_of!(timeval, tv_usec))).into())
}

fn from_pktinfo<'a>(_: &Socket, value: &'a OptionValue) -> Encoded<'a> {
    let OptionValue::Pktinfo(Pktinfo { addr, ifindex }) = *value else {
        return Err(SetFailure::no_struct(value, Key::Addr));
    };
    Ok(CValue::Pktinfo(in6_pktinfo { ipi6_addr: in6_addr { s6_addr: addr.octets() }, ipi6_ifindex: ifindex }))
}

fn to_pktinfo(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    let addr = Ipv6Addr::from(answer.at::<16>(offset_of!(in6_pktinfo, ipi6_addr)));
    Ok(Pktinfo::new(addr, answer.uint(offset_of!(in6_pktinfo, ipi6_ifindex))).into())
}

fn to_meminfo(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    if answer.len != Answer::len_of::<[u32; 9]>() {
        return Err(GetFailure::ShortMeminfo);
    }
    Ok(Meminfo::from(std::array::from_fn(|word| answer.uint(4 * word))).into())
}

fn to_credentials(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    let pid = answer.int(offset_of!(ucred, pid));
    let [uid, gid] = [offset_of!(ucred, uid), offset_of!(ucred, gid)].map(|offset| answer.uint(offset));
    Ok(Credentials::new(pid, uid, gid).into())
}

fn to_text(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    Ok(OsStr::from_bytes(until_nul(&answer.at::<16>(0))).into())
}

fn to_int(_: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    Ok(answer.int(0).into())
}

/// Some options of IP are one byte.
fn to_int_or_byte(socket: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    if answer.len == 1 { Ok(c_int::from(answer.at::<1>(0)[0]).into()) } else { to_int(socket, answer) }
}
