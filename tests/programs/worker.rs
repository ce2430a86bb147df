//! A worker that receives its listening socket. The master opens it and hands it over through a Unix socket; the worker
//! serves the first client, which is the master. Run `worker master PATH`, then `worker worker PATH`.

use std::os::fd::AsFd;

use php_sockets::*;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1..).unwrap_or_default() {
        [role, path] if role == "master" => master(path),
        [role, path] if role == "worker" => worker(path),
        _ => {
            eprintln!("usage: worker master|worker PATH");
            std::process::exit(2);
        }
    }
}

fn master(path: &str) -> Result<()> {
    let listener = socket_create_listen(0, SOMAXCONN)?;
    let port = socket_getsockname(&listener)?.port;

    let door = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    socket_bind(&door, path, 0)?;
    socket_listen(&door, 1)?;
    println!("master: waiting for a worker");
    let worker = socket_accept(&door)?;

    let descriptors = [listener.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["serve ", "one client"]);
    let sent = socket_sendmsg(&worker, &Message::new().iov(&iov).control(&control), 0)?;
    println!("master: sent {sent} bytes and the listening socket");
    socket_close(listener);

    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_connect(&client, "127.0.0.1", port)?;
    socket_write(&client, "who is there?\n", None)?;
    let answer = socket_read(&client, 1000, PHP_NORMAL_READ)?;
    println!("master: the answer is {}", String::from_utf8_lossy(&answer).trim());
    Ok(())
}

fn worker(path: &str) -> Result<()> {
    let master = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    socket_connect(&master, path, None)?;

    let controllen = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)?;
    let mut message = Received::new(socket_iovec_alloc(&[1000])?, controllen)?;
    let count = socket_recvmsg(&master, &mut message, 0)?;
    let text = String::from_utf8_lossy(message.iov().get(0).unwrap_or_default()).into_owned();
    println!("worker: received {count} bytes: {text}");
    for control in message.control() {
        if let ReceivedControl::Rights(descriptors) = control {
            println!("worker: received {} descriptor", descriptors.len());
        }
    }

    for descriptor in message.take_rights() {
        let listener = Socket::from(descriptor);
        let client = socket_accept(&listener)?;
        let question = socket_read(&client, 1000, PHP_NORMAL_READ)?;
        println!("worker: a client asks {}", String::from_utf8_lossy(&question).trim());
        socket_write(&client, "the worker\n", None)?;
    }
    Ok(())
}
