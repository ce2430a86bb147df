//! Waiting for many sockets: arrays of every kind, keys, order, limits.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use php_sockets::*;
use proptest::prelude::*;

use crate::common;

#[path = "../models/select.rs"]
mod model;

/// An array in one of its forms, or none, with places in a list of 40 sockets.
fn array() -> impl Strategy<Value = model::Array> {
    (0..5_u8, prop::collection::vec(0..40_usize, 0..50))
}

#[test]
fn the_ready_stay_with_keys_and_order_whatever_the_descriptors_are() {
    common::raise_descriptor_limit();
    // In a table of descriptors of its own, whose numbers no other test takes.
    let left = common::descriptors_left(|| {
        let ready = model::Ready::new();
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) };
        let sockets =
            prop::collection::vec((0..6_usize, prop_oneof![9 => 0..1000_u16, 1 => 0..1030_u16]), 0..40);
        proptest!(config, |(sockets in sockets, arrays in [array(), array(), array()])| {
            model::holds(&ready, &sockets, &arrays);
        });
    });

    assert_eq!(left, 0);
}

/// Three readers, of which the second and the third have something to read, and their peers.
fn three() -> ([Socket; 3], [Socket; 3]) {
    let pairs = [(); 3].map(|()| common::pair(SOCK_STREAM));
    let [(a, pa), (b, pb), (c, pc)] = pairs;
    socket_write(&pb, "x", None).unwrap();
    socket_write(&pc, "x", None).unwrap();
    ([a, b, c], [pa, pb, pc])
}

#[test]
fn the_ready_ones_are_left_with_keys_and_order() {
    let ([a, b, c], _peers) = three();

    let mut list = vec![&c, &a, &b];
    assert_eq!(socket_select(Some(&mut list), None, None, 0, 0).unwrap(), 2);
    assert_eq!(list, [&c, &b]);

    let mut map = vec![("c", &c), ("a", &a), ("b", &b)];
    assert_eq!(socket_select(Some(&mut map), None, None, 0, 0).unwrap(), 2);
    assert_eq!(map, [("c", &c), ("b", &b)]);

    let mut tree = BTreeMap::from([(10, &a), (20, &b), (30, &c)]);
    assert_eq!(socket_select(Some(&mut tree), None, None, 0, 0).unwrap(), 2);
    assert_eq!(tree, BTreeMap::from([(20, &b), (30, &c)]));

    let mut hash = HashMap::from([("a", &a), ("b", &b), ("c", &c)]);
    assert_eq!(socket_select(Some(&mut hash), None, None, 0, 0).unwrap(), 2);
    assert_eq!(hash, HashMap::from([("b", &b), ("c", &c)]));
}

#[test]
fn a_map_keeps_the_ready_ones_whether_they_are_few_or_many() {
    let pairs: Vec<(Socket, Socket)> = (0..40).map(|_| common::pair(SOCK_STREAM)).collect();
    for ready in [1, 2, 9, 10, 11, 39, 40] {
        let chosen = (0..40).step_by(40 / ready).take(ready);
        let chosen: Vec<usize> = if ready < 39 { chosen.collect() } else { (40 - ready..40).collect() };
        for place in &chosen {
            socket_write(&pairs[*place].1, "x", None).unwrap();
        }
        let mut tree: BTreeMap<usize, &Socket> = pairs.iter().map(|(socket, _)| socket).enumerate().collect();

        assert_eq!(socket_select(Some(&mut tree), None, None, 0, 0).unwrap(), ready);

        assert!(tree.keys().eq(&chosen), "{chosen:?}: {:?}", tree.keys());
        for (place, socket) in tree {
            assert_eq!(socket, &pairs[place].0);
            assert_eq!(socket_read(socket, 10, PHP_BINARY_READ).unwrap(), b"x");
        }
    }
}

/// A key whose comparison panics when it is told to.
#[derive(Debug)]
struct Fragile<'a>(u32, &'a std::cell::Cell<bool>);

impl PartialEq for Fragile<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Fragile<'_> {}
impl PartialOrd for Fragile<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Fragile<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        assert!(!self.1.get(), "it breaks");
        self.0.cmp(&other.0)
    }
}

