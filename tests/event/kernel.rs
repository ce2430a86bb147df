//! The loop's system calls, and how it takes the kernel's answers.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{POLL, base, common, ms};

/// The epoll descriptors of this process.
fn epolls() -> Vec<RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    // Other tests open and close theirs.
    let epolls = paths
        .filter(|path| std::fs::read_link(path).is_ok_and(|it| it.as_os_str() == "anon_inode:[eventpoll]"));
    epolls.map(|path| path.file_name().unwrap().to_str().unwrap().parse().unwrap()).collect()
}

/// Whether an epoll descriptor of this process watches a socket.
fn is_watched(socket: &Socket) -> bool {
    let file = File::from(socket.as_fd().try_clone_to_owned().unwrap());
    let inode = std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap());
    let row = format!(" ino:{inode:x} ");
    epolls().into_iter().any(|epoll| {
        std::fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).is_ok_and(|info| info.contains(&row))
    })
}

#[test]
fn a_socket_that_lives_on_leaves_epoll_with_its_event() {
    let base = base();
    let (here, _there) = common::pair(SOCK_STREAM);
    let here = Rc::new(here);
    let event = Event::new(&base, Rc::clone(&here), Event::READ | Event::PERSIST, |_, _, _| ()).unwrap();

    event.add(None).unwrap();
    assert!(is_watched(&here));

    drop(event);
    assert!(!is_watched(&here));
}

#[test]
fn a_regular_file_is_refused_for_it_is_always_ready() {
    let base = base();
    let file = File::open(common::root().join("Cargo.toml")).unwrap();
    let event = Event::new(&base, file, Event::READ, |_, _, _| ()).unwrap();

    let error = event.add(None).unwrap_err();

    assert_eq!(
        (error.to_string().as_str(), error.code()),
        ("Event::add(): Failed adding event", SOCKET_EPERM)
    );
    assert!(!event.pending(Event::READ));
    assert!(event.add(None).is_err(), "and again");
}

/// Gives a socket's number to another one, behind the back of who owns it.
fn replaced(socket: &Socket) -> (Socket, Socket) {
    let (next, its_peer) = common::pair(SOCK_STREAM);
    // SAFETY: the call takes two numbers; the child process ends without closing the second again.
    assert_ne!(unsafe { libc::dup2(next.as_raw_fd(), socket.as_raw_fd()) }, -1);
    (next, its_peer)
}

#[test]
fn who_leaves_a_number_that_has_another_owner_leaves_that_one_alone() {
    let done = common::in_child(|| {
        let base = base();
        let (here, _there) = common::pair(SOCK_STREAM);
        let here = Rc::new(here);
        let event = Event::new(&base, Rc::clone(&here), Event::READ | Event::PERSIST, |_, _, _| ()).unwrap();
        event.add(None).unwrap();
        let (next, _its_peer) = replaced(&here);

        event.del();

        usize::from(!is_watched(&next))
    });

    assert_eq!(done, 1);
}

#[test]
fn who_comes_to_a_number_that_has_another_owner_waits_for_that_one() {
    let done = common::in_child(|| {
        let base = base();
        let (here, _there) = common::pair(SOCK_STREAM);
        let here = Rc::new(here);
        let event = |what| Event::new(&base, Rc::clone(&here), what, |base, _, _| base.stop()).unwrap();
        let read = event(Event::READ);
        read.add(None).unwrap();
        let (_next, _its_peer) = replaced(&here);

        let write = event(Event::WRITE);
        write.add(None).unwrap();
        base.run(POLL).unwrap();

        usize::from(base.got_stop())
    });

    assert_eq!(done, 1);
}

#[test]
fn a_signals_number_is_no_descriptors() {
    let done = common::in_child(|| {
        // Descriptors that other tests have open here.
        for number in 3..65 {
            // SAFETY: the child has one thread, which uses none of them.
            unsafe { libc::close(number) };
        }
        let base = base();
        let (here, _there) = common::pair(SOCK_STREAM);
        // SAFETY: the call takes two numbers; in this process the second is free.
        assert_ne!(unsafe { libc::dup2(here.as_raw_fd(), 59) }, -1);
        // SAFETY: the number is open, and has no other owner.
        let high = unsafe { OwnedFd::from_raw_fd(59) };
        let event = Event::new(&base, high, Event::READ | Event::PERSIST, |_, _, _| ()).unwrap();
        event.add(Duration::from_secs(30)).unwrap();
        for number in [59, 60, 61] {
            let signal = Event::signal(&base, number, |base, _| base.stop()).unwrap();
            signal.add(None).unwrap();
            // SAFETY: the call takes a number; the signal has a handler.
            assert_eq!(unsafe { libc::raise(number) }, 0);
            base.run(EventBase::LOOP_ONCE).unwrap();
            assert!(base.got_stop());
        }
        1
    });

    assert_eq!(done, 1);
}

#[test]
fn who_waits_for_reading_and_writing_is_told_which() {
    let base = base();
    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&here).unwrap();
    while socket_write(&here, vec![b'x'; 65536], None).is_ok() {}
    socket_write(&there, "x", None).unwrap();
    let told = Rc::new(Cell::new(0));
    let tells = Rc::clone(&told);
    let event = Event::new(&base, here, Event::READ | Event::WRITE | Event::PERSIST, move |_, _, what| {
        tells.set(what);
    })
    .unwrap();
    event.add(None).unwrap();

    base.run(POLL).unwrap();

    assert_eq!(told.get(), Event::READ);
}

