//! The `Socket` itself: whose descriptor it is, what it becomes, who may use it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use php_sockets::*;

use crate::common;

fn flags(fd: &Socket, command: i32) -> i32 {
    // SAFETY: fcntl takes numbers here.
    unsafe { libc::fcntl(fd.as_raw_fd(), command) }
}

#[test]
fn every_descriptor_is_close_on_exec_from_its_birth() {
    let (client, server) = common::connection();
    let (one, other) = common::pair(SOCK_STREAM);
    let listener = socket_create_listen(0, 1).unwrap();

    for socket in [&client, &server, &one, &other, &listener] {
        assert_eq!(flags(socket, libc::F_GETFD), libc::FD_CLOEXEC, "{socket:?}");
    }
}

#[test]
fn a_dropped_socket_is_closed_and_so_is_one_given_to_socket_close() {
    let (one, other) = common::pair(SOCK_STREAM);
    let fd = other.as_raw_fd();
    let inode = |fd| std::fs::read_link(format!("/proc/self/fd/{fd}")).ok();
    let before = inode(fd);

    drop(one);
    assert_eq!(socket_read(&other, 1, PHP_BINARY_READ).unwrap(), b"");
    socket_close(other);

    // Another test may have got the number meanwhile, but for another socket.
    assert_ne!(inode(fd), before);
}

#[test]
fn a_failed_call_leaks_no_descriptor() {
    let listener = socket_create_listen(0, 1).unwrap();
    let taken = socket_getsockname(&listener).unwrap().port;

    let left = common::descriptors_left(|| {
        for _ in 0..10 {
            assert!(socket_create_listen(taken, 1).is_err());
            assert!(socket_create(AF_INET, SOCK_DGRAM, SOL_TCP).is_err());
            assert!(socket_create_pair(AF_INET, SOCK_STREAM, 0).is_err());
            assert!(socket_bind(&socket_create(AF_INET, SOCK_STREAM, 0).unwrap(), "0.0.0.0", taken).is_err());
        }
    });

    assert_eq!(left, 0);
}

#[test]
fn sockets_come_from_std_and_go_back_to_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = Socket::from(OwnedFd::from(listener));
    assert_eq!(socket_getsockname(&listener).unwrap().port, port);

    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    socket_connect(&client, "127.0.0.1", port).unwrap();
    let mut stream = TcpStream::from(OwnedFd::from(client));
    let server = socket_accept(&listener).unwrap();
    std::io::Write::write_all(&mut stream, b"line\nrest").unwrap();
    assert_eq!(socket_read(&server, 100, PHP_NORMAL_READ).unwrap(), b"line\n");

    let udp = Socket::from(OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap()));
    let port = socket_getsockname(&udp).unwrap().port;
    assert_eq!(socket_sendto(&udp, "x", 1, 0, "127.0.0.1", port).unwrap(), 1);

    let number = udp.as_raw_fd();
    assert_eq!(udp.as_fd().as_raw_fd(), number);
    assert_eq!(udp.into_raw_fd(), number);
    // SAFETY: the number was just given up by its owner.
    drop(unsafe { OwnedFd::from_raw_fd(number) });
}

#[test]
fn what_is_no_socket_is_taken_and_every_call_says_so() {
    let file = common::no_socket();

    let error = socket_write(&file, "written, as PHP's write(2) does", None);
    assert_eq!(error.unwrap(), 31);
    assert_eq!(socket_read(&file, 1, PHP_BINARY_READ).unwrap_err().code(), SOCKET_ENOTSOCK);
    assert_eq!(socket_read(&file, 1, PHP_NORMAL_READ).unwrap_err().code(), SOCKET_ENOTSOCK);
    assert_eq!(socket_bind(&file, "127.0.0.1", 0).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn sockets_are_equal_if_they_are_the_same_descriptor() {
    let (one, other) = common::pair(SOCK_STREAM);

    assert_eq!(one, one);
    assert_ne!(one, other);
}

#[test]
fn a_socket_shows_its_descriptor_and_family() {
    let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();

    let text = format!("{socket:?}");

    assert_eq!(text, format!("Socket {{ fd: {}, family: 10, type: 2, error: 0, .. }}", socket.as_raw_fd()));
}

#[test]
fn a_socket_can_be_used_by_several_threads_at_once() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Socket>();
    is_shareable::<Error>();
    let (one, other) = common::pair(SOCK_STREAM);
    let (one, other) = (Arc::new(one), Arc::new(other));

    let writers: Vec<_> = (0..4)
        .map(|_| {
            let one = Arc::clone(&one);
            std::thread::spawn(move || {
                (0..100).map(|_| socket_write(&one, "12345678", None).unwrap()).sum::<usize>()
            })
        })
        .collect();
    let reader = std::thread::spawn(move || {
        let mut total = 0;
        while total < 4 * 800 {
            total += socket_read(&other, 1000, PHP_BINARY_READ).unwrap().len();
        }
        total
    });

    let written: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    assert_eq!((written, reader.join().unwrap()), (3200, 3200));
}

#[test]
fn each_thread_has_a_slot_of_its_own_and_a_socket_shares_its_slot() {
    socket_clear_error(None);
    let socket = Arc::new(socket_create(AF_INET, SOCK_STREAM, 0).unwrap());

    let theirs = {
        let socket = Arc::clone(&socket);
        std::thread::spawn(move || {
            socket_getpeername(&socket).unwrap_err();
            socket_last_error(None)
        })
        .join()
        .unwrap()
    };

    assert_eq!(theirs, SOCKET_ENOTCONN);
    assert_eq!(socket_last_error(None), 0);
    assert_eq!(socket_last_error(&*socket), SOCKET_ENOTCONN);
}

#[test]
fn sock_nonblock_in_the_type_makes_a_socket_that_does_not_wait() {
    let socket = socket_create(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, SOL_TCP).unwrap();
    assert_ne!(flags(&socket, libc::F_GETFL) & libc::O_NONBLOCK, 0);

    let (one, _other) =
        socket_create_pair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0).unwrap();
    assert!(socket_read(&one, 1, PHP_BINARY_READ).unwrap_err().is_quiet());
}

