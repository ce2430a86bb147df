//! Options: what setting one does, and what reads back.

use std::net::Ipv6Addr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use php_sockets::*;
use proptest::prelude::*;

use crate::common;

fn udp() -> Socket {
    socket_create(AF_INET, SOCK_DGRAM, 0).unwrap()
}

fn tcp() -> Socket {
    socket_create(AF_INET, SOCK_STREAM, 0).unwrap()
}

#[test]
fn a_value_is_made_of_whatever_stands_for_it() {
    let linger = Linger::new(1, 2);
    let time = Timeval::new(1, 500_000);
    let group = Group::new("239.1.2.3", "lo");
    let source = Source::new("239.1.2.3", "127.0.0.1", 1_u32);
    for (value, expected) in [
        (OptionValue::from(7), OptionValue::Int(7)),
        (true.into(), OptionValue::Int(1)),
        (false.into(), OptionValue::Int(0)),
        ("lo".into(), OptionValue::Text("lo".into())),
        (String::from("lo").into(), OptionValue::Text("lo".into())),
        (std::ffi::OsStr::new("lo").into(), OptionValue::Text("lo".into())),
        (std::ffi::OsString::from("lo").into(), OptionValue::Text("lo".into())),
        (linger.into(), OptionValue::Linger(linger)),
        (time.into(), OptionValue::Timeval(time)),
        (Duration::from_millis(1500).into(), OptionValue::Timeval(time)),
        (group.clone().into(), OptionValue::Group(group)),
        (source.clone().into(), OptionValue::Source(source)),
    ] {
        assert_eq!(value, expected);
    }
    assert_eq!(Interface::from(3), Interface::Index(3));
    assert_eq!(Interface::from(u32::MAX), Interface::Index(4_294_967_295));
    assert_eq!(Interface::from(String::from("eth0")), Interface::Name("eth0".into()));
    assert_eq!(Group::new("ff02::1", 0).interface, Interface::Index(0), "as without the key");
}

#[test]
fn a_duration_never_becomes_for_ever_by_rounding() {
    for (time, sec, usec) in [
        (Duration::ZERO, 0, 0),
        (Duration::from_nanos(1), 0, 1),
        (Duration::from_nanos(1999), 0, 1),
        (Duration::from_micros(1_999_999), 1, 999_999),
        (Duration::from_nanos(5_000_000_001), 5, 0),
        (Duration::MAX, i64::MAX, 999_999),
    ] {
        assert_eq!(Timeval::from(time), Timeval::new(sec, usec), "{time:?}");
    }
    let socket = udp();
    socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Duration::MAX).unwrap();
}

#[test]
fn a_receive_time_limit_ends_a_receive() {
    let (socket, _name) = common::bound(SOCK_DGRAM);
    socket_set_option(&socket, SOL_SOCKET, SO_RCVTIMEO, Duration::from_millis(40)).unwrap();
    let limit = socket_get_option(&socket, SOL_SOCKET, SO_RCVTIMEO).unwrap();
    assert_eq!(limit.timeval().unwrap(), Timeval::new(0, 40_000));

    let start = Instant::now();
    let error = socket_recvfrom(&socket, &mut Vec::new(), 10, 0).unwrap_err();

    assert!(error.is_quiet());
    assert!(start.elapsed() >= Duration::from_millis(39), "{:?}", start.elapsed());
}

#[test]
fn a_linger_of_no_seconds_resets_the_connection() {
    let (client, server) = common::connection();
    socket_set_option(&client, SOL_SOCKET, SO_LINGER, Linger::new(1, 0)).unwrap();

    socket_close(client);

    assert_eq!(socket_read(&server, 1, PHP_BINARY_READ).unwrap_err().code(), SOCKET_ECONNRESET);
}

#[test]
fn a_linger_of_another_program_that_is_too_long_reads_as_the_longest() {
    let socket = tcp();
    let linger = libc::linger { l_onoff: 1, l_linger: 100_000 };
    // SAFETY: `linger` is readable for the 8 bytes given and outlives the call.
    let status =
        unsafe { libc::setsockopt(socket.as_raw_fd(), SOL_SOCKET, SO_LINGER, (&raw const linger).cast(), 8) };
    assert_eq!(status, 0);

    let linger = socket_get_option(&socket, SOL_SOCKET, SO_LINGER).unwrap().linger().unwrap();

    assert_eq!(linger, Linger::new(1, u16::MAX));
}

