//! The errors of events, as cases of `errors.rs`. PHP's extension is not here to be asked.

use std::cell::RefCell;
use std::rc::Rc;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::common;
use crate::errors::{Ours, Outcome, Unremembered, cases};

fn base() -> EventBase {
    EventBase::new().unwrap()
}

#[cfg(target_arch = "x86_64")]
const WAIT: libc::c_long = libc::SYS_epoll_wait;
#[cfg(not(target_arch = "x86_64"))]
const WAIT: libc::c_long = libc::SYS_epoll_pwait;

cases! {
    base_without_a_descriptor: Unremembered(
        SOCKET_EMFILE, "EventBase::__construct(): Unable to create event base [24]: Too many open files"
    ) => || common::failing(libc::SYS_epoll_create1, SOCKET_EMFILE, || Outcome::of(EventBase::new()));
    reinit_without_a_descriptor: Unremembered(
        SOCKET_EMFILE, "EventBase::reInit(): Unable to reinitialize event base [24]: Too many open files"
    ) => || {
        common::failing_later(libc::SYS_epoll_create1, SOCKET_EMFILE, base, |base| Outcome::of(base.re_init()))
    };
    loop_that_cannot_wait: Unremembered(
        SOCKET_EBADF, "EventBase::loop(): Unable to wait for events [9]: Bad file descriptor"
    ) => || common::failing(WAIT, SOCKET_EBADF, || {
        let base = base();
        base.exit(None);
        Outcome::of(base.run(0))
    });
    loop_in_a_loop: Ours(
        ErrorKind::Warning,
        "EventBase::loop(): event_base_loop: reentrant invocation.  Only one event_base_loop can run on each event_base at once."
    ) => || {
        let base = base();
        let result = Rc::new(RefCell::new(Ok(())));
        let inner = Rc::clone(&result);
        let timer = Event::timer(&base, move |base| *inner.borrow_mut() = base.run(0));
        timer.add(std::time::Duration::ZERO).unwrap();
        base.dispatch().unwrap();
        let result = *result.borrow();
        Outcome::of(result)
    };
    no_such_number_of_priorities: Ours(
        ErrorKind::Silent, "EventBase::priorityInit(): Unable to set priorities"
    ) => || Outcome::of(base().priority_init(0));
    mask_of_unknown_bits: Ours(ErrorKind::Warning, "Event::__construct(): Invalid mask") =>
        || Outcome::of(Event::new(&base(), std::io::stdin(), 64, |_, _, _| {}));
    signal_of_no_number: Ours(ErrorKind::Warning, "Event::signal(): Invalid signal passed") =>
        || Outcome::of(Event::signal(&base(), 65, |_, _| {}));
    signal_of_a_fault: Ours(ErrorKind::Warning, "Event::signal(): Invalid signal passed") =>
        || Outcome::of(Event::signal(&base(), 11, |_, _| {}));
    signal_that_nobody_catches: Unremembered(
        SOCKET_EINVAL, "Event::add(): Failed adding event"
    ) => || {
        let base = base();
        Outcome::of(Event::signal(&base, 9, |_, _| {}).unwrap().add(None))
    };
    signal_of_another_base: Unremembered(SOCKET_EBUSY, "Event::add(): Failed adding event") => || {
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _alone = ALONE.lock();
        let (one, other) = (base(), base());
        let first = Event::signal(&one, 50, |_, _| {}).unwrap();
        first.add(None).unwrap();
        Outcome::of(Event::signal(&other, 50, |_, _| {}).unwrap().add(None))
    };
    event_of_a_base_that_is_gone: Ours(
        ErrorKind::Warning, "Event::add(): Failed adding event: Event object is malformed or freed"
    ) => || {
        let event = Event::timer(&base(), |_| {});
        Outcome::of(event.add(None))
    };
    event_on_a_file: Unremembered(SOCKET_EPERM, "Event::add(): Failed adding event") => || {
        let base = base();
        let file = std::fs::File::open(common::root().join("Cargo.toml")).unwrap();
        Outcome::of(Event::new(&base, file, Event::READ, |_, _, _| {}).unwrap().add(None))
    };
    priority_that_there_is_not: Ours(ErrorKind::Warning, "Event::setPriority(): Unable to set event priority: 7") =>
        || Outcome::of(Event::timer(&base(), |_| {}).set_priority(7));
    mask_of_unknown_bits_for_set: Ours(ErrorKind::Warning, "Event::set(): Invalid events mask") =>
        || Outcome::of(Event::timer(&base(), |_| {}).set(&base(), std::io::stdin(), 64, |_, _, _| {}));
    pending_event_that_is_set: Ours(ErrorKind::Warning, "Event::set(): Can't modify pending event") => || {
        let base = base();
        let mut event = Event::timer(&base, |_| {});
        event.add(std::time::Duration::from_secs(60)).unwrap();
        Outcome::of(event.set(&base, std::io::stdin(), 0, |_, _, _| {}))
    };
    pending_timer_that_is_set: Ours(ErrorKind::Warning, "Event::setTimer(): Can't modify pending timer") => || {
        let base = base();
        let mut event = Event::timer(&base, |_| {});
        event.add(std::time::Duration::from_secs(60)).unwrap();
        Outcome::of(event.set_timer(&base, |_| {}))
    };
}
