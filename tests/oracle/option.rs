//! Options set and read by PHP and by this crate, row by row: what is returned, what is said, both error slots, and the
//! system calls.
//!
//! A row is `socket get LEVEL OPTION` or `socket set LEVEL OPTION value`, the value in JSON; `getopt` and `setopt` are
//! the aliases. Sockets: `t` is TCP, `u` UDP, `s` UDP over IPv6, `x` and `y` a pair of `AF_UNIX`.

use std::ffi::c_int;
use std::net::Ipv6Addr;

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::constants::value;

/// Everything that both can say. What this crate refuses and PHP converts is in `tests/functions/errors_option.rs`.
const ROWS: &str = r#"
# [V] 3.2: SO_LINGER is a struct, and anything without its keys is refused
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
# [V] 10: SO_PEERCRED: PHP 8.2 reads the process, which is all that is compared
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
# 3.2: UDP_SEGMENT, a plain int in PHP 8.2
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

struct Row {
    line: &'static str,
    socket: &'static str,
    call: &'static str,
    level: &'static str,
    option: &'static str,
    value: Option<Value>,
}

fn rows() -> Vec<Row> {
    let rows = ROWS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let mut words = line.splitn(5, ' ');
        let mut word = || words.next().expect("a word");
        let (socket, call, level, option) = (word(), word(), word(), word());
        let value = words.next().map(|value| serde_json::from_str(value).expect("JSON"));
        Row { line, socket, call, level, option, value }
    })
    .collect()
}

/// PHP's player: prints a list of `[value, warning or exception, global slot, own slot]`.
const PHP: &str = r"
    $s = ['t' => socket_create(AF_INET, SOCK_STREAM, 0), 'u' => socket_create(AF_INET, SOCK_DGRAM, 0),
        's' => socket_create(AF_INET6, SOCK_DGRAM, 0)];
    socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
    [$s['x'], $s['y']] = $pair;
    $said = null;
    set_error_handler(function ($level, $message) use (&$said) { $said = $message; return true; });
    foreach (json_decode($rows, true) as [$socket, $call, $level, $option, $value]) {
        $said = null;
        socket_clear_error();
        socket_clear_error($s[$socket]);
        $call = ['get' => 'socket_get_option', 'set' => 'socket_set_option'][$call] ?? 'socket_' . $call;
        $arguments = [$s[$socket], $level, $option, ...(str_contains($call, 'set') ? [$value] : [])];
        try {
            $result = $call(...$arguments);
        } catch (\Error $error) {
            $result = false;
            $said = $error->getMessage();
        }
        $results[] = [$result, $said, socket_last_error(), socket_last_error($s[$socket])];
    }
    echo json_encode($results);";

fn php_code() -> String {
    let rows: Vec<Value> = rows()
        .iter()
        .map(|row| json!([row.socket, row.call, number(row.level), number(row.option), row.value]))
        .collect();
    format!("$rows = '{}';{PHP}", json!(rows))
}

fn number(word: &str) -> c_int {
    word.parse().unwrap_or_else(|_| value(word))
}

/// What stands in JSON as the value that it means.
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
            Source::new(text("group"), text("source")).interface(interface()).into()
        }
        value if value.get("group").is_some() => Group::new(text("group")).interface(interface()).into(),
        _ => {
            let addr: Ipv6Addr = text("addr").parse().expect("an address");
            Pktinfo::new(addr, u32::try_from(int("ifindex")).expect("an index")).into()
        }
    }
}

/// A value as PHP 8.2 has it.
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

fn play() -> Vec<Value> {
    let create = |family, kind| socket_create(family, kind, 0).unwrap();
    let (t, u) = (create(AF_INET, SOCK_STREAM), create(AF_INET, SOCK_DGRAM));
    let s = create(AF_INET6, SOCK_DGRAM);
    let (x, _y) = common::pair(SOCK_STREAM);
    rows()
        .iter()
        .map(|row| {
            let socket = match row.socket {
                "t" => &t,
                "u" => &u,
                "s" => &s,
                _ => &x,
            };
            socket_clear_error(None);
            socket_clear_error(socket);
            let (level, option) = (number(row.level), number(row.option));
            let value = || option_value(row.value.as_ref().expect("a value"));
            let result = match row.call {
                "get" => socket_get_option(socket, level, option).map(as_php),
                "getopt" => socket_getopt(socket, level, option).map(as_php),
                "set" => socket_set_option(socket, level, option, value()).map(|()| json!(true)),
                _ => socket_setopt(socket, level, option, value()).map(|()| json!(true)),
            };
            let said = result.as_ref().err().map(ToString::to_string);
            let value = result.unwrap_or(json!(false));
            json!([value, said, socket_last_error(None), socket_last_error(socket)])
        })
        .collect()
}

#[test]
fn options_are_phps() {
    let quoted = regex::Regex::new(r#"with name \\"[^"]*\\" could"#).unwrap();
    let text = common::php(&php_code());
    let php: Vec<Value> = serde_json::from_str(&quoted.replace_all(&text, "with this name could")).unwrap();

    let rust = play();

    assert_eq!(php.len(), rows().len());
    for ((row, mut php), rust) in rows().iter().zip(php).zip(rust) {
        if row.option == "17" && row.socket == "x" && row.call == "get" {
            // The other end of the pair is the process itself: another one for PHP.
            php[0] = json!(std::process::id());
        }
        assert_eq!(rust, php, "left is Rust, right is PHP, at: {}", row.line);
    }
}

/// Not a test of its own: the one below runs it under strace.
#[test]
fn plays_the_rows() {
    play();
}

#[test]
fn options_make_phps_system_calls() {
    let trace = |program: &str, args: &[&str]| {
        let mut command = common::limited("strace");
        command.args(["-f", "-o", "/dev/stdout", "-e", "trace=getsockopt,setsockopt,ioctl", program]);
        let output = command.args(args).output().expect("strace runs");
        calls(&String::from_utf8_lossy(&output.stdout))
    };

    let php = trace(common::php_program(), &["-r", &php_code()]);
    let this = std::env::current_exe().unwrap();
    let rust = trace(this.to_str().unwrap(), &["--exact", "option::plays_the_rows", "--nocapture"]);

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
