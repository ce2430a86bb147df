//! Bytes and datagrams: counts, buffers, flags, the end of the stream.

use php_sockets::*;

use crate::common;

#[test]
fn data_may_be_any_kind_of_bytes() {
    let (one, other) = common::pair(SOCK_STREAM);

    socket_write(&one, "text", None).unwrap();
    socket_write(&one, String::from("text"), None).unwrap();
    socket_write(&one, vec![b'x'; 4], 4).unwrap();
    socket_write(&one, [b'x'; 4], 2).unwrap();
    socket_write(&one, &b"bytes"[..], 99).unwrap();

    assert_eq!(socket_read(&other, 100, PHP_BINARY_READ).unwrap(), b"texttextxxxxxxbytes");
}

#[test]
fn data_is_asked_for_its_bytes_once() {
    struct Liar(std::cell::Cell<usize>);
    impl AsRef<[u8]> for Liar {
        fn as_ref(&self) -> &[u8] {
            self.0.set(self.0.get() + 1);
            if self.0.get() == 1 { b"short" } else { b"much longer than before" }
        }
    }
    let (one, other) = common::pair(SOCK_STREAM);
    let sent = [
        socket_write(&one, Liar(0.into()), None).unwrap(),
        socket_send(&one, Liar(0.into()), 100, 0).unwrap(),
    ];

    assert_eq!(sent, [5, 5]);
    assert_eq!(socket_read(&other, 100, PHP_BINARY_READ).unwrap(), b"shortshort");
}

#[test]
fn nothing_can_be_written_and_that_is_no_error() {
    let (one, _other) = common::pair(SOCK_STREAM);

    assert_eq!(socket_write(&one, "", None).unwrap(), 0);
    assert_eq!(socket_write(&one, "text", 0).unwrap(), 0);
    assert_eq!(socket_send(&one, "text", 0, 0).unwrap(), 0);
}

#[test]
fn a_full_buffer_takes_a_part_and_then_nothing() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&one).unwrap();
    let data = vec![7; 10_000_000];

    let sent = socket_write(&one, &data, None).unwrap();
    assert!(0 < sent && sent < data.len(), "{sent}");
    let error = socket_write(&one, &data, None).unwrap_err();
    assert!(error.is_quiet());

    let mut arrived = 0;
    socket_close(one);
    loop {
        match socket_read(&other, 1_000_000, PHP_BINARY_READ).unwrap().len() {
            0 => break,
            count => arrived += count,
        }
    }
    assert_eq!(arrived, sent, "what was taken arrives, and no byte more");
}

#[test]
fn recv_replaces_the_buffer_and_keeps_its_capacity() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut data = b"what was there before, and longer".to_vec();
    socket_write(&one, "new", None).unwrap();

    assert_eq!(socket_recv(&other, &mut data, 1000, 0).unwrap(), 3);

    assert_eq!(data, b"new");
    let (capacity, place) = (data.capacity(), data.as_ptr());
    socket_write(&one, "again", None).unwrap();
    assert_eq!(socket_recv(&other, &mut data, 1000, 0).unwrap(), 5);
    assert_eq!((data.as_slice(), data.capacity(), data.as_ptr()), (&b"again"[..], capacity, place));
}

#[test]
fn recv_empties_the_buffer_at_the_end_of_the_stream_and_on_failure() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut data = b"old".to_vec();
    assert!(socket_recv(&other, &mut data, 10, MSG_DONTWAIT).unwrap_err().is_quiet());
    assert_eq!(data, b"");

    data = b"old".to_vec();
    assert_eq!(socket_recv(&other, &mut data, 0, 0).unwrap_err().kind(), ErrorKind::Silent);
    assert_eq!(data, b"old", "a length of 0 touches nothing");
    assert!(socket_recv(&other, &mut data, usize::MAX, 0).is_err());
    assert_eq!(data, b"old");

    socket_close(one);
    assert_eq!(socket_recv(&other, &mut data, 10, 0).unwrap(), 0);
    assert_eq!(data, b"");
}

