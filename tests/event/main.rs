//! Events: what the loop promises, in sentences; random programs against a model; ten thousand connections.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/watchdog.rs"]
mod watchdog;

mod callbacks;
mod chat;
mod crowd;
mod descriptors;
mod kernel;
mod owners;
mod player;
mod programs;
mod random;
mod signals;
mod tools;
mod workerman;

use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

/// The log of the callbacks, in order.
type Log = Rc<RefCell<Vec<String>>>;

/// One round without waiting. `LOOP_NONBLOCK` alone goes on as long as something is ready.
const POLL: i32 = EventBase::LOOP_ONCE | EventBase::LOOP_NONBLOCK;

fn base() -> EventBase {
    EventBase::new().unwrap()
}

/// A socket that an event owned and closed, with something to read, while it is open elsewhere: the copy, and the
/// other end.
fn left_open(base: &EventBase) -> (OwnedFd, Socket) {
    let (here, there) = common::pair(SOCK_STREAM);
    let copy = here.as_fd().try_clone_to_owned().unwrap();
    let event = Event::new(base, here, Event::READ | Event::PERSIST, |_, _, _| unreachable!()).unwrap();
    event.add(None).unwrap();
    drop(event);
    socket_write(&there, "x", None).unwrap();
    (copy, there)
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A timer that writes `text` down.
fn noting(base: &EventBase, log: &Log, text: &str) -> Event {
    let (log, text) = (Rc::clone(log), text.to_owned());
    Event::timer(base, move |_| log.borrow_mut().push(text.clone()))
}

fn taken(log: &Log) -> String {
    log.take().join(" ")
}

#[test]
fn a_loop_without_events_returns() {
    base().dispatch().unwrap();
    base().run(-1).unwrap();
}

// Without the warnings these expectations would be errors.
#[deny(unfulfilled_lint_expectations)]
#[test]
fn the_compiler_warns_of_a_base_and_of_an_event_that_are_dropped_at_once() {
    let (base, log) = (base(), Log::default());

    #[expect(unused_must_use, reason = "the warning is what is tested")]
    {
        EventBase::new().unwrap();
    }
    #[expect(unused_must_use, reason = "the warning is what is tested")]
    {
        noting(&base, &log, "never");
    }

    base.dispatch().unwrap();
    assert_eq!(taken(&log), "");
}

#[test]
fn due_timers_fire_in_order_of_time_then_of_adding() {
    let (base, log) = (base(), Log::default());
    let timers: Vec<Event> = ["d", "a", "b", "c"].iter().map(|text| noting(&base, &log, text)).collect();
    timers[0].add(ms(60)).unwrap();
    timers[1].add(Duration::ZERO).unwrap();
    timers[2].add(Duration::ZERO).unwrap();
    timers[3].add(ms(30)).unwrap();
    std::thread::sleep(ms(70));

    base.run(EventBase::LOOP_ONCE).unwrap();

    assert_eq!(taken(&log), "a b c d");
    assert!(!timers[0].pending(Event::TIMEOUT));
}

#[test]
fn a_timer_is_never_early_and_a_day_is_a_long_time() {
    let base = base();
    let timer = Event::timer(&base, |_| ());
    let far = Event::timer(&base, |_| ());
    far.add(Duration::MAX).unwrap();
    let begin = Instant::now();
    timer.add(Duration::from_micros(2500)).unwrap();

    base.run(EventBase::LOOP_ONCE).unwrap();

    assert!(begin.elapsed() >= Duration::from_micros(2500));
    assert!(far.pending(Event::TIMEOUT));
}

#[test]
fn a_pending_timer_is_rescheduled_by_a_time_and_left_by_none() {
    let base = base();
    let timer = Event::timer(&base, |_| ());
    timer.add(Duration::from_secs(3600)).unwrap();
    let begin = Instant::now();
    timer.add(ms(5)).unwrap();
    timer.add(None).unwrap();

    base.dispatch().unwrap();

    assert!(begin.elapsed() >= ms(5) && begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_repeated_timer_repeats_until_it_is_deleted_and_one_of_zero_does_not() {
    let (base, count) = (base(), Rc::new(RefCell::new(0)));
    let counted = Rc::clone(&count);
    let timer = Event::repeated_timer(&base, move |base| {
        *counted.borrow_mut() += 1;
        if *counted.borrow() == 3 {
            base.exit(None);
        }
    });
    timer.add(ms(1)).unwrap();
    base.dispatch().unwrap();
    assert_eq!(*count.borrow(), 3);
    assert!(timer.pending(Event::TIMEOUT));

    timer.del();
    timer.add(Duration::ZERO).unwrap();
    base.dispatch().unwrap();
    assert_eq!(*count.borrow(), 4);
}

#[test]
fn a_repeated_timer_keeps_its_beat_and_skips_the_beats_that_it_missed() {
    let (base, log) = (base(), Log::default());
    let note = Rc::clone(&log);
    let timer = Event::repeated_timer(&base, move |_| note.borrow_mut().push("beat".into()));
    let before = Instant::now();
    timer.add(ms(200)).unwrap();
    let after = Instant::now();
    // Turns the loop once, when so much time has passed; gives how much had passed at most.
    let turn_at = |time: Duration| {
        std::thread::sleep(time.saturating_sub(after.elapsed()));
        base.run(POLL).unwrap();
        before.elapsed()
    };

    let first = turn_at(ms(300));
    assert_eq!(taken(&log), "beat");
    let second = turn_at(ms(400));
    let beats = taken(&log);
    // A machine that sleeps longer than it was told has missed more, here and below.
    assert!(first >= ms(400) || beats == "beat", "at 400, not 200 after the late one");

    // Two beats late, the time begins anew.
    let late = second + ms(500);
    turn_at(late);
    assert_eq!(taken(&log), "beat");
    assert!(turn_at(late) >= late + ms(200) || taken(&log).is_empty());
}

#[test]
fn a_time_out_that_gets_more_time_before_it_is_told_is_not_told() {
    let (base, log) = (base(), Log::default());
    let second = Rc::new(noting(&base, &log, "second"));
    let (more, note) = (Rc::clone(&second), Rc::clone(&log));
    let first = Event::timer(&base, move |_| {
        note.borrow_mut().push("first".into());
        more.add(ms(1)).unwrap();
    });
    first.add(Duration::ZERO).unwrap();
    second.add(Duration::ZERO).unwrap();

    base.run(EventBase::LOOP_ONCE).unwrap();
    assert_eq!(taken(&log), "first");
    assert!(second.pending(Event::TIMEOUT));

    base.dispatch().unwrap();
    assert_eq!(taken(&log), "second");
}

#[test]
fn exit_finishes_the_round_and_stop_does_not() {
    for (stop, expected, later) in [(false, "one two", ""), (true, "one", "two")] {
        let (base, log) = (base(), Log::default());
        let note = Rc::clone(&log);
        let first = Event::timer(&base, move |base| {
            note.borrow_mut().push("one".into());
            if stop { base.stop() } else { base.exit(None) }
        });
        let second = noting(&base, &log, "two");
        let third = noting(&base, &log, "much later");
        first.add(Duration::ZERO).unwrap();
        second.add(Duration::ZERO).unwrap();
        third.add(Duration::from_secs(3600)).unwrap();

        base.dispatch().unwrap();

        assert_eq!(taken(&log), expected);
        assert_eq!((base.got_stop(), base.got_exit()), (stop, !stop));
        base.run(POLL).unwrap();
        assert_eq!(taken(&log), later);
        assert_eq!((base.got_stop(), base.got_exit()), (false, false));
    }
}

#[test]
fn exit_before_the_loop_is_for_the_next_one_and_stop_before_it_is_for_none() {
    let (base, log) = (base(), Log::default());
    let timer = noting(&base, &log, "once");
    timer.add(Duration::ZERO).unwrap();
    let far = noting(&base, &log, "far");
    far.add(Duration::from_secs(3600)).unwrap();

    base.exit(None);
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "once");
    assert!(base.got_exit());

    base.stop();
    base.exit(ms(10));
    let begin = Instant::now();
    base.dispatch().unwrap();
    assert!(base.got_exit() && !base.got_stop());
    assert!(begin.elapsed() >= ms(10));
}

#[test]
fn the_most_urgent_priority_comes_first() {
    let (base, log) = (base(), Log::default());
    base.priority_init(3).unwrap();
    let events: Vec<Event> = ["low", "middle", "high"].iter().map(|text| noting(&base, &log, text)).collect();
    for (event, priority) in events.iter().zip([2, 1, 0]) {
        event.set_priority(priority).unwrap();
        event.add(Duration::ZERO).unwrap();
    }

    base.dispatch().unwrap();

    assert_eq!(taken(&log), "high middle low");
}

#[test]
fn the_most_urgent_socket_comes_first_though_it_was_ready_last() {
    let (base, log) = (base(), Log::default());
    base.priority_init(2).unwrap();
    let mut events = Vec::new();
    for (text, priority) in [("low", 1), ("high", 0)] {
        let (here, there) = common::pair(SOCK_STREAM);
        socket_write(&there, "x", None).unwrap();
        let note = Rc::clone(&log);
        let event = Event::new(&base, here, Event::READ | Event::PERSIST, move |_, socket, _| {
            socket_read(socket, 1, PHP_BINARY_READ).unwrap();
            note.borrow_mut().push(text.into());
        })
        .unwrap();
        event.set_priority(priority).unwrap();
        event.add(None).unwrap();
        events.push((event, there));
    }

    base.run(POLL).unwrap();
    base.run(POLL).unwrap();

    assert_eq!(taken(&log), "high low");
}

#[test]
fn there_are_no_other_priorities_while_events_are_to_be_told_and_none_is_lost_later() {
    let (base, log) = (base(), Log::default());
    base.priority_init(3).unwrap();
    let first = Event::timer(&base, |base| assert!(base.priority_init(2).is_err()));
    let second = noting(&base, &log, "second");
    second.set_priority(2).unwrap();
    first.add(Duration::ZERO).unwrap();
    second.add(Duration::ZERO).unwrap();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "second");

    base.priority_init(2).unwrap();
    second.add(Duration::ZERO).unwrap();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "second");
}

