//! The program that is counted: `counts WORKLOAD CLIENTS ROUNDS`. It prints how often it asked for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use php_sockets::*;

mod by_hand;
mod ours;

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which counts.
struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const REQUEST: [u8; 64] = [b'x'; 64];

/// A listener and an even number of clients, of which the first and the last are each other's peers: what the one is
/// answered is the other's request, so that no load is counted. One request is on its way.
fn crowd(clients: usize) -> Result<Vec<Socket>> {
    let mut sockets = vec![socket_create_listen(0, SOMAXCONN)?];
    let (first, last) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    socket_send(&last, REQUEST, REQUEST.len(), 0)?;
    sockets.push(first);
    while sockets.len() < clients {
        let (one, other) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
        sockets.extend([one, other]);
    }
    sockets.push(last);
    assert_eq!(sockets.len(), clients + 1);
    Ok(sockets)
}

fn numbers(sockets: &[Socket]) -> Vec<RawFd> {
    sockets.iter().map(AsRawFd::as_raw_fd).collect()
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().expect("a workload");
    let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number");
    let (clients, rounds) = (number(), number());

    let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    let mut line = REQUEST;
    line[63] = b'\n';
    let (request, line) = (black_box(&REQUEST[..]), black_box(&line[..]));
    let sockets = crowd(clients)?;
    match workload.as_str() {
        "pair" => ours::pair(rounds, &here, &there, request)?,
        "pair with flags" => ours::pair_with_flags(rounds, &here, &there, request, black_box((64, 0)))?,
        "pair by hand" => by_hand::pair(rounds, here.as_raw_fd(), there.as_raw_fd(), request),
        "lines" => {
            // A descriptor made elsewhere, with an option that does not matter to a reader of lines, is read as fast.
            let there = Socket::from(OwnedFd::from(there));
            socket_set_option(&there, SOL_SOCKET, SO_RCVBUF, 65536)?;
            ours::lines(rounds, &here, &there, line)?;
        }
        "lines by hand" => by_hand::lines(rounds, here.as_raw_fd(), there.as_raw_fd(), line),
        "select shared" => ours::select_shared(rounds, &sockets.into_iter().map(Rc::new).collect())?,
        "select references" => ours::select_references(rounds, &sockets)?,
        "select kept references" => ours::select_kept_references(rounds, &sockets)?,
        "select kept keys" => ours::select_kept_keys(rounds, &sockets)?,
        "select keys" => ours::select_keys(rounds, &sockets)?,
        "select tree" => ours::select_tree(rounds, &sockets.into_iter().enumerate().collect())?,
        "select table" => {
            let mut clients = (0..).zip(sockets);
            let (_, listener) = clients.next().expect("a listener");
            ours::select_table(rounds, &listener, &clients.collect())?;
        }
        "select by hand" => by_hand::select(rounds, &numbers(&sockets)),
        "events" => ours::events(rounds, None, sockets.into_iter().skip(1))?,
        "events with time-outs" => {
            ours::events(rounds, Some(Duration::from_secs(60)), sockets.into_iter().skip(1))?;
        }
        "timers again" => ours::timers_again(rounds, clients)?,
        "timers fired" => ours::timers_fired(rounds, clients)?,
        "events by hand" => by_hand::events(rounds, &numbers(&sockets)[1..]),
        // Such as `reads 64 1024`: the bytes of an answer, and the length that is read.
        other => {
            let [kind, size, length] = other.split(' ').collect::<Vec<_>>()[..] else { panic!("{other}") };
            let text = vec![b'x'; size.parse().expect("a number")];
            let (text, length) = (black_box(&text[..]), black_box(length.parse().expect("a number")));
            match kind {
                "reads" => ours::reads(rounds, &here, &there, text, length)?,
                "reads-by-hand" => by_hand::reads(rounds, here.as_raw_fd(), there.as_raw_fd(), text, length),
                _ => panic!("{other}"),
            }
        }
    }
    println!("{}", ASKED.load(Ordering::Relaxed));
    Ok(())
}
