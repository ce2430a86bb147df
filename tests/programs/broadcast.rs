//! A UDP broadcast on loopback: one datagram, heard by two receivers on the same port.

use php_sockets::*;
use std::time::Duration;

fn receiver(port: u16) -> Result<Socket> {
    let socket = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_set_option(&socket, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Duration::from_secs(5))?;
    socket_bind(&socket, "127.255.255.255", port)?;
    Ok(socket)
}

fn main() -> Result<()> {
    // The first receiver's port is any free one, and the second shares it.
    let first = receiver(0)?;
    let port = socket_getsockname(&first)?.port;
    let second = receiver(port)?;

    let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    let allowed = socket_get_option(&sender, SOL_SOCKET, SO_BROADCAST)?.int()?;
    println!("may broadcast: {allowed}");
    if let Err(error) = socket_sendto(&sender, "anybody?", 8, 0, "127.255.255.255", port) {
        println!("{error}");
    }

    socket_set_option(&sender, SOL_SOCKET, SO_BROADCAST, 1)?;
    let allowed = socket_get_option(&sender, SOL_SOCKET, SO_BROADCAST)?.int()?;
    println!("may broadcast: {allowed}");
    for text in ["anybody?", "", "good bye"] {
        let sent = socket_sendto(&sender, text, text.len(), 0, "127.255.255.255", port)?;
        println!("sent {sent} bytes");
    }

    let mut data = Vec::new();
    for (name, socket) in [("first", &first), ("second", &second)] {
        for _ in 0..3 {
            let (received, from) = socket_recvfrom(socket, &mut data, 1024, 0)?;
            println!("{name}: {received} bytes from {}: '{}'", from.address, String::from_utf8_lossy(&data));
        }
    }

    // Nothing more is on its way.
    socket_set_option(&first, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 20_000))?;
    if socket_recvfrom(&first, &mut data, 1024, 0).is_err() {
        println!("first: {}", socket_strerror(socket_last_error(&first)));
    }
    Ok(())
}
