//! Lesson 19 beyond what it prints.

use std::os::fd::AsFd;

use php_sockets::*;

use crate::common;

/// A message with a descriptor beside one byte.
fn send_descriptor(socket: &Socket) {
    let file = std::fs::File::open("/dev/null").expect("a file");
    let descriptors = [file.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["x"]);
    assert_eq!(socket_sendmsg(socket, &Message::new().iov(&iov).control(&control), 0), Ok(1));
}

#[test]
fn a_descriptor_that_nobody_takes_is_closed_with_the_next_message() {
    let left = common::descriptors_left(|| {
        let (here, there) = common::pair(SOCK_STREAM);
        let room = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1).expect("a size");
        let mut message = Received::new(socket_iovec_alloc(&[1]).expect("memory"), room).expect("memory");
        for _ in 0..10 {
            send_descriptor(&here);
            assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(1));
        }
    });

    assert_eq!(left, 0);
}

#[test]
fn without_room_the_descriptor_is_gone_and_the_flags_say_so() {
    let (here, there) = common::pair(SOCK_STREAM);
    send_descriptor(&here);

    // Too little for the header of a control message and a descriptor behind it.
    let mut message = Received::new(socket_iovec_alloc(&[1]).expect("memory"), 8).expect("memory");

    assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(1));
    assert_eq!(message.flags() & MSG_CTRUNC, MSG_CTRUNC);
    assert!(message.take_rights().is_empty());
}

#[test]
fn only_root_may_claim_to_be_another() {
    let code = common::in_child(|| {
        // SAFETY: the call takes a number. Others than root cannot change their user, and need not.
        unsafe { libc::setuid(65534) };
        let (here, there) = common::pair(SOCK_STREAM);
        socket_set_option(&there, SOL_SOCKET, SO_PASSCRED, 1).expect("an option");
        let control = [ControlMessage::Credentials(Credentials::new(1, 0, 0))];
        let iov = IoVec::from(["x"]);
        let error = socket_sendmsg(&here, &Message::new().iov(&iov).control(&control), 0).unwrap_err();
        assert_eq!(error.code(), SOCKET_EPERM);
        0
    });

    assert_eq!(code, 0);
}
