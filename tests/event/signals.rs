//! Signals. Each test has a number of its own: they belong to the process.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{Log, POLL, base, common, left_open, ms, taken};

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

fn whole_action(signal: i32) -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `action` outlives the call, which writes it.
    assert_eq!(unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) }, 0);
    action
}

fn action(signal: i32) -> usize {
    whole_action(signal).sa_sigaction
}

/// Sets an action, as other code in the process may; the result is the one before.
fn set_action(signal: i32, action: &libc::sigaction) -> libc::sigaction {
    let before = whole_action(signal);
    // SAFETY: `action` outlives the call, which reads it. Its handler, if any, does only what one may.
    assert_eq!(unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) }, 0);
    before
}

/// How often `their_handler` has run, by signal.
static THEIRS: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];

extern "C" fn their_handler(signal: libc::c_int) {
    THEIRS[usize::try_from(signal).unwrap_or(0)].fetch_add(1, Ordering::SeqCst);
}

/// The action of other code that waits for the same signal.
fn their_action() -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = their_handler as extern "C" fn(libc::c_int) as libc::sighandler_t;
    action
}

/// An event that counts its signal, and the count.
fn counting(base: &EventBase, signal: i32) -> (Event, Rc<Cell<usize>>) {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let event = Event::signal(base, signal, move |_, _| counted.set(counted.get() + 1)).unwrap();
    event.add(None).unwrap();
    (event, count)
}

/// Rounds of a race: few in the suite, many with `TORTURE=full`.
fn rounds(few: usize, many: usize) -> usize {
    if std::env::var("TORTURE").is_ok_and(|value| value == "full") { many } else { few }
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
    let guard = Event::timer(&base, |_| panic!("the signals are lost"));
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
    base.run(POLL).unwrap();
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
fn a_signal_that_has_arrived_is_the_parents_after_a_new_start_and_a_later_one_wakes_once() {
    let (base, log) = (base(), Log::default());
    let noted = Rc::clone(&log);
    let event = Event::signal(&base, 43, move |_, _| noted.borrow_mut().push("told".to_owned())).unwrap();
    event.add(None).unwrap();
    raise_here(43);

    base.re_init().unwrap();

    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "");
    raise_here(43);
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "told");
    base.exit(ms(50));
    let before = crate::crowd::cpu_time();
    base.dispatch().unwrap();
    assert_eq!(taken(&log), "");
    assert!(crate::crowd::cpu_time().saturating_sub(before) < ms(20), "it waits");
}

#[test]
fn a_signal_is_for_the_events_that_wait_for_it_when_the_loop_reads_it() {
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

    base.run(POLL).unwrap();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "second first");

    // It outlives the events that waited for it, as long as the loop has not read it.
    raise_here(44);
    raise_here(44);
    first.del();
    second.del();
    first.add(None).unwrap();
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "first first");
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
    let guard = Event::timer(&base, |_| panic!("the signals are lost"));
    guard.add(Duration::from_secs(30)).unwrap();
    // Sockets that are closed while a copy is open.
    let mut copies = Vec::new();
    let leave = Event::repeated_timer(&base, move |base| {
        copies.push(left_open(base));
        copies.truncate(100);
    });
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
    for signal in [-1, 65, libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS] {
        assert!(Event::signal(&base, signal, |_, _| ()).is_err(), "{signal}");
    }
    for signal in [0, libc::SIGKILL, libc::SIGSTOP] {
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
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "47");

    base.re_init().unwrap();
    base.run(POLL).unwrap();
    raise_here(48);
    base.run(POLL).unwrap();
    assert_eq!(taken(&log), "48");
}