#[test]
fn set_nonblock_and_set_block_change_only_that_flag() {
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let before = flags(&socket, libc::F_GETFL);

    socket_set_nonblock(&socket).unwrap();
    assert_eq!(flags(&socket, libc::F_GETFL), before | libc::O_NONBLOCK);
    socket_set_block(&socket).unwrap();
    assert_eq!(flags(&socket, libc::F_GETFL), before);
}

#[test]
fn a_mode_that_cannot_be_read_is_not_set() {
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();

    let errors = common::failing(libc::SYS_fcntl, SOCKET_EPERM, || {
        [socket_set_block(&socket).unwrap_err(), socket_set_nonblock(&socket).unwrap_err()]
    });

    assert_eq!(errors.map(|error| error.code()), [SOCKET_EPERM; 2]);
    assert_eq!(flags(&socket, libc::F_GETFL), libc::O_RDWR);
}

#[test]
fn the_last_error_is_read_and_cleared_through_every_reference() {
    let mut socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let fails = |socket: &Socket| {
        assert_eq!(socket_read(socket, 1, PHP_BINARY_READ).unwrap_err().code(), SOCKET_ENOTCONN);
    };

    fails(&socket);
    assert_eq!(socket_last_error(&socket), SOCKET_ENOTCONN);
    assert!([&socket].iter().map(socket_last_error).eq([SOCKET_ENOTCONN]));
    assert_eq!(socket_last_error(Some(&socket)), SOCKET_ENOTCONN);
    assert_eq!(socket_last_error(&mut socket), SOCKET_ENOTCONN);
    socket_clear_error(&mut socket);
    assert_eq!(socket_last_error(&socket), 0);

    let mut boxed = Box::new(socket);
    fails(&boxed);
    assert_eq!(socket_last_error(&boxed), SOCKET_ENOTCONN);
    socket_clear_error(&mut boxed);
    assert_eq!(socket_last_error(&boxed), 0);

    let counted = Rc::new(*boxed);
    fails(&counted);
    assert_eq!(socket_last_error(&counted), SOCKET_ENOTCONN);
    socket_clear_error(&counted);
    assert_eq!(socket_last_error(&counted), 0);

    let shared = Arc::new(Mutex::new(Rc::into_inner(counted).unwrap()));
    fails(&shared.lock().unwrap());
    assert_eq!(socket_last_error(&shared.lock().unwrap()), SOCKET_ENOTCONN);
    socket_clear_error(&shared.lock().unwrap());
    assert_eq!(socket_last_error(&shared.lock().unwrap()), 0);

    // All of that was about the socket; the thread's own slot is another.
    assert_eq!(socket_last_error(None), SOCKET_ENOTCONN);
    socket_clear_error(None::<&Socket>);
    assert_eq!(socket_last_error(None), 0);
}

#[test]
#[allow(clippy::mutable_key_type, reason = "the hash does not depend on the error that a socket remembers")]
fn sockets_are_keys_by_their_descriptor() {
    let (one, other) = common::pair(SOCK_STREAM);
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut state = DefaultHasher::new();
        value(&mut state);
        state.finish()
    };

    assert_eq!(hash(&|state| one.hash(state)), hash(&|state| one.as_raw_fd().hash(state)));
    let set = HashSet::from([&one, &one, &other]);
    assert_eq!(set.len(), 2);
    let names = HashMap::from([(one, "one"), (other, "other")]);
    assert_eq!(names.len(), 2);
}

#[test]
fn every_socket_of_std_becomes_a_socket() {
    let folder = common::temporary::folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let unix = UnixListener::bind(folder.path().join("s")).unwrap();

    let made: [(Socket, _, _); 6] = [
        (stream.into(), AF_INET, SOCK_STREAM),
        (listener.into(), AF_INET, SOCK_STREAM),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), AF_INET, SOCK_DGRAM),
        (UnixStream::pair().unwrap().0.into(), AF_UNIX, SOCK_STREAM),
        (unix.into(), AF_UNIX, SOCK_STREAM),
        (UnixDatagram::unbound().unwrap().into(), AF_UNIX, SOCK_DGRAM),
    ];

    for (socket, family, kind) in &made {
        assert_eq!(socket_getsockname(socket).unwrap().family, *family);
        assert_eq!(socket_get_option(socket, SOL_SOCKET, SO_TYPE).unwrap().int().unwrap(), *kind);
    }
    assert!(socket_read(&made[0].0, 1, PHP_BINARY_READ).unwrap_err().is_quiet(), "its mode is as it was");
}
