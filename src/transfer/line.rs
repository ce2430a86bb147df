//! `PHP_NORMAL_READ`: reads one line of a socket, and no byte after it.

use std::ffi::{c_int, c_short};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::Duration;
use std::{slice, thread};

use super::capacity::Refused;
use crate::socket::Socket;
use crate::sys::ffi::{Failed, ret, ret_written};

/// The bytes that one peek copies, at most. Those past the end of the line are copied for nothing.
const PEEK_MAX: usize = 16 * 1024;

/// The number of empty reads after which PHP reports a reset connection.
const EMPTY_READS: u32 = 200;

/// The milliseconds to wait where `poll` cannot report when to try again.
const PAUSE: u8 = 10;

/// Why there is no line.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoLine {
    /// The buffer cannot have this length.
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

/// Reads a line with its end, `\n` or `\r`, of at most `length` bytes.
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

/// Peeks for the end of the line and receives up to there, until the line is whole.
fn read_stream(socket: &Socket, line: &mut Vec<u8>, length: usize) -> Result<(), NoLine> {
    loop {
        let wanted = (length - line.len()).min(PEEK_MAX);
        let mut buffer = [MaybeUninit::uninit(); PEEK_MAX];

        let peeked = match receive(socket, &mut buffer[..wanted], libc::MSG_PEEK) {
            Ok(peeked) => peeked,
            Err(reason) => {
                wait_if_nothing_yet(socket, reason)?;
                continue;
            }
        };
        if peeked.is_empty() {
            return end_of_stream(socket, line);
        }
        let size = length_of_line(peeked);

        // The bytes are still in the queue, unless another thread reads the same socket.
        match append(socket, line, size) {
            Ok(0) => return end_of_stream(socket, line),
            Ok(_) => {}
            Err(reason) => wait_if_nothing_yet(socket, reason)?,
        }
        if line.len() == length || line.last().is_some_and(|byte| is_end(*byte)) {
            return Ok(());
        }
    }
}

/// The number of bytes up to the end of the line, with the end; all if it has none.
fn length_of_line(bytes: &[u8]) -> usize {
    let fed = find(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    find(b'\r', &bytes[..fed]).map_or(fed, |at| at + 1)
}

/// The first position of a byte. `memchr` compares many bytes at a time; an iterator does not.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    // SAFETY: the call reads as many bytes as the slice has, and keeps no pointer.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), c_int::from(byte), bytes.len()) };

    if found.is_null() { None } else { Some(found.addr() - bytes.as_ptr().addr()) }
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// The last line may lack its end. After it, PHP returns an empty line on a non-blocking socket and an error
/// on a blocking one.
#[cold]
fn end_of_stream(socket: &Socket, line: &[u8]) -> Result<(), NoLine> {
    if line.is_empty() && !is_nonblocking(socket)? {
        return Err(NoLine::Code(libc::ECONNRESET));
    }
    Ok(())
}

/// Receives one byte per `recv`, as PHP does. On a datagram socket the rest of each datagram is lost.
fn read_bytes(socket: &Socket, line: &mut Vec<u8>, length: usize) -> Result<(), NoLine> {
    let nonblocking = is_nonblocking(socket)?;
    let mut empty_reads = 0;
    while line.len() < length && !line.last().is_some_and(|byte| is_end(*byte)) {
        match append(socket, line, 1) {
            Ok(0) if nonblocking => return Ok(()),
            Ok(0) => empty_reads += 1,
            Ok(_) => {}
            Err(reason) => wait_if_nothing_yet(socket, reason)?,
        }
        if empty_reads == EMPTY_READS {
            return Err(NoLine::Code(libc::ECONNRESET));
        }
    }
    Ok(())
}

/// Appends up to `wanted` bytes and returns their number.
#[inline]
fn append(socket: &Socket, line: &mut Vec<u8>, wanted: usize) -> Result<usize, NoLine> {
    // A line that arrives whole gets just the memory that it needs. One that arrives in pieces grows as
    // vectors do.
    let reserved = if line.is_empty() { line.try_reserve_exact(wanted) } else { line.try_reserve(wanted) };
    reserved.map_err(|_| NoLine::Refused(Refused::TooLong))?;

    let received = receive(socket, &mut line.spare_capacity_mut()[..wanted], 0)?.len();

    // SAFETY: `received` bytes were written right after those of the vector, into its capacity.
    unsafe { line.set_len(line.len() + received) };
    Ok(received)
}

/// Receives at most as many bytes as `buffer` has; `flags` is 0 or `MSG_PEEK`.
fn receive<'a>(socket: &Socket, buffer: &'a mut [MaybeUninit<u8>], flags: c_int) -> Result<&'a [u8], NoLine> {
    // SAFETY: `buffer` is writable and outlives the call, which keeps no pointer.
    let count = unsafe { libc::recv(socket.fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };

    let written = ret_written(count, buffer.len())?;
    // SAFETY: `written` is at most the length of `buffer`. The flags are 0 or MSG_PEEK, with which `recv`
    // writes each byte that it counts and that fits, from the first on.
    Ok(unsafe { slice::from_raw_parts(buffer.as_ptr().cast(), written) })
}

/// Waits after a failed `recv` if nothing has arrived yet; PHP tries again without a pause. A blocking socket
/// has waited already, for its `SO_RCVTIMEO`.
#[cold]
fn wait_if_nothing_yet(socket: &Socket, reason: NoLine) -> Result<(), NoLine> {
    let NoLine::Code(libc::EAGAIN) = reason else { return Err(reason) };
    if !is_nonblocking(socket)? {
        return Ok(());
    }
    let time_limit = if socket.peek_may_hide_bytes() { PAUSE.into() } else { -1 };
    let events = poll(socket.fd(), time_limit)?;
    // An error that recv does not report, such as a message in the error queue, would end every poll at once.
    if events == libc::POLLERR {
        thread::sleep(Duration::from_millis(PAUSE.into()));
    }
    Ok(())
}

/// Waits until `fd` can be read, for at most these milliseconds; −1 means without a limit.
fn poll(fd: RawFd, milliseconds: c_int) -> Result<c_short, NoLine> {
    let mut ready = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };

    // SAFETY: `ready` is one `pollfd`, as the count says, and outlives the call.
    let status = unsafe { libc::poll(&raw mut ready, 1, milliseconds) };

    match ret(status) {
        Err(failed) if failed.errno() != libc::EINTR => Err(failed.into()),
        // A signal ends the wait early. The next `recv` then shows what has arrived.
        _ => Ok(ready.revents),
    }
}

fn is_nonblocking(socket: &Socket) -> Result<bool, NoLine> {
    Ok(socket.status_flags()? & libc::O_NONBLOCK != 0)
}
