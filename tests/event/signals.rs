//! Signals. Each test has a number of its own: they belong to the process.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{Log, base, common, left_open, ms, taken};

fn raise(signal: i32) {
    let process = i32::try_from(std::process::id()).unwrap();
    // SAFETY: the call takes two numbers; the signal has a handler.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// The same in this thread: the handler has run when this returns.
fn raise_here(signal: i32) {
    // SAFETY: the call takes a number; the signal has a handler.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// Another thread that sends a signal so many times, each when the one before has been heard.
fn sender(signal: i32, times: usize, heard: &'static AtomicUsize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for round in 0..times {
            raise(signal);
            while heard.load(Ordering::SeqCst) <= round {
                std::thread::yield_now();
            }
        }
    })
}

fn action(signal: i32) -> usize {
    // SAFETY: all zeros is a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `action` outlives the call, which writes it.
    assert_eq!(unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) }, 0);
    action.sa_sigaction
}

#[test]
fn a_signal_arrives_in_the_loop_and_the_previous_action_comes_back() {
    let base = base();
    let before = action(40);
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let event = Event::signal(&base, 40, move |base, signal| {
        counted.set(counted.get() + signal);
        base.exit(None);
    })
    .unwrap();
    let second = Event::signal(&base, 40, |_, _| ()).unwrap();
    event.add(None).unwrap();
    second.add(None).unwrap();
    raise(40);

    base.dispatch().unwrap();

    assert_eq!(count.get(), 40);
    drop(event);
    assert_ne!(action(40), before);
    drop(second);
    assert_eq!(action(40), before);
    base.dispatch().unwrap();
}

#[test]
fn signals_arrive_while_other_threads_run_and_the_loop_waits() {
    static HEARD: AtomicUsize = AtomicUsize::new(0);
    let base = base();
    let event = Event::signal(&base, 41, |base, _| {
        if HEARD.fetch_add(1, Ordering::SeqCst) == 49 {
            base.stop();
        }
    })
    .unwrap();
    event.add(None).unwrap();
    let guard = Event::timer(&base, |_| panic!("the signals are lost")).unwrap();
    guard.add(Duration::from_secs(30)).unwrap();
    let sender = sender(41, 50, &HEARD);

    base.dispatch().unwrap();

    sender.join().unwrap();
    assert_eq!(HEARD.load(Ordering::SeqCst), 50);
}

#[test]
fn a_signal_is_given_back_with_the_last_event_that_waits_for_it() {
    let (base, log) = (base(), Log::default());
    let before = action(52);
    let [first, second] = ["first", "second"].map(|text| {
        let log = Rc::clone(&log);
        let event = Event::signal(&base, 52, move |_, _| log.borrow_mut().push(text.to_owned())).unwrap();
        event.add(None).unwrap();
        event
    });

    first.del();
    raise_here(52);
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "second");

    second.del();
    assert_eq!(action(52), before);
}

#[test]
fn a_base_dropped_with_a_signal_gives_it_back_and_closes_all() {
    let before = action(42);
    let left = crate::common::descriptors_left(|| {
        let base = base();
        let event = Event::signal(&base, 42, |_, _| ()).unwrap();
        event.add(None).unwrap();
        drop(base);
    });
    assert_eq!((action(42), left), (before, 0));
}

#[test]
fn a_signal_that_has_arrived_outlives_a_new_start_and_wakes_once() {
    let (base, log) = (base(), Log::default());
    let noted = Rc::clone(&log);
    let event = Event::signal(&base, 43, move |_, _| noted.borrow_mut().push("told".to_owned())).unwrap();
    event.add(None).unwrap();
    raise_here(43);

    base.re_init().unwrap();

    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "told");
    base.exit(ms(50));
    let before = crate::crowd::cpu_time();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "");
    assert!(crate::crowd::cpu_time().saturating_sub(before) < ms(20), "it waits");
}

