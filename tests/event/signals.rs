//! Signals. Each test has a number of its own: they belong to the process.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use php_sockets::event::Event;

use crate::base;

fn raise(signal: i32) {
    let process = i32::try_from(std::process::id()).unwrap();
    // SAFETY: the call takes two numbers; the signal has a handler.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
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
    let sender = std::thread::spawn(|| {
        for round in 0..50 {
            raise(41);
            while HEARD.load(Ordering::SeqCst) <= round {
                std::thread::yield_now();
            }
        }
    });

    base.dispatch().unwrap();

    sender.join().unwrap();
    assert_eq!(HEARD.load(Ordering::SeqCst), 50);
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
