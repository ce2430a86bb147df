//! The value of an option: PHP's `array|string|int`, as an enum.

use std::ffi::{OsStr, OsString, c_int};
use std::time::Duration;

use super::types::{Credentials, Pktinfo};
use super::types::{Group, Linger, Meminfo, Source, Timeval};
use crate::error::{Error, Result, Site};
use crate::sys::name::Address;

/// The value of a socket option: a number for most, a text or a struct for some.
///
/// [`socket_set_option`](crate::socket_set_option) converts its argument, so that the value stands in the call as in
/// PHP: `1`, `true`, `"lo"`, `Linger::new(1, 5)`. A method or `match` takes the value out that
/// [`socket_get_option`](crate::socket_get_option) returns.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// let kind = socket_get_option(&socket, SOL_SOCKET, SO_TYPE)?.int()?;
/// assert_eq!(kind, SOCK_STREAM);
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
    /// A name: `SO_BINDTODEVICE`, `TCP_CONGESTION`, an interface of `IP_MULTICAST_IF` or `IPV6_MULTICAST_IF`.
    Text(Address),
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

/// PHP's sentence about a value that has another type than the program takes it for.
macro_rules! mistyped {
    ($types:expr) => {
        Err(Error::value(&Site {
            function: "socket_get_option",
            message: concat!("the value must be of type ", $types),
        }))
    };
}

/// The struct of this name, which is its variant's too.
macro_rules! taken {
    ($value:expr, $struct:ident) => {
        match *$value {
            OptionValue::$struct(value) => Ok(value),
            OptionValue::Int(_) => mistyped!(concat!(stringify!($struct), ", int given")),
            OptionValue::Text(_) => mistyped!(concat!(stringify!($struct), ", string given")),
            _ => mistyped!(concat!(stringify!($struct), ", array given")),
        }
    };
}

/// PHP's type of a value.
#[derive(Clone, Copy)]
pub(super) enum Given {
    Int,
    String,
    Array,
}

/// Each of these returns the value that it names. Any other value is an error of kind [`Value`](crate::ErrorKind::Value).
impl OptionValue {
    /// The number.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type int, array given`
    pub fn int(&self) -> Result<c_int> {
        match *self {
            OptionValue::Int(value) => Ok(value),
            OptionValue::Text(_) => mistyped!("int, string given"),
            _ => mistyped!("int, array given"),
        }
    }

    /// The name.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type string, int given`
    pub fn text(self) -> Result<Address> {
        match self {
            OptionValue::Text(value) => Ok(value),
            OptionValue::Int(_) => mistyped!("string, int given"),
            _ => mistyped!("string, array given"),
        }
    }

    /// How long closing waits for unsent data.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Linger, int given`
    pub fn linger(&self) -> Result<Linger> {
        taken!(self, Linger)
    }

    /// How long a call may block.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Timeval, int given`
    pub fn timeval(&self) -> Result<Timeval> {
        taken!(self, Timeval)
    }

    /// The memory that the socket holds.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Meminfo, int given`
    pub fn meminfo(&self) -> Result<Meminfo> {
        taken!(self, Meminfo)
    }

    /// The peer's process, user and group.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Credentials, int given`
    pub fn credentials(&self) -> Result<Credentials> {
        taken!(self, Credentials)
    }

    /// The address and the interface.
    ///
    /// # Errors
    ///
    /// `socket_get_option(): the value must be of type Pktinfo, int given`
    pub fn pktinfo(&self) -> Result<Pktinfo> {
        taken!(self, Pktinfo)
    }

    pub(super) fn given(&self) -> Given {
        match self {
            OptionValue::Int(_) => Given::Int,
            OptionValue::Text(_) => Given::String,
            _ => Given::Array,
        }
    }

    /// A number, or a text that is one. PHP takes any other text for the number that it begins with, mostly 0.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            OptionValue::Int(number) => Some(i64::from(*number)),
            OptionValue::Text(text) => text.to_str().and_then(numeric),
            _ => None,
        }
    }
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

/// The value of an option as an argument: PHP's `array|string|int $value` of
/// [`socket_set_option`](crate::socket_set_option).
///
/// An `i32` (C's int), a `bool`, a text, a [`Duration`], one of the structs for PHP's arrays, or an [`OptionValue`]:
/// every type that converts into an `OptionValue`, and no other. A number of another type is converted with
/// `i32::try_from`:
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// let bytes: usize = 65536;
/// if let Ok(bytes) = i32::try_from(bytes) {
///     socket_set_option(&socket, SOL_SOCKET, SO_SNDBUF, bytes)?;
/// }
/// // 1.5 seconds, which PHP writes ['sec' => 1, 'usec' => 500000].
/// let time = Timeval::new(1, 500_000);
/// socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, time)?;
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net](https://www.php.net/socket_set_option) · [setsockopt(2)](https://man7.org/linux/man-pages/man2/setsockopt.2.html)
#[diagnostic::on_unimplemented(
    message = "the value of an option is an `i32`, a text or a struct, not `{Self}`",
    label = "write a number as an `i32`, a time as `Timeval::new(sec, usec)` or a `Duration`, \
             SO_LINGER as `Linger::new(onoff, seconds)`",
    note = "a number of another type is converted with `i32::try_from(number)`; PHP's arrays are the structs `Timeval`, \
            `Linger`, `Group`, `Source` and `Pktinfo`"
)]
pub trait OptionArgument: Into<OptionValue> {}

// Otherwise the compiler would speak of `Into`, and list its implementations.
#[diagnostic::do_not_recommend]
impl<T: Into<OptionValue>> OptionArgument for T {}

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
    Address => Text
    Linger => Linger
    Timeval => Timeval
    Meminfo => Meminfo
    Credentials => Credentials
    Group => Group
    Source => Source
    Pktinfo => Pktinfo
}

#[cfg(test)]
mod tests;
