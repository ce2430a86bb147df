//! Section 1.1, 1.2, 1.4 and 1.6: the object, the two error slots, warnings and exceptions.

use std::os::fd::AsRawFd;

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::dialects::by_version;
use crate::php;
use crate::script::agree;

#[test]
fn a_socket_can_only_be_made_by_the_functions_and_equals_only_itself() {
    // [V] 1.1: Socket is final, opaque, without methods and properties; it cannot be constructed, cloned, serialised
    // or compared, and equals only itself
    let class = php::value(
        "$c = new ReflectionClass('Socket');
         return [$c->isFinal(), $c->isCloneable(), $c->getMethods(), $c->getProperties(), $c->getConstants()];",
    );
    assert_eq!(class, json!([true, false, [], [], []]));
    let equal = php::value(
        "$a = socket_create(AF_INET, SOCK_STREAM, 0); $b = socket_create(AF_INET, SOCK_STREAM, 0);
         return [$a == $a, $a == $b, $a < $b, $a > $b];",
    );
    assert_eq!(equal, json!([true, false, false, false]));
    // [V] 1.6: the texts of direct construction, cloning and serialising
    for (code, text) in [
        ("new Socket", "Error: Cannot directly construct Socket, use socket_create() instead"),
        (
            "new AddressInfo",
            "Error: Cannot directly construct AddressInfo, use socket_addrinfo_lookup() instead",
        ),
        (
            "clone socket_create(AF_INET, SOCK_STREAM, 0)",
            "Error: Trying to clone an uncloneable object of class Socket",
        ),
        (
            "serialize(socket_create(AF_INET, SOCK_STREAM, 0))",
            "Exception: Serialization of 'Socket' is not allowed",
        ),
        (
            "$s = socket_create(AF_INET, SOCK_STREAM, 0); $s->x = 1",
            "Error: Cannot create dynamic property Socket::$x",
        ),
    ] {
        assert_eq!(php::thrown(code), text);
    }

    // Rust: the fields are private and there is no Clone, so none of these compiles. It has `==` too.
    let (one, other) = common::pair(SOCK_STREAM);
    assert_eq!(one, one);
    assert_ne!(one, other);
}

#[test]
fn a_connection_that_nobody_takes_is_accepted_and_closed() {
    // [V] 1.1: an ignored socket_accept accepts and closes at once, and the peer reads end of stream
    agree(
        r#"
        l = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_bind l "127.0.0.1" 0
        socket_listen l 5
        n = socket_getsockname l
        c = socket_create AF_INET SOCK_STREAM SOL_TCP
        socket_connect c n.address n.port
        socket_accept l
        socket_read c 10 PHP_BINARY_READ
        "#,
    );
}

#[test]
fn a_listener_that_goes_stops_listening() {
    // [V] 1.1: unset($listener) stops listening
    agree(
        "
        l = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind l path:door 0
        socket_listen l 5
        c = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect c path:door null
        drop l
        d = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect d path:door null
        ",
    );
}

#[test]
fn a_write_to_nobody_is_an_error_and_kills_no_process() {
    // [V] 1.1: SIGPIPE is ignored, so a write gives EPIPE
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_close b
        socket_write a "x" null
        socket_send a "x" 1 0
        socket_send a "x" 1 MSG_NOSIGNAL
        socket_write a "still alive" null
        "#,
    );
}

#[test]
fn every_descriptor_of_ours_is_close_on_exec_and_one_of_phps() {
    // [V] 1.1: PHP sets CLOEXEC on what it accepts, and before 8.4 on nothing. The crate always does, an intended
    // difference.
    let flags = php::value(
        "$l = socket_create_listen(0); socket_getsockname($l, $a, $port);
         $c = socket_create(AF_INET, SOCK_STREAM, SOL_TCP); socket_connect($c, '127.0.0.1', $port);
         $s = socket_accept($l); socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
         return array_map(fn ($flags) => ($flags & 02000000) !== 0, array_values(flags()));",
    );
    let accepted = by_version(&[(80200, false), (80400, true)]);
    assert_eq!(flags, json!([false, false, accepted, false, false]));

    let listener = socket_create_listen(0, 5).unwrap();
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    socket_connect(&client, "127.0.0.1", socket_getsockname(&listener).unwrap().port).unwrap();
    let server = socket_accept(&listener).unwrap();
    let (one, other) = common::pair(SOCK_STREAM);
    for socket in [&listener, &client, &server, &one, &other] {
        // SAFETY: F_GETFD takes no further argument; the descriptor is open as long as `socket` lives.
        assert_eq!(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFD) }, libc::FD_CLOEXEC);
    }
}

