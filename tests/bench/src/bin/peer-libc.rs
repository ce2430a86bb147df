//! The C programs, by hand in Rust on the `libc` crate.

use std::mem;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{c_int, epoll_event, fd_set};
use shared::{BATCH, CAPACITY, SIZE, all, listen_here, start, unknown};

fn main() {
    let (workload, count) = start();
    match workload.as_str() {
        "empty" => (0..count).for_each(|_| std::hint::black_box(())),
        "pair" => pair(count),
        "echo" => echo(),
        "select" => select(),
        "epoll" => epoll(),
        other => unknown(other),
    }
}

fn send(fd: c_int, data: &[u8]) -> isize {
    // SAFETY: `data` has as many bytes as the call is told to read.
    unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), 0) }
}

fn recv(fd: c_int, buffer: &mut [u8]) -> isize {
    // SAFETY: `buffer` has as many bytes as the call may write.
    unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) }
}

fn close(fd: c_int) {
    // SAFETY: the call takes a number; the descriptor is not used afterwards.
    unsafe { libc::close(fd) };
}

fn accept(listener: &TcpListener) -> c_int {
    let listener = listener.as_raw_fd();
    // SAFETY: a null address is allowed, and means that it is not wanted.
    let client = unsafe { libc::accept4(listener, ptr::null_mut(), ptr::null_mut(), libc::SOCK_CLOEXEC) };
    assert!(client != -1, "accept4");
    client
}

fn pair(count: u64) {
    let mut pair = [0; 2];
    // SAFETY: `pair` has the two numbers that the call writes.
    let status = unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr())
    };
    assert!(status == 0, "socketpair");
    let data = [b'x'; SIZE];
    let mut buffer = [0; SIZE];
    let mut received = 0;
    for _ in 0..count {
        assert!(send(pair[0], &data) != -1, "send");
        let some = recv(pair[1], &mut buffer);
        assert!(some != -1, "recv");
        received += some.unsigned_abs();
    }
    all(received, count);
}

/// Whether the client stays.
fn answer(client: c_int, buffer: &mut [u8; CAPACITY]) -> bool {
    let count = recv(client, buffer);
    count > 0 && send(client, &buffer[..count.unsigned_abs()]) == count
}

fn echo() {
    let client = accept(&listen_here());
    let mut buffer = [0; CAPACITY];
    while answer(client, &mut buffer) {}
}

fn select() {
    let listener = listen_here();
    let mut clients: Vec<c_int> = Vec::new();
    let mut buffer = [0; CAPACITY];
    loop {
        // SAFETY: an `fd_set` is bits alone; all of them 0 is the empty set.
        let mut read: fd_set = unsafe { mem::zeroed() };
        let mut highest = listener.as_raw_fd();
        // SAFETY: here and below: a process with a hundred clients has no descriptor above 1023.
        unsafe { libc::FD_SET(highest, &raw mut read) };
        for client in &clients {
            // SAFETY: as above.
            unsafe { libc::FD_SET(*client, &raw mut read) };
            highest = highest.max(*client);
        }
        let null = ptr::null_mut();
        // SAFETY: `read` is writable, null stands for no set and no time.
        let count = unsafe { libc::select(highest + 1, &raw mut read, null, null, ptr::null_mut()) };
        assert!(count > 0, "select");
        let before = clients.len();
        clients.retain(|client| {
            // SAFETY: as above.
            let ready = unsafe { libc::FD_ISSET(*client, &raw const read) };
            let stays = !ready || answer(*client, &mut buffer);
            if !stays {
                close(*client);
            }
            stays
        });
        if clients.is_empty() && before > 0 {
            return;
        }
        // SAFETY: as above.
        if unsafe { libc::FD_ISSET(listener.as_raw_fd(), &raw const read) } {
            clients.push(accept(&listener));
        }
    }
}

fn watch(epoll: c_int, fd: c_int) {
    let number = u64::from(fd.unsigned_abs());
    let mut event = epoll_event { events: libc::EPOLLIN as u32, u64: number };
    // SAFETY: `event` outlives the call, which reads it.
    let status = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) };
    assert!(status == 0, "epoll_ctl");
}

fn epoll() {
    let listener = listen_here();
    // SAFETY: the call takes a number.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    let mut events = [epoll_event { events: 0, u64: 0 }; BATCH];
    let most = c_int::try_from(BATCH).unwrap();
    let mut buffer = [0; CAPACITY];
    let mut clients = 0;
    watch(epoll, listener.as_raw_fd());
    loop {
        // SAFETY: `events` has space for as many events as the call is told.
        let ready = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), most, -1) };
        let ready = usize::try_from(ready).expect("epoll_wait");
        for event in &events[..ready] {
            let fd = c_int::try_from(event.u64).unwrap();
            if fd == listener.as_raw_fd() {
                watch(epoll, accept(&listener));
                clients += 1;
                continue;
            }
            if answer(fd, &mut buffer) {
                continue;
            }
            close(fd);
            clients -= 1;
            if clients == 0 {
                return;
            }
        }
    }
}
