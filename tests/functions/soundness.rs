//! Harm that safe code cannot do, whatever flag, option or descriptor it passes: the kernel keeps no memory, counts no
//! byte into a buffer that it did not write, and takes no number for a descriptor or an address.

use std::ffi::c_int;
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};

use php_sockets::*;

use crate::common;
use crate::common::network::in_own_network;

/// Every flag that a `c_int` can hold, alone.
fn flags() -> impl Iterator<Item = c_int> {
    (0..32).map(|bit| 1 << bit)
}

#[test]
fn no_flag_makes_the_kernel_keep_memory_that_was_sent() {
    for flag in flags() {
        let (here, _there) = common::connection();
        socket_set_option(&here, SOL_SOCKET, SO_ZEROCOPY, 1).unwrap();
        socket_set_nonblock(&here).unwrap();
        let data = vec![b'x'; 100_000];
        let iov = IoVec::from([&data]);
        let name = socket_getpeername(&here).unwrap();

        let sent = [
            socket_send(&here, &data, data.len(), flag),
            socket_sendto(&here, &data, data.len(), flag, &name.address, name.port),
            socket_sendmsg(&here, &Message::new().iov(&iov), flag),
        ];

        if flag == MSG_ZEROCOPY {
            assert!(sent.iter().all(|sent| sent.unwrap_err().kind() == ErrorKind::Value));
        }
        // The kernel says in the error queue when it has done with memory that it kept.
        let mut note = Received::new(socket_iovec_alloc(&[1]).unwrap(), 100).unwrap();
        let error = socket_recvmsg(&here, &mut note, MSG_ERRQUEUE | MSG_DONTWAIT).unwrap_err();
        assert_eq!(error.code(), SOCKET_EAGAIN, "flag {flag:#x}");
    }
}

#[test]
fn no_flag_lets_a_buffer_hold_what_was_in_its_memory_before() {
    const OLD: u8 = 0xAA;
    let pairs = [common::connection, || common::pair(SOCK_STREAM), || common::pair(SOCK_DGRAM)];
    for (flag, pair) in flags().flat_map(|flag| pairs.map(|pair| (flag, pair))) {
        let received = |receive: &dyn Fn(&Socket, Vec<u8>) -> Vec<u8>| {
            let (here, there) = pair();
            socket_write(&here, "new", None).unwrap();
            socket_close(here);
            let mut memory = vec![OLD; 100];
            memory.clear();
            let held = receive(&there, memory);
            assert!(!held.contains(&OLD), "flag {flag:#x}: {held:?}");
        };
        let flag = flag | MSG_DONTWAIT;

        received(&|there, mut data| {
            let count = socket_recv(there, &mut data, 100, flag).unwrap_or_default();
            assert!(count == data.len() || flag & MSG_TRUNC != 0);
            data
        });
        received(&|there, mut data| {
            let _ = socket_recvfrom(there, &mut data, 100, flag);
            data
        });
        received(&|there, data| {
            let mut iov = IoVec::from([vec![OLD; 100]]);
            drop(data);
            // The old bytes stay in the element's memory, and count as none.
            let (empty, full) = common::pair(SOCK_DGRAM);
            socket_write(&empty, "", None).unwrap();
            socket_readv(&full, &mut iov).unwrap();
            let mut message = Received::new(iov, 100).unwrap();
            let _ = socket_recvmsg(there, &mut message, flag);
            message.iov().iter().collect::<Vec<_>>().concat()
        });
    }
}