#[test]
fn recv_knows_its_flags() {
    let (one, other) = common::pair(SOCK_STREAM);
    let mut data = Vec::new();
    socket_write(&one, "abc", None).unwrap();

    assert_eq!(socket_recv(&other, &mut data, 2, MSG_PEEK).unwrap(), 2);
    assert_eq!(socket_recv(&other, &mut data, 2, MSG_WAITALL).unwrap(), 2);
    assert_eq!(socket_recv(&other, &mut data, 2, MSG_DONTWAIT).unwrap(), 1);
    assert_eq!(data, b"c");
}

#[test]
fn msg_trunc_tells_a_datagrams_real_length_and_reads_nothing_that_was_not_written() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let mut data = Vec::new();
    socket_write(&one, "eleven byte", None).unwrap();
    assert_eq!(socket_recv(&other, &mut data, 3, MSG_TRUNC).unwrap(), 11);
    assert_eq!(data, b"ele");

    socket_write(&one, "eleven byte", None).unwrap();
    let (count, _) = socket_recvfrom(&other, &mut data, 3, MSG_TRUNC).unwrap();
    assert_eq!((count, data.as_slice()), (11, &b"ele"[..]));

    data = b"kept".to_vec();
    assert!(socket_recvfrom(&other, &mut data, 3, MSG_TRUNC | MSG_DONTWAIT).is_err());
    assert_eq!(data, b"kept");

    data = Vec::with_capacity(100);
    let place = data.as_ptr();
    for _ in 0..3 {
        socket_write(&one, "eleven byte", None).unwrap();
        socket_recvfrom(&other, &mut data, 20, MSG_TRUNC).unwrap();
    }
    assert_eq!((data.as_ptr(), data.as_slice()), (place, &b"eleven byte"[..]), "a warm buffer is used again");
}

#[test]
fn msg_trunc_on_tcp_throws_bytes_away_and_shows_zeros() {
    let (client, server) = common::connection();
    let mut data = b"secret of an earlier call".to_vec();
    socket_write(&client, "discarded", None).unwrap();

    assert_eq!(socket_recv(&server, &mut data, 100, MSG_TRUNC | MSG_WAITALL | MSG_DONTWAIT).unwrap(), 9);
    assert_eq!(data, [0; 9]);

    socket_write(&client, "discarded too", None).unwrap();
    data = b"secret of an earlier call".to_vec();
    assert_eq!(socket_recvfrom(&server, &mut data, 100, MSG_TRUNC).unwrap().0, 13);
    assert_eq!(data, [0; 13]);
}

#[test]
fn datagrams_keep_their_boundaries_and_lose_what_does_not_fit() {
    let (receiver, name) = common::bound(SOCK_DGRAM);
    let sender = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    for data in ["first", "", "third and long"] {
        assert_eq!(socket_sendto(&sender, data, data.len(), 0, "127.0.0.1", name.port).unwrap(), data.len());
    }
    let mut data = b"old".to_vec();

    assert_eq!(socket_recvfrom(&receiver, &mut data, 100, 0).unwrap().0, 5);
    assert_eq!(data, b"first");
    assert_eq!(socket_recvfrom(&receiver, &mut data, 100, 0).unwrap().0, 0);
    assert_eq!(data, b"");
    let (count, from) = socket_recvfrom(&receiver, &mut data, 5, 0).unwrap();
    assert_eq!((count, data.as_slice()), (5, &b"third"[..]));
    assert_eq!(from.port, socket_getsockname(&sender).unwrap().port);

    assert!(socket_recvfrom(&receiver, &mut data, 100, MSG_DONTWAIT).unwrap_err().is_quiet());
    assert_eq!(data, b"third", "a failure leaves the data alone");
}

