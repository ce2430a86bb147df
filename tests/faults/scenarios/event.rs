//! `Event`, and what of `EventBase` does not wait.

use std::cell::Cell;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use super::Then::{Coded, Same, Unsaid};
use super::{Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "EventBase::new",
        "",
        new,
        &[on("epoll_create1", Coded("EventBase::__construct(): Unable to create event base"))],
    ),
    Scenario::new("EventBase::free", "", |stage| free(stage, false), &[on("close", Same)]),
    Scenario::new(
        "EventBase::free",
        "of a shared Socket",
        |stage| free(stage, true),
        &[on("epoll_ctl", Same)],
    ),
    Scenario::new("EventBase::re_init", "", |stage| re_init(stage, false), RE_INIT),
    Scenario::new("EventBase::re_init", "with a signal", |stage| re_init(stage, true), RE_INIT),
    Scenario::new(
        "EventBase::priority_init",
        "",
        |stage| {
            let base = base();
            stage.value(stage.call(None, || base.priority_init(3)));
        },
        &[],
    ),
    Scenario::new(
        "EventBase::get_method",
        "",
        |stage| {
            let base = base();
            stage.value(stage.plain(|| base.get_method()));
        },
        &[],
    ),
    Scenario::new(
        "Event::new",
        "",
        |stage| {
            let (base, (here, _there)) = (base(), common::pair(SOCK_STREAM));
            let event =
                stage.call(None, || Event::new(&base, here, Event::READ, |_, _, _| ())).expect("an event");
            stage.value(event.pending(Event::READ));
        },
        &[],
    ),
    Scenario::new(
        "Event::timer",
        "",
        |stage| {
            let base = base();
            drop(stage.plain(|| Event::timer(&base, |_| ())));
        },
        &[],
    ),
    Scenario::new(
        "Event::repeated_timer",
        "",
        |stage| {
            let base = base();
            drop(stage.plain(|| Event::repeated_timer(&base, |_| ())));
        },
        &[],
    ),
    Scenario::new(
        "Event::set",
        "",
        |stage| {
            let (base, (here, _there)) = (base(), common::pair(SOCK_STREAM));
            let mut event = Event::timer(&base, |_| ());
            stage.value(stage.call(None, || event.set(&base, here, Event::READ, |_, _, _| ())));
        },
        &[],
    ),
    Scenario::new(
        "Event::set_timer",
        "",
        |stage| {
            let base = base();
            let mut event = Event::timer(&base, |_| ());
            stage.value(stage.call(None, || event.set_timer(&base, |_| ())));
        },
        &[],
    ),
    Scenario::new(
        "Event::signal",
        "",
        |stage| {
            let base = base();
            let _ = stage.call(None, || Event::signal(&base, libc::SIGUSR1, |_, _| ())).expect("an event");
        },
        &[],
    ),
    Scenario::new("Event::add", "READ", add, ADD),
    Scenario::new("Event::add", "a second event", add_second, ADD_SECOND),
    Scenario::new("Event::add", "a time-out", add_timer, &[]),
    Scenario::new("Event::add", "SIGNAL", add_signal, ADD_SIGNAL),
    Scenario::new("Event::del", "READ", del, &[on("epoll_ctl", Same)]),
    Scenario::new("Event::del", "one of two", del_one_of_two, &[on("epoll_ctl", Same)]),
    Scenario::new("Event::del", "SIGNAL", del_signal, &[on("rt_sigaction", Same)]),
    Scenario::new("Event::drop", "", |stage| drop_event(stage, false), &[on("close", Same)]),
    Scenario::new(
        "Event::drop",
        "of a shared Socket",
        |stage| drop_event(stage, true),
        &[on("epoll_ctl", Same)],
    ),
    Scenario::new(
        "Event::pending",
        "",
        |stage| {
            let base = base();
            let event = Event::timer(&base, |_| ());
            stage.value(stage.plain(|| event.pending(Event::TIMEOUT)));
        },
        &[],
    ),
    Scenario::new(
        "Event::set_priority",
        "",
        |stage| {
            let base = base();
            base.priority_init(3).expect("priorities");
            let event = Event::timer(&base, |_| ());
            stage.value(stage.call(None, || event.set_priority(2)));
        },
        &[],
    ),
];

