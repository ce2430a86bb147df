//! Lesson 21 · ping. Run `make lesson-21`, then its PHP twin with `make php-21`.

use std::time::{Duration, Instant};
use std::{env, process};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;

const COUNT: u16 = 4;
/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// ICMP's types: a question, and the answer to it.
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

fn main() -> Result<()> {
    // make lesson-21 ARGS="HOST"
    let host = Address::from(env::args_os().nth(1).unwrap_or_else(|| "127.0.0.1".into()));
    let address = gethostbyname(&host);
    let icmp = getprotobyname("icmp").unwrap_or(1);

    // Raw: we write ICMP's header ourselves, and see all ICMP packets of this machine. That takes the rights of root.
    // The datagram socket sees its own answers only, and is for those in /proc/sys/net/ipv4/ping_group_range.
    let socket = socket_create(AF_INET, SOCK_RAW, icmp);
    let raw = socket.is_ok();
    let socket = match socket {
        // Not for want of the right to it: that would be no better with the other.
        Err(error) if ![SOCKET_EPERM, SOCKET_EACCES].contains(&error.code()) => return Err(error),
        socket => socket.or_else(|_| socket_create(AF_INET, SOCK_DGRAM, icmp)),
    };
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => {
            eprintln!("{error}");
            eprintln!(
                "Run it as root, or let root allow it: sysctl net.ipv4.ping_group_range='0 2147483647'"
            );
            process::exit(1);
        }
    };
    println!("PING {host} ({address})");

    // The number that tells our answers from those of other programs.
    let id = u16::try_from(process::id() & 0xffff).unwrap_or_default();
    let mut times = Vec::new();
    let mut received = 0;
    for sequence in 1..=COUNT {
        let packet = echo_request(id, sequence);
        let begin = Instant::now();
        socket_sendto(&socket, &packet, packet.len(), 0, &address, 0)?;
        match answer(&socket, raw, id, sequence, begin)? {
            Some(time) => {
                println!("{} bytes: seq={sequence} time={:.3} ms", packet.len(), milliseconds(time));
                times.push(time);
                received += 1;
            }
            None => println!("seq={sequence}: no answer within {} s", PATIENCE.as_secs()),
        }
    }

    let sent = u32::from(COUNT);
    println!("{sent} sent, {received} received, {}% lost", (sent - received) * 100 / sent);
    if let (Some(min), Some(max)) = (times.iter().min(), times.iter().max()) {
        let average = times.iter().sum::<Duration>() / received;
        let [min, average, max] = [*min, average, *max].map(milliseconds);
        println!("min/avg/max = {min:.3}/{average:.3}/{max:.3} ms");
    }
    socket_close(socket);
    Ok(())
}

/// Type, code, checksum, identifier, sequence number, and some bytes that come back as they are.
fn echo_request(id: u16, sequence: u16) -> Vec<u8> {
    let mut packet = vec![ECHO_REQUEST, 0, 0, 0];
    packet.extend(id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(b"php-sockets, lesson 21");
    let checksum = checksum(&packet).to_be_bytes();
    packet.splice(2..4, checksum);
    packet
}

/// The Internet's checksum (RFC 1071): all pairs of bytes added, carries too, and turned round.
fn checksum(packet: &[u8]) -> u16 {
    let mut sum = 0_u16;
    for pair in packet.chunks(2) {
        let number = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        let (added, carry) = sum.overflowing_add(number);
        sum = added + u16::from(carry);
    }
    !sum
}

/// Waits for the answer to one question; `None` if it does not come in time.
fn answer(socket: &Socket, raw: bool, id: u16, sequence: u16, begin: Instant) -> Result<Option<Duration>> {
    let mut data = Vec::new();
    loop {
        // Other packets may come meanwhile, so every wait is for what is left of the time.
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Ok(None);
        }
        socket_set_option(socket, SOL_SOCKET, SO_RCVTIMEO, left)?;
        // Break it: uncomment the next line, which lends `data` for reading only (error E0308).
        // socket_recvfrom(socket, &data, 1500, 0)?;
        match socket_recvfrom(socket, &mut data, 1500, 0) {
            Err(error) if error.is_quiet() || error.code() == SOCKET_EINTR => continue,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let time = begin.elapsed();
        // A raw socket gets the IP header too. Its length, in words of four bytes, is in the low half of its first byte.
        let header = if raw { data.first().map_or(0, |byte| usize::from(byte & 15) * 4) } else { 0 };
        // Any host may send us anything: a packet that is too short is no answer.
        if let Some([kind, _, _, _, id_high, id_low, high, low]) = data.get(header..header + 8) {
            // The kernel gives the datagram socket an identifier of its own.
            let ours = !raw || u16::from_be_bytes([*id_high, *id_low]) == id;
            if *kind == ECHO_REPLY && ours && u16::from_be_bytes([*high, *low]) == sequence {
                return Ok(Some(time));
            }
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
