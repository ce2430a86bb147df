//! Name databases: hosts, services and protocols, by name and by number. All of it is safe from several threads at
//! once.

mod hosts;
mod protocols;
mod services;

use std::ffi::{c_char, c_int};

pub use hosts::{gethostbyname, gethostbynamel};
pub use protocols::{getprotobyname, getprotobynumber};
pub use services::{getservbyname, getservbyport};

/// The room that an entry gets at first, in bytes.
const ROOM: usize = 1024;

/// Doubles the buffer if the entry did not fit.
fn more_room(status: c_int, buffer: &mut Vec<c_char>) -> bool {
    let again = status == libc::ERANGE && buffer.len() < 1 << 20;
    if again {
        buffer.resize(buffer.len() * 2, 0);
    }
    again
}