#[test]
fn the_family_that_counts_is_the_one_a_socket_was_made_with() {
    // 1.1: the family is that of create, of create_pair, AF_INET for create_listen, the peer's for accept; the text of
    // the error about a missing port tells which it is.
    agree(
        r#"
        four = socket_create AF_INET SOCK_STREAM 0
        socket_connect four "127.0.0.1" null
        six = socket_create AF_INET6 SOCK_STREAM 0
        socket_connect six "::1" null
        here there = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_connect here path:nobody null
        listening = socket_create_listen 0 5
        socket_connect listening "127.0.0.1" null
        socket_bind six "::1" 0
        socket_listen six 5
        n = socket_getsockname six
        c = socket_create AF_INET6 SOCK_STREAM 0
        socket_connect c n.address n.port
        accepted = socket_accept six
        socket_connect accepted "::1" null
        local = socket_create AF_UNIX SOCK_STREAM 0
        socket_bind local path:door 0
        socket_listen local 5
        d = socket_create AF_UNIX SOCK_STREAM 0
        socket_connect d path:door null
        taken = socket_accept local
        socket_connect taken path:door null
        "#,
    );
}

#[test]
fn a_failure_is_remembered_by_its_socket_and_by_the_program() {
    // 1.2: the rows "bind, connect, … hostname resolution": both slots, and a warning. 1.4: their messages.
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM 0
        socket_bind s "203.0.113.77" 0
        socket_bind s "::1" 0
        socket_getpeername s
        socket_read s 10 PHP_BINARY_READ
        socket_read s 10 PHP_NORMAL_READ
        socket_recv s data 10 0
        socket_recvfrom s data 10 0
        socket_write s "x" null
        socket_send s "x" 1 0
        socket_shutdown s 2
        holder = socket_create AF_INET SOCK_STREAM 0
        socket_bind holder "127.0.0.1" 0
        n = socket_getsockname holder
        socket_connect s n.address n.port
        u = socket_create AF_INET SOCK_DGRAM 0
        socket_listen u 5
        socket_sendto u "x"*70000 70000 0 n.address n.port
        socket_last_error null
        socket_last_error s
        "#,
    );
}

#[test]
fn a_failed_accept_leaves_the_listeners_slot_alone() {
    // [V] 1.2: accept: the listener's slot is untouched, the code is in the global one
    agree(
        "
        s = socket_create AF_INET SOCK_STREAM 0
        socket_accept s
        l = socket_create_listen 0 5
        socket_set_nonblock l
        socket_accept l
        socket_last_error l
        socket_last_error null
        ",
    );
}

#[test]
fn functions_without_a_socket_remember_in_the_global_slot_only() {
    // 1.2: create_listen, create, create_pair, select: the global slot, and a warning
    agree(
        "
        socket_create AF_INET SOCK_DGRAM SOL_TCP
        socket_create_pair AF_INET SOCK_STREAM 0
        l = socket_create_listen 0 5
        n = socket_getsockname l
        socket_create_listen n.port 5
        socket_select [l] null null -1 0
        socket_last_error l
        ",
    );
}

#[test]
fn recvmsg_warns_even_of_eagain_and_leaves_the_sockets_slot_alone() {
    // [V] 1.2: a recvmsg that fails does not set the socket's slot
    // [V] 1.2: recvmsg warns always, even of EAGAIN
    let failure = common::php_failure(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $p); $s = $p[0]; socket_set_nonblock($s);
         $m = ['controllen' => 100]; socket_recvmsg($s, $m)",
    );
    assert_eq!(
        failure.warning.as_deref(),
        Some("socket_recvmsg(): Error in recvmsg [11]: Resource temporarily unavailable")
    );
    assert_eq!((failure.last, failure.own), (11, Some(0)));
}

#[test]
fn a_failed_addrinfo_lookup_says_and_remembers_nothing() {
    // [V] 1.2: addrinfo_lookup failure: plain false, no warning, no slot.
    let failure = common::php_failure("if (socket_addrinfo_lookup('256.1.1.1') !== false) echo 'found'");
    assert_eq!((failure.warning, failure.thrown, failure.last), (None, None, 0));
}

