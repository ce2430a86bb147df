//! What PHP says by itself, for statements about PHP that Rust's types leave no room for.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common;
use crate::dialects::by_version;

/// The functions that PHP code here may use beside PHP's own.
///
/// `flags()` gives the `open(2)` flags of every socket that the process has, by descriptor number.
const HELPERS: &str = r"
    function flags(): array {
        $flags = [];
        foreach (glob('/proc/self/fd/*') as $path) {
            if (str_starts_with((string) @readlink($path), 'socket:')) {
                preg_match('/flags:\s*(\d+)/', file_get_contents('/proc/self/fdinfo/' . basename($path)), $found);
                $flags[(int) basename($path)] = octdec($found[1]);
            }
        }
        ksort($flags);
        return $flags;
    }
";

/// What the code returns, by way of JSON. Warnings are not looked at.
#[track_caller]
pub(crate) fn value(code: &str) -> Value {
    let text = common::php(&format!(
        "{HELPERS} error_reporting(0); echo json_encode((function () {{ {code} }})(), JSON_THROW_ON_ERROR);"
    ));
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("PHP said: {text}\n{code}"))
}

/// Class and text of what the code throws: `ValueError: socket_bind(): …`.
#[track_caller]
pub(crate) fn thrown(code: &str) -> String {
    common::php(&format!(
        "try {{ {code}; echo 'nothing was thrown'; }}
         catch (\\Throwable $t) {{ echo get_class($t), ': ', $t->getMessage(); }}"
    ))
}

/// `php -r code`, within a time limit.
pub(crate) fn command(code: &str) -> Command {
    let mut command = common::limited(common::php_program());
    command.args(["-d", "display_errors=stderr", "-d", "log_errors=0", "-r", code]);
    command
}

/// `strace` with its output in a file, before the program that it runs. `calls` are strace's `-e trace=…`, and
/// `inject` its injections.
pub(crate) fn strace(file: &TraceFile, calls: &str, inject: &[&str]) -> Command {
    let mut command = common::limited("strace");
    command.args(["-f", "--seccomp-bpf", "-q", "-s", "200", "-o", &file.path, "-e", "signal=none", "-e"]);
    command.arg(format!("trace={calls}"));
    for inject in inject {
        command.args(["-e", &format!("inject={inject}")]);
    }
    command
}

/// The system calls that the code makes, one a line, and what the code prints.
#[track_caller]
pub(crate) fn traced(calls: &str, inject: &[&str], code: &str) -> (Vec<String>, String) {
    let file = TraceFile::new();
    let mut command = strace(&file, calls, inject);
    command.args([common::php_program(), "-d", "display_errors=stderr", "-d", "log_errors=0", "-r", code]);
    let output = command.output().expect("strace runs");
    assert!(output.status.success(), "{}\n{code}", String::from_utf8_lossy(&output.stderr));
    (file.lines(), String::from_utf8(output.stdout).expect("UTF-8"))
}

/// A port that does not fit: a `ValueError` that begins with `argument`, and before 8.5 a system call with `sent`, the low
/// 16 bits. strace answers that `call` with `retval`, so that nobody needs the port.
#[track_caller]
pub(crate) fn takes_the_low_16_bits_before_8_5(
    call: &str,
    retval: &str,
    code: &str,
    sent: u16,
    argument: &str,
) {
    let newest = format!("ValueError: {argument} must be between 0 and 65535");
    let caught =
        format!("try {{ {code}; }} catch (ValueError $e) {{ echo 'ValueError: ', $e->getMessage(); }}");

    let (calls, said) = traced(call, &[&format!("{call}:retval={retval}")], &caught);

    assert_eq!(said, by_version(&[(80200, ""), (80500, newest.as_str())]), "{code}");
    assert_eq!(calls.len(), by_version(&[(80200, 1), (80500, 0)]), "{calls:?}");
    assert!(calls.iter().all(|call| call.contains(&format!("sin_port=htons({sent})"))), "{calls:?}");
}

