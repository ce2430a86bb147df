//! What the test suites share: running PHP and other programs within a time limit, and making system calls fail.

#![allow(dead_code, reason = "each suite uses a part of it")]

pub(crate) mod network;

use std::ffi::c_int;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use php_sockets::*;
use serde_json::Value;

/// A child process ends after this many seconds, whatever it does.
const LIMIT: &str = "30";

/// `command`, ended by force if it outlives its limit, with a resolver that gives up soon.
pub(crate) fn limited(program: &str) -> Command {
    limited_to(LIMIT, program)
}

/// The same with a limit of its own, in seconds.
pub(crate) fn limited_to(limit: &str, program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=2", limit, program]);
    command.env("RES_OPTIONS", "timeout:1 attempts:1").env_remove("NO_COLOR");
    // What the make that runs the tests says to its own children is not for the one that a test starts.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// The PHP that every test runs: the one that `PHP` in the environment names, as `make test PHP=…` does, else `php`.
/// A relative path begins at the package's folder, wherever the process that is started may be.
pub(crate) fn php_program() -> &'static str {
    static PROGRAM: LazyLock<String> = LazyLock::new(|| {
        let program = std::env::var("PHP").ok().filter(|name| !name.is_empty());
        let program = program.unwrap_or_else(|| "php".to_owned());
        let path = if program.contains('/') { root().join(program) } else { program.into() };
        path.into_os_string().into_string().expect("UTF-8")
    });
    &PROGRAM
}

/// The version of the PHP that every test runs, as `PHP_VERSION_ID`: 80507 for 8.5.7.
pub(crate) fn php_version() -> u32 {
    static VERSION: LazyLock<u32> = LazyLock::new(|| php("echo PHP_VERSION_ID;").parse().expect("a number"));
    *VERSION
}

/// Runs PHP code and gives what it printed.
pub(crate) fn php(code: &str) -> String {
    let mut command = limited(php_program());
    command.args(["-d", "display_errors=stderr", "-d", "log_errors=0", "-r", code]);
    let output = command.output().expect("php runs");
    assert!(output.status.success(), "php failed: {}\n{code}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("php printed UTF-8")
}

/// Runs `input` through a program.
pub(crate) fn pipe(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(input.as_bytes()).expect("the program reads");
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// What PHP made of one failing call.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    /// The warning's text, if there was one.
    pub warning: Option<String>,
    /// The text of what was thrown, if anything was.
    pub thrown: Option<String>,
    /// `socket_last_error()`.
    pub last: i64,
    /// `socket_last_error($s)`, if the code set `$s`.
    pub own: Option<i64>,
}

/// Runs PHP code whose last statement fails. The code may set `$s` to the socket whose slot matters.
pub(crate) fn php_failure(code: &str) -> Failure {
    php_failure_under(&[], code)
}

/// The same under another program, such as strace with its injections.
pub(crate) fn php_failure_under(wrapper: &[&str], code: &str) -> Failure {
    let script = format!(
        "$w = $t = null; set_error_handler(function ($l, $m) use (&$w) {{ $w = $m; return true; }});
         try {{ {code}; }} catch (\\Error $e) {{ $t = $e->getMessage(); }}
         echo json_encode([$w, $t, socket_last_error(), isset($s) ? socket_last_error($s) : null]);"
    );
    let mut command = limited(wrapper.first().unwrap_or(&php_program()));
    if let [_, rest @ ..] = wrapper {
        command.args(rest).arg(php_program());
    }
    command.args(["-d", "display_errors=stderr", "-d", "log_errors=0", "-r", &script]);
    let output = command.output().expect("php runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json: Value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}\n{code}", String::from_utf8_lossy(&output.stderr)));
    Failure {
        warning: json[0].as_str().map(str::to_owned),
        thrown: json[1].as_str().map(str::to_owned),
        last: json[2].as_i64().expect("a number"),
        own: json[3].as_i64(),
    }
}

/// A socket bound to a free port of 127.0.0.1, and its name.
pub(crate) fn bound(kind: c_int) -> (Socket, SocketName) {
    let socket = socket_create(AF_INET, kind, 0).expect("a socket");
    socket_bind(&socket, "127.0.0.1", 0).expect("a free port");
    let name = socket_getsockname(&socket).expect("a name");
    (socket, name)
}

/// A listener on a free port of 127.0.0.1, and its port.
pub(crate) fn listener() -> (Socket, u16) {
    let (socket, name) = bound(SOCK_STREAM);
    socket_listen(&socket, 5).expect("listening");
    (socket, name.port)
}

