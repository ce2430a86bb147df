//! A lesson's process: under strace, or with the shim, and never for long.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::plan::{Fault, traced};
use crate::short::shim;

/// How many seconds a run may take.
const LIMIT: &str = "15";
/// How long to wait for anything that a server is to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// A running program. What it prints goes into files.
pub(crate) struct Process {
    child: Child,
    folder: PathBuf,
}

/// What has become of it.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    pub(crate) errors: String,
    /// What strace has written down.
    pub(crate) log: String,
    /// What it and strace have used of the processor.
    pub(crate) cpu: Duration,
}

impl Process {
    /// Starts a program under strace; a system call of it fails, if one is given.
    pub(crate) fn traced(words: &[&str], fault: Option<&Fault>) -> Process {
        let folder = folder();
        let log = folder.join("log").into_os_string().into_string().expect("UTF-8");
        let (trace, inject) = (traced(), fault.map(Fault::injection).unwrap_or_default());
        let mut command = vec!["strace", "-qq", "-o", &log, "-e", &trace, "-e", "signal=none"];
        if fault.is_some() {
            command.extend(["-e", &inject]);
        }
        command.extend(words);
        Process::start(folder, &command, &[])
    }

    /// Starts a program with the shim, which these variables steer.
    pub(crate) fn shimmed(words: &[&str], variables: &[(&str, &str)]) -> Process {
        let folder = folder();
        let log = folder.join("log").into_os_string().into_string().expect("UTF-8");
        Process::start(folder, words, &[variables, &[("LD_PRELOAD", shim()), ("SHIM_LOG", &log)]].concat())
    }

    fn start(folder: PathBuf, words: &[&str], variables: &[(&str, &str)]) -> Process {
        let file = |name| File::create(folder.join(name)).expect("a file");
        let mut command = Command::new("timeout");
        command.args(["--kill-after=2", LIMIT]);
        if !variables.is_empty() {
            // Not for `timeout`, which is no lesson.
            command.arg("env").args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        }
        command.args(words).env("RES_OPTIONS", "timeout:1 attempts:1").env_remove("NO_COLOR");
        command.env("TMPDIR", &folder).stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        let child = command.spawn().expect("timeout starts");
        Process { child, folder }
    }

    /// What it has printed by now.
    pub(crate) fn output(&self) -> String {
        text(&self.folder, "out")
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
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
            pid = children.split_whitespace().next()?.parse().ok()?;
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
            // SAFETY: the call takes numbers; the process is a descendant of ours that nobody has waited for.
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
        let ended = Ended {
            status: ExitStatus::from_raw(status),
            output: text(&self.folder, "out"),
            errors: text(&self.folder, "err"),
            log: text(&self.folder, "log"),
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
        };
        fs::remove_dir_all(&self.folder).expect("the folder goes");
        ended
    }
}

fn text(folder: &Path, name: &str) -> String {
    let bytes = fs::read(folder.join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A new folder for the files of one run.
pub(crate) fn folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("lesson-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}
