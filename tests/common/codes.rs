//! The codes with which each system call can fail, after its manual page. Each is interrupted too.

use std::ffi::{CStr, c_int};

/// System calls, the codes that a kernel may give a right program, and those that only a wrong one or a rare machine gets.
/// The first code stands for the others where time is short.
const CODES: &[(&str, &str, &str)] = &[
    ("socket", "EMFILE EACCES EAFNOSUPPORT ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT", "EINVAL"),
    ("socketpair", "EMFILE ENFILE EOPNOTSUPP", "EAFNOSUPPORT EFAULT EPROTONOSUPPORT"),
    (
        "bind",
        "EADDRINUSE EACCES EADDRNOTAVAIL ENOMEM",
        "EBADF EINVAL ENOTSOCK EFAULT ELOOP ENAMETOOLONG ENOENT ENOTDIR EROFS",
    ),
    ("listen", "EADDRINUSE EOPNOTSUPP", "EBADF ENOTSOCK"),
    (
        "accept4",
        "EMFILE EAGAIN ECONNABORTED ENFILE ENOBUFS ENOMEM EPERM EPROTO ENETDOWN EHOSTUNREACH",
        "EBADF EFAULT EINVAL ENOTSOCK EOPNOTSUPP ENOSR ETIMEDOUT",
    ),
    (
        "connect",
        "ECONNREFUSED EACCES EADDRNOTAVAIL EAGAIN ENETUNREACH EPERM ETIMEDOUT",
        "EADDRINUSE EAFNOSUPPORT EALREADY EBADF EFAULT EINPROGRESS EISCONN ENOTSOCK EPROTOTYPE",
    ),
    ("shutdown", "ENOTCONN ENOTSOCK", "EBADF EINVAL"),
    ("getsockname", "ENOBUFS", "EBADF EFAULT EINVAL ENOTSOCK"),
    ("getpeername", "ENOTCONN ENOBUFS", "EBADF EFAULT EINVAL ENOTSOCK"),
    ("getsockopt", "ENOPROTOOPT EINVAL", "EBADF EFAULT ENOTSOCK"),
    ("setsockopt", "ENOPROTOOPT EINVAL ENOMEM", "EBADF EFAULT ENOTSOCK EDOM EPERM ENODEV"),
    ("recvfrom", "ECONNRESET EAGAIN ECONNREFUSED ENOMEM ETIMEDOUT", "EBADF EFAULT EINVAL ENOTCONN ENOTSOCK"),
    (
        "recvmsg",
        "ECONNRESET EAGAIN ECONNREFUSED EMFILE ENOMEM",
        "EBADF EFAULT EINVAL ENOTCONN ENOTSOCK ETIMEDOUT",
    ),
    (
        "sendto",
        "EPIPE EACCES EAGAIN ECONNRESET ENETUNREACH ENOBUFS ENOMEM",
        "EALREADY EBADF EDESTADDRREQ EFAULT EINVAL EISCONN EMSGSIZE ENOTCONN ENOTSOCK EOPNOTSUPP ECONNREFUSED",
    ),
    (
        "sendmsg",
        "EPIPE EAGAIN ECONNRESET ENOBUFS ENOMEM ETOOMANYREFS",
        "EACCES EALREADY EBADF EDESTADDRREQ EFAULT EINVAL EISCONN EMSGSIZE ENOTCONN ENOTSOCK EOPNOTSUPP ECONNREFUSED",
    ),
    (
        "write",
        "EPIPE EAGAIN ECONNRESET EIO ENOBUFS ENOMEM ENOSPC",
        "EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINVAL EPERM",
    ),
    (
        "writev",
        "EPIPE EAGAIN ECONNRESET ENOBUFS ENOMEM",
        "EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINVAL EIO ENOSPC EPERM",
    ),
    ("read readv", "EIO EAGAIN ECONNRESET", "EBADF EFAULT EINVAL EISDIR"),
    ("fcntl", "EPERM EAGAIN EMFILE", "EBADF EINVAL"),
    ("ioctl", "ENOTTY EINVAL", "ENODEV EBADF EFAULT EADDRNOTAVAIL"),
    ("poll", "ENOMEM", "EFAULT EINVAL"),
    ("select pselect6", "ENOMEM", "EBADF EINVAL EAGAIN"),
    ("epoll_create1", "EMFILE ENFILE ENOMEM", "EINVAL"),
    ("epoll_ctl", "ENOMEM ENOSPC", "EBADF EEXIST EINVAL ELOOP ENOENT EPERM"),
    ("epoll_wait", "EINVAL", "EBADF EFAULT"),
    ("eventfd2", "EMFILE ENFILE ENOMEM", "EINVAL ENODEV"),
    ("rt_sigaction", "", "EINVAL EFAULT"),
    ("close", "", "EIO EBADF ENOSPC EDQUOT"),
    // Those of the resolver and the allocator.
    ("openat", "EMFILE EACCES ENFILE ENOENT ENOMEM", "ELOOP EPERM"),
    ("fstat newfstatat statx", "", "ENOMEM EACCES EBADF ENOENT"),
    ("lseek", "", "ESPIPE EBADF EINVAL"),
    ("uname", "", "EFAULT"),
    ("mmap mremap", "", "ENOMEM EAGAIN"),
    ("munmap mprotect madvise", "", "ENOMEM"),
    // Those of the lessons alone.
    ("mkdir", "EACCES EEXIST ENOSPC", ""),
    ("unlink", "EACCES ENOENT", ""),
    ("chmod", "EPERM EIO", ""),
    ("clone clone3", "EAGAIN ENOMEM", ""),
    ("wait4", "ECHILD", ""),
    ("pipe2", "EMFILE ENFILE", ""),
];

