use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use php_sockets::*;

use super::Then::{Plain, Same, Thread};
use super::transfer::rest;
use super::{Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_import_stream", "TCP", import, IMPORT),
    Scenario::new("socket_import_stream", "a file", import_file, IMPORT_FILE),
    Scenario::new("socket_export_stream", "", export, &[]),
    Scenario::new("Socket::from", "OwnedFd", from_descriptor, &[on("getsockopt", Same), on("fcntl", Same)]),
];

/// Without `SO_DOMAIN` its name tells the family.
const IMPORT: &[Rule] = &[
    on("getsockopt", Same),
    on("fcntl", Thread("socket_import_stream(): Unable to obtain blocking state")).holding(-1),
    on("close", Same),
];
const IMPORT_FILE: &[Rule] = &[
    on("getsockopt", Same),
    on(
        "getsockname",
        Plain("socket_import_stream(): Cannot represent a stream of type STDIO as a Socket Descriptor"),
    )
    .only(&[libc::ENOTSOCK]),
    on("getsockname", Thread("socket_import_stream(): Unable to obtain socket family")),
    on("close", Same),
];

fn import(stage: &Stage) {
    let (listener, port) = common::listener();
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let there = socket_accept(&listener).expect("the connection");
    socket_write(&there, "hello\nworld\n", None).expect("space");
    let Ok(here) = stage.call(None, || socket_import_stream(stream)) else {
        stage.keep("the stream is closed", rest(&there).is_empty());
        return;
    };
    let address = socket_getpeername(&here).expect("a peer").address;
    let line = socket_read(&here, 100, PHP_NORMAL_READ).expect("a line");
    stage.value((address, &line));
    stage.keep("every byte is read once", [line, rest(&here)].concat() == b"hello\nworld\n");
}

fn import_file(stage: &Stage) {
    let file = File::open("/dev/null").expect("a file");
    let imported = stage.call(None, || socket_import_stream(file));
    stage.keep("it is refused", imported.is_err());
}

fn export(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "hello", None).expect("space");
    let mut stream: UnixStream = stage.plain(|| socket_export_stream(here));
    socket_close(there);
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    stage.value(text);
}

/// Facts that the kernel does not tell are taken for unknown: bytes come all the same, and so do lines.
fn from_descriptor(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "hello\nworld\n", None).expect("space");
    let fd = OwnedFd::from(here);
    let here = stage.plain(|| Socket::from(fd));
    let line = socket_read(&here, 100, PHP_NORMAL_READ).expect("a line");
    stage.value(&line);
    stage.keep("every byte is read once", [line, rest(&here)].concat() == b"hello\nworld\n");
}
