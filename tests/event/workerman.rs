//! An event-loop library ported method by method: Workerman's `Events\Event`, which stands on PHP's extension. `Loop` is
//! the port, in the order and under the names of the original; `workerman.php` plays the same script in PHP.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{common, ms};

/// Dropping an entry ends its event: PHP's `$event->del(); unset($this->readEvents[$fdKey])` is one `remove` here.
type Events<K> = Rc<RefCell<BTreeMap<K, Event>>>;

pub(crate) struct Loop {
    event_base: EventBase,
    read_events: Events<RawFd>,
    write_events: Events<RawFd>,
    event_signal: Events<i32>,
    event_timer: Events<u64>,
    timer_id: Cell<u64>,
}

impl Loop {
    pub(crate) fn new() -> Result<Loop> {
        Ok(Loop {
            event_base: EventBase::new()?,
            read_events: Events::default(),
            write_events: Events::default(),
            event_signal: Events::default(),
            event_timer: Events::default(),
            timer_id: Cell::new(0),
        })
    }

    fn next_timer(&self) -> u64 {
        self.timer_id.set(self.timer_id.get() + 1);
        self.timer_id.get()
    }

    pub(crate) fn delay(&self, delay: Duration, func: impl FnOnce() + 'static) -> Result<u64> {
        let (id, timers) = (self.next_timer(), Rc::clone(&self.event_timer));
        let mut func = Some(func);
        let event = Event::timer(&self.event_base, move |_| {
            let ended = timers.borrow_mut().remove(&id);
            drop(ended);
            if let Some(func) = func.take() {
                func();
            }
        });
        event.add(delay)?;
        self.event_timer.borrow_mut().insert(id, event);
        Ok(id)
    }

    pub(crate) fn off_delay(&self, id: u64) -> bool {
        remove(&self.event_timer, &id)
    }

    pub(crate) fn repeat(&self, interval: Duration, mut func: impl FnMut() + 'static) -> Result<u64> {
        let id = self.next_timer();
        let event = Event::repeated_timer(&self.event_base, move |_| func());
        event.add(interval)?;
        self.event_timer.borrow_mut().insert(id, event);
        Ok(id)
    }

    pub(crate) fn off_repeat(&self, id: u64) -> bool {
        self.off_delay(id)
    }

    pub(crate) fn on_readable(
        &self,
        stream: &Rc<Socket>,
        mut func: impl FnMut(&Socket) + 'static,
    ) -> Result<()> {
        let what = Event::READ | Event::PERSIST;
        let event = Event::new(&self.event_base, Rc::clone(stream), what, move |_, socket, _| func(socket))?;
        event.add(None)?;
        let old = self.read_events.borrow_mut().insert(stream.as_raw_fd(), event);
        drop(old);
        Ok(())
    }

    pub(crate) fn off_readable(&self, stream: &Socket) -> bool {
        remove(&self.read_events, &stream.as_raw_fd())
    }

    pub(crate) fn on_writable(
        &self,
        stream: &Rc<Socket>,
        mut func: impl FnMut(&Socket) + 'static,
    ) -> Result<()> {
        let what = Event::WRITE | Event::PERSIST;
        let event = Event::new(&self.event_base, Rc::clone(stream), what, move |_, socket, _| func(socket))?;
        event.add(None)?;
        let old = self.write_events.borrow_mut().insert(stream.as_raw_fd(), event);
        drop(old);
        Ok(())
    }

    pub(crate) fn off_writable(&self, stream: &Socket) -> bool {
        remove(&self.write_events, &stream.as_raw_fd())
    }

    pub(crate) fn on_signal(&self, signal: i32, mut func: impl FnMut(i32) + 'static) -> Result<()> {
        let event = Event::signal(&self.event_base, signal, move |_, signal| func(signal))?;
        event.add(None)?;
        let old = self.event_signal.borrow_mut().insert(signal, event);
        drop(old);
        Ok(())
    }

    pub(crate) fn off_signal(&self, signal: i32) -> bool {
        remove(&self.event_signal, &signal)
    }

    pub(crate) fn delete_all_timer(&self) {
        let ended = self.event_timer.take();
        drop(ended);
    }

