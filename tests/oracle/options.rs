//! Options set and read by PHP and by this crate, row by row: what is returned, what is said, both error slots, and the
//! system calls.
//!
//! A row is `socket get LEVEL OPTION` or `socket set LEVEL OPTION value`, the value in JSON; `getopt` and `setopt` are
//! the aliases. Sockets: `t` is TCP, `u` UDP, `s` UDP over IPv6, `x` and `y` a pair of `AF_UNIX`.

use std::ffi::c_int;
use std::fmt::Write as _;
use std::net::Ipv6Addr;

use php_sockets::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::common::{self, Strace};
use crate::constants::value;
use crate::dialects::{self, by_version, is_numeric};
use crate::php;
use crate::record::{self, Line};

/// Everything that both can say, and for which every PHP makes the same system calls.
const ROWS: &str = r#"
# [V] 3.2: SO_LINGER is a struct: no array is a TypeError (before 8.4.3 its key is missing), and keys are demanded
t get SOL_SOCKET SO_LINGER
t set SOL_SOCKET SO_LINGER {"l_onoff":1,"l_linger":7}
t get SOL_SOCKET SO_LINGER
t set SOL_SOCKET SO_LINGER {"l_onoff":5,"l_linger":65535}
t getopt SOL_SOCKET SO_LINGER
t set SOL_SOCKET SO_LINGER {"l_onoff":0,"l_linger":9}
t get SOL_SOCKET SO_LINGER
t set SOL_SOCKET SO_LINGER 7
t set SOL_SOCKET SO_LINGER "x"
t set SOL_SOCKET SO_LINGER {"sec":1,"usec":2}
t setopt SOL_SOCKET SO_LINGER 7
x set SOL_SOCKET SO_LINGER {"l_onoff":1,"l_linger":2}
x get SOL_SOCKET SO_LINGER
# [V] 3.2: SO_RCVTIMEO and SO_SNDTIMEO: no carrying, negative seconds are 0, rounded up to the tick
t get SOL_SOCKET SO_RCVTIMEO
t set SOL_SOCKET SO_RCVTIMEO {"sec":1,"usec":10}
t get SOL_SOCKET SO_RCVTIMEO
t set SOL_SOCKET SO_RCVTIMEO {"sec":-1,"usec":10}
t get SOL_SOCKET SO_RCVTIMEO
t set SOL_SOCKET SO_RCVTIMEO {"sec":1,"usec":1000000}
t set SOL_SOCKET SO_RCVTIMEO {"sec":1,"usec":-1}
t setopt SOL_SOCKET SO_SNDTIMEO {"sec":2,"usec":500000}
t getopt SOL_SOCKET SO_SNDTIMEO
t set SOL_SOCKET SO_SNDTIMEO {"sec":9223372036854775807,"usec":0}
t get SOL_SOCKET SO_SNDTIMEO
t set SOL_SOCKET SO_SNDTIMEO 3
t set SOL_SOCKET SO_RCVTIMEO "a"
t set SOL_SOCKET SO_RCVTIMEO {"l_onoff":1,"l_linger":2}
u set SOL_SOCKET SO_RCVTIMEO {"sec":0,"usec":1000}
u get SOL_SOCKET SO_RCVTIMEO
# [V] 3.2: SO_BINDTODEVICE is a name, and cannot be read as an int
t set SOL_SOCKET SO_BINDTODEVICE "lo"
t get SOL_SOCKET SO_BINDTODEVICE
t set SOL_SOCKET SO_BINDTODEVICE ""
t set SOL_SOCKET SO_BINDTODEVICE "nosuch0"
t setopt SOL_SOCKET SO_BINDTODEVICE "a name of more than sixteen bytes"
# [V] 3.2: TCP_CONGESTION is a name
t get SOL_TCP TCP_CONGESTION
t set SOL_TCP TCP_CONGESTION "reno"
t get SOL_TCP TCP_CONGESTION
t getopt SOL_TCP TCP_CONGESTION
t set SOL_TCP TCP_CONGESTION "nosuch"
t set SOL_TCP TCP_CONGESTION ""
t set SOL_TCP TCP_CONGESTION "a name of more than sixteen bytes"
u get SOL_TCP TCP_CONGESTION
u set SOL_TCP TCP_CONGESTION "reno"
# [V] 3.2: SO_MEMINFO is nine numbers, read only
t get SOL_SOCKET SO_MEMINFO
u getopt SOL_SOCKET SO_MEMINFO
t set SOL_SOCKET SO_MEMINFO 1
# [V] 10: SO_PEERCRED: PHP reads the process, which is all that is compared
x get SOL_SOCKET 17
t get SOL_SOCKET 17
t set SOL_SOCKET 17 1
# [V] 3.2: IP_MULTICAST_IF by index or by name, read as an index
u get IPPROTO_IP IP_MULTICAST_IF
u set IPPROTO_IP IP_MULTICAST_IF "lo"
u get IPPROTO_IP IP_MULTICAST_IF
u set IPPROTO_IP IP_MULTICAST_IF 0
u getopt IPPROTO_IP IP_MULTICAST_IF
u setopt IPPROTO_IP IP_MULTICAST_IF 1
u get IPPROTO_IP IP_MULTICAST_IF
u set IPPROTO_IP IP_MULTICAST_IF -1
u set IPPROTO_IP IP_MULTICAST_IF 999999
u set IPPROTO_IP IP_MULTICAST_IF 2147483647
u setopt IPPROTO_IP IP_MULTICAST_IF 999999
u set IPPROTO_IP IP_MULTICAST_IF "nosuch0"
u set IPPROTO_IP IP_MULTICAST_IF "1"
u set IPPROTO_IP IP_MULTICAST_IF ""
t get IPPROTO_IP IP_MULTICAST_IF
t set IPPROTO_IP IP_MULTICAST_IF 1
x get IPPROTO_IP IP_MULTICAST_IF
x set IPPROTO_IP IP_MULTICAST_IF 0
# 3.2: IP_MULTICAST_TTL is a byte, IP_MULTICAST_LOOP what PHP holds for true
u get IPPROTO_IP IP_MULTICAST_TTL
u set IPPROTO_IP IP_MULTICAST_TTL 256
u set IPPROTO_IP IP_MULTICAST_TTL -1
u setopt IPPROTO_IP IP_MULTICAST_TTL 256
u set IPPROTO_IP IP_MULTICAST_TTL 255
u get IPPROTO_IP IP_MULTICAST_TTL
u set IPPROTO_IP IP_MULTICAST_TTL 0
u get IPPROTO_IP IP_MULTICAST_TTL
u get IPPROTO_IP IP_MULTICAST_LOOP
u set IPPROTO_IP IP_MULTICAST_LOOP false
u get IPPROTO_IP IP_MULTICAST_LOOP
u set IPPROTO_IP IP_MULTICAST_LOOP "no"
u get IPPROTO_IP IP_MULTICAST_LOOP
u set IPPROTO_IP IP_MULTICAST_LOOP "0"
u get IPPROTO_IP IP_MULTICAST_LOOP
u set IPPROTO_IP IP_MULTICAST_LOOP -7
u get IPPROTO_IP IP_MULTICAST_LOOP
u set IPPROTO_IP IP_MULTICAST_LOOP ""
u get IPPROTO_IP IP_MULTICAST_LOOP
# [V] 3.2: the same in IPv6, where -1 restores the default of one hop
s get IPPROTO_IPV6 IPV6_MULTICAST_IF
s set IPPROTO_IPV6 IPV6_MULTICAST_IF "lo"
s get IPPROTO_IPV6 IPV6_MULTICAST_IF
s set IPPROTO_IPV6 IPV6_MULTICAST_IF 0
s get IPPROTO_IPV6 IPV6_MULTICAST_IF
s set IPPROTO_IPV6 IPV6_MULTICAST_IF -1
s set IPPROTO_IPV6 IPV6_MULTICAST_IF 999999
s setopt IPPROTO_IPV6 IPV6_MULTICAST_IF "nosuch0"
s set IPPROTO_IPV6 IPV6_MULTICAST_HOPS 256
s set IPPROTO_IPV6 IPV6_MULTICAST_HOPS -2
s setopt IPPROTO_IPV6 IPV6_MULTICAST_HOPS 256
s set IPPROTO_IPV6 IPV6_MULTICAST_HOPS 255
s get IPPROTO_IPV6 IPV6_MULTICAST_HOPS
s set IPPROTO_IPV6 IPV6_MULTICAST_HOPS -1
s get IPPROTO_IPV6 IPV6_MULTICAST_HOPS
s set IPPROTO_IPV6 IPV6_MULTICAST_LOOP 0
s get IPPROTO_IPV6 IPV6_MULTICAST_LOOP
s set IPPROTO_IPV6 IPV6_MULTICAST_LOOP "no"
s get IPPROTO_IPV6 IPV6_MULTICAST_LOOP
s set IPPROTO_IPV6 IPV6_MULTICAST_LOOP -5
s getopt IPPROTO_IPV6 IPV6_MULTICAST_LOOP
u get IPPROTO_IPV6 IPV6_MULTICAST_HOPS
u set IPPROTO_IPV6 IPV6_MULTICAST_HOPS 1
# [V] 3.2: groups: joined twice, left without having joined, not a group's address
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":1}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":-1}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":4294967296}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":999999}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":"nosuch0"}
u setopt IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":"nosuch0"}
u set IPPROTO_IP MCAST_BLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_BLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_UNBLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_UNBLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u setopt IPPROTO_IP MCAST_LEAVE_GROUP {"group":"239.1.2.3","interface":"lo"}
u set IPPROTO_IP MCAST_LEAVE_GROUP {"group":"239.1.2.3","interface":"lo"}
u setopt IPPROTO_IP MCAST_LEAVE_GROUP {"group":"239.1.2.3","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1","interface":1}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.2","interface":1}
u set IPPROTO_IP MCAST_LEAVE_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_LEAVE_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_LEAVE_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.2","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.9","source":"127.0.0.1","interface":"lo"}
u set IPPROTO_IP MCAST_LEAVE_GROUP {"group":"239.1.2.9","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","interface":"lo"}
u setopt IPPROTO_IP MCAST_BLOCK_SOURCE {"group":"239.1.2.3","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"sec":1,"usec":2}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP 1
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"10.1.2.3","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"localhost","interface":"lo"}
u set IPPROTO_IP MCAST_JOIN_GROUP {"group":"a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid"}
u set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","source":"a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid"}
u setopt IPPROTO_IP MCAST_JOIN_GROUP 7
u set IPPROTO_IP MCAST_JOIN_GROUP "239.1.2.3"
u set IPPROTO_IP MCAST_JOIN_GROUP {"l_onoff":1,"l_linger":2}
s set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"ff02::1234","interface":"lo"}
s set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"ff02::1234","interface":1}
s set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"ff02::1236%1","interface":1}
s set IPPROTO_IPV6 MCAST_LEAVE_GROUP {"group":"ff02::1234","interface":"lo"}
s set IPPROTO_IPV6 MCAST_LEAVE_GROUP {"group":"ff02::1234","interface":"lo"}
s set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"239.1.2.4","interface":"lo"}
s set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid"}
s set IPPROTO_IPV6 MCAST_JOIN_SOURCE_GROUP {"group":"ff02::1235","source":"::1","interface":"lo"}
s set IPPROTO_IPV6 MCAST_LEAVE_SOURCE_GROUP {"group":"ff02::1235","source":"::1","interface":"lo"}
s set IPPROTO_IP MCAST_JOIN_GROUP {"group":"ff02::1235","interface":"lo"}
u set IPPROTO_IPV6 MCAST_JOIN_GROUP {"group":"239.1.2.3","interface":"lo"}
x set IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3"}
x set IPPROTO_IPV6 MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1"}
x setopt IPPROTO_IP MCAST_JOIN_GROUP {"group":"239.1.2.3"}
x set IPPROTO_IP MCAST_JOIN_GROUP 1
# [V] 3.2: IPV6_PKTINFO can be set and not be read
s set IPPROTO_IPV6 IPV6_PKTINFO {"addr":"::1","ifindex":1}
s get IPPROTO_IPV6 IPV6_PKTINFO
s getopt IPPROTO_IPV6 IPV6_PKTINFO
s set IPPROTO_IPV6 IPV6_PKTINFO {"addr":"::","ifindex":0}
s set IPPROTO_IPV6 IPV6_PKTINFO {"addr":"2001:db8::1","ifindex":1}
s set IPPROTO_IPV6 IPV6_PKTINFO 7
s setopt IPPROTO_IPV6 IPV6_PKTINFO "x"
s set IPPROTO_IPV6 IPV6_PKTINFO {"sec":1,"usec":2}
u set IPPROTO_IPV6 IPV6_PKTINFO {"addr":"::1","ifindex":1}
# 3.2: UDP_SEGMENT in its range
u set SOL_UDP 103 1200
u get SOL_UDP 103
u set SOL_UDP 103 0
t set SOL_UDP 103 1200
# [V] 3.1: the rest are ints, of one byte where the kernel says so
t get SOL_SOCKET SO_TYPE
u get SOL_SOCKET SO_TYPE
t get SOL_SOCKET SO_ERROR
t get SOL_SOCKET SO_REUSEADDR
t set SOL_SOCKET SO_REUSEADDR 1
t get SOL_SOCKET SO_REUSEADDR
t set SOL_SOCKET SO_REUSEADDR false
t get SOL_SOCKET SO_REUSEADDR
t setopt SOL_SOCKET SO_KEEPALIVE true
t getopt SOL_SOCKET SO_KEEPALIVE
u set SOL_SOCKET SO_BROADCAST 1
u get SOL_SOCKET SO_BROADCAST
t set SOL_SOCKET SO_SNDBUF 10000
t get SOL_SOCKET SO_SNDBUF
t set SOL_SOCKET SO_RCVBUF 20000
t get SOL_SOCKET SO_RCVBUF
t get SOL_SOCKET SO_RCVLOWAT
t set SOL_SOCKET SO_RCVLOWAT 5
t get SOL_SOCKET SO_RCVLOWAT
t set SOL_SOCKET SO_SNDLOWAT 5
t get SOL_SOCKET SO_DONTROUTE
t get SOL_SOCKET SO_OOBINLINE
t get SOL_SOCKET SO_DEBUG
t get SOL_SOCKET SO_REUSEPORT
t get SOL_SOCKET SO_MARK
t get SOL_SOCKET SO_BPF_EXTENSIONS
t get SOL_SOCKET SO_ZEROCOPY
t set SOL_SOCKET SO_ZEROCOPY 2
x set SOL_SOCKET SO_PASSCRED 1
x get SOL_SOCKET SO_PASSCRED
t set SOL_SOCKET SO_TYPE 1
t set SOL_SOCKET SO_ERROR 1
t get SOL_TCP TCP_NODELAY
t set SOL_TCP TCP_NODELAY 1
t get SOL_TCP TCP_NODELAY
t set SOL_TCP TCP_KEEPIDLE 100
t get SOL_TCP TCP_KEEPIDLE
t set SOL_TCP TCP_KEEPIDLE 0
t set SOL_TCP TCP_KEEPINTVL 10
t get SOL_TCP TCP_KEEPINTVL
t get SOL_TCP TCP_KEEPCNT
t get SOL_TCP TCP_DEFER_ACCEPT
t get SOL_TCP TCP_NOTSENT_LOWAT
u get SOL_TCP TCP_NODELAY
u set SOL_TCP TCP_NODELAY 1
s get IPPROTO_IPV6 IPV6_V6ONLY
s set IPPROTO_IPV6 IPV6_V6ONLY 1
s get IPPROTO_IPV6 IPV6_V6ONLY
s set IPPROTO_IPV6 IPV6_TCLASS 8
s get IPPROTO_IPV6 IPV6_TCLASS
s set IPPROTO_IPV6 IPV6_TCLASS 256
s set IPPROTO_IPV6 IPV6_UNICAST_HOPS 3
s get IPPROTO_IPV6 IPV6_UNICAST_HOPS
s set IPPROTO_IPV6 IPV6_RECVPKTINFO 1
s get IPPROTO_IPV6 IPV6_RECVPKTINFO
s set IPPROTO_IPV6 IPV6_RECVHOPLIMIT 1
s set IPPROTO_IPV6 IPV6_RECVTCLASS 1
u set IPPROTO_IP 1 16
u get IPPROTO_IP 1
u get IPPROTO_IP 10
u get IPPROTO_IP 13
t get SOL_SOCKET 9999
t set SOL_SOCKET 9999 1
t getopt SOL_SOCKET 9999
t setopt SOL_SOCKET 9999 1
t get 9999 1
t set 9999 1 1
t get SOL_SOCKET -1
t set SOL_SOCKET -1 -1
x get SOL_TCP TCP_NODELAY
x set IPPROTO_IP IP_MULTICAST_TTL 1
"#;

