//! The value of an option: PHP's `array|string|int`, as an enum.

use std::ffi::{OsStr, OsString, c_int};
use std::time::Duration;

use super::types::{Credentials, Pktinfo};
use super::types::{Group, Linger, Meminfo, Source, Timeval};
use crate::error::{Error, Result, Site};

/// The value of a socket option: a number for most, a text or a struct for some.
///
/// Whatever the option takes becomes one by itself, so that the value stands in the call as in PHP:
/// [`socket_set_option`](crate::socket_set_option) takes `1`, `true`, `"lo"`, `Linger::new(1, 5)`. What
/// [`socket_get_option`](crate::socket_get_option) returns is taken apart by a method or by `match`.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// assert_eq!(socket_get_option(&socket, SOL_SOCKET, SO_TYPE)?.int()?, SOCK_STREAM);
///
/// match socket_get_option(&socket, SOL_SOCKET, SO_LINGER)? {
///     OptionValue::Linger(linger) => println!("{} seconds", linger.l_linger),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionValue {
    /// A number; a switch is 0 or 1.
    Int(c_int),
    /// A name: `SO_BINDTODEVICE`, `TCP_CONGESTION`; an interface of `IP_MULTICAST_IF`, `IPV6_MULTICAST_IF`.
    Text(OsString),
    /// `SO_LINGER`
    Linger(Linger),
    /// `SO_RCVTIMEO`, `SO_SNDTIMEO`
    Timeval(Timeval),
    /// `SO_MEMINFO`, read only
    Meminfo(Meminfo),
    /// `SO_PEERCRED`, read only
    Credentials(Credentials),
    /// `MCAST_JOIN_GROUP`, `MCAST_LEAVE_GROUP`
    Group(Group),
    /// `MCAST_BLOCK_SOURCE`, `MCAST_UNBLOCK_SOURCE`, `MCAST_JOIN_SOURCE_GROUP`, `MCAST_LEAVE_SOURCE_GROUP`
    Source(Source),
    /// `IPV6_PKTINFO`
    Pktinfo(Pktinfo),
}

/// Each of these gives what it names; another value is an error of kind [`Value`](crate::ErrorKind::Value).
impl OptionValue {
    /// The number.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type int, array given`
    pub fn int(&self) -> Result<c_int> {
        match *self {
            OptionValue::Int(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type int, {given} given",
            })),
        }
    }

    /// The name.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type string, int given`
    pub fn text(self) -> Result<OsString> {
        match self {
            OptionValue::Text(value) => Ok(value),
            other => Err(other.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type string, {given} given",
            })),
        }
    }

    /// What close does with data that is not sent yet.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Linger, int given`
    pub fn linger(&self) -> Result<Linger> {
        match *self {
            OptionValue::Linger(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type Linger, {given} given",
            })),
        }
    }

    /// How long a call may block.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Timeval, int given`
    pub fn timeval(&self) -> Result<Timeval> {
        match *self {
            OptionValue::Timeval(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type Timeval, {given} given",
            })),
        }
    }

    /// The memory that the socket holds.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Meminfo, int given`
    pub fn meminfo(&self) -> Result<Meminfo> {
        match *self {
            OptionValue::Meminfo(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type Meminfo, {given} given",
            })),
        }
    }

    /// Who the peer is.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Credentials, int given`
    pub fn credentials(&self) -> Result<Credentials> {
        match *self {
            OptionValue::Credentials(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type Credentials, {given} given",
            })),
        }
    }

    /// The address and the interface.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Pktinfo, int given`
    pub fn pktinfo(&self) -> Result<Pktinfo> {
        match *self {
            OptionValue::Pktinfo(value) => Ok(value),
            _ => Err(self.not(&Site {
                function: "socket_get_option",
                message: "the value must be of type Pktinfo, {given} given",
            })),
        }
    }

    /// The value has another type than the option.
    pub(crate) fn not(&self, site: &'static Site) -> Error {
        Error::value(site).about(self.given())
    }

    /// The type that PHP would have been given, for `{given}` in a message.
    fn given(&self) -> i32 {
        match self {
            OptionValue::Int(_) => Error::INT,
            OptionValue::Text(_) => Error::STRING,
            _ => Error::ARRAY,
        }
    }
}

impl From<c_int> for OptionValue {
    fn from(number: c_int) -> OptionValue {
        OptionValue::Int(number)
    }
}

impl From<bool> for OptionValue {
    fn from(on: bool) -> OptionValue {
        OptionValue::Int(on.into())
    }
}

impl From<Duration> for OptionValue {
    fn from(time: Duration) -> OptionValue {
        OptionValue::Timeval(time.into())
    }
}

/// Conversions into one variant each.
macro_rules! from {
    ($($source:ty => $variant:ident)*) => {$(
        impl From<$source> for OptionValue {
            fn from(value: $source) -> OptionValue {
                OptionValue::$variant(value.into())
            }
        }
    )*};
}

from! {
    &str => Text
    &OsStr => Text
    String => Text
    OsString => Text
    Linger => Linger
    Timeval => Timeval
    Meminfo => Meminfo
    Credentials => Credentials
    Group => Group
    Source => Source
    Pktinfo => Pktinfo
}
