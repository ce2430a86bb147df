//! Messages: names, buffers, flags, and what goes beside the bytes.

use std::fs::File;
use std::io::{Read, Write};
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread;

use php_sockets::*;

use crate::common;

/// Buffers for one element and for control messages.
fn buffers(bytes: usize, controllen: usize) -> Received {
    Received::new(socket_iovec_alloc(&[bytes]).unwrap(), controllen).unwrap()
}

fn option(socket: &Socket, level: i32, option: i32, value: i32) {
    // SAFETY: `value` outlives the call, which reads the 4 bytes of it.
    let status = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), 4) };
    assert_eq!(status, 0);
}

/// An abstract name of this test's own.
fn own_name() -> String {
    common::temporary::abstract_name()
}

fn myself() -> Credentials {
    // SAFETY: the calls take nothing and cannot fail.
    let (uid, gid) = (unsafe { libc::getuid() }, unsafe { libc::getgid() });
    Credentials::new(i32::try_from(std::process::id()).unwrap(), uid, gid)
}

/// How many descriptors of this process are the file that `like` is.
fn open_copies(like: &File) -> usize {
    use std::os::unix::fs::MetadataExt;
    let inode = like.metadata().unwrap().ino();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            std::fs::metadata(path).is_ok_and(|metadata| metadata.ino() == inode)
        })
        .count()
}

/// A pipe's two ends: a file that no other test has.
fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: `ends` has space for the two descriptors that the call writes.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: both have just been opened, and have no other owner.
    ends.map(|fd| File::from(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) })).into()
}

fn send_rights(socket: &Socket, files: &[&File]) {
    let descriptors: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["x"]);
    assert_eq!(socket_sendmsg(socket, &Message::new().iov(&iov).control(&control), 0).unwrap(), 1);
}

#[test]
fn buffers_go_out_as_one_datagram_and_come_back_in_others() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let iov = IoVec::from(["ab", "", "cdef"]);
    let mut message = Received::new(socket_iovec_alloc(&[3, 100]).unwrap(), 64).unwrap();

    assert_eq!(socket_sendmsg(&one, &Message::new().iov(&iov), 0).unwrap(), 6);
    assert_eq!(socket_recvmsg(&other, &mut message, 0).unwrap(), 6);

    assert!(message.iov().iter().eq([b"abc", b"def"]));
    assert_eq!((message.flags(), message.name(), message.control().count()), (0, None, 0));
}

#[test]
fn a_message_without_bytes_is_an_empty_datagram() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut message = buffers(10, 64);

    assert_eq!(socket_sendmsg(&one, &Message::new(), 0).unwrap(), 0);
    assert_eq!(socket_recvmsg(&other, &mut message, 0).unwrap(), 0);
    assert_eq!(message.iov().get(0), Some(&b""[..]));
}

#[test]
fn a_name_is_where_it_goes_and_where_it_came_from() {
    let (receiver, to) = common::bound(SOCK_DGRAM);
    let (sender, from) = common::bound(SOCK_DGRAM);
    let mut message = buffers(100, 64);
    let iov = IoVec::from(["ahoy"]);
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let name = MessageName::inet(host, to.port);

        assert_eq!(socket_sendmsg(&sender, &Message::new().name(&name).iov(&iov), 0).unwrap(), 4);
        socket_recvmsg(&receiver, &mut message, 0).unwrap();

        assert_eq!(message.name(), Some(MessageName::inet("127.0.0.1", from.port)));
    }
}

#[test]
fn an_ipv6_socket_takes_names_of_both_families() {
    let receiver = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    socket_bind(&receiver, "::", 0).unwrap();
    let port = socket_getsockname(&receiver).unwrap().port;
    let sender = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    let mut message = buffers(100, 64);
    for (name, comes_from) in [
        (MessageName::inet6("::1", port, 0, 0), "::1"),
        (MessageName::inet6("::1", port, 0, 1), "::1"),
        (MessageName::inet6("::ffff:127.0.0.1", port, 0, 0), "::ffff:127.0.0.1"),
        (MessageName::inet("127.0.0.1", port), "::ffff:127.0.0.1"),
    ] {
        socket_sendmsg(&sender, &Message::new().name(&name), 0).unwrap();
        socket_recvmsg(&receiver, &mut message, 0).unwrap();

        let own = socket_getsockname(&sender).unwrap().port;
        assert_eq!(message.name(), Some(MessageName::inet6(comes_from, own, 0, 0)), "{name:?}");
    }
}