// [V] 3.1: PHP goes by the number alone; here the level counts.
#[test]
fn the_level_counts_when_an_option_is_set() {
    let socket = tcp();
    socket_set_option(&socket, SOL_TCP, TCP_NOTSENT_LOWAT, 16384).unwrap();
    assert_eq!(socket_get_option(&socket, SOL_TCP, TCP_NOTSENT_LOWAT).unwrap(), OptionValue::Int(16384));
    assert_eq!(TCP_NOTSENT_LOWAT, SO_BINDTODEVICE);
    let php = common::php_failure(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_set_option($s, SOL_TCP, TCP_NOTSENT_LOWAT, 16384)",
    );
    let (last, thrown) = if common::php_version() < 80500 {
        (22, None)
    } else {
        let text = "socket_set_option(): Argument #4 ($value) must be of type string when argument #3 ($option) is \
                    SO_BINDTODEVICE, int given";
        (0, Some(text))
    };
    assert_eq!((php.last, php.thrown.as_deref()), (last, thrown), "PHP takes 25 for SO_BINDTODEVICE");

    let error = socket_set_option(&udp(), SOL_UDP, SO_LINGER, 1).unwrap_err();
    assert_eq!(error.code(), SOCKET_ENOPROTOOPT);
    let php = common::php_failure(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_set_option($s, SOL_UDP, SO_LINGER, 1)",
    );
    let text = if common::php_version() < 80403 {
        "socket_set_option(): Argument #4 ($value) must have key \"l_onoff\""
    } else {
        "socket_set_option(): Argument #4 ($value) must be of type array when argument #3 ($option) is SO_LINGER, int given"
    };
    assert_eq!(php.thrown.as_deref(), Some(text));

    let error =
        socket_set_option(&socket, SOL_SOCKET, MCAST_JOIN_GROUP, Group::new("239.1.2.3", 0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "socket_set_option(): Argument #4 ($value) must be of type int, array given"
    );
}

#[test]
fn the_peer_of_a_unix_socket_has_credentials() {
    let (one, _other) = common::pair(SOCK_STREAM);
    // SAFETY: these two take nothing and cannot fail.
    let (uid, gid) = (unsafe { libc::getuid() }, unsafe { libc::getgid() });

    let peer = socket_get_option(&one, SOL_SOCKET, SO_PEERCRED).unwrap().credentials().unwrap();

    assert_eq!(peer, Credentials::new(std::process::id().try_into().unwrap(), uid, gid));
    let nobody = socket_get_option(&tcp(), SOL_SOCKET, SO_PEERCRED).unwrap().credentials().unwrap();
    assert_eq!(nobody, Credentials::new(0, u32::MAX, u32::MAX));
}

#[test]
fn what_the_kernel_leaves_unwritten_is_zero() {
    assert_eq!(socket_get_option(&tcp(), SOL_SOCKET, SO_BINDTODEVICE).unwrap(), OptionValue::Int(0));
}

#[test]
fn the_counters_count() {
    let (socket, name) = common::bound(SOCK_DGRAM);
    let info = || socket_get_option(&socket, SOL_SOCKET, SO_MEMINFO).unwrap().meminfo().unwrap();
    let before = info();

    socket_sendto(&socket, "x", 1, 0, &name.address, name.port).unwrap();

    assert_eq!(before.rmem_alloc, 0);
    assert!(info().rmem_alloc > 0);
    let rcvbuf = socket_get_option(&socket, SOL_SOCKET, SO_RCVBUF).unwrap().int().unwrap();
    assert_eq!(i64::from(before.rcvbuf), i64::from(rcvbuf));
    assert_eq!(Meminfo::from([1, 2, 3, 4, 5, 6, 7, 8, 9]).drops, 9);
}

#[test]
fn a_pending_error_is_read_once() {
    let (_holder, port) = common::closed_port();
    let socket = tcp();
    socket_set_nonblock(&socket).unwrap();
    assert!(socket_connect(&socket, "127.0.0.1", port).is_err());
    socket_select(None, Some(&mut vec![&socket]), None, 5, 0).unwrap();

    let error = || socket_get_option(&socket, SOL_SOCKET, SO_ERROR).unwrap().int().unwrap();

    assert_eq!(error(), SOCKET_ECONNREFUSED);
    assert_eq!(error(), 0);
}

#[test]
fn a_filter_for_shared_ports_is_attached_and_detached() {
    let (one, two) = (udp(), udp());
    socket_set_option(&one, SOL_SOCKET, SO_REUSEPORT, 1).unwrap();
    socket_set_option(&two, SOL_SOCKET, SO_REUSEPORT, 1).unwrap();
    socket_bind(&one, "127.0.0.1", 0).unwrap();
    socket_bind(&two, "127.0.0.1", socket_getsockname(&one).unwrap().port).unwrap();
    let set = |word: i32| socket_set_option(&one, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, word);

    set(SKF_AD_CPU).unwrap();
    set(SKF_AD_QUEUE).unwrap();
    set(0).unwrap();

    assert_eq!(set(0).unwrap_err().code(), SOCKET_ENOENT, "nothing is attached any more");
    assert_eq!(
        socket_set_option(&tcp(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, SKF_AD_CPU).unwrap_err().code(),
        SOCKET_EINVAL,
        "the port is not shared"
    );
}

#[test]
fn no_padding_of_an_options_structure_reaches_the_kernel_unwritten() {
    let mut valgrind = common::limited("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=9"]).arg(std::env::current_exe().unwrap());
    valgrind.args(["--exact", "options::a_filter_for_shared_ports_is_attached_and_detached"]);
    valgrind.args(["options::one_sender_of_a_group_is_heard_and_another_is_not"]);

    let output = valgrind.output().unwrap();

    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("2 passed"), "{text}");
}

