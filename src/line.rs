//! `PHP_NORMAL_READ`: one line of a socket, without taking a byte too many.

use std::ffi::{c_int, c_short};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::slice;

use crate::buffer::{self, Sites};
use crate::error::{Error, Result, Site};
use crate::socket::Socket;

/// How far one look goes. Looking copies, and what lies behind the line is copied in vain.
const LOOK: usize = 16 * 1024;

/// How often PHP reads nothing before it calls the connection reset.
const EMPTY_READS: u32 = 200;

/// How many milliseconds to wait where `poll` cannot tell when to try again.
const SOON: c_int = 10;

/// A descriptor that `poll` takes for none.
const NOBODY: RawFd = -1;

fn failed(socket: &Socket) -> Error {
    socket.warning(&FAILED)
}

static FAILED: Site = Site { function: "socket_read", message: "unable to read from socket" };

/// A line with its end, `\n` or `\r`, of at most `length` bytes.
pub(crate) fn read_line(socket: &Socket, length: usize, sites: &'static Sites) -> Result<Vec<u8>> {
    if length >= isize::MAX.unsigned_abs() {
        return Err(Error::silent(&sites.too_long));
    }
    if length == 0 {
        return Err(Error::silent(&sites.empty));
    }
    let mut line = Vec::new();
    if socket.kind() == libc::SOCK_STREAM && !socket.waits_for_more() {
        read_stream(socket, &mut line, length, sites)?;
    } else {
        read_bytes(socket, &mut line, length, sites)?;
    }
    line.shrink_to_fit();
    Ok(line)
}

/// Looks how much of the line has arrived and takes that, until the line is whole.
fn read_stream(socket: &Socket, line: &mut Vec<u8>, length: usize, sites: &'static Sites) -> Result<()> {
    loop {
        let wanted = (length - line.len()).min(LOOK);
        let mut look = [MaybeUninit::uninit(); LOOK];

        let Some(seen) = receive(socket, &mut look[..wanted], libc::MSG_PEEK) else {
            wait_if_nothing_yet(socket)?;
            continue;
        };
        if seen.is_empty() {
            return end_of_stream(socket, line);
        }
        let size = length_of_line(seen);

        // What was seen is there, unless another thread reads the same socket.
        let Some(taken) = append(socket, line, size, sites)? else {
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
fn end_of_stream(socket: &Socket, line: &[u8]) -> Result<()> {
    if line.is_empty() && !is_nonblocking(socket)? {
        return Err(socket.remember(&FAILED, libc::ECONNRESET));
    }
    Ok(())
}

/// One byte a `recv`, as PHP does. On a datagram socket the rest of each datagram is lost.
fn read_bytes(socket: &Socket, line: &mut Vec<u8>, length: usize, sites: &'static Sites) -> Result<()> {
    let nonblocking = is_nonblocking(socket)?;
    let mut empty_reads = 0;
    while line.len() < length && !line.last().is_some_and(|byte| is_end(*byte)) {
        match append(socket, line, 1, sites)? {
            Some(0) if nonblocking => return Ok(()),
            Some(0) => empty_reads += 1,
            Some(_) => {}
            None => wait_if_nothing_yet(socket)?,
        }
        if empty_reads == EMPTY_READS {
            return Err(socket.remember(&FAILED, libc::ECONNRESET));
        }
    }
    Ok(())
}

/// Appends up to `wanted` bytes; gives their number. `None` is a failure, described by `errno`.
#[inline]
fn append(
    socket: &Socket,
    line: &mut Vec<u8>,
    wanted: usize,
    sites: &'static Sites,
) -> Result<Option<usize>> {
    // A line that comes whole gets no more memory than it needs, one that comes in pieces grows as vectors do.
    let room = if line.is_empty() { line.try_reserve_exact(wanted) } else { line.try_reserve(wanted) };
    room.map_err(|_| Error::silent(&sites.too_long))?;

    let Some(taken) = receive(socket, &mut line.spare_capacity_mut()[..wanted], 0) else { return Ok(None) };
    let taken = taken.len();

    // SAFETY: `taken` bytes were received right behind those that the vector had.
    unsafe { line.set_len(line.len() + taken) };
    Ok(Some(taken))
}

/// Receives as many bytes as there is room for, at most; `flags` are 0 or `MSG_PEEK`. `None` is a failure, described by `errno`.
fn receive<'a>(socket: &Socket, room: &'a mut [MaybeUninit<u8>], flags: c_int) -> Option<&'a [u8]> {
    // SAFETY: `room` is writable and outlives the call, which keeps no pointer.
    let count = unsafe { libc::recv(socket.fd(), room.as_mut_ptr().cast(), room.len(), flags) };

    let count = buffer::written(count, room.len())?;
    // SAFETY: the flags are 0 or MSG_PEEK, with which `recv` writes each byte that it counts and that fits, from the first
    // on; `count` is no more than `room` has.
    Some(unsafe { slice::from_raw_parts(room.as_ptr().cast(), count) })
}

/// After a failed `recv`: nothing has arrived yet, so wait for it, where PHP tries again and again; else the error.
/// A blocking socket has waited already, for its `SO_RCVTIMEO`.
#[cold]
fn wait_if_nothing_yet(socket: &Socket) -> Result<()> {
    if errno::errno().0 != libc::EAGAIN {
        return Err(failed(socket));
    }
    if !is_nonblocking(socket)? {
        return Ok(());
    }
    let patience = if socket.waits_for_more() { SOON } else { -1 };
    let events = poll(socket, socket.fd(), patience)?;
    // An error that recv does not report, such as a message in the error queue, would wake poll at once, for ever.
    if events == libc::POLLERR {
        poll(socket, NOBODY, SOON)?;
    }
    Ok(())
}

/// Waits until `fd` can be read, or for some milliseconds; −1 is for ever.
fn poll(socket: &Socket, fd: RawFd, milliseconds: c_int) -> Result<c_short> {
    let mut ready = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };

    // SAFETY: `ready` is one `pollfd`, as the count says, and outlives the call.
    let status = unsafe { libc::poll(&raw mut ready, 1, milliseconds) };

    // A signal ends the wait early, and then `recv` finds out what there is.
    if status == -1 && errno::errno().0 != libc::EINTR { Err(failed(socket)) } else { Ok(ready.revents) }
}

fn is_nonblocking(socket: &Socket) -> Result<bool> {
    match socket.status_flags() {
        -1 => Err(failed(socket)),
        flags => Ok(flags & libc::O_NONBLOCK != 0),
    }
}
