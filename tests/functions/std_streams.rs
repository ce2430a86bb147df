//! Streams of `std`, to and fro, with data flowing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use php_sockets::*;

use crate::common;

#[test]
fn a_tcp_listener_and_a_tcp_stream_come_in() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();

    let listener = socket_import_stream(listener).unwrap();

    let server = socket_accept(&listener).unwrap();
    stream.write_all(b"before").unwrap();
    let client = socket_import_stream(stream).unwrap();
    socket_write(&client, " and after", None).unwrap();
    socket_close(client);
    let mut data = Vec::new();
    socket_recv(&server, &mut data, 16, MSG_WAITALL).unwrap();
    assert_eq!(data, b"before and after");
    assert_eq!(socket_read(&server, 1, PHP_BINARY_READ).unwrap(), b"", "one owner: closing it closes");
    assert_eq!(socket_getsockname(&listener).unwrap().port, address.port());
}

#[test]
fn a_udp_socket_comes_in() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (receiver, sender) = (UdpSocket::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
        let from = sender.local_addr().unwrap();
        sender.send_to(b"datagram", receiver.local_addr().unwrap()).unwrap();

        let receiver = socket_import_stream(receiver).unwrap();

        let mut data = Vec::new();
        let (count, name) = socket_recvfrom(&receiver, &mut data, 100, 0).unwrap();
        assert_eq!((count, data.as_slice()), (8, b"datagram".as_slice()));
        assert_eq!(name.to_string(), from.to_string());
    }
}

#[test]
fn unix_streams_listeners_and_datagrams_come_in() {
    let (mut here, there) = UnixStream::pair().unwrap();
    here.write_all(b"stream").unwrap();
    let there = socket_import_stream(there).unwrap();
    assert_eq!(socket_read(&there, 100, PHP_BINARY_READ).unwrap(), b"stream");

    let (here, there) = UnixDatagram::pair().unwrap();
    here.send(b"datagram").unwrap();
    let there = socket_import_stream(there).unwrap();
    assert_eq!(socket_read(&there, 100, PHP_BINARY_READ).unwrap(), b"datagram");

    let path = common::temporary::free_path();
    let listener = socket_import_stream(UnixListener::bind(&*path).unwrap()).unwrap();
    let mut client = UnixStream::connect(&*path).unwrap();
    client.write_all(b"listener").unwrap();
    let server = socket_accept(&listener).unwrap();
    assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).unwrap(), b"listener");
    assert_eq!(socket_getsockname(&listener).unwrap().family, AF_UNIX);
}

#[test]
fn a_bare_descriptor_and_a_childs_end_of_a_pair_come_in() {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "descriptor", None).unwrap();
    let there = socket_import_stream(OwnedFd::from(there)).unwrap();
    assert_eq!(socket_read(&there, 100, PHP_BINARY_READ).unwrap(), b"descriptor");

    // A socket imports itself: it is an `OwnedFd` too.
    let there = socket_import_stream(there).unwrap();
    socket_write(&there, "back", None).unwrap();
    assert_eq!(socket_read(&here, 100, PHP_BINARY_READ).unwrap(), b"back");
}

#[test]
fn an_imported_socket_has_the_family_for_what_comes_after() {
    let stream = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (receiver, name) = common::bound(SOCK_DGRAM);

    let socket = socket_import_stream(stream).unwrap();

    // sendto goes by the family; a line by the type.
    socket_sendto(&socket, "line\nrest", 9, 0, &name.address, name.port).unwrap();
    assert_eq!(socket_read(&receiver, 100, PHP_BINARY_READ).unwrap(), b"line\nrest");
    assert!(format!("{socket:?}").contains(&format!("type: {SOCK_DGRAM}")), "{socket:?}");
    assert_eq!(socket_last_error(&socket), 0);
}

#[test]
fn the_family_is_in_the_name_where_the_kernel_does_not_tell_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();

    let socket = common::failing(libc::SYS_getsockopt, SOCKET_EPERM, || socket_import_stream(listener));

    assert!(format!("{:?}", socket.unwrap()).contains(&format!("family: {AF_INET}")));
}

