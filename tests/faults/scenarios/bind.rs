use php_sockets::*;

use super::Then::{Both, Lookup, Same, Value};
use super::{RESOLVER, Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_bind", "AF_INET", |stage| bind(stage, AF_INET, "127.0.0.1"), BIND),
    Scenario::new(
        "socket_bind",
        "AF_INET, a host name",
        |stage| bind(stage, AF_INET, "localhost"),
        BIND_BY_NAME,
    ),
    Scenario::new("socket_bind", "AF_INET6", |stage| bind(stage, AF_INET6, "::1"), BIND),
    Scenario::new(
        "socket_bind",
        "AF_INET6, a host name",
        |stage| bind(stage, AF_INET6, "localhost"),
        BIND_BY_NAME,
    ),
    Scenario::new("socket_bind", "AF_UNIX", bind_unix, BIND),
    Scenario::new("socket_bind", "AF_PACKET", bind_packet, BIND_PACKET),
    Scenario::new(
        "socket_getsockname",
        "AF_INET",
        |stage| getsockname(stage, &common::bound(SOCK_STREAM).0),
        SOCKNAME,
    ),
    Scenario::new(
        "socket_getsockname",
        "AF_INET6",
        |stage| getsockname(stage, &bound6(SOCK_STREAM).0),
        SOCKNAME,
    ),
    Scenario::new(
        "socket_getsockname",
        "AF_UNIX",
        |stage| getsockname(stage, &common::pair(SOCK_STREAM).0),
        SOCKNAME,
    ),
    Scenario::new("socket_getsockname", "AF_PACKET", getsockname_packet, SOCKNAME_PACKET),
    Scenario::new(
        "socket_getpeername",
        "AF_INET",
        |stage| getpeername(stage, &common::connection().0),
        PEERNAME,
    ),
    Scenario::new(
        "socket_getpeername",
        "AF_UNIX",
        |stage| getpeername(stage, &common::pair(SOCK_STREAM).0),
        PEERNAME,
    ),
];

const UNABLE: &str = "socket_bind(): Unable to bind address";
const BIND: &[Rule] = &[on("bind", Both(UNABLE))];
const BIND_BY_NAME: &[Rule] =
    &[on("bind", Both(UNABLE)).nth(LAST), on(RESOLVER, Lookup("socket_bind(): Host lookup failed"))];
/// An interface that cannot be found is number 0, all of them, as in PHP.
const BIND_PACKET: &[Rule] = &[
    on("getsockname", Value("invalid AF_PACKET socket")),
    on("socket", Same),
    on("ioctl", Same),
    on("close", Same),
    on("bind", Both(UNABLE)),
];
const SOCKNAME: &[Rule] = &[on("getsockname", Both("socket_getsockname(): unable to retrieve socket name"))];
const SOCKNAME_PACKET: &[Rule] = &[
    on("getsockname", Both("socket_getsockname(): unable to retrieve socket name")),
    // The C library asks with a socket of another family then.
    on("socket", Same),
    on("ioctl", Value("invalid interface index")),
    on("close", Same),
];
const PEERNAME: &[Rule] = &[on("getpeername", Both("socket_getpeername(): unable to retrieve peer name"))];

/// As the number of a call: the last one of its name.
pub(crate) const LAST: usize = usize::MAX;

/// From here on the resolver asks `/etc/hosts` alone.
pub(super) fn files_only() {
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const libc::c_char, line: *const libc::c_char) -> libc::c_int;
    }
    // SAFETY: both are strings that end in a NUL and live for ever; no other thread looks names up.
    assert_eq!(unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files".as_ptr()) }, 0);
}

/// A socket of `AF_INET6` bound to a free port of `::1`, and the port.
pub(super) fn bound6(kind: i32) -> (Socket, u16) {
    let socket = socket_create(AF_INET6, kind, 0).expect("a socket");
    socket_bind(&socket, "::1", 0).expect("a free port");
    let port = socket_getsockname(&socket).expect("a name").port;
    (socket, port)
}

fn bind(stage: &Stage, family: i32, address: &str) {
    files_only();
    let socket = socket_create(family, SOCK_STREAM, 0).expect("a socket");
    let bound = stage.call(&socket, || socket_bind(&socket, address, 0));
    if bound.is_err() {
        let number = if family == AF_INET { "127.0.0.1" } else { "::1" };
        stage.keep("it can be bound again", socket_bind(&socket, number, 0).is_ok());
    }
    stage.value(socket_getsockname(&socket).expect("a name").address);
}

fn bind_unix(stage: &Stage) {
    let path = common::temporary::free_path();
    let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
    let bound = stage.call(&socket, || socket_bind(&socket, &*path, 0));
    stage.keep("a failure leaves no file", bound.is_ok() == std::fs::remove_file(&*path).is_ok());
}

fn bind_packet(stage: &Stage) {
    let socket = common::packet_socket(0);
    let _ = stage.call(&socket, || socket_bind(&socket, "lo", 0));
}

fn getsockname_packet(stage: &Stage) {
    let socket = common::packet_socket(0);
    socket_bind(&socket, "lo", 0).expect("the interface");
    getsockname(stage, &socket);
}

fn getsockname(stage: &Stage, socket: &Socket) {
    if let Ok(name) = stage.call(socket, || socket_getsockname(socket)) {
        stage.value((name.address, name.family));
    }
    stage.keep("the next one succeeds", socket_getsockname(socket).is_ok());
}

fn getpeername(stage: &Stage, socket: &Socket) {
    if let Ok(name) = stage.call(socket, || socket_getpeername(socket)) {
        stage.value((name.address, name.family));
    }
    stage.keep("the next one succeeds", socket_getpeername(socket).is_ok());
}
