//! The parts of C that the functions use: the `libc` crate's gaps, socket addresses, name databases, the resolver.

pub(crate) mod entry;
pub(crate) mod ffi;
pub(crate) mod name;
pub(crate) mod resolver;
pub(crate) mod sockaddr;
