//! Names of sockets in all three families.

use std::os::unix::ffi::OsStrExt;

use php_sockets::*;

use crate::common::{self, temporary};

#[test]
fn every_spelling_of_an_ipv4_address_that_php_takes_is_taken() {
    for address in ["127.0.0.1", "127.1", "2130706433", "0177.0.0.1", "localhost"] {
        let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();

        socket_bind(&socket, address, 0).unwrap();

        assert_eq!(socket_getsockname(&socket).unwrap().address, "127.0.0.1", "{address}");
    }
}

/// Machines differ in their IPv6; that PHP gets the same does not differ.
#[test]
fn an_ipv6_socket_takes_what_phps_takes() {
    for address in
        ["::1", "::", "127.0.0.1", "::ffff:127.0.0.1", "localhost", "::1%1", "fe80::1%1", "::1%0", "1::2::3"]
    {
        let php = common::php(&format!(
            "$s = socket_create(AF_INET6, SOCK_DGRAM, 0);
             if (@socket_bind($s, '{address}')) {{ socket_getsockname($s, $name); echo $name; }}
             else echo socket_last_error($s);"
        ));

        let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
        let ours = match socket_bind(&socket, address, 0) {
            Ok(()) => socket_getsockname(&socket).unwrap().address.to_string(),
            Err(error) => error.code().to_string(),
        };

        assert_eq!(ours, php, "{address}");
    }
}

#[test]
fn names_are_shown_as_people_write_them() {
    let (inet, name) = common::bound(SOCK_STREAM);
    assert_eq!(name.to_string(), format!("127.0.0.1:{}", name.port));
    drop(inet);

    let inet6 = socket_create(AF_INET6, SOCK_STREAM, 0).unwrap();
    let name = socket_getsockname(&inet6).unwrap();
    assert_eq!((name.to_string().as_str(), name.family), ("[::]:0", AF_INET6));

    let path = temporary::free_path();
    let unix = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&unix, &*path, 0).unwrap();
    let name = socket_getsockname(&unix).unwrap();
    assert_eq!((name.to_string(), name.port), (path.display().to_string(), 0));
}

#[test]
fn a_path_may_be_107_bytes_long_and_not_utf_8() {
    let folder = temporary::folder();
    let mut path = folder.path().as_os_str().as_bytes().to_vec();
    path.push(b'/');
    path.resize(107, 0xFF);
    let path = std::ffi::OsStr::from_bytes(&path);
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();

    socket_bind(&listener, path, 0).unwrap();
    socket_listen(&listener, 1).unwrap();

    assert_eq!(socket_getsockname(&listener).unwrap().address, path);
    let client = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_connect(&client, path, None).unwrap();
    assert_eq!(socket_getpeername(&client).unwrap().address, path);
}

#[test]
fn a_path_of_108_bytes_that_another_program_bound_is_read_whole() {
    use std::os::fd::AsRawFd;
    let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    // SAFETY: all zeros is a valid `sockaddr_un`.
    let mut name: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    name.sun_family = 1;
    let folder = temporary::folder();
    let path = format!("{:x<108}", format!("{}/", folder.path().display()));
    for (to, from) in name.sun_path.iter_mut().zip(path.as_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    // SAFETY: the call reads `name`, all of it, which outlives it.
    let status = unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), 110) };
    assert_eq!(status, 0);

    assert_eq!(socket_getsockname(&socket).unwrap().address, path.as_str());
}

#[test]
fn an_abstract_name_connects_and_reads_as_empty() {
    let name = temporary::abstract_name();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, &name, 0).unwrap();
    socket_listen(&listener, 1).unwrap();

    let client = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_connect(&client, &name, None).unwrap();

    assert_eq!(socket_getpeername(&client).unwrap().address, "");
    assert_eq!(socket_getsockname(&listener).unwrap().address, "");
}

#[test]
fn an_empty_path_lets_the_kernel_choose_an_abstract_name() {
    let socket = socket_create(AF_UNIX, SOCK_DGRAM, 0).unwrap();

    socket_bind(&socket, "", 0).unwrap();

    assert_eq!(socket_bind(&socket, "", 0).map_err(|error| error.code()), Ok(()), "Linux takes a second one");
    assert_eq!(
        socket_bind(&socket, "\0other", 0).unwrap_err().code(),
        SOCKET_EINVAL,
        "it has a name already"
    );
    assert_eq!(socket_getsockname(&socket).unwrap().address, "");
}

#[test]
fn an_address_may_be_any_kind_of_text() {
    let socket = || socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();

    socket_bind(&socket(), String::from("127.0.0.1"), 0).unwrap();
    socket_bind(&socket(), std::ffi::OsStr::new("127.0.0.1"), 0).unwrap();
    socket_bind(&socket(), std::path::Path::new("127.0.0.1"), 0).unwrap();
    let (_holder, name) = common::bound(SOCK_DGRAM);
    socket_bind(&socket(), &name.address, 0).unwrap();
}
