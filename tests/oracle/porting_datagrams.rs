//! Facts about datagrams that the pages of functions tell those who port: each by PHP, then by this crate.

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::php;

/// A UDP port that takes no datagram. The socket that holds it is connected to itself and hears no other.
fn closed_port() -> (Socket, u16) {
    let (holder, name) = common::bound(SOCK_DGRAM);
    socket_connect(&holder, &name.address, name.port).unwrap();
    (holder, name.port)
}

/// Waits until the socket has learned that the port is closed.
fn until_heard(socket: &Socket) {
    let mut read = vec![socket];
    assert_eq!(socket_select(Some(&mut read), None, None, 10, 0), Ok(1));
}

/// The result of a call, and the code that the socket then remembers.
fn told<T: serde::Serialize>(socket: &Socket, result: Result<T>) -> Value {
    let result = result.map_or_else(|_| json!(false), |value| json!(value));
    let told = json!([result, socket_last_error(socket)]);
    socket_clear_error(socket);
    told
}

type Call = fn(&Socket, u16) -> Value;

/// The calls that may learn of a closed port, in PHP and here.
const CALLS: [(&str, Call); 7] = [
    ("socket_send($s, 'x', 1, 0)", |socket, _| told(socket, socket_send(socket, "x", 1, 0))),
    ("socket_write($s, 'x')", |socket, _| told(socket, socket_write(socket, "x", None))),
    ("socket_sendto($s, 'x', 1, 0, '127.0.0.1', $port)", |socket, port| {
        told(socket, socket_sendto(socket, "x", 1, 0, "127.0.0.1", port))
    }),
    ("socket_recv($s, $data, 9, 0)", |socket, _| told(socket, socket_recv(socket, &mut Vec::new(), 9, 0))),
    ("socket_recvfrom($s, $data, 9, 0, $a, $p)", |socket, _| {
        told(socket, socket_recvfrom(socket, &mut Vec::new(), 9, 0).map(|(count, _)| count))
    }),
    ("socket_read($s, 9)", |socket, _| {
        told(socket, socket_read(socket, 9, PHP_BINARY_READ).map(|data| data.len()))
    }),
    ("socket_get_option($s, SOL_SOCKET, SO_ERROR)", |socket, _| {
        told(socket, socket_get_option(socket, SOL_SOCKET, SO_ERROR).and_then(|value| value.int()))
    }),
];

#[test]
fn a_connected_udp_socket_is_told_once_of_a_closed_port_by_whichever_call_comes_first() {
    let (_holder, port) = closed_port();
    for (code, call) in CALLS {
        let php = php::value(&format!(
            "$port = {port}; $s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_connect($s, '127.0.0.1', $port);
             socket_set_nonblock($s);
             $sent = socket_send($s, 'x', 1, 0);
             $read = [$s]; $write = $except = null; socket_select($read, $write, $except, 10);
             $first = [@{code}, socket_last_error($s)]; socket_clear_error($s);
             return [$sent, $first, socket_get_option($s, SOL_SOCKET, SO_ERROR) * (int) ($first[1] === 0)];"
        ));

        let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
        socket_connect(&socket, "127.0.0.1", port).unwrap();
        socket_set_nonblock(&socket).unwrap();
        let sent = socket_send(&socket, "x", 1, 0).unwrap();
        until_heard(&socket);
        let first = call(&socket, port);
        let left = socket_get_option(&socket, SOL_SOCKET, SO_ERROR).unwrap().int().unwrap();

        let refused = if code.contains("SO_ERROR") {
            json!([SOCKET_ECONNREFUSED, 0])
        } else {
            json!([false, SOCKET_ECONNREFUSED])
        };
        assert_eq!(left, 0, "{code} has taken it");
        assert_eq!(
            (json!([sent, first, left]), php),
            (json!([1, refused, 0]), json!([1, refused, 0])),
            "{code}"
        );
    }
}

