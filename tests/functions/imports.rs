//! A program that imports every function by name.

#[allow(unused_imports, reason = "that the names exist is the test")]
use php_sockets::{
    gethostbyname, gethostbynamel, getprotobyname, getprotobynumber, getservbyname, getservbyport,
    socket_accept, socket_addrinfo_bind, socket_addrinfo_connect, socket_addrinfo_explain,
    socket_addrinfo_lookup, socket_atmark, socket_bind, socket_clear_error, socket_close, socket_connect,
    socket_create, socket_create_listen, socket_create_pair, socket_export_stream, socket_getpeername,
    socket_getsockname, socket_import_stream, socket_last_error, socket_listen, socket_read, socket_recv,
    socket_recvfrom, socket_select, socket_send, socket_sendto, socket_set_block, socket_set_nonblock,
    socket_shutdown, socket_strerror, socket_write,
};

use crate::common;

#[test]
fn every_function_can_be_imported_by_name() {
    let list = include_str!("imports.rs");
    let function = regex::Regex::new(r"(?m)^pub fn (\w+)").unwrap();
    for (path, text) in common::sources() {
        for found in function.captures_iter(&text) {
            let name = regex::Regex::new(&format!(r"\W{}[,\n]", &found[1])).unwrap();
            assert!(name.is_match(list), "{} of {} is not imported here", &found[1], path.display());
        }
    }
}