/// Rows whose system calls are not those of every PHP.
const OF_VERSIONS: &str = r#"
# [8.5] 3.2: UDP_SEGMENT out of range is a ValueError whose text says "must be of between"; before, the kernel judges
u set SOL_UDP UDP_SEGMENT -1
u set SOL_UDP UDP_SEGMENT 65536
u set SOL_UDP UDP_SEGMENT "70000"
u setopt SOL_UDP UDP_SEGMENT 65536
u set SOL_UDP UDP_SEGMENT "4294967297"
u get SOL_UDP UDP_SEGMENT
u set SOL_UDP UDP_SEGMENT 0
# [8.3] 3.2: SO_ATTACH_REUSEPORT_CBPF takes an offset of the extension's filters, not what the kernel wants
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 36
u set SOL_SOCKET SO_REUSEPORT 1
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 36
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 24
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF "36"
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 99
u setopt SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 1
u set SOL_SOCKET SO_ATTACH_REUSEPORT_CBPF 0
# [8.5] 3.2: a name must be a text; before, a number unbinds, and the kernel refuses one for a congestion control
t set SOL_SOCKET SO_BINDTODEVICE 1
t set SOL_SOCKET SO_BINDTODEVICE false
t setopt SOL_SOCKET SO_BINDTODEVICE 0
t set SOL_TCP TCP_CONGESTION 1
t setopt SOL_TCP TCP_CONGESTION true
# A bool as an interface is a name to PHP, and an index to us
u set IPPROTO_IP IP_MULTICAST_IF true
u set IPPROTO_IP IP_MULTICAST_IF false
u setopt IPPROTO_IP IP_MULTICAST_IF true
s set IPPROTO_IPV6 IPV6_MULTICAST_IF true
s set IPPROTO_IPV6 IPV6_MULTICAST_IF false
# [8.5] 3.2: MCAST_*: no array is a TypeError, before the family; a missing group is named before the family, too
u set IPPROTO_IP MCAST_LEAVE_GROUP 1
u set IPPROTO_IP MCAST_BLOCK_SOURCE "x"
u set IPPROTO_IP MCAST_UNBLOCK_SOURCE true
u setopt IPPROTO_IP MCAST_LEAVE_SOURCE_GROUP 0
s set IPPROTO_IPV6 MCAST_JOIN_GROUP false
x set IPPROTO_IPV6 MCAST_BLOCK_SOURCE 1
x set IPPROTO_IP MCAST_JOIN_GROUP {"sec":1,"usec":2}
x set IPPROTO_IP MCAST_JOIN_SOURCE_GROUP {"group":"239.1.2.3"}
x set IPPROTO_IP MCAST_LEAVE_GROUP {"group":"239.1.2.3"}
x set IPPROTO_IPV6 MCAST_LEAVE_GROUP {"group":"ff02::1","interface":"nosuch0"}
x set IPPROTO_IP MCAST_BLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1"}
x set IPPROTO_IP MCAST_UNBLOCK_SOURCE {"group":"239.1.2.3","source":"127.0.0.1"}
x setopt IPPROTO_IP MCAST_LEAVE_SOURCE_GROUP {"group":"239.1.2.3","source":"127.0.0.1"}
# [8.4.3] 3.2: SO_LINGER and the time-outs with what is no array
t set SOL_SOCKET SO_LINGER true
t set SOL_SOCKET SO_RCVTIMEO 0
t setopt SOL_SOCKET SO_RCVTIMEO "5"
t setopt SOL_SOCKET SO_SNDTIMEO false
"#;

