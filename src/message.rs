//! Whole messages: bytes in several buffers, an address, and control messages (ancillary data).

use std::ffi::c_int;
use std::{mem, ptr};

use libc::msghdr;

use self::control::Outgoing;
use crate::error::{Error, Result, Site};
use crate::iovec::{self, IoVec};
use crate::socket::Socket;
use crate::sys::ffi::ret_usize;
use crate::sys::sockaddr::{SockAddr, SockAddrBuf};
use crate::transfer::capacity;

mod control;
mod name;
mod received;
mod space;

#[cfg(any(test, fuzzing))]
pub(crate) use control::Reader;
pub use control::{ControlMessage, ReceivedControl};
pub use name::MessageName;
pub use received::Received;
pub use space::socket_cmsg_space;

/// The message that [`socket_sendmsg`] sends: PHP's `$message` array, whose elements are all optional.
///
/// ```
/// use php_sockets::*;
///
/// let name = MessageName::inet("127.0.0.1", 9);
/// let iov = IoVec::from(["some bytes, ", "and some more"]);
/// let message = Message::new().name(&name).iov(&iov);
/// # let _ = message;
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_sendmsg) ·
/// [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html)
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a> {
    name: Option<&'a MessageName>,
    iov: Option<&'a IoVec>,
    control: &'a [ControlMessage<'a>],
}

impl<'a> Message<'a> {
    /// A message for the socket's peer, without bytes and without control messages.
    #[must_use]
    pub const fn new() -> Message<'a> {
        Message { name: None, iov: None, control: &[] }
    }

    /// The receiver's address; without it the message goes to the peer.
    #[must_use]
    pub const fn name(self, name: &'a MessageName) -> Message<'a> {
        Message { name: Some(name), ..self }
    }

    /// Its bytes: those of the elements.
    #[must_use]
    pub const fn iov(self, iov: &'a IoVec) -> Message<'a> {
        Message { iov: Some(iov), ..self }
    }

    /// Its control messages, at most 4096 bytes with their headers.
    #[must_use]
    pub const fn control(self, control: &'a [ControlMessage<'a>]) -> Message<'a> {
        Message { control, ..self }
    }
}