/// A UDP socket with this many filters, the last of which takes all datagrams; the first has this code and these jumps.
fn with_filters(count: u16, first: libc::sock_filter) -> Socket {
    let socket = udp();
    let mut filters = vec![first; count.into()];
    if let [_, .., last] = filters.as_mut_slice() {
        *last = libc::sock_filter { code: 6, jt: 0, jf: 0, k: u32::MAX };
    }
    let program = libc::sock_fprog { len: count, filter: filters.as_mut_ptr() };
    let len = libc::socklen_t::try_from(size_of_val(&program)).unwrap();
    // SAFETY: `program` is readable for the `len` bytes given, its filters are `count` many, and all outlive the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            len,
        )
    };
    assert_eq!(status, 0);
    socket
}

/// PHP's reads of a socket, which it gets as its standard input.
fn phps_int(socket: Socket, option: i32) -> i32 {
    let mut php = common::limited(common::php_program());
    php.arg("-r").arg(format!(
        "echo socket_get_option(socket_import_stream(fopen('php://fd/0', 'r+')), SOL_SOCKET, {option});"
    ));
    let text = common::printed(php.stdin(std::os::fd::OwnedFd::from(socket)));
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// `SO_GET_FILTER` counts in filters of 8 bytes. PHP takes a length of 1 for one byte.
#[test]
fn of_any_number_of_filters_the_first_four_bytes_read_back() {
    let load = libc::sock_filter { code: 0, jt: 3, jf: 4, k: 9 };
    let take = libc::sock_filter { code: 6, jt: 0, jf: 0, k: 9 };
    let take_and_jump = libc::sock_filter { jt: 1, jf: 2, ..take };
    for (count, first) in [(1, take), (1, take_and_jump), (2, load), (2, take_and_jump)] {
        let [a, b] = first.code.to_ne_bytes();
        let number = i32::from_ne_bytes([a, b, first.jt, first.jf]);
        let socket = with_filters(count, first);

        let value = socket_get_option(&socket, SOL_SOCKET, libc::SO_GET_FILTER);

        assert_eq!(value, Ok(OptionValue::Int(number)), "{count}");
        let phps = if count == 1 { i32::from(a) } else { number };
        assert_eq!(phps_int(socket, libc::SO_GET_FILTER), phps, "{count}");
    }
    let value = socket_get_option(&with_filters(4, load), SOL_SOCKET, libc::SO_GET_FILTER);
    assert_eq!(
        value,
        Ok(OptionValue::Int(i32::from_ne_bytes([0, 0, 3, 4]))),
        "the most that an int's length counts"
    );
    let value = socket_get_option(&udp(), SOL_SOCKET, libc::SO_GET_FILTER);
    assert_eq!(value, Ok(OptionValue::Int(0)), "the kernel writes nothing");
    let error = socket_get_option(&with_filters(5, load), SOL_SOCKET, libc::SO_GET_FILTER).unwrap_err();
    assert_eq!(error.code(), SOCKET_EINVAL, "and one more");
}

/// How many of 20 datagrams each of so many sockets of one port gets, with a filter: its result is the socket's place.
fn filtered(count: usize, word: i32) -> Vec<usize> {
    let sockets: Vec<Socket> = (0..count).map(|_| udp()).collect();
    for socket in &sockets {
        socket_set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1).unwrap();
        socket_set_nonblock(socket).unwrap();
        let port = socket_getsockname(&sockets[0]).map_or(0, |name| name.port);
        socket_bind(socket, "127.0.0.1", port).unwrap();
    }
    let port = socket_getsockname(&sockets[0]).unwrap().port;

    socket_set_option(&sockets[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, word).unwrap();
    for _ in 0..20 {
        socket_sendto(&udp(), "x", 1, 0, "127.0.0.1", port).unwrap();
    }

    let mut data = Vec::new();
    let heard = |socket| std::iter::from_fn(|| socket_recvfrom(socket, &mut data, 10, 0).ok()).count();
    sockets.iter().map(heard).collect()
}

#[test]
fn a_queue_filter_sends_all_datagrams_to_the_first_socket() {
    // Loopback has one queue, number 0.
    assert_eq!(filtered(2, SKF_AD_QUEUE), [20, 0]);
}

#[test]
fn a_cpu_filter_sends_datagrams_to_the_socket_of_the_processor_that_they_come_from() {
    // SAFETY: all zeros is a valid `cpu_set_t`, an empty one.
    let mut mine: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: `mine` has `size` bytes and outlives the call, which writes it.
    assert_eq!(unsafe { libc::sched_getaffinity(0, size, &raw mut mine) }, 0);
    // SAFETY: the call reads one bit of a set that has a thousand.
    let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &mine) };
    // The second, where there is one: a filter that says nothing says 0.
    let cpu = (1..1024).find(has).unwrap_or(0);
    // SAFETY: as above.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes one bit of a set that has a thousand.
    unsafe { libc::CPU_SET(cpu, &mut one) };
    // SAFETY: `one` has `size` bytes and outlives the call, which reads it. It concerns this thread alone.
    assert_eq!(unsafe { libc::sched_setaffinity(0, size, &raw const one) }, 0);

    let mut expected = vec![0; cpu + 1];
    expected[cpu] = 20;
    assert_eq!(filtered(cpu + 1, SKF_AD_CPU), expected);
}