/// Options that are plain numbers to PHP, each with the socket, and a value to begin with.
const PLAIN: [(&str, &str, &str, u8); 15] = [
    ("t", "SOL_SOCKET", "SO_REUSEADDR", 0),
    ("t", "SOL_SOCKET", "SO_KEEPALIVE", 0),
    ("u", "SOL_SOCKET", "SO_RCVLOWAT", 9),
    ("u", "SOL_SOCKET", "SO_INCOMING_CPU", 9),
    ("t", "SOL_TCP", "TCP_NODELAY", 0),
    ("t", "SOL_TCP", "18", 9),   // TCP_USER_TIMEOUT
    ("u", "IPPROTO_IP", "2", 9), // IP_TTL
    ("u", "IPPROTO_IP", "IP_MTU_DISCOVER", 2),
    ("u", "IPPROTO_IP", "IP_MULTICAST_TTL", 9),
    ("u", "IPPROTO_IP", "IP_MULTICAST_LOOP", 0),
    ("s", "IPPROTO_IPV6", "IPV6_UNICAST_HOPS", 9),
    ("s", "IPPROTO_IPV6", "IPV6_TCLASS", 9),
    ("s", "IPPROTO_IPV6", "IPV6_MULTICAST_HOPS", 9),
    ("s", "IPPROTO_IPV6", "IPV6_MULTICAST_LOOP", 0),
    ("s", "IPPROTO_IPV6", "IPV6_V6ONLY", 0),
];