#[test]
fn a_length_of_nothing_is_a_plain_false() {
    // [V] 1.2: length ≤ 0 in read, recv, recvfrom: plain false, no warning, no slot
    agree(
        "
        a b = socket_create_pair AF_UNIX SOCK_DGRAM 0
        socket_read a 0 PHP_BINARY_READ
        socket_read a 0 PHP_NORMAL_READ
        socket_recv a data 0 0
        socket_recvfrom a data 0 0
        socket_last_error null
        ",
    );
    // A negative length does not compile: `usize` cannot hold it.
    let negative = php::value(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); $d = 'kept'; $a = 'kept';
         return [socket_read($p[0], -1), socket_read($p[0], -1, PHP_NORMAL_READ), socket_recv($p[0], $d, -1, 0),
             socket_recvfrom($p[0], $d, -1, 0, $a), $d, $a, error_get_last(), socket_last_error()];",
    );
    assert_eq!(negative, json!([false, false, false, false, "kept", "kept", null, 0]));
}

#[test]
fn conversions_that_fail_are_remembered_nowhere() {
    // 1.2: "error converting …" and "No interface with name": a warning, no slot.
    for (code, warning) in [
        (
            "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendmsg($s, ['iov' => 'x'])",
            "socket_sendmsg(): error converting user data (path: msghdr > iov): expected an array here",
        ),
        (
            "$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_set_option($s, IPPROTO_IP, IP_MULTICAST_IF, 'nosuch0')",
            "socket_set_option(): No interface with name \"nosuch0\" could be found",
        ),
    ] {
        let failure = common::php_failure(code);
        assert_eq!(failure.warning.as_deref(), Some(warning));
        assert_eq!((failure.thrown, failure.last, failure.own), (None, 0, Some(0)));
    }
}

#[test]
fn what_is_thrown_is_remembered_nowhere() {
    // 1.2: every thrown error leaves the slots alone. 1.6: the form of its text.
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM 0
        socket_getpeername s
        socket_connect s "127.0.0.1" null
        socket_create 99 SOCK_STREAM 0
        socket_create AF_INET 11 0
        socket_create_pair 99 SOCK_STREAM 0
        socket_create_pair AF_UNIX 11 0
        socket_select null null null 0 0
        u = socket_create AF_UNIX SOCK_DGRAM 0
        socket_bind u "x"*108 0
        socket_connect u "x"*108 null
        socket_last_error null
        socket_last_error u
        "#,
    );
}

#[test]
fn success_clears_nothing() {
    // [V] 1.2: success never clears a slot; only socket_clear_error does
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_set_nonblock a
        socket_read a 10 PHP_BINARY_READ
        socket_write b "hello" null
        socket_read a 10 PHP_BINARY_READ
        socket_last_error null
        socket_last_error a
        socket_clear_error a
        socket_clear_error null
        socket_last_error null
        socket_last_error a
        "#,
    );
}

#[test]
fn a_new_socket_has_no_error_whatever_the_program_remembers() {
    // [V] 1.2: a new Socket starts with its own slot 0 while the global slot keeps its value
    agree(
        "
        socket_create AF_INET SOCK_DGRAM SOL_TCP
        s = socket_create AF_INET SOCK_DGRAM 0
        socket_last_error s
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_last_error a
        socket_last_error null
        ",
    );
}

#[test]
fn the_end_of_a_stream_and_sending_nothing_are_no_errors() {
    // 1.2: neither touches a slot
    agree(
        r#"
        a b = socket_create_pair AF_UNIX SOCK_STREAM 0
        socket_write a "" null
        socket_send a "" 0 0
        drop b
        socket_read a 10 PHP_BINARY_READ
        socket_recv a data 10 0
        socket_recvfrom a data 10 0
        socket_last_error null
        "#,
    );
}

