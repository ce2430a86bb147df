//! One converter per kind of C return value, and the declarations that the `libc` crate lacks.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd};

use libc::{hostent, ifreq, protoent, servent, size_t, socklen_t, ssize_t};

/// A C function returned −1, and `errno` says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl Failed {
    /// Reads `errno`, which must happen before another C function is called.
    #[allow(clippy::unused_self, reason = "`errno` says something only after a failure")]
    pub(crate) fn errno(self) -> c_int {
        errno::errno().0
    }
}

/// For a function that returns 0 or −1.
#[inline]
pub(crate) fn ret(status: c_int) -> Result<(), Failed> {
    if status == -1 { Err(Failed) } else { Ok(()) }
}

/// For a function that returns 0 or a code, and leaves `errno` alone.
#[inline]
pub(crate) fn ret_code(code: c_int) -> Result<(), c_int> {
    if code == 0 { Ok(()) } else { Err(code) }
}

/// For a function that returns a number or −1.
#[inline]
pub(crate) fn ret_c_int(number: c_int) -> Result<c_int, Failed> {
    if number == -1 { Err(Failed) } else { Ok(number) }
}

/// For a function that returns a count or −1.
#[inline]
pub(crate) fn ret_usize(count: ssize_t) -> Result<usize, Failed> {
    usize::try_from(count).map_err(|_| Failed)
}

/// For a function that returns a count as an `int`, or −1.
#[inline]
pub(crate) fn ret_count(count: c_int) -> Result<usize, Failed> {
    usize::try_from(count).map_err(|_| Failed)
}

/// For a function that receives into `capacity` bytes: how many of them it has written.
///
/// The kernel may count more than it writes: a longer datagram with `MSG_TRUNC`, or a whole queue of TCP in repair mode,
/// whatever the flags.
#[inline]
#[allow(
    clippy::cast_sign_loss,
    reason = "a negative count is above every capacity too, so that one comparison serves both"
)]
pub(crate) fn ret_written(count: ssize_t, capacity: usize) -> Result<usize, Failed> {
    if count as usize <= capacity { Ok(count as usize) } else { above(count, capacity) }
}

#[cold]
fn above(count: ssize_t, capacity: usize) -> Result<usize, Failed> {
    if count < 0 { Err(Failed) } else { Ok(capacity) }
}

/// For a function that opens a descriptor or returns −1.
///
/// # Safety
///
/// `fd` is −1, or a descriptor that the kernel has just opened and that has no other owner.
#[inline]
pub(crate) unsafe fn ret_owned_fd(fd: c_int) -> Result<OwnedFd, Failed> {
    ret(fd)?;
    // SAFETY: it is not −1, so it is open and has no other owner, as the caller promises.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// For a function, and for a field, that is a string or null.
///
/// # Safety
///
/// `text` is null, or points at bytes that end in a NUL and stay as they are for `'a`.
pub(crate) unsafe fn ret_c_str<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: it is not null, so it is a string for `'a`, as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

pub(crate) const MSG_EOF: c_int = libc::MSG_FIN;
pub(crate) const SOL_UDPLITE: c_int = libc::IPPROTO_UDPLITE;
pub(crate) const UDPLITE_SEND_CSCOV: c_int = 10;
pub(crate) const UDPLITE_RECV_CSCOV: c_int = 11;
pub(crate) const SO_DETACH_REUSEPORT_BPF: c_int = 68;
/// In Linux since 6.5.
pub(crate) const SO_PEERPIDFD: c_int = 77;
pub(crate) const PACKET_FANOUT_DATA: c_int = 22;
pub(crate) const AI_IDN: c_int = 0x40;
pub(crate) const AI_CANONIDN: c_int = 0x80;
pub(crate) const BPF_A: u32 = 0x10;

/// C's `ifconf`. The `libc` crate gives its union a name that is not for use.
#[repr(C)]
pub(crate) struct IfConf {
    pub(crate) ifc_len: c_int,
    pub(crate) ifc_req: *mut ifreq,
}

unsafe extern "C" {
    pub(crate) fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
    pub(crate) fn inet_ntop(
        family: c_int,
        address: *const c_void,
        text: *mut c_char,
        size: socklen_t,
    ) -> *const c_char;
    pub(crate) fn gethostbyname_r(
        name: *const c_char,
        entry: *mut hostent,
        buffer: *mut c_char,
        size: size_t,
        result: *mut *mut hostent,
        h_errno: *mut c_int,
    ) -> c_int;
    pub(crate) fn __h_errno_location() -> *mut c_int;
    pub(crate) fn getprotobyname_r(
        name: *const c_char,
        entry: *mut protoent,
        buffer: *mut c_char,
        size: size_t,
        result: *mut *mut protoent,
    ) -> c_int;
    pub(crate) fn getprotobynumber_r(
        number: c_int,
        entry: *mut protoent,
        buffer: *mut c_char,
        size: size_t,
        result: *mut *mut protoent,
    ) -> c_int;
    pub(crate) fn getservbyname_r(
        name: *const c_char,
        protocol: *const c_char,
        entry: *mut servent,
        buffer: *mut c_char,
        size: size_t,
        result: *mut *mut servent,
    ) -> c_int;
    pub(crate) fn getservbyport_r(
        port: c_int,
        protocol: *const c_char,
        entry: *mut servent,
        buffer: *mut c_char,
        size: size_t,
        result: *mut *mut servent,
    ) -> c_int;
    pub(crate) fn sockatmark(fd: c_int) -> c_int;
}