/// Values that PHP makes a number of, in JSON; what is no number comes last.
const VALUES: [&str; 20] = [
    "true",
    "false",
    "254",
    "-1",
    r#""254""#,
    r#"" 7""#,
    r#""7 ""#,
    r#""1e2""#,
    r#""3.7""#,
    r#""-1""#,
    r#""-3.9""#,
    r#""+5""#,
    r#""0""#,
    r#""256""#,
    r#""99999999999""#,
    r#""4294967297""#,
    r#""abc""#,
    r#""12abc""#,
    r#""0x10""#,
    r#""""#,
];

/// Every plain option with every value: set to what it begins with, set, and read.
fn plain_rows() -> String {
    let mut rows = String::new();
    for (socket, level, option, begin) in PLAIN {
        for (position, value) in VALUES.into_iter().enumerate() {
            let call = ["set", "setopt"][position % 2];
            for row in [format!("set {level} {option} {begin}"), format!("{call} {level} {option} {value}")] {
                let _ = writeln!(rows, "{socket} {row}");
            }
            // A text that is no number leaves the option alone here, and not in PHP.
            if !value.starts_with('"') || is_numeric(&serde_json::from_str::<String>(value).expect("JSON")) {
                let _ = writeln!(rows, "{socket} get {level} {option}");
            }
        }
    }
    rows
}