#[test]
fn a_signal_that_came_before_is_not_told_to_who_waits_from_now_on() {
    let (base, log) = (base(), Log::default());
    let noted = Rc::clone(&log);
    let first = Event::signal(&base, 44, move |_, _| noted.borrow_mut().push("first".to_owned())).unwrap();
    first.add(None).unwrap();
    let noted = Rc::clone(&log);
    let second = Event::signal(&base, 44, move |_, _| noted.borrow_mut().push("second".to_owned())).unwrap();
    let second = Rc::new(second);
    let (here, there) = common::pair(SOCK_STREAM);
    let added = Rc::clone(&second);
    let adds = Event::new(&base, here, Event::READ | Event::PERSIST, move |_, socket, _| {
        socket_read(socket, 1, PHP_BINARY_READ).unwrap();
        added.add(None).unwrap();
    })
    .unwrap();
    adds.add(None).unwrap();
    socket_write(&there, "x", None).unwrap();
    raise_here(44);

    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "first");

    raise_here(44);
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "first second");
}

#[test]
fn no_signal_is_lost_while_the_loop_rids_itself_of_files_that_are_open_elsewhere() {
    static HEARD: AtomicUsize = AtomicUsize::new(0);
    let base = base();
    let event = Event::signal(&base, 45, |base, _| {
        if HEARD.fetch_add(1, Ordering::SeqCst) == 19 {
            base.stop();
        }
    })
    .unwrap();
    event.add(None).unwrap();
    let guard = Event::timer(&base, |_| panic!("the signals are lost")).unwrap();
    guard.add(Duration::from_secs(30)).unwrap();
    // What is closed while a copy of it is open.
    let mut copies = Vec::new();
    let leave = Event::repeated_timer(&base, move |base| {
        copies.push(left_open(base));
        copies.truncate(100);
    })
    .unwrap();
    leave.add(Duration::from_micros(100)).unwrap();
    let sender = sender(45, 20, &HEARD);

    base.dispatch().unwrap();

    sender.join().unwrap();
    assert_eq!(HEARD.load(Ordering::SeqCst), 20);
}

#[test]
fn an_eventfd_is_closed_on_exec_and_lets_no_handler_wait() {
    let base = base();
    let event = Event::signal(&base, 46, |_, _| ()).unwrap();
    event.add(None).unwrap();

    let mut seen = 0;
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        let path = entry.unwrap().path();
        // Other tests open and close theirs.
        let Ok(target) = std::fs::read_link(&path) else { continue };
        if target.as_os_str() != "anon_inode:[eventfd]" {
            continue;
        }
        let info = path.to_str().unwrap().replace("/fd/", "/fdinfo/");
        let Ok(info) = std::fs::read_to_string(info) else { continue };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        let flags = i32::from_str_radix(flags, 8).unwrap();
        assert_eq!(flags & (libc::O_CLOEXEC | libc::O_NONBLOCK), libc::O_CLOEXEC | libc::O_NONBLOCK);
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn what_cannot_be_caught_is_refused_and_so_is_a_fault() {
    let base = base();
    for signal in [-1, 0, 65, libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS] {
        assert!(Event::signal(&base, signal, |_, _| ()).is_err(), "{signal}");
    }
    for signal in [libc::SIGKILL, libc::SIGSTOP] {
        let event = Event::signal(&base, signal, |_, _| ()).unwrap();
        assert!(event.add(None).is_err(), "{signal}");
    }
}

#[test]
fn each_signal_is_told_to_its_own_event_also_after_a_new_start() {
    let (base, log) = (base(), Log::default());
    let noting = |signal: i32| {
        let log = Rc::clone(&log);
        let event =
            Event::signal(&base, signal, move |_, signal| log.borrow_mut().push(signal.to_string())).unwrap();
        event.add(None).unwrap();
        event
    };
    let _events = [noting(47), noting(48)];

    raise_here(47);
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "47");

    base.re_init().unwrap();
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    raise_here(48);
    base.run(EventBase::LOOP_NONBLOCK).unwrap();
    assert_eq!(taken(&log), "48");
}
