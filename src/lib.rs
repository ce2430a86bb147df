// The README's links into the repository, for readers of docs.rs; where a link is defined twice, the first one counts.
#![doc = "[introduction]: crate::lessons"]
#![doc = "[lesson 03]: crate::lessons::lesson_03"]
#![doc = "[differences]: crate::php_to_rust"]
#![doc = "[porting guide]: crate::php_to_rust#porting-a-php-socket-daemon"]
#![doc = "[contributing]: https://docs.rs/crate/php-sockets/latest/source/CONTRIBUTING.md"]
#![doc = ""]
#![doc = include_str!("../README.md")]
// The README's table links each function to its section of a file; here that is a page beside this one.
#![doc = ""]
#![doc = "<script>for (const link of document.querySelectorAll('a[href^=\"src/php-to-rust.md#\"]'))"]
#![doc = "link.href = 'php_to_rust/index.html' + link.hash;</script>"]

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
compile_error!("php-sockets needs 64-bit Linux with the GNU C library, where its PHP runs too");

// The course, in the documentation only. The code in its texts is a part of a lesson, not a program to test.
#[cfg(all(doc, not(doctest)))]
pub mod lessons;

// The differences, and how to port a program. The blocks of this page are tested; its links lead within it here.
#[cfg(doc)]
#[doc = "[porting guide]: #porting-a-php-socket-daemon"]
#[doc = "[events]: #events"]
#[doc = "[Ports out of text]: #ports-out-of-text"]
#[doc = "[lesson 12]: crate::lessons::lesson_12"]
#[doc = ""]
#[doc = include_str!("php-to-rust.md")]
#[doc = include_str!("php-to-rust-porting.md")]
pub mod php_to_rust {}

// The modules below the functions: PHP's nullable arguments, its constants, its sentence, the descriptor that closes
// itself, C.
mod arguments;
mod constants;
mod error;
mod socket;
mod sys;

// The laws that the unit tests and the fuzz targets share; cargo-fuzz sets `fuzzing`.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../tests/models/inside.rs"]
pub mod inside;

#[cfg(test)]
#[path = "../tests/common/watchdog.rs"]
mod watchdog;

// PHP's functions, in calling order.
mod addrinfo;
mod bind;
mod connection;
mod create;
mod datagram;
pub mod event;
mod iovec;
mod message;
mod netdb;
mod options;
mod select;
mod std_streams;
mod transfer;

pub use addrinfo::{
    AddressDetails, AddressInfo, AddrinfoHints, Service, socket_addrinfo_bind, socket_addrinfo_connect,
    socket_addrinfo_explain, socket_addrinfo_lookup,
};
pub use arguments::{Port, Seconds, SocketRef};
pub use bind::{socket_bind, socket_getpeername, socket_getsockname};
pub use connection::{socket_accept, socket_connect, socket_create_listen, socket_listen, socket_shutdown};
pub use constants::*;
pub use create::{socket_close, socket_create, socket_create_pair, socket_set_block, socket_set_nonblock};
pub use datagram::{socket_recvfrom, socket_sendto};
pub use error::last_error::{socket_clear_error, socket_last_error, socket_strerror};
pub use error::{Error, ErrorKind, Result, Site};
pub use iovec::{
    IoVec, IoVecIter, socket_iovec_add, socket_iovec_alloc, socket_iovec_delete, socket_iovec_fetch,
    socket_iovec_free, socket_iovec_set, socket_readv, socket_writev,
};
pub use message::{
    ControlMessage, Message, MessageName, Received, ReceivedControl, socket_cmsg_space, socket_recvmsg,
    socket_sendmsg,
};
pub use netdb::{
    gethostbyaddr, gethostbyname, gethostbynamel, gethostname, getprotobyname, getprotobynumber,
    getservbyname, getservbyport, inet_ntop, inet_pton, ip2long, long2ip,
};
pub use options::{
    Credentials, Group, Interface, Linger, Meminfo, OptionArgument, OptionValue, Pktinfo, Source, Timeval,
    socket_get_option, socket_getopt, socket_set_option, socket_setopt,
};
pub use select::{FdSet, SocketArray, SocketHandle, socket_select};
pub use socket::Socket;
pub use std_streams::{socket_export_stream, socket_import_stream};
pub use sys::name::{Address, SocketName};
pub use transfer::{socket_atmark, socket_read, socket_recv, socket_send, socket_write};
