//! Section 2.1 to 2.4, 2.8 and 2.10: sockets made, accepted and closed, and whether their calls wait.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::dialects::by_version;
use crate::php;
use crate::record;
use crate::script::agree;

/// Whether a socket of ours returns at once.
fn is_nonblocking(socket: &Socket) -> bool {
    // SAFETY: F_GETFL takes no further argument; the descriptor is open as long as `socket` lives.
    unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}

#[test]
fn four_domains_are_there_and_no_other() {
    // [V] 2.1: another domain is a ValueError "must be one of AF_UNIX, AF_PACKET, AF_INET6, or AF_INET"; before 8.5
    // AF_PACKET is none of them
    agree(
        "
        a = socket_create AF_UNIX SOCK_STREAM 0
        b = socket_create AF_INET SOCK_STREAM SOL_TCP
        c = socket_create AF_INET6 SOCK_DGRAM SOL_UDP
        socket_create 0 SOCK_STREAM 0
        socket_create -1 SOCK_STREAM 0
        socket_create 16 SOCK_RAW 0
        socket_create 99 11 0
        ",
    );
}

/// `socket_create` with these arguments, by PHP: what is thrown, what it warns of, or the class of what it makes.
fn created(arguments: &str) -> Value {
    php::value(&format!(
        "try {{ $s = socket_create({arguments}); return $s ? get_class($s) : error_get_last()['message']; }}
         catch (ValueError $e) {{ return 'ValueError: ' . $e->getMessage(); }}"
    ))
}

#[test]
fn packet_sockets_are_there_since_8_5() {
    // 2.1: AF_PACKET is allowed, and the kernel decides; before 8.5 it is refused
    let ours = |kind| {
        socket_create(AF_PACKET, kind, 0).map_or_else(|error| error.to_string(), |_| "Socket".to_owned())
    };
    for kind in [SOCK_DGRAM, SOCK_STREAM, SOCK_RAW] {
        let newest = ours(kind);
        let older =
            "ValueError: socket_create(): Argument #1 ($domain) must be one of AF_UNIX, AF_INET6, or AF_INET";

        let php = created(&format!("17, {kind}, 0"));

        assert_eq!(php, json!(by_version(&[(80200, older), (80500, newest.as_str())])));
        let kernel = ["[1]: Operation not permitted", "[94]: Socket type not supported"];
        assert!(newest == "Socket" || kernel.iter().any(|text| newest.ends_with(text)), "{newest}");
    }
}

#[test]
fn types_have_an_upper_bound_and_the_kernel_judges_the_rest() {
    // [V] 2.1: a type above 10 is a ValueError; before 8.4 its text does not name the bits beside the type
    // [V] 2.1: only an upper bound: -1, 0 and 7 go to the kernel, which warns with EINVAL or ESOCKTNOSUPPORT
    // [V] 2.1: a bad protocol is an error of the kernel (93), not a ValueError
    agree(
        "
        socket_create AF_INET 11 0
        socket_create AF_INET 2147483647 0
        socket_create AF_INET 524299 0
        socket_create AF_INET 1048577 0
        socket_create AF_INET -1 0
        socket_create AF_INET 0 0
        socket_create AF_INET 7 0
        socket_create AF_INET SOCK_STREAM 93
        socket_create AF_INET SOCK_STREAM -1
        socket_create AF_INET SOCK_DGRAM SOL_TCP
        socket_create AF_UNIX SOCK_STREAM SOL_TCP
        socket_create AF_INET SOCK_RDM 0
        ",
    );
}