#[test]
fn sendto_sends_no_more_than_there_is_and_no_more_than_asked() {
    let (receiver, name) = common::bound(SOCK_DGRAM);
    let sender = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();

    assert_eq!(socket_sendto(&sender, "abc", 99, 0, "127.0.0.1", name.port).unwrap(), 3);
    assert_eq!(socket_sendto(&sender, "abc", 1, 0, "localhost", name.port).unwrap(), 1);

    let mut data = Vec::new();
    assert_eq!(socket_recvfrom(&receiver, &mut data, 9, 0).unwrap().0, 3);
    assert_eq!(socket_recvfrom(&receiver, &mut data, 9, 0).unwrap().0, 1);
}

#[test]
fn recvfrom_names_the_sender_by_the_sockets_family() {
    let mut data = Vec::new();
    let (client, server) = common::connection();
    socket_write(&client, "x", None).unwrap();
    let (_, name) = socket_recvfrom(&server, &mut data, 9, 0).unwrap();
    assert_eq!((name.to_string().as_str(), name.family), ("0.0.0.0:0", AF_INET));

    let (one, other) = common::pair(SOCK_DGRAM);
    socket_write(&one, "x", None).unwrap();
    let (_, name) = socket_recvfrom(&other, &mut data, 9, 0).unwrap();
    assert_eq!((name.to_string().as_str(), name.port, name.family), ("", 0, AF_UNIX));

    let six = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    socket_bind(&six, "::", 0).unwrap();
    let four = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    socket_sendto(&four, "x", 1, 0, "127.0.0.1", socket_getsockname(&six).unwrap().port).unwrap();
    let (_, name) = socket_recvfrom(&six, &mut data, 9, 0).unwrap();
    assert_eq!(name.address, "::ffff:127.0.0.1");
}

#[test]
fn a_length_is_checked_before_memory_is_asked_for() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "still here\n", None).unwrap();
    let huge = [usize::MAX, isize::MAX.unsigned_abs(), isize::MAX.unsigned_abs() - 1, usize::MAX / 4];

    for length in huge {
        assert!(socket_read(&other, length, PHP_BINARY_READ).is_err(), "{length}");
        assert!(socket_recv(&other, &mut Vec::new(), length, MSG_TRUNC).is_err(), "{length}");
        assert!(socket_recvfrom(&other, &mut Vec::new(), length, 0).is_err(), "{length}");
    }

    assert_eq!(socket_read(&other, 1 << 30, PHP_NORMAL_READ).unwrap(), b"still here\n", "no byte is lost");
}

#[test]
fn what_was_read_takes_no_more_memory_than_it_needs() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&one, "one\ntwo", None).unwrap();

    let line = socket_read(&other, 1 << 20, PHP_NORMAL_READ).unwrap();
    let rest = socket_read(&other, 1 << 20, PHP_BINARY_READ).unwrap();

    assert!(line.capacity() < 100 && rest.capacity() < 100);
}

#[test]
fn the_mark_is_where_the_urgent_byte_was() {
    let (client, server) = common::connection();
    socket_write(&client, "before", None).unwrap();
    socket_send(&client, "!", 1, MSG_OOB).unwrap();
    socket_write(&client, "after", None).unwrap();

    assert!(!socket_atmark(&server).unwrap());
    assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).unwrap(), b"before");
    assert!(socket_atmark(&server).unwrap());
    let mut data = Vec::new();
    assert_eq!(socket_recv(&server, &mut data, 10, MSG_OOB).unwrap(), 1);
    assert_eq!(data, b"!");
    assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).unwrap(), b"after");
}

#[test]
fn a_buffer_that_is_kept_has_the_capacity_of_the_length_until_it_is_shrunk_or_copied() {
    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&there, "0123456789", None).unwrap();
    let mut kept = Vec::new();
    assert_eq!(socket_recv(&here, &mut kept, 65535, 0), Ok(10));

    assert!(kept.capacity() >= 65535, "{}", kept.capacity());
    assert_eq!(kept.clone().capacity(), 10);
    kept.shrink_to_fit();
    assert!(kept.capacity() < 65535, "{}", kept.capacity());
}
