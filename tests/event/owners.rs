//! Owners of a descriptor that safe code may pass, and what the loop makes of them.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{Log, POLL, base, common, noting, taken};

const WHAT: i32 = Event::READ | Event::PERSIST;

/// Two sockets, of which it gives one after the other.
struct Fickle {
    sockets: [Socket; 2],
    asked: Cell<usize>,
}

impl AsFd for Fickle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.sockets[self.asked.replace(self.asked.get() + 1) % 2].as_fd()
    }
}

/// A socket that panics where it is asked to.
struct Panics {
    socket: Socket,
    in_as_fd: bool,
    in_drop: bool,
}

impl AsFd for Panics {
    fn as_fd(&self) -> BorrowedFd<'_> {
        assert!(!self.in_as_fd, "on purpose");
        self.socket.as_fd()
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(!self.in_drop || std::thread::panicking(), "on purpose");
    }
}

fn panics(in_as_fd: bool, in_drop: bool) -> (Panics, Socket) {
    let (socket, there) = common::pair(SOCK_STREAM);
    (Panics { socket, in_as_fd, in_drop }, there)
}

/// The base still calls, and has nothing else to do.
fn goes_on(base: &EventBase) {
    let log = Log::default();
    let timer = noting(base, &log, "goes on");
    timer.add(std::time::Duration::ZERO).unwrap();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "goes on");
}

#[test]
fn an_owner_is_asked_for_its_descriptor_once() {
    let (base, log) = (base(), Log::default());
    let ((first, at_first), (second, at_second)) = (common::pair(SOCK_STREAM), common::pair(SOCK_STREAM));
    let owner = Rc::new(Fickle { sockets: [first, second], asked: Cell::new(0) });
    let noted = Rc::clone(&log);
    let event = Event::new(&base, Rc::clone(&owner), WHAT, move |_, owner, _| {
        let text = socket_read(&owner.sockets[0], 10, PHP_BINARY_READ).unwrap();
        noted.borrow_mut().push(String::from_utf8(text).unwrap());
    })
    .unwrap();
    event.add(None).unwrap();
    socket_write(&at_second, "second", None).unwrap();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "");

    for _ in 0..2 {
        event.del();
        event.add(None).unwrap();
        socket_write(&at_first, "first", None).unwrap();
        base.run(POLL).unwrap();
        assert_eq!(taken(&log), "first");
    }

    drop(event);
    goes_on(&base);
    assert_eq!(owner.asked.get(), 1);
}

#[test]
fn an_owner_that_panics_when_it_is_asked_makes_no_event() {
    let left = common::descriptors_left(|| {
        let base = base();
        let (owner, _there) = panics(true, false);

        let made = catch_unwind(AssertUnwindSafe(|| Event::new(&base, owner, WHAT, |_, _, _| ())));

        assert!(made.is_err());
        goes_on(&base);
    });
    assert_eq!(left, 0);
}

#[test]
fn an_owner_that_panics_when_it_is_dropped_has_left_the_base_before() {
    let ends: [fn(&EventBase, Event); 3] = [
        |_, event| drop(event),
        |base, event| {
            base.free();
            assert!(event.add(None).is_err());
        },
        |base, event| {
            // The callback holds its owner until it ends.
            let kept = RefCell::new(Some(event));
            let ends = Event::timer(base, move |_| drop(kept.take()));
            ends.add(std::time::Duration::ZERO).unwrap();
            base.dispatch().unwrap();
        },
    ];
    let left = common::descriptors_left(move || {
        for end in ends {
            let base = base();
            let (owner, there) = panics(false, true);
            let event = Event::new(&base, owner, WHAT, |_, _, _| unreachable!()).unwrap();
            event.add(None).unwrap();

            assert!(catch_unwind(AssertUnwindSafe(|| end(&base, event))).is_err());

            assert_eq!(socket_read(&there, 1, PHP_BINARY_READ).unwrap(), b"", "its socket is closed");
            goes_on(&base);
        }
    });
    assert_eq!(left, 0);
}

#[test]
fn of_many_owners_that_panic_when_their_base_goes_the_sockets_are_closed() {
    let left = common::descriptors_left(|| {
        let base = base();
        let owners = [panics(false, false), panics(false, true), panics(false, false)];
        let events = owners.map(|(owner, there)| {
            let event = Event::new(&base, owner, WHAT, |_, _, _| ()).unwrap();
            event.add(None).unwrap();
            (event, there)
        });

        assert!(catch_unwind(AssertUnwindSafe(|| drop(base))).is_err());

        for (event, there) in &events {
            assert!(event.add(None).is_err());
            assert_eq!(socket_read(there, 1, PHP_BINARY_READ).unwrap(), b"");
        }
    });
    assert_eq!(left, 0);
}

/// Where events are kept.
type Events = Rc<RefCell<Vec<Event>>>;

/// A socket whose end uses the base.
struct Meddles {
    socket: Socket,
    base: EventBase,
    others: Events,
}

impl AsFd for Meddles {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Meddles {
    fn drop(&mut self) {
        let timer = Event::timer(&self.base, |_| ());
        timer.add(std::time::Duration::ZERO).unwrap();
        let _ = self.base.run(POLL);
        self.others.take();
        self.base.free();
        assert!(timer.add(None).is_err());
    }
}

#[test]
fn an_owner_may_use_the_base_when_it_is_dropped() {
    let ends: [fn(&EventBase, Events); 3] = [
        |_, events| drop(events.borrow_mut().pop()),
        |base, _| base.free(),
        |base, events| {
            let ends = Event::timer(base, move |_| drop(events.borrow_mut().pop()));
            ends.add(std::time::Duration::ZERO).unwrap();
            base.run(POLL).unwrap();
        },
    ];
    for end in ends {
        let (base, events) = (base(), Events::default());
        for _ in 0..3 {
            let (socket, _there) = common::pair(SOCK_STREAM);
            let others = Rc::default();
            let owner = Meddles { socket, base: base.clone(), others: Rc::clone(&others) };
            let event = Event::new(&base, owner, WHAT, |_, _, _| ()).unwrap();
            event.add(None).unwrap();
            events.borrow_mut().push(event);
            others.borrow_mut().push(Event::timer(&base, |_| ()));
        }

        end(&base, Rc::clone(&events));

        goes_on(&base);
    }
}