#[test]
#[allow(clippy::mutable_key_type, reason = "whether they panic does not change their order")]
fn a_map_whose_keys_panic_when_compared_stays_a_map_and_holds_no_idle_socket() {
    let broken = std::cell::Cell::new(false);
    let pairs: Vec<(Socket, Socket)> = (0..40).map(|_| common::pair(SOCK_STREAM)).collect();
    for (ready, compares) in [(1, false), (3, true), (30, false)] {
        for (_, peer) in &pairs[..ready] {
            socket_write(peer, "x", None).unwrap();
        }
        let all = (0..).zip(&pairs).map(|(number, (socket, _))| (Fragile(number, &broken), socket));
        let mut tree: BTreeMap<Fragile, &Socket> = all.collect();

        broken.set(true);
        let select = || socket_select(Some(&mut tree), None, None, 0, 0);
        let count = std::panic::catch_unwind(std::panic::AssertUnwindSafe(select));
        broken.set(false);

        assert_eq!(count.ok(), (!compares).then_some(Ok(ready)));
        let kept: Vec<u32> = tree.keys().map(|key| key.0).collect();
        assert_eq!(kept.len(), if compares { 1 } else { ready }, "{kept:?}");
        assert!((0..).zip(&pairs).zip(&tree).all(|((number, (socket, _)), (key, kept))| {
            key.0 == number && *kept == socket && tree[key] == socket
        }));
        for (socket, _) in &pairs[..ready] {
            socket_read(socket, 10, PHP_BINARY_READ).unwrap();
        }
    }
}

#[test]
fn handles_may_be_shared_in_every_way() {
    let ([a, b, c], _peers) = three();
    let (a, b, c) = (Rc::new(a), Rc::new(b), Arc::new(c));

    let mut counted = vec![Rc::clone(&a), Rc::clone(&b)];
    assert_eq!(socket_select(Some(&mut counted), None, None, 0, 0).unwrap(), 1);
    assert_eq!(counted, [Rc::clone(&b)]);

    let mut atomic = BTreeMap::from([("c", Arc::clone(&c))]);
    let mut keyed = vec![(1, Rc::clone(&a)), (2, b)];
    assert_eq!(socket_select(Some(&mut keyed), Some(&mut atomic), None, 0, 0).unwrap(), 2);
    assert_eq!((keyed.len(), atomic.len()), (1, 1));
    assert_eq!(socket_write(&a, "still open", None).unwrap(), 10, "an idle socket is not closed");
}

#[test]
fn each_array_is_judged_by_its_own_question() {
    let (client, server) = common::connection();
    socket_send(&server, "!", 1, MSG_OOB).unwrap();
    let (mut read, mut write, mut except) = (vec![&client], vec![&client], vec![&client, &server]);

    let count = socket_select(Some(&mut read), Some(&mut write), Some(&mut except), 1, 0).unwrap();

    assert_eq!(count, 2, "writable, and urgent");
    assert_eq!((read.len(), write.len(), except), (0, 1, vec![&client]));
}

#[test]
fn a_socket_counts_once_an_array_and_stays_as_often_as_it_stood_there() {
    let (one, _other) = common::pair(SOCK_STREAM);
    let mut write = vec![&one, &one, &one];
    let mut read: Vec<&Socket> = Vec::new();

    assert_eq!(socket_select(Some(&mut read), Some(&mut write), None, 0, 0).unwrap(), 1);

    assert_eq!(write.len(), 3);
}

#[test]
fn a_time_out_leaves_empty_arrays() {
    let (one, _other) = common::pair(SOCK_STREAM);
    let mut read = vec![&one];

    assert_eq!(socket_select(Some(&mut read), None, None, 0, 1000).unwrap(), 0);

    assert!(read.is_empty());
}

#[test]
fn microseconds_may_be_a_million_and_more() {
    let (one, _other) = common::pair(SOCK_STREAM);
    let begin = std::time::Instant::now();

    assert_eq!(socket_select(Some(&mut vec![&one]), None, None, 0, 1_100_000).unwrap(), 0);

    assert!(begin.elapsed().as_secs_f64() >= 1.1);
}

#[test]
fn a_time_that_overflows_is_refused_by_the_kernel_and_not_a_panic() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&other, "x", None).unwrap();
    let word = 1_i64 << 32;
    let seconds = [i64::MIN, i64::MIN + 1, -word, -1, 0, 1, word, i64::MAX - 1, i64::MAX];
    let microseconds =
        [i64::MIN, i64::MIN + 5, -word, 5 - word, -1_000_000, -1, 0, 1, 999_999, 1_000_000, word, i64::MAX];
    for seconds in seconds {
        for microseconds in microseconds {
            let negative =
                microseconds < 0 || seconds.checked_add(microseconds / 1_000_000).is_none_or(|sum| sum < 0);

            let result = socket_select(Some(&mut vec![&one]), None, None, seconds, microseconds);

            let expected = if negative { Err(SOCKET_EINVAL) } else { Ok(1) };
            assert_eq!(result.map_err(|error| error.code()), expected, "{seconds} {microseconds}");
        }
    }
}

