//! The time limit of a suite: a call that waits for ever ends the process, with the names of the tests that still run.
//!
//! A suite that has this module has the limit: it starts before `main`, because the test harness has no place for it.

use std::ffi::c_int;
use std::process::Command;
use std::time::Duration;

/// A suite may take so many seconds, whatever else the machine does.
const LIMIT: u64 = 600;
/// Another limit, in seconds.
const SECONDS: &str = "SUITE_SECONDS";
/// Lets the test below wait.
const WAITS: &str = "SUITE_WAITS";

/// No test uses this signal.
const SIGNAL: c_int = libc::SIGXCPU;

/// The C library runs what stands in this section before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let limit = std::env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(LIMIT);
    // A thread takes over this mask: signals of the process are for those of the tests.
    let before = masked(None);
    let watchdog = std::thread::Builder::new().name("watchdog".to_owned());
    let started = watchdog.spawn(move || {
        std::thread::sleep(Duration::from_secs(limit));
        end(limit);
    });
    masked(Some(before));
    assert!(started.is_ok(), "the suite has a time limit");
}

/// Sets the thread's signal mask, to all signals for `None`; gives the one before.
fn masked(mask: Option<libc::sigset_t>) -> libc::sigset_t {
    // SAFETY: a `sigset_t` is integers, for which zeros are valid.
    let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { std::mem::zeroed() };
    // SAFETY: `all` outlives the call, which writes it.
    unsafe { libc::sigfillset(&raw mut all) };
    let mask = mask.unwrap_or(all);
    // SAFETY: both outlive the call, which reads the one and writes the other.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, &raw mut before) };
    before
}

/// Lets every thread say its name, which is its test's, and ends the process.
fn end(limit: u64) {
    say(&format!("\nThe suite has not ended in {limit} seconds. These tests still run:\n"));
    let handler: extern "C" fn(c_int) = say_name;
    // SAFETY: the handler only reads its thread's name and writes. The process ends a second later, so a thread that is
    // interrupted where it must not be does no more.
    unsafe { libc::signal(SIGNAL, handler as *const () as libc::sighandler_t) };
    for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let number = thread.file_name().to_str().and_then(|name| name.parse::<c_int>().ok());
        let process = libc::c_long::from(std::process::id());
        // SAFETY: the call takes numbers.
        unsafe { libc::syscall(libc::SYS_tgkill, process, number.unwrap_or(0), SIGNAL) };
    }
    std::thread::sleep(Duration::from_secs(1));
    std::process::abort();
}

extern "C" fn say_name(_signal: c_int) {
    let thread = std::thread::current();
    if let Some(name) = thread.name().filter(|name| *name != "main") {
        say(&format!("    {name}\n"));
    }
}

/// Past the harness, which shows what a test prints when it has ended.
fn say(text: &str) {
    // SAFETY: the pointer and the length are those of `text`, which outlives the call.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// Not a test of its own: the one below runs it.
#[test]
fn waits() {
    if std::env::var_os(WAITS).is_some() {
        std::thread::park();
    }
}

#[test]
fn a_suite_that_waits_for_ever_ends_with_the_name_of_the_test() {
    let name = module_path!().split_once("::").expect("a module").1.to_owned() + "::waits";
    let mut command = Command::new("timeout");
    command.args(["--kill-after=2", "30"]).arg(std::env::current_exe().expect("this program"));
    command.args(["--exact", &name]).env(SECONDS, "1").env(WAITS, "");

    let output = command.output().expect("it runs");

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains(&format!("has not ended in 1 seconds. These tests still run:\n    {name}\n")),
        "{said}"
    );
    assert!(!output.status.success());
    assert_ne!(output.status.code(), Some(124), "its own limit ended it");
}