/// The two ends of a TCP connection over 127.0.0.1: who called, and who answered.
pub(crate) fn connection() -> (Socket, Socket) {
    let (listener, port) = listener();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
    socket_connect(&client, "127.0.0.1", port).expect("a connection");
    let server = socket_accept(&listener).expect("the connection");
    (client, server)
}

/// Two connected `AF_UNIX` sockets.
pub(crate) fn pair(kind: c_int) -> (Socket, Socket) {
    socket_create_pair(AF_UNIX, kind, 0).expect("a pair")
}

/// A port of 127.0.0.1 that nobody listens on: bound, but no listener. It stays so while the socket lives.
pub(crate) fn closed_port() -> (Socket, u16) {
    let (socket, name) = bound(SOCK_STREAM);
    (socket, name.port)
}

/// A descriptor that is no socket.
pub(crate) fn no_socket() -> Socket {
    Socket::from(std::os::fd::OwnedFd::from(
        std::fs::File::options().read(true).write(true).open("/dev/null").expect("/dev/null"),
    ))
}

/// A socket of a family that PHP does not know.
pub(crate) fn foreign_socket() -> Socket {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: `socket` takes three numbers.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    assert_ne!(fd, -1, "a netlink socket");
    // SAFETY: the descriptor was just opened and belongs to nobody else.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs `act` in a thread where the system call `number` fails with `errno`, by a seccomp filter of that thread.
pub(crate) fn failing<T: Send>(number: libc::c_long, errno: c_int, act: impl FnOnce() -> T + Send) -> T {
    failing_with(number, None, errno, act)
}

/// The same for what must be made in the thread before the call begins to fail.
pub(crate) fn failing_later<B, T: Send>(
    number: libc::c_long,
    errno: c_int,
    prepare: impl FnOnce() -> B + Send,
    act: impl FnOnce(B) -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let prepared = prepare();
                let number = u32::try_from(number).expect("a system call");
                deny(number, None, u32::try_from(errno).expect("an errno"));
                act(prepared)
            })
            .join()
            .expect("the thread ends")
    })
}

/// As `failing`, for those calls alone whose second argument is this number, if one is given.
pub(crate) fn failing_with<T: Send>(
    number: libc::c_long,
    second: Option<u32>,
    errno: c_int,
    act: impl FnOnce() -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let number = u32::try_from(number).expect("a system call");
                deny(number, second, u32::try_from(errno).expect("an errno"));
                act()
            })
            .join()
            .expect("the thread ends")
    })
}

#[allow(clippy::cast_possible_truncation, reason = "the numbers of BPF instructions have 16 bits")]
fn deny(number: u32, second: Option<u32>, errno: u32) {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Where the low half of the second argument lies in `seccomp_data`.
    const SECOND: u32 = 24 + if cfg!(target_endian = "big") { 4 } else { 0 };
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        step(LOAD, 0, 0, 0), // the system call's number
        step(EQUAL, 0, 3, number),
        step(LOAD, 0, 0, SECOND),
        step(EQUAL, 0, u8::from(second.is_some()), second.unwrap_or(0)),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 6, filter: filter.as_mut_ptr() };
    // SAFETY: the call takes numbers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    // SAFETY: `program` and its filter outlive the call, which copies them.
    let status = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(status, 0, "seccomp filters are to be had");
}

/// Runs `act` in a thread and interrupts that thread with a signal, again and again, until it comes back.
pub(crate) fn interrupted<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    use std::sync::atomic::{AtomicBool, Ordering};

    extern "C" fn nothing(_: c_int) {}
    let handler: extern "C" fn(c_int) = nothing;
    // SAFETY: all zeros is a valid `sigaction`, without SA_RESTART: a system call ends with EINTR.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: `action` outlives the call; the handler does nothing.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) }, 0);

    let done = AtomicBool::new(false);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // SAFETY: the call takes and changes nothing.
            tell.send(unsafe { libc::pthread_self() }).expect("the other thread listens");
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
            done.store(true, Ordering::SeqCst);
            // The thread stays until nobody signals it any more.
            while done.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let thread = told.recv().expect("the thread tells who it is");
        while !done.load(Ordering::SeqCst) {
            // SAFETY: the thread is alive: it waits for `done` to be taken back.
            unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
            std::thread::sleep(Duration::from_millis(1));
        }
        done.store(false, Ordering::SeqCst);
        worker.join().expect("the thread ends")
    })
}

