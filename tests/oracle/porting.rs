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
fn an_ipv4_socket_asks_nothing_about_a_text_that_can_be_no_host() {
    let names = [
        "::1",
        "[::1]",
        "127.0.0.1:80",
        "localhost:80",
        "a..b",
        "/tmp/x",
        "no such",
        "-x",
        "300.1.1.1",
        "café",
    ];
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

#[test]
fn an_ipv4_text_on_an_ipv6_socket_is_mapped_unless_it_takes_ipv6_only() {
    let php = php::value(
        "foreach ([0, 1] as $only) foreach (['127.0.0.1', '127.1'] as $ip) {
             $make = function () use ($only) {
                 $s = socket_create(AF_INET6, SOCK_DGRAM, 0);
                 socket_set_option($s, IPPROTO_IPV6, IPV6_V6ONLY, $only);
                 return $s;
             };
             $name = '';
             @socket_bind($a = $make(), $ip, 0) && socket_getsockname($a, $name);
             @socket_connect($b = $make(), $ip, 9);
             @socket_sendto($c = $make(), 'x', 1, 0, $ip, 9);
             $all[] = [$name, socket_last_error($a), socket_last_error($b), socket_last_error($c)];
         }
         return $all;",
    );

    let code = |result: Result<()>| result.map_or_else(|error| error.code(), |()| 0);
    let mut ours = Vec::new();
    for only in [0, 1] {
        for ip in ["127.0.0.1", "127.1"] {
            let make = || {
                let socket = socket_create(AF_INET6, SOCK_DGRAM, 0).unwrap();
                socket_set_option(&socket, IPPROTO_IPV6, IPV6_V6ONLY, only).unwrap();
                socket
            };
            let socket = make();
            let bound = code(socket_bind(&socket, ip, 0));
            let name = if bound == 0 { socket_getsockname(&socket).unwrap().address } else { "".into() };
            let connected = code(socket_connect(&make(), ip, 9));
            let sent = code(socket_sendto(&make(), "x", 1, 0, ip, 9).map(drop));
            ours.push(json!([name.to_string(), bound, connected, sent]));
        }
    }

    let (mapped, refused) = (
        json!(["::ffff:127.0.0.1", 0, 0, 0]),
        json!(["", SOCKET_EINVAL, SOCKET_ENETUNREACH, SOCKET_ENETUNREACH]),
    );
    let expected = json!([mapped, mapped, refused, refused]);
    assert_eq!((json!(ours), php), (expected.clone(), expected));
}

#[test]
fn a_unix_socket_has_no_port_which_php_leaves_alone_and_which_is_0_here() {
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $own = $peer = 'kept';
         socket_getsockname($p[0], $address, $own); socket_getpeername($p[0], $address, $peer);
         return [$own, $peer, $address];",
    );
    assert_eq!(php, json!(["kept", "kept", ""]));

    let (here, _there) = common::pair(SOCK_STREAM);
    for name in [socket_getsockname(&here).unwrap(), socket_getpeername(&here).unwrap()] {
        assert_eq!((name.port, name.family, name.to_string().as_str()), (0, AF_UNIX, ""));
    }
}

#[test]
fn the_name_of_an_unbound_socket_is_all_zeros() {
    let php = php::value(
        "foreach ([AF_INET, AF_INET6] as $family) {
             socket_getsockname(socket_create($family, SOCK_STREAM, 0), $address, $port);
             $names[] = [$address, $port];
         }
         return $names;",
    );
    assert_eq!(php, json!([["0.0.0.0", 0], ["::", 0]]));

    let name = |family| socket_getsockname(&socket_create(family, SOCK_STREAM, 0).unwrap()).unwrap();
    assert_eq!([name(AF_INET).to_string(), name(AF_INET6).to_string()], ["0.0.0.0:0", "[::]:0"]);
}

#[test]
fn an_address_with_a_nul_is_an_error_where_php_ignores_the_rest() {
    let php = php::value(
        r#"$s = socket_create(AF_INET, SOCK_DGRAM, 0); return socket_bind($s, "127.0.0.1\0rest", 0);"#,
    );
    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    let error = socket_bind(&socket, "127.0.0.1\0rest", 0).unwrap_err();

    assert_eq!((php, error.kind(), error.code()), (json!(true), ErrorKind::Value, SOCKET_EINVAL));
}

