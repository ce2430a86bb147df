//! `socket_select` against sets: a ready socket stays, in order and with its key, and counts once an array; a descriptor
//! that is too high is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use php_sockets::*;

/// Sockets by what they are ready for: bit 0 to read, bit 1 to write, bit 2 for urgent data.
pub(crate) struct Ready {
    kinds: [Socket; 6],
    _peers: [Socket; 6],
}

/// The bits that each of `Ready::kinds` is ready for.
pub(crate) const MASKS: [u8; 6] = [0b000, 0b001, 0b010, 0b011, 0b110, 0b111];

/// One array: how it is passed (0 a list, 1 a list with keys, 2 a tree, 3 a hash map, else none), and places in the list of sockets.
pub(crate) type Array = (u8, Vec<usize>);

impl Ready {
    pub(crate) fn new() -> Ready {
        let pairs = MASKS.map(|mask| {
            let (own, peer) = if mask & 4 == 0 {
                socket_create_pair(AF_UNIX, SOCK_STREAM, 0).unwrap()
            } else {
                connection()
            };
            if mask & 4 != 0 {
                assert_eq!(socket_send(&peer, "!", 1, MSG_OOB).unwrap(), 1);
            }
            if mask & 1 != 0 {
                assert_eq!(socket_write(&peer, "x", None).unwrap(), 1);
            }
            if mask & 2 == 0 {
                socket_set_nonblock(&own).unwrap();
                while socket_write(&own, [0; 4096], None).is_ok() {}
                while socket_write(&own, [0], None).is_ok() {}
            }
            // Bytes sent over TCP have arrived when select says so.
            if mask & 4 != 0 {
                let (mut read, mut urgent) = (vec![&own], vec![&own]);
                let wait = |array: &mut Vec<&Socket>, urgent: bool| {
                    let (read, except): (Option<&mut dyn SocketArray>, Option<&mut dyn SocketArray>) =
                        if urgent { (None, Some(array)) } else { (Some(array), None) };
                    assert_eq!(socket_select(read, None, except, 10, 0).unwrap(), 1);
                };
                wait(&mut urgent, true);
                if mask & 1 != 0 {
                    wait(&mut read, false);
                }
            }
            (own, peer)
        });
        let mut peers = Vec::new();
        let kinds = pairs.map(|(own, peer)| {
            peers.push(peer);
            own
        });
        Ready { kinds, _peers: peers.try_into().expect("six of them") }
    }

    /// A socket of this kind with the first free descriptor from `number` on.
    fn numbered(&self, kind: usize, number: u16) -> (Socket, u8) {
        // Some are too high for an fd_set.
        let number = i32::from(number % 1100);
        // SAFETY: fcntl takes numbers here.
        let fd = unsafe { libc::fcntl(self.kinds[kind % 6].as_raw_fd(), libc::F_DUPFD_CLOEXEC, number) };
        assert_ne!(fd, -1);
        // SAFETY: the descriptor has just been made and has no other owner.
        (Socket::from(unsafe { OwnedFd::from_raw_fd(fd) }), MASKS[kind % 6])
    }
}

fn connection() -> (Socket, Socket) {
    let listener = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, "127.0.0.1", 0).unwrap();
    socket_listen(&listener, 1).unwrap();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_connect(&client, "127.0.0.1", socket_getsockname(&listener).unwrap().port).unwrap();
    (socket_accept(&listener).unwrap(), client)
}

enum Passed<'a> {
    List(Vec<&'a Socket>),
    Keys(Vec<(usize, &'a Socket)>),
    Tree(BTreeMap<usize, &'a Socket>),
    Hash(HashMap<usize, &'a Socket>),
    Nothing,
}

impl Passed<'_> {
    fn array(&mut self) -> Option<&mut dyn SocketArray> {
        match self {
            Passed::List(array) => Some(array),
            Passed::Keys(array) => Some(array),
            Passed::Tree(array) => Some(array),
            Passed::Hash(array) => Some(array),
            Passed::Nothing => None,
        }
    }

    /// Keys and descriptors, as far as the array has them.
    fn shown(&self) -> Vec<(Option<usize>, i32)> {
        match self {
            Passed::List(array) => array.iter().map(|socket| (None, socket.as_raw_fd())).collect(),
            Passed::Keys(array) => array.iter().map(|(key, one)| (Some(*key), one.as_raw_fd())).collect(),
            Passed::Tree(array) => array.iter().map(|(key, one)| (Some(*key), one.as_raw_fd())).collect(),
            // In no order of its own, so here in that of the keys.
            Passed::Hash(array) => {
                let sorted: BTreeMap<_, _> = array.iter().collect();
                sorted.into_iter().map(|(key, one)| (Some(*key), one.as_raw_fd())).collect()
            }
            Passed::Nothing => Vec::new(),
        }
    }
}

/// Selects, without waiting, among sockets of these kinds and numbers, which stand in the three arrays.
pub(crate) fn holds(ready: &Ready, sockets: &[(usize, u16)], arrays: &[Array; 3]) {
    let sockets: Vec<(Socket, u8)> = sockets.iter().map(|(kind, fd)| ready.numbered(*kind, *fd)).collect();
    let mut passed = arrays.each_ref().map(|(form, places)| {
        let chosen = places.iter().filter_map(|place| sockets.get(*place)).map(|(socket, _)| socket);
        match form {
            0 => Passed::List(chosen.collect()),
            // Keys in no order, and twice the same: PHP's cannot be, a `Vec` can.
            1 => Passed::Keys(chosen.enumerate().map(|(at, socket)| (at * 7 % 5, socket)).collect()),
            2 => Passed::Tree(chosen.enumerate().map(|(at, socket)| (at * 7 % 64, socket)).collect()),
            3 => Passed::Hash(chosen.enumerate().map(|(at, socket)| (at * 7 % 64, socket)).collect()),
            _ => Passed::Nothing,
        }
    });
    let is_ready = |fd: i32, bit: usize| {
        sockets.iter().any(|(socket, mask)| socket.as_raw_fd() == fd && mask >> bit & 1 == 1)
    };
    let before = passed.each_ref().map(Passed::shown);
    let [read, write, except] = &mut passed;

    let count = socket_select(read.array(), write.array(), except.array(), 0, 0);

    if before.iter().all(Vec::is_empty) {
        assert_eq!(count.unwrap_err().kind(), ErrorKind::Value);
        return;
    }
    if let Some(highest) = before.iter().flatten().map(|(_, fd)| *fd).max().filter(|fd| *fd > 1023) {
        let error = count.unwrap_err();
        assert!(error.to_string().contains(&format!("as high as {highest}.\n")), "{error}");
        assert_eq!(passed.each_ref().map(Passed::shown), before);
        return;
    }
    let mut expected = 0;
    for (bit, (passed, before)) in passed.iter().zip(&before).enumerate() {
        let left: Vec<_> = before.iter().copied().filter(|(_, fd)| is_ready(*fd, bit)).collect();
        assert_eq!(passed.shown(), left, "bit {bit}");
        expected += left.iter().map(|(_, fd)| fd).collect::<BTreeSet<_>>().len();
    }
    assert_eq!(count.unwrap(), expected);
}
