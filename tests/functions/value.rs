//! The values that calls give: errors, results, texts, names of protocols.

use std::io;

use php_sockets::*;

use crate::common;

#[test]
fn an_error_takes_16_bytes_and_so_does_a_result_with_a_count() {
    assert_eq!(size_of::<Error>(), 16);
    assert_eq!(size_of::<Result<usize>>(), 16);
    assert_eq!(size_of::<Result<()>>(), 16);
}

#[test]
fn an_error_can_be_copied_compared_and_sent() {
    let error = socket_create(99, 0, 0).unwrap_err();
    let copy = error;

    let sent = std::thread::spawn(move || error).join().unwrap();

    assert_eq!(sent, copy);
    assert_ne!(copy, socket_create(AF_INET, 99, 0).unwrap_err());
    let site = copy.site();
    assert_eq!((site.function, copy.function()), ("socket_create", "socket_create"));
}

#[test]
fn debug_is_display_so_that_main_prints_phps_sentence() {
    let error = socket_create(AF_INET, SOCK_DGRAM, SOL_TCP).unwrap_err();

    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(error.to_string(), "socket_create(): Unable to create socket [93]: Protocol not supported");
}

#[test]
fn an_error_becomes_an_io_error_with_its_sentence_and_kind() {
    let (_holder, port) = common::closed_port();
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let error = socket_connect(&socket, "127.0.0.1", port).unwrap_err();

    let converted = io::Error::from(error);

    assert_eq!(converted.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(converted.to_string(), "socket_connect(): unable to connect [111]: Connection refused");
    assert_eq!(io::Error::from(socket_create(99, 0, 0).unwrap_err()).kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn an_io_error_gives_the_error_back_with_its_code_but_has_none_itself() {
    let (holder, name) = common::bound(SOCK_STREAM);
    let late = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let errors = [
        socket_bind(&late, "127.0.0.1", name.port).unwrap_err(),
        socket_getpeername(&holder).unwrap_err(),
        socket_connect(&late, "no such host.invalid", 1).unwrap_err(),
        socket_read(&late, 0, PHP_BINARY_READ).unwrap_err(),
        socket_create(99, 0, 0).unwrap_err(),
    ];
    for error in errors {
        let converted = io::Error::from(error);

        assert_eq!(converted.raw_os_error(), None, "{error}");
        let inner = converted.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        assert_eq!(inner, Some(&error));
        assert_eq!(inner.map(Error::code), Some(error.code()));
        let boxed = converted.into_inner().expect("the error");
        assert_eq!(*boxed.downcast::<Error>().expect("ours"), error);
    }
}

#[test]
fn every_code_has_its_symbol() {
    let (one, other) = common::pair(SOCK_STREAM);
    socket_set_nonblock(&one).unwrap();
    assert_eq!(socket_read(&one, 1, PHP_BINARY_READ).unwrap_err().name(), "SOCKET_EAGAIN");
    drop(other);
    let failing = |code| common::failing(libc::SYS_shutdown, code, || socket_shutdown(&one, 2).unwrap_err());
    for (code, name) in [
        (SOCKET_EADDRINUSE, "SOCKET_EADDRINUSE"),
        (SOCKET_EMEDIUMTYPE, "SOCKET_EMEDIUMTYPE"),
        (libc::EDOM, "EDOM"),
        (libc::EHWPOISON, "EHWPOISON"),
        (4000, ""),
    ] {
        assert_eq!((failing(code).code(), failing(code).name()), (code, name));
    }
    for (code, name) in [
        (111, "SOCKET_ECONNREFUSED"),
        (libc::EDOM, "EDOM"),
        (-9999, "NETDB_INTERNAL"),
        (-10000, "NETDB_SUCCESS"),
        (-10004, "NO_DATA"),
        (-10005, ""),
        (libc::EAI_AGAIN, "EAI_AGAIN"),
        (0, ""),
    ] {
        assert_eq!(Error::name_of(code), name, "{code}");
    }
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    assert_eq!(socket_bind(&socket, "no such host.invalid", 0).unwrap_err().function(), "socket_bind");
    assert_eq!(socket_bind(&socket, "", 0).unwrap_err().name(), "NO_RECOVERY");
    assert_eq!(socket_create(99, 0, 0).unwrap_err().name(), "SOCKET_EINVAL");
}

#[test]
fn the_text_of_every_code_is_phps() {
    // 134 has a text since glibc 2.43, and a PHP of its own may bring a C library of its own.
    let codes = (-10010..=-9990).chain(-5..134).chain(135..200).chain([9999, i32::MIN, i32::MAX, -20000]);
    let codes: Vec<i32> = codes.collect();
    let list = codes.iter().map(i32::to_string).collect::<Vec<_>>().join(",");

    let php = common::php(&format!("foreach ([{list}] as $code) echo socket_strerror($code), \"\\n\";"));

    let rust: Vec<String> = codes.iter().map(|code| socket_strerror(*code)).collect();
    assert_eq!(rust, php.lines().collect::<Vec<_>>());
}

#[test]
fn protocols_are_found_from_several_threads_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(getprotobyname("udp"), Some(17));
                    assert_eq!(getprotobyname("no such protocol"), None);
                    assert_eq!(getprotobynumber(6).as_deref(), Some("tcp"));
                    assert_eq!(getprotobynumber(254), None);
                }
            });
        }
    });
}

#[test]
fn protocols_are_those_of_php() {
    let php = common::php(
        "for ($n = -1; $n < 300; $n++) echo $n, ' ', var_export(getprotobynumber($n), true), \"\\n\";
         foreach (['tcp', 'TCP', 'ip', 'icmp', 'nosuch', ''] as $n) echo var_export(getprotobyname($n), true), \"\\n\";",
    );

    let mut rust = String::new();
    for number in -1..300 {
        let name = getprotobynumber(number).map_or("false".to_owned(), |name| format!("'{name}'"));
        rust.push_str(&[&number.to_string(), " ", &name, "\n"].concat());
    }
    for name in ["tcp", "TCP", "ip", "icmp", "nosuch", ""] {
        rust.push_str(&getprotobyname(name).map_or("false".to_owned(), |number| number.to_string()));
        rust.push('\n');
    }
    assert_eq!(rust, php);
    assert_eq!(getprotobyname("tcp\0"), None, "PHP throws a ValueError");
}

#[test]
fn a_prelude_does_not_break_ordinary_results() {
    fn two_types(text: &str) -> Result<i32, std::num::ParseIntError> {
        text.parse()
    }
    assert_eq!(two_types("7"), Ok(7));
}