struct Row {
    line: String,
    socket: String,
    call: String,
    level: String,
    option: String,
    value: Option<Value>,
}

fn rows(text: &str) -> Vec<Row> {
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().expect("a word").to_owned();
        let (socket, call, level, option) = (word(), word(), word(), word());
        let value = words.next().map(|value| serde_json::from_str(value).expect("JSON"));
        Row { line: line.to_owned(), socket, call, level, option, value }
    })
    .collect()
}

impl Row {
    /// Whether the value is the kernel's or the machine's own: sizes, its tick, settings, processes, rights.
    fn is_of_machine(&self) -> bool {
        let number = value_of(&self.option);
        let first = [
            SO_RCVBUF,
            SO_SNDBUF,
            SO_MEMINFO,
            SO_BPF_EXTENSIONS,
            SO_PEERCRED,
            SO_INCOMING_CPU,
            SO_BINDTODEVICE,
        ];
        let time = [SO_RCVTIMEO, SO_SNDTIMEO].contains(&number);
        let (get, text) = (self.call.starts_with("get"), self.value.as_ref().is_some_and(Value::is_string));
        match self.level.as_str() {
            "SOL_SOCKET" if get => first.contains(&number) || time,
            "SOL_SOCKET" => number == SO_BINDTODEVICE && text,
            "SOL_TCP" if get => number != TCP_NODELAY,
            "SOL_TCP" => number == TCP_CONGESTION && text,
            "IPPROTO_IP" => get && [IP_MTU_DISCOVER, libc::IP_TTL].contains(&number),
            "IPPROTO_IPV6" => get && number == IPV6_UNICAST_HOPS,
            _ => false,
        }
    }
}

/// PHP's player: prints a list of answers.
const PHP: &str = r"
    $s = ['t' => socket_create(AF_INET, SOCK_STREAM, 0), 'u' => socket_create(AF_INET, SOCK_DGRAM, 0),
        's' => socket_create(AF_INET6, SOCK_DGRAM, 0)];
    socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
    [$s['x'], $s['y']] = $pair;
    $said = null;
    set_error_handler(function ($level, $message) use (&$said) { $said = $message; return true; });
    foreach (json_decode($rows, true) as [$socket, $call, $level, $option, $value]) {
        $said = $thrown = null;
        socket_clear_error();
        socket_clear_error($s[$socket]);
        $call = ['get' => 'socket_get_option', 'set' => 'socket_set_option'][$call] ?? 'socket_' . $call;
        $arguments = [$s[$socket], $level, $option, ...(str_contains($call, 'set') ? [$value] : [])];
        try {
            $result = $call(...$arguments);
        } catch (\Error $error) {
            $result = false;
            $thrown = $error->getMessage();
        }
        $results[] = ['value' => $result, 'warning' => $said, 'thrown' => $thrown,
            'last' => socket_last_error(), 'own' => socket_last_error($s[$socket])];
    }
    echo json_encode($results);";

fn php_code(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!([row.socket, row.call, value_of(&row.level), value_of(&row.option), row.value]))
        .collect();
    format!("$rows = '{}';{PHP}", json!(rows))
}

/// The number that a word names.
fn value_of(word: &str) -> c_int {
    word.parse().unwrap_or_else(|_| value(word))
}

