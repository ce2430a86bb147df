//! The errors of options, each under both names of its function.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::net::Ipv6Addr;

use php_sockets::*;

use crate::common;
use crate::errors::{Case, NOWHERE, Older, Ours, Outcome, Php, Since, cases, inet, inet6, unix};

/// The cases that the suite of errors takes from here.
pub(crate) const ALL: [&[Case]; 3] = [CASES, alias::CASES, types::CASES];

thread_local! {
    static SHORT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Stands before the C library's function in this program: writes less than was asked for, where a test wants that.
///
/// # Safety
///
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn getsockopt(
    fd: c_int,
    level: c_int,
    option: c_int,
    value: *mut c_void,
    len: *mut libc::socklen_t,
) -> c_int {
    if let Some(short) = SHORT.get() {
        // SAFETY: `len` is writable, as the caller promised.
        unsafe { *len = short };
    }
    // SAFETY: the caller's promises are those that the system call needs.
    let status = unsafe { libc::syscall(libc::SYS_getsockopt, fd, level, option, value, len) };
    c_int::try_from(status).unwrap()
}

/// PHP: a socket `$s`, and a call on it.
macro_rules! php {
    (inet $call:ident $args:literal) => {
        Php(concat!("$s = socket_create(AF_INET, SOCK_DGRAM, 0); ", stringify!($call), "($s, ", $args, ")"))
    };
    (inet6 $call:ident $args:literal) => {
        Php(concat!("$s = socket_create(AF_INET6, SOCK_DGRAM, 0); ", stringify!($call), "($s, ", $args, ")"))
    };
    (unix $call:ident $args:literal) => {
        Php(concat!("$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); ", stringify!($call), "($s, ", $args, ")"))
    };
}

/// PHP: a call on an `AF_INET` socket `$s` that an older PHP than this version fails at in another way.
macro_rules! since {
    ($version:literal $call:ident $args:literal, Value $text:literal, $older:expr) => {
        Since(
            $version,
            concat!("$s = socket_create(AF_INET, SOCK_DGRAM, 0); ", stringify!($call), "($s, ", $args, ")"),
            (ErrorKind::Value, concat!(stringify!($call), "(): ", $text)),
            $older,
        )
    };
}

/// PHP's text about a value that is no array, as [`since`] takes it, behind the words that all such texts begin with.
macro_rules! no_array {
    ($version:literal $call:ident $args:literal, $text:literal, $older:expr) => {
        Since(
            $version,
            concat!("$s = socket_create(AF_INET, SOCK_DGRAM, 0); ", stringify!($call), "($s, ", $args, ")"),
            (
                ErrorKind::Value,
                concat!(
                    stringify!($call),
                    "(): Argument #4 ($value) must be of type array when argument #3 ($option) is ",
                    $text
                ),
            ),
            $older,
        )
    };
}

/// A value that an older PHP passed on to the kernel.
macro_rules! invalid {
    ($call:ident) => {
        Older::warned(
            concat!(stringify!($call), "(): Unable to set socket option [22]: Invalid argument"),
            SOCKET_EINVAL as i64,
        )
    };
}

/// The text that an older PHP threw, behind the function's name.
macro_rules! threw {
    ($call:ident $text:literal) => {
        Older::threw(concat!(stringify!($call), "(): ", $text))
    };
}

/// Rust: the same.
macro_rules! rust {
    ($family:ident $call:ident $($arg:expr),+) => {
        || {
            let socket = $family(SOCK_DGRAM);
            let result = $call(&socket, $($arg),+);
            Outcome::on(&socket, result)
        }
    };
}

/// A text of ours: the function's name, and the message.
macro_rules! ours {
    ($kind:ident $call:ident $text:literal) => {
        Ours(ErrorKind::$kind, concat!(stringify!($call), "(): ", $text))
    };
}

/// A UDP socket whose multicast goes out by the address 192.0.2.1, which no machine has.
fn lost() -> Socket {
    use std::os::fd::AsRawFd;
    let socket = inet(SOCK_DGRAM);
    let request = libc::ip_mreqn {
        imr_multiaddr: libc::in_addr { s_addr: 0 },
        imr_address: libc::in_addr { s_addr: u32::from_ne_bytes([192, 0, 2, 1]) },
        imr_ifindex: 1,
    };
    let len = libc::socklen_t::try_from(size_of_val(&request)).unwrap();
    // SAFETY: `request` is readable for the `len` bytes given and outlives the call.
    let status = unsafe {
        libc::setsockopt(socket.as_raw_fd(), IPPROTO_IP, IP_MULTICAST_IF, (&raw const request).cast(), len)
    };
    assert_eq!(status, 0);
    socket
}

fn on_loopback() -> Socket {
    let socket = inet(SOCK_DGRAM);
    socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, "lo").unwrap();
    socket
}