#[test]
fn one_send_is_cut_into_segments() {
    let (receiver, name) = common::bound(SOCK_DGRAM);
    let sender = udp();
    socket_set_option(&sender, SOL_UDP, UDP_SEGMENT, 4).unwrap();

    socket_sendto(&sender, "aaaabbbbcc", 10, 0, &name.address, name.port).unwrap();

    for expected in ["aaaa", "bbbb", "cc"] {
        let mut data = Vec::new();
        socket_recvfrom(&receiver, &mut data, 100, 0).unwrap();
        assert_eq!(data, expected.as_bytes());
    }
}

#[test]
fn a_packet_info_would_be_read_if_the_kernel_gave_one() {
    let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    // An error of 0 is a success that did nothing: what is read are the zeros that were there.
    let value =
        common::failing(libc::SYS_getsockopt, 0, || socket_get_option(&socket, IPPROTO_IPV6, IPV6_PKTINFO));

    assert_eq!(value.unwrap().pktinfo().unwrap(), Pktinfo::new(Ipv6Addr::UNSPECIFIED, 0));
}

#[test]
fn an_ipv6_packet_info_is_the_address_of_what_is_sent() {
    let (receiver, sender) = (socket_create(AF_INET6, SOCK_DGRAM, 0), socket_create(AF_INET6, SOCK_DGRAM, 0));
    let (receiver, sender) = (receiver.unwrap(), sender.unwrap());
    socket_bind(&receiver, "::1", 0).unwrap();
    let port = socket_getsockname(&receiver).unwrap().port;

    socket_set_option(&sender, IPPROTO_IPV6, IPV6_PKTINFO, Pktinfo::new(Ipv6Addr::LOCALHOST, 1)).unwrap();
    socket_sendto(&sender, "x", 1, 0, "::1", port).unwrap();

    let (_, from) = socket_recvfrom(&receiver, &mut Vec::new(), 10, 0).unwrap();
    assert_eq!(from.address, "::1");
}

