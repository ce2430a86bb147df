//! Interfaces and groups of multicast: from number and name to what the kernel wants, and back.

use std::ffi::{OsStr, c_int};
use std::mem;
use std::os::unix::ffi::OsStrExt;

use libc::{ifreq, in_addr, sockaddr_storage};

use super::c_value::{GroupReq, GroupSourceReq, get_site, set_site};
use super::types::{Group, Interface, Source};
use super::value::OptionValue;
use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::ffi::IfConf;
use crate::sys::resolver::{self, Unresolved};

/// The value of `MCAST_JOIN_GROUP` and `MCAST_LEAVE_GROUP`.
pub(crate) fn group<const ALIAS: bool>(socket: &Socket, value: &OptionValue) -> Result<GroupReq> {
    // PHP does not mind a key too many.
    let (OptionValue::Group(Group { group, interface })
    | OptionValue::Source(Source { group, interface, .. })) = value
    else {
        return Err(no_group::<ALIAS>(
            value,
            const {
                &set_site(
                    ALIAS,
                    "Argument #4 ($value) must be of type array when argument #3 ($option) is MCAST_LEAVE_GROUP, \
                     {given} given",
                )
            },
        ));
    };
    let group = find::<ALIAS>(socket, group)?;
    Ok(GroupReq::new(index::<ALIAS>(interface)?, group))
}

/// The value of the other four options.
pub(crate) fn source<const ALIAS: bool>(socket: &Socket, value: &OptionValue) -> Result<GroupSourceReq> {
    let (group, source, interface) = match value {
        OptionValue::Source(Source { group, source, interface }) => (group, Some(source), interface),
        OptionValue::Group(Group { group, interface }) => (group, None, interface),
        _ => {
            return Err(no_group::<ALIAS>(
                value,
                const {
                    &set_site(
                        ALIAS,
                        "Argument #4 ($value) must be of type array when argument #3 ($option) is \
                         MCAST_LEAVE_SOURCE_GROUP, {given} given",
                    )
                },
            ));
        }
    };
    let group = find::<ALIAS>(socket, group)?;
    let source = source
        .ok_or_else(|| Error::bare_value(const { &set_site(ALIAS, "No key \"source\" passed in optval") }))?;
    let source = find::<ALIAS>(socket, source)?;
    Ok(GroupSourceReq::new(index::<ALIAS>(interface)?, group, source))
}

/// `no_array` is PHP's sentence about a number or a text, which names one option for several.
fn no_group<const ALIAS: bool>(value: &OptionValue, no_array: &'static Site) -> Error {
    match value {
        OptionValue::Int(_) | OptionValue::Text(_) => value.not(no_array),
        _ => Error::bare_value(const { &set_site(ALIAS, "No key \"group\" passed in optval") }),
    }
}

/// The address that a name stands for in the socket's own family, which must be an internet family.
fn find<const ALIAS: bool>(socket: &Socket, name: &OsStr) -> Result<sockaddr_storage> {
    if !matches!(socket.family(), libc::AF_INET | libc::AF_INET6) {
        return Err(Error::bare_value(const { &unexpected(ALIAS) }));
    }
    let address = resolver::address(socket.family(), name, 0).map_err(|reason| match reason {
        Unresolved::Unknown(code) => socket.remember(const { &set_site(ALIAS, "Host lookup failed") }, code),
        Unresolved::Nul => {
            Error::value(const { &set_site(ALIAS, "Argument #4 ($value) must not contain any null bytes") })
        }
        // Neither of these two can happen to an internet socket.
        Unresolved::Family | Unresolved::TooLong => Error::bare_value(const { &unexpected(ALIAS) }),
    })?;
    Ok(address.storage())
}

const fn unexpected(alias: bool) -> Site {
    set_site(alias, "IP address used in the context of an unexpected type of socket")
}

/// The interface's index. A number is taken as it is, a name is asked for.
fn index<const ALIAS: bool>(interface: &Interface) -> Result<u32> {
    match interface {
        Interface::Index(index) => numbered::<ALIAS>(*index),
        Interface::Name(name) => named::<ALIAS>(name),
    }
}

/// The interface of `IP_MULTICAST_IF` and `IPV6_MULTICAST_IF`: the value itself is its index or its name.
pub(crate) fn chosen<const ALIAS: bool>(value: &OptionValue) -> Result<u32> {
    match value {
        OptionValue::Int(number) => numbered::<ALIAS>((*number).into()),
        OptionValue::Text(name) => named::<ALIAS>(name),
        other => Err(other.not(
            const { &set_site(ALIAS, "Argument #4 ($value) must be of type string|int, {given} given") },
        )),
    }
}

