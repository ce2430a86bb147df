//! Random programs, played twice: by the module and by a model that has libevent's rules and the kernel's order of what
//! is ready, in plain lists.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use proptest::prelude::*;

use crate::{POLL, base, common};

const EVENTS: usize = 6;
const PRIORITIES: usize = 3;
const FAR: Duration = Duration::from_secs(3600);
/// After so many calls a callback stops the loop: an urgent event that stays ready starves the others for ever.
const CALLS: usize = 40;

const READ: i32 = Event::READ;
const WRITE: i32 = Event::WRITE;
const PERSIST: i32 = Event::PERSIST;
const TIMEOUT: i32 = Event::TIMEOUT;

#[derive(Clone, Debug)]
enum Op {
    /// Adds an event, with no time, with none left, with an hour.
    Add(usize, Option<Duration>),
    Del(usize),
    Drop(usize),
    /// Makes the event anew, on one of the wires, if it was dropped.
    Make(usize, usize, i32),
    Priority(usize, usize),
    Write(usize),
    Read(usize),
    ClosePeer(usize),
    Exit,
    Stop,
    Resume,
    Panic,
    /// One round, or rounds as long as something is ready.
    Run(bool),
}

const WIRES: usize = 3;

fn op() -> impl Strategy<Value = Op> {
    let event = 0..EVENTS;
    let time = prop_oneof![3 => Just(None), 1 => Just(Some(Duration::ZERO)), 1 => Just(Some(FAR))];
    let what = (0..8_i32).prop_map(|bits| {
        let bit = |n: i32, flag| if bits >> n & 1 == 1 { flag } else { 0 };
        bit(0, READ) | bit(1, WRITE) | bit(2, PERSIST)
    });
    prop_oneof![
        6 => (event.clone(), time).prop_map(|(event, time)| Op::Add(event, time)),
        2 => event.clone().prop_map(Op::Del),
        1 => event.clone().prop_map(Op::Drop),
        2 => (event.clone(), 0..WIRES, what).prop_map(|(event, wire, what)| Op::Make(event, wire, what)),
        2 => (event, 0..PRIORITIES + 1).prop_map(|(event, priority)| Op::Priority(event, priority)),
        3 => (0..WIRES).prop_map(Op::Write),
        2 => (0..WIRES).prop_map(Op::Read),
        1 => (0..WIRES).prop_map(Op::ClosePeer),
        1 => Just(Op::Exit),
        1 => Just(Op::Stop),
        1 => Just(Op::Resume),
        1 => Just(Op::Panic),
        4 => any::<bool>().prop_map(Op::Run),
    ]
}

/// The story in words: the calls, and the results of some steps.
type Story = Vec<String>;

/// An event of the model: libevent's `struct event`.
#[derive(Clone, Default)]
struct Model {
    wire: usize,
    what: i32,
    priority: usize,
    inserted: bool,
    active: i32,
    /// `ev_io_timeout` is an hour.
    repeats: bool,
    /// When its time-out ends: an hour from now or not, and its number among all.
    timed: Option<(bool, usize)>,
}

/// A socket in the model's kernel.
#[derive(Clone, Default)]
struct Wire {
    readable: bool,
    closed: bool,
    /// Its events, from the one added last.
    events: Vec<usize>,
}

/// The number of `exit` in the queues.
const EXIT: usize = usize::MAX;

#[allow(clippy::struct_excessive_bools, reason = "as in libevent")]
#[derive(Default)]
struct Base {
    events: Vec<Option<Model>>,
    wires: Vec<Wire>,
    /// Epoll's list of the sockets that may be ready.
    ready: Vec<usize>,
    queues: Vec<Vec<usize>>,
    running: Option<usize>,
    in_loop: bool,
    count: usize,
    exit: bool,
    stop: bool,
    resume: bool,
    inside: Vec<Op>,
    calls: usize,
    story: Story,
}

impl Base {
    fn happened(&self, wire: usize) -> i32 {
        WRITE | if self.wires[wire].readable || self.wires[wire].closed { READ } else { 0 }
    }