#[test]
fn one_sender_of_a_group_is_heard_and_another_is_not() {
    let receiver = udp();
    socket_bind(&receiver, "0.0.0.0", 0).unwrap();
    let port = socket_getsockname(&receiver).unwrap().port;
    let group = "239.255.77.1";
    socket_set_option(&receiver, SOL_SOCKET, SO_RCVTIMEO, Duration::from_secs(5)).unwrap();
    socket_set_option(&receiver, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, Source::new(group, "127.0.0.2", "lo"))
        .unwrap();
    let send = |from: &str, text: &str| {
        let sender = udp();
        socket_bind(&sender, from, 0).unwrap();
        socket_set_option(&sender, IPPROTO_IP, IP_MULTICAST_IF, "lo").unwrap();
        socket_sendto(&sender, text, text.len(), 0, group, port).unwrap();
    };

    send("127.0.0.1", "unheard");
    send("127.0.0.2", "heard");

    let mut data = Vec::new();
    let (_, from) = socket_recvfrom(&receiver, &mut data, 100, 0).unwrap();
    assert_eq!((data.as_slice(), from.address.to_str()), (&b"heard"[..], Some("127.0.0.2")));
}

#[test]
fn an_option_of_a_megabyte_is_an_error() {
    let long = "x".repeat(1 << 20);

    assert_eq!(
        socket_set_option(&tcp(), SOL_SOCKET, SO_BINDTODEVICE, &*long).unwrap_err().code(),
        SOCKET_ENODEV
    );
    assert_eq!(socket_set_option(&tcp(), SOL_TCP, TCP_CONGESTION, &*long).unwrap_err().code(), SOCKET_ENOENT);
    let group = Group::new(&long, &*long);
    assert!(socket_set_option(&udp(), IPPROTO_IP, MCAST_JOIN_GROUP, group).is_err());
}

#[test]
fn no_descriptor_is_left_over() {
    let socket = udp();
    for _ in 0..1100 {
        let _ = socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, "lo");
        let _ = socket_get_option(&socket, IPPROTO_IP, IP_MULTICAST_IF);
        let _ = socket_set_option(&socket, IPPROTO_IP, MCAST_JOIN_GROUP, Group::new("1", "nosuch0"));
    }
    assert!(udp().as_raw_fd() < 1000);
}

fn any_value() -> impl Strategy<Value = OptionValue> {
    let interface = prop_oneof![
        any::<i32>().prop_map(Interface::from),
        any::<u32>().prop_map(Interface::from),
        Just(Interface::from("lo")),
    ];
    prop_oneof![
        any::<i32>().prop_map(OptionValue::from),
        ".{0,40}".prop_map(OptionValue::from),
        any::<(u16, u16)>().prop_map(|(on, time)| Linger::new(on, time).into()),
        any::<(i64, i64)>().prop_map(|(sec, usec)| Timeval::new(sec, usec).into()),
        any::<(i32, u32, u32)>().prop_map(|(pid, uid, gid)| Credentials::new(pid, uid, gid).into()),
        any::<([u8; 16], u32)>().prop_map(|(addr, index)| Pktinfo::new(addr.into(), index).into()),
        any::<[u32; 9]>().prop_map(|numbers| Meminfo::from(numbers).into()),
        (any::<[u8; 4]>(), interface).prop_map(|(group, interface)| {
            Group::new(std::net::Ipv4Addr::from(group).to_string(), interface).into()
        }),
        any::<([u8; 4], [u8; 4])>().prop_map(|(group, source)| {
            let text = |bytes: [u8; 4]| std::net::Ipv4Addr::from(bytes).to_string();
            Source::new(text(group), text(source), "lo").into()
        }),
    ]
}

