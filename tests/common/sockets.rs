//! Sockets to begin with.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use php_sockets::*;

use super::in_child;

/// A socket bound to a free port of 127.0.0.1, and its name.
pub(crate) fn bound(kind: c_int) -> (Socket, SocketName) {
    let socket = socket_create(AF_INET, kind, 0).expect("a socket");
    socket_bind(&socket, "127.0.0.1", 0).expect("a free port");
    let name = socket_getsockname(&socket).expect("a name");
    (socket, name)
}

/// A listener on a free port of 127.0.0.1, and its port.
pub(crate) fn listener() -> (Socket, u16) {
    let (socket, name) = bound(SOCK_STREAM);
    socket_listen(&socket, 5).expect("listening");
    (socket, name.port)
}

/// The two ends of a TCP connection over 127.0.0.1: who called, and who answered.
pub(crate) fn connection() -> (Socket, Socket) {
    let (listener, port) = listener();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");
    let server = socket_accept(&listener).expect("the connection");
    (client, server)
}

/// Two connected `AF_UNIX` sockets.
pub(crate) fn pair(kind: c_int) -> (Socket, Socket) {
    socket_create_pair(AF_UNIX, kind, 0).expect("a pair")
}

/// A port of 127.0.0.1 whose socket is bound and does not listen. It stays so while the socket lives.
pub(crate) fn closed_port() -> (Socket, u16) {
    let (socket, name) = bound(SOCK_STREAM);
    (socket, name.port)
}

/// A descriptor that is no socket.
pub(crate) fn no_socket() -> Socket {
    Socket::from(std::os::fd::OwnedFd::from(
        std::fs::File::options().read(true).write(true).open("/dev/null").expect("/dev/null"),
    ))
}

/// A socket of a family that PHP does not know.
pub(crate) fn foreign_socket() -> Socket {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: `socket` takes three numbers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    assert_ne!(fd, -1, "a netlink socket");
    // SAFETY: the descriptor was just opened and has no other owner.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A socket of `AF_PACKET`. Without the right to one, it comes from a child process in a user and network namespace of
/// its own, which has the right and hands the socket over.
pub(crate) fn packet_socket(protocol: c_int) -> Socket {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    if let Ok(socket) = socket_create(AF_PACKET, SOCK_DGRAM, protocol) {
        return socket;
    }
    socket_clear_error(None);
    let (here, there) = pair(SOCK_STREAM);
    let sent = in_child(|| {
        // SAFETY: the call takes a number.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) }, 0);
        let socket = socket_create(AF_PACKET, SOCK_DGRAM, protocol).expect("root of a namespace");
        with_descriptor_message(there.as_raw_fd(), socket.as_raw_fd(), |there, message| {
            // SAFETY: `message` and all that it points at outlive the call.
            assert_eq!(unsafe { libc::sendmsg(there, message, 0) }, 1);
        });
        1
    });
    assert_eq!(sent, 1, "AF_PACKET needs root, or the right to make user namespaces");
    let fd = with_descriptor_message(here.as_raw_fd(), -1, |here, message| {
        // SAFETY: `message` and all that it points at outlive the call.
        assert_eq!(unsafe { libc::recvmsg(here, message, libc::MSG_CMSG_CLOEXEC) }, 1);
    });
    // SAFETY: the descriptor has just been received and has no other owner.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls `act` with a message of one byte and one descriptor, and gives the descriptor that is in it afterwards.
fn with_descriptor_message(socket: c_int, fd: c_int, act: impl FnOnce(c_int, *mut libc::msghdr)) -> c_int {
    let mut byte = [0_u8];
    let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let mut control = [0_u64; 3];
    // SAFETY: all zeros is a valid `msghdr`.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // A `cmsghdr` is a length, a level and a type; the descriptor follows.
    control[0] = 20;
    control[1] = 1 | 1 << 32;
    control[2] = u64::from(u32::from_ne_bytes(fd.to_ne_bytes()));
    act(socket, &raw mut message);
    i32::from_ne_bytes(control[2].to_ne_bytes()[..4].try_into().expect("4 bytes"))
}

/// A second descriptor of a socket, with this number, which must be free.
pub(crate) fn numbered(socket: &Socket, number: c_int) -> Socket {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    // SAFETY: fcntl takes numbers here; the new descriptor is the first free one from `number` on.
    let fd = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, number) };
    assert_eq!(fd, number);
    // SAFETY: the descriptor was just made and has no other owner.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}
