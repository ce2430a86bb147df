//! Which codes each system call can fail with, after its manual page. Each is interrupted too.

use std::ffi::c_int;

/// The codes by system call, as its manual page has them; the first one stands for the others where time is short.
const CODES: &[(&[&str], &[&str])] = &[
    (
        &["socket"],
        &["EMFILE", "EACCES", "EAFNOSUPPORT", "EINVAL", "ENFILE", "ENOBUFS", "ENOMEM", "EPROTONOSUPPORT"],
    ),
    (&["socketpair"], &["EMFILE", "EAFNOSUPPORT", "EFAULT", "ENFILE", "EOPNOTSUPP", "EPROTONOSUPPORT"]),
    (
        &["bind"],
        &[
            "EADDRINUSE",
            "EACCES",
            "EBADF",
            "EINVAL",
            "ENOTSOCK",
            "EADDRNOTAVAIL",
            "EFAULT",
            "ELOOP",
            "ENAMETOOLONG",
            "ENOENT",
            "ENOMEM",
            "ENOTDIR",
            "EROFS",
        ],
    ),
    (&["listen"], &["EADDRINUSE", "EBADF", "ENOTSOCK", "EOPNOTSUPP"]),
    (
        &["accept4"],
        &[
            "EMFILE",
            "EAGAIN",
            "EBADF",
            "ECONNABORTED",
            "EFAULT",
            "EINVAL",
            "ENFILE",
            "ENOBUFS",
            "ENOMEM",
            "ENOTSOCK",
            "EOPNOTSUPP",
            "EPERM",
            "EPROTO",
            "ENOSR",
            "ETIMEDOUT",
            "ENETDOWN",
        ],
    ),
    (
        &["connect"],
        &[
            "ECONNREFUSED",
            "EACCES",
            "EPERM",
            "EADDRINUSE",
            "EADDRNOTAVAIL",
            "EAFNOSUPPORT",
            "EAGAIN",
            "EALREADY",
            "EBADF",
            "EFAULT",
            "EINPROGRESS",
            "EISCONN",
            "ENETUNREACH",
            "ENOTSOCK",
            "EPROTOTYPE",
            "ETIMEDOUT",
        ],
    ),
    (&["shutdown"], &["ENOTCONN", "EBADF", "EINVAL", "ENOTSOCK"]),
    (&["getsockname"], &["ENOBUFS", "EBADF", "EFAULT", "EINVAL", "ENOTSOCK"]),
    (&["getpeername"], &["ENOTCONN", "EBADF", "EFAULT", "EINVAL", "ENOBUFS", "ENOTSOCK"]),
    (&["getsockopt"], &["ENOPROTOOPT", "EBADF", "EFAULT", "EINVAL", "ENOTSOCK"]),
    (
        &["setsockopt"],
        &["ENOPROTOOPT", "EBADF", "EFAULT", "EINVAL", "ENOTSOCK", "EDOM", "ENOMEM", "EPERM", "ENODEV"],
    ),
    (
        &["recvfrom", "recvmsg"],
        &[
            "ECONNRESET",
            "EAGAIN",
            "EBADF",
            "ECONNREFUSED",
            "EFAULT",
            "EINVAL",
            "ENOMEM",
            "ENOTCONN",
            "ENOTSOCK",
            "ETIMEDOUT",
        ],
    ),
    (
        &["sendto", "sendmsg"],
        &[
            "EPIPE",
            "EACCES",
            "EAGAIN",
            "EALREADY",
            "EBADF",
            "ECONNRESET",
            "EDESTADDRREQ",
            "EFAULT",
            "EINVAL",
            "EISCONN",
            "EMSGSIZE",
            "ENOBUFS",
            "ENOMEM",
            "ENOTCONN",
            "ENOTSOCK",
            "EOPNOTSUPP",
            "ECONNREFUSED",
        ],
    ),
    (
        &["write", "writev"],
        &[
            "EPIPE",
            "EAGAIN",
            "EBADF",
            "EDESTADDRREQ",
            "EDQUOT",
            "EFAULT",
            "EFBIG",
            "EINVAL",
            "EIO",
            "ENOSPC",
            "EPERM",
            "ECONNRESET",
        ],
    ),
    (&["read", "readv"], &["EIO", "EAGAIN", "EBADF", "EFAULT", "EINVAL", "EISDIR", "ECONNRESET"]),
    (&["fcntl"], &["EBADF", "EINVAL", "EPERM", "EAGAIN"]),
    (&["ioctl"], &["ENODEV", "EBADF", "EFAULT", "EINVAL", "ENOTTY", "EADDRNOTAVAIL"]),
    (&["poll"], &["ENOMEM", "EFAULT", "EINVAL"]),
    (&["select"], &["ENOMEM", "EBADF", "EINVAL", "EAGAIN"]),
    (&["epoll_create1"], &["EMFILE", "EINVAL", "ENFILE", "ENOMEM"]),
    (&["epoll_ctl"], &["ENOMEM", "EBADF", "EEXIST", "EINVAL", "ELOOP", "ENOENT", "ENOSPC", "EPERM"]),
    (&["epoll_wait"], &["EINVAL", "EBADF", "EFAULT"]),
    (&["eventfd2"], &["EMFILE", "EINVAL", "ENFILE", "ENODEV", "ENOMEM"]),
    (&["rt_sigaction"], &["EINVAL", "EFAULT"]),
    (&["close"], &["EIO", "EBADF", "ENOSPC", "EDQUOT"]),
    // What the resolver and the allocator do.
    (&["openat"], &["EMFILE", "EACCES", "ELOOP", "ENFILE", "ENOENT", "ENOMEM", "EPERM"]),
    (&["fstat", "newfstatat", "statx"], &["ENOMEM", "EACCES", "EBADF", "ENOENT"]),
    (&["lseek"], &["ESPIPE", "EBADF", "EINVAL"]),
    (&["uname"], &["EFAULT"]),
    (&["mmap", "mremap"], &["ENOMEM", "EAGAIN"]),
    (&["munmap", "mprotect", "madvise"], &["ENOMEM"]),
];

/// Calls that cannot fail with the arguments that they get here; `brk` gives an address, never a code.
pub(crate) const NEVER: &[&str] =
    &["brk", "futex", "clock_gettime", "rt_sigprocmask", "getpid", "gettid", "sched_yield"];

/// The faults of a call, the most telling one first.
pub(crate) fn of(call: &str) -> Vec<&'static str> {
    let row = CODES.iter().find(|(calls, _)| calls.contains(&call));
    let (_, codes) = row.unwrap_or_else(|| panic!("no codes for {call}"));
    ["EINTR"].into_iter().chain(codes.iter().copied()).collect()
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
    (1..=133)
        .find(|code| {
            // SAFETY: the call takes any number and gives a constant string, or null.
            let found = unsafe { strerrorname_np(*code) };
            // SAFETY: it is not null, and a constant string ends in a NUL.
            !found.is_null() && unsafe { std::ffi::CStr::from_ptr(found) }.to_bytes() == name.as_bytes()
        })
        .unwrap_or_else(|| panic!("{name} is a code"))
}

unsafe extern "C" {
    /// Of glibc since 2.32.
    fn strerrorname_np(code: c_int) -> *const libc::c_char;
}
