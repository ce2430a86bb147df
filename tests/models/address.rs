//! The laws of every `sockaddr` that a kernel may write, and of the address that goes back to where it came from.

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;

use crate::message::MessageName;
use crate::socket::Socket;
use crate::sys::sockaddr::{SockAddr, SockAddrBuf};

/// The bytes of a `sockaddr_storage`.
pub(crate) const LEN: usize = 128;

fn buffer(bytes: &[u8; LEN]) -> SockAddrBuf {
    // SAFETY: `bytes` has as many bytes as a `SockAddrBuf`.
    unsafe { SockAddrBuf::copied(bytes.as_ptr().cast(), SockAddrBuf::LEN) }
}

/// The bytes that the kernel reads: as many as the length says.
pub(crate) fn sent(address: &SockAddr) -> Vec<u8> {
    let len = usize::try_from(address.len()).unwrap();
    // SAFETY: `as_ptr` points at `len` bytes inside `address`.
    let bytes = unsafe { std::slice::from_raw_parts(address.as_ptr().cast::<u8>(), len) };
    let storage = address.storage();
    // SAFETY: a `sockaddr_storage` is 128 bytes, every one of them written.
    let whole = unsafe { std::slice::from_raw_parts((&raw const storage).cast::<u8>(), LEN) };
    assert_eq!(&whole[..len], bytes);
    assert!(whole[len..].iter().all(|byte| *byte == 0), "nothing but zeros behind the address");
    bytes.to_vec()
}

/// The laws of the bytes of any address, of any family.
pub(crate) fn holds(bytes: &[u8; LEN]) {
    let buffer = buffer(bytes);
    let family = i32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    assert_eq!(buffer.family(), family);
    let known = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].contains(&family);
    assert_eq!(buffer.name(family).is_some(), known);
    let (protocol, index) = buffer.packet();
    assert_eq!(
        (protocol.to_ne_bytes(), index.to_ne_bytes()),
        ([bytes[2], bytes[3]], bytes[4..8].try_into().unwrap())
    );

    for family in [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX] {
        let mut bytes = *bytes;
        bytes[..2].copy_from_slice(&u16::try_from(family).unwrap().to_ne_bytes());
        comes_and_goes(&bytes, family);
    }
}

/// A name that came from the kernel goes back to it as the same address.
fn comes_and_goes(bytes: &[u8; LEN], family: i32) {
    let buffer = buffer(bytes);
    let name = buffer.name(family).unwrap();
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let text = name.address.to_str();
    let received = MessageName::received(&buffer).unwrap();
    assert_eq!(name.family, family);
    match (family, &received) {
        (libc::AF_INET, MessageName::Inet { addr, port: other }) => {
            let address: Ipv4Addr = text.unwrap().parse().unwrap();
            assert_eq!(address.octets(), bytes[4..8]);
            assert_eq!((addr, *other), (&name.address, port));
            assert_eq!(name.to_string(), format!("{address}:{port}"));
            let mut expected = bytes[..16].to_vec();
            expected[8..].fill(0);
            assert_eq!(sent(&received.resolve(&socket(family)).unwrap()), expected);
        }
        (libc::AF_INET6, MessageName::Inet6 { addr, port: other, flowinfo, scope_id }) => {
            let address: Ipv6Addr = text.unwrap().parse().unwrap();
            assert_eq!(address.octets(), bytes[8..24]);
            assert_eq!((addr, *other), (&name.address, port));
            assert_eq!(flowinfo.to_ne_bytes(), bytes[4..8]);
            assert_eq!(scope_id.to_ne_bytes(), bytes[24..28]);
            assert_eq!(name.to_string(), format!("[{}]:{port}", name.address));
            assert_eq!(sent(&received.resolve(&socket(family)).unwrap()), bytes[..28]);
        }
        (libc::AF_UNIX, MessageName::Unix { path }) => {
            let end = bytes[2..110].iter().position(|byte| *byte == 0).unwrap_or(108);
            assert_eq!((path.as_bytes(), name.port), (&bytes[2..2 + end], 0));
            let back = received.resolve(&socket(family));
            assert_eq!(back.is_ok(), (1..108).contains(&end), "{end} bytes");
            if let Ok(back) = back {
                assert_eq!(sent(&back), bytes[..2 + end]);
            }
        }
        other => panic!("{other:?}"),
    }
}

/// The laws of any path: an abstract name has a NUL as its first byte, and the next NUL ends it.
pub(crate) fn path_holds(path: &[u8]) {
    let unix = SockAddr::unix(path);
    assert_eq!(unix.is_some(), path.len() < 108);
    if let Some(unix) = &unix {
        assert_eq!(sent(unix), [&[1, 0], path].concat(), "as it is");
    }
    let named = MessageName::unix(std::ffi::OsStr::from_bytes(path)).resolve(&socket(libc::AF_UNIX));
    assert_eq!(named.is_ok(), (1..108).contains(&path.len()));
    if let Ok(named) = named {
        let start = usize::from(path[0] == 0);
        let end = path[start..].iter().position(|byte| *byte == 0).map_or(path.len(), |at| start + at);
        assert_eq!(sent(&named), [&[1, 0], &path[..end]].concat());
    }
}

/// A socket of this family, opened once.
fn socket(family: i32) -> std::rc::Rc<Socket> {
    thread_local! {
        static SOCKETS: [std::rc::Rc<Socket>; 3] = [
            OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap()),
            OwnedFd::from(UdpSocket::bind("[::1]:0").unwrap()),
            OwnedFd::from(UnixDatagram::unbound().unwrap()),
        ]
        .map(|fd| std::rc::Rc::new(Socket::from(fd)));
    }
    SOCKETS.with(|sockets| sockets.iter().find(|socket| socket.family() == family).unwrap().clone())
}