/// Runs the test of this name in a process with a network of its own. `false` there, where its body is to run.
pub(crate) fn is_begun_elsewhere(name: &str) -> bool {
    const WITHIN: &str = "PHP_SOCKETS_WITHIN_ITS_OWN_NETWORK";
    if std::env::var_os(WITHIN).is_some() {
        return false;
    }
    let this = std::env::current_exe().unwrap();
    let mut command = in_own_network("", &[this.into()], &["--exact", name, "--nocapture"]);
    let output = command.env(WITHIN, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
    true
}

/// A connection in TCP's repair mode, with much in its send queue: `MSG_PEEK` counts all of that, whatever the length.
fn repaired() -> (Socket, Socket) {
    const TCP_REPAIR_QUEUE: c_int = 20;
    const TCP_SEND_QUEUE: c_int = 2;
    let (here, there) = common::connection();
    socket_set_nonblock(&here).unwrap();
    while socket_write(&here, vec![b'x'; 100_000], None).is_ok() {}
    socket_set_block(&here).unwrap();
    socket_set_option(&here, SOL_TCP, TCP_REPAIR, 1).unwrap();
    socket_set_option(&here, SOL_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE).unwrap();
    (here, there)
}

#[test]
fn a_count_that_exceeds_the_buffer_makes_no_length() {
    if is_begun_elsewhere("soundness::a_count_that_exceeds_the_buffer_makes_no_length") {
        return;
    }
    let (socket, _peer) = repaired();

    let mut data = Vec::new();
    assert_eq!(socket_recv(&socket, &mut data, 16, MSG_PEEK).unwrap(), 16);
    assert_eq!(data, [b'x'; 16]);
    assert!(
        socket_recv(&socket, &mut data, 16, MSG_PEEK | MSG_TRUNC).unwrap() > 16,
        "it is the kernel's count"
    );
    assert_eq!(data, [b'x'; 16]);

    let (count, _) = socket_recvfrom(&socket, &mut data, 20, MSG_PEEK).unwrap();
    assert_eq!((count, data.as_slice()), (20, &[b'x'; 20][..]));

    let mut message = Received::new(socket_iovec_alloc(&[3, 5]).unwrap(), 64).unwrap();
    assert_eq!(socket_recvmsg(&socket, &mut message, MSG_PEEK).unwrap(), 8);
    assert!(message.iov().iter().eq([&b"xxx"[..], &b"xxxxx"[..]]));

    // Peeking finds a line longer than its own memory; the kernel then gives none of it.
    assert_eq!(socket_read(&socket, 30, PHP_NORMAL_READ).unwrap_err().code(), SOCKET_EPERM);
    assert_eq!(socket_read(&socket, 1 << 20, PHP_NORMAL_READ).unwrap_err().code(), SOCKET_EPERM);
}

/// A socket of any family, if this machine has it.
fn any(family: c_int, kind: c_int, protocol: c_int) -> Option<Socket> {
    // SAFETY: `socket` takes three numbers.
    let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    // SAFETY: the descriptor was just opened and belongs to no other code.
    (fd != -1).then(|| Socket::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Sockets of every family that may be had, and the two ends of a connection.
fn sockets() -> Vec<Socket> {
    const MPTCP: c_int = 262;
    let (here, there) = common::pair(SOCK_STREAM);
    let (client, server) = common::connection();
    let mut sockets = vec![here, there, client, server];
    for (family, protocol) in [(AF_INET, 0), (AF_INET6, 0), (AF_INET, MPTCP), (AF_INET, 132), (AF_PACKET, 0)]
    {
        sockets
            .extend([SOCK_STREAM, SOCK_DGRAM].map(|kind| any(family, kind, protocol)).into_iter().flatten());
    }
    let raw = [any(AF_INET, SOCK_RAW, IPPROTO_ICMP), any(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)];
    sockets.extend(raw.into_iter().flatten());
    let families =
        [libc::AF_NETLINK, libc::AF_ALG, libc::AF_VSOCK, libc::AF_XDP, libc::AF_CAN, libc::AF_TIPC];
    for family in families {
        let kinds = [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW];
        sockets.extend(kinds.map(|kind| any(family, kind, 0)).into_iter().flatten());
    }
    sockets
}

/// Levels of Linux' protocols, and the options that they may have.
fn options() -> impl Iterator<Item = (c_int, c_int)> {
    let levels = [0, 1, 6, 17, 41, 58, 132, 136, 255].into_iter().chain(260..=290);
    levels.flat_map(|level| (0..=260).map(move |option| (level, option)))
}

#[test]
fn no_option_takes_a_number_for_a_descriptor_or_an_address() {
    if is_begun_elsewhere("soundness::no_option_takes_a_number_for_a_descriptor_or_an_address") {
        return;
    }
    // No descriptor has this number, and no memory this address.
    let number = 1_000_000;
    // SO_DEVMEM_DONTNEED means by EBADF that the socket is not a TCP one.
    let devmem = (SOL_SOCKET, 80);

    let mut taken = 0;
    for socket in sockets() {
        for (level, option) in options() {
            match socket_set_option(&socket, level, option, number) {
                Ok(()) => taken += 1,
                Err(error) => assert!(
                    (level, option) == devmem || ![SOCKET_EBADF, SOCKET_EFAULT].contains(&error.code()),
                    "level {level}, option {option} of {socket:?}: {error}"
                ),
            }
        }
    }

    assert!(taken > 500, "most options are plain numbers: {taken}");
}

#[test]
fn options_known_to_take_more_than_a_number_are_refused() {
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    let sol_packet = libc::SOL_PACKET;
    let tables = [64, 65, 96, 97, 128, 129].map(|option| (IPPROTO_IP, option));
    let more = [(SOL_SOCKET, 50), (SOL_SOCKET, 52), (sol_packet, 22), (IPPROTO_IPV6, 64), (IPPROTO_IPV6, 65)];

    for (level, option) in tables.into_iter().chain(more) {
        let error = socket_set_option(&socket, level, option, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "level {level}, option {option}");
    }
}

#[test]
fn no_option_opens_a_descriptor() {
    if is_begun_elsewhere("soundness::no_option_opens_a_descriptor") {
        return;
    }
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let sockets = sockets();
    let before = open();

    for (socket, (level, option)) in
        sockets.iter().flat_map(|socket| options().map(move |option| (socket, option)))
    {
        let _ = socket_get_option(socket, level, option);
    }

    assert_eq!(open(), before);
    let error = socket_get_option(&sockets[0], SOL_SOCKET, 77).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
}

#[test]
fn a_descriptor_that_is_no_socket_gets_no_request_for_sockets() {
    let file = Socket::from(OwnedFd::from(File::open("/dev/null").unwrap()));

    assert_eq!(socket_atmark(&file).unwrap_err().code(), SOCKET_ENOTSOCK);
    let error = socket_set_option(&file, IPPROTO_IP, IP_MULTICAST_IF, 1).unwrap_err();
    assert_eq!(error.to_string(), "socket_set_option(): Failed obtaining address for interface 1: error 88");
    assert_eq!(socket_get_option(&file, IPPROTO_IP, IP_MULTICAST_IF).unwrap_err().code(), SOCKET_ENOTSOCK);
}
