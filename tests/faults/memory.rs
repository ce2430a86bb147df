//! Lengths that the caller chooses and that there is no memory for: an error, and nothing is lost.

use std::fs::File;
use std::os::fd::OwnedFd;

use php_sockets::*;

/// A function that is asked for too much.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Gets a socket that has a line to read, and the length.
    ask: fn(&Socket, usize) -> Result<()>,
    lengths: &'static [usize],
    text: &'static str,
}

/// So much is left to the process.
const LEFT: u64 = 64 << 20;

/// There is memory for it once, not twice.
const ONCE: usize = 40 << 20;

const LENGTHS: &[usize] =
    &[usize::MAX, isize::MAX.unsigned_abs(), isize::MAX.unsigned_abs() - 1, 1 << 40, 1 << 30];
const ENDLESS: &[usize] = &[usize::MAX, isize::MAX.unsigned_abs()];

macro_rules! dies {
    ($function:literal) => {
        concat!(
            $function,
            "(): there is no memory for so many bytes (PHP returns false and says nothing, or dies)"
        )
    };
}

macro_rules! refuses {
    ($function:literal) => {
        concat!($function, "(): there is no memory for so many bytes")
    };
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "socket_read",
        ask: |socket, length| socket_read(socket, length, PHP_BINARY_READ).map(drop),
        lengths: LENGTHS,
        text: dies!("socket_read"),
    },
    Case {
        name: "socket_read, a line",
        ask: |socket, length| socket_read(socket, length, PHP_NORMAL_READ).map(drop),
        lengths: ENDLESS,
        text: dies!("socket_read"),
    },
    Case {
        name: "socket_recv",
        ask: |socket, length| socket_recv(socket, &mut b"old".to_vec(), length, 0).map(drop),
        lengths: LENGTHS,
        text: dies!("socket_recv"),
    },
    Case {
        name: "socket_recv, MSG_TRUNC",
        ask: |socket, length| socket_recv(socket, &mut b"old".to_vec(), length, MSG_TRUNC).map(drop),
        lengths: LENGTHS,
        text: dies!("socket_recv"),
    },
    Case {
        name: "socket_recvfrom",
        ask: |socket, length| socket_recvfrom(socket, &mut b"old".to_vec(), length, 0).map(drop),
        lengths: LENGTHS,
        text: dies!("socket_recvfrom"),
    },
    Case {
        name: "socket_iovec_alloc",
        ask: |_, length| socket_iovec_alloc(&[10, length]).map(drop),
        lengths: LENGTHS,
        text: refuses!("socket_iovec_alloc"),
    },
    Case {
        name: "socket_iovec_alloc, 1024 elements",
        ask: |_, length| socket_iovec_alloc(&[length; IoVec::MAX]).map(drop),
        lengths: &[1 << 20],
        text: refuses!("socket_iovec_alloc"),
    },
    Case {
        name: "socket_iovec_add",
        ask: |_, length| socket_iovec_add(&mut socket_iovec_alloc(&[10])?, length),
        lengths: LENGTHS,
        text: refuses!("socket_iovec_add"),
    },
    Case {
        name: "socket_iovec_set",
        ask: |_, length| socket_iovec_set(&mut socket_iovec_alloc(&[10])?, 0, vec![b'x'; length]),
        lengths: &[ONCE],
        text: refuses!("socket_iovec_set"),
    },
    Case {
        name: "socket_iovec_fetch",
        ask: |_, length| {
            let mut iovec = socket_iovec_alloc(&[length])?;
            let zeros = Socket::from(OwnedFd::from(File::open("/dev/zero").expect("zeros")));
            assert_eq!(socket_readv(&zeros, &mut iovec), Ok(length));
            socket_iovec_fetch(&iovec, 0).map(drop)
        },
        lengths: &[ONCE],
        text: refuses!("socket_iovec_fetch"),
    },
    Case {
        name: "socket_recvmsg, space for control messages",
        ask: |_, length| Received::new(socket_iovec_alloc(&[10])?, length).map(drop),
        lengths: LENGTHS,
        text: refuses!("socket_recvmsg"),
    },
    Case {
        name: "socket_recvmsg, MSG_TRUNC",
        ask: |socket, length| {
            let mut message = Received::new(socket_iovec_alloc(&[length])?, 64)?;
            socket_recvmsg(socket, &mut message, MSG_TRUNC).map(drop)
        },
        lengths: &[ONCE],
        text: refuses!("socket_recvmsg"),
    },
];

impl Case {
    /// The player's report of it.
    pub(crate) fn expected(&self) -> String {
        let line = |length: &usize| {
            format!("{}, {length}: {}, slots [0, 0], then b\"line\\n\"\n", self.name, self.text)
        };
        self.lengths.iter().map(line).collect()
    }
}

/// Asks for all of it.
pub(crate) fn play() {
    let size = std::fs::read_to_string("/proc/self/statm").expect("the process's size");
    let pages: u64 = size.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number");
    // SAFETY: the call takes a number.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("a size");
    let limit = libc::rlimit { rlim_cur: pages * page + LEFT, rlim_max: pages * page + LEFT };
    // SAFETY: `limit` outlives the call, which reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);

    for case in CASES {
        for length in case.lengths {
            let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0).expect("a pair");
            socket_write(&there, "line\n", None).expect("space");
            let error = (case.ask)(&here, *length).expect_err("there is no memory for it");
            let slots = [socket_last_error(None), socket_last_error(&here)];
            let line = socket_read(&here, 100, PHP_NORMAL_READ).expect("a line");
            println!("{}, {length}: {error}, slots {slots:?}, then b\"{}\"", case.name, line.escape_ascii());
        }
    }
}
