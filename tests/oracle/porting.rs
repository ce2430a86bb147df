//! Facts that the pages of functions and the porting guide tell those who port: each by PHP, then by this crate.

use std::time::{Duration, Instant};

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::php;

/// A listener whose queue is full of its one client, that client, and the port.
fn full() -> (Socket, Socket, u16) {
    let listener = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, "127.0.0.1", 0).unwrap();
    socket_listen(&listener, 0).unwrap();
    let port = socket_getsockname(&listener).unwrap().port;
    let first = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_connect(&first, "127.0.0.1", port).unwrap();
    (listener, first, port)
}

/// The same in PHP, and `$try`, which tells what a call of `socket_connect` came to.
const FULL: &str = "
    $l = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($l, '127.0.0.1', 0); socket_listen($l, 0);
    socket_getsockname($l, $address, $port);
    $first = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($first, '127.0.0.1', $port);
    $c = socket_create(AF_INET, SOCK_STREAM, 0);
    $try = function () use ($c, $port) {
        error_clear_last(); socket_clear_error($c);
        @socket_connect($c, '127.0.0.1', $port);
        return [socket_last_error($c), error_get_last()['message'] ?? null];
    };";

/// The text of `$try` about a call here.
fn tried(socket: &Socket, port: u16) -> Value {
    match socket_connect(socket, "127.0.0.1", port) {
        Ok(()) => json!([0, null]),
        Err(error) => json!([error.code(), error.is_warning().then(|| error.to_string())]),
    }
}

#[test]
fn so_sndtimeo_ends_the_wait_of_connect_and_not_the_connection() {
    let php = php::value(&format!(
        "{FULL}
         socket_set_option($c, SOL_SOCKET, SO_SNDTIMEO, ['sec' => 0, 'usec' => 100000]);
         $said = [$try(), $try()];
         $a = socket_accept($l); $b = socket_accept($l);
         return [...$said, $try(), $try()];"
    ));

    let (listener, _first, port) = full();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    socket_set_option(&client, SOL_SOCKET, SO_SNDTIMEO, Timeval::new(0, 100_000)).unwrap();
    let begin = Instant::now();
    let mut said = vec![tried(&client, port), tried(&client, port)];
    assert!(begin.elapsed() >= Duration::from_millis(200), "each waits for its time");
    // The second client of the two is the one that went on.
    let _both = [socket_accept(&listener).unwrap(), socket_accept(&listener).unwrap()];
    said.extend([tried(&client, port), tried(&client, port)]);

    let expected = json!([
        [SOCKET_EINPROGRESS, null],
        [SOCKET_EALREADY, "socket_connect(): unable to connect [114]: Operation already in progress"],
        [0, null],
        [
            SOCKET_EISCONN,
            "socket_connect(): unable to connect [106]: Transport endpoint is already connected"
        ],
    ]);
    assert_eq!((json!(said), php), (expected.clone(), expected));
}

#[test]
fn an_interrupted_connect_goes_on_and_is_waited_for_in_select() {
    let php = php::value(&format!(
        "{FULL}
         pcntl_signal(SIGALRM, fn () => null, false); pcntl_alarm(1);
         $said = $try();
         $a = socket_accept($l);
         $read = $except = null; $write = [$c];
         $ready = @socket_select($read, $write, $except, 10);
         return [$said, $ready, socket_get_option($c, SOL_SOCKET, SO_ERROR), socket_write($c, 'x')];"
    ));

    let (listener, _first, port) = full();
    let client = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let said = common::interrupted(|| tried(&client, port));
    let _accepted = socket_accept(&listener).unwrap();
    let mut write = vec![&client];
    let ready = socket_select(None, Some(&mut write), None, 10, 0).unwrap();
    let error = socket_get_option(&client, SOL_SOCKET, SO_ERROR).unwrap().int().unwrap();
    let ours = json!([said, ready, error, socket_write(&client, "x", None).unwrap()]);

    let text = "socket_connect(): unable to connect [4]: Interrupted system call";
    let expected = json!([[SOCKET_EINTR, text], 1, 0, 1]);
    assert_eq!((ours, php), (expected.clone(), expected));
}

