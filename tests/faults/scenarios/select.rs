use std::collections::BTreeMap;

use php_sockets::*;

use super::Then::Loud;
use super::{Rule, Scenario, on};
use crate::common;
use crate::stage::{Helper, Stage};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_select", "something is ready", |stage| select(stage, Some(5), true), SELECT),
    Scenario::new("socket_select", "the time runs out", |stage| select(stage, Some(0), false), SELECT),
    Scenario::new("socket_select", "until something comes", wait, SELECT),
];

const SELECT: &[Rule] = &[on("select", Loud("socket_select(): Unable to select"))];

fn select(stage: &Stage, seconds: Option<i64>, ready: bool) {
    let (here, there) = common::pair(SOCK_STREAM);
    if ready {
        socket_write(&there, "x", None).expect("space");
    }
    let mut read: BTreeMap<&str, &Socket> = BTreeMap::from([("here", &here), ("there", &there)]);
    let mut write = vec![&here];
    let mut write = if ready { Some(&mut write as &mut dyn SocketArray) } else { None };
    let count = stage.call(None, || socket_select(Some(&mut read), write.take(), None, seconds, 0));
    let keys: Vec<&&str> = read.keys().collect();
    stage.value((&count, &keys));
    stage.keep("a failure leaves the array alone", count.is_ok() || read.len() == 2);
}

fn wait(stage: &Stage) {
    let (here, there) = common::pair(SOCK_STREAM);
    let helper = Helper::when_waiting(WAITS, move || {
        socket_write(&there, "x", None).expect("space");
        there
    });
    let mut read = vec![&here];
    let count = stage.call(None, || socket_select(Some(&mut read), None, None, None, 0));
    drop(helper);
    stage.value(count);
    stage.keep("a failure leaves the array alone", read.len() == 1);
}

#[cfg(target_arch = "x86_64")]
const WAITS: &[libc::c_long] = &[libc::SYS_select, libc::SYS_pselect6];
#[cfg(not(target_arch = "x86_64"))]
const WAITS: &[libc::c_long] = &[libc::SYS_pselect6];
