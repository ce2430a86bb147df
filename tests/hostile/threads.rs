//! One socket, eight threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use php_sockets::*;

use crate::common;

const ROUNDS: u32 = 2000;
const SENDERS: u32 = 3;

type Mistake = fn(&Socket) -> Result<()>;

/// The mistakes of a thread with a connected socket, and the code that each gets.
const MISTAKES: [(Mistake, i32); 3] = [
    (|socket| socket_set_option(socket, SOL_SOCKET, 9999, 1), SOCKET_ENOPROTOOPT),
    (|socket| socket_listen(socket, 1), SOCKET_EINVAL),
    (|socket| socket_connect(socket, "\0php-sockets-nowhere", None), SOCKET_ECONNREFUSED),
];

#[test]
fn eight_threads_use_one_socket_and_no_message_and_no_error_is_lost() {
    let (shared, peer) = common::pair(SOCK_SEQPACKET);
    let (shared, peer) = (Arc::new(shared), Arc::new(peer));
    let (received, sending) = (AtomicUsize::new(0), AtomicUsize::new(SENDERS as usize));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The other end gives every message back, whole and in order, until the shared end is shut for writing.
        scope.spawn(|| {
            loop {
                let data = socket_read(&peer, 100, PHP_BINARY_READ).unwrap();
                if data.is_empty() {
                    return socket_shutdown(&peer, SHUT_WR).unwrap();
                }
                assert_eq!(socket_write(&peer, &data, None), Ok(data.len()));
            }
        });
        // Three send; the last of them shuts this side.
        for sender in 0..SENDERS {
            let (socket, sending) = (Arc::clone(&shared), &sending);
            scope.spawn(move || {
                for number in 0..ROUNDS {
                    let message = [sender.to_be_bytes(), number.to_be_bytes()].concat();
                    assert_eq!(socket_send(&socket, &message, message.len(), 0), Ok(8));
                }
                if sending.fetch_sub(1, Ordering::SeqCst) == 1 {
                    socket_shutdown(&socket, SHUT_WR).unwrap();
                }
            });
        }
        // Two receive. Each of them gets the bytes of one sender in order.
        for _ in 0..2 {
            let (socket, received, done) = (Arc::clone(&shared), &received, &done);
            scope.spawn(move || {
                let (mut data, mut last) = (Vec::new(), [None; SENDERS as usize]);
                while socket_recv(&socket, &mut data, 100, 0).unwrap() > 0 {
                    let number = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
                    assert_eq!(data.len(), 8);
                    let last = &mut last[number(0) as usize];
                    assert!(last.is_none_or(|last| last < number(4)));
                    *last = Some(number(4));
                    received.fetch_add(1, Ordering::SeqCst);
                }
                done.store(true, Ordering::SeqCst);
            });
        }
        // Three do what fails, each with a code of its own, which no other thread's failure takes from it.
        for (mistake, code) in &MISTAKES {
            let (socket, done) = (Arc::clone(&shared), &done);
            scope.spawn(move || {
                assert_eq!(socket_last_error(None), 0, "a new thread has no error");
                let mut rounds = 0;
                while !done.load(Ordering::SeqCst) || rounds < 100 {
                    rounds += 1;
                    assert_eq!(mistake(&socket).unwrap_err().code(), *code);
                    assert_eq!(socket_last_error(None), *code, "its own last error");
                    // The socket's slot belongs to all: it has one of the codes, or none after a thread has cleared it.
                    let shared = socket_last_error(&*socket);
                    assert!(shared == 0 || MISTAKES.iter().any(|(_, code)| *code == shared), "{shared}");
                    if rounds % 16 == 0 {
                        socket_clear_error(&*socket);
                        assert_eq!(socket_last_error(None), *code, "clearing a socket's clears no thread's");
                    }
                }
                socket_clear_error(None);
                assert_eq!(socket_last_error(None), 0);
            });
        }
    });

    assert_eq!(received.into_inner(), (SENDERS * ROUNDS) as usize, "no message is lost");
    assert_eq!(socket_last_error(None), 0, "what failed elsewhere did not fail here");
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn eight_threads_write_one_stream_and_no_byte_is_lost() {
    let (shared, reader) = common::connection();
    let shared = Arc::new(shared);
    for thread in 0..8 {
        let socket = Arc::clone(&shared);
        std::thread::spawn(move || {
            for _ in 0..ROUNDS {
                // A write of few bytes may be cut in two by the end of the buffer, so it is carried on with.
                let mut rest: &[u8] = &[b'a' + thread; 100];
                while !rest.is_empty() {
                    rest = &rest[socket_write(&socket, rest, None).unwrap()..];
                }
            }
        });
    }
    // The stream ends when the last of them has dropped its share, and not before.
    drop(shared);
    let mut counts = [0_u32; 8];
    for byte in crate::stage::server::read_all(&reader) {
        counts[usize::from(byte - b'a')] += 1;
    }

    assert_eq!(counts, [ROUNDS * 100; 8]);
}

#[test]
fn a_socket_is_closed_once_by_whoever_drops_it_last() {
    for _ in 0..200 {
        let (shared, peer) = common::pair(SOCK_STREAM);
        let shared = Arc::new(shared);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let socket = Arc::clone(&shared);
                std::thread::spawn(move || {
                    socket_set_nonblock(&socket).unwrap();
                    let _ = socket_write(&socket, "x", None).unwrap();
                    drop(socket);
                })
            })
            .collect();
        drop(shared);

        // Eight bytes and the end. A second close would close what another test has just opened.
        assert_eq!(crate::stage::server::read_all(&peer), b"xxxxxxxx");
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_thread_that_waits_is_woken_by_the_shutdown_of_another() {
    let (shared, _peer) = common::connection();
    let shared = Arc::new(shared);
    let waiting: Vec<_> = (0..7)
        .map(|_| {
            let socket = Arc::clone(&shared);
            std::thread::spawn(move || socket_read(&socket, 10, PHP_BINARY_READ))
        })
        .collect();

    socket_shutdown(&shared, SHUT_RD).unwrap();

    for thread in waiting {
        assert_eq!(thread.join().unwrap(), Ok(Vec::new()));
    }
}
