//! A lesson's process: under strace, or with the shim, and never for long.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::{TempDir, TempPath};

use crate::common::{self, Running, Strace};
use crate::plan::{Fault, traced};

/// How many seconds a run may take.
const LIMIT: u32 = 15;
/// How long to wait for anything that a server is to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// A running program. Its output goes into files.
pub(crate) struct Process {
    child: Running,
    folder: TempDir,
    log: Log,
}

/// Where it is written what the program did.
enum Log {
    Strace(Strace),
    Shim(TempPath),
}

/// Its end.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    pub(crate) errors: String,
    /// The lines of strace.
    pub(crate) log: String,
    /// Its processor time, with strace's.
    pub(crate) cpu: Duration,
}

impl Process {
    /// Starts a program under strace; a system call of it fails, if one is given.
    pub(crate) fn traced(words: &[&str], fault: Option<&Fault>) -> Process {
        let mut strace = Strace::of_first_thread(&traced());
        if let Some(fault) = fault {
            strace = strace.inject(&fault.injection());
        }
        let words = [strace.words(), words.to_vec()].concat();
        let (child, folder) = start(&words);
        Process { child, folder, log: Log::Strace(strace) }
    }

    /// Starts a program with the shim, which these variables steer.
    pub(crate) fn shimmed(words: &[&str], variables: &[(&str, &str)]) -> Process {
        let log = common::temporary::file("");
        let variables = [variables, &[("SHIM_LOG", log.to_str().expect("UTF-8"))]].concat();
        let shim = common::shim::words(&variables);
        let words = [shim.iter().map(String::as_str).collect(), words.to_vec()].concat();
        let (child, folder) = start(&words);
        Process { child, folder, log: Log::Shim(log) }
    }

    /// Its output by now.
    pub(crate) fn output(&self) -> String {
        text(self.folder.path(), "out")
    }

    /// The port on which it says that it listens; `None` if it ends before.
    pub(crate) fn port(&mut self) -> Option<u16> {
        let listening = |output: &str| {
            let (_, rest) = output.split_once("Listening on 127.0.0.1:")?;
            rest.split_once('\n')?.0.parse().ok()
        };
        let begin = Instant::now();
        loop {
            let port = listening(&self.output());
            if port.is_some() || self.has_ended() || begin.elapsed() > PATIENCE {
                return port;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        let id = libc::id_t::from(self.child.id());
        // SAFETY: all zeros is a valid `siginfo_t`.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: `info` outlives the call, which writes it. The child stays to be waited for.
        let result = unsafe { libc::waitid(libc::P_PID, id, &raw mut info, options) };
        // SAFETY: it is filled, or all zeros still.
        result != 0 || unsafe { info.si_pid() } != 0
    }

    /// The number of the lesson's own process, which `timeout`, and perhaps strace, has started.
    fn pid(&self) -> Option<u32> {
        let mut pid = self.child.id();
        loop {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
            if name.starts_with("lesson-") {
                return Some(pid);
            }
            pid = *common::children(pid).first()?;
        }
    }

    /// How many descriptors the lesson has open, without those that it got from this process beyond the usual three.
    fn descriptors(&self) -> Option<usize> {
        static INHERITED: OnceLock<usize> = OnceLock::new();
        let inherited = INHERITED.get_or_init(|| {
            // SAFETY: the call takes numbers.
            let inherited = |fd: &i32| unsafe { libc::fcntl(*fd, libc::F_GETFD) } == 0;
            (3..1024).filter(inherited).count()
        });
        let open = fs::read_dir(format!("/proc/{}/fd", self.pid()?)).ok()?.count();
        // A process that ends has none left.
        open.checked_sub(*inherited).filter(|open| *open > 0)
    }

    /// Waits until it has this many descriptors open, or has ended; gives how many there are.
    pub(crate) fn until_descriptors(&self, wanted: Option<usize>) -> Option<usize> {
        let begin = Instant::now();
        loop {
            let now = self.descriptors();
            if now == wanted || now.is_none() || begin.elapsed() > PATIENCE / 2 {
                return now;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        if let Some(pid) = self.pid().and_then(|pid| i32::try_from(pid).ok()) {
            // SAFETY: the call takes numbers; the process is a descendant of ours, and has not been waited for.
            unsafe { libc::kill(pid, libc::SIGINT) };
        }
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        let id = i32::try_from(self.child.id()).expect("a process number");
        let mut status = 0;
        // SAFETY: all zeros is a valid `rusage`.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `status` and `usage` outlive the call, which writes them; the child has not been waited for.
        assert_eq!(unsafe { libc::wait4(id, &raw mut status, 0, &raw mut usage) }, id);
        let time = |time: libc::timeval| {
            let micros = u64::try_from(time.tv_usec).expect("microseconds");
            Duration::from_secs(u64::try_from(time.tv_sec).expect("seconds")) + Duration::from_micros(micros)
        };
        Ended {
            status: ExitStatus::from_raw(status),
            output: text(self.folder.path(), "out"),
            errors: text(self.folder.path(), "err"),
            log: match &self.log {
                Log::Strace(strace) => strace.log(),
                Log::Shim(file) => fs::read_to_string(file).expect("the log"),
            },
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
        }
    }
}

/// Starts a program in a folder of its own.
fn start(words: &[&str]) -> (Running, TempDir) {
    let folder = common::temporary::folder();
    let file = |name| File::create(folder.path().join(name)).expect("a file");
    let mut command = common::limited_to(LIMIT, words[0]);
    command.args(&words[1..]).env("TMPDIR", folder.path()).stdout(file("out")).stderr(file("err"));
    (Running::start(&mut command), folder)
}

fn text(folder: &Path, name: &str) -> String {
    let bytes = fs::read(folder.join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
