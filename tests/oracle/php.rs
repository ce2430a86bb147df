//! PHP by itself, for statements about PHP that Rust's types cannot express.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{self, Running, Strace};
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

/// The code's return value, by way of JSON. Warnings are ignored.
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

/// The system calls that the code makes, one a line, and what the code prints; strace changes some.
#[track_caller]
pub(crate) fn traced(calls: &str, inject: &[&str], code: &str) -> (Vec<String>, String) {
    let strace = strace(calls, inject);
    let mut command = strace.command(common::php_program());
    let said = common::printed(command.args(common::PHP_OPTIONS).args(["-r", code]));
    (texts(&strace), said)
}

pub(crate) fn strace(calls: &str, inject: &[&str]) -> Strace {
    inject.iter().fold(Strace::of(calls), |strace, fault| strace.inject(fault))
}

/// The calls as strace writes them, one a line.
pub(crate) fn texts(strace: &Strace) -> Vec<String> {
    strace.calls().into_iter().map(|call| call.text).collect()
}

/// A port that does not fit: a `ValueError` that begins with `argument`, and before 8.5 a system call with `sent`, the low
/// 16 bits. strace answers that `call` with `retval`, so that the port is not needed.
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
    child: Running,
    pid: u32,
}

impl Peer {
    pub(crate) fn new(code: &str) -> Peer {
        let path = common::temporary::free_path();
        let listener = UnixListener::bind(&*path).expect("a free path");
        let code = format!(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_connect($s, '{}');
             socket_write($s, getmypid() . \"\\n\"); {code}",
            path.display()
        );
        let mut child = Running::start(common::php_command().args(["-r", &code]));
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
        // SAFETY: the control buffer is aligned and has space for a header and a descriptor.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: it fits, so `header` is not null; nothing else refers to `control` meanwhile.
        let header = unsafe { &mut *header };
        header.cmsg_level = libc::SOL_SOCKET;
        header.cmsg_type = libc::SCM_RIGHTS;
        // SAFETY: CMSG_LEN only counts.
        header.cmsg_len = unsafe { libc::CMSG_LEN(fd_len) } as _;
        // SAFETY: the data behind the header lies in `control`.
        let data = unsafe { libc::CMSG_DATA(header) };
        // SAFETY: a descriptor fits there.
        unsafe { data.cast::<RawFd>().write_unaligned(fd) };
        // SAFETY: everything that `message` points at outlives the call.
        let sent = unsafe { libc::sendmsg(self.stream.as_raw_fd(), &raw const message, 0) };
        assert_eq!(sent, 1, "{}", std::io::Error::last_os_error());
    }

    /// The rest of PHP's output, to its end.
    pub(crate) fn answer(mut self) -> String {
        let mut text = String::new();
        (&self.stream).read_to_string(&mut text).expect("PHP answers in UTF-8");
        assert!(self.child.ended());
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