/// A request of `ioctl`, to be made to fail.
fn request(number: libc::Ioctl) -> u32 {
    u32::try_from(number).unwrap()
}

/// All cases, for one pair of names.
macro_rules! table {
    ($get:ident $set:ident) => {
        cases! {
            set_an_unknown_option: php!(inet $set "SOL_SOCKET, 9999, 1") => rust!(inet $set SOL_SOCKET, 9999, 1);
            linger_is_no_number: no_array!(
                80403 $set "SOL_SOCKET, SO_LINGER, 7", "SO_LINGER, int given",
                threw!($set "Argument #4 ($value) must have key \"l_onoff\"")
            ) =>
                rust!(inet $set SOL_SOCKET, SO_LINGER, 7);
            linger_is_no_other_struct: php!(inet $set "SOL_SOCKET, SO_LINGER, ['sec' => 1, 'usec' => 2]") =>
                rust!(inet $set SOL_SOCKET, SO_LINGER, Timeval::new(1, 2));
            linger_is_no_text: no_array!(
                80403 $set "SOL_SOCKET, SO_LINGER, '7'", "SO_LINGER, string given",
                threw!($set "Argument #4 ($value) must have key \"l_onoff\"")
            ) => rust!(inet $set SOL_SOCKET, SO_LINGER, "7");
            a_time_is_no_number: no_array!(
                80403 $set "SOL_SOCKET, SO_SNDTIMEO, 7", "SO_SNDTIMEO, int given",
                threw!($set "Argument #4 ($value) must have key \"sec\"")
            ) =>
                rust!(inet $set SOL_SOCKET, SO_SNDTIMEO, 7);
            a_time_is_no_other_struct: php!(inet $set "SOL_SOCKET, SO_RCVTIMEO, ['l_onoff' => 1]") =>
                rust!(inet $set SOL_SOCKET, SO_RCVTIMEO, Linger::new(1, 2));
            a_time_is_no_text: no_array!(
                80403 $set "SOL_SOCKET, SO_RCVTIMEO, 'x'", "SO_RCVTIMEO, string given",
                threw!($set "Argument #4 ($value) must have key \"sec\"")
            ) =>
                rust!(inet $set SOL_SOCKET, SO_RCVTIMEO, "x");
            a_time_to_receive_is_no_number: no_array!(
                80403 $set "SOL_SOCKET, SO_RCVTIMEO, 7", "SO_RCVTIMEO, int given",
                threw!($set "Argument #4 ($value) must have key \"sec\"")
            ) =>
                rust!(inet $set SOL_SOCKET, SO_RCVTIMEO, 7);
            a_time_to_send_is_no_text: no_array!(
                80403 $set "SOL_SOCKET, SO_SNDTIMEO, 'x'", "SO_SNDTIMEO, string given",
                threw!($set "Argument #4 ($value) must have key \"sec\"")
            ) =>
                rust!(inet $set SOL_SOCKET, SO_SNDTIMEO, "x");
            a_time_has_less_than_a_million_microseconds:
                php!(inet $set "SOL_SOCKET, SO_RCVTIMEO, ['sec' => 1, 'usec' => 1000000]") =>
                rust!(inet $set SOL_SOCKET, SO_RCVTIMEO, Timeval::new(1, 1_000_000));
            // [V] 3.2: before 8.5 PHP takes what is no string for an empty one, which unbinds.
            a_device_is_no_number: since!(
                80500 $set "SOL_SOCKET, SO_BINDTODEVICE, 1",
                Value "Argument #4 ($value) must be of type string when argument #3 ($option) is SO_BINDTODEVICE, int given",
                Older::SILENT
            ) => rust!(inet $set SOL_SOCKET, SO_BINDTODEVICE, 1);
            a_device_is_no_struct: since!(
                80500 $set "SOL_SOCKET, SO_BINDTODEVICE, ['l_onoff' => 1]",
                Value "Argument #4 ($value) must be of type string when argument #3 ($option) is SO_BINDTODEVICE, array given",
                Older::SILENT
            ) => rust!(inet $set SOL_SOCKET, SO_BINDTODEVICE, Linger::new(1, 2));
            a_device_that_is_not_there: php!(inet $set "SOL_SOCKET, SO_BINDTODEVICE, 'nosuch0'") =>
                rust!(inet $set SOL_SOCKET, SO_BINDTODEVICE, "nosuch0");
            an_algorithm_is_no_number: since!(
                80500 $set "SOL_TCP, TCP_CONGESTION, 7",
                Value "Argument #4 ($value) must be of type string when argument #3 ($option) is TCP_CONGESTION, int given",
                Older::warned(
                    concat!(stringify!($set), "(): Unable to set socket option [92]: Protocol not available"),
                    SOCKET_ENOPROTOOPT as i64,
                )
            ) => rust!(inet $set SOL_TCP, TCP_CONGESTION, 7);
            an_algorithm_is_no_struct: ours!(
                Value $set "Argument #4 ($value) must be of type string when argument #3 ($option) is TCP_CONGESTION, \
                 array given"
            ) => rust!(inet $set SOL_TCP, TCP_CONGESTION, Linger::new(1, 2));
            a_filter_is_a_number: ours!(Value $set "Argument #4 ($value) must be of type int, string given") =>
                rust!(inet $set SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, "cpu");
            a_filter_that_php_does_not_have: Since(
                80300,
                concat!("$s = socket_create(AF_INET, SOCK_DGRAM, 0); ", stringify!($set), "($s, SOL_SOCKET, 51, 20)"),
                (ErrorKind::Warning, concat!(stringify!($set), "(): Unsupported CBPF filter")),
                invalid!($set)
            ) => rust!(inet $set SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, SKF_AD_MARK);
            a_segment_of_more_than_16_bits: since!(
                80500 $set "SOL_UDP, 103, 65536", Value "Argument #4 ($value) must be of between 0 and 65535",
                invalid!($set)
            ) => rust!(inet $set SOL_UDP, UDP_SEGMENT, 65536);
            a_segment_of_less_than_nothing: since!(
                80500 $set "SOL_UDP, 103, -1", Value "Argument #4 ($value) must be of between 0 and 65535",
                invalid!($set)
            ) => rust!(inet $set SOL_UDP, UDP_SEGMENT, -1);
            // [V] 3.1: PHP turns texts, arrays and objects into ints, and says nothing. Numeric texts are taken here too.
            a_number_is_no_text: ours!(Value $set "Argument #4 ($value) must be of type int, string given") =>
                rust!(inet $set SOL_SOCKET, SO_REUSEADDR, "on");
            a_number_is_no_struct: ours!(Value $set "Argument #4 ($value) must be of type int, array given") =>
                rust!(inet $set SOL_SOCKET, SO_RCVBUF, Credentials::new(1, 2, 3));
            a_switch_is_no_struct: ours!(Value $set "Argument #4 ($value) must be of type int, array given") =>
                rust!(inet $set IPPROTO_IP, IP_MULTICAST_LOOP, Pktinfo::new(Ipv6Addr::LOCALHOST, 1));
            hops_are_a_byte: php!(inet $set "IPPROTO_IP, IP_MULTICAST_TTL, 256") =>
                rust!(inet $set IPPROTO_IP, IP_MULTICAST_TTL, 256);
            ipv6_hops_are_a_byte: php!(inet6 $set "IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -2") =>
                rust!(inet6 $set IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -2);

            no_negative_interface: php!(inet $set "IPPROTO_IP, IP_MULTICAST_IF, -1") =>
                rust!(inet $set IPPROTO_IP, IP_MULTICAST_IF, -1);
            no_such_interface: php!(inet $set "IPPROTO_IP, IP_MULTICAST_IF, 999999") =>
                rust!(inet $set IPPROTO_IP, IP_MULTICAST_IF, 999_999);
            no_interface_of_this_name: ours!(Warning $set "No interface with this name could be found") =>
                rust!(inet $set IPPROTO_IP, IP_MULTICAST_IF, "nosuch0");
            no_interface_of_a_name_with_a_nul: ours!(Warning $set "No interface with this name could be found") =>
                rust!(inet6 $set IPPROTO_IPV6, IPV6_MULTICAST_IF, "lo\0");
            an_interface_is_no_struct: ours!(
                Value $set "Argument #4 ($value) must be of type string|int, array given"
            ) => rust!(inet6 $set IPPROTO_IPV6, IPV6_MULTICAST_IF, Linger::new(1, 2));
            an_interface_without_an_address: ours!(
                Warning $set "Failed obtaining address for interface 1: error 99"
            ) => || {
                let socket = inet(SOCK_DGRAM);
                let result = common::failing_with(
                    libc::SYS_ioctl, Some(request(libc::SIOCGIFADDR)), SOCKET_EADDRNOTAVAIL,
                    || $set(&socket, IPPROTO_IP, IP_MULTICAST_IF, "lo"),
                );
                Outcome::on(&socket, result)
            };

            a_group_is_no_text: no_array!(
                80500 $set "IPPROTO_IP, MCAST_JOIN_GROUP, '239.1.2.3'", "MCAST_LEAVE_GROUP, string given",
                Older::threw("No key \"group\" passed in optval")
            ) =>
                rust!(inet $set IPPROTO_IP, MCAST_JOIN_GROUP, "239.1.2.3");
            a_group_is_no_number: no_array!(
                80500 $set "IPPROTO_IP, MCAST_LEAVE_GROUP, 7", "MCAST_LEAVE_GROUP, int given",
                Older::threw("No key \"group\" passed in optval")
            ) =>
                rust!(inet $set IPPROTO_IP, MCAST_LEAVE_GROUP, 7);
            a_group_is_no_other_struct: php!(inet $set "IPPROTO_IP, MCAST_JOIN_GROUP, ['l_onoff' => 1]") =>
                rust!(inet $set IPPROTO_IP, MCAST_JOIN_GROUP, Linger::new(1, 2));
            a_source_is_no_number: no_array!(
                80500 $set "IPPROTO_IP, MCAST_BLOCK_SOURCE, 7", "MCAST_LEAVE_SOURCE_GROUP, int given",
                Older::threw("No key \"group\" passed in optval")
            ) =>
                rust!(inet $set IPPROTO_IP, MCAST_BLOCK_SOURCE, 7);
            a_source_is_no_text: no_array!(
                80500 $set "IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, '7'", "MCAST_LEAVE_SOURCE_GROUP, string given",
                Older::threw("No key \"group\" passed in optval")
            ) =>
                rust!(inet $set IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, "7");
            a_group_without_a_source: php!(inet $set "IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, ['group' => '239.1.2.3']") =>
                rust!(inet $set IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, Group::new("239.1.2.3", 0));
            a_group_of_no_internet: Since(
                80500,
                concat!(
                    "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); ", stringify!($set),
                    "($s, IPPROTO_IP, MCAST_JOIN_GROUP, ['group' => '239.1.2.3'])"
                ),
                (ErrorKind::Value, "IP address used in the context of an unexpected type of socket"),
                Older::warned(
                    concat!(stringify!($set), "(): IP address used in the context of an unexpected type of socket"), 0
                )
            ) =>
                rust!(unix $set IPPROTO_IP, MCAST_JOIN_GROUP, Group::new("239.1.2.3", 0));
            a_group_with_a_nul: ours!(Value $set "Argument #4 ($value) must not contain any null bytes") =>
                rust!(inet $set IPPROTO_IP, MCAST_JOIN_GROUP, Group::new("239.1.2.3\0", 0));
            a_group_of_an_unknown_host: php!(
                inet $set "IPPROTO_IP, MCAST_JOIN_GROUP, ['group' =>
                'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid']"
            ) => rust!(inet $set IPPROTO_IP, MCAST_JOIN_GROUP, Group::new(NOWHERE, 0));
            a_group_on_a_negative_interface: php!(
                inet $set "IPPROTO_IP, MCAST_JOIN_GROUP, ['group' => '239.1.2.3', 'interface' => -1]"
            ) => rust!(inet $set IPPROTO_IP, MCAST_JOIN_GROUP, Group::new("239.1.2.3", -1));

            a_packet_info_is_no_number: php!(inet6 $set "IPPROTO_IPV6, IPV6_PKTINFO, 7") =>
                rust!(inet6 $set IPPROTO_IPV6, IPV6_PKTINFO, 7);
            a_packet_info_is_no_other_struct: php!(inet6 $set "IPPROTO_IPV6, IPV6_PKTINFO, ['l_onoff' => 1]") =>
                rust!(inet6 $set IPPROTO_IPV6, IPV6_PKTINFO, Linger::new(1, 2));

            get_an_unknown_option: php!(inet $get "SOL_SOCKET, 9999") => rust!(inet $get SOL_SOCKET, 9999);
            get_packet_info: php!(inet6 $get "IPPROTO_IPV6, IPV6_PKTINFO") =>
                rust!(inet6 $get IPPROTO_IPV6, IPV6_PKTINFO);
            // [V] 3.2: PHP says it so of an interface that has lost its address.
            get_an_interface_that_nobody_has: ours!(
                Warning $get "The interface with IP address 192.0.2.1 was not found"
            ) => || {
                let socket = lost();
                let result = $get(&socket, IPPROTO_IP, IP_MULTICAST_IF);
                Outcome::on(&socket, result)
            };
            get_an_interface_from_no_list: ours!(Warning $get "Failed obtaining interfaces list: error 12") => || {
                let socket = on_loopback();
                let result = common::failing_with(
                    libc::SYS_ioctl, Some(request(libc::SIOCGIFCONF)), SOCKET_ENOMEM,
                    || $get(&socket, IPPROTO_IP, IP_MULTICAST_IF),
                );
                Outcome::on(&socket, result)
            };
            get_an_interface_without_an_index: ours!(
                Warning $get "Error converting interface name to index: error 19"
            ) => || {
                let socket = on_loopback();
                let result = common::failing_with(
                    libc::SYS_ioctl, Some(request(libc::SIOCGIFINDEX)), SOCKET_ENODEV,
                    || $get(&socket, IPPROTO_IP, IP_MULTICAST_IF),
                );
                Outcome::on(&socket, result)
            };
            an_ebpf_program_is_not_attached_by_its_descriptor: ours!(
                Value $set "Argument #3 ($option) must not take a descriptor or an address"
            ) => rust!(inet $set SOL_SOCKET, libc::SO_ATTACH_BPF, 0);
            a_process_is_not_opened: ours!(
                Value $get "Argument #3 ($option) must not be SO_PEERPIDFD, which opens a descriptor"
            ) => rust!(inet $get SOL_SOCKET, 77);
            get_half_of_the_counters: ours!(Warning $get "Unable to retrieve all socket meminfo data") => || {
                let socket = inet(SOCK_DGRAM);
                SHORT.set(Some(20));
                let result = $get(&socket, SOL_SOCKET, SO_MEMINFO);
                SHORT.set(None);
                Outcome::on(&socket, result)
            };
        }
    };
}

