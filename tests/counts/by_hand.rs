//! The same with the crate `libc` alone, as C would have it.

use std::mem;
use std::os::fd::RawFd;
use std::ptr;

use libc::epoll_event;

#[inline(never)]
pub fn pair(rounds: usize, here: RawFd, there: RawFd, request: &[u8]) {
    let mut data = [0_u8; 64];
    for _ in 0..rounds {
        // SAFETY: `request` has as many bytes as the call reads.
        let sent = unsafe { libc::send(here, request.as_ptr().cast(), request.len(), 0) };
        assert_ne!(sent, -1);
        // SAFETY: `data` has space for as many bytes as the call writes.
        let received = unsafe { libc::recv(there, data.as_mut_ptr().cast(), data.len(), 0) };
        assert_ne!(received, -1);
    }
}

/// Looks with MSG_PEEK, then takes the line.
#[inline(never)]
pub fn lines(rounds: usize, here: RawFd, there: RawFd, line: &[u8]) {
    for _ in 0..rounds {
        // SAFETY: `line` has as many bytes as the call reads.
        let sent = unsafe { libc::send(here, line.as_ptr().cast(), line.len(), 0) };
        assert_ne!(sent, -1);
        let mut look = [0_u8; 1024];
        // SAFETY: `look` has space for as many bytes as the call writes.
        let seen = unsafe { libc::recv(there, look.as_mut_ptr().cast(), look.len(), libc::MSG_PEEK) };
        let seen = &look[..usize::try_from(seen).expect("a line")];
        let end = seen.iter().position(|byte| matches!(byte, b'\n' | b'\r')).expect("an end");
        let mut data = vec![0_u8; end + 1];
        // SAFETY: `data` has space for as many bytes as the call writes.
        let received = unsafe { libc::recv(there, data.as_mut_ptr().cast(), data.len(), 0) };
        assert_eq!(usize::try_from(received), Ok(line.len()));
    }
}

/// Receives into a vector, and shrinks it, as PHP does.
#[inline(never)]
pub fn reads(rounds: usize, here: RawFd, there: RawFd, answer: &[u8], length: usize) {
    for _ in 0..rounds {
        // SAFETY: `answer` has as many bytes as the call reads.
        let sent = unsafe { libc::send(here, answer.as_ptr().cast(), answer.len(), 0) };
        assert_ne!(sent, -1);
        let mut data = Vec::<u8>::with_capacity(length);
        // SAFETY: `data` has space for as many bytes as the call writes.
        let received = unsafe { libc::recv(there, data.as_mut_ptr().cast(), length, 0) };
        let received = usize::try_from(received).expect("an answer");
        // SAFETY: the call has written as many bytes.
        unsafe { data.set_len(received) };
        data.shrink_to_fit();
        assert_eq!(data.len(), answer.len());
    }
}

#[inline(always)]
fn answer(client: RawFd, data: &mut [u8; 1024]) {
    // SAFETY: `data` has space for as many bytes as the call writes.
    let count = unsafe { libc::recv(client, data.as_mut_ptr().cast(), data.len(), 0) };
    let count = usize::try_from(count).expect("a request");
    // SAFETY: the call reads bytes that the one before wrote.
    let sent = unsafe { libc::send(client, data.as_ptr().cast(), count, 0) };
    assert_ne!(sent, -1);
}

#[inline(never)]
pub fn select(rounds: usize, clients: &[RawFd]) {
    let mut data = [0; 1024];
    for _ in 0..rounds {
        // SAFETY: an `fd_set` is bits alone.
        let mut read: libc::fd_set = unsafe { mem::zeroed() };
        let mut highest = -1;
        for client in clients {
            // SAFETY: the descriptors of this program are below 1024.
            unsafe { libc::FD_SET(*client, &raw mut read) };
            highest = highest.max(*client);
        }
        let null = ptr::null_mut();
        // SAFETY: `read` outlives the call, which writes it; null is for what is not there.
        let count = unsafe { libc::select(highest + 1, &raw mut read, null, null, ptr::null_mut()) };
        assert_ne!(count, -1);
        // SAFETY: as above.
        if unsafe { libc::FD_ISSET(clients[0], &raw const read) } {
            // SAFETY: a null address means that it is not wanted.
            unsafe { libc::accept(clients[0], ptr::null_mut(), ptr::null_mut()) };
        }
        for client in &clients[1..] {
            // SAFETY: as above.
            if unsafe { libc::FD_ISSET(*client, &raw const read) } {
                answer(*client, &mut data);
            }
        }
    }
}

#[inline(never)]
pub fn events(rounds: usize, clients: &[RawFd]) {
    let mut data = [0; 1024];
    // SAFETY: the call takes a number.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    for client in clients {
        let mut event = epoll_event { events: libc::EPOLLIN as u32, u64: u64::from(client.unsigned_abs()) };
        // SAFETY: `event` outlives the call, which reads it.
        let status = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, *client, &raw mut event) };
        assert_eq!(status, 0);
    }
    let mut found = [epoll_event { events: 0, u64: 0 }; 32];
    for _ in 0..rounds {
        // SAFETY: `found` has space for 32 events.
        let count = unsafe { libc::epoll_wait(epoll, found.as_mut_ptr(), 32, -1) };
        for event in &found[..usize::try_from(count).expect("an answer")] {
            answer(RawFd::try_from(event.u64).expect("a descriptor"), &mut data);
        }
    }
}
