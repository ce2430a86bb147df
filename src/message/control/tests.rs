//! The layout against C's own macros, and hostile bytes.

use std::mem::size_of;
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, AsRawFd};

use proptest::prelude::*;

use super::*;
use crate::inside;

/// A message as bytes, with a length of its own choosing in the header.
fn raw(len: usize, level: c_int, kind: c_int, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; space(data.len())];
    put(&mut bytes, 0, &len.to_ne_bytes()).unwrap();
    put(&mut bytes, 8, &level.to_ne_bytes()).unwrap();
    put(&mut bytes, 12, &kind.to_ne_bytes()).unwrap();
    put(&mut bytes, HEADER, data).unwrap();
    bytes
}

#[test]
fn the_layout_is_that_of_cs_macros() {
    assert_eq!(align_of::<Outgoing>(), align_of::<cmsghdr>());
    for len in 0..100 {
        let number = u32::try_from(len).unwrap();
        // SAFETY: the macro computes with a number.
        let macro_space = unsafe { libc::CMSG_SPACE(number) };
        assert_eq!(space(len), usize::try_from(macro_space).unwrap());
    }
    // SAFETY: the macro computes with a number.
    assert_eq!(HEADER, usize::try_from(unsafe { libc::CMSG_LEN(0) }).unwrap());
}

#[test]
fn what_was_built_is_found_by_cs_macros() {
    let mut control = Outgoing::new();
    control.push(&ControlMessage::HopLimit(7)).unwrap();
    control.push(&ControlMessage::Credentials(Credentials::new(1, 2, 3))).unwrap();
    control.push(&ControlMessage::Tclass(40)).unwrap();

    let bytes = control.bytes();
    // SAFETY: all zeros is a valid `msghdr`.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_control = bytes.as_ptr().cast_mut().cast();
    header.msg_controllen = bytes.len();
    let mut found = Vec::new();
    // SAFETY: `header` speaks of the bytes of `control`, which are aligned for a header.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    // SAFETY: null, or a header within `control`.
    while let Some(message) = unsafe { next.as_ref() } {
        found.push((message.cmsg_level, message.cmsg_type, message.cmsg_len));
        // SAFETY: `next` is a header within the control bytes of `header`.
        next = unsafe { libc::CMSG_NXTHDR(&raw const header, next) };
    }

    assert_eq!(
        found,
        [
            (IPPROTO_IPV6, IPV6_HOPLIMIT, 20),
            (SOL_SOCKET, SCM_CREDENTIALS, 28),
            (IPPROTO_IPV6, IPV6_TCLASS, 20)
        ]
    );
}

#[test]
fn what_was_built_is_read_again() {
    let mut control = Outgoing::new();
    let (here, there) = (std::io::stdin(), std::io::stderr());
    let addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 2, 3, 4);
    control.push(&ControlMessage::Rights(&[here.as_fd(), there.as_fd(), here.as_fd()])).unwrap();
    control.push(&ControlMessage::Credentials(Credentials::new(-1, 2, u32::MAX))).unwrap();
    control.push(&ControlMessage::Pktinfo(Pktinfo::new(addr, 7))).unwrap();
    control.push(&ControlMessage::HopLimit(-5)).unwrap();
    control.push(&ControlMessage::Tclass(255)).unwrap();

    let found: Vec<Found<'_>> = Reader::new(control.bytes()).collect();

    assert_eq!(found.len(), 5);
    let rights: Vec<RawFd> = found[0].rights().unwrap().collect();
    assert_eq!(rights, [here.as_raw_fd(), there.as_raw_fd(), here.as_raw_fd()]);
    assert!(
        matches!(found[1].value(), ReceivedControl::Credentials(who) if who == Credentials::new(-1, 2, u32::MAX))
    );
    assert!(matches!(found[2].value(), ReceivedControl::Pktinfo(info) if info == Pktinfo::new(addr, 7)));
    assert!(matches!(found[3].value(), ReceivedControl::HopLimit(-5)));
    assert!(matches!(found[4].value(), ReceivedControl::Tclass(255)));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut control = Outgoing::new();
    let stdin = std::io::stdin();
    // As many as the kernel refuses, and no more: 254 of them.
    let many = vec![stdin.as_fd(); 100_000];
    for times in 1..4 {
        control.push(&ControlMessage::Rights(&many)).unwrap();
        assert_eq!(control.bytes().len(), times * 1032);
    }

    assert!(control.push(&ControlMessage::Rights(&many)).is_none());
    assert_eq!(control.bytes().len(), 3 * 1032);
    control.push(&ControlMessage::HopLimit(1)).unwrap();
}

#[test]
fn a_header_that_lies_ends_the_walk_or_is_cut() {
    let credentials = [9; size_of::<ucred>()];
    for len in [0, 1, 15] {
        assert_eq!(Reader::new(&raw(len, SOL_SOCKET, SCM_CREDENTIALS, &credentials)).count(), 0);
    }
    for len in [usize::MAX, usize::MAX - 6, isize::MAX.unsigned_abs(), 1000] {
        let bytes = raw(len, SOL_SOCKET, SCM_CREDENTIALS, &credentials);
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.next().unwrap().data.len(), 16, "to the end of the buffer, the padding included");
        assert!(reader.next().is_none());
    }
    assert_eq!(Reader::new(&[0xff; 15]).count(), 0, "no whole header");
}

