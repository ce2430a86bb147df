//! Streams: PHP's, imported and exported, beside those of `std`.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;

fn php_json(code: &str) -> Value {
    let text = common::php(code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The address, and whether there is a port, as `socket_getsockname` has them; the type; whether a read waits.
fn shown(socket: &Socket) -> Value {
    let name = socket_getsockname(socket).unwrap();
    let kind = format!("{socket:?}").split("type: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    // SAFETY: F_GETFL takes no further argument.
    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) };
    json!([
        name.address.to_str(),
        name.port != 0,
        kind,
        flags & libc::O_NONBLOCK == 0,
        socket_last_error(socket)
    ])
}

#[test]
fn imported_streams_are_what_php_makes_of_them() {
    let php = php_json(
        "function shown($stream, $blocks = true) {
             $s = socket_import_stream($stream); socket_getsockname($s, $a, $p);
             return [$a, $p > 0, (string) socket_get_option($s, SOL_SOCKET, SO_TYPE), $blocks, socket_last_error($s)];
         }
         $tcp = stream_socket_server('tcp://127.0.0.1:0');
         $client = stream_socket_client('tcp://' . stream_socket_get_name($tcp, false));
         $udp = fn($h) => stream_socket_server(\"udp://$h:0\", $e, $t, STREAM_SERVER_BIND);
         $pair = fn($type) => stream_socket_pair(STREAM_PF_UNIX, $type, 0);
         $idle = stream_socket_server('tcp://127.0.0.1:0'); stream_set_blocking($idle, false);
         [$a, $b] = $pair(STREAM_SOCK_STREAM); [$c, $d] = $pair(STREAM_SOCK_DGRAM);
         fwrite($a, 'waiting'); $b = socket_import_stream($b);
         echo json_encode([shown($tcp), shown($client), shown($udp('127.0.0.1')), shown($udp('[::1]')), shown($a),
             shown($c), shown($idle, stream_get_meta_data($idle)['blocked']), socket_read($b, 100)]);",
    );

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let idle = TcpListener::bind("127.0.0.1:0").unwrap();
    idle.set_nonblocking(true).unwrap();
    let (a, b) = UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut &a, b"waiting").unwrap();
    let b = socket_import_stream(b).unwrap();
    let streams: [OwnedFd; 7] = [
        tcp.into(),
        client.into(),
        UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        UdpSocket::bind("[::1]:0").unwrap().into(),
        a.into(),
        UnixDatagram::pair().unwrap().0.into(),
        idle.into(),
    ];
    let mut rust: Vec<Value> =
        streams.into_iter().map(|stream| shown(&socket_import_stream(stream).unwrap())).collect();
    let read = socket_read(&b, 100, PHP_BINARY_READ).unwrap();
    rust.push(json!(String::from_utf8(read).unwrap()));

    assert_eq!(Value::from(rust), php);
}

// [V] 2.25: PHP chooses the stream by family and type; here the caller names it. Exporting twice gives PHP the same
// stream, a number for a stream throws, and a closed stream leaves a dangling Socket: none of the three compiles.
#[test]
fn php_chooses_the_stream_that_rusts_caller_names() {
    let php = php_json(
        "$rows = [];
         foreach ([[AF_INET, SOCK_STREAM], [AF_INET, SOCK_DGRAM], [AF_UNIX, SOCK_STREAM], [AF_UNIX, SOCK_DGRAM]] as $a) {
             $s = socket_create($a[0], $a[1], 0); $e = socket_export_stream($s);
             $rows[] = [explode('/', stream_get_meta_data($e)['stream_type'])[0], $e === socket_export_stream($s)];
         }
         fclose($e); @socket_getsockname($s, $n); $rows[] = socket_last_error($s);
         try { socket_import_stream(5); } catch (TypeError $e) { $rows[] = get_class($e); }
         echo json_encode($rows);",
    );
    let socket = |family, kind| socket_create(family, kind, 0).unwrap();

    let tcp: TcpStream = socket_export_stream(socket(AF_INET, SOCK_STREAM));
    let udp: UdpSocket = socket_export_stream(socket(AF_INET, SOCK_DGRAM));
    let unix: UnixStream = socket_export_stream(socket(AF_UNIX, SOCK_STREAM));
    let udg: UnixDatagram = socket_export_stream(socket(AF_UNIX, SOCK_DGRAM));

    assert_eq!(
        php,
        json!([
            ["tcp_socket", true],
            ["udp_socket", true],
            ["unix_socket", true],
            ["udg_socket", true],
            SOCKET_EBADF,
            "TypeError"
        ])
    );
    assert!(tcp.peer_addr().is_err() && udp.local_addr().is_ok());
    assert!(unix.local_addr().unwrap().is_unnamed() && udg.local_addr().unwrap().is_unnamed());
}