#[test]
fn an_unconnected_udp_socket_never_hears_of_a_closed_port() {
    let (_holder, port) = closed_port();
    let php = php::value(&format!(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
         for ($i = 0; $i < 5; $i++) {{ $sent[] = socket_sendto($s, 'x', 1, 0, '127.0.0.1', {port}); }}
         return [$sent, @socket_recv($s, $data, 9, MSG_DONTWAIT), socket_last_error($s)];"
    ));

    let socket = socket_create(AF_INET, SOCK_DGRAM, 0).unwrap();
    let sent: Vec<usize> =
        (0..5).map(|_| socket_sendto(&socket, "x", 1, 0, "127.0.0.1", port).unwrap()).collect();
    let error = socket_recv(&socket, &mut Vec::new(), 9, MSG_DONTWAIT).unwrap_err();

    let expected = json!([[1, 1, 1, 1, 1], false, SOCKET_EAGAIN]);
    assert_eq!((json!([sent, false, error.code()]), php), (expected.clone(), expected));
}

#[test]
fn an_empty_datagram_is_no_end_although_php_has_null_for_both() {
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $d); socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $s);
         foreach ([1, 2, 3] as $_) { socket_write($d[0], ''); }
         socket_close($s[0]);
         $data = $end = $from = 'old';
         return [
             socket_recv($d[1], $data, 9, 0), $data, socket_recvfrom($d[1], $from, 9, 0, $a), $from,
             socket_read($d[1], 9), socket_recv($s[1], $end, 9, 0), $end,
         ];",
    );
    assert_eq!(php, json!([0, null, 0, "", "", 0, null]));

    let (here, there) = common::pair(SOCK_DGRAM);
    for _ in 0..3 {
        socket_write(&there, "", None).unwrap();
    }
    let mut data = b"old".to_vec();
    assert_eq!((socket_recv(&here, &mut data, 9, 0), data.len()), (Ok(0), 0));
    data = b"old".to_vec();
    assert_eq!(socket_recvfrom(&here, &mut data, 9, 0).unwrap().0, 0);
    assert_eq!((data.len(), socket_read(&here, 9, PHP_BINARY_READ)), (0, Ok(Vec::new())));
    // The socket goes on.
    socket_write(&there, "more", None).unwrap();
    assert_eq!(socket_read(&here, 9, PHP_BINARY_READ).unwrap(), b"more");
}

#[test]
fn a_datagram_is_sent_whole_or_not_at_all() {
    let php = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); socket_set_nonblock($p[0]);
         while (($count = @socket_write($p[0], str_repeat('x', 50000))) !== false) { $counts[$count] = 1; }
         return [array_keys($counts), socket_last_error($p[0])];",
    );

    let (here, _there) = common::pair(SOCK_DGRAM);
    socket_set_nonblock(&here).unwrap();
    let data = vec![b'x'; 50000];
    let error = loop {
        match socket_write(&here, &data, None) {
            Ok(count) => assert_eq!(count, 50000),
            Err(error) => break error,
        }
    };

    assert_eq!((error.code(), php), (SOCKET_EAGAIN, json!([[50000], SOCKET_EAGAIN])));
}

#[test]
fn port_0_and_a_broadcast_address_are_refused_and_connect_says_so_of_the_second_only() {
    let php = php::value(
        "$try = function ($function, ...$arguments) {
             $s = socket_create(AF_INET, SOCK_DGRAM, 0); @$function($s, ...$arguments); return socket_last_error($s);
         };
         return [
             $try('socket_sendto', 'x', 1, 0, '127.0.0.1', 0), $try('socket_connect', '127.0.0.1', 0),
             $try('socket_sendto', 'x', 1, 0, '127.255.255.255', 9), $try('socket_connect', '127.255.255.255', 9),
         ];",
    );

    let code = |call: &dyn Fn(&Socket) -> Result<()>| {
        call(&socket_create(AF_INET, SOCK_DGRAM, 0).unwrap()).map_or_else(|error| error.code(), |()| 0)
    };
    let sendto = |address: &'static str, port: u16| {
        code(&move |socket| socket_sendto(socket, "x", 1, 0, address, port).map(drop))
    };
    let connect =
        |address: &'static str, port: u16| code(&move |socket| socket_connect(socket, address, port));
    let broadcast = "127.255.255.255";
    let ours = [sendto("127.0.0.1", 0), connect("127.0.0.1", 0), sendto(broadcast, 9), connect(broadcast, 9)];

    let expected = [SOCKET_EINVAL, 0, SOCKET_EACCES, SOCKET_EACCES];
    assert_eq!((ours, php), (expected, json!(expected)));
}
