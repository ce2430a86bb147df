//! Addresses on their way to the kernel and back.

use super::*;

/// The address as the kernel would hand it back.
fn returned(address: &SockAddr) -> SockAddrBuf {
    // SAFETY: `as_ptr` points at `len` bytes inside `address`.
    unsafe { SockAddrBuf::copied(address.as_ptr(), address.len()) }
}

fn round_trip(address: &SockAddr) -> SocketName {
    let buffer = returned(address);
    buffer.name(buffer.family()).unwrap()
}

#[test]
fn an_ipv4_address_comes_back_as_it_went() {
    let address = SockAddr::inet([192, 0, 2, 7], 8080);

    assert_eq!(address.len(), 16);
    let name = round_trip(&address);
    assert_eq!((name.to_string().as_str(), name.family), ("192.0.2.7:8080", libc::AF_INET));
}

#[test]
fn the_port_is_in_network_byte_order_on_the_way() {
    let buffer = returned(&SockAddr::inet([127, 0, 0, 1], 0x1234));

    assert_eq!(buffer.0[2..8], [0x12, 0x34, 127, 0, 0, 1]);
}

#[test]
fn an_ipv6_address_comes_back_without_its_scope() {
    let mut bytes = [0; 16];
    (bytes[0], bytes[1], bytes[15]) = (0xfe, 0x80, 1);
    let address = SockAddr::inet6(bytes, 65535, 3);

    assert_eq!(address.len(), 28);
    assert_eq!(round_trip(&address).to_string(), "[fe80::1]:65535");
    assert_eq!(returned(&address).0[24..28], 3_u32.to_ne_bytes());
}

#[test]
fn a_path_has_107_bytes_at_most_and_its_own_length() {
    for len in [0, 1, 106, 107] {
        let path = vec![b'p'; len];
        let address = SockAddr::unix(&path).unwrap();

        assert_eq!(usize::try_from(address.len()).unwrap(), 2 + len);
        assert_eq!(round_trip(&address).address.as_bytes(), path);
    }
    assert!(SockAddr::unix(&[b'p'; 108]).is_none());
}

#[test]
fn an_abstract_name_goes_whole_and_reads_as_empty() {
    let address = SockAddr::unix(b"\0name\0with a NUL").unwrap();

    assert_eq!(returned(&address).0[2..18], *b"\0name\0with a NUL");
    assert_eq!(round_trip(&address).address, "");
}

#[test]
fn what_the_kernel_left_alone_reads_as_the_unspecified_address() {
    let buffer = SockAddrBuf::new();

    assert_eq!(buffer.family(), libc::AF_UNSPEC);
    assert!(buffer.name(libc::AF_UNSPEC).is_none());
    assert_eq!(buffer.name(libc::AF_INET).unwrap().to_string(), "0.0.0.0:0");
    assert_eq!(buffer.name(libc::AF_INET6).unwrap().to_string(), "[::]:0");
}

#[test]
fn a_packet_address_has_protocol_and_interface() {
    let address = SockAddr::packet(3_u16.to_be(), 7);

    assert_eq!(address.len(), 20);
    assert_eq!(returned(&address).packet(), (3_u16.to_be(), 7));
}

#[test]
fn a_longer_address_than_any_is_cut_to_the_buffer() {
    let long = [[libc::AF_INET.to_ne_bytes()[0]; 64]; 3];

    // SAFETY: `long` has the 192 bytes.
    let buffer = unsafe { SockAddrBuf::copied(long.as_ptr().cast(), 192) };

    assert_eq!(buffer.0, [libc::AF_INET.to_ne_bytes()[0]; 128]);
}

#[test]
fn only_whole_addresses_are_numbers() {
    assert_eq!(inet_pton(c"127.0.0.1"), Some([127, 0, 0, 1]));
    assert_eq!(inet_pton::<4>(c"127.1"), None);
    assert_eq!(inet_pton::<16>(c"::ffff:1.2.3.4").map(|bytes| bytes[12..].to_vec()), Some(vec![1, 2, 3, 4]));
    assert_eq!(inet_pton::<16>(c"fe80::1%lo"), None);
}
