//! Where a scenario plays: it marks what a trace is to look at, and notes what came of it.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use php_sockets::*;
use serde_json::{Value, json};

/// The notes of one play.
pub(crate) struct Stage {
    /// How many descriptors were open at the beginning.
    open: isize,
    error: RefCell<Option<Value>>,
    value: RefCell<String>,
    slots: Cell<(c_int, Option<c_int>)>,
    left: Cell<isize>,
    microseconds: Cell<i64>,
    lost: RefCell<Vec<String>>,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage {
            open: open(),
            error: RefCell::default(),
            value: RefCell::default(),
            slots: Cell::default(),
            left: Cell::default(),
            microseconds: Cell::default(),
            lost: RefCell::default(),
        }
    }

    /// Calls the function that the scenario is about. `socket` is the one whose error slot matters.
    pub(crate) fn call<'a, T>(
        &self,
        socket: impl Into<Option<&'a Socket>>,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let socket = socket.into();
        socket_clear_error(None);
        if let Some(socket) = socket {
            socket_clear_error(socket);
        }
        let (open_before, time_before) = (open(), cpu_time());

        mark(b"begin");
        let result = act();
        mark(b"end");

        self.slots.set((socket_last_error(None), socket.map(socket_last_error)));
        self.microseconds.set(cpu_time() - time_before);
        if let Err(error) = &result {
            self.left.set(open() - open_before);
            let kind = format!("{:?}", error.kind());
            let site = error.site().message;
            *self.error.borrow_mut() =
                Some(json!({"text": error.to_string(), "code": error.code(), "kind": kind, "site": site}));
        }
        result
    }

    /// The same for a function that has no error.
    pub(crate) fn plain<T>(&self, act: impl FnOnce() -> T) -> T {
        self.call(None, || Ok(act())).unwrap_or_else(|_| unreachable!("it is Ok"))
    }

    /// The function's result, as far as it is the same every time.
    pub(crate) fn value(&self, value: impl std::fmt::Debug) {
        *self.value.borrow_mut() = format!("{value:?}");
    }

    /// Whatever happened, this is so.
    pub(crate) fn keep(&self, what: &str, is_so: bool) {
        if !is_so {
            self.lost.borrow_mut().push(what.to_owned());
        }
    }

    /// The notes. All that the scenario opened is closed by now.
    pub(crate) fn end(self) -> Value {
        let (thread, own) = self.slots.get();
        json!({
            "error": self.error.take(),
            "value": self.value.take(),
            "thread": thread,
            "own": own,
            "left": self.left.get(),
            "left_in_the_end": open() - self.open,
            "microseconds": self.microseconds.get(),
            "lost": self.lost.take(),
        })
    }
}

/// A system call that does nothing and that a trace shows.
fn mark(text: &'static [u8]) {
    // SAFETY: the text outlives the call, which reads nothing: −1 is no descriptor.
    unsafe { libc::write(-1, text.as_ptr().cast(), text.len()) };
}

/// How many descriptors are open, that which looks included.
fn open() -> isize {
    std::fs::read_dir("/proc/self/fd").expect("the table").map(|_| 1).sum()
}

/// The processor time that this process has had, in microseconds.
fn cpu_time() -> i64 {
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) }, 0);
    let microseconds = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
}

/// Another thread, which does something as soon as this one waits in one of these system calls.
pub(crate) struct Helper<T> {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<(File, Option<T>)>>,
}

impl<T: Send + 'static> Helper<T> {
    /// The result of `act` lives as long as the helper, so that the number of descriptors does not change meanwhile.
    pub(crate) fn when_waiting(
        calls: &'static [libc::c_long],
        act: impl FnOnce() -> T + Send + 'static,
    ) -> Helper<T> {
        let task = std::fs::read_link("/proc/thread-self").expect("this thread");
        let state = File::open(std::path::Path::new("/proc").join(task).join("syscall")).expect("its state");
        let over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !flag.load(Ordering::SeqCst) {
                let mut text = [0; 16];
                let count = state.read_at(&mut text, 0).unwrap_or(0);
                let first = text[..count].split(|byte| *byte == b' ').next().unwrap_or_default();
                let number = std::str::from_utf8(first).ok().and_then(|text| text.parse().ok());
                if number.is_some_and(|number| calls.contains(&number)) {
                    return (state, Some(act()));
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            (state, None)
        });
        Helper { over, thread: Some(thread) }
    }
}

impl<T> Drop for Helper<T> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
