//! Plays programs of events, one step a line, and prints what PHP's extension would print. `programs/` has the programs
//! (`.t`) and what PHP's extension 3.1.5 on libevent 2.1.12 printed (`.real`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

const LETTERS: [(char, i32); 6] = [('T', 1), ('R', 2), ('W', 4), ('S', 8), ('P', 16), ('E', 32)];

fn bits(what: i32) -> String {
    let text: String = LETTERS.iter().filter(|(_, bit)| what & bit != 0).map(|(letter, _)| *letter).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

fn flags(text: &str) -> i32 {
    LETTERS.iter().filter(|(letter, _)| text.contains(*letter)).map(|(_, bit)| bit).sum()
}

struct Player {
    output: RefCell<File>,
    base: EventBase,
    events: RefCell<HashMap<String, Rc<Event>>>,
    sockets: RefCell<HashMap<String, Rc<Socket>>>,
    /// The steps of a callback, by its event and the number of its call.
    steps: RefCell<HashMap<(String, String), Vec<String>>>,
    calls: RefCell<HashMap<String, usize>>,
    total: Cell<usize>,
    /// To how many milliseconds times are rounded, 0 for no times.
    times: Cell<u32>,
    begin: Cell<Instant>,
    in_child: Cell<bool>,
}

/// `LIMIT` ends a program that calls for ever.
const LIMIT: usize = 150;

#[allow(clippy::needless_pass_by_value, reason = "a result is made to be given to it")]
fn ended<T>(result: Result<T>) -> String {
    if result.is_ok() { "ok" } else { "fail" }.to_owned()
}

/// Milliseconds of a program; what is below zero is long ago.
fn time(text: &str) -> Duration {
    Duration::try_from_secs_f64(text.parse::<f64>().unwrap() / 1000.0).unwrap_or(Duration::from_micros(1))
}

impl Player {
    fn print(&self, line: &str) {
        writeln!(self.output.borrow_mut(), "{line}").unwrap();
    }

    fn elapsed(&self) -> u32 {
        let times = f64::from(self.times.get());
        let elapsed = self.begin.get().elapsed().as_secs_f64() * 1000.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let elapsed = ((elapsed / times).round() * times) as u32;
        elapsed
    }

    fn called(self: &Rc<Player>, name: &str, what: &str) {
        let count = {
            let mut calls = self.calls.borrow_mut();
            let count = calls.entry(name.to_owned()).or_default();
            *count += 1;
            *count
        };
        let at = if self.times.get() == 0 { String::new() } else { format!(" @{}", self.elapsed()) };
        self.print(&format!("cb {name} {what} #{count}{at}"));
        self.total.set(self.total.get() + 1);
        if self.total.get() > LIMIT {
            self.print("LIMIT");
            std::process::exit(0);
        }
        let key = |call: String| (name.to_owned(), call);
        let steps = self.steps.borrow();
        let steps = steps.get(&key(count.to_string())).or_else(|| steps.get(&key("*".to_owned()))).cloned();
        for step in steps.unwrap_or_default() {
            self.step(&step);
        }
    }

    /// A callback of an event.
    fn calls(self: &Rc<Player>, name: &str) -> impl Fn(&str) + use<> {
        // The base holds the callbacks and the player the base: the process ends before that matters.
        let (player, name) = (Rc::clone(self), name.to_owned());
        move |what| player.called(&name, what)
    }

    fn socket(&self, name: &str) -> Rc<Socket> {
        Rc::clone(&self.sockets.borrow()[name])
    }

    fn run(&self, name: &str, flags: i32) {
        self.print(&format!("{name} {{"));
        let ran = ended(self.base.run(flags));
        self.print(&format!("}} {ran} got={}", self.got()));
    }

    fn got(&self) -> String {
        format!("{}{}", u8::from(self.base.got_exit()), u8::from(self.base.got_stop()))
    }

    #[allow(clippy::too_many_lines, reason = "one arm for each word of the language")]
    fn step(self: &Rc<Player>, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |position: usize| words.get(position).copied();
        let name = word(1).unwrap_or("");
        let number = |position: usize| word(position).map(|text| text.parse::<i32>().unwrap());
        let event = || self.events.borrow().get(name).cloned();
        let result = match words[0] {
            "times" => {
                self.times.set(name.parse().unwrap());
                return self.begin.set(Instant::now());
            }
            "mark" => return self.begin.set(Instant::now()),
            "elapsed" => self.elapsed().to_string(),
            "pair" => {
                let (first, second) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0).unwrap();
                for (end, socket) in [first, second].into_iter().enumerate() {
                    socket_set_nonblock(&socket).unwrap();
                    self.sockets.borrow_mut().insert(format!("{name}.{end}"), Rc::new(socket));
                }
                "ok".to_owned()
            }
            "ev" => {
                let (socket, call) = (self.socket(words[2]), self.calls(name));
                let what = flags(words[3]);
                let event = Event::new(&self.base, socket, what, move |_, _, what| call(&bits(what)));
                self.keep(name, event)
            }
            "timer" => {
                let call = self.calls(name);
                self.keep(name, Ok(Event::timer(&self.base, move |_| call("t"))))
            }
            "rtimer" => {
                let call = self.calls(name);
                self.keep(name, Ok(Event::repeated_timer(&self.base, move |_| call("t"))))
            }
            "sig" => {
                let call = self.calls(name);
                let signal = number(2).unwrap();
                self.keep(
                    name,
                    Event::signal(&self.base, signal, move |_, number| call(&format!("s{number}"))),
                )
            }
            "add" => event().map_or("none".to_owned(), |event| ended(event.add(word(2).map(time)))),
            "del" => event().map_or("none".to_owned(), |event| {
                event.del();
                "ok".to_owned()
            }),
            "free" | "drop" => {
                let event = self.events.borrow_mut().remove(name);
                drop(event);
                "ok".to_owned()
            }
            "pend" => event().map_or("none".to_owned(), |event| {
                bits([1, 2, 4, 8].into_iter().filter(|bit| event.pending(*bit)).sum())
            }),
            "prio" => {
                event().map_or("none".to_owned(), |event| ended(event.set_priority(number(2).unwrap())))
            }
            "pinit" => ended(self.base.priority_init(number(1).unwrap())),
            "loop" => return self.run(line, number(1).unwrap()),
            "disp" => return self.run(line, 0),
            "exit" => {
                self.base.exit(if name.is_empty() { None } else { Some(time(name)) });
                "ok".to_owned()
            }
            "stop" => {
                self.base.stop();
                "ok".to_owned()
            }
            "resume" => {
                self.base.resume();
                "ok".to_owned()
            }
            "got" => self.got(),
            "wr" => {
                let data = vec![b'x'; word(2).map_or(1, |text| text.parse().unwrap())];
                let written = socket_write(&self.socket(name), &data, None);
                written.map_or("fail".to_owned(), |count| count.to_string())
            }
            "rd" => {
                let most = word(2).map_or(100_000, |text| text.parse().unwrap());
                let data = socket_read(&self.socket(name), most, PHP_BINARY_READ);
                data.map_or("fail".to_owned(), |data| data.len().to_string())
            }
            "fill" => {
                while socket_write(&self.socket(name), vec![b'x'; 65536], None).is_ok() {}
                "ok".to_owned()
            }
            "shut" => ended(socket_shutdown(&self.socket(name), number(2).unwrap_or(2))),
            "close" => {
                let closed = self.sockets.borrow_mut().remove(name);
                drop(closed);
                "ok".to_owned()
            }
            "kill" => {
                // To this thread: another one, which the test harness has, would take the signal some time later.
                // SAFETY: the call takes a number; the signal has a handler.
                unsafe { libc::raise(number(1).unwrap()) };
                "ok".to_owned()
            }
            "sleep" => {
                let until = Instant::now() + time(name);
                while let Some(left) = until.checked_duration_since(Instant::now()) {
                    std::thread::sleep(left.max(Duration::from_nanos(1)));
                }
                return;
            }
            "fork" => {
                // SAFETY: the call takes nothing. The child goes on as this thread alone, which holds no lock.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    self.in_child.set(true);
                    self.print("child");
                } else {
                    let mut status = 0;
                    // SAFETY: `status` outlives the call, which writes it.
                    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                    assert!(libc::WIFEXITED(status), "a signal ended the child: {}", libc::WTERMSIG(status));
                    self.print(&format!("parent: child ended {}", libc::WEXITSTATUS(status)));
                }
                "ok".to_owned()
            }
            "inchild" | "inparent" => {
                if (words[0] == "inchild") == self.in_child.get() {
                    self.step(&words[1..].join(" "));
                }
                return;
            }
            "endchild" => {
                if self.in_child.get() {
                    // SAFETY: the call takes a number. Functions registered for `exit` are the parent's.
                    unsafe { libc::_exit(0) };
                }
                return;
            }
            "reinit" => ended(self.base.re_init()),
            "cached" => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
                let age = self.base.get_time_of_day_cached() - now;
                if age.abs() < 0.02 {
                    "now"
                } else if age < 0.0 {
                    "past"
                } else {
                    "future"
                }
                .to_owned()
            }
            "update" => {
                self.base.update_cache_time();
                "ok".to_owned()
            }
            "freebase" => {
                self.base.free();
                "ok".to_owned()
            }
            other => panic!("{other}?"),
        };
        self.print(&format!("{line} -> {result}"));
    }

    fn keep(&self, name: &str, event: Result<Event>) -> String {
        let result = if event.is_ok() { "ok" } else { "fail" };
        if let Ok(event) = event {
            // The old one of this name is dropped when the table is not borrowed any more.
            let old = self.events.borrow_mut().insert(name.to_owned(), Rc::new(event));
            drop(old);
        }
        result.to_owned()
    }
}

/// Plays one program in this process.
pub(crate) fn play(program: &str, output: File) {
    let player = Rc::new(Player {
        output: RefCell::new(output),
        base: EventBase::new().unwrap(),
        events: RefCell::default(),
        sockets: RefCell::default(),
        steps: RefCell::default(),
        calls: RefCell::default(),
        total: Cell::new(0),
        times: Cell::new(0),
        begin: Cell::new(Instant::now()),
        in_child: Cell::new(false),
    });
    for line in program.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((head, body)) = line.strip_prefix("on ").and_then(|line| line.split_once(':')) {
            let (name, call) = head.split_once(' ').unwrap();
            let steps = body.split(';').map(|step| step.trim().to_owned()).filter(|step| !step.is_empty());
            player.steps.borrow_mut().insert((name.to_owned(), call.trim().to_owned()), steps.collect());
        } else {
            player.step(line);
        }
    }
    player.print("end");
}
