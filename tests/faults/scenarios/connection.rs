use php_sockets::*;

use super::Then::{Both, Lookup, Thread};
use super::bind::{LAST, bound6, files_only};
use super::{RESOLVER, Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "socket_listen",
        "",
        listen,
        &[on("listen", Both("socket_listen(): unable to listen on socket"))],
    ),
    Scenario::new(
        "socket_create_listen",
        "",
        create_listen,
        &[
            on("socket", Thread("socket_create_listen(): unable to create listening socket")),
            on("bind", Thread("socket_create_listen(): unable to bind to given address")),
            on("listen", Thread("socket_create_listen(): unable to listen on socket")),
        ],
    ),
    Scenario::new("socket_accept", "AF_INET", |stage| accept(stage, false), ACCEPT),
    Scenario::new("socket_accept", "AF_UNIX", accept_unix, ACCEPT),
    Scenario::new("socket_accept", "non-blocking", |stage| accept(stage, true), ACCEPT),
    Scenario::new("socket_connect", "AF_INET", |stage| connect(stage, "127.0.0.1"), CONNECT),
    Scenario::new("socket_connect", "AF_INET, a host name", |stage| connect(stage, "localhost"), BY_NAME),
    Scenario::new("socket_connect", "AF_INET6", |stage| connect6(stage, "::1"), CONNECT),
    Scenario::new("socket_connect", "AF_INET6, mapped", connect_mapped, BY_NAME),
    Scenario::new("socket_connect", "AF_UNIX", connect_unix, CONNECT),
    Scenario::new("socket_connect", "UDP", connect_udp, CONNECT),
    Scenario::new("socket_connect", "non-blocking", connect_without_waiting, CONNECT),
    Scenario::new(
        "socket_shutdown",
        "",
        shutdown,
        &[on("shutdown", Both("socket_shutdown(): Unable to shutdown socket"))],
    ),
];

const UNABLE: &str = "socket_connect(): unable to connect";
const ACCEPT: &[Rule] = &[on("accept4", Thread("socket_accept(): unable to accept incoming connection"))];
const CONNECT: &[Rule] = &[on("connect", Both(UNABLE))];
const BY_NAME: &[Rule] =
    &[on("connect", Both(UNABLE)).nth(LAST), on(RESOLVER, Lookup("socket_connect(): Host lookup failed"))];

fn listen(stage: &Stage) {
    let (socket, _) = common::bound(SOCK_STREAM);
    let listening = stage.call(&socket, || socket_listen(&socket, 5));
    if listening.is_err() {
        stage.keep("it can listen after all", socket_listen(&socket, 5).is_ok());
    }
}

fn create_listen(stage: &Stage) {
    let listener = stage.call(None, || socket_create_listen(0, 5));
    if let Ok(listener) = &listener {
        stage.value(socket_getsockname(listener).expect("a name").address);
    }
    stage.keep("the next one can be had", socket_create_listen(0, 5).is_ok());
}

/// A client in the queue is still there after a failure, and so is what it has sent.
fn accepted(stage: &Stage, listener: &Socket, client: &Socket) {
    socket_write(client, "hello", None).expect("space");
    let accepted = stage.call(listener, || socket_accept(listener));
    if let Ok(connection) = &accepted {
        // Only a failure leaves the connection in the queue.
        stage.value(format!(
            "family {}",
            if format!("{connection:?}").contains("family: 1,") { 1 } else { 2 }
        ));
    }
    let connection = accepted.or_else(|_| socket_accept(listener)).expect("the connection");
    stage.keep(
        "every byte is read once",
        socket_read(&connection, 9, PHP_BINARY_READ) == Ok(b"hello".to_vec()),
    );
}

fn accept(stage: &Stage, nonblocking: bool) {
    let (listener, port) = common::listener();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");
    if nonblocking {
        socket_set_nonblock(&listener).expect("non-blocking");
    }
    accepted(stage, &listener, &client);
}

fn accept_unix(stage: &Stage) {
    let path = common::temporary::free_path();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
    socket_bind(&listener, &*path, 0).expect("a free path");
    socket_listen(&listener, 5).expect("listening");
    let client = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
    socket_connect(&client, &*path, None).expect("a connection");
    accepted(stage, &listener, &client);
}

/// After a failure the same socket can connect: the fault was none of the kernel's.
fn connected(stage: &Stage, address: &str, number: &str, port: Option<u16>, family: i32, kind: i32) {
    let socket = socket_create(family, kind, 0).expect("a socket");
    if stage.call(&socket, || socket_connect(&socket, address, port)).is_err() {
        stage.keep("it can connect after all", socket_connect(&socket, number, port).is_ok());
    }
    stage.value(socket_getpeername(&socket).expect("a peer").address);
}

fn connect(stage: &Stage, address: &str) {
    files_only();
    let (_listener, port) = common::listener();
    connected(stage, address, "127.0.0.1", Some(port), AF_INET, SOCK_STREAM);
}

fn connect6(stage: &Stage, address: &str) {
    let (listener, port) = bound6(SOCK_STREAM);
    socket_listen(&listener, 5).expect("listening");
    connected(stage, address, "::1", Some(port), AF_INET6, SOCK_STREAM);
}

/// An IPv4 number on a socket of IPv6: the resolver maps it, and asks the kernel which addresses there are.
fn connect_mapped(stage: &Stage) {
    files_only();
    let (_listener, port) = common::listener();
    connected(stage, "127.0.0.1", "::ffff:127.0.0.1", Some(port), AF_INET6, SOCK_STREAM);
}

fn connect_unix(stage: &Stage) {
    let path = common::temporary::free_path();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
    socket_bind(&listener, &*path, 0).expect("a free path");
    socket_listen(&listener, 5).expect("listening");
    let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
    if stage.call(&socket, || socket_connect(&socket, &*path, None)).is_err() {
        stage.keep("it can connect after all", socket_connect(&socket, &*path, None).is_ok());
    }
    stage.keep("the connection arrives", socket_accept(&listener).is_ok());
}

fn connect_udp(stage: &Stage) {
    let (_there, name) = common::bound(SOCK_DGRAM);
    connected(stage, "127.0.0.1", "127.0.0.1", Some(name.port), AF_INET, SOCK_DGRAM);
}

/// EINPROGRESS, which is quiet, and in the end the connection.
fn connect_without_waiting(stage: &Stage) {
    let (listener, port) = common::listener();
    let socket = socket_create(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0).expect("a socket");
    let begun = stage.call(&socket, || socket_connect(&socket, "127.0.0.1", port));
    if begun.is_err_and(|error| error.code() != SOCKET_EINPROGRESS) {
        stage.keep(
            "it can connect after all",
            socket_connect(&socket, "127.0.0.1", port).is_err_and(|e| e.is_quiet()),
        );
    }
    // Where the code itself was injected nothing has begun.
    let _ = socket_connect(&socket, "127.0.0.1", port);
    let ready = socket_select(None, Some(&mut vec![&socket]), None, 5, 0);
    let error = socket_get_option(&socket, SOL_SOCKET, SO_ERROR).and_then(|value| value.int());
    stage
        .keep("the connection is made", ready == Ok(1) && error == Ok(0) && socket_accept(&listener).is_ok());
}

fn shutdown(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let shut = stage.call(&here, || socket_shutdown(&here, SHUT_WR));
    stage
        .keep("it writes exactly if it is not shut", socket_write(&here, "x", None).is_ok() == shut.is_err());
    stage.keep("the other direction is open", socket_write(&there, "hello", None) == Ok(5));
    stage.value(socket_read(&here, 9, PHP_BINARY_READ));
}