    fn mask(&self, wire: usize) -> i32 {
        self.wires[wire]
            .events
            .iter()
            .filter_map(|event| self.events[*event].as_ref())
            .fold(0, |mask, event| mask | event.what & (READ | WRITE))
    }

    /// The kernel has a new reason to look at a socket.
    fn wake(&mut self, wire: usize) {
        if self.mask(wire) & self.happened(wire) != 0 && !self.ready.contains(&wire) {
            self.ready.push(wire);
        }
    }

    fn insert(&mut self, index: usize) {
        let event = self.events[index].as_mut().unwrap();
        event.inserted = true;
        let (wire, what) = (event.wire, event.what);
        let fresh = what & !self.mask(wire) & (READ | WRITE) != 0;
        self.wires[wire].events.insert(0, index);
        if fresh {
            self.wake(wire);
        }
    }

    fn add(&mut self, index: usize, time: Option<Duration>) {
        let event = self.events[index].as_mut().unwrap();
        if event.what & (READ | WRITE) != 0 && !event.inserted && event.active == 0 {
            self.insert(index);
        }
        let Some(time) = time else { return };
        let count = self.count;
        self.count += 1;
        let event = self.events[index].as_mut().unwrap();
        if event.what & PERSIST != 0 {
            event.repeats = time == FAR;
        }
        event.timed = Some((time == FAR, count));
        if event.active & TIMEOUT != 0 {
            event.active = 0;
            self.unqueue(index);
        }
    }

    fn unqueue(&mut self, index: usize) {
        self.queues.iter_mut().for_each(|queue| queue.retain(|other| *other != index));
    }

    fn del(&mut self, index: usize) {
        self.unqueue(index);
        let event = self.events[index].as_mut().unwrap();
        (event.active, event.timed) = (0, None);
        if std::mem::take(&mut event.inserted) {
            let (wire, what) = (event.wire, event.what);
            self.wires[wire].events.retain(|other| *other != index);
            let rest = self.mask(wire);
            if rest == 0 {
                self.ready.retain(|other| *other != wire);
            } else if what & !rest & (READ | WRITE) != 0 {
                self.wake(wire);
            }
        }
    }

    fn activate(&mut self, index: usize, what: i32) {
        let mut priority = PRIORITIES / 2;
        if let Some(event) = self.events.get_mut(index) {
            let event = event.as_mut().unwrap();
            let before = event.active;
            event.active |= what;
            if before != 0 {
                return;
            }
            priority = event.priority;
        }
        self.queues[priority].push(index);
        self.resume |= self.running.is_some_and(|running| priority < running);
    }

    fn pending(&self, index: usize) -> i32 {
        let Some(event) = &self.events[index] else { return 0 };
        let watched = if event.inserted { event.what & (READ | WRITE) } else { 0 };
        watched | event.active | if event.timed.is_some() { TIMEOUT } else { 0 }
    }

    fn has_active(&self) -> bool {
        self.queues.iter().any(|queue| !queue.is_empty())
    }

    /// Whether it panics.
    fn run(&mut self, once: bool) -> bool {
        (self.exit, self.stop, self.in_loop) = (false, false, true);
        let panics = self.rounds(once);
        (self.running, self.in_loop) = (None, false);
        panics
    }

    fn rounds(&mut self, once: bool) -> bool {
        while !self.exit && !self.stop {
            self.resume = false;
            if !self.has_active() && (0..EVENTS).all(|index| self.pending(index) == 0) {
                return false;
            }
            self.find();
            if !self.has_active() {
                return false;
            }
            let priority = self.queues.iter().position(|queue| !queue.is_empty()).unwrap();
            self.running = Some(priority);
            while !self.queues[priority].is_empty() {
                let index = self.queues[priority].remove(0);
                if index == EXIT {
                    self.exit = true;
                } else if self.call(index) {
                    self.stop = true;
                    if self.events[index].is_some() {
                        self.del(index);
                    }
                    return true;
                }
                if self.stop || self.resume {
                    break;
                }
            }
            self.running = None;
            if once && !self.has_active() {
                return false;
            }
        }
        false
    }