#[test]
fn the_bits_beside_the_type_are_taken_since_8_4() {
    // [V] 2.1: SOCK_CLOEXEC and SOCK_NONBLOCK fail the check of the type before 8.4
    agree(
        "
        socket_create AF_UNIX 2049 0
        socket_create AF_UNIX 524289 0
        socket_create AF_UNIX 526337 0
        socket_create AF_INET 2050 0
        a b = socket_create_pair AF_UNIX 2049 0
        c d = socket_create_pair AF_UNIX 526338 0
        socket_create_pair AF_UNIX 2059 0
        ",
    );
    // The bits do what they say: non-blocking, close-on-exec. This crate's descriptors are close-on-exec anyway.
    let flags = php::value(
        "if (PHP_VERSION_ID < 80400) return [];
         $s = socket_create(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0); $t = socket_create(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
         socket_create_pair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, $p);
         return array_map(fn ($flags) => [($flags & 04000) !== 0, ($flags & 02000000) !== 0], array_values(flags()));",
    );
    let newest = json!([[true, false], [false, true], [true, true], [true, true]]);
    assert_eq!(flags, by_version(&[(80200, &json!([])), (80400, &newest)]).clone());

    let socket = socket_create(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0).unwrap();
    let (one, other) = socket_create_pair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0).unwrap();
    assert!([socket, one, other].iter().all(is_nonblocking));
    assert!(!is_nonblocking(&socket_create(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0).unwrap()));
}

#[test]
fn a_listener_in_one_step_listens_everywhere_on_a_free_port() {
    // 2.2: bound to 0.0.0.0, port 0 is a free one; a taken port is refused, no SO_REUSEADDR
    agree(
        "
        l = socket_create_listen 0 5
        n = socket_getsockname l
        socket_get_option l SOL_SOCKET SO_REUSEADDR
        socket_create_listen n.port 5
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c \"127.0.0.1\" n.port
        s = socket_accept l
        m = socket_getpeername c
        m = socket_getsockname s
        m = socket_getpeername s
        ",
    );
}

#[test]
fn a_listeners_port_is_between_0_and_65535() {
    // [V] 2.2: another port is a ValueError; before 8.5 its low 16 bits count: -1 is 65535. A `u16` cannot hold it.
    // The call that would bind is answered by strace, so that the port is not needed.
    for (port, bound) in [("-1", 65535), ("65536", 0), ("99999", 34463)] {
        let code = format!("socket_create_listen({port})");
        php::takes_the_low_16_bits_before_8_5(
            "bind",
            "0",
            &code,
            bound,
            "socket_create_listen(): Argument #1 ($port)",
        );
    }
}

#[test]
fn a_listeners_queue_is_4096_long_if_nobody_says() {
    // 2.2: the default backlog is SOMAXCONN, 4096; before 8.4 it is 128. Rust has no defaults: it is written out.
    let (calls, _) = php::traced("listen", &[], "socket_create_listen(0);");
    let backlog = by_version(&[(80200, ", 128)"), (80400, ", 4096)")]);
    assert!(calls[0].contains(backlog), "{calls:?}");
    assert_eq!(SOMAXCONN, 4096);
}

#[test]
fn only_unix_sockets_come_in_pairs() {
    // [V] 2.3: AF_INET and AF_INET6 give the warning [95] Operation not supported
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        c d = socket_create_pair AF_UNIX SOCK_DGRAM 0
        e f = socket_create_pair AF_UNIX SOCK_SEQPACKET 0
        socket_write a "to b" null
        socket_read b 10 PHP_BINARY_READ
        socket_create_pair AF_INET SOCK_STREAM 0
        socket_create_pair AF_INET6 SOCK_STREAM 0
        socket_create_pair AF_UNIX -1 0
        g h = socket_create_pair AF_UNIX SOCK_RAW 0
        socket_create_pair AF_UNIX SOCK_STREAM SOL_TCP
        socket_create_pair 99 SOCK_STREAM 0
        socket_create_pair 17 SOCK_STREAM 0
        socket_create_pair AF_UNIX 11 0
        "#,
    );
}

