//! Control messages as the kernel has them: built and parsed. The parser trusts no byte.

use std::ffi::c_int;
use std::mem::{offset_of, size_of};
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use libc::{
    IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, IPV6_TCLASS, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET, cmsghdr,
    in6_pktinfo, ucred,
};

use crate::options::{Credentials, Pktinfo};

/// A control message to send, beside the bytes: an element of PHP's `control` array.
///
/// ```
/// use std::os::fd::AsFd;
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// let stdout = std::io::stdout();
/// let descriptors = [socket.as_fd(), stdout.as_fd()];
/// let control = [ControlMessage::Rights(&descriptors)];
/// let message = Message::new().control(&control);
/// # let _ = message;
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_sendmsg) ·
/// [cmsg(3)](https://man7.org/linux/man-pages/man3/cmsg.3.html)
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ControlMessage<'a> {
    /// `SOL_SOCKET`, `SCM_RIGHTS`: open descriptors, at least one and no more than 253. The receiver gets descriptors
    /// of its own.
    Rights(&'a [BorrowedFd<'a>]),
    /// `SOL_SOCKET`, `SCM_CREDENTIALS`: the sender's process, user and group. The kernel checks them.
    Credentials(Credentials),
    /// `IPPROTO_IPV6`, `IPV6_PKTINFO`: the address and the interface to send from.
    Pktinfo(Pktinfo),
    /// `IPPROTO_IPV6`, `IPV6_HOPLIMIT`: the hop limit of this datagram.
    HopLimit(c_int),
    /// `IPPROTO_IPV6`, `IPV6_TCLASS`: the traffic class of this datagram.
    Tclass(c_int),
}

/// A control message that arrived, beside the bytes: an element of PHP's `control` array.
///
/// [`Received::control`](crate::Received::control) gives them.
///
/// ```
/// use std::os::fd::AsFd;
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let descriptors = [here.as_fd()];
/// let control = [ControlMessage::Rights(&descriptors)];
/// let iov = IoVec::from(["x"]);
/// socket_sendmsg(&here, &Message::new().iov(&iov).control(&control), 0)?;
///
/// let mut message = Received::new(socket_iovec_alloc(&[10])?, 64)?;
/// socket_recvmsg(&there, &mut message, 0)?;
/// let one_descriptor = |one| matches!(one, ReceivedControl::Rights([_]));
/// assert!(message.control().all(one_descriptor));
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_recvmsg) ·
/// [cmsg(3)](https://man7.org/linux/man-pages/man3/cmsg.3.html)
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ReceivedControl<'a> {
    /// `SOL_SOCKET`, `SCM_RIGHTS`: descriptors, closed on exec; [`Received`](crate::Received) owns them until
    /// [`Received::take_rights`](crate::Received::take_rights).
    Rights(&'a [OwnedFd]),
    /// `SOL_SOCKET`, `SCM_CREDENTIALS`: the sender's process, user and group; the receiver had set `SO_PASSCRED`.
    Credentials(Credentials),
    /// `IPPROTO_IPV6`, `IPV6_PKTINFO`: the address and the interface that the datagram arrived at; the receiver had
    /// set `IPV6_RECVPKTINFO`.
    Pktinfo(Pktinfo),
    /// `IPPROTO_IPV6`, `IPV6_HOPLIMIT`: the hops that were left; the receiver had set `IPV6_RECVHOPLIMIT`.
    HopLimit(c_int),
    /// `IPPROTO_IPV6`, `IPV6_TCLASS`: the traffic class; the receiver had set `IPV6_RECVTCLASS`.
    Tclass(c_int),
    /// Any other message, or one that was cut short, as the kernel wrote it. A descriptor whose number is in it
    /// (`SCM_PIDFD`) belongs to the [`Received`](crate::Received) too: duplicate it to use it longer.
    Raw {
        /// `SOL_SOCKET` and so on.
        level: c_int,
        /// The number of the message within its level.
        r#type: c_int,
        /// The bytes after the header.
        data: &'a [u8],
    },
}

/// The control message of `SO_PASSPIDFD`, which the libc crate lacks.
const SCM_PIDFD: c_int = 4;