const UNABLE: &str = "Event::add(): Failed adding event";
/// After EEXIST it changes what the kernel has, which in truth has nothing.
const ADD: &[Rule] = &[
    on("epoll_ctl", Unsaid(UNABLE, Some(libc::ENOENT))).only(&[libc::EEXIST]),
    on("epoll_ctl", Unsaid(UNABLE, None)),
];
/// After ENOENT it adds what the kernel does not have, which in truth it has.
const ADD_SECOND: &[Rule] = &[
    on("epoll_ctl", Unsaid(UNABLE, Some(libc::EEXIST))).only(&[libc::ENOENT]),
    on("epoll_ctl", Same).only(&[libc::EEXIST]),
    on("epoll_ctl", Unsaid(UNABLE, None)),
];
const ADD_SIGNAL: &[Rule] = &[
    on("eventfd2", Unsaid(UNABLE, None)),
    on("epoll_ctl", Unsaid(UNABLE, None)),
    // The base has its eventfd now, for the next signal.
    on("rt_sigaction", Unsaid(UNABLE, None)).holding(1),
];
/// A watched descriptor that the kernel does not know is closed: that of another event goes on.
const RE_INIT: &[Rule] = &[
    on("epoll_ctl", Same).nth(1).only(&[libc::EBADF]),
    on("epoll_create1", Coded("EventBase::reInit(): Unable to reinitialize event base")),
    on("epoll_ctl", Coded("EventBase::reInit(): Unable to reinitialize event base")),
    on("eventfd2", Coded("EventBase::reInit(): Unable to reinitialize event base")),
    on("write", Same),
    on("close", Same),
];

pub(super) fn base() -> EventBase {
    EventBase::new().expect("a base")
}

/// An event that counts its calls.
fn counting(base: &EventBase, fd: impl AsFd + 'static, what: i32) -> (Event, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    let event = Event::new(base, fd, what, move |_, _, _| counter.set(counter.get() + 1));
    (event.expect("an event"), count)
}

/// An event that counts its calls; `there` has sent something.
pub(super) fn ready(base: &EventBase, what: i32) -> (Event, Rc<Cell<u32>>, Socket) {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "x", None).expect("space");
    let (event, count) = counting(base, here, what);
    (event, count, there)
}

/// The same, of a socket that stays open when the event goes, if `shared`.
fn ready_and(base: &EventBase, shared: bool) -> (Event, Rc<Cell<u32>>, Vec<Rc<Socket>>) {
    let what = Event::READ | Event::PERSIST;
    if !shared {
        let (event, count, there) = ready(base, what);
        return (event, count, vec![Rc::new(there)]);
    }
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "x", None).expect("space");
    let here = Rc::new(here);
    let (event, count) = counting(base, Rc::clone(&here), what);
    (event, count, vec![here, Rc::new(there)])
}

/// The base waits without using the processor, whatever the kernel still looks for.
fn waits(stage: &Stage, base: &EventBase) {
    base.exit(Duration::from_millis(200));
    let before = processor_time();
    base.dispatch().expect("a loop");
    stage.keep("the loop waits", processor_time().saturating_sub(before) < Duration::from_millis(10));
}

fn new(stage: &Stage) {
    let made = stage.call(None, EventBase::new);
    let base = made.unwrap_or_else(|_| base());
    goes_on(stage, &base);
}

/// The base does its work: a new event is told once.
pub(super) fn goes_on(stage: &Stage, base: &EventBase) {
    let (event, count, _there) = ready(base, Event::READ);
    stage.keep("an event can be added", event.add(None).is_ok());
    let ran = base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK);
    stage.keep("the base goes on", ran.is_ok() && count.get() == 1);
}

fn free(stage: &Stage, shared: bool) {
    let base = base();
    let (event, count, _open) = ready_and(&base, shared);
    event.add(None).expect("added");
    stage.plain(|| base.free());
    stage.keep("nothing is pending", !event.pending(Event::READ));
    let ran = base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK);
    stage.keep("and nothing is told", ran.is_ok() && count.get() == 0);
    waits(stage, &base);
    goes_on(stage, &base);
}

fn re_init(stage: &Stage, with_signal: bool) {
    let base = base();
    let (event, count, _there) = ready(&base, Event::READ | Event::PERSIST);
    event.add(None).expect("added");
    let signals = Rc::new(Cell::new(0));
    let counter = Rc::clone(&signals);
    let signal =
        Event::signal(&base, libc::SIGUSR1, move |_, _| counter.set(counter.get() + 1)).expect("an event");
    if with_signal {
        signal.add(None).expect("added");
    }
    let renewed = stage.call(None, || base.re_init());
    if with_signal {
        // SAFETY: the call takes a number; the signal has a handler.
        unsafe { libc::raise(libc::SIGUSR1) };
    }
    let ran = base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK);
    stage.keep("the signal is told once", signals.get() == u32::from(with_signal));
    stage.keep(
        "the old events are told after a failure",
        ran.is_ok() && (renewed.is_ok() || count.get() == 1),
    );
    goes_on(stage, &base);
}

fn add(stage: &Stage) {
    let base = base();
    let (event, count, _there) = ready(&base, Event::READ);
    let added = stage.call(None, || event.add(None));
    stage.keep("it is pending exactly if it was added", event.pending(Event::READ) == added.is_ok());
    if added.is_err() {
        stage.keep("it can be added after all", event.add(None).is_ok());
    }
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.keep("it is told once", count.get() == 1);
    goes_on(stage, &base);
}

