//! Vectors: capacities, what is held, and one system call for all of them.

use std::thread;

use php_sockets::*;

use crate::common;

fn held(iovec: &IoVec) -> Vec<&[u8]> {
    iovec.iter().collect()
}

#[test]
fn a_new_iovec_has_capacities_and_holds_nothing() {
    let iovec = socket_iovec_alloc(&[3, 0, 5]).unwrap();

    assert_eq!((iovec.len(), iovec.is_empty()), (3, false));
    assert_eq!(held(&iovec), [b"", b"", b""]);
    assert_eq!(iovec.get(3), None);
    assert_eq!(format!("{iovec:?}"), "[0 of 3 bytes, 0 of 0 bytes, 0 of 5 bytes]");
    assert!(socket_iovec_alloc(&[]).unwrap().is_empty());
}

#[test]
fn readv_fills_one_element_after_the_other() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = socket_iovec_alloc(&[2, 0, 3, 4, 5]).unwrap();
    socket_write(&one, "abcdefg", None).unwrap();

    assert_eq!(socket_readv(&other, &mut iovec).unwrap(), 7);

    assert_eq!(held(&iovec), [&b"ab"[..], b"", b"cde", b"fg", b""]);
    assert_eq!(socket_iovec_fetch(&iovec, 3).unwrap(), b"fg", "what arrived, not the capacity");
}

#[test]
fn readv_takes_no_more_than_the_capacities_and_leaves_the_rest_in_the_socket() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = socket_iovec_alloc(&[2, 2]).unwrap();
    socket_write(&one, "abcdefg", None).unwrap();

    assert_eq!(socket_readv(&other, &mut iovec).unwrap(), 4);
    assert_eq!(held(&iovec), [b"ab", b"cd"]);
    assert_eq!(socket_readv(&other, &mut iovec).unwrap(), 3);
    assert_eq!(held(&iovec), [&b"ef"[..], b"g"], "the capacities are what they were");
}

#[test]
fn readv_allocates_nothing() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = socket_iovec_alloc(&[4, 4]).unwrap();
    let places = |iovec: &IoVec| iovec.iter().map(<[u8]>::as_ptr).collect::<Vec<_>>();
    let before = places(&iovec);
    for text in ["abcdefgh", "a", "abcdef"] {
        socket_write(&one, text, None).unwrap();
        assert_eq!(socket_readv(&other, &mut iovec).unwrap(), text.len());
        assert_eq!(places(&iovec), before);
    }
}

#[test]
fn the_end_of_the_stream_empties_the_elements_and_a_failure_does_not() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = IoVec::from(["old", "older"]);
    socket_set_nonblock(&other).unwrap();

    let error = socket_readv(&other, &mut iovec).unwrap_err();
    assert!(error.is_quiet());
    assert_eq!((socket_last_error(None), socket_last_error(&other)), (SOCKET_EAGAIN, SOCKET_EAGAIN));
    assert_eq!(held(&iovec), [&b"old"[..], b"older"]);

    socket_close(one);
    assert_eq!(socket_readv(&other, &mut iovec).unwrap(), 0);
    assert_eq!(held(&iovec), [b"", b""]);
}

#[test]
fn writev_sends_what_the_elements_hold_and_not_their_capacities() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut iovec = socket_iovec_alloc(&[100, 100, 100]).unwrap();
    socket_iovec_set(&mut iovec, 0, "head\0").unwrap();
    socket_iovec_set(&mut iovec, 2, [0xff, 0]).unwrap();

    assert_eq!(socket_writev(&one, &iovec).unwrap(), 7);

    assert_eq!(socket_read(&other, 100, PHP_BINARY_READ).unwrap(), b"head\0\xff\0", "NULs are bytes");
}

#[test]
fn what_was_read_can_be_written() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut iovec = socket_iovec_alloc(&[3, 100]).unwrap();
    socket_write(&one, "there and back", None).unwrap();
    socket_readv(&other, &mut iovec).unwrap();

    assert_eq!(socket_writev(&other, &iovec).unwrap(), 14);
    assert_eq!(socket_read(&one, 100, PHP_BINARY_READ).unwrap(), b"there and back");
}

#[test]
fn nothing_is_written_and_read_without_an_error() {
    let (one, other) = common::pair(SOCK_STREAM);

    assert_eq!(socket_writev(&one, &socket_iovec_alloc(&[]).unwrap()).unwrap(), 0);
    assert_eq!(socket_writev(&one, &socket_iovec_alloc(&[5, 5]).unwrap()).unwrap(), 0);
    assert_eq!(socket_readv(&other, &mut socket_iovec_alloc(&[]).unwrap()).unwrap(), 0);
    assert_eq!(socket_readv(&other, &mut socket_iovec_alloc(&[0]).unwrap()).unwrap(), 0);
}