/// The value that a text of JSON means.
fn option_value(value: &Value) -> OptionValue {
    let text = |key: &str| value[key].as_str().expect("a text");
    let int = |key: &str| value[key].as_i64().expect("a number");
    let short = |key: &str| u16::try_from(int(key)).expect("16 bits");
    let interface = || match &value["interface"] {
        Value::Null => Interface::Index(0),
        Value::String(name) => name.as_str().into(),
        index => Interface::Index(index.as_i64().expect("an index")),
    };
    match value {
        Value::Bool(on) => (*on).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) => c_int::try_from(number.as_i64().unwrap()).expect("an int").into(),
        value if value.get("l_onoff").is_some() => Linger::new(short("l_onoff"), short("l_linger")).into(),
        value if value.get("sec").is_some() => Timeval::new(int("sec"), int("usec")).into(),
        value if value.get("source").is_some() => {
            Source::new(text("group"), text("source"), interface()).into()
        }
        value if value.get("group").is_some() => Group::new(text("group"), interface()).into(),
        _ => {
            let addr: Ipv6Addr = text("addr").parse().expect("an address");
            Pktinfo::new(addr, u32::try_from(int("ifindex")).expect("an index")).into()
        }
    }
}

/// A value as PHP has it.
fn as_php(value: OptionValue) -> Value {
    match value {
        OptionValue::Int(number) => json!(number),
        OptionValue::Text(name) => json!({"name": name.to_str()}),
        OptionValue::Linger(linger) => json!({"l_onoff": linger.l_onoff, "l_linger": linger.l_linger}),
        OptionValue::Timeval(time) => json!({"sec": time.sec, "usec": time.usec}),
        OptionValue::Meminfo(info) => json!({
            "rmem_alloc": info.rmem_alloc, "rcvbuf": info.rcvbuf, "wmem_alloc": info.wmem_alloc,
            "sndbuf": info.sndbuf, "fwd_alloc": info.fwd_alloc, "wmem_queued": info.wmem_queued,
            "optmem": info.optmem, "backlog": info.backlog, "drops": info.drops,
        }),
        OptionValue::Credentials(credentials) => json!(credentials.pid),
        other => panic!("PHP reads no {other:?}"),
    }
}

fn play(rows: &[Row]) -> Vec<Value> {
    let create = |family, kind| socket_create(family, kind, 0).unwrap();
    let (t, u) = (create(AF_INET, SOCK_STREAM), create(AF_INET, SOCK_DGRAM));
    let s = create(AF_INET6, SOCK_DGRAM);
    let (x, _y) = common::pair(SOCK_STREAM);
    rows.iter()
        .map(|row| {
            let socket = match row.socket.as_str() {
                "t" => &t,
                "u" => &u,
                "s" => &s,
                _ => &x,
            };
            socket_clear_error(None);
            socket_clear_error(socket);
            let (level, option) = (value_of(&row.level), value_of(&row.option));
            let value = || option_value(row.value.as_ref().expect("a value"));
            let result = match row.call.as_str() {
                "get" => socket_get_option(socket, level, option).map(as_php),
                "getopt" => socket_getopt(socket, level, option).map(as_php),
                "set" => socket_set_option(socket, level, option, value()).map(|()| json!(true)),
                _ => socket_setopt(socket, level, option, value()).map(|()| json!(true)),
            };
            let said =
                |kind: ErrorKind| result.as_ref().err().filter(|e| e.kind() == kind).map(ToString::to_string);
            json!({
                "warning": said(ErrorKind::Warning),
                "thrown": said(ErrorKind::Value),
                "last": socket_last_error(None),
                "own": socket_last_error(socket),
                "value": result.clone().unwrap_or(json!(false)),
            })
        })
        .collect()
}

#[track_caller]
fn agree(text: &str) {
    let rows = rows(text);
    let quoted = regex::Regex::new(r#"with name \\"[^"]*\\" could"#).unwrap();
    let text = common::php(&php_code(&rows));
    let mut php: Vec<Value> =
        serde_json::from_str(&quoted.replace_all(&text, "with this name could")).expect("JSON");

    let rust = play(&rows);

    for (row, php) in rows.iter().zip(&mut php) {
        if row.option == "17" && row.socket == "x" && row.call == "get" {
            // The other end of the pair is the process itself: another one for PHP.
            php["value"] = json!(std::process::id());
        }
    }
    let line = |row: &Row| Line {
        text: row.line.clone(),
        outs: Vec::new(),
        socket: Some(row.socket.clone()),
        asks: false,
        of_machine: row.is_of_machine(),
    };
    let lines: Vec<Line> = rows.iter().map(line).collect();
    record::compare(&lines, &php, &rust);
}

#[test]
fn options_are_phps() {
    agree(ROWS);
}

#[test]
fn options_are_phps_of_the_version() {
    agree(OF_VERSIONS);
}

#[test]
fn plain_options_take_what_phps_take() {
    // [V] 3.1: PHP makes a number of any value, in every version. This crate takes what is one: numbers, bools, and texts
    // that are numeric.
    agree(&plain_rows());
}

/// Texts that look like numbers: parts of numbers in any order, and what stands around them.
fn nearly_numeric() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[0-9]{1,3}",
        1 => "[0-9]{8,21}",
        1 => Just("e".to_owned()),
        1 => Just("E+".to_owned()),
        1 => Just(".".to_owned()),
        1 => "[+-]",
        1 => "[ \t\n\r\x0B\x0C]",
        1 => "[a-fxX_]",
        1 => Just("\u{a0}".to_owned()),
    ];
    let any = prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat());
    let number = (
        "[ \n]{0,1}",
        "[+-]{0,1}",
        "[0-9]{0,12}",
        "(\\.[0-9]{0,3}){0,1}",
        "([eE][+-]{0,1}[0-9]{1,2}){0,1}",
        "[ \t]{0,1}",
    )
        .prop_map(|(begin, sign, digits, rest, power, end)| begin + &sign + &digits + &rest + &power + &end);
    prop_oneof![any, number]
}

