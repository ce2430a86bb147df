//! Name databases: hosts, protocols and services, by name and by number.

mod hosts;
mod protocols;
mod services;

pub use hosts::{gethostbyname, gethostbynamel};
pub use protocols::{getprotobyname, getprotobynumber};
pub use services::{getservbyname, getservbyport};