#[test]
fn set_gives_an_element_the_capacity_of_its_value() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = socket_iovec_alloc(&[100, 1]).unwrap();
    socket_iovec_set(&mut iovec, 0, "ab").unwrap();
    socket_iovec_set(&mut iovec, 1, "a value that is longer than the size was").unwrap();
    socket_write(&one, "x".repeat(200), None).unwrap();

    assert_eq!(socket_readv(&other, &mut iovec).unwrap(), 2 + 40);
}

#[test]
fn delete_moves_the_others_up_and_add_appends() {
    let mut iovec = IoVec::from(["a", "b", "c"]);
    socket_iovec_delete(&mut iovec, 0).unwrap();
    socket_iovec_add(&mut iovec, 9).unwrap();

    assert_eq!(held(&iovec), [&b"b"[..], b"c", b""]);
    socket_iovec_delete(&mut iovec, 2).unwrap();
    socket_iovec_delete(&mut iovec, 1).unwrap();
    socket_iovec_delete(&mut iovec, 0).unwrap();
    assert!(iovec.is_empty());
    assert!(socket_iovec_delete(&mut iovec, 0).is_err());
    socket_iovec_free(iovec);
}

#[test]
fn a_refusal_changes_nothing() {
    let mut iovec = IoVec::from(["a", "b"]);

    assert!(socket_iovec_delete(&mut iovec, usize::MAX).is_err());
    assert!(socket_iovec_set(&mut iovec, usize::MAX, "x").is_err());
    assert!(socket_iovec_add(&mut iovec, usize::MAX).is_err());
    assert!(socket_iovec_fetch(&iovec, usize::MAX).is_err());

    assert_eq!(held(&iovec), [b"a", b"b"]);
}

#[test]
fn as_many_elements_as_the_kernel_takes_go_at_once() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut iovec = socket_iovec_alloc(&[1; IoVec::MAX]).unwrap();
    for position in 0..IoVec::MAX {
        socket_iovec_set(&mut iovec, position, [u8::try_from(position % 256).unwrap()]).unwrap();
    }
    let mut copy = socket_iovec_alloc(&[1; IoVec::MAX]).unwrap();

    assert_eq!(socket_writev(&one, &iovec).unwrap(), 1024);
    assert_eq!(socket_readv(&other, &mut copy).unwrap(), 1024);

    assert!(copy.iter().eq(iovec.iter()));
    assert!(socket_iovec_add(&mut copy, 1).is_err());
}

#[test]
fn a_full_buffer_takes_a_part_and_then_nothing() {
    let (one, _other) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&one).unwrap();
    let iovec = IoVec::from([vec![1; 5_000_000], vec![2; 5_000_000]]);

    let sent = socket_writev(&one, &iovec).unwrap();

    assert!(0 < sent && sent < 10_000_000, "{sent}");
    assert!(socket_writev(&one, &iovec).unwrap_err().is_quiet());
}

#[test]
fn an_iovec_goes_to_another_thread_with_its_bytes() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "for another thread", None).unwrap();
    let mut iovec = socket_iovec_alloc(&[100]).unwrap();

    let iovec = thread::spawn(move || {
        socket_readv(&other, &mut iovec).unwrap();
        iovec
    })
    .join()
    .unwrap();

    assert_eq!(iovec.get(0), Some(&b"for another thread"[..]));
}

#[test]
fn an_interrupted_readv_is_reported_and_not_repeated() {
    let (_one, other) = common::pair(SOCK_STREAM);
    let mut iovec = IoVec::from(["as it was"]);

    let error = common::interrupted(|| socket_readv(&other, &mut iovec)).unwrap_err();

    assert_eq!(error.code(), SOCKET_EINTR);
    assert_eq!(iovec.get(0), Some(&b"as it was"[..]));
}

#[test]
fn a_loop_goes_through_the_bytes_of_each_element() {
    let iovec = IoVec::from(["HEAD", "", "body"]);

    let mut seen = Vec::new();
    for bytes in &iovec {
        seen.push(bytes);
    }

    assert_eq!(seen, [&b"HEAD"[..], b"", b"body"]);
    assert_eq!((iovec.iter().len(), iovec.iter().next_back()), (3, Some(&b"body"[..])));
    assert_eq!(format!("{:?}", IoVec::from(["\x01"]).iter()), "[[1]]");
}
