//! The standard library alone.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use shared::{CAPACITY, SIZE, all, listen_here, start, unknown};

fn main() {
    let (workload, count) = start();
    match workload.as_str() {
        "pair" => pair(count),
        "echo" => echo(),
        other => unknown(other),
    }
}

#[allow(clippy::unused_io_amount, reason = "what is received is counted")]
fn pair(count: u64) {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let data = [b'x'; SIZE];
    let mut buffer = [0; SIZE];
    let mut received = 0;
    for _ in 0..count {
        here.write(&data).unwrap();
        received += there.read(&mut buffer).unwrap();
    }
    all(received, count);
}

fn echo() {
    let (mut client, _) = listen_here().accept().unwrap();
    let mut buffer = [0; CAPACITY];
    loop {
        let count = client.read(&mut buffer).unwrap();
        if count == 0 {
            return;
        }
        assert!(client.write(&buffer[..count]).unwrap() == count);
    }
}
