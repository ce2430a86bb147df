//! Callbacks: the calls that they may make, and that nothing leaks.

use std::cell::{Cell, RefCell};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{POLL, base, common, ms};

#[derive(Default)]
struct Shared {
    events: RefCell<Vec<Event>>,
    base: RefCell<Option<EventBase>>,
}

#[test]
fn a_callback_may_drop_its_own_event_and_close_its_socket() {
    let (base, shared) = (base(), Rc::new(Shared::default()));
    let (here, there) = common::pair(SOCK_STREAM);
    let inner = Rc::clone(&shared);
    let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |_, socket, _| {
        inner.events.borrow_mut().clear();
        assert_eq!(
            socket_read(socket, 10, PHP_BINARY_READ).unwrap(),
            b"x",
            "it lives until the callback ends"
        );
    })
    .unwrap();
    event.add(None).unwrap();
    shared.events.borrow_mut().push(event);
    socket_write(&there, "x", None).unwrap();

    base.dispatch().unwrap();

    assert_eq!(socket_read(&there, 10, PHP_BINARY_READ).unwrap(), b"", "the socket is closed");
    assert_eq!(Rc::strong_count(&shared), 1, "what the callback captured is free");
}

#[test]
fn a_callback_may_add_its_own_event_again() {
    let (base, shared, count) = (base(), Rc::new(Shared::default()), Rc::new(Cell::new(0)));
    let (inner, counted) = (Rc::clone(&shared), Rc::clone(&count));
    let timer = Event::timer(&base, move |_| {
        counted.set(counted.get() + 1);
        let events = inner.events.borrow();
        assert!(!events[0].pending(Event::TIMEOUT), "it is not pending any more");
        if counted.get() < 5 {
            events[0].add(Duration::ZERO).unwrap();
        }
    });
    timer.add(Duration::ZERO).unwrap();
    shared.events.borrow_mut().push(timer);

    base.dispatch().unwrap();

    assert_eq!(count.get(), 5);
}

#[test]
fn an_event_dropped_in_the_same_round_is_not_called_nor_is_the_next_one_with_its_number() {
    // A child process, where no other thread takes descriptors.
    let done = common::in_child(|| {
        let base = base();
        let events: Rc<RefCell<Vec<Option<Event>>>> = Rc::default();
        let (calls, stale) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut others = Vec::new();
        let mut numbers = Vec::new();
        let ready: Vec<Socket> = (0..2)
            .map(|_| {
                let (here, there) = common::pair(SOCK_STREAM);
                socket_write(&there, "x", None).unwrap();
                numbers.push(here.as_raw_fd());
                others.push(there);
                here
            })
            .collect();
        // Whichever is called first drops the other, which is ready too, and opens an idle socket on its number.
        for (index, here) in ready.into_iter().enumerate() {
            let (events_inner, calls, stale) = (Rc::clone(&events), Rc::clone(&calls), Rc::clone(&stale));
            let number = numbers[1 - index];
            let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |base, _, _| {
                calls.set(calls.get() + 1);
                let other = events_inner.borrow_mut()[1 - index].take();
                drop(other);
                let idle = socket_create_listen(0, 1).unwrap();
                assert_eq!(idle.as_raw_fd(), number, "the number is used again");
                let stale = Rc::clone(&stale);
                let next =
                    Event::new(base, idle, Event::READ, move |_, _, _| stale.set(stale.get() + 1)).unwrap();
                next.add(None).unwrap();
                events_inner.borrow_mut()[1 - index] = Some(next);
                base.exit(None);
            })
            .unwrap();
            event.add(None).unwrap();
            events.borrow_mut().push(Some(event));
        }
        base.dispatch().unwrap();
        calls.get() * 10 + stale.get()
    });
    assert_eq!(done, 10);
}

#[test]
fn a_panic_unwinds_through_the_loop_and_the_base_goes_on() {
    let (base, count) = (base(), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&count);
    let panics = Event::repeated_timer(&base, move |_| {
        counted.set(counted.get() + 1);
        assert!(counted.get() != 1, "on purpose");
    });
    let counted = Rc::clone(&count);
    let after = Event::timer(&base, move |_| counted.set(counted.get() + 10));
    panics.add(ms(1)).unwrap();
    after.add(ms(1)).unwrap();
    std::thread::sleep(ms(3));

    assert!(catch_unwind(AssertUnwindSafe(|| base.run(EventBase::LOOP_ONCE))).is_err());

    assert_eq!(count.get(), 1);
    assert!(base.got_stop());
    base.run(POLL).unwrap();
    assert_eq!(count.get(), 11, "what was due is called by the next loop");
    base.dispatch().unwrap();
    assert_eq!(count.get(), 11, "the event that has panicked is deleted, as in PHP");
}

#[test]
fn a_base_dropped_with_live_events_leaks_nothing() {
    let left = common::descriptors_left(|| {
        let (base, shared) = (base(), Rc::new(Shared::default()));
        let (here, there) = common::pair(SOCK_STREAM);
        let inner = Rc::clone(&shared);
        let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |_, _, _| {
            drop(Rc::clone(&inner));
        })
        .unwrap();
        event.add(Duration::from_secs(1)).unwrap();
        shared.events.borrow_mut().push(event);

        drop(base);

        assert_eq!(Rc::strong_count(&shared), 1, "the callback is gone");
        assert_eq!(socket_read(&there, 1, PHP_BINARY_READ).unwrap(), b"", "and its socket");
        assert!(shared.events.borrow()[0].add(None).is_err());
    });
    assert_eq!(left, 0);
}

#[test]
fn a_callback_that_captures_the_base_leaks_nothing_when_its_event_goes_or_the_base_is_freed() {
    let left = common::descriptors_left(|| {
        let first = base();
        let captured = first.clone();
        let event = Event::timer(&first, move |_| captured.stop());
        event.add(Duration::from_secs(1)).unwrap();
        drop(first);
        drop(event);

        let (second, shared) = (base(), Rc::new(Shared::default()));
        *shared.base.borrow_mut() = Some(second.clone());
        let inner = Rc::clone(&shared);
        let event = Event::timer(&second, move |_| drop(Rc::clone(&inner)));
        shared.events.borrow_mut().push(event);
        second.free();
        assert_eq!(Rc::strong_count(&shared), 1);
    });
    assert_eq!(left, 0);
}

#[test]
fn what_circles_of_base_and_event_keep_ends_with_the_thread() {
    struct Flag;
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    impl Drop for Flag {
        fn drop(&mut self) {
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
    }
    let thread = std::thread::spawn(|| {
        for _ in 0..2 {
            let (base, shared, flag) = (base(), Rc::new(Shared::default()), Flag);
            *shared.base.borrow_mut() = Some(base.clone());
            let inner = Rc::clone(&shared);
            let event = Event::timer(&base, move |_| {
                let _ = (&inner, &flag);
            });
            event.add(ms(1)).unwrap();
            shared.events.borrow_mut().push(event);
            drop((base, shared));
        }
        assert_eq!(ENDED.load(Ordering::SeqCst), 0);
    });

    thread.join().unwrap();

    assert_eq!(ENDED.load(Ordering::SeqCst), 2);
}