/// How often this thread has gone to sleep.
pub(crate) fn sleeps() -> i64 {
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_nvcsw
}

/// Runs `act` in a child process, where nothing else opens or closes descriptors; gives its result, 255 if it panics.
pub(crate) fn in_child(act: impl FnOnce() -> usize) -> usize {
    // SAFETY: the child goes on with this thread alone; it runs `act` and ends without returning.
    match unsafe { libc::fork() } {
        0 => {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).unwrap_or(255);
            // SAFETY: the call ends the process.
            unsafe { libc::_exit(i32::try_from(result).unwrap_or(255)) }
        }
        child => {
            assert_ne!(child, -1, "a child process");
            let mut status = 0;
            // SAFETY: `child` is ours and not waited for yet; `status` outlives the call, which writes it.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            usize::try_from(libc::WEXITSTATUS(status)).expect("8 bits")
        }
    }
}

/// A socket of `AF_PACKET`. Without the right to one, it comes from a child process in a user and network namespace of
/// its own, which has the right and hands the socket over.
pub(crate) fn packet_socket(protocol: c_int) -> Socket {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    if let Ok(socket) = socket_create(AF_PACKET, SOCK_DGRAM, protocol) {
        return socket;
    }
    socket_clear_error(None);
    let (here, there) = pair(SOCK_STREAM);
    let sent = in_child(|| {
        // SAFETY: the call takes a number.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) }, 0);
        let socket = socket_create(AF_PACKET, SOCK_DGRAM, protocol).expect("root of a namespace");
        with_descriptor_message(there.as_raw_fd(), socket.as_raw_fd(), |there, message| {
            // SAFETY: `message` and all that it points at outlive the call.
            assert_eq!(unsafe { libc::sendmsg(there, message, 0) }, 1);
        });
        1
    });
    assert_eq!(sent, 1, "AF_PACKET needs root, or the right to make user namespaces");
    let fd = with_descriptor_message(here.as_raw_fd(), -1, |here, message| {
        // SAFETY: `message` and all that it points at outlive the call.
        assert_eq!(unsafe { libc::recvmsg(here, message, libc::MSG_CMSG_CLOEXEC) }, 1);
    });
    // SAFETY: the descriptor has just been received and belongs to nobody else.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls `act` with a message of one byte and one descriptor, and gives the descriptor that is in it afterwards.
fn with_descriptor_message(socket: c_int, fd: c_int, act: impl FnOnce(c_int, *mut libc::msghdr)) -> c_int {
    let mut byte = [0_u8];
    let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let mut control = [0_u64; 3];
    // SAFETY: all zeros is a valid `msghdr`.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // A `cmsghdr` is a length, a level and a type; the descriptor follows.
    control[0] = 20;
    control[1] = 1 | 1 << 32;
    control[2] = u64::from(u32::from_ne_bytes(fd.to_ne_bytes()));
    act(socket, &raw mut message);
    i32::from_ne_bytes(control[2].to_ne_bytes()[..4].try_into().expect("4 bytes"))
}

/// A second descriptor of a socket, with this number, which must be free.
pub(crate) fn numbered(socket: &Socket, number: c_int) -> Socket {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    // SAFETY: fcntl takes numbers here; the new descriptor is the first free one from `number` on.
    let fd = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, number) };
    assert_eq!(fd, number);
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets this process open as many descriptors as it may.
pub(crate) fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` outlives the call, which reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}

/// How many descriptors `act` leaves open: it runs in a thread with a table of its own.
pub(crate) fn descriptors_left(act: impl FnOnce() + Send) -> usize {
    let count = || std::fs::read_dir("/proc/thread-self/fd").expect("the table").count();
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                // SAFETY: the call takes a number. The thread's own table begins as a copy and ends with the thread.
                assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
                let before = count();
                act();
                count() - before
            })
            .join()
            .expect("the thread ends")
    })
}

/// The package's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An example of the package, built with the features of this test, so that it is never an old one.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut build = limited_to("300", env!("CARGO"));
    build.current_dir(root()).args(["build", "--quiet", "--example", name]);
    if cfg!(feature = "lessons") {
        build.args(["--features", "lessons"]);
    }
    assert!(build.status().expect("cargo runs").success(), "{name} is built");
    // Examples stand beside the folder of this test's own program.
    let own = std::env::current_exe().expect("this program");
    own.parent().and_then(Path::parent).expect("the profile").join("examples").join(name)
}

/// Every `.rs` file of `src/`, with its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}
