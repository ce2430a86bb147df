//! The `rustix` crate, which makes its system calls itself.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{FdSetElement, FdSetIter, fd_set_insert, fd_set_num_elements, select};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, accept_with, recv, send, socketpair,
};
use shared::{BATCH, CAPACITY, SIZE, all, listen_here, start, unknown};

fn main() {
    let (workload, count) = start();
    match workload.as_str() {
        "pair" => pair(count),
        "echo" => echo(),
        "select" => select_server(),
        "epoll" => epoll_server(),
        other => unknown(other),
    }
}

fn pair(count: u64) {
    let (here, there) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    let data = [b'x'; SIZE];
    let mut buffer = [0; SIZE];
    let mut received = 0;
    for _ in 0..count {
        send(&here, &data, SendFlags::empty()).unwrap();
        received += recv(&there, &mut buffer, RecvFlags::empty()).unwrap().0;
    }
    all(received, count);
}

fn accept(listener: &TcpListener) -> OwnedFd {
    accept_with(listener, SocketFlags::CLOEXEC).unwrap()
}

/// Whether the client stays.
fn answer(client: &OwnedFd, buffer: &mut [u8; CAPACITY]) -> bool {
    let (count, _) = recv(client, &mut *buffer, RecvFlags::empty()).unwrap();
    count > 0 && send(client, &buffer[..count], SendFlags::empty()).unwrap() == count
}

fn echo() {
    let client = accept(&listen_here());
    let mut buffer = [0; CAPACITY];
    while answer(&client, &mut buffer) {}
}

fn select_server() {
    let listener = listen_here();
    // The clients by their descriptors' numbers, which is what the set gives back.
    let mut clients: Vec<Option<OwnedFd>> = Vec::new();
    let mut fds = Vec::new();
    let mut buffer = [0; CAPACITY];
    let mut read: Vec<FdSetElement> = Vec::new();
    loop {
        let nfds = fds.iter().copied().max().unwrap_or(0).max(listener.as_raw_fd()) + 1;
        read.clear();
        read.resize(fd_set_num_elements(1, nfds), FdSetElement::default());
        fd_set_insert(&mut read, listener.as_raw_fd());
        for fd in &fds {
            fd_set_insert(&mut read, *fd);
        }
        // SAFETY: every descriptor in the set is open.
        unsafe { select(nfds, Some(&mut read), None, None, None) }.unwrap();
        for fd in FdSetIter::new(&read) {
            let number = usize::try_from(fd).unwrap();
            let Some(client) = clients.get(number).and_then(Option::as_ref) else {
                let client = accept(&listener);
                let fd = client.as_raw_fd();
                fds.push(fd);
                let number = usize::try_from(fd).unwrap();
                clients.resize_with(clients.len().max(number + 1), || None);
                clients[number] = Some(client);
                continue;
            };
            if answer(client, &mut buffer) {
                continue;
            }
            fds.retain(|other| *other != fd);
            clients[number] = None;
            if fds.is_empty() {
                return;
            }
        }
    }
}

fn watch(epoll: &OwnedFd, fd: impl AsFd) {
    let number = u64::from(fd.as_fd().as_raw_fd().unsigned_abs());
    epoll::add(epoll, fd, EventData::new_u64(number), EventFlags::IN).unwrap();
}

fn epoll_server() {
    let listener = listen_here();
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut events = Vec::with_capacity(BATCH);
    let mut buffer = [0; CAPACITY];
    // The clients by their descriptors' numbers.
    let mut clients: Vec<Option<OwnedFd>> = Vec::new();
    let mut count = 0;
    watch(&epoll, &listener);
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), None).unwrap();
        for event in events.drain(..) {
            let number = usize::try_from(event.data.u64()).unwrap();
            let Some(client) = clients.get(number).and_then(Option::as_ref) else {
                let client = accept(&listener);
                watch(&epoll, &client);
                let number = usize::try_from(client.as_raw_fd()).unwrap();
                clients.resize_with(clients.len().max(number + 1), || None);
                clients[number] = Some(client);
                count += 1;
                continue;
            };
            if answer(client, &mut buffer) {
                continue;
            }
            clients[number] = None;
            count -= 1;
            if count == 0 {
                return;
            }
        }
    }
}
