#![doc = include_str!("../README.md")]

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
compile_error!(
    "php-sockets needs Linux with the GNU C library: it follows PHP on such a machine, number by number"
);

// Floor 0: what C declares, PHP's constants, PHP's sentence, addresses.
mod address;
mod c;
mod constants;
mod error;

// Floor 1: the descriptor that closes itself, and room for what it receives.
mod buffer;
mod socket;

// Floor 2: a name to an address, and a line of a stream.
mod host;
mod line;

// Floor 3: PHP's functions, in calling order.
mod addrinfo;
mod connection;
mod datagram;
mod interop;
mod last_error;
mod life;
mod name;
mod netdb;
mod select;
mod stream;

pub use address::SocketName;
pub use addrinfo::{
    AddressDetails, AddressInfo, AddrinfoHints, Service, socket_addrinfo_bind, socket_addrinfo_connect,
    socket_addrinfo_explain, socket_addrinfo_lookup,
};
pub use connection::{socket_accept, socket_connect, socket_create_listen, socket_listen, socket_shutdown};
pub use constants::*;
pub use datagram::{socket_recvfrom, socket_sendto};
pub use error::{Error, ErrorKind, Result, Site};
pub use interop::{socket_export_stream, socket_import_stream};
pub use last_error::{socket_clear_error, socket_last_error, socket_strerror};
pub use life::{socket_close, socket_create, socket_create_pair, socket_set_block, socket_set_nonblock};
pub use name::{socket_bind, socket_getpeername, socket_getsockname};
pub use netdb::{
    gethostbyname, gethostbynamel, getprotobyname, getprotobynumber, getservbyname, getservbyport,
};
pub use select::{FdSet, SocketArray, socket_select};
pub use socket::Socket;
pub use stream::{socket_atmark, socket_read, socket_recv, socket_send, socket_write};