#[test]
fn a_warning_bears_the_name_that_the_script_called() {
    // [V] 1.4: the alias prints socket_setopt(): ….
    for (call, message) in [
        ("socket_set_option($s, SOL_SOCKET, 9999, 1)", "socket_set_option(): Unable to set socket option"),
        ("socket_setopt($s, SOL_SOCKET, 9999, 1)", "socket_setopt(): Unable to set socket option"),
        ("socket_get_option($s, SOL_SOCKET, 9999)", "socket_get_option(): Unable to retrieve socket option"),
        ("socket_getopt($s, SOL_SOCKET, 9999)", "socket_getopt(): Unable to retrieve socket option"),
    ] {
        let failure = common::php_failure(&format!("$s = socket_create(AF_INET, SOCK_STREAM, 0); {call}"));
        assert_eq!(failure.warning, Some(format!("{message} [92]: Protocol not available")));
        assert_eq!((failure.last, failure.own), (92, Some(92)));
    }
}

#[test]
fn recvfrom_begins_its_message_as_the_family_wants() {
    // [V] 1.4: recvfrom: "Unable to recvfrom" for AF_UNIX and AF_INET, "unable to recvfrom" for AF_INET6
    agree(
        "
        s = socket_create AF_UNIX SOCK_STREAM 0
        socket_recvfrom s data 10 0
        t = socket_create AF_INET SOCK_STREAM 0
        socket_recvfrom t data 10 0
        u = socket_create AF_INET6 SOCK_STREAM 0
        socket_recvfrom u data 10 0
        ",
    );
}

#[test]
fn the_messages_of_the_other_functions_are_these() {
    // 1.4: messages of sendmsg, of options and of address infos
    let closed = "$b = socket_create(AF_INET, SOCK_STREAM, 0); socket_bind($b, '127.0.0.1'); socket_getsockname($b, $a, $p);
        $h = ['ai_socktype' => SOCK_STREAM, 'ai_flags' => AI_NUMERICHOST | AI_NUMERICSERV];";
    for (code, warning) in [
        (
            "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_sendmsg($s, ['iov' => ['x']])".to_owned(),
            "socket_sendmsg(): Error in sendmsg [32]: Broken pipe",
        ),
        (
            "$s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_get_option($s, IPPROTO_IPV6, IPV6_PKTINFO)"
                .to_owned(),
            "socket_get_option(): unable to get socket option [92]: Protocol not available",
        ),
        (
            format!(
                "{closed} socket_addrinfo_connect(socket_addrinfo_lookup('127.0.0.1', (string) $p, $h)[0])"
            ),
            "socket_addrinfo_connect(): Unable to connect address [111]: Connection refused",
        ),
        (
            format!("{closed} socket_addrinfo_bind(socket_addrinfo_lookup('203.0.113.77', '0', $h)[0])"),
            "socket_addrinfo_bind(): Unable to bind address [99]: Cannot assign requested address",
        ),
    ] {
        assert_eq!(common::php_failure(&code).warning.as_deref(), Some(warning), "{code}");
    }
}

#[test]
fn the_at_operator_hides_a_warning_and_not_its_code() {
    // 1.4, section 8: the text from the function's name on is what error_get_last has; @ leaves the slots set
    let hidden = php::value(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); @socket_getpeername($s, $a);
         return [error_get_last()['message'], error_get_last()['type'], socket_last_error(), socket_last_error($s)];",
    );
    let socket = socket_create(AF_INET, SOCK_STREAM, 0).unwrap();
    let error = socket_getpeername(&socket).unwrap_err();

    assert_eq!(hidden, json!([error.to_string(), 2, socket_last_error(None), socket_last_error(&socket)]));
}

#[test]
fn every_function_refuses_a_closed_socket() {
    // [V] 1.6: a closed socket: Error "has already been closed", for every function, socket_close, socket_last_error
    // and socket_clear_error included. In Rust a closed socket does not exist: socket_close takes it.
    let refusals = php::value(
        "foreach (get_extension_funcs('sockets') as $f) {
             $parameters = (new ReflectionFunction($f))->getParameters();
             if (!str_ends_with((string) $parameters[0]->getType(), 'Socket')) continue;
             $socket = socket_create(AF_INET, SOCK_STREAM, 0); socket_close($socket);
             $arguments = [$socket];
             foreach (array_slice($parameters, 1) as $i => $p) {
                 $arguments[] = match (ltrim((string) $p->getType(), '?')) {
                     'int' => 0, 'string' => '', 'array' => [], default => null,
                 };
                 if ($p->isPassedByReference()) { $arguments[$i + 1] = &$arguments[$i + 1]; }
             }
             try { $f(...$arguments); $said[$f] = 'nothing'; }
             catch (Throwable $t) { $said[$f] = get_class($t) . ': ' . $t->getMessage(); }
         }
         return $said;",
    );

    let refusals = refusals.as_object().unwrap();
    for (function, said) in refusals {
        assert_eq!(
            *said,
            json!(format!("Error: {function}(): Argument #1 ($socket) has already been closed"))
        );
    }
    // socket_atmark came with 8.3.
    assert_eq!(refusals.len(), by_version(&[(80200, 25), (80300, 26)]), "{:?}", refusals.keys());
}

