//! Child processes: each ends within a time limit, or with the test that has started it.

use std::ffi::OsStr;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Output, Stdio};

/// A child process ends after this many seconds, whatever it does.
const LIMIT: u32 = 30;

/// A command that is ended by force if it outlives its limit, with a resolver that gives up soon.
pub(crate) fn limited(program: impl AsRef<OsStr>) -> Command {
    limited_to(LIMIT, program)
}

/// The same with a limit of its own, in seconds.
pub(crate) fn limited_to(seconds: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=2").arg(seconds.to_string()).arg(program);
    command.env("RES_OPTIONS", "timeout:1 attempts:1").env_remove("NO_COLOR");
    // The settings of the make that runs the tests are not for the one that a test starts.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs `input` through a program.
pub(crate) fn pipe(mut command: Command, input: &str) -> Output {
    let mut child =
        Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(input.as_bytes()).expect("the program reads");
    drop(stdin);
    child.wait_with_output()
}

/// The output of a program, which has to succeed.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

/// A limited program that runs, ended with this.
#[derive(Debug)]
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        Running(Some(command.spawn().expect("the program starts")))
    }

    /// The number of its process, which `timeout` has started.
    pub(crate) fn pid(&self) -> u32 {
        pid(self)
    }

    /// As `Child` has it.
    pub(crate) fn wait_with_output(mut self) -> Output {
        self.0.take().expect("it runs").wait_with_output().expect("it ends")
    }

    /// Waits until it ends by itself; whether with success.
    pub(crate) fn ended(&mut self) -> bool {
        self.wait().expect("it ends").success()
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it runs")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it runs")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(child) = &mut self.0 else { return };
        // `timeout` leads a process group, and passes a signal on only once it knows its child's number.
        let group = i32::try_from(child.id()).expect("a process number");
        if child.try_wait().is_ok_and(|status| status.is_none()) {
            // SAFETY: the child has not been waited for, so the number is still the group's.
            unsafe { libc::kill(-group, libc::SIGTERM) };
        }
        let _ = child.wait();
    }
}

/// The number of the process that `timeout`, which limits it and was started in its place, has started.
pub(crate) fn pid(timeout: &Child) -> u32 {
    *children(timeout.id()).first().expect("a child")
}

/// A file of `/proc` about a process; empty once it has ended.
fn about(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// The children of a process's first thread.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let list = about(pid, &format!("task/{pid}/children"));
    list.split_whitespace().map(|child| child.parse().expect("a number")).collect()
}

/// The counters of a process. A process that has ended has no such numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usage {
    /// Processor time in clock ticks (hundredths of a second).
    pub(crate) ticks: u64,
    /// The memory in use, in KiB, and the most that it has been.
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    /// How often its first thread has gone to sleep by itself, and was put aside for others.
    pub(crate) sleeps: u64,
    pub(crate) preemptions: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Option<Usage> {
        let (stat, status) = (about(pid, "stat"), about(pid, "status"));
        let number = |name: &str| {
            let rest = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            rest.split_whitespace().next()?.parse().ok()
        };
        let times = stat.rsplit(')').next()?.split_whitespace().skip(11).take(2);
        Some(Usage {
            ticks: times.map(|time| time.parse::<u64>().expect("a number")).sum(),
            resident: number("VmRSS")?,
            peak: number("VmHWM")?,
            sleeps: number("voluntary_ctxt_switches")?,
            preemptions: number("nonvoluntary_ctxt_switches")?,
        })
    }
}

/// The processor time that a process has used, in clock ticks (hundredths of a second).
pub(crate) fn ticks(pid: u32) -> u64 {
    Usage::of(pid).expect("a process").ticks
}

/// The memory that a process has in use, in KiB.
pub(crate) fn resident(pid: u32) -> u64 {
    Usage::of(pid).expect("a process").resident
}
