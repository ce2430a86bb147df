//! `PHP_NORMAL_READ`: one line of a socket, without taking a byte too many.

use std::ffi::{c_int, c_short};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::slice;

use super::capacity::Refused;
use crate::socket::Socket;
use crate::sys::ffi::{Failed, ret, ret_written};

/// How many bytes one peek shows at most. Peeking copies. Bytes past the end of the line are copied for nothing.
const PEEK: usize = 16 * 1024;

/// After how many empty reads PHP calls the connection reset.
const EMPTY_READS: u32 = 200;

/// How many milliseconds to wait where `poll` cannot tell when to try again.
const SOON: c_int = 10;

/// A descriptor that `poll` ignores, so that it only waits.
const IGNORED: RawFd = -1;

/// Why there is no line.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoLine {
    /// The length cannot be had.
    Refused(Refused),
    /// A system call failed with this code.
    Code(c_int),
}

impl From<Failed> for NoLine {
    #[cold]
    fn from(failed: Failed) -> NoLine {
        NoLine::Code(failed.errno())
    }
}

/// A line with its end, `\n` or `\r`, of at most `length` bytes.
pub(super) fn read_line(socket: &Socket, length: usize) -> Result<Vec<u8>, NoLine> {
    if length >= isize::MAX.unsigned_abs() {
        return Err(NoLine::Refused(Refused::TooLong));
    }
    if length == 0 {
        return Err(NoLine::Refused(Refused::Empty));
    }
    let mut line = Vec::new();
    if socket.kind() == libc::SOCK_STREAM && !socket.peek_may_hide_bytes() {
        read_stream(socket, &mut line, length)?;
    } else {
        read_bytes(socket, &mut line, length)?;
    }
    line.shrink_to_fit();
    Ok(line)
}

/// Peeks how much of the line has arrived and receives that, until the line is whole.
fn read_stream(socket: &Socket, line: &mut Vec<u8>, length: usize) -> Result<(), NoLine> {
    loop {
        let wanted = (length - line.len()).min(PEEK);
        let mut peeked = [MaybeUninit::uninit(); PEEK];

        let Ok(seen) = receive(socket, &mut peeked[..wanted], libc::MSG_PEEK) else {
            wait_if_nothing_yet(socket)?;
            continue;
        };
        if seen.is_empty() {
            return end_of_stream(socket, line);
        }
        let size = length_of_line(seen);

        // These bytes are still there, unless another thread reads the same socket.
        let Ok(taken) = append(socket, line, size)? else {
            wait_if_nothing_yet(socket)?;
            continue;
        };
        if taken == 0 {
            return end_of_stream(socket, line);
        }
        if line.len() == length || line.last().is_some_and(|byte| is_end(*byte)) {
            return Ok(());
        }
    }
}

/// How many bytes belong to the line that begins here, its end with them.
fn length_of_line(seen: &[u8]) -> usize {
    let fed = find(b'\n', seen).map_or(seen.len(), |at| at + 1);
    find(b'\r', &seen[..fed]).map_or(fed, |at| at + 1)
}

/// Where a byte stands first. `memchr` looks at many bytes at a time, which an iterator does not.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    // SAFETY: the call reads as many bytes as the slice has, and keeps no pointer.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), c_int::from(byte), bytes.len()) };

    if found.is_null() { None } else { Some(found.addr() - bytes.as_ptr().addr()) }
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// The last line may lack its end. After it PHP gives nothing on a non-blocking socket, else an error.
#[cold]
fn end_of_stream(socket: &Socket, line: &[u8]) -> Result<(), NoLine> {
    if line.is_empty() && !is_nonblocking(socket)? {
        return Err(NoLine::Code(libc::ECONNRESET));
    }
    Ok(())
}

/// One byte a `recv`, as PHP does. On a datagram socket the rest of each datagram is lost.
fn read_bytes(socket: &Socket, line: &mut Vec<u8>, length: usize) -> Result<(), NoLine> {
    let nonblocking = is_nonblocking(socket)?;
    let mut empty_reads = 0;
    while line.len() < length && !line.last().is_some_and(|byte| is_end(*byte)) {
        match append(socket, line, 1)? {
            Ok(0) if nonblocking => return Ok(()),
            Ok(0) => empty_reads += 1,
            Ok(_) => {}
            Err(Failed) => wait_if_nothing_yet(socket)?,
        }
        if empty_reads == EMPTY_READS {
            return Err(NoLine::Code(libc::ECONNRESET));
        }
    }
    Ok(())
}

/// Appends up to `wanted` bytes; gives their number.
#[inline]
fn append(socket: &Socket, line: &mut Vec<u8>, wanted: usize) -> Result<Result<usize, Failed>, NoLine> {
    // A line that comes whole gets no more memory than it needs, one that comes in pieces grows as vectors do.
    let reserved = if line.is_empty() { line.try_reserve_exact(wanted) } else { line.try_reserve(wanted) };
    reserved.map_err(|_| NoLine::Refused(Refused::TooLong))?;

    let received = receive(socket, &mut line.spare_capacity_mut()[..wanted], 0).map(<[u8]>::len);

    Ok(received.inspect(|received| {
        // SAFETY: `received` bytes were written right after those that the vector had.
        unsafe { line.set_len(line.len() + received) };
    }))
}

/// Receives at most as many bytes as `buffer` has; `flags` are 0 or `MSG_PEEK`.
fn receive<'a>(socket: &Socket, buffer: &'a mut [MaybeUninit<u8>], flags: c_int) -> Result<&'a [u8], Failed> {
    // SAFETY: `buffer` is writable and outlives the call, which keeps no pointer.
    let count = unsafe { libc::recv(socket.fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };

    let written = ret_written(count, buffer.len())?;
    // SAFETY: the flags are 0 or MSG_PEEK, with which `recv` writes each byte that it counts and that fits, from the first
    // on; `written` is no more than `buffer` has.
    Ok(unsafe { slice::from_raw_parts(buffer.as_ptr().cast(), written) })
}

/// After a failed `recv`: waits if nothing has arrived yet, where PHP tries again and again.
/// A blocking socket has waited already, for its `SO_RCVTIMEO`.
#[cold]
fn wait_if_nothing_yet(socket: &Socket) -> Result<(), NoLine> {
    if Failed.errno() != libc::EAGAIN {
        return Err(Failed.into());
    }
    if !is_nonblocking(socket)? {
        return Ok(());
    }
    let time_limit = if socket.peek_may_hide_bytes() { SOON } else { -1 };
    let events = poll(socket.fd(), time_limit)?;
    // An error that recv does not report, such as a message in the error queue, would wake poll at once, for ever.
    if events == libc::POLLERR {
        poll(IGNORED, SOON)?;
    }
    Ok(())
}

/// Waits until `fd` can be read, or for some milliseconds; −1 is for ever.
fn poll(fd: RawFd, milliseconds: c_int) -> Result<c_short, NoLine> {
    let mut ready = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };

    // SAFETY: `ready` is one `pollfd`, as the count says, and outlives the call.
    let status = unsafe { libc::poll(&raw mut ready, 1, milliseconds) };

    match ret(status) {
        Err(failed) if failed.errno() != libc::EINTR => Err(failed.into()),
        // A signal ends the wait early, and then `recv` finds out what there is.
        _ => Ok(ready.revents),
    }
}

fn is_nonblocking(socket: &Socket) -> Result<bool, NoLine> {
    Ok(socket.status_flags()? & libc::O_NONBLOCK != 0)
}
