#![doc = include_str!("../README.md")]

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
compile_error!(
    "php-sockets needs Linux with the GNU C library: it follows PHP on such a machine, number by number"
);

// Floor 0: what C declares, PHP's constants, PHP's sentence, addresses, options' structs.
mod address;
mod c;
mod constants;
mod error;
mod option_types;
mod values;

// Floor 1: the descriptor that closes itself, room for what it receives, options' values in Rust and in C.
mod buffer;
mod option_value;
mod optval;
mod socket;

// Floor 2: a name to an address, a line of a stream, interfaces and groups of multicast.
mod host;
mod line;
mod multicast;

// Floor 3: PHP's functions, in calling order.
mod connection;
mod datagram;
mod last_error;
mod life;
mod name;
mod netdb;
mod option;
mod select;
mod stream;

pub use address::SocketName;
pub use connection::{socket_accept, socket_connect, socket_create_listen, socket_listen, socket_shutdown};
pub use constants::*;
pub use datagram::{socket_recvfrom, socket_sendto};
pub use error::{Error, ErrorKind, Result, Site};
pub use last_error::{socket_clear_error, socket_last_error, socket_strerror};
pub use life::{socket_close, socket_create, socket_create_pair, socket_set_block, socket_set_nonblock};
pub use name::{socket_bind, socket_getpeername, socket_getsockname};
pub use netdb::{getprotobyname, getprotobynumber};
pub use option::{socket_get_option, socket_getopt, socket_set_option, socket_setopt};
pub use option_types::{Group, Interface, Linger, Meminfo, Source, Timeval};
pub use option_value::OptionValue;
pub use select::{FdSet, SocketArray, socket_select};
pub use socket::Socket;
pub use stream::{socket_atmark, socket_read, socket_recv, socket_send, socket_write};
pub use values::{Credentials, Pktinfo};