#[test]
fn a_text_is_the_number_that_php_makes_of_it() {
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<String> =
        (0..600).map(|_| nearly_numeric().new_tree(&mut runner).unwrap().current()).collect();
    texts.extend(
        [
            "1e400",
            "-1e400",
            "1e19",
            "-1e19",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "inf",
            "nan",
        ]
        .map(str::to_owned),
    );
    // SO_INCOMING_CPU takes any number and gives it back.
    let php: Vec<Value> = serde_json::from_str(&common::php(&format!(
        "$u = socket_create(AF_INET, SOCK_DGRAM, 0);
         foreach (json_decode(base64_decode('{}')) as $text) {{
             socket_set_option($u, SOL_SOCKET, SO_INCOMING_CPU, 77); $set = socket_set_option($u, SOL_SOCKET, SO_INCOMING_CPU, $text);
             $all[] = [is_numeric($text), (int) $text, $set, socket_get_option($u, SOL_SOCKET, SO_INCOMING_CPU), error_get_last()];
         }}
         echo json_encode($all);",
        base64(json!(texts).to_string().as_bytes())
    )))
    .unwrap();

    let mut numeric = 0;
    assert_eq!(php.len(), texts.len());
    for (text, php) in texts.iter().zip(php) {
        let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
        socket_set_option(&socket, SOL_SOCKET, SO_INCOMING_CPU, 77).unwrap();
        let result = socket_set_option(&socket, SOL_SOCKET, SO_INCOMING_CPU, text.as_str());
        let read = socket_get_option(&socket, SOL_SOCKET, SO_INCOMING_CPU).unwrap().int().unwrap();

        // The low 32 bits of PHP's `(int)`, without a word, whatever the text is.
        #[allow(clippy::cast_possible_truncation, reason = "the low 32 bits are meant")]
        let low = php[1].as_i64().unwrap() as c_int;
        assert_eq!((&php[2], &php[3], &php[4]), (&json!(true), &json!(low), &Value::Null), "{text:?}");
        assert_eq!(php[0], json!(is_numeric(text)), "{text:?}");
        if is_numeric(text) {
            numeric += 1;
            assert_eq!((result.is_ok(), read), (true, low), "{text:?}");
            record::tally(None);
        } else {
            let error = result.unwrap_err().to_string();
            assert_eq!(
                error, "socket_set_option(): Argument #4 ($value) must be of type int, string given",
                "{text:?}"
            );
            assert_eq!((read, socket_last_error(&socket)), (77, 0));
            record::tally(Some("a text that is no number is an error, to PHP mostly 0"));
        }
    }
    assert!(numeric > 150 && texts.len() - numeric > 150, "{numeric} of {} are numbers", texts.len());
}

/// PHP code holds no text as it is: quotes and backslashes would be read.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |part: &[u8], position: usize| {
        let bits =
            part.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - part.len()));
        if position > part.len() { '=' } else { char::from(DIGITS[bits >> (18 - 6 * position) & 63]) }
    };
    bytes.chunks(3).flat_map(|part| (0..4).map(move |position| digit(part, position))).collect()
}

#[test]
fn php_makes_a_number_of_what_rust_has_no_value_for() {
    // [V] 3.1: fractions, null, arrays, resources and large numbers: `(int)`, and the low 32 bits of it; since 8.5 PHP itself
    // warns of a float that is no int
    let (float, none) = ("is not representable as an int, cast occurred", String::new());
    let warned = |float: String| by_version(&[(80200, &none), (80500, &float)]).clone();
    for (value, number, warning) in [
        ("1.9", 1, none.clone()),
        ("-1.9", -1, none.clone()),
        ("null", 0, none.clone()),
        ("[]", 0, none.clone()),
        ("[5]", 1, none.clone()),
        ("['a' => 1]", 1, none.clone()),
        ("STDIN", 1, none.clone()),
        ("4294967297", 1, none.clone()),
        ("1e30", 0, warned(format!("The float 1.0E+30 {float}"))),
        ("NAN", 0, warned(format!("The float NAN {float}"))),
        ("new ArrayObject", 1, "Object of class ArrayObject could not be converted to int".to_owned()),
    ] {
        let php = php::value(&format!(
            "$u = socket_create(AF_INET, SOCK_DGRAM, 0); socket_set_option($u, SOL_SOCKET, SO_INCOMING_CPU, 77); error_clear_last();
             $set = socket_set_option($u, SOL_SOCKET, SO_INCOMING_CPU, {value});
             return [$set, socket_get_option($u, SOL_SOCKET, SO_INCOMING_CPU), error_get_last()['message'] ?? ''];"
        ));
        assert_eq!(php, json!([true, number, warning]), "{value}");
    }
    // A name must be a text since 8.5; before, anything else unbinds, and is no congestion control.
    for (value, given) in
        [("null", "null"), ("1.5", "float"), ("[]", "array"), ("true", "true"), ("7", "int")]
    {
        for (level, option, warning) in [
            ("SOL_SOCKET", "SO_BINDTODEVICE", None),
            (
                "SOL_TCP",
                "TCP_CONGESTION",
                Some("socket_set_option(): Unable to set socket option [22]: Invalid argument"),
            ),
        ] {
            let failure = common::php_failure(&format!(
                "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_set_option($s, {level}, {option}, {value})"
            ));
            let newest = format!(
                "socket_set_option(): Argument #4 ($value) must be of type string when argument #3 ($option) is {option}, {given} given"
            );
            let expected = by_version(&[(80200, (warning, None)), (80500, (None, Some(newest.as_str())))]);
            assert_eq!((failure.warning.as_deref(), failure.thrown.as_deref()), expected, "{option} {value}");
        }
    }
    // The members of an array are converted alike.
    let members = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0);
         foreach (['7', 'x', true, null, [], 2.9] as $seconds) {
             socket_set_option($s, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => $seconds]);
             $linger[] = socket_get_option($s, SOL_SOCKET, SO_LINGER)['l_linger'];
             socket_set_option($s, SOL_SOCKET, SO_RCVTIMEO, ['sec' => $seconds, 'usec' => 0]);
             $times[] = socket_get_option($s, SOL_SOCKET, SO_RCVTIMEO)['sec'];
         }
         return [$linger, $times];",
    );
    assert_eq!(members, json!([[7, 0, 1, 0, 0, 2], [7, 0, 1, 0, 0, 2]]));
}