#[test]
fn abstract_names_end_at_the_next_nul_and_come_back_empty() {
    let (receiver, sender) =
        (socket_create(AF_UNIX, SOCK_DGRAM, 0).unwrap(), socket_create(AF_UNIX, SOCK_DGRAM, 0).unwrap());
    let (to, from) = (own_name(), own_name());
    socket_bind(&receiver, &to, 0).unwrap();
    socket_bind(&sender, &from, 0).unwrap();
    let mut message = buffers(100, 64);
    for path in [to.clone(), format!("{to}\0and more")] {
        socket_sendmsg(&sender, &Message::new().name(&MessageName::unix(path)), 0).unwrap();
        socket_recvmsg(&receiver, &mut message, 0).unwrap();

        assert_eq!(message.name(), Some(MessageName::unix("")));
    }
}

#[test]
fn a_connection_has_no_names() {
    let (client, server) = common::connection();
    socket_write(&client, "x", None).unwrap();
    let mut message = buffers(100, 64);

    socket_recvmsg(&server, &mut message, 0).unwrap();

    assert_eq!(message.name(), None);
}

#[test]
fn descriptors_arrive_open_and_close_on_exec() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (mut read_end, write_end) = pipe();
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let descriptors = [write_end.as_fd(), socket.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["two"]);
    socket_sendmsg(&one, &Message::new().iov(&iov).control(&control), 0).unwrap();
    let mut message = buffers(10, socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 2).unwrap());

    assert_eq!(socket_recvmsg(&other, &mut message, 0).unwrap(), 3);

    let shown: Vec<i32> = message
        .control()
        .flat_map(|message| match message {
            ReceivedControl::Rights(descriptors) => descriptors.iter().map(AsRawFd::as_raw_fd).collect(),
            _ => Vec::new(),
        })
        .collect();
    let mut taken = message.take_rights();
    assert_eq!(shown, taken.iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
    for fd in &taken {
        // SAFETY: F_GETFD takes no further argument.
        assert_eq!(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) }, libc::FD_CLOEXEC);
    }
    assert!(matches!(message.control().next(), Some(ReceivedControl::Rights([]))), "they are taken");
    assert_eq!(message.flags(), 0, "MSG_CMSG_CLOEXEC is ours, and not shown");
    let received = Socket::from(taken.pop().unwrap());
    assert_eq!(socket_getsockname(&received).unwrap().family, AF_INET);
    File::from(taken.pop().unwrap()).write_all(b"through the copy").unwrap();
    drop(write_end);
    let mut text = String::new();
    read_end.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through the copy");
}

#[test]
fn descriptors_that_nobody_takes_are_closed() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (_read_end, write_end) = pipe();
    let before = open_copies(&write_end);
    let mut message = buffers(10, 64);

    send_rights(&one, &[&write_end, &write_end]);
    socket_recvmsg(&other, &mut message, 0).unwrap();
    assert_eq!(open_copies(&write_end), before + 2);

    send_rights(&one, &[&write_end]);
    socket_recvmsg(&other, &mut message, 0).unwrap();
    assert_eq!(open_copies(&write_end), before + 1, "the next message closes those of the one before");

    assert!(socket_recvmsg(&other, &mut message, MSG_DONTWAIT).is_err());
    assert_eq!(open_copies(&write_end), before + 1, "a failure does not");

    drop(message);
    assert_eq!(open_copies(&write_end), before);
}

#[test]
fn control_messages_of_earlier_messages_do_not_come_again() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (_read_end, write_end) = pipe();
    let before = open_copies(&write_end);
    let mut message = buffers(10, 64);
    for _ in 0..3 {
        send_rights(&one, &[&write_end]);
        socket_recvmsg(&other, &mut message, 0).unwrap();
        assert_eq!(message.control().count(), 1);
    }

    socket_write(&one, "none", None).unwrap();
    socket_recvmsg(&other, &mut message, 0).unwrap();

    assert_eq!(message.control().count(), 0);
    assert_eq!(open_copies(&write_end), before);
}

