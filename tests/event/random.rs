//! Random programs, of which a model says what may happen and what must.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use proptest::prelude::*;

use crate::{base, common};

const EVENTS: usize = 5;
const FAR: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
enum Op {
    /// Adds an event, with no time, with none left, with an hour.
    Add(usize, Option<Duration>),
    Del(usize),
    Drop(usize),
    /// Makes the event anew, on one of the sockets, if it was dropped.
    Make(usize, usize, i32),
    Write(usize),
    Read(usize),
    /// Replaces a socket and its peer. Events keep the old one.
    Renew(usize),
    ClosePeer(usize),
    Exit,
    Stop,
    Panic,
    Run,
}

fn op() -> impl Strategy<Value = Op> {
    let event = 0..EVENTS;
    let time = prop_oneof![Just(None), Just(Some(Duration::ZERO)), Just(Some(FAR))];
    let what = (0..8_i32).prop_map(|bits| {
        let bit = |n: i32, flag| if bits >> n & 1 == 1 { flag } else { 0 };
        bit(0, Event::READ) | bit(1, Event::WRITE) | bit(2, Event::PERSIST)
    });
    prop_oneof![
        6 => (event.clone(), time).prop_map(|(event, time)| Op::Add(event, time)),
        2 => event.clone().prop_map(Op::Del),
        2 => event.clone().prop_map(Op::Drop),
        3 => (event, 0..2_usize, what).prop_map(|(event, socket, what)| Op::Make(event, socket, what)),
        3 => (0..2_usize).prop_map(Op::Write),
        2 => (0..2_usize).prop_map(Op::Read),
        1 => (0..2_usize).prop_map(Op::Renew),
        1 => (0..2_usize).prop_map(Op::ClosePeer),
        1 => Just(Op::Exit),
        1 => Just(Op::Stop),
        1 => Just(Op::Panic),
        4 => Just(Op::Run),
    ]
}

/// A socket, its peer, and whether it can be read from.
struct Wire {
    socket: Rc<Socket>,
    peer: RefCell<Option<Socket>>,
    readable: Cell<bool>,
}

fn wire() -> Rc<Wire> {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&here).unwrap();
    Rc::new(Wire { socket: Rc::new(here), peer: RefCell::new(Some(there)), readable: Cell::new(false) })
}

/// What the model knows of an event.
#[derive(Clone, Default)]
struct Model {
    wire: Option<Rc<Wire>>,
    what: i32,
    inserted: bool,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    active: i32,
}

impl Model {
    fn del(&mut self) {
        *self = Model { wire: self.wire.take(), what: self.what, ..Model::default() };
    }

    fn pending(&self) -> i32 {
        let watched = if self.inserted { self.what & (Event::READ | Event::WRITE) } else { 0 };
        watched | self.active | if self.deadline.is_some() { Event::TIMEOUT } else { 0 }
    }
}

struct World {
    wires: RefCell<Vec<Rc<Wire>>>,
    events: RefCell<Vec<Option<Event>>>,
    models: RefCell<Vec<Model>>,
    /// What callbacks do, one after the other.
    inside: RefCell<Vec<Op>>,
    exit: Cell<bool>,
    stop: Cell<bool>,
    panicked: Cell<bool>,
    running: Cell<bool>,
}

fn called(world: &Rc<World>, base: &EventBase, index: usize, what: i32) {
    assert!(!world.stop.get(), "nothing is called after stop");
    {
        let mut models = world.models.borrow_mut();
        let model = &mut models[index];
        assert_eq!(model.active, what, "event {index} is called with what has happened, once");
        model.active = 0;
        if model.what & Event::PERSIST == 0 {
            model.del();
        } else if model.timeout.is_some_and(|time| !time.is_zero()) {
            model.deadline = model.timeout;
        }
    }
    let next = world.inside.borrow_mut().pop();
    if let Some(next) = next {
        play(world, base, &next);
    }
}

