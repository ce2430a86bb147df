//! Events on descriptors.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{Log, POLL, base, common, left_open, ms, taken};

fn noting(base: &EventBase, log: &Log, socket: &Rc<Socket>, what: i32, text: &str) -> Event {
    let (log, text) = (Rc::clone(log), text.to_owned());
    Event::new(base, Rc::clone(socket), what, move |_, _, what| {
        log.borrow_mut().push(format!("{text}{what}"));
    })
    .unwrap()
}

#[test]
fn readers_and_writers_of_one_descriptor_share_it() {
    let (base, log) = (base(), Log::default());
    let (here, there) = common::pair(SOCK_STREAM);
    let here = Rc::new(here);
    let read = noting(&base, &log, &here, Event::READ | Event::PERSIST, "r");
    let write = noting(&base, &log, &here, Event::WRITE, "w");
    let both = noting(&base, &log, &here, Event::READ | Event::WRITE, "b");
    for event in [&read, &write, &both] {
        event.add(None).unwrap();
    }
    socket_write(&there, "x", None).unwrap();

    base.run(EventBase::LOOP_ONCE).unwrap();
    assert_eq!(taken(&log), "b6 w4 r2", "the last added comes first");
    assert!(read.pending(Event::READ) && !write.pending(Event::WRITE) && !both.pending(Event::READ));

    drop((write, both));
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "r2", "it is level-triggered, and the others are gone");
    read.del();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "");
}

#[test]
fn a_callback_may_end_an_event_that_was_found_ready_and_shares_its_descriptor() {
    let (base, log) = (base(), Log::default());
    let (here, _there) = common::pair(SOCK_STREAM);
    let (first, _its_peer) = common::pair(SOCK_STREAM);
    let here = Rc::new(here);
    let ended = Rc::new(noting(&base, &log, &here, Event::WRITE, "ended"));
    let stays = noting(&base, &log, &here, Event::WRITE | Event::PERSIST, "stays");
    let (inner, note) = (Rc::clone(&ended), Rc::clone(&log));
    let first = Event::new(&base, first, Event::WRITE | Event::PERSIST, move |_, _, _| {
        note.borrow_mut().push("first".into());
        inner.del();
    })
    .unwrap();
    first.add(None).unwrap();
    ended.add(None).unwrap();
    stays.add(None).unwrap();

    base.run(POLL).unwrap();

    assert_eq!(taken(&log), "first stays4");
    assert!(!ended.pending(Event::WRITE));
}

#[test]
fn a_socket_that_its_event_owns_leaves_epoll_when_it_is_closed() {
    let (base, log) = (base(), Log::default());
    for copied in [false, true] {
        let (here, there) = common::pair(SOCK_STREAM);
        let copy = copied.then(|| here.as_fd().try_clone_to_owned().unwrap());
        let event = Event::new(&base, here, Event::READ | Event::PERSIST, |_, _, _| unreachable!()).unwrap();
        event.add(None).unwrap();
        drop(event);
        let (next, its_peer) = common::pair(SOCK_STREAM);
        let next = noting(&base, &log, &Rc::new(next), Event::READ | Event::PERSIST, "next");
        next.add(None).unwrap();
        let _ = socket_write(&there, "x", None);
        socket_write(&its_peer, "x", None).unwrap();

        base.run(EventBase::LOOP_ONCE).unwrap();
        assert_eq!(taken(&log), "next2");
        base.exit(ms(50));
        let before = crate::crowd::cpu_time();
        next.del();
        base.dispatch().unwrap();
        assert!(
            crate::crowd::cpu_time().saturating_sub(before) < ms(20),
            "a copy that is open makes it not spin"
        );
        drop(copy);
    }
}

#[test]
fn an_edge_is_told_once() {
    let (base, log) = (base(), Log::default());
    let (here, there) = common::pair(SOCK_STREAM);
    let here = Rc::new(here);
    let event = noting(&base, &log, &here, Event::READ | Event::PERSIST | Event::ET, "e");
    let another = noting(&base, &log, &here, Event::READ | Event::PERSIST | Event::ET, "a");
    event.add(None).unwrap();
    socket_write(&there, "x", None).unwrap();
    base.run(POLL).unwrap();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "e34");
    // Epoll hears nothing new, and so it says nothing again.
    another.add(None).unwrap();
    another.del();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "");

    socket_write(&there, "x", None).unwrap();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "e34");
}

