//! The UDP server of the porting guide. It answers `ping TEXT` with `pong TEXT`.

use php_sockets::*;

/// The sender of the next datagram, whose bytes are put into `data`, or `None`
/// if none has come.
fn receive(socket: &Socket, data: &mut Vec<u8>) -> Result<Option<SocketName>> {
    match socket_recvfrom(socket, data, 1500, 0) {
        Ok((_, sender)) => Ok(Some(sender)),
        Err(error) if error.code() == SOCKET_EAGAIN => Ok(None),
        Err(error) => Err(error),
    }
}

fn main() -> Result<()> {
    let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_bind(&socket, "127.0.0.1", 0)?;
    socket_set_nonblock(&socket)?;
    println!("Listening on {}", socket_getsockname(&socket)?);

    let mut data = Vec::new();
    loop {
        let mut read = vec![&socket];
        match socket_select(Some(&mut read), None, None, 1, 0) {
            Err(error) if error.code() == SOCKET_EINTR => continue,
            count => count?,
        };
        // A flood of datagrams must not keep the loop from its other work.
        for _ in 0..100 {
            // `?` is right here: the socket is the server's, not a client's.
            let Some(from) = receive(&socket, &mut data)? else { break };
            if let Some(text) = data.strip_prefix(b"ping ") {
                let answer = [b"pong ", text].concat();
                let (len, to, port) = (answer.len(), from.address, from.port);
                // An answer that cannot be sent is lost, as any may be.
                let _ = socket_sendto(&socket, answer, len, 0, to, port);
            }
        }
    }
}
