//! The `mio` crate: edge-triggered, so it reads until there is nothing more.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use shared::{BATCH, CAPACITY, listen_here, start, unknown};

fn main() {
    let (workload, _) = start();
    match workload.as_str() {
        "epoll" => epoll(),
        other => unknown(other),
    }
}

/// Whether the client stays.
fn answer(client: &mut TcpStream, buffer: &mut [u8; CAPACITY]) -> bool {
    loop {
        match client.read(buffer) {
            Ok(0) => return false,
            Ok(count) => assert!(client.write(&buffer[..count]).unwrap() == count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) => panic!("{error}"),
        }
    }
}

fn epoll() {
    let listener = listen_here();
    listener.set_nonblocking(true).unwrap();
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(BATCH);
    let mut buffer = [0; CAPACITY];
    // The clients by their descriptors' numbers.
    let mut clients: Vec<Option<TcpStream>> = Vec::new();
    let mut count = 0;
    poll.registry().register(&mut listener, Token(usize::MAX), Interest::READABLE).unwrap();
    loop {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            let Token(number) = event.token();
            let Some(client) = clients.get_mut(number).and_then(Option::as_mut) else {
                while let Ok((mut client, _)) = listener.accept() {
                    let number = usize::try_from(client.as_raw_fd()).unwrap();
                    poll.registry().register(&mut client, Token(number), Interest::READABLE).unwrap();
                    clients.resize_with(clients.len().max(number + 1), || None);
                    clients[number] = Some(client);
                    count += 1;
                }
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