#[test]
fn select_refuses_a_closed_socket_in_words_of_its_own() {
    // [V] 1.6: in socket_select a closed socket is a TypeError "contains a closed socket", arguments 1 to 3
    for (number, name) in ["read", "write", "except"].into_iter().enumerate() {
        let thrown = php::thrown(&format!(
            "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_close($s);
             $read = $write = $except = null; ${name} = [$s]; socket_select($read, $write, $except, 0)"
        ));
        let number = number + 1;
        assert_eq!(
            thrown,
            format!("TypeError: socket_select(): Argument #{number} (${name}) contains a closed socket")
        );
    }
}

#[test]
fn wrong_types_and_missing_arguments_are_thrown() {
    // [V] 1.6: a wrong type is a TypeError, a missing argument an ArgumentCountError. In Rust neither compiles.
    for (code, text) in [
        (
            "socket_accept(5)",
            "TypeError: socket_accept(): Argument #1 ($socket) must be of type Socket, int given",
        ),
        (
            "socket_connect(socket_create(AF_INET, SOCK_STREAM, 0))",
            "ArgumentCountError: socket_connect() expects at least 2 arguments, 1 given",
        ),
        (
            "socket_strerror(socket_create(AF_INET, SOCK_STREAM, 0))",
            "TypeError: socket_strerror(): Argument #1 ($error_code) must be of type int, Socket given",
        ),
    ] {
        assert_eq!(php::thrown(code), text);
    }
}

#[test]
fn a_family_that_php_does_not_know_is_refused() {
    // 1.6: ValueError "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6"; bind and getsockname name
    // AF_PACKET too, which they did not before 8.5. PHP gets hold of a socket of another family only as a descriptor that
    // another process sends: here a netlink socket.
    let netlink = common::foreign_socket();
    let php = php::Peer::new(
        "$m = ['controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)]; socket_recvmsg($s, $m);
         $netlink = $m['control'][0]['data'][0];
         foreach ([fn () => socket_bind($netlink, 'x'), fn () => socket_connect($netlink, 'x', 1),
                   fn () => socket_sendto($netlink, 'x', 1, 0, 'x', 1), fn () => socket_recvfrom($netlink, $d, 1, 0, $a, $p),
                   fn () => socket_getsockname($netlink, $a), fn () => socket_getpeername($netlink, $a)] as $call) {
             try { $call(); $said[] = 'nothing'; } catch (ValueError $e) { $said[] = $e->getMessage(); }
         }
         socket_write($s, json_encode($said));",
    );

    php.send_descriptor(netlink.as_raw_fd());
    let php: Vec<String> = serde_json::from_str(&php.answer()).unwrap();

    let ours = [
        socket_bind(&netlink, "x", 0).unwrap_err(),
        socket_connect(&netlink, "x", 1).unwrap_err(),
        socket_sendto(&netlink, "x", 1, 0, "x", 1).unwrap_err(),
        socket_recvfrom(&netlink, &mut Vec::new(), 1, 0).unwrap_err(),
        socket_getsockname(&netlink).unwrap_err(),
        socket_getpeername(&netlink).unwrap_err(),
    ];
    let newest = ours.map(|error| error.to_string());
    let packet = newest.iter().filter(|text| text.contains("AF_PACKET")).count();
    assert_eq!((packet, newest.len()), (2, 6));
    let older = newest.clone().map(|text| text.replace("AF_PACKET, ", ""));
    assert_eq!(php, *by_version(&[(80200, &older), (80500, &newest)]));
    assert!(ours.iter().all(|error| error.kind() == ErrorKind::Value));
}

