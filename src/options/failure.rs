//! The reasons why an option is not set or not read, and PHP's sentence about each.

use std::ffi::c_int;

use super::value::{Given, OptionValue};
use crate::error::{Error, Site};
use crate::socket::Socket;
use crate::sys::resolver::Unresolved;

/// A reason why an option is not set.
#[derive(Clone, Copy)]
pub(super) enum SetFailure {
    /// `setsockopt` failed with this `errno`.
    Kernel(c_int),
    /// The kernel would take the number for a descriptor or an address.
    ReachesFurther,
    /// The value has another type than the option: PHP's type of it.
    Mistyped(Given),
    /// The value is a struct, but one that another option takes: it lacks this key of PHP's array.
    NoKey(Key),
    /// The number is no byte.
    NoByte,
    /// The number is neither a byte nor −1, the default.
    NoHops,
    /// The number is no length of 16 bits.
    NoSegment,
    /// The number cannot be an interface's index.
    NoIndex,
    /// No interface has this name.
    NoInterface,
    /// The interface has no IPv4 address, or there is none of this index: the `errno` of `ioctl`.
    NoAddress { index: u32, code: c_int },
    /// The name of a group or of a sender stands for no address.
    NoHost(Unresolved),
    /// PHP has no such filter.
    NoFilter,
}

/// A key that PHP misses in an array.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Onoff,
    Sec,
    Addr,
    Group,
    Source,
}

impl SetFailure {
    /// The value is not the struct that the option takes, in which PHP asks for `key` first.
    pub(super) fn no_struct(value: &OptionValue, key: Key) -> SetFailure {
        match value.given() {
            Given::Array => SetFailure::NoKey(key),
            given => SetFailure::Mistyped(given),
        }
    }
}

/// A reason why an option is not read.
#[derive(Clone, Copy)]
pub(super) enum GetFailure {
    /// `getsockopt` failed with this `errno`.
    Kernel(c_int),
    /// The same for `IPV6_PKTINFO`, for which PHP has another sentence.
    KernelPktinfo(c_int),
    /// The value is the number of a new descriptor, which nothing would own.
    OpensDescriptor,
    /// The kernel has written fewer than nine counters.
    ShortMeminfo,
    /// No interface has this IPv4 address.
    NoInterface([u8; 4]),
    /// The `errno` of `ioctl`, asked for an interface's index.
    NoIndex(c_int),
    /// The `errno` of `ioctl`, asked for all interfaces.
    NoList(c_int),
}

/// The name that the program has called, which the error bears.
#[derive(Clone, Copy)]
pub(super) enum Called {
    /// `socket_get_option`, `socket_set_option`
    Name,
    /// `socket_getopt`, `socket_setopt`
    Alias,
}

/// PHP's sentence under the name that was called.
macro_rules! set_site {
    ($called:expr, $message:expr) => {
        match $called {
            Called::Name => &Site { function: "socket_set_option", message: $message },
            Called::Alias => &Site { function: "socket_setopt", message: $message },
        }
    };
}

/// The same of the functions that read.
macro_rules! get_site {
    ($called:expr, $message:expr) => {
        match $called {
            Called::Name => &Site { function: "socket_get_option", message: $message },
            Called::Alias => &Site { function: "socket_getopt", message: $message },
        }
    };
}

/// PHP's sentence about a value of another type than the option has.
pub(super) type Mistyped = fn(Called, Given) -> Error;

/// A number or a value of type `$other` for an option that takes another type.
macro_rules! no {
    ($type:literal, $option:literal, $given:literal) => {
        concat!(
            "Argument #4 ($value) must be of type ",
            $type,
            " when argument #3 ($option) is ",
            $option,
            ", ",
            $given,
            " given"
        )
    };
    ($type:literal, $option:literal, "int" or $other:literal) => {
        |called, given| {
            Error::value(match given {
                Given::Int => set_site!(called, no!($type, $option, "int")),
                _ => set_site!(called, no!($type, $option, $other)),
            })
        }
    };
}

/// A number or a text for an option that takes PHP's array.
macro_rules! no_array {
    ($option:literal) => {
        no!("array", $option, "int" or "string")
    };
}

/// A number or an array for an option that takes a text.
macro_rules! no_string {
    ($option:literal) => {
        no!("string", $option, "int" or "array")
    };
}

pub(super) use {no, no_array, no_string, set_site};