    pub(crate) fn get_timer_count(&self) -> usize {
        self.event_timer.borrow().len()
    }

    pub(crate) fn run(&self) -> Result<()> {
        self.event_base.dispatch()
    }

    pub(crate) fn stop(&self) {
        self.event_base.exit(None);
    }
}

/// Removes an event, which ends it; whether there was one. It is dropped when the table is not borrowed any more, because
/// its callback may own what uses the table.
fn remove<K: Ord>(events: &Events<K>, key: &K) -> bool {
    let ended = events.borrow_mut().remove(key);
    ended.is_some()
}

/// The same script as in `workerman.php`.
fn script() -> String {
    let said: Rc<RefCell<String>> = Rc::default();
    let say = {
        let said = Rc::clone(&said);
        move |text: &str| {
            said.borrow_mut().push_str(text);
            said.borrow_mut().push('\n');
        }
    };
    let worker = Rc::new(Loop::new().unwrap());
    let (here, there) = common::pair(SOCK_STREAM);
    let (here, there) = (Rc::new(here), Rc::new(there));

    let (inner, own, speak) = (Rc::clone(&worker), Rc::clone(&here), say.clone());
    let read = move |socket: &Socket| {
        let data = socket_read(socket, 100, PHP_BINARY_READ).unwrap();
        speak(&format!("read {}", String::from_utf8_lossy(&data)));
        if data == b"bye" {
            let (again, writes) = (Rc::clone(&inner), speak.clone());
            inner
                .on_writable(&own, move |socket| writes(&format!("writable {}", again.off_writable(socket))))
                .unwrap();
            speak(&format!("off {}", inner.off_readable(socket)));
            speak(&format!("off {}", inner.off_readable(socket)));
        }
    };
    worker.on_readable(&here, read).unwrap();
    for (after, text) in [(30, "hello"), (90, "bye"), (150, "unheard")] {
        let (there, speak) = (Rc::clone(&there), say.clone());
        let write = move || {
            speak(&format!("write {text}"));
            socket_write(&there, text, None).unwrap();
        };
        worker.delay(ms(after), write).unwrap();
    }
    let (inner, speak, mut count) = (Rc::clone(&worker), say.clone(), 0);
    let own = Rc::new(Cell::new(0));
    let id = Rc::clone(&own);
    let tick = move || {
        count += 1;
        speak(&format!("tick {count}"));
        if count == 3 {
            speak(&format!("off {} {}", inner.off_repeat(id.get()), inner.off_repeat(id.get())));
        }
    };
    own.set(worker.repeat(ms(60), tick).unwrap());
    let never = worker.delay(ms(70), || panic!("it is off")).unwrap();
    say(&format!("timers {}", worker.get_timer_count()));
    say(&format!("off {} {}", worker.off_delay(never), worker.off_delay(never)));
    let (inner, speak) = (Rc::clone(&worker), say.clone());
    let heard = move |signal| speak(&format!("signal {signal} {}", inner.off_signal(signal)));
    worker.on_signal(libc::SIGUSR2, heard).unwrap();
    let raise = || {
        // SAFETY: the call takes a number; the signal has a handler.
        unsafe { libc::raise(libc::SIGUSR2) };
    };
    worker.delay(ms(210), raise).unwrap();
    let (inner, speak) = (Rc::clone(&worker), say.clone());
    let end = move || {
        speak(&format!("timers {}", inner.get_timer_count()));
        inner.delete_all_timer();
        speak(&format!("timers {}", inner.get_timer_count()));
        inner.stop();
    };
    worker.delay(ms(250), end).unwrap();
    worker.delay(Duration::from_secs(60), || panic!("the loop is over")).unwrap();

    worker.run().unwrap();

    // Callbacks that own the loop, as here, hold it and its signal for ever: PHP's collector of cycles is not here.
    worker.event_base.free();
    say("end");
    said.take()
}

#[test]
fn the_ported_loop_does_what_its_original_does_in_php() {
    let php = || common::printed(common::php_command().arg(common::root().join("tests/event/workerman.php")));

    // On a busy machine two times of the script may come up at once: again.
    let mut results = (0..5).map(|_| (script(), php()));
    let (ours, theirs) = results.find(|(ours, theirs)| ours == theirs).unwrap_or_else(|| (script(), php()));

    assert_eq!(ours, theirs);
    assert!(ours.starts_with("timers") && ours.ends_with("timers 1\ntimers 0\nend\n"), "{ours}");
}

