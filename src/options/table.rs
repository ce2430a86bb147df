//! A value of Rust as `setsockopt` takes it, by level and option.

use std::ffi::c_int;
use std::ops::RangeInclusive;

use libc::{in6_addr, in6_pktinfo};

use super::c_value::{OptVal, set_site};
use super::multicast;
use super::types::Pktinfo;
use super::types::{Linger, Timeval};
use super::value::OptionValue;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi;

/// What the kernel gets: the option, which is another one for detaching a filter, and the value.
pub(super) fn value<const ALIAS: bool>(
    socket: &Socket,
    level: c_int,
    option: c_int,
    value: OptionValue,
) -> Result<(c_int, OptVal)> {
    let value = match (level, option) {
        (libc::SOL_SOCKET, libc::SO_LINGER) => linger::<ALIAS>(&value)?,
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO | libc::SO_SNDTIMEO) => timeval::<ALIAS>(option, &value)?,
        (libc::SOL_SOCKET, libc::SO_BINDTODEVICE) => device::<ALIAS>(value)?,
        (libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF) => return filter::<ALIAS>(&value),
        (libc::SOL_TCP, libc::TCP_CONGESTION) => congestion::<ALIAS>(value)?,
        (libc::SOL_UDP, libc::UDP_SEGMENT) => {
            // "of" stands in PHP's text.
            let site = const { &set_site(ALIAS, "Argument #4 ($value) must be of between 0 and 65535") };
            OptVal::Int(between(0..=65535, int::<ALIAS>(&value)?, site)?)
        }
        (libc::IPPROTO_IP, libc::IP_MULTICAST_IF) => {
            let index = multicast::chosen::<ALIAS>(&value)?;
            OptVal::Address(multicast::address::<ALIAS>(socket, index)?)
        }
        (libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP) => OptVal::Byte(switch::<ALIAS>(&value)?.into()),
        (libc::IPPROTO_IP, libc::IP_MULTICAST_TTL) => {
            let site = const { &set_site(ALIAS, "Argument #4 ($value) must be between 0 and 255") };
            OptVal::Byte(u8::try_from(number::<ALIAS>(&value)?).map_err(|_| Error::value(site))?)
        }
        (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF) => {
            OptVal::Unsigned(multicast::chosen::<ALIAS>(&value)?)
        }
        (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP) => OptVal::Int(switch::<ALIAS>(&value)?.into()),
        (libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS) => {
            let site = const { &set_site(ALIAS, "Argument #4 ($value) must be between -1 and 255") };
            let hops = c_int::try_from(number::<ALIAS>(&value)?).map_err(|_| Error::value(site))?;
            OptVal::Int(between(-1..=255, hops, site)?)
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => pktinfo::<ALIAS>(&value)?,
        (libc::IPPROTO_IP | libc::IPPROTO_IPV6, libc::MCAST_JOIN_GROUP | libc::MCAST_LEAVE_GROUP) => {
            OptVal::Group(multicast::group::<ALIAS>(socket, &value)?)
        }
        (
            libc::IPPROTO_IP | libc::IPPROTO_IPV6,
            libc::MCAST_BLOCK_SOURCE
            | libc::MCAST_UNBLOCK_SOURCE
            | libc::MCAST_JOIN_SOURCE_GROUP
            | libc::MCAST_LEAVE_SOURCE_GROUP,
        ) => OptVal::Source(multicast::source::<ALIAS>(socket, &value)?),
        _ => OptVal::Int(int::<ALIAS>(&value)?),
    };
    Ok((option, value))
}

/// A number, or a text that is one. PHP takes any other text for the number that it begins with, mostly 0.
fn number<const ALIAS: bool>(value: &OptionValue) -> Result<i64> {
    let found = match value {
        OptionValue::Int(number) => Some(i64::from(*number)),
        OptionValue::Text(text) => text.to_str().and_then(numeric),
        _ => None,
    };
    found.ok_or_else(|| {
        value.not(const { &set_site(ALIAS, "Argument #4 ($value) must be of type int, {given} given") })
    })
}

/// A number that the kernel takes as an `int`: as in PHP, its low 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "the low 32 bits are meant")]
fn int<const ALIAS: bool>(value: &OptionValue) -> Result<c_int> {
    number::<ALIAS>(value).map(|number| number as c_int)
}

/// The number that PHP makes of a numeric text: white space around it is skipped, a fraction cut off, one that is too
/// large becomes the largest, and one that is infinite 0.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the conversion stops at the largest and the smallest number"
)]
fn numeric(text: &str) -> Option<i64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0B', '\x0C']);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number = text.parse().or_else(|_| {
        text.parse::<f64>().map(|number| match number {
            infinite if infinite.is_infinite() => 0,
            number => number as i64,
        })
    });
    number.ok().filter(|_| digits)
}