/// Words a failure of `socket_set_option`, and remembers the code where PHP does.
#[cold]
pub(super) fn not_set(socket: &Socket, failure: SetFailure, mistyped: Mistyped, called: Called) -> Error {
    match failure {
        SetFailure::Kernel(code) => socket.remember(set_site!(called, "Unable to set socket option"), code),
        SetFailure::ReachesFurther => {
            Error::value(set_site!(called, "Argument #3 ($option) must not take a descriptor or an address"))
        }
        SetFailure::Mistyped(given) => mistyped(called, given),
        SetFailure::NoKey(key) => no_key(key, called),
        SetFailure::NoByte => {
            Error::value(set_site!(called, "Argument #4 ($value) must be between 0 and 255"))
        }
        SetFailure::NoHops => {
            Error::value(set_site!(called, "Argument #4 ($value) must be between -1 and 255"))
        }
        // "of" stands in PHP's text.
        SetFailure::NoSegment => {
            Error::value(set_site!(called, "Argument #4 ($value) must be of between 0 and 65535"))
        }
        SetFailure::NoIndex => Error::bare_value(set_site!(called, "Index must be between 0 and 4294967295")),
        SetFailure::NoInterface => {
            Error::plain_warning(set_site!(called, "No interface with this name could be found"))
        }
        SetFailure::NoAddress { index, code } => {
            let site = set_site!(called, "Failed obtaining address for interface {index}: error {}");
            Error::plain_warning(site).about(c_int::from_ne_bytes(index.to_ne_bytes())).and(short(code))
        }
        SetFailure::NoHost(Unresolved::Unknown(code)) => {
            socket.remember(set_site!(called, "Host lookup failed"), code)
        }
        SetFailure::NoHost(Unresolved::Nul) => {
            Error::value(set_site!(called, "Argument #4 ($value) must not contain any null bytes"))
        }
        // No internet address is too long.
        SetFailure::NoHost(Unresolved::Family | Unresolved::TooLong) => Error::bare_value(set_site!(
            called,
            "IP address used in the context of an unexpected type of socket"
        )),
        SetFailure::NoFilter => Error::plain_warning(set_site!(called, "Unsupported CBPF filter")),
    }
}

fn no_key(key: Key, called: Called) -> Error {
    match key {
        Key::Onoff => Error::value(set_site!(called, "Argument #4 ($value) must have key \"l_onoff\"")),
        Key::Sec => Error::value(set_site!(called, "Argument #4 ($value) must have key \"sec\"")),
        Key::Addr => Error::plain_warning(set_site!(
            called,
            "error converting user data (path: in6_pktinfo): The key 'addr' is required"
        )),
        Key::Group => Error::bare_value(set_site!(called, "No key \"group\" passed in optval")),
        Key::Source => Error::bare_value(set_site!(called, "No key \"source\" passed in optval")),
    }
}

/// Words a failure of `socket_get_option`, and remembers the code where PHP does.
#[cold]
pub(super) fn not_read(socket: &Socket, failure: GetFailure, called: Called) -> Error {
    match failure {
        GetFailure::Kernel(code) => {
            socket.remember(get_site!(called, "Unable to retrieve socket option"), code)
        }
        GetFailure::KernelPktinfo(code) => {
            socket.remember(get_site!(called, "unable to get socket option"), code)
        }
        GetFailure::OpensDescriptor => Error::value(get_site!(
            called,
            "Argument #3 ($option) must not be SO_PEERPIDFD, which opens a descriptor"
        )),
        GetFailure::ShortMeminfo => {
            Error::plain_warning(get_site!(called, "Unable to retrieve all socket meminfo data"))
        }
        GetFailure::NoInterface(address) => {
            let site = get_site!(called, "The interface with IP address {address} was not found");
            Error::plain_warning(site).about(c_int::from_ne_bytes(address))
        }
        GetFailure::NoIndex(code) => {
            let site = get_site!(called, "Error converting interface name to index: error {}");
            Error::plain_warning(site).about(code)
        }
        GetFailure::NoList(code) => {
            let site = get_site!(called, "Failed obtaining interfaces list: error {}");
            Error::plain_warning(site).about(code)
        }
    }
}

/// A code of Linux, none of which has more than 16 bits.
fn short(code: c_int) -> u16 {
    u16::try_from(code).unwrap_or(0)
}