#[test]
fn a_time_out_comes_if_nothing_happens_and_begins_anew_with_activity() {
    let (base, log) = (base(), Log::default());
    let (here, there) = common::pair(SOCK_STREAM);
    let note = Rc::clone(&log);
    let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |base, socket, what| {
        note.borrow_mut().push(what.to_string());
        if what == Event::READ {
            socket_read(socket, 10, PHP_BINARY_READ).unwrap();
        } else {
            base.exit(None);
        }
    })
    .unwrap();
    event.add(ms(400)).unwrap();
    let sent = Rc::new(Cell::new(0));
    let sender = Event::repeated_timer(&base, move |_| {
        if sent.get() < 4 {
            sent.set(sent.get() + 1);
            socket_write(&there, "x", None).unwrap();
        }
    });
    sender.add(ms(25)).unwrap();

    base.dispatch().unwrap();

    assert_eq!(taken(&log), "2 2 2 2 1");
    assert!(event.pending(Event::READ) && event.pending(Event::TIMEOUT));
}

#[test]
fn a_time_out_ends_an_event_that_does_not_persist() {
    let (base, log) = (base(), Log::default());
    let (here, _there) = common::pair(SOCK_STREAM);
    let event = noting(&base, &log, &Rc::new(here), Event::READ, "t");
    event.add(ms(2)).unwrap();

    base.dispatch().unwrap();

    assert_eq!(taken(&log), "t1");
}

#[test]
fn a_socket_with_a_recorded_error_works_and_a_mask_with_time_out_is_a_timer() {
    let (base, log) = (base(), Log::default());
    let (here, there) = common::pair(SOCK_STREAM);
    let here = Rc::new(here);
    socket_set_nonblock(&here).unwrap();
    socket_read(&here, 1, PHP_BINARY_READ).unwrap_err();
    assert_ne!(socket_last_error(&*here), 0);
    let event = noting(&base, &log, &here, Event::READ, "r");
    let timer = noting(&base, &log, &here, Event::READ | Event::TIMEOUT, "t");
    event.add(Duration::from_secs(60)).unwrap();
    timer.add(ms(5)).unwrap();
    socket_write(&there, "x", None).unwrap();

    base.dispatch().unwrap();

    assert_eq!(taken(&log), "r2 t1");
}

#[test]
fn the_end_of_a_stream_wakes_its_reader_and_a_failed_connection_its_writer() {
    let (base, log) = (base(), Log::default());
    let (here, there) = common::pair(SOCK_STREAM);
    let event = noting(&base, &log, &Rc::new(here), Event::READ, "end");
    event.add(None).unwrap();
    socket_close(there);
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "end2");

    let (_closed, port) = common::closed_port();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    socket_set_nonblock(&client).unwrap();
    let _ = socket_connect(&client, "127.0.0.1", port);
    let event = noting(&base, &log, &Rc::new(client), Event::WRITE, "w");
    event.add(None).unwrap();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "w4");
}

#[test]
fn streams_of_std_and_many_at_once_work() {
    let base = base();
    let count = Rc::new(RefCell::new(0));
    let mut kept = Vec::new();
    for _ in 0..200 {
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        let count = Rc::clone(&count);
        let event = Event::new(&base, here, Event::READ, move |_, _, _| *count.borrow_mut() += 1).unwrap();
        event.add(None).unwrap();
        std::io::Write::write_all(&mut &there, b"x").unwrap();
        kept.push((event, there));
    }

    base.dispatch().unwrap();

    assert_eq!(*count.borrow(), 200);
}

/// A descriptor that other code closes, against the rules.
struct Loose(RawFd);

impl AsFd for Loose {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: not upheld, on purpose: the test closes the number. Only epoll_ctl sees it, which answers EBADF.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

#[test]
fn a_number_closed_behind_the_loops_back_makes_it_neither_spin_nor_call() {
    let done = common::in_child(|| {
        let base = base();
        let (here, there) = common::pair(SOCK_STREAM);
        let copy = std::os::fd::OwnedFd::from(here);
        let loose = copy.try_clone().unwrap().into_raw_fd();
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        let event = Event::new(&base, Loose(loose), Event::READ | Event::PERSIST, move |_, _, _| {
            counted.set(counted.get() + 1);
        })
        .unwrap();
        event.add(None).unwrap();
        // SAFETY: only the event uses the number after this.
        assert_eq!(unsafe { libc::close(loose) }, 0);
        event.del();
        socket_write(&there, "x", None).unwrap();
        base.exit(ms(300));
        let before = crate::crowd::cpu_time();
        base.dispatch().unwrap();
        assert!(crate::crowd::cpu_time().saturating_sub(before) < ms(50));
        drop(copy);
        1 + calls.get()
    });
    assert_eq!(done, 1);
}

#[test]
fn callbacks_of_one_round_run_in_the_order_in_which_they_were_found() {
    let day = Duration::from_secs(86_400);
    for (first, time) in [(Event::READ, None), (Event::READ | Event::PERSIST, Some(day))] {
        let (base, log) = (base(), Log::default());
        let (mut events, mut peers) = (Vec::new(), Vec::new());
        for (text, what, time) in
            [("a", first, time), ("b", Event::READ | Event::PERSIST, None), ("c", first, time)]
        {
            let (here, there) = common::pair(SOCK_STREAM);
            let event = noting(&base, &log, &Rc::new(here), what, text);
            event.add(time).unwrap();
            socket_write(&there, "x", None).unwrap();
            events.push(event);
            peers.push(there);
        }

        base.run(POLL).unwrap();

        assert_eq!(taken(&log), "a2 b2 c2");
    }
}

#[test]
fn without_a_descriptor_for_a_new_start_the_loop_goes_on() {
    let prepare = || {
        let (base, log) = (base(), Log::default());
        let left = left_open(&base);
        let (next, its_peer) = common::pair(SOCK_STREAM);
        let next = noting(&base, &log, &Rc::new(next), Event::READ | Event::PERSIST, "next");
        next.add(None).unwrap();
        socket_write(&its_peer, "x", None).unwrap();
        (base, log, next, left, its_peer)
    };
    common::failing_later(libc::SYS_epoll_create1, libc::EMFILE, prepare, |(base, log, ..)| {
        for _ in 0..4 {
            base.run(POLL).unwrap();
            assert_eq!(taken(&log), "next2");
        }
    });
}

#[test]
fn once_a_file_was_open_elsewhere_all_leave_epoll_before_they_are_closed() {
    let (base, log) = (base(), Log::default());
    let edge = Event::READ | Event::PERSIST | Event::ET;
    let (quiet, its_peer) = common::pair(SOCK_STREAM);
    let quiet = noting(&base, &log, &Rc::new(quiet), edge, "edge");
    quiet.add(None).unwrap();
    socket_write(&its_peer, "x", None).unwrap();
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(left_open(&base));
        for _ in 0..3 {
            base.run(POLL).unwrap();
        }
    }