fn between(range: RangeInclusive<c_int>, number: c_int, site: &'static Site) -> Result<c_int> {
    if range.contains(&number) { Ok(number) } else { Err(Error::value(site)) }
}

/// What PHP holds for true: any number but 0, any text but `""` and `"0"`.
fn switch<const ALIAS: bool>(value: &OptionValue) -> Result<bool> {
    match value {
        OptionValue::Text(text) => Ok(!text.is_empty() && text != "0"),
        other => Ok(int::<ALIAS>(other)? != 0),
    }
}

fn linger<const ALIAS: bool>(value: &OptionValue) -> Result<OptVal> {
    let OptionValue::Linger(Linger { l_onoff, l_linger }) = *value else {
        return Err(match value {
            OptionValue::Int(_) | OptionValue::Text(_) => value.not(const { &set_site(
                ALIAS,
                "Argument #4 ($value) must be of type array when argument #3 ($option) is SO_LINGER, {given} given",
            ) }),
            _ => Error::value(const { &set_site(ALIAS, "Argument #4 ($value) must have key \"l_onoff\"") }),
        });
    };
    Ok(OptVal::Linger(libc::linger { l_onoff: l_onoff.into(), l_linger: l_linger.into() }))
}

fn timeval<const ALIAS: bool>(option: c_int, value: &OptionValue) -> Result<OptVal> {
    let OptionValue::Timeval(Timeval { sec, usec }) = *value else {
        return Err(match value {
            OptionValue::Int(_) | OptionValue::Text(_) if option == libc::SO_RCVTIMEO => value.not(const { &set_site(
                ALIAS,
                "Argument #4 ($value) must be of type array when argument #3 ($option) is SO_RCVTIMEO, {given} given",
            ) }),
            OptionValue::Int(_) | OptionValue::Text(_) => value.not(const { &set_site(
                ALIAS,
                "Argument #4 ($value) must be of type array when argument #3 ($option) is SO_SNDTIMEO, {given} given",
            ) }),
            _ => Error::value(const { &set_site(ALIAS, "Argument #4 ($value) must have key \"sec\"") }),
        });
    };
    Ok(OptVal::Timeval(libc::timeval { tv_sec: sec, tv_usec: usec }))
}

fn device<const ALIAS: bool>(value: OptionValue) -> Result<OptVal> {
    match value {
        OptionValue::Text(name) => Ok(OptVal::Text(name)),
        other => Err(other.not(const { &set_site(
            ALIAS,
            "Argument #4 ($value) must be of type string when argument #3 ($option) is SO_BINDTODEVICE, {given} given",
        ) })),
    }
}

fn congestion<const ALIAS: bool>(value: OptionValue) -> Result<OptVal> {
    match value {
        OptionValue::Text(name) => Ok(OptVal::Text(name)),
        other => Err(other.not(const { &set_site(
            ALIAS,
            "Argument #4 ($value) must be of type string when argument #3 ($option) is TCP_CONGESTION, {given} given",
        ) })),
    }
}

/// Attaches PHP's filter. 0 detaches, which is an option of its own.
fn filter<const ALIAS: bool>(value: &OptionValue) -> Result<(c_int, OptVal)> {
    match int::<ALIAS>(value)? {
        0 => Ok((ffi::SO_DETACH_REUSEPORT_BPF, OptVal::Int(1))),
        word => match OptVal::filter(word) {
            Some(filter) => Ok((libc::SO_ATTACH_REUSEPORT_CBPF, filter)),
            None => Err(Error::plain_warning(const { &set_site(ALIAS, "Unsupported CBPF filter") })),
        },
    }
}

fn pktinfo<const ALIAS: bool>(value: &OptionValue) -> Result<OptVal> {
    match value {
        OptionValue::Pktinfo(Pktinfo { addr, ifindex }) => Ok(OptVal::Pktinfo(in6_pktinfo {
            ipi6_addr: in6_addr { s6_addr: addr.octets() },
            ipi6_ifindex: *ifindex,
        })),
        OptionValue::Int(_) | OptionValue::Text(_) => Err(Error::plain_warning(
            const { &set_site(ALIAS, "error converting user data (path: in6_pktinfo): expected an array here") },
        )),
        _ => Err(Error::plain_warning(
            const {
                &set_site(ALIAS, "error converting user data (path: in6_pktinfo): The key 'addr' is required")
            },
        )),
    }
}