#[test]
fn a_pair_replaces_what_the_variable_held_and_a_failure_leaves_it() {
    // [V] 2.3: $pair becomes a list of two Sockets whatever it held
    // [V] 2.3: a failure leaves $pair untouched
    // In Rust the pair is the return value.
    let held = php::value(
        "$pair = ['x' => 1]; @socket_create_pair(AF_INET, SOCK_STREAM, 0, $pair); $failed = $pair;
         $done = socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
         return [$failed, $done, array_map(get_class(...), $pair), array_is_list($pair)];",
    );
    assert_eq!(held, json!([{"x": 1}, true, ["Socket", "Socket"], true]));
}

/// Listeners made and changed in every way, by name, each with whether what it accepts does not block.
const ACCEPTED: [(&str, bool); 20] = [
    ("created", false),
    ("create_listen", false),
    ("addrinfo_bind", false),
    ("created with SOCK_NONBLOCK", false),
    ("created with SOCK_NONBLOCK, set_nonblock", true),
    ("AF_INET, set_nonblock", true),
    ("AF_INET6, set_nonblock", true),
    ("AF_UNIX, set_nonblock", true),
    ("create_listen, set_nonblock", true),
    ("addrinfo_bind, set_nonblock", true),
    ("set_nonblock, set_block", false),
    ("set_nonblock, set_block, set_nonblock", true),
    ("set_nonblock before it listens", true),
    ("import of a blocking stream", false),
    ("import of a non-blocking stream", true),
    ("import of a blocking stream, which stops to block", false),
    ("import of a blocking stream, set_nonblock, which blocks again", true),
    ("its stream stops to block", false),
    ("its stream stops to block, set_nonblock", true),
    ("received, non-blocking", true),
];

