//! Section 2.19, 2.20 and 1.5: the last errors and their texts.

use std::thread;

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::php;
use crate::script::{agree, agree_with_name_server};

/// Runs a test in a thread of its own, whose resolver has not been asked anything yet.
#[track_caller]
fn freshly(test: impl FnOnce() + Send) {
    let name = thread::current().name().unwrap_or_default().to_owned();
    thread::scope(|scope| {
        thread::Builder::new().name(name).spawn_scoped(scope, test).expect("a thread").join()
    })
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn the_two_slots_are_independent() {
    // 2.19: null asks for the global slot; reading does not clear; a value can be negative
    // [V] 2.19: clearing one slot leaves the other
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM SOL_TCP
        t = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_last_error null
        socket_last_error s
        socket_getpeername s
        socket_write t "x" null
        socket_last_error null
        socket_last_error null
        socket_last_error s
        socket_last_error t
        socket_clear_error s
        socket_last_error s
        socket_last_error t
        socket_last_error null
        socket_getpeername s
        socket_clear_error null
        socket_last_error null
        socket_last_error s
        socket_bind s "" 0
        socket_last_error s
        socket_clear_error s
        socket_clear_error t
        socket_last_error null
        "#,
    );
}

#[test]
fn every_code_has_phps_text() {
    // [V] 1.5: from −10000 up it is strerror's: 0, −1, −10000 and 9999 too
    // [V] 1.5: below −10000 it is hstrerror's: −10001 to −10004, and "Unknown resolver error" for all others
    // [V] 1.5: the lowest of all ints is an unknown resolver error
    let codes =
        (-300..=300).chain(-10020..=-9990).chain([9999, 65536, i32::MAX, -65536, i32::MIN, i32::MIN + 1]);
    // The C library of PHP 8.5 may know a code that this machine's does not: 134 is EFTYPE to the newest.
    let script: Vec<String> =
        codes.filter(|code| *code != 134).map(|code| format!("socket_strerror {code}")).collect();

    agree(&script.join("\n"));
    let php = php::value("return socket_strerror(134) === posix_strerror(134);");
    let ours = std::io::Error::from_raw_os_error(134).to_string();
    assert_eq!((php, format!("{} (os error 134)", socket_strerror(134))), (json!(true), ours));

    assert_eq!(
        [0, -1, -10000, 9999].map(socket_strerror),
        ["Success", "Unknown error -1", "Unknown error -10000", "Unknown error 9999"]
    );
    assert_eq!(
        [-10001, -10002, -10003, -10004, -10005, i32::MIN].map(socket_strerror),
        [
            "Unknown host",
            "Host name lookup failure",
            "Unknown server error",
            "No address associated with name",
            "Unknown resolver error",
            "Unknown resolver error"
        ]
    );
}

#[test]
fn a_code_is_an_int() {
    // [V] 1.5: outside of 32 bits: ValueError. A `c_int` cannot hold it.
    for code in ["2147483648", "-2147483649", "PHP_INT_MAX"] {
        assert_eq!(
            php::thrown(&format!("socket_strerror({code})")),
            "ValueError: socket_strerror(): Argument #1 ($error_code) must be between -2147483648 and 2147483647"
        );
    }
}

#[test]
fn a_name_that_is_refused_unasked_has_the_code_of_the_look_up_before() {
    // [V] 1.5: in a fresh process names that the resolver rejects without asking give exactly −10000; an empty name
    // gives −10003 In Rust the C library has one h_errno for each thread, so a fresh thread is enough.
    for (name, code) in [
        ("256.1.1.1", -10000),
        ("1.2.3.4.5", -10000),
        ("::1", -10000),
        ("a b", -10000),
        ("127.0.0.1 ", -10000),
        (&*"a".repeat(256), -10000),
        ("", -10003),
    ] {
        freshly(|| {
            agree(&format!("s = socket_create AF_INET SOCK_STREAM 0\nsocket_bind s \"{name}\" 0"));
            let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
            assert_eq!(socket_bind(&socket, name, 0).unwrap_err().code(), code, "{name}");
        });
    }
    // 1.5: otherwise it is stale: the code of the look-up before
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM 0
        socket_bind s "256.1.1.1" 0
        socket_bind s "" 0
        socket_bind s "256.1.1.1" 0
        socket_connect s "1.2.3.4.5" 80
        "#,
    );
}

#[test]
fn an_unknown_host_has_a_code_of_the_resolver() {
    // [V] 1.5: a well-formed unknown name gives −10001 (−10002 where no name server answers)
    agree_with_name_server(
        r#"
        s = socket_create AF_INET SOCK_STREAM 0
        socket_bind s "nosuch.invalid" 0
        socket_last_error null
        t = socket_create AF_INET6 SOCK_STREAM 0
        socket_bind t "nosuch.invalid" 0
        socket_last_error t
        "#,
    );
    for family in [AF_INET, AF_INET6] {
        let socket = socket_create(family, SOCK_STREAM, 0).unwrap();
        let error = socket_bind(&socket, "nosuch.invalid", 0).unwrap_err();
        assert!(matches!(error.code(), -10001 | -10002), "{error}");
    }
}

#[test]
fn the_global_slot_is_one_for_each_thread() {
    // 2.19: PHP has one for the request, which is one thread; an intended difference
    let (socket, _name) = common::bound(SOCK_STREAM);
    socket_getpeername(&socket).unwrap_err();

    let elsewhere = thread::scope(|scope| {
        scope.spawn(|| (socket_last_error(None), socket_last_error(&socket))).join().unwrap()
    });
    assert_eq!(elsewhere, (0, SOCKET_ENOTCONN));
    assert_eq!(socket_last_error(None), SOCKET_ENOTCONN);
}
