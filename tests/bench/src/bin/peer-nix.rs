//! The `nix` crate.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::select::{FdSet, select};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, accept4, recv, send, socketpair};
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
        socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).unwrap();
    let data = [b'x'; SIZE];
    let mut buffer = [0; SIZE];
    let mut received = 0;
    for _ in 0..count {
        send(here.as_raw_fd(), &data, MsgFlags::empty()).unwrap();
        received += recv(there.as_raw_fd(), &mut buffer, MsgFlags::empty()).unwrap();
    }
    all(received, count);
}

fn accept(listener: &TcpListener) -> OwnedFd {
    let client = accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC).unwrap();
    // SAFETY: the kernel has just opened `client`, and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(client) }
}

/// Whether the client stays.
fn answer(client: &OwnedFd, buffer: &mut [u8; CAPACITY]) -> bool {
    let count = recv(client.as_raw_fd(), buffer, MsgFlags::empty()).unwrap();
    count > 0 && send(client.as_raw_fd(), &buffer[..count], MsgFlags::empty()).unwrap() == count
}

fn echo() {
    let client = accept(&listen_here());
    let mut buffer = [0; CAPACITY];
    while answer(&client, &mut buffer) {}
}

fn select_server() {
    let listener = listen_here();
    let mut clients: Vec<OwnedFd> = Vec::new();
    let mut buffer = [0; CAPACITY];
    loop {
        let mut read = FdSet::new();
        let mut highest = listener.as_raw_fd();
        read.insert(listener.as_fd());
        for client in &clients {
            read.insert(client.as_fd());
            highest = highest.max(client.as_raw_fd());
        }
        select(highest + 1, &mut read, None, None, None).unwrap();
        // The set borrows the clients: what changes them waits until it has gone.
        let joins = read.contains(listener.as_fd());
        let mut gone = Vec::new();
        for (index, client) in clients.iter().enumerate() {
            if read.contains(client.as_fd()) && !answer(client, &mut buffer) {
                gone.push(index);
            }
        }
        for index in gone.into_iter().rev() {
            clients.swap_remove(index);
            if clients.is_empty() {
                return;
            }
        }
        if joins {
            clients.push(accept(&listener));
        }
    }
}

fn watch(epoll: &Epoll, fd: impl AsFd) {
    let number = u64::from(fd.as_fd().as_raw_fd().unsigned_abs());
    epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, number)).unwrap();
}

fn epoll_server() {
    let listener = listen_here();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let mut events = [EpollEvent::empty(); BATCH];
    let mut buffer = [0; CAPACITY];
    // The clients by their descriptors' numbers.
    let mut clients: Vec<Option<OwnedFd>> = Vec::new();
    let mut count = 0;
    watch(&epoll, &listener);
    loop {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE).unwrap();
        for event in &events[..ready] {
            let number = usize::try_from(event.data()).unwrap();
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