    fn find(&mut self) {
        for wire in std::mem::take(&mut self.ready) {
            let happened = self.happened(wire);
            if self.mask(wire) & happened != 0 {
                self.ready.push(wire);
                for index in self.wires[wire].events.clone() {
                    let what = self.events[index].as_ref().unwrap().what & happened & (READ | WRITE);
                    if what != 0 {
                        self.activate(index, what);
                    }
                }
            }
        }
        let timed = |index: &usize| self.events[*index].as_ref().and_then(|event| event.timed);
        let mut due: Vec<usize> =
            (0..EVENTS).filter(|index| timed(index).is_some_and(|(far, _)| !far)).collect();
        due.sort_by_key(|index| timed(index));
        for index in due {
            self.del(index);
            self.activate(index, TIMEOUT);
        }
    }

    /// Whether the callback panics.
    fn call(&mut self, index: usize) -> bool {
        let event = self.events[index].as_mut().unwrap();
        let what = std::mem::take(&mut event.active);
        if event.what & PERSIST == 0 {
            self.del(index);
        } else if event.repeats {
            if !event.inserted && event.what & (READ | WRITE) != 0 {
                self.insert(index);
            }
            let event = self.events[index].as_mut().unwrap();
            event.timed = Some((true, self.count));
            self.count += 1;
        }
        self.story.push(format!("{index} {what}"));
        self.calls += 1;
        if self.calls > CALLS {
            self.stop = true;
            return false;
        }
        self.inside.pop().is_some_and(|op| self.play(&op))
    }

    /// Whether it panics.
    fn play(&mut self, op: &Op) -> bool {
        let is_made = |index: usize| self.events[index].is_some();
        match *op {
            Op::Add(index, time) if is_made(index) => self.add(index, time),
            Op::Del(index) if is_made(index) => self.del(index),
            Op::Drop(index) if is_made(index) => {
                self.del(index);
                self.events[index] = None;
            }
            Op::Make(index, wire, what) if !is_made(index) => {
                let priority = PRIORITIES / 2;
                self.events[index] = Some(Model { wire, what, priority, ..Model::default() });
            }
            Op::Priority(index, priority) if is_made(index) => {
                let event = self.events[index].as_mut().unwrap();
                let may = event.active == 0 && priority < PRIORITIES;
                if may {
                    event.priority = priority;
                }
                self.story.push(format!("priority {may}"));
            }
            Op::Write(wire) if !self.wires[wire].closed => {
                self.wires[wire].readable = true;
                self.wake(wire);
            }
            Op::Read(wire) => self.wires[wire].readable = false,
            Op::ClosePeer(wire) => {
                self.wires[wire].closed = true;
                self.wake(wire);
            }
            Op::Exit => self.activate(EXIT, TIMEOUT),
            Op::Stop => self.stop = true,
            Op::Resume => self.resume = true,
            Op::Panic => return self.in_loop,
            Op::Run(once) if !self.in_loop => {
                let panics = self.run(once);
                self.story.push(format!("run {panics} {} {}", self.exit, self.stop));
            }
            _ => {}
        }
        false
    }
}

/// The real thing.
struct World {
    base: EventBase,
    wires: Vec<(Rc<Socket>, Socket, Cell<bool>)>,
    events: RefCell<Vec<Option<Event>>>,
    inside: RefCell<Vec<Op>>,
    in_loop: Cell<bool>,
    calls: Cell<usize>,
    story: RefCell<Story>,
}

impl World {
    fn called(self: &Rc<World>, index: usize, what: i32) {
        self.story.borrow_mut().push(format!("{index} {what}"));
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() > CALLS {
            return self.base.stop();
        }
        let next = self.inside.borrow_mut().pop();
        if let Some(next) = next {
            self.play(&next);
        }
    }