const PHP_ACCEPTS: &str = r"
    $dir = sys_get_temp_dir();
    function listens($s, $address = '127.0.0.1') { socket_bind($s, $address); socket_listen($s, 5); return $s; }
    function inet($type = SOCK_STREAM) { return listens(socket_create(AF_INET, $type, 0)); }
    function by_info() {
        $s = socket_addrinfo_bind(socket_addrinfo_lookup('127.0.0.1', '0', ['ai_socktype' => SOCK_STREAM])[0]);
        socket_listen($s, 5);
        return $s;
    }
    function stream($blocks = true) {
        $stream = stream_socket_server('tcp://127.0.0.1:0'); stream_set_blocking($stream, $blocks);
        return $stream;
    }
    function nonblock($s) { socket_set_nonblock($s); return $s; }
    function block($s) { socket_set_block($s); return $s; }
    $kept = [];
    $bits = PHP_VERSION_ID < 80400 ? 0 : 04000;
    $listeners = [
        'created' => fn () => inet(), 'create_listen' => fn () => socket_create_listen(0), 'addrinfo_bind' => by_info(...),
        'created with SOCK_NONBLOCK' => fn () => inet(SOCK_STREAM | $bits),
        'created with SOCK_NONBLOCK, set_nonblock' => fn () => nonblock(inet(SOCK_STREAM | $bits)),
        'AF_INET, set_nonblock' => fn () => nonblock(inet()),
        'AF_INET6, set_nonblock' => fn () => nonblock(listens(socket_create(AF_INET6, SOCK_STREAM, 0), '::1')),
        'AF_UNIX, set_nonblock' => fn () => nonblock(listens(socket_create(AF_UNIX, SOCK_STREAM, 0), qq$dir/doorqq)),
        'create_listen, set_nonblock' => fn () => nonblock(socket_create_listen(0)),
        'addrinfo_bind, set_nonblock' => fn () => nonblock(by_info()),
        'set_nonblock, set_block' => fn () => block(nonblock(inet())),
        'set_nonblock, set_block, set_nonblock' => fn () => nonblock(block(nonblock(inet()))),
        'set_nonblock before it listens' => fn () => listens(nonblock(socket_create(AF_INET, SOCK_STREAM, 0))),
        'import of a blocking stream' => fn () => socket_import_stream(stream()),
        'import of a non-blocking stream' => fn () => socket_import_stream(stream(false)),
        'import of a blocking stream, which stops to block' => function () {
            $s = socket_import_stream($stream = stream()); stream_set_blocking($stream, false); return $s;
        },
        'import of a blocking stream, set_nonblock, which blocks again' => function () {
            $s = nonblock(socket_import_stream($stream = stream())); stream_set_blocking($stream, true); return $s;
        },
        'its stream stops to block' => function () use (&$kept) {
            $s = inet(); $kept[] = $stream = socket_export_stream($s); stream_set_blocking($stream, false); return $s;
        },
        'its stream stops to block, set_nonblock' => function () use (&$kept) {
            $s = inet(); $kept[] = $stream = socket_export_stream($s); stream_set_blocking($stream, false);
            return nonblock($s);
        },
        'received, non-blocking' => function () {
            socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p);
            socket_sendmsg($p[0], ['iov' => ['x'], 'control' => [
                ['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [stream(false)]]]]);
            $m = ['controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)]; socket_recvmsg($p[1], $m);
            return $m['control'][0]['data'][0];
        },
    ];
    foreach ($listeners as $name => $make) {
        $l = $make();
        socket_getsockname($l, $address, $port);
        $family = str_contains($address, '/') ? AF_UNIX : (str_contains($address, ':') ? AF_INET6 : AF_INET);
        $c = socket_create($family, SOCK_STREAM, 0);
        socket_connect($c, $address === '0.0.0.0' ? '127.0.0.1' : $address, $port ?? 0);
        $r = [$l]; $w = $e = null; socket_select($r, $w, $e, 10);
        $before = flags(); $s = socket_accept($l); $new = array_diff_key(flags(), $before);
        $accepted[$name] = (reset($new) & 04000) !== 0;
        $s = null;
    }
    return $accepted;
";

/// The listener of that name, made by this crate.
fn listener(name: &str, folder: &Path) -> Socket {
    let listens = |socket: Socket, address: &OsStr| {
        socket_bind(&socket, address, 0).unwrap();
        socket_listen(&socket, 5).unwrap();
        socket
    };
    let create = |family, kind| socket_create(family, kind, 0).unwrap();
    let inet = |kind| listens(create(AF_INET, kind), "127.0.0.1".as_ref());
    let by_info = || {
        let hints = AddrinfoHints::new().ai_socktype(SOCK_STREAM);
        let socket =
            socket_addrinfo_bind(&socket_addrinfo_lookup("127.0.0.1", 0, hints).unwrap()[0]).unwrap();
        socket_listen(&socket, 5).unwrap();
        socket
    };
    let nonblock = |socket: Socket| {
        socket_set_nonblock(&socket).unwrap();
        socket
    };
    let block = |socket: Socket| {
        socket_set_block(&socket).unwrap();
        socket
    };
    let stream = |blocks: bool| {
        let stream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        stream.set_nonblocking(!blocks).unwrap();
        stream
    };
    // The mode of a descriptor is that of its copies too.
    let without_a_word = |socket: &Socket, blocks: bool| {
        let copy = std::net::TcpListener::from(socket.as_fd().try_clone_to_owned().unwrap());
        copy.set_nonblocking(!blocks).unwrap();
    };
    match name {
        "created" => inet(SOCK_STREAM),
        "create_listen" => socket_create_listen(0, 5).unwrap(),
        "addrinfo_bind" => by_info(),
        "created with SOCK_NONBLOCK" => inet(SOCK_STREAM | SOCK_NONBLOCK),
        "created with SOCK_NONBLOCK, set_nonblock" => nonblock(inet(SOCK_STREAM | SOCK_NONBLOCK)),
        "AF_INET, set_nonblock" => nonblock(inet(SOCK_STREAM)),
        "AF_INET6, set_nonblock" => nonblock(listens(create(AF_INET6, SOCK_STREAM), "::1".as_ref())),
        "AF_UNIX, set_nonblock" => {
            nonblock(listens(create(AF_UNIX, SOCK_STREAM), folder.join("door").as_os_str()))
        }
        "create_listen, set_nonblock" => nonblock(socket_create_listen(0, 5).unwrap()),
        "addrinfo_bind, set_nonblock" => nonblock(by_info()),
        "set_nonblock, set_block" => block(nonblock(inet(SOCK_STREAM))),
        "set_nonblock, set_block, set_nonblock" => nonblock(block(nonblock(inet(SOCK_STREAM)))),
        "set_nonblock before it listens" => {
            listens(nonblock(create(AF_INET, SOCK_STREAM)), "127.0.0.1".as_ref())
        }
        "import of a blocking stream" => socket_import_stream(stream(true)).unwrap(),
        "import of a non-blocking stream" => socket_import_stream(stream(false)).unwrap(),
        "import of a blocking stream, which stops to block" => {
            let socket = socket_import_stream(stream(true)).unwrap();
            without_a_word(&socket, false);
            socket
        }
        "import of a blocking stream, set_nonblock, which blocks again" => {
            let socket = nonblock(socket_import_stream(stream(true)).unwrap());
            without_a_word(&socket, true);
            socket
        }
        "its stream stops to block" | "its stream stops to block, set_nonblock" => {
            let socket = inet(SOCK_STREAM);
            without_a_word(&socket, false);
            if name.ends_with("set_nonblock") { nonblock(socket) } else { socket }
        }
        "received, non-blocking" => {
            let (here, there) = common::pair(SOCK_STREAM);
            let sent = stream(false);
            let descriptors = [sent.as_fd()];
            let control = [ControlMessage::Rights(&descriptors)];
            socket_sendmsg(&here, &Message::new().iov(&IoVec::from(["x"])).control(&control), 0).unwrap();
            let mut message = Received::new(socket_iovec_alloc(&[1]).unwrap(), 24).unwrap();
            socket_recvmsg(&there, &mut message, 0).unwrap();
            Socket::from(message.take_rights().remove(0))
        }
        other => panic!("no such listener: {other}"),
    }
}

#[test]
fn an_accepted_socket_does_not_block_if_set_nonblock_was_the_last_word() {
    // [V] 2.4: the accepted socket takes its mode from the listener's object, and not from its descriptor; before 8.5
    // it blocks whatever the listener does
    let php = php::value(&PHP_ACCEPTS.replace("qq", "\""));

    let folder = common::temporary::folder();
    let mut ours = serde_json::Map::new();
    for (name, expected) in ACCEPTED {
        let listener = listener(name, folder.path());
        let own = socket_getsockname(&listener).unwrap();
        let client = socket_create(own.family, SOCK_STREAM, 0).unwrap();
        let address: &OsStr =
            if own.address == "0.0.0.0" { "127.0.0.1".as_ref() } else { own.address.as_ref() };
        socket_connect(&client, address, own.port).unwrap();
        socket_select(Some(&mut vec![&listener]), None, None, 10, 0).unwrap();

        let accepted = socket_accept(&listener).unwrap();

        assert_eq!(is_nonblocking(&accepted), expected, "{name}");
        ours.insert(name.to_owned(), json!(is_nonblocking(&accepted)));
    }

    let hands_on = by_version(&[(80200, false), (80500, true)]);
    assert_eq!(php.as_object().unwrap().len(), ours.len());
    for (name, accepted) in ours {
        let item = if hands_on { None } else { Some("accept: the mode of the new socket") };
        let listed = item.filter(|_| accepted == true);
        assert_eq!(php[&name], if listed.is_some() { json!(false) } else { accepted }, "{name}");
        record::tally(listed);
    }
}

#[test]
fn phps_object_takes_an_accepted_socket_for_one_that_blocks() {
    // 2.4: the stream of what is accepted non-blocking says that it blocks. PHP alone: Rust asks the descriptor.
    let modes = php::value(
        "$l = socket_create_listen(0); socket_set_nonblock($l); socket_getsockname($l, $a, $port);
         $c = socket_create(AF_INET, SOCK_STREAM, SOL_TCP); socket_connect($c, '127.0.0.1', $port);
         $r = [$l]; $w = $e = null; socket_select($r, $w, $e, 10); $s = socket_accept($l); $flags = flags();
         return [(end($flags) & 04000) !== 0, stream_get_meta_data(socket_export_stream($s))['blocked']];",
    );
    assert_eq!(modes, json!([by_version(&[(80200, false), (80500, true)]), true]));
}

#[test]
fn an_accepted_sockets_mode_can_be_changed() {
    // 2.4: set_block on what was accepted non-blocking, and back
    agree(
        r#"
        l = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind l path:door 0
        socket_listen l 5
        socket_set_nonblock l
        socket_accept l
        socket_last_error l
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c path:door null
        s = socket_accept l
        receive_timeout s 10000
        socket_read s 10 PHP_BINARY_READ
        socket_get_option s SOL_SOCKET SO_ERROR
        socket_write c "a line\n" null
        socket_read s 100 PHP_NORMAL_READ
        socket_set_block s
        socket_read s 10 PHP_BINARY_READ
        socket_set_nonblock s
        socket_recv s data 10 0
        "#,
    );
}

#[test]
fn php_8_4_makes_an_accepted_socket_close_on_exec_by_two_calls_more() {
    // PHP 8.4 has two warnings for them. 8.5 asks accept4 for it, as this crate does.
    let connected = "$l = socket_create_listen(0); socket_getsockname($l, $a, $port);
         $c = socket_create(AF_INET, SOCK_STREAM, 0); socket_connect($c, '127.0.0.1', $port);";
    let (calls, _) =
        php::traced("accept,accept4,fcntl", &[], &format!("{connected} $s = socket_accept($l);"));
    let plain = regex::Regex::new(r"\(\d+.*\) = \d+$").unwrap();
    let calls: Vec<String> = calls
        .iter()
        .map(|call| {
            let what =
                ["F_GETFD", "F_SETFD, FD_CLOEXEC", "SOCK_CLOEXEC"].iter().find(|what| call.contains(**what));
            plain.replace(call, &format!(" {}", what.unwrap_or(&""))).trim_end().to_owned()
        })
        .collect();
    let expected: &[&str] = by_version(&[
        (80200, &["accept"] as &[&str]),
        (80400, &["accept", "fcntl F_GETFD", "fcntl F_SETFD, FD_CLOEXEC"]),
        (80500, &["accept4 SOCK_CLOEXEC"]),
    ]);
    assert_eq!(calls, expected);

    for (when, text) in
        [(1, "unable to get fcntl mode on the socket"), (2, "unable to set cloexec mode on the socket")]
    {
        let failure = common::php_failure_with(
            &format!("fcntl:error=EIO:when={when}"),
            &format!("{connected} $s = $l; $accepted = socket_accept($l)"),
        );
        let of_8_4 = format!("socket_accept(): {text} [5]: Input/output error");
        let warning = by_version(&[(80200, None), (80400, Some(of_8_4.as_str())), (80500, None)]);
        assert_eq!(failure.warning.as_deref(), warning);
        assert_eq!((failure.last, failure.own), (if warning.is_some() { 5 } else { 0 }, Some(0)));
    }
}

#[test]
fn a_new_connection_has_no_errors() {
    // 2.4: the new object's error is 0, whatever the listener's is
    agree(
        "
        l = socket_create_listen 0 5
        socket_getpeername l
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c \"127.0.0.1\" n.port
        s = socket_accept l
        socket_last_error s
        socket_last_error l
        ",
    );
}

#[test]
fn accept_with_nobody_waiting_says_nothing() {
    // [V] 2.4: non-blocking with nothing pending: false, no warning, global 11, the listener's slot unchanged
    // [V] 2.4: SO_RCVTIMEO on the listener bounds accept: EAGAIN, silent
    // [V] 2.4: a socket that does not listen: [22] Invalid argument
    agree(
        "
        l = socket_create_listen 0 5
        socket_set_nonblock l
        socket_accept l
        socket_last_error l
        socket_clear_error null
        socket_set_block l
        receive_timeout l 10000
        socket_accept l
        socket_last_error l
        s = socket_create AF_INET SOCK_STREAM 0
        socket_accept s
        u = socket_create AF_INET SOCK_DGRAM 0
        socket_accept u
        ",
    );
}

#[test]
fn a_socket_is_closed_once() {
    // [V] 2.8: a second socket_close throws Error "has already been closed". In Rust it does not compile: the first one
    // took the socket.
    assert_eq!(
        php::thrown("$s = socket_create(AF_UNIX, SOCK_STREAM, 0); socket_close($s); socket_close($s)"),
        "Error: socket_close(): Argument #1 ($socket) has already been closed"
    );
    // 2.8: it returns nothing; the peer reads end of stream.
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "bye" null
        socket_close a
        socket_read b 10 PHP_BINARY_READ
        socket_read b 10 PHP_BINARY_READ
        socket_close b
        "#,
    );
}

#[test]
fn a_socket_whose_stream_is_closed_cannot_be_closed() {
    // [V] 2.8: the attached stream was fclose()d already: TypeError. In Rust socket_export_stream takes the socket.
    assert_eq!(
        php::thrown(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); $stream = socket_export_stream($s); fclose($stream); socket_close($s)"
        ),
        "TypeError: socket_close(): supplied resource is not a valid stream resource"
    );
}

#[test]
fn a_stream_of_a_socket_shares_its_fate_and_its_mode() {
    // 2.8: closing the socket closes and destroys the stream; 2.10: the stream is asked to change its mode. PHP
    // alone: in Rust a stream has taken the socket.
    let stream = php::value(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $stream = socket_export_stream($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_set_nonblock($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_set_block($p[0]);
         $modes[] = stream_get_meta_data($stream)['blocked']; socket_close($p[0]);
         return [$modes, is_resource($stream), socket_read($p[1], 10)];",
    );
    assert_eq!(stream, json!([[true, false, true], false, ""]));
}

#[test]
fn the_mode_of_waiting_can_be_changed_and_changed_back() {
    // 2.10: fcntl with O_NONBLOCK set or cleared; true
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_set_nonblock a
        socket_set_nonblock a
        socket_read a 10 PHP_BINARY_READ
        socket_set_block a
        receive_timeout a 10000
        socket_read a 10 PHP_BINARY_READ
        socket_write b "x" null
        socket_read a 10 PHP_BINARY_READ
        "#,
    );
}

#[test]
fn the_mode_of_a_descriptor_that_is_gone_cannot_be_set() {
    // [V] 2.10: failure: recorded, false, [9] Bad file descriptor. PHP comes to it through a stream that was closed
    // under the socket; here fcntl is refused to a thread.
    for (call, set) in [
        ("socket_set_nonblock", socket_set_nonblock as fn(&Socket) -> Result<()>),
        ("socket_set_block", socket_set_block),
    ] {
        let php = common::php_failure(&format!(
            "$s = socket_create(AF_UNIX, SOCK_STREAM, 0); $stream = socket_export_stream($s); fclose($stream); {call}($s)"
        ));
        let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
        let (text, last) = common::failing(libc::SYS_fcntl, SOCKET_EBADF, || {
            (set(&socket).unwrap_err().to_string(), socket_last_error(None))
        });

        assert_eq!(php.warning, Some(text));
        assert_eq!((php.last, php.own), (i64::from(last), Some(i64::from(socket_last_error(&socket)))));
        assert_eq!(last, SOCKET_EBADF);
    }
}
