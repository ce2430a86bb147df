//! A multicast receiver on loopback: it joins a group, closes its ears to one sender, and leaves.

use php_sockets::*;
use std::time::Duration;

const GROUP: &str = "239.255.42.99";

/// Sends to the group by the loopback interface, from one of this machine's own addresses.
fn say(from: &str, port: u16, text: &str) -> Result<()> {
    let sender = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_bind(&sender, from, 0)?;
    socket_set_option(&sender, IPPROTO_IP, IP_MULTICAST_IF, "lo")?;
    socket_set_option(&sender, IPPROTO_IP, IP_MULTICAST_TTL, 0)?;
    socket_sendto(&sender, text, text.len(), 0, GROUP, port)?;
    Ok(())
}

fn hear(receiver: &Socket) {
    let mut data = Vec::new();
    match socket_recvfrom(receiver, &mut data, 1024, 0) {
        Ok((_, from)) => {
            println!("{} says '{}'", from.address, String::from_utf8_lossy(&data));
        }
        Err(_) => println!("silence: {}", socket_strerror(socket_last_error(receiver))),
    }
}

fn main() -> Result<()> {
    let receiver = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP)?;
    socket_bind(&receiver, GROUP, 0)?;
    let port = socket_getsockname(&receiver)?.port;

    let group = Group::new(GROUP, "lo");
    socket_set_option(&receiver, IPPROTO_IP, MCAST_JOIN_GROUP, group.clone())?;
    if let Err(error) = socket_set_option(&receiver, IPPROTO_IP, MCAST_JOIN_GROUP, group.clone()) {
        println!("{error}");
    }
    socket_set_option(&receiver, SOL_SOCKET, SO_RCVTIMEO, Duration::from_secs(5))?;
    say("127.0.0.1", port, "hello")?;
    hear(&receiver);
    say("127.0.0.2", port, "hello, too")?;
    hear(&receiver);

    // One of the two is not to be heard any more.
    let source = Source::new(GROUP, "127.0.0.2", "lo");
    socket_set_option(&receiver, IPPROTO_IP, MCAST_BLOCK_SOURCE, source.clone())?;
    say("127.0.0.2", port, "can you hear me?")?;
    say("127.0.0.1", port, "I can")?;
    hear(&receiver);
    socket_set_option(&receiver, IPPROTO_IP, MCAST_UNBLOCK_SOURCE, source)?;
    say("127.0.0.2", port, "now I can, too")?;
    hear(&receiver);

    socket_set_option(&receiver, IPPROTO_IP, MCAST_LEAVE_GROUP, group)?;
    socket_set_option(&receiver, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(0, 20_000))?;
    let index = socket_get_option(&receiver, IPPROTO_IP, IP_MULTICAST_IF)?.int()?;
    println!("left; multicast goes out by interface {index}");
    hear(&receiver);
    Ok(())
}