/// Calls that cannot fail with the arguments that they get here; `brk` gives an address, never a code.
pub(crate) const NEVER: &[&str] =
    &["brk", "futex", "clock_gettime", "rt_sigprocmask", "getpid", "gettid", "sched_yield"];

/// A row of the table.
fn row(call: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    CODES.iter().find(|(calls, ..)| calls.split(' ').any(|name| name == call))
}

fn codes(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(' ').filter(|code| !code.is_empty())
}

/// The faults of a call, the most telling one first.
pub(crate) fn of(call: &str) -> Vec<&'static str> {
    let (_, right, wrong) = row(call).unwrap_or_else(|| panic!("no codes for {call}"));
    ["EINTR"].into_iter().chain(codes(right)).chain(codes(wrong)).collect()
}

/// The faults of a call that a right program has to stand.
pub(crate) fn of_a_right_program(call: &str) -> Vec<&'static str> {
    let (_, right, _) = row(call).unwrap_or_else(|| panic!("no codes for {call}"));
    ["EINTR"].into_iter().chain(codes(right)).collect()
}

/// The calls that may fail in a right program.
pub(crate) fn calls_of_a_right_program() -> impl Iterator<Item = &'static str> {
    CODES.iter().filter(|(_, right, _)| !right.is_empty()).flat_map(|(calls, ..)| calls.split(' '))
}

/// A call's name as x86-64 has it.
pub(crate) fn usual_name(call: &str) -> &str {
    match call {
        "ppoll" => "poll",
        "pselect6" => "select",
        "epoll_pwait" => "epoll_wait",
        other => other,
    }
}

/// The number of a code.
pub(crate) fn number(name: &str) -> c_int {
    (1..=133).find(|code| self::name(*code) == name).unwrap_or_else(|| panic!("{name} is a code"))
}

/// The name of a code; empty if it is none.
pub(crate) fn name(code: c_int) -> &'static str {
    // SAFETY: the call takes any number and gives a constant string, or null.
    let found = unsafe { strerrorname_np(code) };
    if found.is_null() {
        return "";
    }
    // SAFETY: it is not null, and a constant string ends in a NUL.
    unsafe { CStr::from_ptr(found) }.to_str().expect("ASCII")
}

unsafe extern "C" {
    /// Of glibc since 2.32.
    fn strerrorname_np(code: c_int) -> *const libc::c_char;
}