/// A file that strace writes, removed in the end.
pub(crate) struct TraceFile {
    path: String,
}

impl TraceFile {
    pub(crate) fn new() -> TraceFile {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sockets-trace-{}-{number}", std::process::id()));
        TraceFile { path: path.into_os_string().into_string().expect("UTF-8") }
    }

    /// The traced calls, without the number of the process before them and without padding before the result.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read(&self.path).expect("strace wrote its file");
        let text = String::from_utf8_lossy(&text);
        let padding = regex::Regex::new(r"\) +=").expect("a pattern");
        let call = |line: &str| {
            let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
            padding.replace(line, ") =").into_owned()
        };
        text.lines().filter(|line| !line.contains("+++")).map(call).collect()
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Waits until something is so; a test that waits in vain fails.
#[track_caller]
pub(crate) fn wait_until(what: &str, so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A PHP process at the other end of an `AF_UNIX` connection. Its code has the connection in `$s`.
pub(crate) struct Peer {
    stream: UnixStream,
    child: Child,
    pid: u32,
}

impl Peer {
    pub(crate) fn new(code: &str) -> Peer {
        let file = TraceFile::new();
        let listener = UnixListener::bind(&file.path).expect("a free path");
        let mut child = command(&format!(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_connect($s, '{}');
             socket_write($s, getmypid() . \"\\n\"); {code}",
            file.path
        ))
        .spawn()
        .expect("php starts");
        listener.set_nonblocking(true).expect("it can be so");
        wait_until("PHP connects", || {
            let mut ready = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: `ready` is one `pollfd`, as the count says, and outlives the call.
            unsafe { libc::poll(&raw mut ready, 1, 0) == 1 }
        });
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_nonblocking(false).expect("it can be so");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be so");
        let pid = read_line(&stream).parse().unwrap_or_else(|_| panic!("{:?}", child.wait()));
        Peer { stream, child, pid }
    }

    /// PHP's process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn write(&self, text: &str) {
        (&self.stream).write_all(text.as_bytes()).expect("PHP is there");
    }

    /// Sends a byte, and with it a descriptor.
    pub(crate) fn send_descriptor(&self, fd: RawFd) {
        let mut byte = 0_u8;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut control = [0_usize; 8];
        let fd_len = u32::try_from(size_of::<RawFd>()).expect("four");
        // SAFETY: all zeros is a valid `msghdr`.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        // SAFETY: CMSG_SPACE only counts.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(fd_len) } as _;
        // SAFETY: the control buffer is aligned and has room for a header and a descriptor.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: there is room for it, so `header` is not null; nobody else looks at `control` meanwhile.
        let header = unsafe { &mut *header };
        header.cmsg_level = libc::SOL_SOCKET;
        header.cmsg_type = libc::SCM_RIGHTS;
        // SAFETY: CMSG_LEN only counts.
        header.cmsg_len = unsafe { libc::CMSG_LEN(fd_len) } as _;
        // SAFETY: the data behind the header lies in `control`.
        let data = unsafe { libc::CMSG_DATA(header) };
        // SAFETY: there is room for a descriptor there.
        unsafe { data.cast::<RawFd>().write_unaligned(fd) };
        // SAFETY: everything that `message` points at outlives the call.
        let sent = unsafe { libc::sendmsg(self.stream.as_raw_fd(), &raw const message, 0) };
        assert_eq!(sent, 1, "{}", std::io::Error::last_os_error());
    }

    /// What PHP still writes, to its end.
    pub(crate) fn answer(mut self) -> String {
        let mut text = String::new();
        (&self.stream).read_to_string(&mut text).expect("PHP answers in UTF-8");
        assert!(self.child.wait().expect("PHP ends").success());
        text
    }
}

/// One line, read byte by byte so that nothing behind it is taken.
fn read_line(mut stream: &UnixStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).expect("PHP writes") == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("UTF-8")
}