#[test]
fn with_so_linger_a_close_waits_although_the_socket_does_not_block() {
    let php = php::value(
        "$l = socket_create_listen(0); socket_getsockname($l, $address, $port);
         $c = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($c, '127.0.0.1', $port); $s = socket_accept($l);
         socket_set_nonblock($c);
         socket_set_option($c, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 1]);
         while (@socket_write($c, str_repeat('x', 65536)));
         $begin = microtime(true); unset($c);
         return microtime(true) - $begin;",
    );

    let (client, _server) = common::connection();
    socket_set_nonblock(&client).unwrap();
    socket_set_option(&client, SOL_SOCKET, SO_LINGER, Linger::new(1, 1)).unwrap();
    let piece = "x".repeat(65536);
    while socket_write(&client, &piece, None).is_ok() {}
    let begin = Instant::now();
    drop(client);
    let ours = begin.elapsed();

    assert!(php.as_f64().unwrap() >= 0.9 && ours >= Duration::from_millis(900), "{php}, {ours:?}");
}

#[test]
fn a_last_line_without_an_end_gets_one_from_phps_memory() {
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); socket_write($p[0], \"abc\\nxyz\"); socket_close($p[0]);
         $lines = [];
         while (($line = @socket_read($p[1], 1024, PHP_NORMAL_READ)) !== false) { $lines[] = bin2hex($line); unset($line); }
         return $lines;",
    );

    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "abc\nxyz", None).unwrap();
    drop(here);
    let read = || socket_read(&there, 1024, PHP_NORMAL_READ);

    assert_eq!((read().unwrap(), read().unwrap()), (b"abc\n".to_vec(), b"xyz".to_vec()));
    assert_eq!(read().unwrap_err().code(), SOCKET_ECONNRESET);
    assert_eq!(php, json!(["6162630a", "78797a0a"]), "`xyz` and the end of the line before it");
}

#[test]
fn a_service_above_65535_is_its_low_16_bits() {
    let php = php::value(
        "return array_map(fn ($service) => socket_addrinfo_explain(
             socket_addrinfo_lookup('127.0.0.1', $service, ['ai_socktype' => SOCK_STREAM])[0])['ai_addr']['sin_port'],
             ['70000', '65536']);",
    );

    let port = |service| {
        let found =
            socket_addrinfo_lookup("127.0.0.1", service, AddrinfoHints::new().ai_socktype(SOCK_STREAM));
        socket_addrinfo_explain(&found.unwrap()[0]).ai_addr.port
    };
    assert_eq!((json!([port("70000"), port("65536")]), php), (json!([4464, 0]), json!([4464, 0])));
}

#[test]
fn a_link_local_address_needs_its_interface() {
    // No machine has the address on loopback: with an interface the kernel says so.
    let addresses = ["fe80::1", "fe80::1%lo", "fe80::1%1"];
    let php = php::value(&format!(
        "$code = function ($call, $ip) {{
             $s = socket_create(AF_INET6, SOCK_STREAM, 0); @$call($s, $ip, 9); return socket_last_error($s);
         }};
         return array_map(fn ($ip) => [$code('socket_bind', $ip), $code('socket_connect', $ip)], json_decode('{}'));",
        json!(addresses)
    ));

    let code = |result: Result<()>| result.unwrap_err().code();
    let ours = addresses.map(|ip| {
        let socket = socket_create(AF_INET6, SOCK_STREAM, 0).unwrap();
        [code(socket_bind(&socket, ip, 9)), code(socket_connect(&socket, ip, 9))]
    });

    assert_eq!(json!(ours), php);
    assert_eq!(ours[0], [SOCKET_EINVAL; 2]);
    assert_eq!([ours[1][0], ours[2][0]], [SOCKET_EADDRNOTAVAIL; 2]);
}

#[test]
fn an_ipv4_socket_asks_nothing_about_an_ipv6_address_or_a_name_with_a_port() {
    let names = ["::1", "[::1]", "127.0.0.1:80", "localhost:80"];
    let php = php::value(&format!(
        "return array_map(function ($name) {{
             $s = socket_create(AF_INET, SOCK_STREAM, 0); @socket_connect($s, $name, 80);
             return [socket_last_error($s), error_get_last()['message']];
         }}, json_decode('{}'));",
        json!(names)
    ));

    let ours = names.map(|name| {
        let error = socket_connect(&socket_create(AF_INET, SOCK_STREAM, 0).unwrap(), name, 80).unwrap_err();
        assert_eq!(error.name(), "NETDB_SUCCESS");
        json!([error.code(), error.to_string()])
    });

    let text = "socket_connect(): Host lookup failed [-10000]: Unknown error -10000";
    assert_eq!((json!(ours), php), (json!(names.map(|_| json!([-10000, text]))), json!(ours)));
}
