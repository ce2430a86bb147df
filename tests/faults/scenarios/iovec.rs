use php_sockets::*;

use super::Then::Both;
use super::transfer::{arrived, rest};
use super::{Scenario, Short, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "socket_iovec_alloc",
        "",
        |stage| {
            stage.value(stage.plain(|| socket_iovec_alloc(&[3, 4])));
        },
        &[],
    ),
    Scenario::new(
        "socket_iovec_add",
        "",
        |stage| {
            let mut iovec = socket_iovec_alloc(&[3]).expect("memory");
            stage.plain(|| socket_iovec_add(&mut iovec, 4)).expect("memory");
            stage.value(iovec);
        },
        &[],
    ),
    Scenario::new(
        "socket_iovec_set",
        "",
        |stage| {
            let mut iovec = socket_iovec_alloc(&[3]).expect("memory");
            stage.plain(|| socket_iovec_set(&mut iovec, 0, "longer")).expect("memory");
            stage.value(iovec);
        },
        &[],
    ),
    Scenario::new(
        "socket_iovec_fetch",
        "",
        |stage| {
            let iovec = IoVec::from(["one", "two"]);
            stage.value(stage.plain(|| socket_iovec_fetch(&iovec, 1)));
        },
        &[],
    ),
    Scenario::new(
        "socket_iovec_delete",
        "",
        |stage| {
            let mut iovec = IoVec::from(["one", "two"]);
            stage.plain(|| socket_iovec_delete(&mut iovec, 0)).expect("an element");
            stage.value(iovec);
        },
        &[],
    ),
    Scenario::new(
        "socket_iovec_free",
        "",
        |stage| {
            let iovec = IoVec::from(["one", "two"]);
            stage.plain(|| socket_iovec_free(iovec));
        },
        &[],
    ),
    Scenario::new(
        "socket_readv",
        "",
        readv,
        &[on("readv", Both("socket_readv(): unable to read from socket"))],
    )
    .short(Short::Part),
    Scenario::new(
        "socket_writev",
        "",
        writev,
        &[on("writev", Both("socket_writev(): Unable to write to socket"))],
    )
    .short(Short::Part),
];

fn readv(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "hello world", None).expect("space");
    let mut iovec = socket_iovec_alloc(&[4, 4, 4]).expect("memory");
    socket_iovec_set(&mut iovec, 0, "old!").expect("an element");
    let read = stage.call(&here, || socket_readv(&here, &mut iovec));
    let data: Vec<&[u8]> = iovec.iter().collect();
    if let Ok(count) = read {
        stage.value((count, &data));
        stage.keep("the count is that of the data", data.concat().len() == count);
        stage.keep("every byte is read once", [data.concat(), rest(&here)].concat() == b"hello world");
    } else {
        stage.keep("a failure leaves the elements alone", data.concat() == b"old!");
        stage.keep("every byte is still there", rest(&here) == b"hello world");
    }
}

fn writev(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let iovec = IoVec::from(["hello", " ", "world"]);
    let written = stage.call(&here, || socket_writev(&here, &iovec));
    arrived(stage, &here, &there, written);
}
