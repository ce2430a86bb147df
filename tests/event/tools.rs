//! The reports of strace and valgrind on a small program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::Event;
use php_sockets::*;

use crate::base;
use crate::common::{self, Strace};

const ROUNDS: &str = "PHP_SOCKETS_TEST_ROUNDS";

/// The small program, which this file starts; among the other tests it plays one round.
#[test]
fn scenario() {
    let rounds = std::env::var(ROUNDS).ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let base = base();
    let kept: Rc<RefCell<Vec<Event>>> = Rc::default();
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "x", None).unwrap();
    let (inner, mut left) = (Rc::clone(&kept), rounds);
    let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |base, socket, _| {
        socket_read(socket, 10, PHP_BINARY_READ).unwrap();
        left -= 1;
        if left == 0 {
            base.exit(None);
        } else {
            socket_write(&there, "x", None).unwrap();
        }
        assert_eq!(inner.borrow().len(), 2);
    })
    .unwrap();
    event.add(Duration::from_secs(60)).unwrap();
    let signal = Event::signal(&base, 51, |_, _| ()).unwrap();
    signal.add(None).unwrap();
    kept.borrow_mut().extend([event, signal]);

    base.dispatch().unwrap();
}

fn under(tool: &[&str], rounds: &str) {
    let mut command = common::limited(tool[0]);
    command.args(&tool[1..]).arg(std::env::current_exe().unwrap());
    common::printed(command.args(["--exact", "tools::scenario"]).env(ROUNDS, rounds));
}

#[test]
fn an_event_costs_one_system_call_beside_those_of_its_callback() {
    let calls = |rounds: &str| {
        let strace = Strace::counting();
        under(&strace.words(), rounds);
        strace.counts()
    };
    let count = |calls: &BTreeMap<String, u64>, name: &str| -> u64 {
        calls.iter().filter(|(other, _)| other.starts_with(name)).map(|(_, count)| count).sum()
    };

    let (few, many) = (calls("1"), calls("1001"));

    assert_eq!(count(&many, "epoll_create"), 1);
    assert_eq!(count(&many, "eventfd"), 1);
    assert_eq!(count(&many, "epoll_ctl"), 2, "one for the socket, one for the signals");
    for (name, per_round) in [("epoll_wait", 1), ("recv", 1), ("epoll_ctl", 0), ("timer", 0)] {
        assert_eq!(count(&many, name) - count(&few, name), per_round * 1000, "{name}: {many:?}");
    }
}

#[test]
fn valgrind_finds_no_lost_byte() {
    let kinds = "--errors-for-leak-kinds=definite,indirect";
    under(&["valgrind", "-q", "--leak-check=full", kinds, "--error-exitcode=9"], "50");
}
