//! The `socket2` crate; its select is `libc`'s, it has none.

use std::io::Read;
use std::mem::{self, MaybeUninit};
use std::os::fd::AsRawFd;
use std::ptr;

use libc::fd_set;
use shared::{CAPACITY, SIZE, all, listen_here, start, unknown};
use socket2::{Domain, Socket, Type};

fn main() {
    let (workload, count) = start();
    match workload.as_str() {
        "pair" => pair(count),
        "echo" => echo(),
        "select" => select(),
        other => unknown(other),
    }
}

fn pair(count: u64) {
    let (here, there) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
    let data = [b'x'; SIZE];
    let mut buffer = [MaybeUninit::uninit(); SIZE];
    let mut received = 0;
    for _ in 0..count {
        here.send(&data).unwrap();
        received += there.recv(&mut buffer).unwrap();
    }
    all(received, count);
}

/// Whether the client stays. `Read` is the crate's own way to receive into initialised bytes.
fn answer(mut client: &Socket, buffer: &mut [u8; CAPACITY]) -> bool {
    let count = client.read(buffer).unwrap();
    count > 0 && client.send(&buffer[..count]).unwrap() == count
}

fn echo() {
    let (client, _) = Socket::from(listen_here()).accept().unwrap();
    let mut buffer = [0; CAPACITY];
    while answer(&client, &mut buffer) {}
}

fn select() {
    let listener = Socket::from(listen_here());
    let mut clients: Vec<Socket> = Vec::new();
    let mut buffer = [0; CAPACITY];
    loop {
        // SAFETY: an `fd_set` is bits alone; all of them 0 is the empty set.
        let mut read: fd_set = unsafe { mem::zeroed() };
        let mut highest = listener.as_raw_fd();
        // SAFETY: here and below: a process with a hundred clients has no descriptor above 1023.
        unsafe { libc::FD_SET(highest, &raw mut read) };
        for client in &clients {
            // SAFETY: as above.
            unsafe { libc::FD_SET(client.as_raw_fd(), &raw mut read) };
            highest = highest.max(client.as_raw_fd());
        }
        let null = ptr::null_mut();
        // SAFETY: `read` is writable, null stands for no set and no time.
        let count = unsafe { libc::select(highest + 1, &raw mut read, null, null, ptr::null_mut()) };
        assert!(count > 0, "select");
        let mut index = 0;
        while let Some(client) = clients.get(index) {
            // SAFETY: as above.
            if !unsafe { libc::FD_ISSET(client.as_raw_fd(), &raw const read) } || answer(client, &mut buffer)
            {
                index += 1;
                continue;
            }
            clients.swap_remove(index);
            if clients.is_empty() {
                return;
            }
        }
        // SAFETY: as above.
        if unsafe { libc::FD_ISSET(listener.as_raw_fd(), &raw const read) } {
            clients.push(listener.accept().unwrap().0);
        }
    }
}