#[test]
fn a_packet_socket_speaks_as_phps() {
    // [8.5]: bind and getsockname know AF_PACKET, the others do not; before, none of them does. PHP gets the socket as a
    // descriptor, so that it needs no right to one.
    let packet = common::packet_socket(0);
    let php = php::Peer::new(
        "$m = ['controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)]; socket_recvmsg($s, $m);
         $p = $m['control'][0]['data'][0];
         set_error_handler(function ($level, $text) use (&$warning) { $warning = $text; return true; });
         foreach ([fn () => socket_getsockname($p, $a), fn () => socket_bind($p, 'nosuch0'), fn () => socket_bind($p, ''),
                   fn () => socket_getsockname($p, $a), fn () => socket_bind($p, 'lo', 7),
                   fn () => socket_getsockname($p, $a, $n) ? [$a, $n] : false, fn () => socket_getpeername($p, $a),
                   fn () => socket_connect($p, 'lo', 1), fn () => socket_sendto($p, 'x', 1, 0, 'lo', 1),
                   fn () => socket_recvfrom($p, $d, 1, 0, $a, $n)] as $call) {
             $warning = null;
             try { $value = $call(); $said[] = $warning ?? $value; } catch (Error $e) { $said[] = $e->getMessage(); }
         }
         socket_write($s, json_encode($said));",
    );
    php.send_descriptor(packet.as_raw_fd());
    let php: Vec<Value> = serde_json::from_str(&php.answer()).unwrap();

    let packet = common::packet_socket(0);
    let name = || socket_getsockname(&packet).map(|name| json!([name.address.to_str(), name.port]));
    let bind = |name: &str, port: u16| socket_bind(&packet, name, port).map(|()| json!(true));
    let newest: Vec<Value> = [
        name(),
        bind("nosuch0", 0),
        bind("", 0),
        name(),
        bind("lo", 7),
        name(),
        socket_getpeername(&packet).map(|_| json!("a name")),
        socket_connect(&packet, "lo", 1).map(|()| json!(true)),
        socket_sendto(&packet, "x", 1, 0, "lo", 1).map(Value::from),
        socket_recvfrom(&packet, &mut Vec::new(), 1, 0).map(|_| json!("data")),
    ]
    .into_iter()
    .map(|result| result.unwrap_or_else(|error| json!(error.to_string())))
    .collect();

    let families = "Argument #1 ($socket) must be one of AF_UNIX, AF_INET, or AF_INET6";
    let (bind, name) = (format!("socket_bind(): {families}"), format!("socket_getsockname(): {families}"));
    let first = [&name, &bind, &bind, &name, &bind, &name].map(|text| json!(text));
    let older = [first.as_slice(), &newest[6..]].concat();
    assert_eq!(php, *by_version(&[(80200, &older), (80500, &newest)]));
    let unbound = json!("invalid interface index");
    assert_eq!(
        newest[..6],
        [unbound.clone(), json!(true), json!(true), unbound, json!(true), json!(["lo", 1])]
    );
}

#[test]
fn arguments_are_looked_at_in_phps_order() {
    // 1.6: value checks come before the look-up of the address, and that before the system call
    agree(
        r#"
        s = socket_create AF_INET SOCK_STREAM 0
        socket_connect s "256.1.1.1" null
        u = socket_create AF_INET SOCK_DGRAM 0
        socket_sendto u "x"*70000 70000 0 "256.1.1.1" null
        socket_sendto u "x"*70000 70000 0 "256.1.1.1" 9
        "#,
    );
    // The closed socket comes before the missing port, and the type before the closed socket.
    let closed = "$s = socket_create(AF_INET, SOCK_STREAM, 0); socket_close($s);";
    assert_eq!(
        php::thrown(&format!("{closed} socket_connect($s, '127.0.0.1')")),
        "Error: socket_connect(): Argument #1 ($socket) has already been closed"
    );
    assert_eq!(
        php::thrown(&format!("{closed} socket_connect($s, [])")),
        "TypeError: socket_connect(): Argument #2 ($address) must be of type string, array given"
    );
    // [V] 1.6: sendmsg and recvmsg check the range of flags before the closed socket.
    for call in ["socket_sendmsg($s, [], 1 << 40)", "socket_recvmsg($s, $m, 1 << 40)"] {
        let thrown = php::thrown(&format!("{closed} $m = []; {call}"));
        let function = call.split('(').next().unwrap();
        assert_eq!(
            thrown,
            format!(
                "ValueError: {function}(): Argument #3 ($flags) must be between -2147483648 and 2147483647"
            )
        );
    }
}