#[test]
fn a_failure_leaves_the_arrays_alone() {
    let ([a, b, c], _peers) = three();
    let mut read = vec![&a, &b, &c];

    let error = socket_select(Some(&mut read), None, None, -1, 0).unwrap_err();

    assert_eq!(error.code(), SOCKET_EINVAL);
    assert_eq!(read, [&a, &b, &c]);
    assert_eq!(socket_last_error(&a), 0, "no socket's slot is touched");
}

#[test]
fn every_descriptor_has_a_bit_of_its_own() {
    common::raise_descriptor_limit();
    let done = common::in_child(|| {
        let ((idle, _peer), (ready, other)) = (common::pair(SOCK_STREAM), common::pair(SOCK_STREAM));
        socket_write(&other, "x", None).unwrap();
        let numbers = [300, 319, 320, 383, 384, 512, 1022, 1023];
        for chosen in 0..1_u32 << numbers.len() {
            let is_ready = |place: usize| chosen >> place & 1 == 1;
            let sockets: Vec<Socket> = numbers
                .iter()
                .enumerate()
                .map(|(place, number)| {
                    common::numbered(if is_ready(place) { &ready } else { &idle }, *number)
                })
                .collect();
            let mut read: Vec<(usize, &Socket)> = sockets.iter().enumerate().collect();

            let count = socket_select(Some(&mut read), None, None, 0, 0).unwrap();

            assert_eq!(count, chosen.count_ones() as usize);
            assert!(
                read.into_iter()
                    .map(|(place, _)| place)
                    .eq((0..numbers.len()).filter(|place| is_ready(*place)))
            );
        }
        1
    });

    assert_eq!(done, 1, "the child made all its assertions");
}

#[test]
fn what_is_ready_in_one_array_alone_leaves_nothing_in_the_others() {
    let (one, _other) = common::pair(SOCK_STREAM);
    let (mut read, mut write, mut except) = (vec![&one], vec![&one], vec![&one]);

    assert_eq!(socket_select(Some(&mut read), Some(&mut write), Some(&mut except), 0, 0).unwrap(), 1);

    assert_eq!((read.len(), write, except.len()), (0, vec![&one], 0));
}

#[test]
fn a_descriptor_of_1023_fits_and_one_of_1024_does_not() {
    common::raise_descriptor_limit();
    let done = common::in_child(|| {
        let (one, _other) = common::pair(SOCK_STREAM);
        let fits = common::numbered(&one, 1023);
        let too_high = common::numbered(&one, 1024);

        assert_eq!(socket_select(None, Some(&mut vec![&fits]), None, 0, 0).unwrap(), 1);

        let mut write = vec![&fits, &too_high];
        let error = socket_select(None, Some(&mut write), None, 0, 0).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Warning, SOCKET_EINVAL));
        assert!(
            error.to_string().contains("at least as high as 1024.\n --enable-fd-setsize=2048 "),
            "{error}"
        );
        assert_eq!((socket_last_error(None), write.len()), (0, 2));

        let higher = common::numbered(&one, 2100);
        let error = socket_select(None, Some(&mut vec![&higher]), None, 0, 0).unwrap_err();
        assert!(error.to_string().contains("as high as 2100.\n --enable-fd-setsize=3072 "), "{error}");
        1
    });

    assert_eq!(done, 1, "the child made all its assertions");
}

#[test]
fn references_to_shared_sockets_are_arrays_too() {
    let ([a, b, c], _peers) = three();
    let shared = [a, b, c].map(Rc::new);
    let by_name = HashMap::from([("a", &shared[0]), ("b", &shared[1])]);

    let mut list: Vec<&Rc<Socket>> = shared.iter().collect();
    assert_eq!(socket_select(Some(&mut list), None, None, 0, 0).unwrap(), 2);
    assert_eq!(list, [&shared[1], &shared[2]]);

    let mut map: HashMap<&str, &&Rc<Socket>> = by_name.iter().map(|(key, socket)| (*key, socket)).collect();
    assert_eq!(socket_select(Some(&mut map), None, None, 0, 0).unwrap(), 1);
    assert_eq!(map.into_keys().collect::<Vec<_>>(), ["b"]);
}