/// The kernel refuses so many descriptors, and more.
const RIGHTS_REFUSED: usize = 254;

/// The size of a header with its padding: C's `CMSG_LEN(0)`.
const HEADER: usize = align(size_of::<cmsghdr>());

/// The next multiple of the size of a `size_t`: headers and data are padded to it.
const fn align(len: usize) -> usize {
    len.next_multiple_of(size_of::<usize>())
}

/// The size of a message with `len` bytes of data: C's `CMSG_SPACE`.
pub(crate) const fn space(len: usize) -> usize {
    HEADER + align(len)
}

/// The bytes of data that a message of this level and type has, for `num` elements; `None` for one that PHP does not
/// know. `num` matters to `SCM_RIGHTS` only.
pub(crate) fn data_len(level: c_int, kind: c_int, num: usize) -> Option<usize> {
    match (level, kind) {
        (SOL_SOCKET, SCM_RIGHTS) => num.checked_mul(size_of::<RawFd>()),
        (SOL_SOCKET, SCM_CREDENTIALS) => Some(size_of::<ucred>()),
        (IPPROTO_IPV6, IPV6_PKTINFO) => Some(size_of::<in6_pktinfo>()),
        (IPPROTO_IPV6, IPV6_HOPLIMIT | IPV6_TCLASS) => Some(size_of::<c_int>()),
        _ => None,
    }
}

/// Control messages to send, aligned as headers must be. Bytes that are not written are zeros.
#[repr(C, align(8))]
pub(crate) struct Outgoing {
    bytes: [u8; Outgoing::CAPACITY],
    len: usize,
}

impl Outgoing {
    /// Enough for a message of every kind, with as many descriptors as the kernel allows.
    pub(crate) const CAPACITY: usize = 4096;

    pub(crate) const fn new() -> Outgoing {
        Outgoing { bytes: [0; Outgoing::CAPACITY], len: 0 }
    }

    /// The messages that have been added.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Adds a message; `None` if it does not fit.
    pub(crate) fn push(&mut self, message: &ControlMessage<'_>) -> Option<()> {
        match *message {
            ControlMessage::Rights(descriptors) => {
                // One too many is enough for the kernel to say EINVAL.
                let descriptors = descriptors.get(..RIGHTS_REFUSED).unwrap_or(descriptors);
                let data = self.begin(SOL_SOCKET, SCM_RIGHTS, descriptors.len())?;
                for (to, fd) in data.chunks_exact_mut(size_of::<RawFd>()).zip(descriptors) {
                    to.copy_from_slice(&fd.as_raw_fd().to_ne_bytes());
                }
            }
            ControlMessage::Credentials(Credentials { pid, uid, gid }) => {
                let data = self.begin(SOL_SOCKET, SCM_CREDENTIALS, 0)?;
                put(data, offset_of!(ucred, pid), &pid.to_ne_bytes())?;
                put(data, offset_of!(ucred, uid), &uid.to_ne_bytes())?;
                put(data, offset_of!(ucred, gid), &gid.to_ne_bytes())?;
            }
            ControlMessage::Pktinfo(Pktinfo { addr, ifindex }) => {
                let data = self.begin(IPPROTO_IPV6, IPV6_PKTINFO, 0)?;
                put(data, offset_of!(in6_pktinfo, ipi6_addr), &addr.octets())?;
                put(data, offset_of!(in6_pktinfo, ipi6_ifindex), &ifindex.to_ne_bytes())?;
            }
            ControlMessage::HopLimit(hops) => {
                put(self.begin(IPPROTO_IPV6, IPV6_HOPLIMIT, 0)?, 0, &hops.to_ne_bytes())?;
            }
            ControlMessage::Tclass(class) => {
                put(self.begin(IPPROTO_IPV6, IPV6_TCLASS, 0)?, 0, &class.to_ne_bytes())?;
            }
        }
        Some(())
    }

