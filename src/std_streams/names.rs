//! Conversion from and to the addresses of `std`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::{Error, Result, Site};
use crate::sys::name::{Address, SocketName};
use crate::sys::sockaddr::inet_ntop;

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Address {
        inet_ntop(&address.octets())
    }
}

/// The text is the C library's, as of every address here; `std` writes `::1.2.3.4` in another way.
impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Address {
        inet_ntop(&address.octets())
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => address.into(),
        }
    }
}

/// The scope and the flow of an IPv6 address get lost.
impl From<SocketAddr> for SocketName {
    fn from(address: SocketAddr) -> SocketName {
        let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        SocketName { address: address.ip().into(), port: address.port(), family }
    }
}

/// An error of kind [`Value`](crate::ErrorKind::Value) for a name of another family than `AF_INET` and `AF_INET6`.
impl TryFrom<&SocketName> for SocketAddr {
    type Error = Error;

    fn try_from(name: &SocketName) -> Result<SocketAddr> {
        let text = name.address.as_str().unwrap_or_default();
        let address = match name.family {
            libc::AF_INET => text.parse().map(IpAddr::V4).ok(),
            libc::AF_INET6 => text.parse().map(IpAddr::V6).ok(),
            _ => None,
        };
        let address = address.ok_or_else(|| {
            Error::value(&Site {
                function: "SocketAddr::try_from",
                message: "the name must be one of AF_INET or AF_INET6",
            })
        })?;
        Ok(SocketAddr::new(address, name.port))
    }
}

/// As for a reference.
impl TryFrom<SocketName> for SocketAddr {
    type Error = Error;

    fn try_from(name: SocketName) -> Result<SocketAddr> {
        SocketAddr::try_from(&name)
    }
}
