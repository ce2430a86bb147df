//! Scripts by chance: random calls on a handful of sockets, which can be repeated.
//!
//! No socket waits, and data only goes over `AF_UNIX`, where all happens at once: what comes of a script is settled
//! by the script. `SEED=5 COUNT=1000 cargo test --test oracle random` plays others than the suite does, unrecorded.

use std::fmt::Write;

use crate::script::{agree, agree_here};

/// A repeatable sequence of numbers: xorshift.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..8).for_each(|_| _ = chance.below(2));
        chance
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// A socket of the script, and whether it is one of `AF_UNIX`.
type Known = (String, bool);

/// The lines that make the sockets, and the sockets.
fn sockets(chance: &mut Chance, script: &mut String) -> Vec<Known> {
    let mut known = Vec::new();
    for number in 0..7 {
        let family = chance.one(&["AF_INET", "AF_INET6", "AF_UNIX", "AF_UNIX", "AF_UNIX"]);
        let kind = chance.one(&["SOCK_STREAM", "SOCK_STREAM", "SOCK_DGRAM"]);
        writeln!(script, "s{number} = socket_create {family} {kind} 0").expect("a string");
        known.push((format!("s{number}"), family == "AF_UNIX"));
    }
    for number in 0..2 {
        let kind = chance.one(&["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"]);
        writeln!(script, "p{number} q{number} = socket_create_pair AF_UNIX {kind} 0").expect("a string");
        known.extend([(format!("p{number}"), true), (format!("q{number}"), true)]);
    }
    for (name, _) in &known {
        writeln!(script, "socket_set_nonblock {name}").expect("a string");
    }
    known
}

/// One more line, the script's `number`th.
fn call(chance: &mut Chance, known: &mut Vec<Known>, number: usize) -> String {
    let (socket, is_unix) = known[chance.below(known.len())].clone();
    let (other, _) = known[chance.below(known.len())].clone();
    // An internet socket gets no further than its own address: no peer is there to answer.
    let address = if is_unix {
        chance.one(&["path:a", "path:a", "path:b", "path:b\\0junk", "abstract:a", "\"\"", "path:c*107"])
    } else {
        chance.one(&["\"127.0.0.1\"", "\"::1\"", "\"127.1\"", "\"\""])
    };
    let port = if is_unix { chance.one(&["null", "0", "80"]) } else { "null" };
    let data = chance.one(&["\"\"", "\"hello\"", "\"a\\nb\\r\\n\\0\\xff\"", "\"y\"*3000"]);
    let length = chance.one(&["0", "1", "3", "100", "5000"]);
    // The last is every flag but MSG_ZEROCOPY, which is refused.
    let sending = chance.one(&[
        "0",
        "0",
        "MSG_DONTWAIT",
        "MSG_NOSIGNAL",
        "MSG_OOB",
        "MSG_EOR",
        "MSG_MORE",
        "-67108865",
    ]);
    let receiving =
        chance.one(&["0", "0", "MSG_DONTWAIT", "MSG_PEEK", "MSG_WAITALL", "MSG_OOB", "MSG_ERRQUEUE"]);
    let buffer = chance.one(&["one", "two"]);
    match chance.below(20) {
        0 | 1 if is_unix => format!("socket_bind {socket} {address} {}", chance.one(&["0", "80"])),
        0 | 1 => format!("socket_bind {socket} {} 0", chance.one(&["\"127.0.0.1\"", "\"::1\"", "\"\""])),
        2..=4 => format!("socket_connect {socket} {address} {port}"),
        5 => format!("socket_listen {socket} {}", chance.one(&["0", "5", "-1"])),
        // An accepted connection is not used: it would wait, and a failed accept gives none.
        6 | 7 => format!("socket_accept {socket}"),
        8 | 9 => format!("socket_write {socket} {data} {}", chance.one(&["null", "0", "2", "9999"])),
        10 => format!("socket_send {socket} {data} {length} {sending}"),
        11 | 12 => format!("socket_sendto {socket} {data} {length} {sending} {address} {port}"),
        13 => format!("socket_read {socket} {length} {}", chance.one(&["PHP_BINARY_READ", "0", "7"])),
        14 => format!("socket_recv {socket} {buffer} {length} {receiving}"),
        15 => format!("socket_recvfrom {socket} {buffer} {length} {receiving}"),
        16 => format!("{} {socket}", chance.one(&["socket_getsockname", "socket_getpeername"])),
        17 => format!("socket_shutdown {socket} {}", chance.one(&["0", "1", "2", "3"])),
        18 => format!("socket_select [{socket} {other}] {{a:{other} 3:{socket}}} [{socket}] 0 0"),
        _ if known.len() > 5 && number % 2 == 0 => {
            known.retain(|(name, _)| *name != socket);
            format!("{} {socket}", chance.one(&["drop", "socket_close"]))
        }
        _ => format!("socket_clear_error {}", chance.one(&["null", &socket])),
    }
}

#[test]
fn random_scripts_agree() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("SEED").unwrap_or(1);
    for seed in seed..seed + number("COUNT").unwrap_or(40) {
        let mut chance = Chance::new(seed);
        let mut script = String::new();
        let mut known = sockets(&mut chance, &mut script);
        for number in 0..60 {
            writeln!(script, "{}", call(&mut chance, &mut known, number)).expect("a string");
        }

        eprintln!("SEED={seed}");
        let others = number("SEED").or(number("COUNT")).is_some();
        if others { agree_here(&script) } else { agree(&script) }
    }
}