    /// Writes a header, and returns the memory for the data after it.
    fn begin(&mut self, level: c_int, kind: c_int, num: usize) -> Option<&mut [u8]> {
        let len = data_len(level, kind, num).filter(|len| *len <= Outgoing::CAPACITY)?;
        let end = self.len + space(len);
        let place = self.bytes.get_mut(self.len..end)?;
        self.len = end;
        put(place, offset_of!(cmsghdr, cmsg_len), &(HEADER + len).to_ne_bytes())?;
        put(place, offset_of!(cmsghdr, cmsg_level), &level.to_ne_bytes())?;
        put(place, offset_of!(cmsghdr, cmsg_type), &kind.to_ne_bytes())?;
        place.get_mut(HEADER..HEADER + len)
    }
}

/// Writes a field at its offset.
fn put(place: &mut [u8], offset: usize, field: &[u8]) -> Option<()> {
    place.get_mut(offset..)?.get_mut(..field.len())?.copy_from_slice(field);
    Some(())
}

/// The bytes of a field.
fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Iterates over the messages in a buffer. A header that is cut, or whose length is shorter than a header, is the end. Data
/// that would pass the end of the buffer end there.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// One message in the buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) level: c_int,
    pub(crate) kind: c_int,
    pub(crate) data: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let len = usize::from_ne_bytes(field(self.rest, offset_of!(cmsghdr, cmsg_len))?);
        let level = c_int::from_ne_bytes(field(self.rest, offset_of!(cmsghdr, cmsg_level))?);
        let kind = c_int::from_ne_bytes(field(self.rest, offset_of!(cmsghdr, cmsg_type))?);
        let len = len.min(self.rest.len());
        let data = self.rest.get(HEADER..len)?;
        self.rest = self.rest.get(align(len)..).unwrap_or_default();
        Some(Found { level, kind, data })
    }
}

impl<'a> Found<'a> {
    /// The descriptors of an `SCM_RIGHTS` message.
    pub(crate) fn rights(self) -> Option<impl Iterator<Item = RawFd>> {
        let numbers = self.data.chunks_exact(size_of::<RawFd>()).filter_map(|bytes| field(bytes, 0));
        let rights = (self.level, self.kind) == (SOL_SOCKET, SCM_RIGHTS);
        rights.then(|| numbers.map(RawFd::from_ne_bytes).filter(|fd| *fd >= 0))
    }

    /// The descriptor of an `SCM_PIDFD` message.
    pub(crate) fn pidfd(self) -> Option<RawFd> {
        let fd = RawFd::from_ne_bytes(field(self.data, 0)?);
        ((self.level, self.kind) == (SOL_SOCKET, SCM_PIDFD) && fd >= 0).then_some(fd)
    }

    /// The message for the caller; descriptors stay raw.
    pub(crate) fn value(self) -> ReceivedControl<'a> {
        let Found { level, kind, data } = self;
        self.known().unwrap_or(ReceivedControl::Raw { level, r#type: kind, data })
    }

    /// One of the messages that PHP knows, if it is whole.
    fn known(self) -> Option<ReceivedControl<'a>> {
        let data = self.data;
        Some(match (self.level, self.kind) {
            (SOL_SOCKET, SCM_CREDENTIALS) => ReceivedControl::Credentials(Credentials::new(
                i32::from_ne_bytes(field(data, offset_of!(ucred, pid))?),
                u32::from_ne_bytes(field(data, offset_of!(ucred, uid))?),
                u32::from_ne_bytes(field(data, offset_of!(ucred, gid))?),
            )),
            (IPPROTO_IPV6, IPV6_PKTINFO) => ReceivedControl::Pktinfo(Pktinfo::new(
                Ipv6Addr::from(field::<16>(data, offset_of!(in6_pktinfo, ipi6_addr))?),
                u32::from_ne_bytes(field(data, offset_of!(in6_pktinfo, ipi6_ifindex))?),
            )),
            (IPPROTO_IPV6, IPV6_HOPLIMIT) => ReceivedControl::HopLimit(c_int::from_ne_bytes(field(data, 0)?)),
            (IPPROTO_IPV6, IPV6_TCLASS) => ReceivedControl::Tclass(c_int::from_ne_bytes(field(data, 0)?)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
