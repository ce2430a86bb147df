use php_sockets::*;

use super::Then::{Loud, Reason, Thread};
use super::bind::files_only;
use super::{RESOLVER, Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_addrinfo_lookup", "numbers", |stage| lookup(stage, "127.0.0.1", "80", 0), LOOKUP),
    Scenario::new("socket_addrinfo_lookup", "names", |stage| lookup(stage, "localhost", "http", 0), LOOKUP),
    Scenario::new(
        "socket_addrinfo_lookup",
        "AI_ADDRCONFIG",
        |stage| lookup(stage, "localhost", "80", AI_ADDRCONFIG),
        LOOKUP,
    ),
    Scenario::new(
        "socket_addrinfo_connect",
        "",
        connect,
        &[
            on("socket", Loud("socket_addrinfo_connect(): Unable to create socket")),
            on("connect", Thread("socket_addrinfo_connect(): Unable to connect address")),
        ],
    ),
    Scenario::new(
        "socket_addrinfo_bind",
        "",
        bind,
        &[
            on("socket", Loud("socket_addrinfo_bind(): Unable to create socket")),
            on("bind", Thread("socket_addrinfo_bind(): Unable to bind address")),
        ],
    ),
    Scenario::new(
        "socket_addrinfo_explain",
        "",
        |stage| {
            let info = info(80);
            stage.value(stage.plain(|| socket_addrinfo_explain(&info)));
        },
        &[],
    ),
];

const LOOKUP: &[Rule] =
    &[on(RESOLVER, Reason("socket_addrinfo_lookup(): {reason} (PHP returns false and says nothing)"))];

fn lookup(stage: &Stage, host: &str, service: &str, flags: i32) {
    files_only();
    let hints = AddrinfoHints::new().ai_family(AF_INET).ai_socktype(SOCK_STREAM).ai_flags(flags);
    if let Ok(found) = stage.call(None, || socket_addrinfo_lookup(host, service, hints)) {
        stage.value(found.iter().map(socket_addrinfo_explain).collect::<Vec<_>>());
    }
}

fn info(port: u16) -> AddressInfo {
    let hints = AddrinfoHints::new().ai_flags(AI_NUMERICHOST | AI_NUMERICSERV).ai_socktype(SOCK_STREAM);
    let port = port.to_string();
    socket_addrinfo_lookup("127.0.0.1", port.as_str(), hints).expect("a number").remove(0)
}

fn connect(stage: &Stage) {
    let (_listener, port) = common::listener();
    let info = info(port);
    let connected = stage.call(None, || socket_addrinfo_connect(&info));
    let socket = connected.or_else(|_| socket_addrinfo_connect(&info)).expect("it can connect after all");
    stage.value(socket_getpeername(&socket).expect("a peer").address);
}

fn bind(stage: &Stage) {
    let info = info(0);
    let bound = stage.call(None, || socket_addrinfo_bind(&info));
    let socket = bound.or_else(|_| socket_addrinfo_bind(&info)).expect("it can be bound after all");
    stage.value(socket_getsockname(&socket).expect("a name").address);
}