    fn play(self: &Rc<World>, op: &Op) {
        let with = |index: usize, what: &dyn Fn(&Event)| {
            if let Some(event) = &self.events.borrow()[index] {
                what(event);
            }
        };
        match *op {
            Op::Add(index, time) => with(index, &|event| event.add(time).unwrap()),
            Op::Del(index) => with(index, &Event::del),
            Op::Drop(index) => {
                let event = self.events.borrow_mut()[index].take();
                drop(event);
            }
            Op::Make(index, wire, what) => {
                if self.events.borrow()[index].is_some() {
                    return;
                }
                let (socket, inner) = (Rc::clone(&self.wires[wire].0), Rc::clone(self));
                let event = Event::new(&self.base, socket, what, move |_, _, what| inner.called(index, what));
                self.events.borrow_mut()[index] = Some(event.unwrap());
            }
            Op::Priority(index, priority) => with(index, &|event| {
                let may = event.set_priority(i32::try_from(priority).unwrap()).is_ok();
                self.story.borrow_mut().push(format!("priority {may}"));
            }),
            Op::Write(wire) => {
                let (_, peer, closed) = &self.wires[wire];
                if !closed.get() {
                    socket_write(peer, "x", None).unwrap();
                }
            }
            Op::Read(wire) => drop(socket_read(&self.wires[wire].0, 1000, PHP_BINARY_READ)),
            Op::ClosePeer(wire) => {
                let (_, peer, closed) = &self.wires[wire];
                closed.set(true);
                // Not closed: a child process that another test starts has a copy of it for a moment.
                let _ = socket_shutdown(peer, 2);
            }
            Op::Exit => self.base.exit(None),
            Op::Stop => self.base.stop(),
            Op::Resume => self.base.resume(),
            Op::Panic if self.in_loop.get() => resume_unwind(Box::new("on purpose")),
            Op::Run(_) if self.in_loop.get() => assert!(self.base.run(0).is_err()),
            Op::Run(once) => {
                let flags = if once { POLL } else { EventBase::LOOP_NONBLOCK };
                self.in_loop.set(true);
                let run = catch_unwind(AssertUnwindSafe(|| self.base.run(flags).unwrap()));
                self.in_loop.set(false);
                let (panics, base) = (run.is_err(), &self.base);
                self.story.borrow_mut().push(format!("run {panics} {} {}", base.got_exit(), base.got_stop()));
            }
            Op::Panic => (),
        }
    }
}

fn program(outside: &[Op], inside: &[Op]) {
    let base = base();
    base.priority_init(i32::try_from(PRIORITIES).unwrap()).unwrap();
    let wire = |_| {
        let (here, there) = common::pair(SOCK_STREAM);
        socket_set_nonblock(&here).unwrap();
        (Rc::new(here), there, Cell::new(false))
    };
    let world = Rc::new(World {
        base: base.clone(),
        wires: (0..WIRES).map(wire).collect(),
        events: RefCell::new((0..EVENTS).map(|_| None).collect()),
        inside: RefCell::new(inside.to_vec()),
        in_loop: Cell::new(false),
        calls: Cell::new(0),
        story: RefCell::default(),
    });
    let mut model = Base {
        events: vec![None; EVENTS],
        wires: vec![Wire::default(); WIRES],
        queues: vec![Vec::new(); PRIORITIES],
        inside: inside.to_vec(),
        ..Base::default()
    };
    let whats = [READ, WRITE, READ | PERSIST, PERSIST, READ | WRITE, WRITE | PERSIST];
    let makes = whats.iter().enumerate().map(|(index, what)| Op::Make(index, index % WIRES, *what));
    for op in makes.chain(outside.iter().cloned()) {
        world.play(&op);
        model.play(&op);
        assert_eq!(*world.story.borrow(), model.story, "after {op:?}");
        for (index, event) in world.events.borrow().iter().enumerate() {
            for flag in [READ, WRITE, TIMEOUT] {
                let pending = event.as_ref().is_some_and(|event| event.pending(flag));
                assert_eq!(pending, model.pending(index) & flag != 0, "{flag} of {index} after {op:?}");
            }
        }
    }
    base.free();
    assert_eq!(Rc::strong_count(&world), 1, "no callback is left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_programs_do_what_the_model_says(
        outside in prop::collection::vec(op(), 1..25),
        inside in prop::collection::vec(op(), 0..15),
    ) {
        program(&outside, &inside);
    }
}
