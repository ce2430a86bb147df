//! Encodes and decodes the options of multicast: groups, senders and interfaces.

use std::ffi::{OsStr, c_int};
use std::mem;
use std::os::unix::ffi::OsStrExt;

use libc::{ifreq, in_addr, sockaddr_storage};

use super::c_value::{Answer, CValue, GroupReq, GroupSourceReq};
use super::failure::{GetFailure, Key, SetFailure};
use super::types::{Group, Interface, Source};
use super::value::OptionValue;
use crate::socket::Socket;
use crate::sys::ffi::{Failed, IfConf, ret};
use crate::sys::resolver::{self, Unresolved};

/// The value of `MCAST_JOIN_GROUP` and `MCAST_LEAVE_GROUP`.
pub(super) fn from_group<'a>(socket: &Socket, value: &'a OptionValue) -> Result<CValue<'a>, SetFailure> {
    // PHP ignores a key too many.
    let (OptionValue::Group(Group { group, interface })
    | OptionValue::Source(Source { group, interface, .. })) = value
    else {
        return Err(SetFailure::no_struct(value, Key::Group));
    };
    let group = find(socket, group)?;
    Ok(CValue::Group(GroupReq::new(index(interface)?, group)))
}

/// The value of the other four options.
pub(super) fn from_source<'a>(socket: &Socket, value: &'a OptionValue) -> Result<CValue<'a>, SetFailure> {
    let (group, source, interface) = match value {
        OptionValue::Source(Source { group, source, interface }) => (group, Some(source), interface),
        OptionValue::Group(Group { group, interface }) => (group, None, interface),
        _ => return Err(SetFailure::no_struct(value, Key::Group)),
    };
    let group = find(socket, group)?;
    let source = find(socket, source.ok_or(SetFailure::NoKey(Key::Source))?)?;
    Ok(CValue::Source(GroupSourceReq::new(index(interface)?, group, source)))
}

/// The address that a name stands for in the socket's own family, which must be an internet family.
fn find(socket: &Socket, name: &OsStr) -> Result<sockaddr_storage, SetFailure> {
    let address = match socket.family() {
        family @ (libc::AF_INET | libc::AF_INET6) => resolver::address(family, name, 0),
        _ => Err(Unresolved::Family),
    };
    address.map(|address| address.storage()).map_err(SetFailure::NoHost)
}

/// The value of `IP_MULTICAST_IF`: the kernel takes the IPv4 address of the interface.
pub(super) fn from_ipv4_interface<'a>(
    socket: &Socket,
    value: &'a OptionValue,
) -> Result<CValue<'a>, SetFailure> {
    Ok(CValue::Address(address(socket, chosen(value)?)?))
}

/// The value of `IPV6_MULTICAST_IF`: the kernel takes the index of the interface.
pub(super) fn from_ipv6_interface<'a>(_: &Socket, value: &'a OptionValue) -> Result<CValue<'a>, SetFailure> {
    Ok(CValue::Unsigned(chosen(value)?))
}

/// The index of the interface that the value itself is, by index or name.
fn chosen(value: &OptionValue) -> Result<u32, SetFailure> {
    match value {
        OptionValue::Int(number) => numbered((*number).into()),
        OptionValue::Text(name) => named(name),
        other => Err(SetFailure::Mistyped(other.given())),
    }
}

/// The index of an interface. A name takes three system calls: `socket`, `ioctl`, `close`.
fn index(interface: &Interface) -> Result<u32, SetFailure> {
    match interface {
        Interface::Index(index) => numbered(*index),
        Interface::Name(name) => named(name),
    }
}

fn numbered(index: i64) -> Result<u32, SetFailure> {
    u32::try_from(index).map_err(|_| SetFailure::NoIndex)
}

fn named(name: &OsStr) -> Result<u32, SetFailure> {
    match resolver::if_nametoindex(name.as_bytes()) {
        0 => Err(SetFailure::NoInterface),
        index => Ok(index),
    }
}

