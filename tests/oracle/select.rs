//! Section 2.18: select.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use php_sockets::*;
use serde_json::json;

use crate::common;
use crate::php;
use crate::script::agree;

#[test]
fn an_array_holds_nothing_but_sockets() {
    // [V] 2.18: another element: TypeError "must only have elements of type Socket, int given"; arguments 1 to 3 are
    // checked in this order. In Rust such an array does not compile.
    for (arrays, text) in [
        (
            "$r = [1]; $w = [2]; $e = [3];",
            "Argument #1 ($read) must only have elements of type Socket, int given",
        ),
        (
            "$r = null; $w = ['x']; $e = [3];",
            "Argument #2 ($write) must only have elements of type Socket, string given",
        ),
        (
            "$r = []; $w = null; $e = [null];",
            "Argument #3 ($except) must only have elements of type Socket, null given",
        ),
    ] {
        let thrown = php::thrown(&format!("{arrays} socket_select($r, $w, $e, 0)"));
        assert_eq!(thrown, format!("TypeError: socket_select(): {text}"));
    }
}

#[test]
fn one_array_with_one_socket_is_enough() {
    // [V] 2.18: all three null or empty: ValueError "At least one array argument must be passed"
    agree(
        "
        socket_select null null null 0 0
        socket_select [] [] [] 0 0
        socket_select [] null {} 0 0
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_select [] [a] [] 0 0
        socket_select null null [a] 0 0
        ",
    );
}

#[test]
fn a_descriptor_that_an_fd_set_cannot_hold_is_refused() {
    // [V] 2.18: a descriptor of 1024 or more: a warning of several lines with that number, and with a limit rounded
    // to a multiple of 1024 (1109 gives 2048); false, arrays unmodified, no error recorded
    common::raise_descriptor_limit();
    let php = php::value(
        "$w = null; set_error_handler(function ($l, $m) use (&$w) { $w = $m; return true; });
         do $all[] = socket_create(AF_UNIX, SOCK_STREAM, 0); while (!file_exists('/proc/self/fd/1109'));
         $read = ['low' => $all[0], 'high' => end($all)]; $none = null;
         return [socket_select($read, $none, $none, 0), array_keys($read), $w, socket_last_error()];",
    );

    let low = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    // SAFETY: F_DUPFD_CLOEXEC takes a number; the descriptor is open as long as `low` lives.
    let high = unsafe { libc::fcntl(low.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 1109) };
    assert_eq!(high, 1109, "nobody else has so high a number");
    // SAFETY: the kernel has just opened `high`, and nothing else owns it.
    let high = Socket::from(unsafe { OwnedFd::from_raw_fd(high) });
    let mut read = vec![("low", &low), ("high", &high)];
    let error = socket_select(Some(&mut read), None, None, 0, 0).unwrap_err();
    let keys: Vec<&str> = read.iter().map(|(key, _)| *key).collect();

    assert_eq!(php, json!([false, keys, error.to_string(), socket_last_error(None)]));
    assert!(error.to_string().contains("--enable-fd-setsize=2048 is recommended"));
}

#[test]
fn extreme_times_are_taken_or_refused_as_php_does() {
    let times = [i64::MIN, -1, 0, 1, 999_999, 1_000_000, 1 << 32, i64::MAX - 1, i64::MAX];
    // Below -2147483648 microseconds PHP waits for their lower 32 bits: a listed difference.
    let microseconds = [i32::MIN.into(), -1_000_000, -1, 0, 999_999, 1_000_000, 1 << 32, i64::MAX];
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&other, "x", None).unwrap();
    let ours = times.map(|seconds| {
        microseconds.map(|microseconds| {
            socket_clear_error(None);
            let count = socket_select(Some(&mut vec![&one]), None, None, seconds, microseconds);
            json!([count.map_or(json!(false), |count| json!(count)), socket_last_error(None)])
        })
    });

    let php = php::value(&format!(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair); socket_write($pair[1], 'x');
         $int = fn ($text) => (int) $text;
         foreach (array_map($int, explode(' ', '{}')) as $row => $seconds)
             foreach (array_map($int, explode(' ', '{}')) as $microseconds) {{
                 socket_clear_error(); $read = [$pair[0]]; $none = null;
                 $all[$row][] = [socket_select($read, $none, $none, $seconds, $microseconds), socket_last_error()];
             }}
         return $all;",
        times.map(|number| number.to_string()).join(" "),
        microseconds.map(|number: i64| number.to_string()).join(" "),
    ));

    assert_eq!(json!(ours), php);
}

