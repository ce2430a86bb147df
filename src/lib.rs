// The README's links into the repository, for readers of docs.rs; where a link is defined twice, the first one counts.
#![doc = "[introduction]: crate::lessons"]
#![doc = "[differences]: crate::php_to_rust"]
#![doc = "[contributing]: https://docs.rs/crate/php-sockets/latest/source/CONTRIBUTING.md"]
#![doc = ""]
#![doc = include_str!("../README.md")]

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")))]
compile_error!("php-sockets needs 64-bit Linux with the GNU C library, where its PHP runs too");

// The course, in the documentation alone; what its texts show of a lesson is no program of its own.
#[cfg(all(doc, not(doctest)))]
pub mod lessons;

#[cfg(all(doc, not(doctest)))]
#[doc = include_str!("php-to-rust.md")]
pub mod php_to_rust {}

// Floor 0: what C declares, PHP's constants, PHP's sentence, addresses, PHP's arrays as structs.
mod address;
mod c;
mod constants;
mod error;
mod option_types;
mod values;

// Floor 1: the descriptor that closes itself, room for what it receives, what control messages and options are in C.
mod buffer;
mod control;
mod iovec;
mod option_value;
mod optval;
mod socket;

// Floor 2: a name to an address, a line of a stream, interfaces and groups of multicast.
mod host;
mod line;
mod multicast;

// Floor 3: PHP's functions, in calling order.
mod addrinfo;
mod connection;
mod datagram;
pub mod event;
mod interop;
mod last_error;
mod life;
mod message;
mod name;
mod netdb;
mod option;
mod select;
mod stream;
mod vector;

pub use address::SocketName;
pub use addrinfo::{
    AddressDetails, AddressInfo, AddrinfoHints, Service, socket_addrinfo_bind, socket_addrinfo_connect,
    socket_addrinfo_explain, socket_addrinfo_lookup,
};
pub use connection::{socket_accept, socket_connect, socket_create_listen, socket_listen, socket_shutdown};
pub use constants::*;
pub use control::{ControlMessage, ReceivedControl};
pub use datagram::{socket_recvfrom, socket_sendto};
pub use error::{Error, ErrorKind, Result, Site};
pub use interop::{socket_export_stream, socket_import_stream};
pub use iovec::IoVec;
pub use last_error::{socket_clear_error, socket_last_error, socket_strerror};
pub use life::{socket_close, socket_create, socket_create_pair, socket_set_block, socket_set_nonblock};
pub use message::{Message, MessageName, Received, socket_cmsg_space, socket_recvmsg, socket_sendmsg};
pub use name::{socket_bind, socket_getpeername, socket_getsockname};
pub use netdb::{
    gethostbyname, gethostbynamel, getprotobyname, getprotobynumber, getservbyname, getservbyport,
};
pub use option::{socket_get_option, socket_getopt, socket_set_option, socket_setopt};
pub use option_types::{Group, Interface, Linger, Meminfo, Source, Timeval};
pub use option_value::OptionValue;
pub use select::{FdSet, SocketArray, socket_select};
pub use socket::Socket;
pub use stream::{socket_atmark, socket_read, socket_recv, socket_send, socket_write};
pub use values::{Credentials, Pktinfo};
pub use vector::{
    socket_iovec_add, socket_iovec_alloc, socket_iovec_delete, socket_iovec_fetch, socket_iovec_free,
    socket_iovec_set, socket_readv, socket_writev,
};