#[test]
fn the_look_ups_are_none_for_a_nul_where_php_throws() {
    for call in [
        "inet_pton(\"127.0.0.1\\0\")",
        "ip2long(\"127.0.0.1\\0\")",
        "gethostbyname(\"localhost\\0\")",
        "gethostbynamel(\"localhost\\0\")",
        "getprotobyname(\"tcp\\0\")",
        "getservbyname(\"http\\0\", 'tcp')",
        "getservbyport(80, \"tcp\\0\")",
    ] {
        let said = php::thrown(call);
        assert!(said.starts_with("ValueError: ") && said.ends_with("any null bytes"), "{call}: {said}");
    }

    assert_eq!((inet_pton("127.0.0.1\0"), ip2long("127.0.0.1\0")), (None, None));
    assert_eq!(
        (gethostbyname("localhost\0").as_bytes(), gethostbynamel("localhost\0")),
        (&b"localhost\0"[..], None)
    );
    assert_eq!((getprotobyname("tcp\0"), getservbyname("http\0", "tcp")), (None, None));
    assert_eq!(getservbyport(80, "tcp\0"), None);
}

#[test]
fn after_an_error_of_kind_value_or_silent_the_slot_has_an_older_code_that_the_error_has_not() {
    let php = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); @socket_getpeername($s, $a); $codes = [socket_last_error($s)];
         @socket_read($s, 0); $codes[] = socket_last_error($s);
         try { socket_connect($s, '127.0.0.1'); } catch (ValueError) { $codes[] = socket_last_error($s); }
         return $codes;",
    );

    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let errors = [
        socket_getpeername(&socket).unwrap_err(),
        socket_read(&socket, 0, PHP_BINARY_READ).unwrap_err(),
        socket_connect(&socket, "127.0.0.1", None).unwrap_err(),
    ];

    assert_eq!((socket_last_error(&socket), php), (SOCKET_ENOTCONN, json!(vec![SOCKET_ENOTCONN; 3])));
    assert_eq!(errors.map(|error| error.code()), [SOCKET_ENOTCONN, SOCKET_EINVAL, SOCKET_EINVAL]);
    assert_eq!(socket_strerror(errors[0].code()), "Transport endpoint is not connected");
}

#[test]
fn two_names_have_the_number_11_of_which_php_flips_to_the_second() {
    let php = php::value(
        "$all = get_defined_constants(true)['sockets'];
         return array_flip(array_filter($all, fn ($k) => str_starts_with($k, 'SOCKET_E'), ARRAY_FILTER_USE_KEY))[11];",
    );

    assert_eq!((SOCKET_EAGAIN, SOCKET_EWOULDBLOCK, php), (11, 11, json!("SOCKET_EWOULDBLOCK")));
    assert_eq!(Error::name_of(11), "SOCKET_EAGAIN");
}

#[test]
fn an_empty_array_beside_another_waits_for_the_other() {
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $read = $except = []; $write = [$p[0]];
         return [socket_select($read, $write, $except, 0), count($read), count($write)];",
    );

    let (here, _there) = common::pair(SOCK_STREAM);
    let (mut read, mut write): (Vec<&Socket>, _) = (Vec::new(), vec![&here]);
    let count = socket_select(Some(&mut read), Some(&mut write), None, 0, 0).unwrap();

    assert_eq!((json!([count, read.len(), write.len()]), php), (json!([1, 0, 1]), json!([1, 0, 1])));
}

#[test]
fn the_number_of_an_option_is_its_low_32_bits_in_php() {
    let php = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0);
         socket_set_option($s, SOL_SOCKET, SO_SNDBUF, 10000); $a = socket_get_option($s, SOL_SOCKET, SO_SNDBUF);
         socket_set_option($s, SOL_SOCKET, SO_SNDBUF, (1 << 32) + 10000);
         return [$a, socket_get_option($s, SOL_SOCKET, SO_SNDBUF)];",
    );
    assert_eq!(php, json!([20000, 20000]));
}