#[test]
fn a_signal_that_goes_from_base_to_base_is_told_to_the_one_that_has_it() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let guest = std::thread::spawn(|| {
        let base = base();
        let event = Event::signal(&base, 53, |_, _| ()).unwrap();
        while !DONE.load(Ordering::SeqCst) {
            let _ = event.add(None);
            event.del();
        }
    });
    // Another signal's handler, which runs nearly all the time.
    let busy = std::thread::spawn(|| {
        let base = base();
        let _counting = counting(&base, 54);
        while !DONE.load(Ordering::SeqCst) {
            raise_here(54);
        }
    });
    let (base, told) = (base(), Rc::new(Cell::new(0)));
    let tells = Rc::clone(&told);
    let event = Event::signal(&base, 53, move |_, _| tells.set(tells.get() + 1)).unwrap();
    let rounds = rounds(8_000, 200_000);

    let mut lost = 0;
    for _ in 0..rounds {
        while let Err(error) = event.add(None) {
            assert_eq!(error.code(), SOCKET_EBUSY);
        }
        raise_here(53);
        base.run(POLL).unwrap();
        event.del();
        lost += usize::from(told.take() != 1);
    }

    DONE.store(true, Ordering::SeqCst);
    guest.join().unwrap();
    busy.join().unwrap();
    assert_eq!(lost, 0, "of {rounds}");
}

#[test]
fn the_handler_restarts_calls_holds_others_back_and_takes_the_alternate_stack() {
    let base = base();
    let _counting = counting(&base, 58);

    let action = whole_action(58);

    let flags = libc::SA_RESTART | libc::SA_ONSTACK;
    assert_eq!(action.sa_flags & (flags | libc::SA_NODEFER | libc::SA_RESETHAND | libc::SA_SIGINFO), flags);
    for other in [libc::SIGUSR2, libc::SIGTERM, 34, 64] {
        // SAFETY: the set outlives the call, which reads it.
        assert_eq!(unsafe { libc::sigismember(&raw const action.sa_mask, other) }, 1, "{other}");
    }
}

#[test]
fn a_thread_with_an_alternate_stack_gets_the_handler_there() {
    let (base, mut stack) = (base(), vec![0xa5_u8; 65_536]);
    let (_event, count) = counting(&base, 39);
    let ours = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
    let mut before = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: both structures outlive the call, and `stack` the time until the one before is back.
    assert_eq!(unsafe { libc::sigaltstack(&raw const ours, &raw mut before) }, 0);

    raise_here(39);

    // SAFETY: the structure outlives the call; the standard library's stack lives as long as its thread.
    assert_eq!(unsafe { libc::sigaltstack(&raw const before, std::ptr::null_mut()) }, 0);
    base.run(POLL).unwrap();
    assert_eq!(count.get(), 1);
    // Not read in place: to valgrind a stack that was left is no memory any more.
    let (mut after, place) = (vec![0; stack.len()], u64::try_from(stack.as_ptr().addr()).unwrap());
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    std::os::unix::fs::FileExt::read_exact_at(&memory, &mut after, place).unwrap();
    assert!(after.iter().any(|byte| *byte != 0xa5), "the handler has used the stack");
}

#[test]
fn other_code_that_has_taken_the_signal_keeps_it_when_the_event_ends() {
    let signal = libc::SIGUSR1;
    let before = whole_action(signal);
    let ends: [fn(&EventBase, Event); 4] = [
        |_, event| drop(event),
        |_, event| event.del(),
        |base, _| base.free(),
        |base, event| {
            event.del();
            base.re_init().unwrap();
        },
    ];
    for (round, end) in (1..).zip(ends) {
        let base = base();
        let (event, count) = counting(&base, signal);
        let _ours = set_action(signal, &their_action());

        end(&base, event);

        assert_eq!(action(signal), their_action().sa_sigaction);
        raise_here(signal);
        assert_eq!(THEIRS[10].load(Ordering::SeqCst), round);
        base.run(POLL).unwrap();
        assert_eq!(count.get(), 0);
        set_action(signal, &before);
    }
}

#[test]
fn a_child_process_that_ends_its_event_gives_back_its_own_signal_alone() {
    let base = base();
    let before = action(35);
    let (event, count) = counting(&base, 35);
    let event = Cell::new(Some(event));

    let restored = common::in_child(|| {
        drop(event.take());
        usize::from(action(35) == before)
    });

    assert_eq!(restored, 1);
    raise_here(35);
    base.run(POLL).unwrap();
    assert_eq!(count.get(), 1, "the parent's is as it was");
}