const CLIENTS: usize = 1000;
const SLOW: usize = 4 << 20;

/// Echoes until the end of the stream. Bytes that the kernel does not take wait for `on_writable`.
fn echo(worker: &Rc<Loop>, client: Socket) {
    socket_set_nonblock(&client).unwrap();
    let client = Rc::new(client);
    let waiting: Rc<RefCell<Vec<u8>>> = Rc::default();
    let (inner, own) = (Rc::clone(worker), Rc::clone(&client));
    let read = move |socket: &Socket| {
        let data = socket_read(socket, 65536, PHP_BINARY_READ).unwrap_or_default();
        if data.is_empty() {
            inner.off_writable(socket);
            inner.off_readable(socket);
            return;
        }
        let idle = waiting.borrow().is_empty();
        waiting.borrow_mut().extend(data);
        if idle && !flush(socket, &waiting) {
            let (again, rest) = (Rc::clone(&inner), Rc::clone(&waiting));
            let write = move |socket: &Socket| {
                if flush(socket, &rest) {
                    again.off_writable(socket);
                }
            };
            inner.on_writable(&own, write).unwrap();
        }
    };
    worker.on_readable(&client, read).unwrap();
}

/// Whether all was sent.
fn flush(socket: &Socket, waiting: &RefCell<Vec<u8>>) -> bool {
    let mut waiting = waiting.borrow_mut();
    let count = socket_write(socket, &waiting[..], None).unwrap_or(0);
    waiting.drain(..count);
    waiting.is_empty()
}

fn fill(socket: &Socket, total: usize, byte: u8) {
    let mut left = total;
    while left > 0 {
        left -= socket_write(socket, vec![byte; left.min(65536)], None).unwrap();
    }
}

fn expect(socket: &Socket, total: usize, byte: u8) {
    let mut left = total;
    while left > 0 {
        let data = socket_read(socket, left.min(65536), PHP_BINARY_READ).unwrap();
        assert!(!data.is_empty() && data.iter().all(|other| *other == byte));
        left -= data.len();
    }
}

#[test]
fn the_ported_loop_serves_a_thousand_clients_beside_one_that_does_not_read() {
    common::raise_descriptor_limit();
    let worker = Rc::new(Loop::new().unwrap());
    let listener = Rc::new(socket_create_listen(0, SOMAXCONN).unwrap());
    let port = socket_getsockname(&listener).unwrap().port;
    let (inner, come) = (Rc::clone(&worker), Rc::new(Cell::new(0)));
    let count = Rc::clone(&come);
    worker
        .on_readable(&listener, move |listener| {
            echo(&inner, socket_accept(listener).unwrap());
            count.set(count.get() + 1);
        })
        .unwrap();
    let done = std::thread::spawn(move || {
        let connect = || {
            let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
            socket_connect(&socket, "127.0.0.1", port).unwrap();
            socket
        };
        let slow = connect();
        // All of it is on its way before any of it is read.
        fill(&slow, SLOW, b's');
        let clients: Vec<Socket> = (0..CLIENTS).map(|_| connect()).collect();
        for _ in 0..3 {
            for (socket, byte) in clients.iter().zip((0..=255).cycle()) {
                fill(socket, 64, byte);
            }
            for (socket, byte) in clients.iter().zip((0..=255).cycle()) {
                expect(socket, 64, byte);
            }
        }
        expect(&slow, SLOW, b's');
        drop(clients);
    });
    // Ends when all but the listener are gone.
    let inner = Rc::clone(&worker);
    let watch = move || {
        if done.is_finished() && inner.read_events.borrow().len() == 1 {
            inner.stop();
        }
    };
    worker.repeat(ms(5), watch).unwrap();
    worker.delay(Duration::from_secs(60), || panic!("the clients are not served")).unwrap();

    worker.run().unwrap();

    assert_eq!(come.get(), CLIENTS + 1);
    assert!(worker.write_events.borrow().is_empty());
    worker.event_base.free();
}
