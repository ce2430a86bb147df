//! Reads and sets the options of a socket.

use std::ffi::c_int;

use self::c_value::{Answer, CValue};
use self::failure::{Called, GetFailure, SetFailure, not_read, not_set};
use self::table::{Get, row};
use crate::error::Result;
use crate::socket::Socket;
use crate::sys::ffi::{self, ret};

mod c_value;
mod failure;
mod multicast;
mod table;
mod types;
mod value;

pub use types::{Credentials, Group, Interface, Linger, Meminfo, Pktinfo, Source, Timeval};
pub use value::{OptionArgument, OptionValue};

/// Reads an option of a socket.
///
/// ```php
/// socket_get_option(Socket $socket, int $level, int $option): array|int|false
/// ```
///
/// One system call, `getsockopt`. `IP_MULTICAST_IF` takes `ioctl` too, which finds the interface by its address.
/// `level` is the protocol of the option: `SOL_SOCKET`, `SOL_TCP`, `SOL_UDP`, `IPPROTO_IP`, `IPPROTO_IPV6`. The
/// [`OptionValue`] of most options is a number: call [`int`](OptionValue::int). The others:
///
/// | level, option | value |
/// | --- | --- |
/// | `SOL_SOCKET`, `SO_LINGER` | [`Linger`](crate::Linger) |
/// | `SOL_SOCKET`, `SO_RCVTIMEO` or `SO_SNDTIMEO` | [`Timeval`](crate::Timeval), rounded up to the kernel's tick |
/// | `SOL_SOCKET`, `SO_MEMINFO` | [`Meminfo`](crate::Meminfo) |
/// | `SOL_SOCKET`, `SO_PEERCRED` | [`Credentials`](crate::Credentials); without a peer 0, −1, −1 |
/// | `SOL_TCP`, `TCP_CONGESTION` | a text |
/// | `IPPROTO_IPV6`, `IPV6_PKTINFO` | [`Pktinfo`](crate::Pktinfo); Linux can only set it |
///
/// Buffer sizes read back doubled. Reading `SO_ERROR` clears it. `IP_MULTICAST_IF` is the interface's index.
///
/// # Errors
///
/// - `SOCKET_ENOPROTOOPT`: `socket_get_option(): Unable to retrieve socket option [92]: Protocol not available`
/// - `SOCKET_EINVAL`: an option that is no int, such as `SO_BINDTODEVICE` of a bound socket
/// - `IP_MULTICAST_IF`: `socket_get_option(): The interface with IP address 192.0.2.1 was not found`
/// - option 77 of `SOL_SOCKET`:
///   `socket_get_option(): Argument #3 ($option) must not be SO_PEERPIDFD, which opens a descriptor`
///
/// # Differences from PHP
///
/// - PHP returns the number of `SO_PEERPIDFD`'s new descriptor, which stays open until the process ends.
/// - PHP reads only the process of `SO_PEERCRED`.
/// - The number is 0 where the kernel writes nothing, as for `SO_BINDTODEVICE` of a socket that is bound to no
///   device. In PHP it is any bytes of memory.
/// - A text is the text itself. In PHP it is an array with the text.
/// - The number of `SO_GET_FILTER` is its first four bytes. In PHP it is the first byte if one filter is attached.
///
/// # Examples
///
/// `SO_ERROR` says how a non-blocking connect has ended:
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert_eq!(socket_get_option(&socket, SOL_SOCKET, SO_ERROR)?.int()?, 0);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 14](crate::lessons::lesson_14) · [php.net](https://www.php.net/socket_get_option) ·
/// [getsockopt(2)](https://man7.org/linux/man-pages/man2/getsockopt.2.html)
pub fn socket_get_option(socket: &Socket, level: c_int, option: c_int) -> Result<OptionValue> {
    get(socket, level, option).map_err(|failure| not_read(socket, failure, Called::Name))
}

/// The older name of [`socket_get_option`].
///
/// ```php
/// socket_getopt(Socket $socket, int $level, int $option): array|int|false
/// ```
///
/// The same in everything but the name in its errors.
///
/// # Errors
///
/// - `SOCKET_ENOPROTOOPT`: `socket_getopt(): Unable to retrieve socket option [92]: Protocol not available`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert_eq!(socket_getopt(&socket, SOL_SOCKET, SO_TYPE)?.int()?, SOCK_STREAM);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 14](crate::lessons::lesson_14) · [php.net](https://www.php.net/socket_getopt) ·
/// [getsockopt(2)](https://man7.org/linux/man-pages/man2/getsockopt.2.html)
pub fn socket_getopt(socket: &Socket, level: c_int, option: c_int) -> Result<OptionValue> {
    get(socket, level, option).map_err(|failure| not_read(socket, failure, Called::Alias))
}

fn get(socket: &Socket, level: c_int, option: c_int) -> Result<OptionValue, GetFailure> {
    let Get { len, decode } = row(level, option).get?;
    let mut answer = Answer::new(len);

    // SAFETY: `answer` is writable for the `len` bytes given, and outlives the call, which retains no pointer.
    // SO_GET_FILTER counts `len` in filters of 8 bytes, and `answer` has the capacity for as many. Options that
    // find an address in the value and write there (TCP_ZEROCOPY_RECEIVE, EBT_SO_GET_ENTRIES) get the length of
    // an int, which they refuse.
    let status =
        unsafe { libc::getsockopt(socket.fd(), level, option, answer.as_mut_ptr(), &raw mut answer.len) };

    ret(status).map_err(|failed| match (level, option) {
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => GetFailure::KernelPktinfo(failed.errno()),
        _ => GetFailure::Kernel(failed.errno()),
    })?;
    decode(socket, &answer)
}

/// Sets an option of a socket.
///
/// ```php
/// socket_set_option(
///     Socket $socket,
///     int $level,
///     int $option,
///     array|string|int $value
/// ): bool
/// ```
///
/// One system call, `setsockopt`. The name of an interface is resolved first, by `socket`, `ioctl` and `close`; the
/// address of `IP_MULTICAST_IF` by `ioctl`; the host name of a group by the resolver. `level` is the protocol of the
/// option, as in [`socket_get_option`]. `value` is a number, a numeric text (`"254"`) or a `bool` for most options.
/// The others:
///
/// | level, option | value |
/// | --- | --- |
/// | `SOL_SOCKET`, `SO_LINGER` | [`Linger`](crate::Linger), seconds |
/// | `SOL_SOCKET`, `SO_RCVTIMEO` or `SO_SNDTIMEO` | [`Timeval`](crate::Timeval), or a `Duration` |
/// | `SOL_SOCKET`, `SO_BINDTODEVICE` | an interface's name; `""` for any |
/// | `SOL_SOCKET`, `SO_ATTACH_REUSEPORT_CBPF` | `SKF_AD_CPU` or `SKF_AD_QUEUE`; 0 detaches |
/// | `SOL_TCP`, `TCP_CONGESTION` | the algorithm's name |
/// | `SOL_UDP`, `UDP_SEGMENT` | bytes, up to 65535 |
/// | `IPPROTO_IP`, `IP_MULTICAST_IF`; `IPPROTO_IPV6`, `IPV6_MULTICAST_IF` | an interface's index or name |
/// | `IPPROTO_IP`, `IP_MULTICAST_TTL` | 0 to 255 |
/// | `IPPROTO_IPV6`, `IPV6_MULTICAST_HOPS` | 0 to 255; −1 is the default, 1 |
/// | `IPPROTO_IP`, `IP_MULTICAST_LOOP`; `IPPROTO_IPV6`, `IPV6_MULTICAST_LOOP` | a switch |
/// | `IPPROTO_IP` or `IPPROTO_IPV6`, `MCAST_JOIN_GROUP` or `MCAST_LEAVE_GROUP` | [`Group`](crate::Group) |
/// | the same, `MCAST_BLOCK_SOURCE` and the other three | [`Source`](crate::Source) |
/// | `IPPROTO_IPV6`, `IPV6_PKTINFO` | [`Pktinfo`](crate::Pktinfo) |
///
/// # Errors
///
/// - `SOCKET_ENOPROTOOPT`: `socket_set_option(): Unable to set socket option [92]: Protocol not available`
/// - a million microseconds or more:
///   `socket_set_option(): Unable to set socket option [33]: Numerical argument out of domain`
/// - a group that is joined twice: `SOCKET_EADDRINUSE`; left without having been joined: `SOCKET_EADDRNOTAVAIL`
/// - a number for a struct:
///   `socket_set_option(): Argument #4 ($value) must be of type array when argument #3 ($option) is SO_LINGER, int given`
/// - another struct: `socket_set_option(): Argument #4 ($value) must have key "l_onoff"`,
///   `No key "group" passed in optval`
/// - no number: `socket_set_option(): Argument #4 ($value) must be of type int, string given`
/// - out of range: `socket_set_option(): Argument #4 ($value) must be between 0 and 255`, for `UDP_SEGMENT`
///   `socket_set_option(): Argument #4 ($value) must be of between 0 and 65535`,
///   `Index must be between 0 and 4294967295`
/// - `socket_set_option(): No interface with this name could be found`,
///   `socket_set_option(): Failed obtaining address for interface 7: error 19`
/// - a group on a socket that is not `AF_INET` or `AF_INET6`:
///   `IP address used in the context of an unexpected type of socket`
/// - another filter for `SO_ATTACH_REUSEPORT_CBPF`: `socket_set_option(): Unsupported CBPF filter`
/// - `SO_ATTACH_BPF`, `SO_ATTACH_REUSEPORT_EBPF`, `PACKET_FANOUT_DATA`, or a table of netfilter:
///   `socket_set_option(): Argument #3 ($option) must not take a descriptor or an address`
///
/// # Differences from PHP
///
/// - The level counts. PHP goes by the number of the option alone: it takes `SOL_TCP`, `TCP_NOTSENT_LOWAT` (25) for
///   `SO_BINDTODEVICE`.
/// - A text that is no number is an error where a number is expected. PHP takes `"abc"` for 0.
/// - A number has 32 bits, as the kernel's has. PHP takes the low 32 bits of a larger one: `1 << 32` is 0 there.
/// - `true` for an interface is the index 1. In PHP it is the name `"1"`.
/// - A missing key and an `l_linger` above 65535 do not compile. In PHP they are `ValueError`s.
/// - `SO_ATTACH_REUSEPORT_CBPF` with 0 detaches the filter. PHP means to do so, but sets another option and fails.
/// - The address of an `IPV6_PKTINFO` is an `Ipv6Addr`, and its interface is a number. PHP resolves names, too.
/// - An option that takes its number for a descriptor or an address is refused. PHP passes every option on.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_set_option(&socket, SOL_SOCKET, SO_REUSEADDR, 1)?;
/// socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Duration::from_secs(5))?;
/// socket_set_option(&socket, SOL_SOCKET, SO_LINGER, Linger::new(1, 0))?;
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 14](crate::lessons::lesson_14) · [php.net](https://www.php.net/socket_set_option) ·
/// [setsockopt(2)](https://man7.org/linux/man-pages/man2/setsockopt.2.html)
pub fn socket_set_option(
    socket: &Socket,
    level: c_int,
    option: c_int,
    value: impl OptionArgument,
) -> Result<()> {
    set(socket, level, option, &value.into())
        .map_err(|failure| not_set(socket, failure, row(level, option).mistyped, Called::Name))
}

/// The older name of [`socket_set_option`].
///
/// ```php
/// socket_setopt(
///     Socket $socket,
///     int $level,
///     int $option,
///     array|string|int $value
/// ): bool
/// ```
///
/// The same in everything but the name in its errors.
///
/// # Errors
///
/// - `SOCKET_ENOPROTOOPT`: `socket_setopt(): Unable to set socket option [92]: Protocol not available`
///
/// # Examples
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_setopt(&socket, SOL_TCP, TCP_NODELAY, true)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 14](crate::lessons::lesson_14) · [php.net](https://www.php.net/socket_setopt) ·
/// [setsockopt(2)](https://man7.org/linux/man-pages/man2/setsockopt.2.html)
pub fn socket_setopt(socket: &Socket, level: c_int, option: c_int, value: impl OptionArgument) -> Result<()> {
    set(socket, level, option, &value.into())
        .map_err(|failure| not_set(socket, failure, row(level, option).mistyped, Called::Alias))
}

fn set(socket: &Socket, level: c_int, option: c_int, value: &OptionValue) -> Result<(), SetFailure> {
    // `?` would copy the value, and that of a group has 272 bytes.
    let encoded = (row(level, option).encode)(socket, value);
    let value = encoded.as_ref().map_err(|&failure| failure)?;
    let option = if let CValue::Detach(_) = value { ffi::SO_DETACH_REUSEPORT_BPF } else { option };
    let (start, len) = value.bytes();

    // SAFETY: `start` points at `len` bytes of `value`, which outlives the call; a filter in it points at a static.
    // `setsockopt` copies them and retains no pointer: an option that is not in the table gets an int, which is
    // too short for those that pin memory by its address (XDP_UMEM_REG, RDS_GET_MR), and the table refuses the rest.
    let status = unsafe { libc::setsockopt(socket.fd(), level, option, start, len) };

    ret(status).map_err(|failed| SetFailure::Kernel(failed.errno()))?;
    if level == libc::SOL_SOCKET && matches!(option, libc::SO_RCVLOWAT | libc::SO_PEEK_OFF) {
        socket.set_peek_may_hide_bytes();
    }
    Ok(())
}
