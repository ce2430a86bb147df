//! The address of a message: PHP's `name` arrays.

use std::ffi::OsStr;

use crate::error::{Error, Result, Site};
use crate::socket::Socket;
use crate::sys::name::{Address, SocketName};
use crate::sys::resolver::{self, Unresolved};
use crate::sys::sockaddr::{PATH_MAX, SockAddr, SockAddrBuf, until_nul};

/// The address of a message, its receiver's or its sender's: PHP's `name` array.
///
/// To send, `addr` may be a host name, which is resolved as in [`socket_sendto`](crate::socket_sendto). In a received name
/// it is an address. The path of a sender without a name, or with an abstract one, is `""`.
///
/// ```
/// use php_sockets::*;
///
/// let receiver = socket_create(AF_UNIX, SOCK_DGRAM, 0)?;
/// socket_bind(&receiver, "\0of-the-documentation", 0)?;
/// let sender = socket_create(AF_UNIX, SOCK_DGRAM, 0)?;
///
/// let name = MessageName::unix("\0of-the-documentation");
/// let iov = IoVec::from(["ahoy"]);
/// socket_sendmsg(&sender, &Message::new().name(&name).iov(&iov), 0)?;
///
/// assert_eq!(socket_read(&receiver, 100, PHP_BINARY_READ)?, b"ahoy");
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_sendmsg) ·
/// [sockaddr(3type)](https://man7.org/linux/man-pages/man3/sockaddr.3type.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageName {
    /// `AF_INET`: for sockets of `AF_INET` and `AF_INET6`.
    Inet {
        /// The address, or the name of a host.
        addr: Address,
        /// The port, in host byte order.
        port: u16,
    },
    /// `AF_INET6`: for sockets of that family.
    Inet6 {
        /// The address, or the name of a host. A scope in it is not used.
        addr: Address,
        /// The port, in host byte order.
        port: u16,
        /// The flow, in network byte order, as PHP passes it on.
        flowinfo: u32,
        /// The interface's index, for a link-local address.
        scope_id: u32,
    },
    /// `AF_UNIX`: for sockets of that family.
    Unix {
        /// The path, or a NUL and an abstract name, 107 bytes at most. A further NUL ends it.
        path: Address,
    },
}

impl MessageName {
    /// PHP's `['family' => AF_INET, 'addr' => .., 'port' => ..]`.
    #[must_use]
    pub fn inet(addr: impl AsRef<OsStr>, port: u16) -> MessageName {
        MessageName::Inet { addr: addr.as_ref().into(), port }
    }

    /// PHP's `['family' => AF_INET6, 'addr' => .., 'port' => .., 'flowinfo' => .., 'scope_id' => ..]`.
    #[must_use]
    pub fn inet6(addr: impl AsRef<OsStr>, port: u16, flowinfo: u32, scope_id: u32) -> MessageName {
        MessageName::Inet6 { addr: addr.as_ref().into(), port, flowinfo, scope_id }
    }

    /// PHP's `['family' => AF_UNIX, 'path' => ..]`; a leading NUL makes the name an abstract one.
    #[must_use]
    pub fn unix(path: impl AsRef<OsStr>) -> MessageName {
        MessageName::Unix { path: path.as_ref().into() }
    }

    /// The address for the kernel, checked as PHP checks it.
    pub(crate) fn resolve(&self, socket: &Socket) -> Result<SockAddr> {
        match (self, socket.family()) {
            (MessageName::Inet { addr, port }, libc::AF_INET | libc::AF_INET6) => {
                let address = resolver::inet(addr.as_bytes()).map_err(|reason| unresolved(socket, reason))?;
                Ok(SockAddr::inet(address, *port))
            }
            (MessageName::Inet6 { addr, port, flowinfo, scope_id }, libc::AF_INET6) => {
                let address =
                    resolver::inet6(addr.as_bytes()).map_err(|reason| unresolved(socket, reason))?;
                Ok(SockAddr::inet6(address, *port, *scope_id).with_flow(*flowinfo))
            }
            (MessageName::Unix { path }, libc::AF_UNIX) => unix(path.as_bytes()),
            (MessageName::Inet { .. }, _) => Err(Error::plain_warning(&Site {
                function: "socket_sendmsg",
                message: "error converting user data (path: msghdr > name): \
                          the specified family (number 2) is not supported on this socket",
            })),
            (MessageName::Inet6 { .. }, _) => Err(Error::plain_warning(&Site {
                function: "socket_sendmsg",
                message: "error converting user data (path: msghdr > name): \
                          the specified family (AF_INET6) is not supported on this socket",
            })),
            (MessageName::Unix { .. }, _) => Err(Error::plain_warning(&Site {
                function: "socket_sendmsg",
                message: "error converting user data (path: msghdr > name): \
                          the specified family (AF_UNIX) is not supported on this socket",
            })),
        }
    }

    /// The name that the kernel wrote; `None` if it wrote none, or one of another family.
    pub(crate) fn received(buffer: &SockAddrBuf) -> Option<MessageName> {
        let SocketName { address, port, family } = buffer.name(buffer.family())?;
        Some(match family {
            libc::AF_INET => MessageName::inet(address, port),
            libc::AF_INET6 => {
                let (flowinfo, scope_id) = buffer.flow_and_scope();
                MessageName::inet6(address, port, flowinfo, scope_id)
            }
            _ => MessageName::unix(address),
        })
    }
}

/// A path or an abstract name; both end at a NUL.
fn unix(path: &[u8]) -> Result<SockAddr> {
    if path.is_empty() {
        return Err(Error::plain_warning(&Site {
            function: "socket_sendmsg",
            message: "error converting user data (path: msghdr > name > path): the path is must not be empty",
        }));
    }
    let too_long = || {
        Error::plain_warning(&Site {
            function: "socket_sendmsg",
            message: "error converting user data (path: msghdr > name > path): \
                      the path is too long, the maximum permitted length is 107",
        })
    };
    if path.len() >= PATH_MAX {
        return Err(too_long());
    }
    let end = match path.split_first() {
        Some((0, rest)) => 1 + until_nul(rest).len(),
        _ => until_nul(path).len(),
    };
    SockAddr::unix(path.get(..end).unwrap_or(path)).ok_or_else(too_long)
}

#[cold]
fn unresolved(socket: &Socket, reason: Unresolved) -> Error {
    match reason {
        Unresolved::Unknown(code) => {
            socket.remember(&Site { function: "socket_sendmsg", message: "Host lookup failed" }, code)
        }
        // A host name has no other fault.
        Unresolved::Nul | Unresolved::Family | Unresolved::TooLong => Error::value(&Site {
            function: "socket_sendmsg",
            message: "error converting user data (path: msghdr > name > addr): must not contain any null bytes",
        }),
    }
}