#[test]
fn a_signal_needs_a_descriptor_and_says_so() {
    let code = common::in_child(|| {
        let base = base();
        let event = Event::signal(&base, 49, |_, _| ()).unwrap();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` outlives the call, which writes it.
        assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
        limit.rlim_cur = 0;
        // SAFETY: `limit` outlives the call, which reads it.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);

        let error = event.add(None).unwrap_err();
        usize::try_from(error.code()).unwrap()
    });

    assert_eq!(code, usize::try_from(SOCKET_EMFILE).unwrap());
}

#[test]
fn a_wait_that_fails_ends_the_loop_with_its_code() {
    let code = common::in_child(|| {
        let base = base();
        let timer = Event::timer(&base, |_| ());
        timer.add(ms(0)).unwrap();
        for epoll in epolls() {
            // SAFETY: the child has one thread, which uses the number no more but for the wait that is to fail.
            unsafe { libc::close(epoll) };
        }

        let code = base.dispatch().unwrap_err().code();
        // Nothing that owns a closed descriptor is dropped.
        std::mem::forget((timer, base));
        usize::try_from(code).unwrap()
    });

    assert_eq!(code, usize::try_from(libc::EBADF).unwrap());
}

#[test]
fn a_signal_that_is_not_the_loops_does_not_end_its_wait() {
    extern "C" fn nothing(_: libc::c_int) {}

    let fired = common::in_child(|| {
        let base = base();
        let timer = Event::timer(&base, EventBase::stop);
        timer.add(ms(100)).unwrap();
        // SAFETY: the handler does nothing, and is of the type that goes with these flags.
        unsafe { libc::signal(libc::SIGALRM, nothing as extern "C" fn(libc::c_int) as libc::sighandler_t) };
        let soon = libc::timeval { tv_sec: 0, tv_usec: 10_000 };
        let often = libc::itimerval { it_interval: soon, it_value: soon };
        // SAFETY: `often` outlives the call, which reads it.
        assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const often, std::ptr::null_mut()) }, 0);

        base.dispatch().unwrap();
        usize::from(base.got_stop())
    });

    assert_eq!(fired, 1);
}

#[test]
fn an_event_is_pending_for_what_it_waits_for_and_for_what_it_is_to_be_told() {
    const ALL: [i32; 4] = [Event::READ, Event::WRITE, Event::SIGNAL, Event::TIMEOUT];
    let pending =
        |event: &Event| -> Vec<i32> { ALL.into_iter().filter(|what| event.pending(*what)).collect() };
    let base = base();
    for what in [Event::READ, Event::WRITE] {
        let (here, _there) = common::pair(SOCK_STREAM);
        let event = Event::new(&base, here, what | Event::PERSIST, |_, _, _| ()).unwrap();
        assert!(pending(&event).is_empty());
        event.add(None).unwrap();
        assert_eq!(pending(&event), [what]);
        event.add(ms(1000)).unwrap();
        assert_eq!(pending(&event), [what, Event::TIMEOUT]);
    }
    let signal = Event::signal(&base, 50, |_, _| ()).unwrap();
    signal.add(None).unwrap();
    assert_eq!(pending(&signal), [Event::SIGNAL]);

    // The first of two that are due at once looks at the second.
    let second = Rc::new(Event::timer(&base, EventBase::stop));
    let seen = Rc::clone(&second);
    let first = Event::timer(&base, move |_| assert_eq!(pending(&seen), [Event::TIMEOUT]));
    first.add(ms(0)).unwrap();
    second.add(ms(0)).unwrap();
    base.dispatch().unwrap();
    assert!(base.got_stop());
    assert!(pending(&second).is_empty());
}

#[test]
fn an_event_that_is_to_be_told_still_waits() {
    let base = base();
    let (one, at_one) = common::pair(SOCK_STREAM);
    let (two, at_two) = common::pair(SOCK_STREAM);
    let events: Rc<RefCell<Vec<Event>>> = Rc::default();
    for socket in [one, two] {
        let all = Rc::clone(&events);
        let event = Event::new(&base, socket, Event::READ | Event::PERSIST, move |_, socket, _| {
            assert!(all.borrow().iter().all(|event| event.pending(Event::READ)));
            socket_read(socket, 10, PHP_BINARY_READ).unwrap();
        })
        .unwrap();
        event.add(ms(1000)).unwrap();
        events.borrow_mut().push(event);
    }
    for there in [&at_one, &at_two] {
        socket_write(there, "x", None).unwrap();
    }

    base.run(EventBase::LOOP_ONCE).unwrap();

    events.take();
}

#[test]
fn a_loop_that_has_nothing_to_do_waits_without_spinning() {
    for priorities in [1, 2] {
        let base = base();
        base.priority_init(priorities).unwrap();
        let (here, there) = common::pair(SOCK_STREAM);
        let event = Event::new(&base, here, Event::READ, |_, _, _| ()).unwrap();
        event.add(None).unwrap();
        let before = common::sleeps();
        let writer = std::thread::spawn(move || {
            // The time in which it could wake up in vain.
            std::thread::sleep(ms(100));
            socket_write(&there, "x", None).unwrap();
        });

        base.dispatch().unwrap();

        let sleeps = common::sleeps() - before;
        assert!(sleeps < 20, "it slept {sleeps} times");
        writer.join().unwrap();
    }
}

#[test]
fn a_base_and_an_event_can_be_shown() {
    let base = base();
    let event = Event::timer(&base, |_| ());

    assert!(format!("{base:?}").starts_with("EventBase {"));
    assert!(format!("{event:?}").starts_with("Event {"));
    assert_eq!(base.get_method(), "epoll");
}
