//! What the `libc` crate lacks: functions of glibc and constants of its headers, as C declares them.

use std::ffi::{c_char, c_int, c_void};

use libc::{hostent, ifreq, protoent, servent, size_t, socklen_t};

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
