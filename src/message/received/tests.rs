//! Control buffers that no kernel of today writes.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, RawFd};

use super::*;
use crate::message::ControlMessage;
use crate::message::control::Outgoing;

/// A message into whose buffer of `controllen` bytes a kernel writes these.
fn received(controllen: usize, written: &[u8]) -> Received {
    let mut message = Received::new(IoVec::default(), controllen).unwrap();
    let (start, len) = message.control.as_mut();
    assert!(written.len() <= len);
    // SAFETY: the buffer has `len` bytes, which is no less, and nothing else looks at them.
    unsafe { start.cast::<u8>().copy_from_nonoverlapping(written.as_ptr(), written.len()) };
    message.control.filled(written.len());
    message
}

#[test]
fn of_two_messages_of_descriptors_each_has_its_own() {
    let open: [OwnedFd; 3] = std::array::from_fn(|_| std::fs::File::open("/dev/null").unwrap().into());
    let [first, second, third] = open.each_ref().map(AsFd::as_fd);
    let (one, two): ([BorrowedFd; 1], [BorrowedFd; 2]) = ([first], [second, third]);
    let mut space = Outgoing::new();
    space.push(&ControlMessage::Rights(&one)).unwrap();
    space.push(&ControlMessage::Rights(&two)).unwrap();
    let mut message = received(256, space.bytes());
    let numbers = open.map(IntoRawFd::into_raw_fd);
    // SAFETY: the messages have the three descriptors, which have no owner any more.
    unsafe { message.own_rights() };

    let rights = message.control().map(|one| match one {
        ReceivedControl::Rights(rights) => rights.iter().map(AsRawFd::as_raw_fd).collect::<Vec<RawFd>>(),
        other => panic!("{other:?}"),
    });
    assert_eq!(rights.collect::<Vec<_>>(), [&numbers[..1], &numbers[1..]]);

    assert_eq!(message.take_rights().len(), 3);
    assert!(message.control().all(|one| matches!(one, ReceivedControl::Rights([]))), "they are taken");
}

#[test]
fn a_count_of_more_bytes_than_the_buffer_has_shows_those_of_the_buffer() {
    for controllen in [1, 16, 17] {
        let mut message = received(controllen, &[]);
        message.control.filled(1000);
        assert_eq!(message.control.bytes().len(), controllen);
    }
}

#[test]
fn bytes_of_a_message_before_are_none_of_this_one() {
    let mut space = Outgoing::new();
    space.push(&ControlMessage::HopLimit(64)).unwrap();
    let mut message = received(64, space.bytes());
    assert_eq!(message.control().count(), 1);
    message.control.filled(space.bytes().len());
    // Both buffers have been written now.
    message.control.filled(0);
    assert_eq!(message.control().count(), 0);
}