#[test]
fn other_code_that_has_given_the_signal_back_does_not_keep_it() {
    let base = base();
    let before = action(55);
    let (event, count) = counting(&base, 55);
    let ours = set_action(55, &their_action());
    set_action(55, &ours);

    raise_here(55);
    base.run(POLL).unwrap();
    assert_eq!((count.get(), THEIRS[55].load(Ordering::SeqCst)), (1, 0));

    drop(event);
    assert_eq!(action(55), before);
}

#[test]
fn our_handler_is_ours_though_other_code_has_changed_its_flags() {
    let base = base();
    let before = action(36);
    let (event, _count) = counting(&base, 36);
    // The change that siginterrupt(3) makes.
    let mut changed = whole_action(36);
    changed.sa_flags &= !libc::SA_RESTART;
    set_action(36, &changed);

    drop(event);

    assert_eq!(action(36), before);
}

#[test]
fn an_event_added_again_takes_the_signal_back_until_it_ends() {
    let base = base();
    let before = whole_action(56);
    let (event, count) = counting(&base, 56);
    let ours = action(56);
    set_action(56, &their_action());
    let heard = |told, theirs| {
        raise_here(56);
        base.run(POLL).unwrap();
        assert_eq!((count.get(), THEIRS[56].load(Ordering::SeqCst)), (told, theirs));
    };
    event.add(None).unwrap();
    heard(0, 1); // it was pending already

    event.del();
    event.add(None).unwrap();
    assert_eq!(action(56), ours);
    heard(1, 1);

    event.del();
    heard(1, 2);
    set_action(56, &before);
}

#[test]
fn our_handler_put_back_when_the_event_has_ended_is_harmless_and_no_previous_action() {
    let base = base();
    let before = action(37);
    let (event, count) = counting(&base, 37);
    let ours = set_action(37, &their_action());
    event.del();
    set_action(37, &ours);

    raise_here(37);
    base.run(POLL).unwrap();
    assert_eq!(count.get(), 0, "counted nowhere");

    event.add(None).unwrap();
    raise_here(37);
    base.run(POLL).unwrap();
    assert_eq!(count.get(), 1);
    event.del();
    assert_eq!(action(37), before);
}

#[test]
fn other_code_that_takes_the_signal_while_the_event_ends_has_it() {
    static ROUND: AtomicUsize = AtomicUsize::new(0);
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let wait = |counter: &AtomicUsize, until| {
        while counter.load(Ordering::SeqCst) < until {
            std::thread::yield_now();
        }
    };
    let rounds = rounds(1_000, 100_000);
    let other = std::thread::spawn(move || {
        for round in 1..=rounds {
            wait(&ROUND, round);
            for _ in 0..round % 64 {
                std::hint::spin_loop(); // at one moment or another
            }
            set_action(38, &their_action());
            TAKEN.store(round, Ordering::SeqCst);
        }
    });
    let base = base();
    let before = whole_action(38);
    let event = Event::signal(&base, 38, |_, _| ()).unwrap();

    let mut lost = 0;
    for round in 1..=rounds {
        set_action(38, &before);
        event.add(None).unwrap();
        ROUND.store(round, Ordering::SeqCst);
        event.del();
        wait(&TAKEN, round);
        lost += usize::from(action(38) != their_action().sa_sigaction);
    }

    other.join().unwrap();
    set_action(38, &before);
    assert_eq!(lost, 0, "of {rounds}");
}

#[test]
fn a_callback_of_a_signal_that_panics_is_not_called_again_until_it_is_added() {
    let base = base();
    let event = Event::signal(&base, 57, |_, signal| panic!("on purpose: {signal}")).unwrap();
    for _ in 0..2 {
        event.add(None).unwrap();
        raise_here(57);
        raise_here(57);
        let run = std::panic::AssertUnwindSafe(|| base.run(POLL));
        assert!(std::panic::catch_unwind(run).is_err());
        assert!(!event.pending(Event::SIGNAL));
        base.run(POLL).unwrap();
    }
}
