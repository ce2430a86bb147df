//! `AF_PACKET`, where PHP 8.5 takes it.

use php_sockets::*;

use crate::common;

#[test]
fn a_packet_socket_is_bound_to_an_interface_by_name() {
    let socket = common::packet_socket(ETH_P_ALL);

    socket_bind(&socket, "lo", 0).unwrap();

    let name = socket_getsockname(&socket).unwrap();
    assert_eq!((name.to_string().as_str(), name.port, name.family), ("lo", 1, AF_PACKET));
    assert_eq!(protocol(&socket), 3_u16.to_be(), "ETH_P_ALL reached the kernel in network byte order");
}

#[test]
fn a_protocol_that_does_not_fit_goes_to_the_kernel_as_it_is() {
    assert_eq!(protocol(&common::packet_socket(0x1_0008)), 8);
}

#[test]
fn an_unknown_interface_means_all_of_them() {
    let socket = common::packet_socket(0);

    socket_bind(&socket, "nosuch0", 0).unwrap();

    assert_eq!(socket_getsockname(&socket).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn packets_are_neither_sent_nor_received_by_name() {
    let socket = common::packet_socket(0);

    assert_eq!(socket_sendto(&socket, "x", 1, 0, "lo", None).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(socket_recvfrom(&socket, &mut Vec::new(), 1, 0).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(socket_connect(&socket, "lo", None).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(socket_getpeername(&socket).unwrap_err().code(), SOCKET_EOPNOTSUPP);
}

fn protocol(socket: &Socket) -> u16 {
    use std::os::fd::AsRawFd;
    // SAFETY: all zeros is a valid `sockaddr_ll`.
    let mut name: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut len = libc::socklen_t::try_from(size_of_val(&name)).unwrap();
    // SAFETY: `name` is writable for the `len` bytes given; both outlive the call.
    unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut name).cast(), &raw mut len) };
    name.sll_protocol
}