    // A new epoll descriptor tells an edge again: there was one, not ten.
    assert_eq!(taken(&log), "edge34 edge34");
}

#[test]
fn a_reader_of_a_pipe_hears_that_the_writers_have_gone() {
    let (base, log) = (base(), Log::default());
    let mut child = common::Running::start(common::limited("true").stdout(std::process::Stdio::piped()));
    let output = Socket::from(std::os::fd::OwnedFd::from(child.stdout.take().unwrap()));
    assert!(child.ended());

    // Epoll says EPOLLHUP alone.
    let event = noting(&base, &log, &Rc::new(output), Event::READ | Event::PERSIST, "end");
    event.add(None).unwrap();
    base.run(EventBase::LOOP_ONCE).unwrap();

    assert_eq!(taken(&log), "end2");
}

#[test]
fn only_what_has_happened_is_told() {
    for persist in [0, Event::PERSIST] {
        let (base, log) = (base(), Log::default());
        let (here, there) = common::pair(SOCK_STREAM);
        let event = noting(&base, &log, &Rc::new(here), Event::READ | Event::WRITE | persist, "e");
        event.add(None).unwrap();
        base.run(POLL).unwrap();
        assert_eq!(taken(&log), "e4");

        event.add(None).unwrap();
        socket_write(&there, "x", None).unwrap();
        base.run(POLL).unwrap();
        assert_eq!(taken(&log), "e6");
    }
}

#[test]
fn the_event_that_changes_what_epoll_watches_last_decides_about_edges() {
    // As in libevent, whether the first round's edge is reported again.
    for (first, second, again) in
        [(0, 0, "r2"), (Event::ET, Event::ET, ""), (Event::ET, 0, "r34"), (0, Event::ET, "")]
    {
        let (base, log) = (base(), Log::default());
        let (here, there) = common::pair(SOCK_STREAM);
        socket_write(&there, "x", None).unwrap();
        // Nothing can be written, so that the reader alone is ready.
        socket_set_nonblock(&here).unwrap();
        while socket_write(&here, vec![0; 65536], None).is_ok() {}
        let here = Rc::new(here);
        let reader = noting(&base, &log, &here, Event::READ | Event::PERSIST | first, "r");
        let writer = noting(&base, &log, &here, Event::WRITE | Event::PERSIST | second, "w");
        reader.add(None).unwrap();
        writer.add(None).unwrap();

        base.run(POLL).unwrap();
        assert_eq!(taken(&log), format!("r{}", 2 | first));
        base.run(POLL).unwrap();
        assert_eq!(taken(&log), again, "{first} {second}");
    }
}

#[test]
fn priorities_have_bounds_and_stay_while_something_waits_for_its_turn() {
    let base = base();
    let event = Event::timer(&base, |base| {
        assert!(base.priority_init(3).is_ok(), "nothing else waits");
    });
    for (count, may) in [(-1, false), (0, false), (1, true), (255, true), (256, false), (2, true)] {
        assert_eq!(base.priority_init(count).is_ok(), may, "{count}");
    }
    for (priority, may) in [(-1, false), (0, true), (1, true), (2, false)] {
        assert_eq!(event.set_priority(priority).is_ok(), may, "{priority}");
    }
    event.add(Duration::ZERO).unwrap();
    base.dispatch().unwrap();
}