#[test]
fn resume_looks_for_what_is_more_urgent() {
    let (base, log) = (base(), Log::default());
    base.priority_init(2).unwrap();
    let urgent = Rc::new(noting(&base, &log, "urgent"));
    urgent.set_priority(0).unwrap();
    let (inner, note) = (Rc::clone(&urgent), Rc::clone(&log));
    let first = Event::timer(&base, move |base| {
        note.borrow_mut().push("first".into());
        inner.add(Duration::ZERO).unwrap();
        base.resume();
    });
    let second = noting(&base, &log, "second");
    first.add(Duration::ZERO).unwrap();
    second.add(Duration::ZERO).unwrap();

    base.dispatch().unwrap();

    assert_eq!(taken(&log), "first urgent second");
}

#[test]
fn the_time_of_day_is_cached_during_a_round() {
    let base = base();
    let timer = Event::timer(&base, |base| {
        let before = base.get_time_of_day_cached();
        std::thread::sleep(ms(5));
        assert!((base.get_time_of_day_cached() - before).abs() < f64::EPSILON);
        base.update_cache_time();
        assert!(base.get_time_of_day_cached() - before >= 0.004);
    });
    timer.add(Duration::ZERO).unwrap();

    base.dispatch().unwrap();
}

#[test]
fn a_child_process_makes_its_own_after_a_fork() {
    let base = base();
    let (here, there) = common::pair(SOCK_STREAM);
    let event = Event::new(&base, here, Event::READ, |base, _, _| base.exit(None)).unwrap();
    event.add(None).unwrap();

    let status = common::in_child(|| {
        base.re_init().unwrap();
        event.del(); // the parent still waits
        event.add(None).unwrap();
        socket_write(&there, "x", None).unwrap();
        base.dispatch().unwrap();
        event.del();
        usize::from(base.got_exit())
    });

    assert_eq!(status, 1);
    base.run(POLL).unwrap();
    assert!(base.got_exit(), "the parent's event is still there");
}
