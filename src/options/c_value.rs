//! The value of an option in C: `setsockopt` reads a `CValue`, `getsockopt` writes an `Answer`.

use std::ffi::{OsStr, c_int, c_void};
use std::mem::{offset_of, size_of};
use std::os::unix::ffi::OsStrExt;

use libc::{in_addr, in6_pktinfo, sock_filter, sockaddr_storage, socklen_t};

use crate::sys::ffi;

/// A value on its way to the kernel.
#[allow(clippy::large_enum_variant, reason = "one stands on the stack for the length of one call")]
pub(super) enum CValue<'a> {
    Int(c_int),
    Unsigned(u32),
    Byte(u8),
    Text(&'a OsStr),
    Linger(libc::linger),
    Timeval(libc::timeval),
    Address(in_addr),
    Group(GroupReq),
    Source(GroupSourceReq),
    Pktinfo(in6_pktinfo),
    Filter(Program),
    /// For `SO_DETACH_REUSEPORT_BPF`, which takes the place of the option that attaches.
    Detach(c_int),
}

/// C's `group_req`. The kernel copies the padding of a structure too, so it is a field, which is written.
#[repr(C)]
pub(super) struct GroupReq {
    interface: u32,
    padding: u32,
    group: sockaddr_storage,
}

impl GroupReq {
    pub(super) fn new(interface: u32, group: sockaddr_storage) -> GroupReq {
        GroupReq { interface, padding: 0, group }
    }
}

/// C's `group_source_req`, padding included.
#[repr(C)]
pub(super) struct GroupSourceReq {
    interface: u32,
    padding: u32,
    group: sockaddr_storage,
    source: sockaddr_storage,
}

impl GroupSourceReq {
    pub(super) fn new(interface: u32, group: sockaddr_storage, source: sockaddr_storage) -> GroupSourceReq {
        GroupSourceReq { interface, padding: 0, group, source }
    }
}

/// C's `sock_fprog`, padding included.
#[repr(C)]
pub(super) struct Program {
    len: u16,
    padding: [u16; 3],
    filter: *const sock_filter,
}

/// These structures have C's layout, and no padding but the fields of that name. Early versions of the `libc` crate lack
/// `group_req` and its kin, so this is C's rule itself: a field stands at the next multiple of its alignment.
const _: () = {
    assert!(offset_of!(GroupReq, group) == size_of::<u32>().next_multiple_of(align_of::<sockaddr_storage>()));
    assert!(size_of::<GroupReq>() == 2 * size_of::<u32>() + size_of::<sockaddr_storage>());
    assert!(offset_of!(GroupSourceReq, group) == offset_of!(GroupReq, group));
    assert!(offset_of!(GroupSourceReq, source) == size_of::<GroupReq>());
    assert!(size_of::<GroupSourceReq>() == 2 * size_of::<u32>() + 2 * size_of::<sockaddr_storage>());
    assert!(size_of::<Program>() == size_of::<libc::sock_fprog>());
    assert!(size_of::<Program>() == 4 * size_of::<u16>() + size_of::<*const sock_filter>());
    assert!(offset_of!(Program, filter) == offset_of!(libc::sock_fprog, filter));
};

impl CValue<'_> {
    /// The address and the length that `setsockopt` is given.
    ///
    /// A text longer than C's `int` counts is cut: the kernel refuses a length with the highest bit set, and no option
    /// takes so many bytes.
    pub(super) fn bytes(&self) -> (*const c_void, socklen_t) {
        fn of<T: ?Sized>(value: &T) -> (*const c_void, usize) {
            ((&raw const *value).cast(), size_of_val(value))
        }
        let (start, len) = match self {
            CValue::Int(value) | CValue::Detach(value) => of(value),
            CValue::Unsigned(value) => of(value),
            CValue::Byte(value) => of(value),
            CValue::Text(value) => of(value.as_bytes()),
            CValue::Linger(value) => of(value),
            CValue::Timeval(value) => of(value),
            CValue::Address(value) => of(value),
            CValue::Group(value) => of(value),
            CValue::Source(value) => of(value),
            CValue::Pktinfo(value) => of(value),
            CValue::Filter(value) => of(value),
        };
        (start, c_int::try_from(len).unwrap_or(c_int::MAX).unsigned_abs())
    }

    /// PHP's filter for `SO_ATTACH_REUSEPORT_CBPF`: load a word of the kernel's ancillary data, return it. `None` for
    /// other words than the two that PHP has.
    pub(super) fn filter(word: c_int) -> Option<CValue<'static>> {
        let filter = match word {
            libc::SKF_AD_CPU => &CPU,
            libc::SKF_AD_QUEUE => &QUEUE,
            _ => return None,
        };
        Some(CValue::Filter(Program { len: 2, padding: [0; 3], filter: filter.as_ptr() }))
    }
}

static CPU: [sock_filter; 2] = load_and_return(libc::SKF_AD_CPU);
static QUEUE: [sock_filter; 2] = load_and_return(libc::SKF_AD_QUEUE);

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "codes have 16 bits, and SKF_AD_OFF is negative: BPF's address space ends with the ancillary data"
)]
const fn load_and_return(word: c_int) -> [sock_filter; 2] {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const RETURN: u16 = (libc::BPF_RET | ffi::BPF_A) as u16;
    [
        sock_filter { code: LOAD, jt: 0, jf: 0, k: (libc::SKF_AD_OFF + word) as u32 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: 0 },
    ]
}

/// The bytes that `getsockopt` writes, zero at first, and its count of them. `SO_GET_FILTER` counts filters.
#[repr(C, align(8))]
pub(super) struct Answer {
    bytes: [u8; Answer::CAPACITY],
    pub(super) len: socklen_t,
}

impl Answer {
    /// `SO_MEMINFO` has the longest value, nine words. `SO_GET_FILTER` takes the length of an int for a number of
    /// filters, which take fewer bytes.
    const CAPACITY: usize = 9 * size_of::<u32>();
    const _FILTERS: () = assert!(Answer::CAPACITY >= size_of::<c_int>() * size_of::<sock_filter>());

    pub(super) const fn new(len: socklen_t) -> Answer {
        Answer { bytes: [0; Answer::CAPACITY], len }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut c_void {
        self.bytes.as_mut_ptr().cast()
    }

    /// As many bytes as a `T` has, for the length that `getsockopt` is given.
    #[allow(clippy::cast_possible_truncation, reason = "an answer has 36 bytes")]
    pub(super) const fn len_of<T>() -> socklen_t {
        const { assert!(size_of::<T>() <= Answer::CAPACITY) };
        size_of::<T>() as socklen_t
    }

    /// The `N` bytes at `offset`, a constant.
    pub(super) fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.bytes[offset..offset + N]);
        bytes
    }

    pub(super) fn int(&self, offset: usize) -> c_int {
        c_int::from_ne_bytes(self.at(offset))
    }

    pub(super) fn uint(&self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.at(offset))
    }
}