// [V] 4.5: Too small `controllen` → `control` empty, flags has MSG_CTRUNC.
#[test]
fn no_descriptor_leaks_where_there_was_no_space_for_it() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (_read_end, write_end) = pipe();
    let before = open_copies(&write_end);
    for (controllen, arrive) in
        [(1, 0), (15, 0), (16, 0), (19, 0), (20, 1), (23, 1), (24, 2), (28, 3), (31, 3)]
    {
        let mut message = buffers(10, controllen);
        send_rights(&one, &[&write_end, &write_end, &write_end, &write_end]);
        socket_recvmsg(&other, &mut message, 0).unwrap();

        assert_eq!(open_copies(&write_end), before + arrive, "{controllen} bytes");
        assert_eq!(message.take_rights().len(), arrive);
        assert_eq!(message.flags(), MSG_CTRUNC);
        assert_eq!(open_copies(&write_end), before);
    }
}

#[test]
fn as_many_descriptors_as_the_kernel_lets_pass_arrive() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (_read_end, write_end) = pipe();
    let mut message = buffers(10, socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 253).unwrap());

    send_rights(&one, &[&write_end; 253]);
    socket_recvmsg(&other, &mut message, 0).unwrap();

    assert_eq!((message.take_rights().len(), message.flags()), (253, 0));
}

#[test]
fn two_messages_of_descriptors_arrive_as_one() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (read_end, write_end) = pipe();
    let (first, second) = ([read_end.as_fd()], [write_end.as_fd()]);
    let control = [ControlMessage::Rights(&first), ControlMessage::Rights(&second)];
    let iov = IoVec::from(["x"]);
    socket_sendmsg(&one, &Message::new().iov(&iov).control(&control), 0).unwrap();
    let mut message = buffers(10, 100);

    socket_recvmsg(&other, &mut message, 0).unwrap();

    assert_eq!(message.control().count(), 1);
    assert_eq!(message.take_rights().len(), 2);
}

#[test]
fn credentials_and_descriptors_arrive_together() {
    let (one, other) = common::pair(SOCK_STREAM);
    option(&other, SOL_SOCKET, SO_PASSCRED, 1);
    let (read_end, _write_end) = pipe();
    send_rights(&one, &[&read_end]);
    let mut message = buffers(10, 200);

    socket_recvmsg(&other, &mut message, 0).unwrap();

    let mut control = message.control();
    assert!(matches!(control.next(), Some(ReceivedControl::Credentials(who)) if who == myself()));
    assert!(matches!(control.next(), Some(ReceivedControl::Rights([_]))));
    assert!(control.next().is_none());
}

#[test]
fn own_credentials_can_be_sent() {
    let (one, other) = common::pair(SOCK_DGRAM);
    option(&other, SOL_SOCKET, SO_PASSCRED, 1);
    let control = [ControlMessage::Credentials(myself())];
    let mut message = buffers(10, socket_cmsg_space(SOL_SOCKET, SCM_CREDENTIALS, 0).unwrap());

    socket_sendmsg(&one, &Message::new().control(&control), 0).unwrap();
    socket_recvmsg(&other, &mut message, 0).unwrap();

    assert!(matches!(message.control().next(), Some(ReceivedControl::Credentials(who)) if who == myself()));
}

#[test]
fn ipv6_messages_go_and_come() {
    let receiver = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    socket_bind(&receiver, "::1", 0).unwrap();
    for wanted in [IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS] {
        option(&receiver, IPPROTO_IPV6, wanted, 1);
    }
    let sender = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    let name = MessageName::inet6("::1", socket_getsockname(&receiver).unwrap().port, 0, 0);
    let loopback = Pktinfo::new(Ipv6Addr::LOCALHOST, 1);
    let control =
        [ControlMessage::HopLimit(7), ControlMessage::Tclass(40), ControlMessage::Pktinfo(loopback)];
    let mut message = buffers(10, 200);

    socket_sendmsg(&sender, &Message::new().name(&name).control(&control), 0).unwrap();
    socket_recvmsg(&receiver, &mut message, 0).unwrap();

    let mut control = message.control();
    assert!(matches!(control.next(), Some(ReceivedControl::Pktinfo(info)) if info == loopback));
    assert!(matches!(control.next(), Some(ReceivedControl::HopLimit(7))));
    assert!(matches!(control.next(), Some(ReceivedControl::Tclass(40))));
    assert!(control.next().is_none());
}

