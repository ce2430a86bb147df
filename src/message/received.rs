//! The type `Received`: buffers for a message, and the message that arrived in them.

use std::alloc::{self, Layout};
use std::collections::TryReserveError;
use std::ffi::c_int;
use std::fmt;
use std::mem;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::{NonNull, slice_from_raw_parts_mut};

use super::MessageName;
use super::control::{Found, Reader, ReceivedControl};
use crate::error::{Error, Result, Site};
use crate::iovec::IoVec;
use crate::sys::sockaddr::SockAddrBuf;

/// Buffers for a message, and after [`socket_recvmsg`](crate::socket_recvmsg) the message: PHP's `$message` array.
///
/// It can be used for many messages. It allocates when it is made, and once more at the first `MSG_TRUNC`, or the first
/// flag that this crate does not know, for a second set of buffers. It owns the descriptors that arrived. They are closed
/// when the next message arrives or the `Received` is dropped, unless [`take_rights`](Received::take_rights) took them.
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_DGRAM, 0)?;
/// let mut message = Received::new(socket_iovec_alloc(&[4, 100])?, 64)?;
/// for text in ["one datagram", "and another"] {
///     socket_write(&here, text, None)?;
///     assert_eq!(socket_recvmsg(&there, &mut message, 0)?, text.len());
///     let parts: Vec<&[u8]> = message.iov().iter().collect();
///     assert_eq!(parts.concat(), text.as_bytes());
/// }
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 19](crate::lessons::lesson_19) · [php.net](https://www.php.net/socket_recvmsg) ·
/// [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html)
#[must_use = "it closes the descriptors that arrived when it is dropped"]
pub struct Received {
    pub(crate) iov: IoVec,
    /// A second set of buffers, for `MSG_TRUNC` and flags that are not known; empty until then.
    pub(crate) spare: IoVec,
    pub(crate) name: SockAddrBuf,
    pub(crate) control: Control,
    pub(crate) flags: c_int,
    rights: Vec<OwnedFd>,
    /// The descriptor of a process, from an `SCM_PIDFD` message, which `control` gives raw.
    pidfd: Option<OwnedFd>,
}

/// The control buffer, aligned as the messages' headers must be.
pub(crate) struct Control {
    words: Box<[u64]>,
    /// The kernel writes here, so that a failed call leaves the message before as it was.
    spare: Box<[u64]>,
    /// The size that the caller chose, in bytes.
    controllen: usize,
    /// How many of them the kernel has filled.
    len: usize,
}

impl Control {
    fn new(controllen: usize) -> Option<Control> {
        let count = controllen.div_ceil(size_of::<u64>());
        Some(Control { words: zeros(count)?, spare: zeros(count)?, controllen, len: 0 })
    }

    /// The address and the size in bytes, for the kernel.
    pub(crate) fn as_mut(&mut self) -> (*mut libc::c_void, usize) {
        (self.spare.as_mut_ptr().cast(), self.controllen)
    }

    /// The kernel has written `len` bytes.
    pub(crate) fn filled(&mut self, len: usize) {
        mem::swap(&mut self.words, &mut self.spare);
        self.len = len;
    }

    fn bytes(&self) -> &[u8] {
        let len = self.len.min(self.controllen);

        // SAFETY: `words` has at least `controllen` bytes, all of them written when it was made; bytes need no alignment.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), len) }
    }
}

/// `count` zeros; `None` if the allocation failed. Pages that are never written take no physical memory, so a large buffer
/// costs only the bytes that arrive.
fn zeros(count: usize) -> Option<Box<[u64]>> {
    let layout = Layout::array::<u64>(count).ok()?;
    if layout.size() == 0 {
        return Some(Box::default());
    }
    // SAFETY: the size is not 0.
    let memory = NonNull::new(unsafe { alloc::alloc_zeroed(layout) })?.cast();

    // SAFETY: the global allocator has just given `memory` for `count` words and nothing else owns it; zeros are words.
    Some(unsafe { Box::from_raw(slice_from_raw_parts_mut(memory.as_ptr(), count)) })
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn no_memory(_: TryReserveError) -> Error {
    Error::plain_warning(&NO_MEMORY)
}

static NO_MEMORY: Site = Site { function: "socket_recvmsg", message: "there is no memory for so many bytes" };

/// The most descriptors that one message carries: the kernel's `SCM_MAX_FD`.
const RIGHTS_MAX: usize = 253;

impl Received {
    /// Receives bytes into `iov`, and control messages into a buffer of `controllen` bytes:
    /// [`socket_cmsg_space`](crate::socket_cmsg_space) returns how many each message needs.
    ///
    /// # Errors
    ///
    /// - `controllen` is 0:
    ///   `socket_recvmsg(): error converting user data (path: msghdr > controllen): controllen cannot be 0`
    /// - more than there is memory for: `socket_recvmsg(): there is no memory for so many bytes`
    pub fn new(iov: IoVec, controllen: usize) -> Result<Received> {
        if controllen == 0 {
            return Err(Error::plain_warning(&Site {
                function: "socket_recvmsg",
                message: "error converting user data (path: msghdr > controllen): controllen cannot be 0",
            }));
        }
        let control = Control::new(controllen).ok_or_else(|| Error::plain_warning(&NO_MEMORY))?;
        let mut rights = Vec::new();
        rights.try_reserve_exact(RIGHTS_MAX.min(controllen / size_of::<OwnedFd>())).map_err(no_memory)?;
        Ok(Received {
            iov,
            spare: IoVec::default(),
            name: SockAddrBuf::new(),
            control,
            flags: 0,
            rights,
            pidfd: None,
        })
    }

    /// The sender's address; `None` if the sender has none, or on a TCP connection.
    #[must_use]
    pub fn name(&self) -> Option<MessageName> {
        MessageName::received(&self.name)
    }

    /// The bytes of the message, in the buffers that it was received into.
    #[must_use = "it only shows the bytes"]
    pub fn iov(&self) -> &IoVec {
        &self.iov
    }

    /// The buffers, to change them for the next message.
    pub fn iov_mut(&mut self) -> &mut IoVec {
        &mut self.iov
    }

    /// The control messages, in the kernel's order.
    pub fn control(&self) -> impl Iterator<Item = ReceivedControl<'_>> {
        let mut rights = self.rights.as_slice();
        Reader::new(self.control.bytes()).map(move |found| match found.rights() {
            Some(numbers) => {
                let (these, others) = rights.split_at_checked(numbers.count()).unwrap_or_default();
                rights = others;
                ReceivedControl::Rights(these)
            }
            None => found.value(),
        })
    }

    /// The flags that `recvmsg` set: `MSG_TRUNC` if bytes of the message did not fit, `MSG_CTRUNC` if control messages did
    /// not.
    #[must_use]
    pub fn flags(&self) -> c_int {
        self.flags
    }

    /// Takes the descriptors that arrived: [`Socket::from`](crate::Socket) and std's types take an [`OwnedFd`].
    ///
    /// After that [`control`](Received::control) has none of them.
    #[must_use = "descriptors that are dropped are closed"]
    pub fn take_rights(&mut self) -> Vec<OwnedFd> {
        self.rights.drain(..).collect()
    }

    /// Owns the descriptors of a message that has just arrived, and closes those of the message before.
    ///
    /// # Safety
    ///
    /// A `recvmsg` wrote the control messages, and their descriptors have no other owner.
    pub(crate) unsafe fn own_rights(&mut self) {
        let mut rights = mem::take(&mut self.rights);
        rights.clear();
        for fd in Reader::new(self.control.bytes()).filter_map(Found::rights).flatten() {
            // SAFETY: the kernel has just opened this descriptor, and it has no other owner, as the caller promises; it is not negative.
            rights.push(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        self.rights = rights;
        // SAFETY: the same holds for this one.
        self.pidfd = Reader::new(self.control.bytes())
            .find_map(Found::pidfd)
            .map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("name", &self.name())
            .field("iov", &self.iov)
            .field("control", &self.control().collect::<Vec<_>>())
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
