//! PHP's `$address` and `$port` out-parameters: text that may be bytes, and the name of one end of a socket.

use std::borrow::Borrow;
use std::ffi::{OsStr, OsString, c_int};
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// An address as PHP's functions return it: an IP address as text, a path, or the name of a host or an
/// interface. The names that are values of options have this type too.
///
/// - `{address}` prints it, and `to_string` makes a `String` of it. A path may be bytes that are not UTF-8:
///   each wrong sequence is shown as `U+FFFD`, as by `OsStr::to_string_lossy`.
/// - `==` compares it with a `&str`, a `String` or an `OsStr`.
/// - [`as_str`](Address::as_str) is the text for a parser, `None` if it is not UTF-8;
///   [`as_bytes`](Address::as_bytes) are the bytes as they are.
/// - It goes back into every function that takes an address, and `&address` is data for
///   [`socket_write`](crate::socket_write) too.
/// - It dereferences to `OsStr`, so `is_empty`, `len` and the rest are there.
///
/// It is no `AsRef<str>` and no `Into<String>`, because a path may be bytes. Where `impl Into<String>` is wanted, write
/// `address.to_string()`.
///
/// As the key of a map it is found by an address or an `OsStr`: `map.remove(&Address::from("127.0.0.1"))`,
/// `map.remove(OsStr::new("127.0.0.1"))`. A `&str` does not compile there.
///
/// ```
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_connect(&client, "127.0.0.1", socket_getsockname(&listener)?.port)?;
///
/// let address: Address = socket_getpeername(&client)?.address;
/// assert_eq!(address, "127.0.0.1");
/// assert_eq!(format!("connected to {address}"), "connected to 127.0.0.1");
/// assert!(address.as_str().is_some_and(|text| text.starts_with("127.")));
///
/// let server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
/// socket_bind(&server, &address, 0)?;
/// # Ok::<(), Error>(())
/// ```
///
/// An address off the wire is bytes: `Address::from(bytes)`. A path that is not UTF-8 can be opened and removed, but
/// its text is not the path.
///
/// ```
/// use php_sockets::*;
///
/// let wire = b"\x09127.0.0.1"; // a length, then the address
/// let address = Address::from(&wire[1..]);
/// assert_eq!(inet_pton(&address), Some(vec![127, 0, 0, 1]));
///
/// let address = Address::from(b"/tmp/\xff");
/// assert_eq!(address.to_string(), "/tmp/\u{fffd}");
/// assert_eq!(address.as_str(), None);
/// assert_eq!(address.as_bytes(), b"/tmp/\xff");
/// ```
///
/// [Lesson 03](crate::lessons::lesson_03) · [php.net: socket_getsockname](https://www.php.net/socket_getsockname) ·
/// [sockaddr(3type)](https://man7.org/linux/man-pages/man3/sockaddr.3type.html)
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(OsString);

impl Address {
    /// The text; `None` if it is not UTF-8, as a path may be.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.to_str()
    }

    /// The bytes, as in PHP's string.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Deref for Address {
    type Target = OsStr;

    fn deref(&self) -> &OsStr {
        &self.0
    }
}

/// The text; each sequence that is not UTF-8 as `U+FFFD`. A width pads it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string_lossy())
    }
}

/// In quotes, as an `OsStr` is.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<OsStr> for Address {
    fn as_ref(&self) -> &OsStr {
        &self.0
    }
}

