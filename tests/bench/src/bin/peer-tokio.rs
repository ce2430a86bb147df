//! The `tokio` crate on one thread, a task for each client.

use std::sync::atomic::{AtomicUsize, Ordering};

use shared::{CAPACITY, listen_here, start, unknown};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

fn main() {
    let (workload, _) = start();
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    match workload.as_str() {
        "echo" => runtime.block_on(async { answer(listener().accept().await.unwrap().0).await }),
        "epoll" => runtime.block_on(serve()),
        other => unknown(other),
    }
}

fn listener() -> TcpListener {
    let listener = listen_here();
    listener.set_nonblocking(true).unwrap();
    TcpListener::from_std(listener).unwrap()
}

/// Answers until the client leaves.
async fn answer(mut client: TcpStream) {
    let mut buffer = [0; CAPACITY];
    loop {
        let count = client.read(&mut buffer).await.unwrap();
        if count == 0 {
            return;
        }
        client.write_all(&buffer[..count]).await.unwrap();
    }
}

async fn serve() {
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    let listener = listener();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        CLIENTS.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            answer(client).await;
            if CLIENTS.fetch_sub(1, Ordering::Relaxed) == 1 {
                std::process::exit(0);
            }
        });
    }
}