#[test]
fn a_message_that_is_cut_short_is_raw() {
    for (level, kind, whole) in [
        (SOL_SOCKET, SCM_CREDENTIALS, 12),
        (IPPROTO_IPV6, IPV6_PKTINFO, 20),
        (IPPROTO_IPV6, IPV6_HOPLIMIT, 4),
        (IPPROTO_IPV6, IPV6_TCLASS, 4),
    ] {
        for cut in 0..whole {
            let bytes = raw(HEADER + cut, level, kind, &vec![1; cut]);
            let found = Reader::new(&bytes).next().unwrap();
            let ReceivedControl::Raw { level: l, r#type, data } = found.value() else { panic!("{found:?}") };
            assert_eq!((l, r#type, data), (level, kind, &vec![1; cut][..]));
        }
        let bytes = raw(HEADER + whole, level, kind, &vec![1; whole]);
        let value = Reader::new(&bytes).next().unwrap().value();
        assert!(!matches!(value, ReceivedControl::Raw { .. }), "{value:?}");
    }
}

#[test]
fn the_descriptor_of_a_process_is_found_in_its_own_message_alone() {
    let pidfd = |level, kind, data: &[u8]| {
        Reader::new(&raw(HEADER + data.len(), level, kind, data)).next().unwrap().pidfd()
    };

    assert_eq!(pidfd(SOL_SOCKET, SCM_PIDFD, &5_i32.to_ne_bytes()), Some(5));
    assert_eq!(pidfd(SOL_SOCKET, SCM_PIDFD, &0_i32.to_ne_bytes()), Some(0));
    assert_eq!(pidfd(SOL_SOCKET, SCM_PIDFD, &(-1_i32).to_ne_bytes()), None, "the kernel had none to give");
    assert_eq!(pidfd(SOL_SOCKET, SCM_PIDFD, &[5, 0, 0]), None, "cut short");
    assert_eq!(pidfd(SOL_SOCKET, SCM_RIGHTS, &5_i32.to_ne_bytes()), None);
    assert_eq!(pidfd(IPPROTO_IPV6, SCM_PIDFD, &5_i32.to_ne_bytes()), None);
}

#[test]
fn half_a_descriptor_is_none() {
    let bytes = raw(HEADER + 6, SOL_SOCKET, SCM_RIGHTS, &[1, 0, 0, 0, 2, 0]);
    let rights: Vec<RawFd> = Reader::new(&bytes).next().unwrap().rights().unwrap().collect();

    assert_eq!(rights, [1]);
}

/// A message with a header that may lie.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![0..64_usize, Just(usize::MAX), Just(usize::MAX - 7), any::<usize>()];
    let level = prop_oneof![Just(SOL_SOCKET), Just(IPPROTO_IPV6), any::<c_int>()];
    let kind = prop_oneof![Just(SCM_RIGHTS), Just(SCM_CREDENTIALS), 49..68, any::<c_int>()];
    let data = prop::collection::vec(any::<u8>(), 0..40);
    (len, level, kind, data).prop_map(|(len, level, kind, data)| raw(len, level, kind, &data))
}

/// A message that can be sent, with numbers of any size; descriptors apart, which must be open.
fn sendable() -> impl Strategy<Value = ControlMessage<'static>> {
    prop_oneof![
        any::<(i32, u32, u32)>()
            .prop_map(|(pid, uid, gid)| ControlMessage::Credentials(Credentials::new(pid, uid, gid))),
        any::<([u8; 16], u32)>()
            .prop_map(|(addr, index)| ControlMessage::Pktinfo(Pktinfo::new(Ipv6Addr::from(addr), index))),
        any::<c_int>().prop_map(ControlMessage::HopLimit),
        any::<c_int>().prop_map(ControlMessage::Tclass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn whatever_was_built_is_read_again(messages in prop::collection::vec(sendable(), 0..150)) {
        let mut control = Outgoing::new();
        let fitting = messages.iter().take_while(|message| control.push(message).is_some()).count();
        prop_assert!(fitting == messages.len() || control.bytes().len() + 40 > Outgoing::CAPACITY);

        let found: Vec<Found<'_>> = Reader::new(control.bytes()).collect();

        prop_assert_eq!(found.len(), fitting);
        for (sent, found) in messages.iter().zip(found) {
            prop_assert_eq!(format!("{sent:?}"), format!("{:?}", found.value()));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        inside::control(&bytes);
    }

    #[test]
    fn lying_headers_are_survived(
        messages in prop::collection::vec(hostile(), 0..6),
        cut in 0..200_usize,
    ) {
        let mut bytes = messages.concat();
        bytes.truncate(bytes.len().saturating_sub(cut));
        inside::control(&bytes);
    }
}

/// `IP_TOS` has the number of `SCM_RIGHTS`, and other levels have others: their bytes are no descriptors.
#[test]
fn only_messages_of_sol_socket_have_descriptors() {
    let data = [1_i32, 2].map(i32::to_ne_bytes).concat();
    for level in [libc::IPPROTO_IP, IPPROTO_IPV6, libc::SOL_TCP, libc::SOL_UDP, libc::SOL_PACKET] {
        for kind in [SCM_RIGHTS, SCM_PIDFD] {
            let found = Found { level, kind, data: &data };
            assert!(found.rights().is_none() && found.pidfd().is_none(), "{level} {kind}");
        }
    }
    for (number, is_one) in [(0, true), (1, true), (-1, false)] {
        let data = RawFd::to_ne_bytes(number);
        let rights = Found { level: SOL_SOCKET, kind: SCM_RIGHTS, data: &data }.rights();
        assert_eq!(rights.map(Iterator::count), Some(usize::from(is_one)), "{number}");
        let pidfd = Found { level: SOL_SOCKET, kind: SCM_PIDFD, data: &data }.pidfd();
        assert_eq!(pidfd, is_one.then_some(number));
    }
}