#[test]
fn the_time_to_wait_is_handed_to_the_kernel() {
    // [V] 2.18: $seconds null waits for ever, and $microseconds is ignored
    // [V] 2.18: microseconds over 999999 are carried into seconds: 0 and 1500000 wait 1.5 s. (The time that ours hands
    // over stands in syscalls.rs.)
    let code = |time: &str| {
        format!(
            "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[1], 'x'); $r = [$p[0]]; $w = $e = null;
             socket_select($r, $w, $e, {time});"
        )
    };
    for (time, handed) in [
        ("null", "NULL, NULL)"),
        ("null, 500", "NULL, NULL)"),
        ("0, 1500000", "{tv_sec=1, tv_nsec=500000000}"),
        ("3, 999999", "{tv_sec=3, tv_nsec=999999000}"),
        ("2", "{tv_sec=2, tv_nsec=0}"),
    ] {
        let (calls, _) = php::traced("pselect6", &[], &code(time));
        assert!(calls[0].contains(handed), "{time}: {calls:?}");
    }
    // [V] 2.18: negative values go to the kernel: [22] Invalid argument
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_select [a] null null -1 0
        socket_select [a] null null 0 -1
        socket_select [a] null null -5 1000000
        socket_select [a] null null 5 -1
        socket_write b "x" null
        socket_select [a] null null null -1
        socket_select [a] null null null 7
        socket_select [a] null null 0 1500000
        "#,
    );
}

#[test]
fn the_number_counts_bits_and_not_sockets() {
    // [V] 2.18: ready in two arrays counts twice; listed three times in one array counts once, and all three stay
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write b "x" null
        socket_select [a] [a] null 0 0
        socket_select [a a a] null null 0 0
        socket_select [a c a] [c] [a] 0 0
        socket_select {x:a y:c z:a} null null 0 0
        "#,
    );
}

#[test]
fn keys_and_order_are_kept() {
    // [V] 2.18: on success each array that is not null holds the ready elements under their keys, in their order
    // [V] 2.18: a time-out leaves empty arrays and 0; null stays null
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        c d = socket_create_pair AF_UNIX SOCK_STREAM 0
        e f = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_select {9:a x:c -1:e} null {0:a} 0 1000
        socket_write b "x" null
        socket_write f "x" null
        socket_select {9:e 5:c x:a 0:c y:e} null null 0 0
        socket_select [e c a] {k:a j:d} [] 0 0
        "#,
    );
}

#[test]
fn a_plain_vec_moves_up() {
    // 2.18: PHP does not reindex; a plain `Vec` has no keys to keep, an intended difference
    let keys = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[0], 'x'); $read = [$p[0], $p[1]]; $none = null;
         return [socket_select($read, $none, $none, 0), array_keys($read)];",
    );
    assert_eq!(keys, json!([1, [1]]));

    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "x", None).unwrap();
    let mut read = vec![&here, &there];
    assert_eq!(socket_select(Some(&mut read), None, None, 0, 0).unwrap(), 1);
    assert_eq!(read, [&there]);
}

#[test]
fn an_error_leaves_the_arrays_as_they_were() {
    // [V] 2.18: on an error a warning, the global slot only, false, and the arrays unmodified
    agree(
        "
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_select [a b] {x:a y:b} [b] -1 0
        socket_last_error a
        socket_last_error null
        ",
    );
    // EINTR included:
    let php = php::traced(
        "pselect6",
        &["pselect6:error=EINTR:when=1"],
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $r = ['x' => $p[0], 'y' => $p[1]]; $w = $p; $e = null;
         echo json_encode([@socket_select($r, $w, $e, 5), array_keys($r), count($w), error_get_last()['message'],
             socket_last_error(), socket_last_error($p[0])]);",
    );

    let (here, there) = common::pair(SOCK_STREAM);
    let (left, text, last) = common::failing(libc::SYS_pselect6, SOCKET_EINTR, || {
        let (mut read, mut write) = (vec![("x", &here), ("y", &there)], vec![&here, &there]);
        let error = socket_select(Some(&mut read), Some(&mut write), None, 5, 0).unwrap_err();
        let keys: Vec<&str> = read.iter().map(|(key, _)| *key).collect();
        ((keys, write.len()), error.to_string(), socket_last_error(None))
    });
    assert_eq!(php.0.len(), 1);
    assert_eq!(php.1, json!([false, left.0, left.1, text, last, socket_last_error(&here)]).to_string());
}

#[test]
fn urgent_data_shows_in_except_and_all_else_in_read_and_write() {
    // [V] 2.18: MSG_OOB data shows in $except; the end of a stream and arrivals at a listener show in $read
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        socket_select [l] [l] [l] 0 0
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        socket_select [l] null null 10 0
        s = socket_accept l
        socket_select [l s c] [s c] [s c] 0 0
        socket_send c "!" 1 MSG_OOB
        socket_select null null [s] 10 0
        socket_select [s] [s] [s] 0 0
        socket_recv s data 1 MSG_OOB
        socket_select [s] null [s] 0 0
        drop c
        socket_select [s] null null 10 0
        socket_read s 10 PHP_BINARY_READ
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        drop b
        socket_select [a] [a] [a] 0 0
        fresh = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_select [fresh] [fresh] [fresh] 0 0
        "#,
    );
}
