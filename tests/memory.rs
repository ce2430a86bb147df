//! No memory is asked for while bytes, vectors and messages go and come: the caller's types own what there is.

#[path = "common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::os::fd::AsFd;

use php_sockets::*;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts for each thread how often it is asked for memory.
struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often `act` asks for memory.
fn asked(act: impl FnOnce()) -> usize {
    let before = ASKED.get();
    act();
    ASKED.get() - before
}

#[test]
fn vectors_ask_for_no_memory() {
    let (one, other) = common::pair(SOCK_STREAM);
    let iovec = IoVec::from(["head", "and body"]);
    let mut buffers = socket_iovec_alloc(&[4, 100]).unwrap();

    assert_eq!(asked(|| assert_eq!(socket_writev(&one, &iovec).unwrap(), 12)), 0);
    assert_eq!(asked(|| assert_eq!(socket_readv(&other, &mut buffers).unwrap(), 12)), 0);
    assert_eq!(asked(|| assert_eq!(buffers.iter().count(), 2)), 0);
}

#[test]
fn messages_ask_for_no_memory() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let iov = IoVec::from(["head", "and body"]);
    let stdin = std::io::stdin();
    let descriptors = [stdin.as_fd(); 253];
    let control = [ControlMessage::Rights(&descriptors)];
    let message = Message::new().iov(&iov).control(&control);
    let mut received = Received::new(socket_iovec_alloc(&[4, 100]).unwrap(), 2000).unwrap();
    // The second set of buffers comes with the first MSG_TRUNC, and stays.
    for (flags, first) in [(0, false), (MSG_TRUNC, true), (0, false), (MSG_TRUNC, false), (MSG_TRUNC, false)]
    {
        assert_eq!(asked(|| assert_eq!(socket_sendmsg(&one, &message, 0).unwrap(), 12)), 0);
        let count = asked(|| assert_eq!(socket_recvmsg(&other, &mut received, flags).unwrap(), 12));
        assert_eq!(count > 0, first, "{count} times");
        let shown = asked(|| {
            for message in received.control() {
                assert!(matches!(message, ReceivedControl::Rights(descriptors) if descriptors.len() == 253));
            }
        });
        assert_eq!(shown, 0);
    }
}

/// How often this thread has touched a page of memory for the first time.
fn pages_touched() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is writable and outlives the call, which keeps no pointer.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) }, 0);
    // SAFETY: numbers alone, which were zeros before they were written.
    unsafe { usage.assume_init() }.ru_minflt
}

#[test]
fn a_gigabyte_for_control_messages_is_not_touched_before_they_come() {
    let (one, other) = common::pair(SOCK_DGRAM);
    let stdin = std::io::stdin();
    let descriptors = [stdin.as_fd()];
    let before = pages_touched();
    let mut written = vec![0_u8; 64 << 20];
    written.fill(1);
    // Where pages are huge, they are of two megabytes.
    let control = pages_touched() - before;
    assert!(std::hint::black_box(&written).len() > 1 && control >= 32, "{control} pages of 64 megabytes");

    let before = pages_touched();
    let mut received = Received::new(socket_iovec_alloc(&[1 << 30]).unwrap(), 1 << 30).unwrap();
    let message = [ControlMessage::Rights(&descriptors)];
    socket_sendmsg(&one, &Message::new().iov(&IoVec::from(["x"])).control(&message), 0).unwrap();
    assert_eq!(socket_recvmsg(&other, &mut received, 0).unwrap(), 1);
    assert_eq!(received.control().count(), 1);

    let touched = pages_touched() - before;
    assert!(touched < 100, "{touched} pages of three gigabytes");
}

#[test]
fn a_numeric_address_asks_for_no_memory() {
    let (receiver, to) = common::bound(SOCK_DGRAM);
    let sender = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    let name = MessageName::inet("127.0.0.1", to.port);
    let message = Message::new().name(&name);
    let mut arrived = Received::new(socket_iovec_alloc(&[4]).unwrap(), 64).unwrap();

    assert_eq!(asked(|| assert_eq!(socket_sendmsg(&sender, &message, 0).unwrap(), 0)), 0);
    assert_eq!(asked(|| assert_eq!(socket_recvmsg(&receiver, &mut arrived, 0).unwrap(), 0)), 0);
    assert_eq!(asked(|| assert_eq!(socket_sendto(&sender, "", 0, 0, "127.0.0.1", to.port).unwrap(), 0)), 0);

    let six = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    assert_eq!(asked(|| socket_connect(&six, "::ffff:127.0.0.1", to.port).unwrap()), 0);
}

#[test]
fn a_name_that_is_returned_asks_for_the_memory_of_its_text() {
    let (listener, port) = common::listener();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    assert_eq!(asked(|| socket_connect(&client, "127.0.0.1", port).unwrap()), 0);
    let mut server = None;
    assert_eq!(asked(|| server = socket_accept(&listener).ok()), 0);
    let server = server.unwrap();
    assert_eq!(asked(|| assert_eq!(socket_getpeername(&client).unwrap().port, port)), 1);

    let mut data = Vec::with_capacity(100);
    socket_write(&client, "x", None).unwrap();
    assert_eq!(asked(|| assert_eq!(socket_recvfrom(&server, &mut data, 100, 0).unwrap().0, 1)), 1);
}

#[test]
fn waiting_asks_for_no_memory() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&other, "x", None).unwrap();
    let (mut read, mut write) = (vec![&one, &other], vec![&one, &other]);
    let mut keyed = std::collections::BTreeMap::from([(1, &one), (2, &other)]);

    let mut wait = || socket_select(Some(&mut read), Some(&mut write), Some(&mut keyed), 0, 0).unwrap();

    assert_eq!(asked(|| assert_eq!(wait(), 3)), 0);
}
