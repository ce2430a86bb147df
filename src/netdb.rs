//! Name databases: hosts, protocols and services, by name and by number; and the forms of an address.

mod addresses;
mod hosts;
mod protocols;
mod services;

pub use addresses::{inet_ntop, inet_pton, ip2long, long2ip};
pub use hosts::{gethostbyaddr, gethostbyname, gethostbynamel, gethostname};
pub use protocols::{getprotobyname, getprotobynumber};
pub use services::{getservbyname, getservbyport};
