use std::fs::File;
use std::os::fd::AsFd;

use php_sockets::*;

use super::Then::{Both, Lookup, Loud};
use super::bind::{LAST, files_only};
use super::transfer::{arrived, rest};
use super::{RESOLVER, Rule, Scenario, Short, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_sendmsg", "", send, SENDMSG).short(Short::Part),
    Scenario::new("socket_sendmsg", "SCM_RIGHTS", send_rights, SENDMSG).short(Short::Part),
    Scenario::new("socket_sendmsg", "a host name", send_by_name, BY_NAME),
    Scenario::new("socket_recvmsg", "", receive, RECVMSG).short(Short::Part),
    Scenario::new("socket_recvmsg", "SCM_RIGHTS", receive_rights, RECVMSG).short(Short::Part),
    Scenario::new("socket_recvmsg", "SCM_RIGHTS, MSG_CTRUNC", receive_too_many, RECVMSG).short(Short::Part),
    Scenario::new("socket_recvmsg", "MSG_TRUNC", receive_truncating, RECVMSG),
    Scenario::new(
        "socket_cmsg_space",
        "",
        |stage| stage.value(stage.plain(|| socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 3))),
        &[],
    ),
];

const UNABLE: &str = "socket_sendmsg(): Error in sendmsg";
const SENDMSG: &[Rule] = &[on("sendmsg", Both(UNABLE))];
const BY_NAME: &[Rule] =
    &[on("sendmsg", Both(UNABLE)).nth(LAST), on(RESOLVER, Lookup("socket_sendmsg(): Host lookup failed"))];
const RECVMSG: &[Rule] = &[on("recvmsg", Loud("socket_recvmsg(): Error in recvmsg"))];

fn send(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let iov = IoVec::from(["hello", " world"]);
    let message = Message::new().iov(&iov);
    let sent = stage.call(&here, || socket_sendmsg(&here, &message, 0));
    arrived(stage, &here, &there, sent);
}

fn send_rights(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let file = File::open("/dev/null").expect("a file");
    let (iov, rights) = (IoVec::from(["hello world"]), [file.as_fd()]);
    let control = [ControlMessage::Rights(&rights)];
    let message = Message::new().iov(&iov).control(&control);
    let sent = stage.call(&here, || socket_sendmsg(&here, &message, 0));
    let mut received = buffers(64);
    let count = match &sent {
        Ok(_) => socket_recvmsg(&there, &mut received, 0).expect("the message"),
        Err(_) => 0,
    };
    stage.value((&sent, received.take_rights().len()));
    let missing = &b"hello world"[count..];
    stage.keep("the rest can be sent", socket_write(&here, missing, None) == Ok(missing.len()));
    let data = received.iov().get(0).unwrap_or_default();
    stage.keep("every byte arrives once", [&data[..count], &rest(&there)].concat() == b"hello world");
}

fn send_by_name(stage: &Stage) {
    files_only();
    let (there, name) = common::bound(SOCK_DGRAM);
    let here = socket_create(AF_INET, SOCK_DGRAM, 0).expect("a socket");
    let iov = IoVec::from(["hello"]);
    let name = MessageName::inet("localhost", name.port);
    let message = Message::new().iov(&iov).name(&name);
    let sent = stage.call(&here, || socket_sendmsg(&here, &message, 0));
    stage.value(sent);
    stage.keep("it arrives once or never", rest(&there) == if sent.is_ok() { &b"hello"[..] } else { b"" });
}

/// Buffers for one element and for control messages.
fn buffers(control: usize) -> Received {
    let mut received = Received::new(socket_iovec_alloc(&[20]).expect("space"), control).expect("memory");
    socket_iovec_set(received.iov_mut(), 0, "old data, 20 bytes..").expect("an element");
    received
}

fn send_with_rights(there: &Socket, descriptors: usize) {
    let file = File::open("/dev/null").expect("a file");
    let (iov, rights) = (IoVec::from(["hello world"]), vec![file.as_fd(); descriptors]);
    let control = [ControlMessage::Rights(&rights)];
    let message = Message::new().iov(&iov).control(if descriptors == 0 { &[] } else { &control });
    socket_sendmsg(there, &message, 0).expect("space");
}

/// Either the message came, or all of it is still there and `message` is as it was. Its descriptors are closed with it.
fn received(stage: &Stage, here: &Socket, message: &mut Received, flags: i32) {
    let result = stage.call(here, || socket_recvmsg(here, message, flags));
    let data = message.iov().get(0).unwrap_or_default().to_vec();
    if let Ok(count) = result {
        let control: Vec<String> = message.control().map(|one| format!("{one:?}")).collect();
        stage.value((count, &data, control.len(), message.flags()));
        let again =
            if flags & MSG_TRUNC == 0 { rest(here) } else { data.get(count..).unwrap_or_default().to_vec() };
        stage.keep(
            "every byte is read once",
            flags & MSG_TRUNC != 0 || [data, again].concat() == b"hello world",
        );
    } else {
        stage.keep("a failure leaves the message alone", data == b"old data, 20 bytes..");
        stage.keep("no descriptor has come", message.take_rights().is_empty());
        let again = socket_recvmsg(here, message, 0);
        stage.keep("the message is still there", again == Ok(11));
        stage.keep("whole", message.iov().get(0) == Some(b"hello world"));
    }
}

fn receive(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    send_with_rights(&there, 0);
    received(stage, &here, &mut buffers(64), 0);
}

fn receive_rights(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    send_with_rights(&there, 3);
    let mut message = buffers(64);
    received(stage, &here, &mut message, 0);
    stage.keep("the descriptors have come", message.take_rights().len() == 3);
}

/// The kernel closes those that do not fit.
fn receive_too_many(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    send_with_rights(&there, 3);
    let mut message = buffers(24);
    received(stage, &here, &mut message, 0);
    stage.keep("the first two have come", message.take_rights().len() == 2);
}

fn receive_truncating(stage: &Stage) {
    let (here, there) = common::pair(SOCK_DGRAM);
    send_with_rights(&there, 0);
    received(stage, &here, &mut buffers(64), MSG_TRUNC);
}