#[test]
fn phps_linger_has_bounds_since_8_4() {
    // [V] 3.2: l_onoff and l_linger out of 16 bits are a ValueError since 8.4.3, in whose text PHP gives the bytes of the
    // second number for its name; before, 16 bits count. Linger's numbers are u16.
    let set = |linger: &str| {
        let call = format!("socket_set_option($s, SOL_SOCKET, SO_LINGER, [{linger}])");
        php::value(&format!(
            "$s = socket_create(AF_INET, SOCK_STREAM, 0);
             try {{ return [{call}, socket_get_option($s, SOL_SOCKET, SO_LINGER)]; }}
             catch (ValueError $e) {{ return [addcslashes($e->getMessage(), \"\\0..\\37\\177..\\377\"), socket_last_error($s)]; }}"
        ))
    };
    let range = |name: &str| {
        json!([
            format!("socket_set_option(): Argument #4 ($value) \"{name}\" must be between 0 and 65535"),
            0
        ])
    };
    let since = dialects::speaks(&[80403]);
    for (linger, older, newest) in [
        ("'l_onoff' => 1, 'l_linger' => 65543", json!([true, {"l_onoff": 1, "l_linger": 7}]), range("\\a")),
        (
            "'l_onoff' => 1, 'l_linger' => 70000",
            json!([true, {"l_onoff": 1, "l_linger": 4464}]),
            range("p\\021\\001"),
        ),
        (
            "'l_onoff' => 65537, 'l_linger' => 7",
            json!([true, {"l_onoff": 1, "l_linger": 7}]),
            range("l_onoff"),
        ),
        (
            "'l_onoff' => 65536, 'l_linger' => 65536",
            json!([true, {"l_onoff": 0, "l_linger": 0}]),
            range("l_onoff"),
        ),
    ] {
        assert_eq!(set(linger), if since { newest } else { older }, "{linger}");
    }
    let missing = json!(["socket_set_option(): Argument #4 ($value) must have key \"l_linger\"", 0]);
    assert_eq!(set("'l_onoff' => 99999"), missing);
    assert_eq!(
        set("'l_onoff' => 65535, 'l_linger' => 65535"),
        json!([true, {"l_onoff": 1, "l_linger": 65535}])
    );
}

/// Not a test of its own: the one below runs it under strace.
#[test]
fn plays_the_rows() {
    play(&rows(ROWS));
}

#[test]
fn options_make_phps_system_calls() {
    let trace = |program: &str, args: &[&str]| {
        let strace = Strace::of("getsockopt,setsockopt,ioctl");
        common::printed(strace.command(program).args(args));
        calls(&strace.log())
    };

    let php = trace(common::php_program(), &["-r", &php_code(&rows(ROWS))]);
    let this = std::env::current_exe().unwrap();
    let rust = trace(this.to_str().unwrap(), &["--exact", "options::plays_the_rows", "--nocapture"]);

    assert!(php.len() > 200, "{}", php.len());
    for (rust, php) in rust.iter().zip(&php) {
        assert_eq!(rust, php, "left is Rust, right is PHP");
    }
    assert_eq!(rust.len(), php.len());
}

/// The calls of a trace on sockets, without the process and the descriptor.
fn calls(trace: &str) -> Vec<String> {
    let call = regex::Regex::new(r"(\w+)\(\d+, (.*)$").unwrap();
    let address = regex::Regex::new("0x[0-9a-f]{9,}").unwrap();
    // Counters that differ from run to run, and processes.
    let vary = regex::Regex::new(r"SO_MEMINFO|SO_PEERCRED").unwrap();
    trace
        .lines()
        .filter_map(|line| call.captures(line))
        .filter(|found| !found[2].starts_with("TCGETS") && !vary.is_match(&found[2]))
        .map(|found| format!("{}({}", &found[1], address.replace(&found[2], "address")))
        .collect()
}