/// Sends a message: bytes from several buffers, to an address, with control messages such as descriptors.
///
/// ```php
/// socket_sendmsg(Socket $socket, array $message, int $flags = 0): int|false
/// ```
///
/// One system call, `sendmsg`; a host name is resolved first. Without a name the message goes to the peer; without bytes
/// it is empty, which a datagram may be. `flags` are `MSG_*` constants, 0 for none. Returns the number of bytes
/// that the kernel took. On a stream they may be fewer than there are; a datagram is sent whole or not at all.
///
/// # Errors
///
/// - `SOCKET_EDESTADDRREQ`: `socket_sendmsg(): Error in sendmsg [89]: Destination address required`
/// - `SOCKET_EPIPE`, `SOCKET_EMSGSIZE`; `SOCKET_EINVAL` for port 0 or more than 253 descriptors; `SOCKET_ECONNREFUSED` of a
///   connected UDP socket, and `SOCKET_EACCES`, as in [`socket_sendto`](crate::socket_sendto)
/// - `SOCKET_EAGAIN`, quiet: the socket does not block and the send buffer is full
/// - an unknown host: `socket_sendmsg(): Host lookup failed [-10001]: Unknown host`; `[-10000]`, on an `AF_INET` socket, of
///   a text that can be no host, as in [`socket_sendto`](crate::socket_sendto)
/// - PHP's `error converting user data (path: ...)`, remembered nowhere: a name of another family than the socket's, an
///   empty path or one of more than 107 bytes, `SCM_RIGHTS` without descriptors, more control messages than 4096 bytes
/// - `MSG_ZEROCOPY`, as in [`socket_send`](crate::socket_send):
///   `socket_sendmsg(): Argument #3 ($flags) must not contain MSG_ZEROCOPY`
///
/// # Differences from PHP
///
/// PHP 8.5 sends wrong descriptors for `Socket` objects; these are right. After an unknown host PHP prints a second
/// warning, about the path in the array. Numbers out of range, missing keys, and values of a wrong type do not compile.
/// There are at most 1024 buffers in an [`IoVec`].
///
/// # Examples
///
/// Pass an open file to another process; here both ends are in one process.
///
/// ```
/// use std::fs::File;
/// use std::io::Read;
/// use std::os::fd::AsFd;
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// let file = File::open("/etc/hostname")
///     .or_else(|_| File::open("/dev/null"))
///     .unwrap();
/// let iov = IoVec::from(["a file"]);
/// let descriptors = [file.as_fd()];
/// let control = [ControlMessage::Rights(&descriptors)];
/// socket_sendmsg(&here, &Message::new().iov(&iov).control(&control), 0)?;
///
/// let controllen = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)?;
/// let mut message = Received::new(socket_iovec_alloc(&[100])?, controllen)?;
/// socket_recvmsg(&there, &mut message, 0)?;
/// assert_eq!(message.iov().get(0), Some(&b"a file"[..]));
/// let mut text = String::new();
/// File::from(message.take_rights().remove(0)).read_to_string(&mut text).unwrap();
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_sendmsg) ·
/// [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html)
pub fn socket_sendmsg(socket: &Socket, message: &Message<'_>, flags: c_int) -> Result<usize> {
    if flags & libc::MSG_ZEROCOPY != 0 {
        return Err(Error::value(&Site {
            function: "socket_sendmsg",
            message: "Argument #3 ($flags) must not contain MSG_ZEROCOPY",
        }));
    }
    let name = message.name.map(|name| name.resolve(socket)).transpose()?;
    let mut array = iovec::array();
    let vectors = message.iov.map(|iov| iov.for_sending(&mut array)).unwrap_or_default();
    let mut space;
    let mut control: &[u8] = &[];
    if !message.control.is_empty() {
        space = Outgoing::new();
        control = build(&mut space, message.control)?;
    }
    let header = msghdr {
        msg_name: name.as_ref().map_or(ptr::null(), SockAddr::as_ptr).cast_mut().cast(),
        msg_namelen: name.as_ref().map_or(0, SockAddr::len),
        msg_iov: vectors.as_ptr().cast_mut(),
        msg_iovlen: vectors.len(),
        msg_control: control.as_ptr().cast_mut().cast(),
        msg_controllen: control.len(),
        msg_flags: 0,
    };

    // SAFETY: every pointer of `header` comes with the length of what it points at: an address, an array of vectors
    // over bytes that an `IoVec` owns, and control messages. All outlive the call, which only reads them. Without
    // MSG_ZEROCOPY the kernel copies them and keeps no pointer.
    let count = unsafe { libc::sendmsg(socket.fd(), &raw const header, flags) };

    ret_usize(count)
        .map_err(|_| socket.warning(&Site { function: "socket_sendmsg", message: "Error in sendmsg" }))
}