#[test]
fn a_socket_becomes_a_tcp_listener_or_a_tcp_stream() {
    let (listener, port) = common::listener();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    socket_connect(&client, "127.0.0.1", port).unwrap();

    let listener: TcpListener = socket_export_stream(listener);
    let mut client: TcpStream = socket_export_stream(client);

    let (mut server, from) = listener.accept().unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    client.write_all(b"hello").unwrap();
    let mut data = [0; 5];
    server.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"hello");
}

#[test]
fn a_socket_becomes_a_udp_socket() {
    let (receiver, name) = common::bound(SOCK_DGRAM);
    let sender = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    socket_sendto(&sender, "datagram", 8, 0, &name.address, name.port).unwrap();

    let receiver: UdpSocket = socket_export_stream(receiver);

    let mut data = [0; 100];
    let (count, from) = receiver.recv_from(&mut data).unwrap();
    assert_eq!(&data[..count], b"datagram");
    assert_eq!(from.port(), socket_getsockname(&sender).unwrap().port);
}

#[test]
fn a_socket_becomes_a_unix_stream_listener_or_datagram() {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "stream", None).unwrap();
    socket_close(here);
    let mut text = String::new();
    socket_export_stream::<UnixStream>(there).read_to_string(&mut text).unwrap();
    assert_eq!(text, "stream");

    let (here, there) = common::pair(SOCK_DGRAM);
    socket_write(&here, "datagram", None).unwrap();
    let mut data = [0; 100];
    let count = socket_export_stream::<UnixDatagram>(there).recv(&mut data).unwrap();
    assert_eq!(&data[..count], b"datagram");

    let name = common::temporary::abstract_name();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, &name, 0).unwrap();
    socket_listen(&listener, 1).unwrap();
    let client = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_connect(&client, &name, None).unwrap();
    let (mut server, _) = socket_export_stream::<UnixListener>(listener).accept().unwrap();
    server.write_all(b"listener").unwrap();
    assert_eq!(socket_read(&client, 100, PHP_BINARY_READ).unwrap(), b"listener");
}

#[test]
fn a_socket_becomes_a_bare_descriptor_or_a_childs_standard_output() {
    let (here, there) = common::pair(SOCK_STREAM);
    let number = there.as_raw_fd();
    let descriptor: OwnedFd = socket_export_stream(there);
    assert_eq!(descriptor.as_raw_fd(), number);

    let status = common::limited("echo")
        .arg("from a child")
        .stdout(socket_export_stream::<std::process::Stdio>(Socket::from(descriptor)))
        .status();

    assert!(status.unwrap().success());
    assert_eq!(socket_read(&here, 100, PHP_BINARY_READ).unwrap(), b"from a child\n");
    assert_eq!(socket_read(&here, 100, PHP_BINARY_READ).unwrap(), b"", "the child had the only one");
}

#[test]
fn there_and_back_changes_nothing() {
    let (here, there) = common::connection();
    socket_set_nonblock(&there).unwrap();
    let number = there.as_raw_fd();

    let there = socket_import_stream(socket_export_stream::<TcpStream>(there)).unwrap();

    assert_eq!(there.as_raw_fd(), number);
    assert!(socket_read(&there, 1, PHP_BINARY_READ).unwrap_err().is_quiet(), "it still does not wait");
    socket_write(&here, "still connected", None).unwrap();
    socket_set_block(&there).unwrap();
    assert_eq!(socket_read(&there, 100, PHP_BINARY_READ).unwrap(), b"still connected");
}

#[test]
fn an_import_forgets_nothing_and_remembers_nothing() {
    socket_bind(&socket_create(AF_INET, SOCK_STREAM, 0).unwrap(), "192.0.2.1", 0).unwrap_err();

    let error = socket_import_stream(std::fs::File::open("/dev/null").unwrap()).unwrap_err();

    assert_eq!((error.kind(), error.code()), (ErrorKind::Warning, SOCKET_EINVAL));
    assert_eq!(socket_last_error(None), SOCKET_EADDRNOTAVAIL);
}