table!(socket_get_option socket_set_option);

pub(crate) mod alias {
    use super::*;

    table!(socket_getopt socket_setopt);
}

/// A value that is taken for another.
pub(crate) mod types {
    use super::*;

    fn number() -> OptionValue {
        socket_get_option(&inet(SOCK_DGRAM), SOL_SOCKET, SO_TYPE).unwrap()
    }

    cases! {
        a_struct_for_a_number: ours!(Value socket_get_option "the value must be of type int, array given") => || {
            Outcome::of(socket_get_option(&inet(SOCK_DGRAM), SOL_SOCKET, SO_LINGER).unwrap().int())
        };
        a_text_for_a_number: ours!(Value socket_get_option "the value must be of type int, string given") => || {
            Outcome::of(socket_get_option(&inet(SOCK_STREAM), SOL_TCP, TCP_CONGESTION).unwrap().int())
        };
        a_number_for_a_text: ours!(Value socket_get_option "the value must be of type string, int given") =>
            || Outcome::of(number().text());
        a_struct_for_a_text: ours!(Value socket_get_option "the value must be of type string, array given") =>
            || Outcome::of(OptionValue::from(Linger::new(1, 2)).text());
        a_number_for_a_linger: ours!(
            Value socket_get_option "the value must be of type Linger, int given"
        ) => || Outcome::of(number().linger());
        a_text_for_a_linger: ours!(
            Value socket_get_option "the value must be of type Linger, string given"
        ) => || Outcome::of(OptionValue::from("x").linger());
        another_struct_for_a_linger: ours!(
            Value socket_get_option "the value must be of type Linger, array given"
        ) => || Outcome::of(OptionValue::from(Timeval::new(1, 2)).linger());
        a_number_for_a_time: ours!(
            Value socket_get_option "the value must be of type Timeval, int given"
        ) => || Outcome::of(number().timeval());
        a_text_for_a_time: ours!(
            Value socket_get_option "the value must be of type Timeval, string given"
        ) => || Outcome::of(OptionValue::from("x").timeval());
        another_struct_for_a_time: ours!(
            Value socket_get_option "the value must be of type Timeval, array given"
        ) => || Outcome::of(OptionValue::from(Linger::new(1, 2)).timeval());
        a_number_for_counters: ours!(
            Value socket_get_option "the value must be of type Meminfo, int given"
        ) => || Outcome::of(number().meminfo());
        a_text_for_counters: ours!(
            Value socket_get_option "the value must be of type Meminfo, string given"
        ) => || Outcome::of(OptionValue::from("x").meminfo());
        another_struct_for_counters: ours!(
            Value socket_get_option "the value must be of type Meminfo, array given"
        ) => || Outcome::of(OptionValue::from(Linger::new(1, 2)).meminfo());
        a_number_for_credentials: ours!(
            Value socket_get_option "the value must be of type Credentials, int given"
        ) => || Outcome::of(number().credentials());
        a_text_for_credentials: ours!(
            Value socket_get_option "the value must be of type Credentials, string given"
        ) => || Outcome::of(OptionValue::from("x").credentials());
        another_struct_for_credentials: ours!(
            Value socket_get_option "the value must be of type Credentials, array given"
        ) => || Outcome::of(OptionValue::from(Linger::new(1, 2)).credentials());
        a_number_for_a_packet_info: ours!(
            Value socket_get_option "the value must be of type Pktinfo, int given"
        ) => || Outcome::of(number().pktinfo());
        a_text_for_a_packet_info: ours!(
            Value socket_get_option "the value must be of type Pktinfo, string given"
        ) => || Outcome::of(OptionValue::from("x").pktinfo());
        another_struct_for_a_packet_info: ours!(
            Value socket_get_option "the value must be of type Pktinfo, array given"
        ) => || Outcome::of(OptionValue::from(Linger::new(1, 2)).pktinfo());
    }
}