/// Writes the control messages as the kernel reads them.
fn build<'a>(space: &'a mut Outgoing, messages: &[ControlMessage<'_>]) -> Result<&'a [u8]> {
    for (position, message) in messages.iter().enumerate() {
        if let ControlMessage::Rights([]) = message {
            let empty = Error::plain_warning(&Site {
                function: "socket_sendmsg",
                message: "error converting user data (path: msghdr > control > element #{}): \
                          expected at least one element in this array",
            });
            return Err(empty.about(c_int::try_from(position).unwrap_or(c_int::MAX)));
        }
        space.push(message).ok_or_else(|| {
            Error::plain_warning(&Site {
                function: "socket_sendmsg",
                message: "error converting user data (path: msghdr > control): \
                          the control messages take more than 4096 bytes",
            })
        })?;
    }
    Ok(space.bytes())
}

/// Receives a message: its bytes into several buffers, the sender's address, and control messages such as descriptors.
///
/// ```php
/// socket_recvmsg(Socket $socket, array &$message, int $flags = 0): int|false
/// ```
///
/// One system call, `recvmsg`. `message` has the buffers, and after the call the message. `flags` are `MSG_*` constants,
/// 0 for none; `MSG_CMSG_CLOEXEC` is always added. Returns the number of bytes; 0 is the end of the stream or an empty
/// datagram. With `MSG_TRUNC` it is a datagram's real length, and the buffers hold the part that fits.
///
/// # Errors
///
/// `message` stays as it was. The code is remembered in the thread's slot only. EAGAIN is a warning too.
///
/// - `SOCKET_EAGAIN`: `socket_recvmsg(): Error in recvmsg [11]: Resource temporarily unavailable`
/// - `SOCKET_ENOTCONN`, `SOCKET_EINTR`, `SOCKET_ECONNREFUSED` (connected UDP, as in [`socket_write`](crate::socket_write))
/// - no memory for a second set of buffers, which `MSG_TRUNC` or a flag that is not known here needs:
///   `socket_recvmsg(): there is no memory for so many bytes`
///
/// # Differences from PHP
///
/// A control message that PHP does not know comes as [`ReceivedControl::Raw`](crate::ReceivedControl), where PHP makes
/// the whole message `false`. Descriptors are close-on-exec, and those that are not taken are closed. The sender's name
/// is always received. The buffers are those of the [`IoVec`], where PHP makes one of `buffer_size` bytes.
///
/// # Examples
///
/// The sender of a datagram, and a datagram that is longer than the buffers.
///
/// ```
/// use php_sockets::*;
///
/// let receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// socket_bind(&receiver, "127.0.0.1", 0)?;
/// let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
/// let port = socket_getsockname(&receiver)?.port;
/// socket_sendto(&sender, "too long", 8, 0, "127.0.0.1", port)?;
///
/// let mut message = Received::new(socket_iovec_alloc(&[3, 1])?, 64)?;
/// assert_eq!(socket_recvmsg(&receiver, &mut message, 0)?, 4);
/// assert!(message.iov().iter().eq([&b"too"[..], &b" "[..]]));
/// assert_eq!(message.flags(), MSG_TRUNC);
/// let port = socket_getsockname(&sender)?.port;
/// assert_eq!(message.name(), Some(MessageName::inet("127.0.0.1", port)));
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_recvmsg) ·
/// [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html)
pub fn socket_recvmsg(socket: &Socket, message: &mut Received, flags: c_int) -> Result<usize> {
    let skipping = capacity::may_skip_bytes(flags);
    // Bytes that the kernel counts without writing must be zeros, and a failure must leave the message as it was.
    if skipping {
        message.spare.zero_like(&message.iov).map_err(received::no_memory)?;
        mem::swap(&mut message.iov, &mut message.spare);
    }
    let mut array = iovec::array();
    let vectors = message.iov.for_filling(&mut array);
    let mut name = SockAddrBuf::new();
    let (control, controllen) = message.control.as_mut();
    let mut header = msghdr {
        msg_name: name.as_mut_ptr().cast(),
        msg_namelen: SockAddrBuf::LEN,
        msg_iov: vectors.as_mut_ptr(),
        msg_iovlen: vectors.len(),
        msg_control: control,
        msg_controllen: controllen,
        msg_flags: 0,
    };

    // SAFETY: every pointer of `header` comes with the length of its memory, which is ours to write: `name`, the vectors
    // over the buffers of an `IoVec`, the control buffer. All outlive the call, which keeps no pointer.
    let count = unsafe { libc::recvmsg(socket.fd(), &raw mut header, flags | libc::MSG_CMSG_CLOEXEC) };

    // SAFETY: `recvmsg` wrote each byte of the vectors that it counted and that fits, or `zero_like` has zeroed all of them.
    let Ok(written) = (unsafe { message.iov.filled(count) }) else {
        if skipping {
            mem::swap(&mut message.iov, &mut message.spare);
        }
        return Err(Error::loud_warning(&Site { function: "socket_recvmsg", message: "Error in recvmsg" }));
    };
    message.name = name;
    message.control.filled(header.msg_controllen);
    message.flags = header.msg_flags & (flags | !libc::MSG_CMSG_CLOEXEC);
    // SAFETY: `recvmsg` has just written these control messages. A peer cannot forge one of SOL_SOCKET: the kernel writes
    // these itself, with descriptors that it has just opened.
    unsafe { message.own_rights() };
    Ok(capacity::reported(count, written, flags))
}

#[cfg(test)]
mod tests;