fn play(world: &Rc<World>, base: &EventBase, op: &Op) {
    let model = |index: usize, change: &dyn Fn(&mut Model)| change(&mut world.models.borrow_mut()[index]);
    match *op {
        Op::Add(index, time) => {
            let events = world.events.borrow();
            let Some(event) = &events[index] else { return };
            event.add(time).unwrap();
            model(index, &|model| {
                model.inserted = model.what & (Event::READ | Event::WRITE) != 0;
                if time.is_some() {
                    model.active &= !Event::TIMEOUT;
                }
                model.timeout = time.or(model.timeout);
                model.deadline = time.or(model.deadline);
            });
        }
        Op::Del(index) => {
            let events = world.events.borrow();
            let Some(event) = &events[index] else { return };
            event.del();
            model(index, &Model::del);
        }
        Op::Drop(index) => {
            let event = world.events.borrow_mut()[index].take();
            drop(event);
            model(index, &|model| *model = Model::default());
        }
        Op::Make(index, wire, what) => {
            if world.events.borrow()[index].is_some() {
                return;
            }
            let wire = Rc::clone(&world.wires.borrow()[wire]);
            let inner = Rc::clone(world);
            let event = Event::new(base, Rc::clone(&wire.socket), what, move |base, _, what| {
                called(&inner, base, index, what);
            });
            model(index, &|model| *model = Model { wire: Some(Rc::clone(&wire)), what, ..Model::default() });
            world.events.borrow_mut()[index] = Some(event.unwrap());
        }
        Op::Write(wire) => {
            let wire = &world.wires.borrow()[wire];
            if let Some(peer) = &*wire.peer.borrow() {
                socket_write(peer, "x", None).unwrap();
                wire.readable.set(true);
            }
        }
        Op::Read(wire) => {
            let wire = &world.wires.borrow()[wire];
            let _ = socket_read(&wire.socket, 1000, PHP_BINARY_READ);
            wire.readable.set(wire.peer.borrow().is_none());
        }
        Op::Renew(index) => world.wires.borrow_mut()[index] = wire(),
        Op::ClosePeer(wire) => {
            let wire = &world.wires.borrow()[wire];
            if let Some(peer) = wire.peer.take() {
                // A child process that another test starts has a copy of it for a moment, until it executes its program.
                socket_shutdown(&peer, 2).unwrap();
            }
            wire.readable.set(true);
        }
        Op::Exit => {
            base.exit(None);
            world.exit.set(true);
        }
        Op::Stop => {
            base.stop();
            world.stop.set(world.running.get());
        }
        Op::Panic if world.running.get() => {
            world.panicked.set(true);
            resume_unwind(Box::new("on purpose"));
        }
        Op::Run if world.running.get() => assert!(base.run(0).is_err()),
        Op::Run => run(world, base),
        Op::Panic => (),
    }
}

fn run(world: &Rc<World>, base: &EventBase) {
    for model in world.models.borrow_mut().iter_mut() {
        let Some(wire) = model.wire.as_ref().filter(|_| model.inserted || model.deadline.is_some()) else {
            continue;
        };
        if model.inserted {
            let closed = wire.peer.borrow().is_none();
            let read = if wire.readable.get() || closed { Event::READ } else { 0 };
            model.active |= model.what & (read | Event::WRITE);
        }
        if model.deadline == Some(Duration::ZERO) {
            model.deadline = None;
            if model.active == 0 {
                model.active = Event::TIMEOUT;
            }
        }
    }
    world.stop.set(false);
    world.panicked.set(false);
    world.running.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| base.run(EventBase::LOOP_NONBLOCK)));
    world.running.set(false);

    match result {
        Ok(result) => result.unwrap(),
        Err(payload) if !world.panicked.get() => resume_unwind(payload),
        Err(_) => {
            assert!(!base.got_exit());
            return;
        }
    }
    assert_eq!(base.got_stop(), world.stop.get());
    if world.stop.get() {
        return;
    }
    assert_eq!(base.got_exit(), world.exit.replace(false));
    for (index, model) in world.models.borrow().iter().enumerate() {
        assert_eq!(model.active, 0, "event {index} was not called");
    }
}

fn program(outside: &[Op], inside: Vec<Op>) {
    let base = base();
    let world = Rc::new(World {
        wires: RefCell::new(vec![wire(), wire()]),
        events: RefCell::new((0..EVENTS).map(|_| None).collect()),
        models: RefCell::new(vec![Model::default(); EVENTS]),
        inside: RefCell::new(inside),
        exit: Cell::new(false),
        stop: Cell::new(false),
        panicked: Cell::new(false),
        running: Cell::new(false),
    });
    for index in 0..EVENTS {
        let what = [Event::READ, Event::WRITE, Event::READ | Event::PERSIST, Event::PERSIST, 6][index];
        play(&world, &base, &Op::Make(index, index % 2, what));
    }
    for op in outside {
        play(&world, &base, op);
        for (event, model) in world.events.borrow().iter().zip(world.models.borrow().iter()) {
            for flag in [Event::READ, Event::WRITE, Event::TIMEOUT] {
                let pending = event.as_ref().is_some_and(|event| event.pending(flag));
                assert_eq!(pending, model.pending() & flag != 0, "{flag} after {op:?}");
            }
        }
    }
    drop(base);
    assert_eq!(Rc::strong_count(&world), 1, "no callback is left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_programs_do_what_the_model_says(
        outside in prop::collection::vec(op(), 1..25),
        inside in prop::collection::vec(op(), 0..15),
    ) {
        program(&outside, inside);
    }
}