/// A request about an interface for `ioctl`, zero but for the index.
fn request(index: u32) -> ifreq {
    // SAFETY: an `ifreq` is integers, addresses and a pointer, for which zeros are valid.
    let mut request: ifreq = unsafe { mem::zeroed() };
    request.ifr_ifru.ifru_ifindex = c_int::from_ne_bytes(index.to_ne_bytes());
    request
}

/// The IPv4 address of an interface; index 0 is the unspecified one. Two system calls: `ioctl` for the interface's name,
/// and for the address.
fn address(socket: &Socket, index: u32) -> Result<in_addr, SetFailure> {
    if index == 0 {
        return Ok(in_addr { s_addr: libc::INADDR_ANY });
    }
    let failed = |code| SetFailure::NoAddress { index, code };
    if !socket.is_socket() {
        return Err(failed(libc::ENOTSOCK));
    }
    let mut request = request(index);
    for question in [libc::SIOCGIFNAME, libc::SIOCGIFADDR] {
        // SAFETY: on a socket, which this is, both read and write the `ifreq` that they are given and no more; it outlives
        // the call.
        let status = unsafe { libc::ioctl(socket.fd(), question, &raw mut request) };

        ret(status).map_err(|reason| failed(reason.errno()))?;
    }
    let bytes = inet(&request).unwrap_or_default();
    Ok(in_addr { s_addr: u32::from_ne_bytes(bytes) })
}

/// The index of the interface that has the IPv4 address in the answer, 0 for the unspecified one. Several system calls:
/// `ioctl` for the list, until it does not grow, and for the index.
pub(super) fn to_index(socket: &Socket, answer: &Answer) -> Result<OptionValue, GetFailure> {
    let address = answer.at(0);
    if address == [0; 4] {
        return Ok(0.into());
    }
    let interfaces = interfaces(socket).map_err(GetFailure::NoList)?;
    let Some(mut request) = interfaces.into_iter().find(|request| inet(request) == Some(address)) else {
        return Err(GetFailure::NoInterface(address));
    };

    // SAFETY: on a socket, which this is since it has an option, the call reads the name in the `ifreq` and writes the
    // index into it; it outlives the call.
    let status = unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFINDEX, &raw mut request) };

    ret(status).map_err(|reason| GetFailure::NoIndex(reason.errno()))?;
    // SAFETY: SIOCGIFINDEX has filled in this field; any four bytes are an int.
    Ok(unsafe { request.ifr_ifru.ifru_ifindex }.into())
}

/// The interfaces that have an IPv4 address, with that address. The list grows until two answers are equal, because
/// the kernel does not say that it has left an interface out.
fn interfaces(socket: &Socket) -> Result<Vec<ifreq>, c_int> {
    let mut list: Vec<ifreq> = Vec::new();
    let mut filled = 0;
    loop {
        list.resize(list.len() + 5, request(0));
        let mut conf = IfConf {
            ifc_len: c_int::try_from(mem::size_of_val(list.as_slice())).unwrap_or(0),
            ifc_req: list.as_mut_ptr(),
        };

        // SAFETY: on a socket, which this is since it has an option, the call writes at most `ifc_len` bytes, the length of
        // `list`, behind the pointer, which it does not retain; `conf` outlives the call.
        let status = unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFCONF, &raw mut conf) };

        // Before the list is freed, which may change `errno`.
        ret(status).map_err(Failed::errno)?;
        let count = usize::try_from(conf.ifc_len).unwrap_or(0) / mem::size_of::<ifreq>();
        if count == filled {
            list.truncate(count);
            return Ok(list);
        }
        filled = count;
    }
}

/// The IPv4 address in a request, if it is one.
fn inet(request: &ifreq) -> Option<[u8; 4]> {
    // SAFETY: the field is bytes that the kernel wrote or that were zeros before; any bytes are a `sockaddr`.
    let address = unsafe { request.ifr_ifru.ifru_addr };
    let [_port0, _port1, a, b, c, d, ..] = address.sa_data.map(|byte| byte.to_ne_bytes()[0]);
    (c_int::from(address.sa_family) == libc::AF_INET).then_some([a, b, c, d])
}
