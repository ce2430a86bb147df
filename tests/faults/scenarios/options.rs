use php_sockets::*;

use super::Then::{Both, Plain, Same};
use super::{RESOLVER, Rule, Scenario, on};
use crate::common;
use crate::scenarios::bind::{LAST, files_only};
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_get_option", "a number", |stage| get(stage, SOL_SOCKET, SO_TYPE), GET),
    Scenario::new("socket_get_option", "SO_LINGER", |stage| get(stage, SOL_SOCKET, SO_LINGER), GET),
    Scenario::new("socket_get_option", "SO_RCVTIMEO", |stage| get(stage, SOL_SOCKET, SO_RCVTIMEO), GET),
    Scenario::new("socket_get_option", "SO_MEMINFO", |stage| get(stage, SOL_SOCKET, libc::SO_MEMINFO), GET),
    Scenario::new("socket_get_option", "SO_PEERCRED", |stage| get(stage, SOL_SOCKET, libc::SO_PEERCRED), GET),
    Scenario::new("socket_get_option", "TCP_CONGESTION", |stage| get(stage, SOL_TCP, TCP_CONGESTION), GET),
    Scenario::new("socket_get_option", "IP_MULTICAST_IF", get_multicast_if, GET_MULTICAST_IF),
    Scenario::new(
        "socket_get_option",
        "IPV6_PKTINFO",
        get_pktinfo,
        &[on("getsockopt", Both("socket_get_option(): unable to get socket option"))],
    ),
    Scenario::new(
        "socket_getopt",
        "",
        getopt,
        &[on("getsockopt", Both("socket_getopt(): Unable to retrieve socket option"))],
    ),
    Scenario::new(
        "socket_set_option",
        "a number",
        |stage| set(stage, SOL_SOCKET, SO_REUSEADDR, 1.into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "SO_LINGER",
        |stage| set(stage, SOL_SOCKET, SO_LINGER, Linger::new(1, 5).into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "SO_RCVTIMEO",
        |stage| set(stage, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(5, 0).into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "TCP_CONGESTION",
        |stage| set(stage, SOL_TCP, TCP_CONGESTION, "reno".into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "SO_BINDTODEVICE",
        |s| only_set(s, SOL_SOCKET, SO_BINDTODEVICE, "lo".into()),
        SET,
    ),
    Scenario::new("socket_set_option", "SO_ATTACH_REUSEPORT_CBPF", attach_filter, SET),
    Scenario::new(
        "socket_set_option",
        "UDP_SEGMENT",
        |s| set_udp(s, AF_INET, SOL_UDP, UDP_SEGMENT, 100.into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "IP_MULTICAST_TTL",
        |s| set_udp(s, AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 5.into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "IPV6_MULTICAST_HOPS",
        |s| set_udp(s, AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 5.into()),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "IPV6_MULTICAST_IF, a name",
        |s| set_udp(s, AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_IF, "lo".into()),
        JOIN_BY_NAME,
    ),
    Scenario::new(
        "socket_set_option",
        "MCAST_JOIN_SOURCE_GROUP",
        |s| {
            let source = Source::new("232.0.0.1", "127.0.0.1", 1);
            only_set(s, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, source.into());
        },
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "IP_MULTICAST_IF, a number",
        |stage| set_multicast_if(stage, 1.into()),
        SET_IF,
    ),
    Scenario::new(
        "socket_set_option",
        "IP_MULTICAST_IF, a name",
        |stage| set_multicast_if(stage, "lo".into()),
        SET_IF_BY_NAME,
    ),
    Scenario::new(
        "socket_set_option",
        "MCAST_JOIN_GROUP",
        |stage| join(stage, &Group::new("224.0.0.1", 1)),
        SET,
    ),
    Scenario::new(
        "socket_set_option",
        "MCAST_JOIN_GROUP, by name",
        |stage| join(stage, &Group::new("224.0.0.1", "lo")),
        JOIN_BY_NAME,
    ),
    Scenario::new("socket_set_option", "MCAST_JOIN_GROUP, a host name", join_host, JOIN_HOST),
    Scenario::new(
        "socket_setopt",
        "",
        setopt,
        &[on("setsockopt", Both("socket_setopt(): Unable to set socket option"))],
    ),
];

const UNABLE: &str = "socket_set_option(): Unable to set socket option";
const GET: &[Rule] = &[on("getsockopt", Both("socket_get_option(): Unable to retrieve socket option"))];
const SET: &[Rule] = &[on("setsockopt", Both(UNABLE))];
const GET_MULTICAST_IF: &[Rule] = &[
    on("getsockopt", Both("socket_get_option(): Unable to retrieve socket option")),
    on("ioctl", Plain("socket_get_option(): Error converting interface name to index: error {code}"))
        .nth(LAST),
    on("ioctl", Plain("socket_get_option(): Failed obtaining interfaces list: error {code}")),
];
const NO_ADDRESS: &str = "socket_set_option(): Failed obtaining address for interface 1: error {code}";
const NO_INTERFACE: &str = "socket_set_option(): No interface with this name could be found";
const SET_IF: &[Rule] = &[on("ioctl", Plain(NO_ADDRESS)), on("setsockopt", Both(UNABLE))];
/// `if_nametoindex` makes a socket of its own for its question, of one family or another.
const SET_IF_BY_NAME: &[Rule] = &[
    on("socket", Same),
    on("ioctl", Plain(NO_INTERFACE)).nth(1),
    on("close", Same),
    on("ioctl", Plain(NO_ADDRESS)),
    on("setsockopt", Both(UNABLE)),
];
const JOIN_BY_NAME: &[Rule] = &[
    on("socket", Same),
    on("ioctl", Plain(NO_INTERFACE)),
    on("close", Same),
    on("setsockopt", Both(UNABLE)),
];
/// The name is looked up, and the kernel refuses: it is no group's.
const JOIN_HOST: &[Rule] = &[
    on("setsockopt", Both(UNABLE)),
    on(RESOLVER, super::Then::Lookup("socket_set_option(): Host lookup failed")),
];

fn get(stage: &Stage, level: i32, option: i32) {
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).expect("a socket");
    got(stage, &socket, level, option);
}

fn got(stage: &Stage, socket: &Socket, level: i32, option: i32) {
    if let Ok(value) = stage.call(socket, || socket_get_option(socket, level, option)) {
        stage.value(value);
    }
    stage.keep("the next one succeeds", socket_get_option(socket, level, option).is_ok());
}

fn getopt(stage: &Stage) {
    let (socket, _peer) = common::pair(SOCK_DGRAM);
    stage.value(stage.call(&socket, || socket_getopt(&socket, SOL_SOCKET, SO_TYPE)));
}

fn get_multicast_if(stage: &Stage) {
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, 1).expect("the loopback interface");
    got(stage, &socket, IPPROTO_IP, IP_MULTICAST_IF);
}

fn get_pktinfo(stage: &Stage) {
    let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).expect("a socket");
    // Linux has it to be set only.
    let _ = stage.call(&socket, || socket_get_option(&socket, IPPROTO_IPV6, IPV6_PKTINFO));
}

/// A failure has changed nothing, and the next one succeeds.
fn set(stage: &Stage, level: i32, option: i32, value: OptionValue) {
    set_on(stage, &socket_create(AF_INET, SOCK_STREAM, 0).expect("a socket"), level, option, value);
}

fn set_udp(stage: &Stage, family: i32, level: i32, option: i32, value: OptionValue) {
    set_on(stage, &socket_create(family, SOCK_DGRAM, 0).expect("a socket"), level, option, value);
}

fn set_on(stage: &Stage, socket: &Socket, level: i32, option: i32, value: OptionValue) {
    let before = socket_get_option(socket, level, option).expect("a value");
    let set = stage.call(socket, || socket_set_option(socket, level, option, value.clone()));
    let after = socket_get_option(socket, level, option).expect("a value");
    stage.keep("a failure has changed nothing", set.is_ok() || format!("{before:?}") == format!("{after:?}"));
    stage.value(after);
    stage.keep("the next one succeeds", socket_set_option(socket, level, option, value).is_ok());
}

/// Options that cannot be asked for, or not in the same form.
fn only_set(stage: &Stage, level: i32, option: i32, value: OptionValue) {
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    if stage.call(&socket, || socket_set_option(&socket, level, option, value.clone())).is_err() {
        stage.keep("the next one succeeds", socket_set_option(&socket, level, option, value).is_ok());
    }
}

fn attach_filter(stage: &Stage) {
    let (socket, _) = common::bound(SOCK_DGRAM);
    socket_set_option(&socket, SOL_SOCKET, SO_REUSEPORT, 1).expect("set");
    let _ =
        stage.call(&socket, || socket_set_option(&socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, SKF_AD_CPU));
}

fn setopt(stage: &Stage) {
    let (socket, _peer) = common::pair(SOCK_DGRAM);
    let _ = stage.call(&socket, || socket_setopt(&socket, SOL_SOCKET, SO_BROADCAST, 1));
    stage.value(socket_getopt(&socket, SOL_SOCKET, SO_BROADCAST).expect("a value"));
}

fn set_multicast_if(stage: &Stage, value: OptionValue) {
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    let set = stage.call(&socket, || socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, value));
    let index = socket_get_option(&socket, IPPROTO_IP, IP_MULTICAST_IF).and_then(|value| value.int());
    stage.keep("it is the old one or the new one", index == Ok(set.is_ok().into()));
}

fn join(stage: &Stage, group: &Group) {
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    let joined =
        stage.call(&socket, || socket_set_option(&socket, IPPROTO_IP, MCAST_JOIN_GROUP, group.clone()));
    let left = socket_set_option(&socket, IPPROTO_IP, MCAST_LEAVE_GROUP, group.clone());
    stage.keep("it is left exactly if it was joined", left.is_ok() == joined.is_ok());
}

fn join_host(stage: &Stage) {
    files_only();
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    let group = Group::new("localhost", 1);
    let _ = stage.call(&socket, || socket_set_option(&socket, IPPROTO_IP, MCAST_JOIN_GROUP, group));
}