proptest! {
    #[test]
    fn any_value_of_any_option_is_taken_or_refused(
        level in prop::sample::select(vec![IPPROTO_IP, SOL_SOCKET, SOL_TCP, SOL_UDP, IPPROTO_IPV6]),
        option in 0..64,
        value in any_value(),
        family in prop::sample::select(vec![AF_INET, AF_INET6, AF_UNIX]),
    ) {
        let socket = socket_create(family, SOCK_DGRAM, 0).unwrap();
        if let Err(error) = socket_set_option(&socket, level, option, value) {
            prop_assert!(!error.to_string().contains(['{', '}']), "{error}");
        }
        if let Err(error) = socket_get_option(&socket, level, option) {
            prop_assert!(!error.to_string().contains(['{', '}']), "{error}");
        }
    }
}

#[test]
fn the_ends_of_the_hops_and_the_texts_of_a_switch_are_taken_as_in_php() {
    let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
    for (hops, read) in [(0, 0), (255, 255), (-1, 1)] {
        socket_set_option(&socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops).unwrap();
        assert_eq!(socket_get_option(&socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), Ok(read.into()));
    }
    for hops in [-2, 256] {
        let error = socket_set_option(&socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops).unwrap_err();
        assert_eq!(error.message(), "Argument #4 ($value) must be between -1 and 255", "{hops}");
    }
    let inet = udp();
    for (text, on) in [("0", 0), ("x", 1), ("", 0), ("00", 1)] {
        socket_set_option(&socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, text).unwrap();
        assert_eq!(socket_get_option(&socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), Ok(on.into()), "{text:?}");
        socket_set_option(&inet, IPPROTO_IP, IP_MULTICAST_LOOP, text).unwrap();
        assert_eq!(socket_get_option(&inet, IPPROTO_IP, IP_MULTICAST_LOOP), Ok(on.into()), "{text:?}");
    }
}

#[test]
fn interface_0_is_the_kernels_choice_there_and_back() {
    let socket = udp();
    assert_eq!(socket_get_option(&socket, IPPROTO_IP, IP_MULTICAST_IF), Ok(0.into()));
    socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, "lo").unwrap();

    socket_set_option(&socket, IPPROTO_IP, IP_MULTICAST_IF, 0).unwrap();

    assert_eq!(socket_get_option(&socket, IPPROTO_IP, IP_MULTICAST_IF), Ok(0.into()));
}

/// The list of interfaces is asked for anew until it has them all.
#[test]
fn an_interface_is_found_behind_many_others() {
    if crate::soundness::is_begun_elsewhere("options::an_interface_is_found_behind_many_others") {
        return;
    }
    let socket = udp();
    for number in 1..=12_u8 {
        // SAFETY: an `ifreq` is integers, addresses and a pointer, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, byte) in request.ifr_name.iter_mut().zip(format!("lo:{number}").bytes()) {
            *to = byte.try_into().unwrap();
        }
        let data = [0, 0, 127, 0, 1, number, 0, 0, 0, 0, 0, 0, 0, 0];
        let sa_data = data.map(|byte: u8| libc::c_char::from_ne_bytes([byte]));
        let sa_family = libc::sa_family_t::try_from(AF_INET).unwrap();
        request.ifr_ifru.ifru_addr = libc::sockaddr { sa_family, sa_data };
        // SAFETY: `request` outlives the call, which reads it.
        let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFADDR, &raw const request) };
        assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    }
    for number in [1, 4, 5, 6, 12] {
        let address = [127_u8, 0, 1, number];
        // SAFETY: `address` is readable for the four bytes given and outlives the call.
        let status = unsafe {
            let start = address.as_ptr().cast();
            libc::setsockopt(socket.as_raw_fd(), IPPROTO_IP, IP_MULTICAST_IF, start, 4)
        };
        assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
        assert_eq!(socket_get_option(&socket, IPPROTO_IP, IP_MULTICAST_IF), Ok(1.into()), "{address:?}");
    }
}
