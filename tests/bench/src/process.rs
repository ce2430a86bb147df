//! Starting programs, looking at them, and ending them.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::mem;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program that runs; it is ended when this goes.
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    pub(crate) fn start(words: &[String]) -> Result<Running> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| Error::other(format!("{}: {error}", words[0])))?;
        Ok(Running { child, name: words.join(" ") })
    }

    /// The port that a server prints.
    pub(crate) fn port(&mut self) -> Result<u16> {
        let mut line = String::new();
        if let Some(output) = &mut self.child.stdout {
            BufReader::new(output).read_line(&mut line)?;
        }
        line.trim().parse().map_err(|_| self.failed("no port"))
    }

    /// Waits for the end, which must be a success; what the program wrote on descriptor 2.
    pub(crate) fn finish(mut self) -> Result<String> {
        let mut said = String::new();
        if let Some(output) = &mut self.child.stderr {
            output.read_to_string(&mut said)?;
        }
        if self.child.wait()?.success() {
            Ok(said)
        } else {
            Err(Error::other(format!("{}: {said}", self.name)))
        }
    }

    /// Ends it; the error says what it wrote on descriptor 2.
    pub(crate) fn failed(&mut self, how: impl Display) -> Error {
        let mut said = String::new();
        let _ = self.child.kill();
        if let Some(output) = &mut self.child.stderr {
            let _ = output.read_to_string(&mut said);
        }
        Error::other(format!("{}: {how}; {said}", self.name))
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let pid = libc::pid_t::try_from(self.child.id()).map_err(Error::other)?;
        let mut clock = 0;
        // SAFETY: `clock` is writable and outlives the call.
        let status = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) };
        if status != 0 {
            return Err(Error::from_raw_os_error(status));
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is writable and outlives the call.
        if unsafe { libc::clock_gettime(clock, &raw mut time) } == -1 {
            return Err(Error::last_os_error());
        }
        Ok(Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)))
    }

    /// The bytes of it that are in memory.
    pub(crate) fn resident(&self) -> Result<u64> {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()))?;
        let pages: u64 = statm.split(' ').nth(1).and_then(|field| field.parse().ok()).unwrap_or(0);
        // SAFETY: the call takes a number.
        Ok(pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.unsigned_abs())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail on a child that has been waited for, and that is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cores that this process may use.
pub(crate) fn cores() -> Vec<usize> {
    // SAFETY: a `cpu_set_t` is bits alone; all of them 0 is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set` is writable and as large as the call is told.
    unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: the numbers are those of the set's bits.
    (0..1024).filter(|core| unsafe { libc::CPU_ISSET(*core, &set) }).collect()
}

/// Keeps the calling thread on a core.
pub(crate) fn stay_on(core: usize) {
    // SAFETY: a `cpu_set_t` is bits alone; all of them 0 is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `core` is one of `cores`, a bit of the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: `set` is as large as the call is told, and only read.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

/// Keeps the calling thread from interrupting another one on its core when it wakes.
pub(crate) fn give_way() -> Result<()> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: `parameters` is only read; 0 is the calling thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) } == -1 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// Raises the limit of open descriptors as far as it goes, for this process and its children; the limit.
pub(crate) fn raise_descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is writable and outlives the call.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is only read.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}