/// The kernel watches a descriptor once: for the second event it is told to look for more.
fn add_second(stage: &Stage) {
    let (base, (here, _there)) = (base(), common::pair(SOCK_STREAM));
    let here = Rc::new(here);
    let counts = Rc::new(Cell::new((0, 0)));
    let (reads, writes) = (Rc::clone(&counts), Rc::clone(&counts));
    let read = Event::new(&base, Rc::clone(&here), Event::READ, move |_, _, _| {
        reads.set((reads.get().0 + 1, reads.get().1));
    });
    let read = read.expect("an event");
    let write = Event::new(&base, Rc::clone(&here), Event::WRITE, move |_, _, _| {
        writes.set((writes.get().0, writes.get().1 + 1));
    });
    let write = write.expect("an event");
    read.add(None).expect("added");
    let added = stage.call(None, || write.add(None));
    stage.keep("the first is still pending", read.pending(Event::READ));
    if added.is_err() {
        stage.keep("it can be added after all", write.add(None).is_ok());
    }
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.value(counts.get());
    stage.keep("it is told once, the first not at all", counts.get() == (0, 1));
}

fn add_timer(stage: &Stage) {
    let base = base();
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    let event = Event::timer(&base, move |_| counter.set(counter.get() + 1));
    stage.call(None, || event.add(Duration::ZERO)).expect("added");
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.keep("it is told once", count.get() == 1);
}

fn add_signal(stage: &Stage) {
    let base = base();
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    let event =
        Event::signal(&base, libc::SIGUSR1, move |_, _| counter.set(counter.get() + 1)).expect("an event");
    let added = stage.call(None, || event.add(None));
    stage.keep("it is pending exactly if it was added", event.pending(Event::SIGNAL) == added.is_ok());
    if added.is_err() {
        stage.keep("it can be added after all", event.add(None).is_ok());
    }
    // SAFETY: the call takes a number; the signal has a handler.
    unsafe { libc::raise(libc::SIGUSR1) };
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.keep("it is told once", count.get() == 1);
}

fn del(stage: &Stage) {
    let base = base();
    let (event, count, _there) = ready(&base, Event::READ | Event::PERSIST);
    event.add(None).expect("added");
    stage.plain(|| event.del());
    stage.keep("it is not pending", !event.pending(Event::READ));
    goes_on(stage, &base);
    stage.keep("it is not told", count.get() == 0);
    event.add(None).expect("added again");
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.keep("it is told once it is added again", count.get() == 1);
}

/// The other one stays, and this one is not told, although the kernel may go on to look for it.
fn del_one_of_two(stage: &Stage) {
    let (base, (here, there)) = (base(), common::pair(SOCK_STREAM));
    socket_write(&there, "x", None).expect("space");
    let here = Rc::new(here);
    let counts = Rc::new(Cell::new((0, 0)));
    let (reads, writes) = (Rc::clone(&counts), Rc::clone(&counts));
    let read = Event::new(&base, Rc::clone(&here), Event::READ | Event::PERSIST, move |_, _, _| {
        reads.set((reads.get().0 + 1, reads.get().1));
    });
    let write = Event::new(&base, Rc::clone(&here), Event::WRITE, move |_, _, _| {
        writes.set((writes.get().0, writes.get().1 + 1));
    });
    let (read, write) = (read.expect("an event"), write.expect("an event"));
    read.add(None).expect("added");
    write.add(None).expect("added");
    stage.plain(|| write.del());
    stage.keep("it is not pending", !write.pending(Event::WRITE));
    base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).expect("a turn");
    stage.keep("the other one alone is told", counts.get() == (1, 0));
    socket_read(&here, 1, PHP_BINARY_READ).expect("the byte");
    waits(stage, &base);
    goes_on(stage, &base);
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call, which writes it.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("less than a second"))
}

fn del_signal(stage: &Stage) {
    let base = base();
    let event = Event::signal(&base, libc::SIGURG, |_, _| ()).expect("an event");
    event.add(None).expect("added");
    stage.plain(|| event.del());
    stage.keep("it is not pending", !event.pending(Event::SIGNAL));
    // SAFETY: the call takes a number; the signal is ignored by default, and our handler, were it left, has no base.
    unsafe { libc::raise(libc::SIGURG) };
    goes_on(stage, &base);
}

fn drop_event(stage: &Stage, shared: bool) {
    let base = base();
    let (event, count, _open) = ready_and(&base, shared);
    event.add(None).expect("added");
    stage.plain(|| drop(event));
    waits(stage, &base);
    goes_on(stage, &base);
    stage.keep("it is not told", count.get() == 0);
}