// [V] 4.2: PHP loses such a message whole.
#[test]
fn unknown_messages_are_handed_over_raw_and_spoil_nothing() {
    let (receiver, to) = common::bound(SOCK_DGRAM);
    option(&receiver, SOL_SOCKET, libc::SO_TIMESTAMP, 1);
    let (sender, _) = common::bound(SOCK_DGRAM);
    socket_sendto(&sender, "now", 3, 0, "127.0.0.1", to.port).unwrap();
    let mut message = buffers(10, 100);

    assert_eq!(socket_recvmsg(&receiver, &mut message, 0).unwrap(), 3);

    assert_eq!(message.iov().get(0), Some(&b"now"[..]));
    let Some(ReceivedControl::Raw { level, r#type, data }) = message.control().next() else { panic!() };
    assert_eq!((level, r#type, data.len()), (SOL_SOCKET, libc::SO_TIMESTAMP, 16));
}

#[test]
fn a_message_that_was_cut_short_is_raw() {
    let (one, other) = common::pair(SOCK_DGRAM);
    option(&other, SOL_SOCKET, SO_PASSCRED, 1);
    socket_write(&one, "x", None).unwrap();
    let mut message = buffers(10, 24);

    socket_recvmsg(&other, &mut message, 0).unwrap();

    assert_eq!(message.flags(), MSG_CTRUNC);
    let Some(ReceivedControl::Raw { level, r#type, data }) = message.control().next() else { panic!() };
    assert_eq!((level, r#type, data.len()), (SOL_SOCKET, SCM_CREDENTIALS, 8));
}

#[test]
fn a_datagram_that_is_too_long_says_so() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut message = Received::new(socket_iovec_alloc(&[2, 3]).unwrap(), 64).unwrap();
    for (flags, count) in [(0, 5), (MSG_TRUNC, 11)] {
        socket_write(&one, "eleven byte", None).unwrap();

        assert_eq!(socket_recvmsg(&other, &mut message, flags).unwrap(), count);

        assert!(message.iov().iter().eq([&b"el"[..], b"eve"]));
        assert_eq!(message.flags(), MSG_TRUNC);
    }
}

#[test]
fn msg_trunc_on_tcp_counts_without_writing_and_shows_nothing_that_was_not_written() {
    let (client, server) = common::connection();
    let mut message = Received::new(socket_iovec_alloc(&[2, 3]).unwrap(), 64).unwrap();
    for text in ["first", "second"] {
        socket_write(&client, text, None).unwrap();
        socket_recvmsg(&server, &mut message, 0).unwrap();
    }
    socket_write(&client, "xxxx", None).unwrap();
    socket_recvmsg(&server, &mut message, MSG_WAITALL).unwrap();
    assert!(message.iov().iter().eq([&b"dx"[..], b"xxx"]), "the last byte of the second text came first");
    socket_write(&client, "abcd", None).unwrap();

    assert_eq!(socket_recvmsg(&server, &mut message, MSG_TRUNC).unwrap(), 4);

    assert!(message.iov().iter().eq([&b"\0\0"[..], b"\0\0"]), "{:?}", message.iov());
}

#[test]
fn a_failure_leaves_the_message_as_it_was() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let (read_end, _write_end) = pipe();
    send_rights(&one, &[&read_end]);
    let mut message = buffers(10, 100);
    socket_recvmsg(&other, &mut message, 0).unwrap();
    let before = format!("{message:?}");
    for flags in [MSG_DONTWAIT, MSG_DONTWAIT | MSG_TRUNC] {
        socket_clear_error(None);
        let error = socket_recvmsg(&other, &mut message, flags).unwrap_err();

        assert_eq!((error.kind(), error.code()), (ErrorKind::Warning, SOCKET_EAGAIN));
        assert_eq!((socket_last_error(None), socket_last_error(&other)), (SOCKET_EAGAIN, 0));
        assert_eq!(format!("{message:?}"), before);
        assert_eq!(message.iov().get(0), Some(&b"x"[..]));
    }
}

#[test]
fn a_failure_leaves_the_control_messages_too_where_the_kernel_writes_before_it_fails() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (read_end, _write_end) = pipe();
    send_rights(&one, &[&read_end]);
    let mut message = buffers(10, 100);
    socket_recvmsg(&other, &mut message, 0).unwrap();
    let before = format!("{message:?}");
    assert!(before.contains("Rights"));
    socket_set_option(&other, SOL_SOCKET, SO_PASSCRED, 1).unwrap();

    socket_recvmsg(&other, &mut message, MSG_DONTWAIT).unwrap_err();

    assert_eq!(format!("{message:?}"), before);
}

#[test]
fn a_descriptor_in_a_raw_message_is_owned_too() {
    const SO_PASSPIDFD: i32 = 76;
    let (one, other) = common::pair(SOCK_STREAM);
    if let Err(error) = socket_set_option(&other, SOL_SOCKET, SO_PASSPIDFD, 1) {
        assert_eq!(error.code(), SOCKET_ENOPROTOOPT, "a kernel before 6.5 does not know it");
        return;
    }
    let left = common::descriptors_left(|| {
        let mut message = buffers(10, 100);
        for _ in 0..3 {
            socket_write(&one, "x", None).unwrap();
            socket_recvmsg(&other, &mut message, 0).unwrap();
            assert!(message.control().any(|found| matches!(found, ReceivedControl::Raw { r#type: 4, .. })));
        }
    });

    assert_eq!(left, 0);
}

#[test]
fn peeking_leaves_the_message_in_the_socket() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let (read_end, _write_end) = pipe();
    send_rights(&one, &[&read_end]);
    let mut message = buffers(10, 100);
    for flags in [MSG_PEEK, 0] {
        assert_eq!(socket_recvmsg(&other, &mut message, flags).unwrap(), 1);
        assert_eq!(message.take_rights().len(), 1, "each time a descriptor of its own");
    }
}

#[test]
fn the_callers_cloexec_flag_is_shown_as_php_shows_it() {
    let (one, other) = common::pair(SOCK_DGRAM);
    socket_write(&one, "x", None).unwrap();
    let mut message = buffers(10, 100);

    socket_recvmsg(&other, &mut message, MSG_CMSG_CLOEXEC).unwrap();

    assert_eq!(message.flags(), MSG_CMSG_CLOEXEC);
}

#[test]
fn the_buffers_can_be_changed_between_messages() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut message = buffers(2, 64);
    socket_iovec_add(message.iov_mut(), 2).unwrap();
    for flags in [0, MSG_TRUNC] {
        socket_write(&one, "abcd", None).unwrap();
        assert_eq!(socket_recvmsg(&other, &mut message, flags).unwrap(), 4);
        assert!(message.iov().iter().eq([b"ab", b"cd"]));
    }
    socket_iovec_delete(message.iov_mut(), 0).unwrap();
    socket_write(&one, "abcd", None).unwrap();
    assert_eq!(socket_recvmsg(&other, &mut message, MSG_TRUNC).unwrap(), 4);
    assert!(message.iov().iter().eq([b"ab"]));
}

#[test]
fn messages_go_to_other_threads() {
    let (one, other) = common::pair(SOCK_STREAM);
    let (mut read_end, write_end) = pipe();
    let mut message = buffers(10, 64);
    let receiver = thread::spawn(move || {
        socket_recvmsg(&other, &mut message, 0).unwrap();
        message
    });
    send_rights(&one, &[&write_end]);
    drop(write_end);

    let mut message = receiver.join().unwrap();
    File::from(message.take_rights().remove(0)).write_all(b"hello").unwrap();

    let mut text = String::new();
    read_end.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn an_interrupted_recvmsg_is_reported_and_not_repeated() {
    let (_one, other) = common::pair(SOCK_STREAM);
    let mut message = buffers(10, 64);

    let error = common::interrupted(|| {
        let error = socket_recvmsg(&other, &mut message, 0).unwrap_err();
        (error.code(), socket_last_error(None))
    });

    assert_eq!(error, (SOCKET_EINTR, SOCKET_EINTR));
}