impl AsRef<Path> for Address {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

/// The bytes, as data to send.
impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<OsStr> for Address {
    fn borrow(&self) -> &OsStr {
        &self.0
    }
}

/// Conversions from the types that an address is made of.
macro_rules! from {
    ($($source:ty)*) => {$(
        impl From<$source> for Address {
            fn from(address: $source) -> Address {
                Address(address.into())
            }
        }
    )*};
}

from!(OsString &OsStr String &str PathBuf);

/// The bytes of PHP's string, such as an address that came over the network.
impl From<&[u8]> for Address {
    fn from(bytes: &[u8]) -> Address {
        OsStr::from_bytes(bytes).into()
    }
}

/// A literal, `b"\0name"`.
impl<const N: usize> From<&[u8; N]> for Address {
    fn from(bytes: &[u8; N]) -> Address {
        bytes.as_slice().into()
    }
}

/// The bytes of PHP's string, without a copy.
impl From<Vec<u8>> for Address {
    fn from(bytes: Vec<u8>) -> Address {
        Address(OsString::from_vec(bytes))
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Address {
        Address(path.into())
    }
}

impl From<Address> for OsString {
    fn from(address: Address) -> OsString {
        address.0
    }
}

impl From<Address> for PathBuf {
    fn from(address: Address) -> PathBuf {
        address.0.into()
    }
}

/// Comparisons with the types of text, from both sides.
macro_rules! compared {
    ($($text:ty)*) => {$(
        impl PartialEq<$text> for Address {
            fn eq(&self, other: &$text) -> bool {
                self.as_bytes() == OsStr::new(other).as_bytes()
            }
        }

        impl PartialEq<Address> for $text {
            fn eq(&self, other: &Address) -> bool {
                other == self
            }
        }
    )*};
}

compared!(str &str String OsStr &OsStr OsString Path &Path PathBuf);

/// The name of one end of a socket: PHP's `$address` and `$port` out-parameters, and the family they belong to.
///
/// `Display` writes `127.0.0.1:80`, `[::1]:80`, or the path of an `AF_UNIX` socket. The name of an unbound internet
/// socket is `0.0.0.0:0` or `[::]:0`, as in PHP. Names are ordered by address, as text, and then by port.
///
/// ```
/// use php_sockets::*;
///
/// let socket = socket_create(AF_INET6, SOCK_STREAM, SOL_TCP)?;
/// socket_bind(&socket, "::ffff:127.0.0.1", 0)?;
///
/// let name = socket_getsockname(&socket)?;
/// assert_eq!(name.address, "::ffff:127.0.0.1");
/// assert_eq!(name.family, AF_INET6);
/// assert_eq!(name.to_string(), format!("[::ffff:127.0.0.1]:{}", name.port));
/// # Ok::<(), Error>(())
/// ```
///
/// A name of `AF_INET` or `AF_INET6` converts into a [`SocketAddr`](std::net::SocketAddr) of `std`; one of another family is an error of
/// kind [`Value`](crate::ErrorKind::Value). Every `SocketAddr` converts into a name. The scope of an IPv6 address
/// gets lost, because PHP's address has none.
///
/// ```
/// use std::net::SocketAddr;
/// use php_sockets::*;
///
/// let listener = socket_create_listen(0, SOMAXCONN)?;
/// let name = socket_getsockname(&listener)?;
///
/// let address = SocketAddr::try_from(&name)?;
/// assert!(address.ip().is_unspecified());
/// assert_eq!(SocketName::from(address), name);
///
/// let (unix, _) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// assert!(SocketAddr::try_from(socket_getsockname(&unix)?).is_err());
/// # Ok::<(), Error>(())
/// ```
///
/// [php.net: socket_getsockname](https://www.php.net/socket_getsockname) ·
/// [sockaddr(3type)](https://man7.org/linux/man-pages/man3/sockaddr.3type.html)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SocketName {
    /// The address as text, the path of an `AF_UNIX` socket, or the interface of an `AF_PACKET` one.
    ///
    /// Empty for an `AF_UNIX` socket without a name and, as in PHP, for one with an abstract name.
    pub address: Address,
    /// The port, in host byte order. For `AF_UNIX`, which has none, it is 0, where PHP leaves its `$port` as it was:
    /// ask [`family`](SocketName::family) whether there is a port. For `AF_PACKET` it is the interface's index, 0 if it
    /// is larger than 65535.
    pub port: u16,
    /// `AF_INET`, `AF_INET6`, `AF_UNIX` or `AF_PACKET`.
    pub family: c_int,
}

impl fmt::Display for SocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketName { address, port, family } = self;
        match *family {
            libc::AF_INET => write!(f, "{address}:{port}"),
            libc::AF_INET6 => write!(f, "[{address}]:{port}"),
            _ => address.fmt(f),
        }
    }
}
