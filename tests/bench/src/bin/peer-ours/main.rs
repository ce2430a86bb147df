//! php-sockets.

use php_sockets::*;
use shared::{CAPACITY, SIZE, all, start, unknown};

mod events;
mod select;

fn main() -> Result<()> {
    let (workload, count) = start();
    match workload.as_str() {
        "pair" => pair(count),
        "echo" => echo(),
        "select-rc" => select::shared(),
        "select-kept" => select::kept_references(answer),
        "select-kept-pairs" => select::kept_pairs(),
        "select-refs" => select::references(),
        "select-pairs" => select::pairs(),
        "select-table" => select::table(),
        "select-lesson" => select::lesson(),
        "select-map" => select::map(),
        "line" => select::kept_references(answer_line),
        "epoll" => events::serve(None),
        "time-outs" => events::serve(Some(std::time::Duration::from_secs(60))),
        other => unknown(other),
    }
}

/// A listener on a free port of 127.0.0.1, which it prints.
fn listen_here() -> Result<Socket> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    println!("{}", socket_getsockname(&listener)?.port);
    Ok(listener)
}

/// Whether the client stays.
#[inline]
fn answer(client: &Socket, buffer: &mut Vec<u8>) -> bool {
    let Ok(count) = socket_recv(client, buffer, CAPACITY, 0) else { return false };
    if count == 0 {
        return false;
    }
    let Ok(sent) = socket_send(client, &*buffer, count, 0) else { return false };
    sent == count
}

/// Whether the client stays.
fn answer_line(client: &Socket, _buffer: &mut Vec<u8>) -> bool {
    match socket_read(client, CAPACITY, PHP_NORMAL_READ) {
        Ok(line) if !line.is_empty() => socket_send(client, &line, line.len(), 0) == Ok(line.len()),
        _ => false,
    }
}

fn pair(count: u64) -> Result<()> {
    let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    let data: &[u8] = &[b'x'; SIZE];
    let mut buffer = Vec::with_capacity(SIZE);
    let mut received = 0;
    for _ in 0..count {
        socket_send(&here, data, SIZE, 0)?;
        received += socket_recv(&there, &mut buffer, SIZE, 0)?;
    }
    all(received, count);
    Ok(())
}

fn echo() -> Result<()> {
    let client = socket_accept(&listen_here()?)?;
    let mut buffer = Vec::new();
    while answer(&client, &mut buffer) {}
    Ok(())
}
