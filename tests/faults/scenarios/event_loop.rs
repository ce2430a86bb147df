//! `EventBase` while it waits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use super::Then::{Coded, Or, Same};
use super::event::{base, goes_on, ready};
use super::{Rule, Scenario, on};
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("EventBase::run", "READ", |stage| run(stage, EventBase::LOOP_ONCE), WAIT_ONCE),
    Scenario::new(
        "EventBase::run",
        "LOOP_NONBLOCK",
        |stage| run(stage, EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK),
        LOOK,
    ),
    Scenario::new("EventBase::run", "a timer", run_timer, WAIT),
    Scenario::new("EventBase::run", "a signal", run_signal, WAIT_FOR_SIGNAL),
    Scenario::new("EventBase::run", "a descriptor closed elsewhere", run_stale, STALE),
    Scenario::new("EventBase::dispatch", "", dispatch, WAIT_ONCE),
    Scenario::new("EventBase::exit", "", |stage| end(stage, |base| base.exit(None)), WAIT),
    Scenario::new(
        "EventBase::exit",
        "in a while",
        |stage| end(stage, |base| base.exit(Duration::from_millis(1))),
        WAIT,
    ),
    Scenario::new("EventBase::stop", "", |stage| end(stage, EventBase::stop), WAIT),
    Scenario::new("EventBase::got_exit", "", |stage| tell(stage, EventBase::got_exit), &[]),
    Scenario::new("EventBase::got_stop", "", |stage| tell(stage, EventBase::got_stop), &[]),
    Scenario::new("EventBase::resume", "", |stage| tell(stage, EventBase::resume), &[]),
    Scenario::new(
        "EventBase::get_time_of_day_cached",
        "",
        |stage| {
            tell(stage, |base| base.get_time_of_day_cached() > 0.0);
        },
        &[],
    ),
    Scenario::new("EventBase::update_cache_time", "", |stage| tell(stage, EventBase::update_cache_time), &[]),
];

const UNABLE: &str = "EventBase::loop(): Unable to wait for events";
/// A signal is no reason to come back.
const WAIT: &[Rule] = &[on("epoll_wait", Same).only(&[libc::EINTR]), on("epoll_wait", Coded(UNABLE))];
/// The same, and an event that is over is taken out.
const WAIT_ONCE: &[Rule] =
    &[on("epoll_wait", Same).only(&[libc::EINTR]), on("epoll_wait", Coded(UNABLE)), on("epoll_ctl", Same)];
/// A loop that is not to wait returns all the same.
const LOOK: &[Rule] =
    &[on("epoll_wait", Or("0")).only(&[libc::EINTR]), on("epoll_wait", Coded(UNABLE)), on("epoll_ctl", Same)];
const WAIT_FOR_SIGNAL: &[Rule] =
    &[on("epoll_wait", Same).only(&[libc::EINTR]), on("epoll_wait", Coded(UNABLE)), on("read", Same)];
/// It makes itself a new epoll descriptor; where it may not, it goes on with the old one.
const STALE: &[Rule] = &[
    on("epoll_wait", Same).only(&[libc::EINTR]),
    on("epoll_wait", Coded(UNABLE)),
    on("epoll_create1", Same),
    on("epoll_ctl", Same),
    on("close", Same),
];

fn run(stage: &Stage, flags: i32) {
    let base = base();
    let (event, count, _there) = ready(&base, Event::READ);
    event.add(None).expect("added");
    let ran = stage.call(None, || base.run(flags));
    stage.value(count.get());
    if ran.is_err() {
        stage.keep("nothing was told", count.get() == 0);
    }
    let again = base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK);
    stage.keep("it is told once", again.is_ok() && count.get() == 1);
    goes_on(stage, &base);
}

fn run_timer(stage: &Stage) {
    let base = base();
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    let event = Event::timer(&base, move |_| counter.set(counter.get() + 1));
    event.add(Duration::from_millis(20)).expect("added");
    let _ = stage.call(None, || base.run(EventBase::LOOP_ONCE));
    stage.value(count.get());
    let again = base.dispatch();
    stage.keep("it is told once", again.is_ok() && count.get() == 1);
}

fn run_signal(stage: &Stage) {
    let base = base();
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    let event =
        Event::signal(&base, libc::SIGUSR1, move |_, _| counter.set(counter.get() + 1)).expect("an event");
    event.add(None).expect("added");
    // SAFETY: the call takes a number; the signal has a handler.
    unsafe { libc::raise(libc::SIGUSR1) };
    let _ = stage.call(None, || base.run(EventBase::LOOP_ONCE));
    stage.value(count.get());
    let again = base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK);
    stage.keep("it is told once", again.is_ok() && count.get() == 1);
    goes_on(stage, &base);
}

/// Its number was closed while a copy of the file is open: the kernel speaks of it for ever.
fn run_stale(stage: &Stage) {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
    struct Borrowed(i32);
    impl AsFd for Borrowed {
        fn as_fd(&self) -> BorrowedFd<'_> {
            // SAFETY: it is asked once, while the descriptor is open.
            unsafe { BorrowedFd::borrow_raw(self.0) }
        }
    }
    let base = base();
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&there, "x", None).expect("space");
    let copy = here.as_fd().try_clone_to_owned().expect("a copy");
    let told = Rc::new(Cell::new(0));
    let counter = Rc::clone(&told);
    let gone = Event::new(&base, Borrowed(here.as_raw_fd()), Event::READ, move |_, _, _| {
        counter.set(counter.get() + 1);
    });
    let gone = gone.expect("an event");
    gone.add(None).expect("added");
    drop(here);
    drop(gone);
    let (event, count, _there) = ready(&base, Event::READ | Event::PERSIST);
    event.add(None).expect("added");
    // The first turn hears of the descriptor, the second is rid of it.
    base.run(EventBase::LOOP_ONCE).expect("a turn");
    let ran = stage.call(None, || base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK));
    stage.value(told.get());
    stage.keep("the next turn succeeds", base.run(EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK).is_ok());
    if ran.is_err() {
        stage.keep("the other one is told in each turn that succeeds", count.get() == 2);
    }
    goes_on(stage, &base);
    drop(copy);
}

/// It comes back when no event is pending any more.
fn dispatch(stage: &Stage) {
    let base = base();
    let (event, count, _there) = ready(&base, Event::READ);
    event.add(None).expect("added");
    let _ = stage.call(None, || base.dispatch());
    stage.value(count.get());
    let again = base.dispatch();
    stage.keep("it is told once", again.is_ok() && count.get() == 1);
    goes_on(stage, &base);
}

/// Comes back although an event is pending that nothing happens to.
fn end(stage: &Stage, ask: fn(&EventBase)) {
    let (base, (here, _there)) = (base(), common::pair(SOCK_STREAM));
    let quiet = Event::new(&base, here, Event::READ, |_, _, _| ()).expect("an event");
    quiet.add(None).expect("added");
    let timer = Event::timer(&base, ask);
    timer.add(Duration::from_millis(1)).expect("added");
    let ran = stage.call(None, || base.dispatch());
    stage.value((base.got_exit(), base.got_stop()));
    if ran.is_err() {
        stage.keep("the next loop comes back", base.dispatch().is_ok());
    }
    stage.keep("the event is still pending", quiet.pending(Event::READ));
    goes_on(stage, &base);
}

fn tell<T: std::fmt::Debug>(stage: &Stage, ask: fn(&EventBase) -> T) {
    let base = base();
    stage.value(stage.plain(|| ask(&base)));
    goes_on(stage, &base);
}
