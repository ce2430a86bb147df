//! A program that imports every function by name.

#[allow(unused_imports, reason = "that the names exist is the test")]
use php_sockets::{
    gethostbyaddr, gethostbyname, gethostbynamel, gethostname, getprotobyname, getprotobynumber,
    getservbyname, getservbyport, inet_ntop, inet_pton, ip2long, long2ip, socket_accept,
    socket_addrinfo_bind, socket_addrinfo_connect, socket_addrinfo_explain, socket_addrinfo_lookup,
    socket_atmark, socket_bind, socket_clear_error, socket_close, socket_cmsg_space, socket_connect,
    socket_create, socket_create_listen, socket_create_pair, socket_export_stream, socket_get_option,
    socket_getopt, socket_getpeername, socket_getsockname, socket_import_stream, socket_iovec_add,
    socket_iovec_alloc, socket_iovec_delete, socket_iovec_fetch, socket_iovec_free, socket_iovec_set,
    socket_last_error, socket_listen, socket_read, socket_readv, socket_recv, socket_recvfrom,
    socket_recvmsg, socket_select, socket_send, socket_sendmsg, socket_sendto, socket_set_block,
    socket_set_nonblock, socket_set_option, socket_setopt, socket_shutdown, socket_strerror, socket_write,
    socket_writev,
};

use crate::common;

#[test]
fn every_function_can_be_imported_by_name() {
    let list = include_str!("imports.rs");
    let function = regex::Regex::new(r"(?m)^pub fn (\w+)").unwrap();
    for (path, text) in common::sources() {
        for found in function.captures_iter(&text) {
            let named = list
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == &found[1]);
            assert!(named, "{} of {} is not imported here", &found[1], path.display());
        }
    }
}
