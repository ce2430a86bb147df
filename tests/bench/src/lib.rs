//! The parts that every measured program in Rust shares, outside of what is measured.

use std::net::TcpListener;

/// The bytes of a request.
pub const SIZE: usize = 64;

/// The most bytes that a server takes at once.
pub const CAPACITY: usize = 1024;

/// How many events a server takes from epoll at once.
pub const BATCH: usize = 256;

/// The seconds after which a program that hangs is ended.
const SECONDS: u32 = 120;

/// The workload and its count from the command line.
///
/// # Panics
///
/// Without a workload.
#[must_use]
pub fn start() -> (String, u64) {
    // SAFETY: the call takes a number; the signal ends the process.
    unsafe { libc::alarm(SECONDS) };
    let mut arguments = std::env::args().skip(1);
    let workload = arguments.next().expect("usage: WORKLOAD [COUNT]");
    let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(0);
    (workload, count)
}

/// A listener on a free port of 127.0.0.1, which it prints.
///
/// # Panics
///
/// Where there is no free port.
#[must_use]
pub fn listen_here() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("a bound socket").port());
    listener
}

/// Ends a program that has not received all that it sent, `SIZE` bytes each time.
///
/// # Panics
///
/// Where bytes are missing.
pub fn all(received: usize, count: u64) {
    assert_eq!(received as u64, count * SIZE as u64, "bytes");
}

/// Ends a program that was asked for what it does not play.
///
/// # Panics
///
/// Always.
pub fn unknown(workload: &str) -> ! {
    panic!("this program does not play {workload}")
}