fn numbered<const ALIAS: bool>(index: i64) -> Result<u32> {
    let site = const { &set_site(ALIAS, "Index must be between 0 and 4294967295") };
    u32::try_from(index).map_err(|_| Error::bare_value(site))
}

fn named<const ALIAS: bool>(name: &OsStr) -> Result<u32> {
    match resolver::if_nametoindex(name.as_bytes()) {
        0 => Err(Error::plain_warning(
            const { &set_site(ALIAS, "No interface with this name could be found") },
        )),
        index => Ok(index),
    }
}

/// A request about an interface, as `ioctl` takes it, zeros but for its number.
fn request(index: u32) -> ifreq {
    // SAFETY: an `ifreq` is integers, addresses and a pointer, for which zeros are valid.
    let mut request: ifreq = unsafe { mem::zeroed() };
    request.ifr_ifru.ifru_ifindex = c_int::from_ne_bytes(index.to_ne_bytes());
    request
}

/// The IPv4 address of an interface; index 0 is the unspecified one. Two system calls: `ioctl` for the interface's name,
/// and for the address.
pub(crate) fn address<const ALIAS: bool>(socket: &Socket, index: u32) -> Result<in_addr> {
    if index == 0 {
        return Ok(in_addr { s_addr: libc::INADDR_ANY });
    }
    let failed = |code| {
        let site =
            const { &set_site(ALIAS, "Failed obtaining address for interface {index}: error {second}") };
        Error::plain_warning(site).about(c_int::from_ne_bytes(index.to_ne_bytes())).and(short(code))
    };
    if !socket.is_socket() {
        return Err(failed(libc::ENOTSOCK));
    }
    let mut request = request(index);
    for question in [libc::SIOCGIFNAME, libc::SIOCGIFADDR] {
        // SAFETY: on a socket, which this is, both read and write the `ifreq` that they are given and no more; it outlives
        // the call.
        let status = unsafe { libc::ioctl(socket.fd(), question, &raw mut request) };

        if status == -1 {
            return Err(failed(errno::errno().0));
        }
    }
    let bytes = inet(&request).unwrap_or_default();
    Ok(in_addr { s_addr: u32::from_ne_bytes(bytes) })
}

/// The index of the interface that has this IPv4 address, 0 for the unspecified one. Several system calls: `ioctl` for
/// the list, until it does not grow, and for the index.
pub(crate) fn index_of<const ALIAS: bool>(socket: &Socket, address: [u8; 4]) -> Result<c_int> {
    if address == [0; 4] {
        return Ok(0);
    }
    let interfaces = interfaces::<ALIAS>(socket)?;
    let Some(mut request) = interfaces.into_iter().find(|request| inet(request) == Some(address)) else {
        let site = const { &get_site(ALIAS, "The interface with IP address {address} was not found") };
        return Err(Error::plain_warning(site).about(c_int::from_ne_bytes(address)));
    };

    // SAFETY: on a socket, which this is since it has an option, the call reads the name in the `ifreq` and writes the
    // index into it; it outlives the call.
    let status = unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFINDEX, &raw mut request) };

    if status == -1 {
        let site = const { &get_site(ALIAS, "Error converting interface name to index: error {second}") };
        return Err(Error::plain_warning(site).and(errno()));
    }
    // SAFETY: SIOCGIFINDEX has filled in this field; any four bytes are an int.
    Ok(unsafe { request.ifr_ifru.ifru_ifindex })
}

/// The interfaces that have an IPv4 address, with that address. Asks with more and more room until the answer is the
/// same twice: the kernel does not say when it leaves something out.
fn interfaces<const ALIAS: bool>(socket: &Socket) -> Result<Vec<ifreq>> {
    let mut list: Vec<ifreq> = Vec::new();
    let mut filled = 0;
    loop {
        list.resize(list.len() + 5, request(0));
        let mut conf = IfConf {
            ifc_len: c_int::try_from(mem::size_of_val(list.as_slice())).unwrap_or(0),
            ifc_req: list.as_mut_ptr(),
        };

        // SAFETY: on a socket, which this is since it has an option, the call writes at most `ifc_len` bytes, the length of
        // `list`, behind the pointer, which it does not keep; `conf` outlives the call.
        let status = unsafe { libc::ioctl(socket.fd(), libc::SIOCGIFCONF, &raw mut conf) };

        if status == -1 {
            let site = const { &get_site(ALIAS, "Failed obtaining interfaces list: error {second}") };
            return Err(Error::plain_warning(site).and(errno()));
        }
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

fn errno() -> u16 {
    short(errno::errno().0)
}

/// A code of Linux, none of which has more than 16 bits.
fn short(code: c_int) -> u16 {
    u16::try_from(code).unwrap_or(0)
}
