//! The crate when a resource runs out: descriptors, ports, space in buffers, places in a queue.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::common::{self, Strace};
use crate::stage::guests::{Guest, Host, Stage, crowd_alone, samples, sleeps, until_accepted};
use crate::stage::registry::{Serves, lessons};
use crate::stage::server::{PATIENCE, Server};
use crate::stage::twin::TWINS;

fn each(serves: fn(Serves) -> bool, test: fn(&Host)) {
    std::thread::scope(|scope| {
        let hosts = lessons().iter().flat_map(|lesson| TWINS.map(|twin| Host::of(lesson, twin)));
        for host in hosts.flatten().filter(|host| serves(host.serves)) {
            let name = format!("{}, {:?}", host.name, host.program.twin);
            let thread = std::thread::Builder::new().name(name);
            thread.spawn_scoped(scope, move || test(&host)).expect("a thread");
        }
    });
}

/// Sets how many descriptors the server may have from now on.
fn limit(server: &Server, most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: 1024 };
    let pid = i32::try_from(server.pid()).expect("a process number");
    // SAFETY: `limit` outlives the call, which reads it; the old one is not asked for.
    let status = unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut()) };
    assert_eq!(status, 0);
}

/// No new descriptor gets a number from here on; the numbers below are in use.
fn limit_to_what_is_open(stage: &Stage) {
    // PHP's lesson 12 has each client open for a moment only.
    stage.rests();
    limit_to_what_it_has(&stage.server);
}

fn limit_to_what_it_has(server: &Server) {
    let path = |fd: &u64| std::path::PathBuf::from(format!("/proc/{}/fd/{fd}", server.pid()));
    limit(server, (0..1024).find(|fd| !path(fd).exists()).expect("a free number"));
}

/// A server whose accept fails goes on serving, and does not try again and again.
fn serves_and_does_not_spin(stage: &mut Stage, sentence: &str) {
    while !stage.server.line().contains(sentence) {}
    does_not_spin(stage);
}

/// Those it has are served, it sleeps after each request, and takes little of the processor's time.
fn does_not_spin(stage: &mut Stage) {
    let before = stage.ticks();
    for _ in 0..5 {
        let sleeps = stage.sleeps();
        stage.others_are_served();
        until_more(sleeps, || stage.sleeps());
        std::thread::sleep(Duration::from_millis(100));
    }
    // A server that spins uses fifty hundredths of a second in half of one, if the machine has nothing else to do.
    let used = stage.ticks() - before;
    assert!(used <= 20, "{used} ticks");
}

/// Waits until a count has grown. A server that spins never goes to sleep, however busy the machine is.
fn until_more(before: u64, count: impl Fn() -> u64) {
    let begin = Instant::now();
    while count() <= before {
        assert!(begin.elapsed() < PATIENCE, "it never sleeps");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn without_descriptors_a_server_of_many_serves_those_it_has_and_does_not_spin() {
    each(Serves::many, |host| {
        let mut stage = Stage::new(host);
        let leaves = stage.guest().expect("a server");
        stage.others_are_served();
        limit_to_what_is_open(&stage);

        let mut late = Stage::caller(&stage.server).expect("the kernel connects it");
        serves_and_does_not_spin(&mut stage, "socket_accept(): unable to accept incoming connection [24]");

        limit(&stage.server, 1024);
        drop(leaves);
        stage.is_served(&mut late);
        drop(late);
        stage.stands();
    });
}

#[test]
fn when_the_system_has_no_descriptors_it_is_the_same() {
    each(Serves::many, |host| {
        let third = match host.name.as_str() {
            // It asks for the next client before there is one, and every fifth of a second once that has failed.
            "lesson_12" => "3..12",
            // It takes all who wait, and asks once more each time.
            "lesson_22" => "5",
            _ => "3",
        };
        let strace = Strace::injecting(&format!("accept,accept4:error=ENFILE:when={third}"));
        let mut stage = Stage::under(&strace.words(), host, 2);
        let leaves = (host.serves == Serves::Together).then(|| stage.friends.pop()).flatten();

        let mut late = Stage::caller(&stage.server).expect("the kernel connects it");
        serves_and_does_not_spin(&mut stage, "socket_accept(): unable to accept incoming connection [23]");

        drop(leaves);
        stage.is_served(&mut late);
    });
}

#[test]
fn without_descriptors_a_server_of_one_client_says_so_and_ends() {
    let one_after_another = |serves| matches!(serves, Serves::OneByOne | Serves::InTurns);
    each(one_after_another, |host| {
        let mut stage = Stage::new(host);
        limit_to_what_is_open(&stage);

        // An accept that waits has its number already. The next one gets none.
        stage.others_are_served();
        stage.who_waits_is_served();

        let status = stage.server.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(1));
        let said = stage.complaint();
        let sentence = "socket_accept(): unable to accept incoming connection [24]: Too many open files\n";
        assert!(said.ends_with(sentence) && said.lines().count() == 1, "{said}");
    });
}

fn each_sample(serves: fn(Serves) -> bool, test: impl Fn(&Host) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        for sample in samples().iter().filter(|sample| serves(sample.serves)) {
            let thread = std::thread::Builder::new().name(sample.name.clone());
            thread.spawn_scoped(scope, move || test(sample)).expect("a thread");
        }
    });
}

#[test]
fn without_descriptors_the_readmes_servers_serve_those_they_have_and_the_next_when_one_leaves() {
    each_sample(Serves::many, |sample| {
        let mut stage = Stage::new(sample);
        let leaves = stage.guest().expect("a server");
        until_accepted(&stage.server, &leaves.socket);
        limit_to_what_is_open(&stage);

        let mut late = Stage::caller(&stage.server).expect("the kernel connects it");
        does_not_spin(&mut stage);

        drop(leaves);
        stage.is_served(&mut late);
        drop(late);
        limit(&stage.server, 1024);
        stage.stands();
    });
}

#[test]
fn without_descriptors_and_clients_the_readmes_servers_wait_for_a_descriptor() {
    each_sample(
        |_| true,
        |sample| {
            let server = Server::start(sample.program.command(&[]));
            let first = server.connect();
            until_accepted(&server, &first);
            let descriptors = server.descriptors();
            drop(first);
            server.until_descriptors(descriptors - 1);
            limit_to_what_it_has(&server);
            if sample.serves == Serves::OneByOne {
                // An accept that waits has its number already.
                drop(server.connect());
            }

            let (client, other) = (server.connect(), server.connect());
            let before = server.ticks();
            until_more(sleeps(server.pid()) + 3, || sleeps(server.pid()));
            let used = server.ticks() - before;
            assert!(used <= 20, "{used} ticks");

            limit(&server, 1024);
            if sample.serves.many() {
                until_accepted(&server, &client);
                until_accepted(&server, &other);
            }
            socket_write(&client, "hello\n", None).expect("the kernel has connected it");
            let listener = if sample.serves.chat() { &other } else { &client };
            assert_eq!(socket_read(listener, 100, PHP_BINARY_READ).as_deref(), Ok(&b"hello\n"[..]));
        },
    );
}

#[test]
fn when_the_last_client_leaves_a_full_server_of_the_readme_the_next_has_its_turn() {
    each_sample(Serves::many, |sample| {
        let server = Server::start(sample.program.command(&[]));
        let last = server.connect();
        until_accepted(&server, &last);
        limit_to_what_it_has(&server);

        let next = server.connect();
        // The server has failed to accept it, and rests for most of this time.
        std::thread::sleep(Duration::from_millis(250));
        drop(last);
        until_accepted(&server, &next);
        socket_write(&next, "hello\n", None).expect("it is accepted");
        if !sample.serves.chat() {
            assert_eq!(socket_read(&next, 100, PHP_BINARY_READ).as_deref(), Ok(&b"hello\n"[..]));
        }
        drop(next);
        until_accepted(&server, &server.connect());
    });
}

#[test]
fn no_error_of_accept_ends_a_server_of_the_readme() {
    for error in ["ECONNABORTED", "EPROTO", "EINTR", "EPERM", "ENFILE", "ENOBUFS"] {
        each_sample(
            |_| true,
            |sample| {
                let friends = if sample.serves.chat() { 2 } else { usize::from(sample.serves.many()) };
                let fault = format!("accept,accept4:error={error}:when={}", friends + 1);
                let strace = Strace::injecting(&fault);
                let mut stage = Stage::under(&strace.words(), sample, friends);

                let mut late = Stage::caller(&stage.server).expect("the kernel connects it");
                stage.is_served(&mut late);
            },
        );
    }
}

#[test]
fn no_signal_ends_a_server_of_the_readme_that_waits() {
    each_sample(Serves::many, |sample| {
        let friends = if sample.serves.chat() { 2 } else { 1 };
        let strace = Strace::injecting("select,pselect6,epoll_wait,epoll_pwait:error=EINTR:when=1+3");
        let mut stage = Stage::under(&strace.words(), sample, friends);

        for _ in 0..5 {
            stage.others_are_served();
        }
        let mut late = Stage::caller(&stage.server).expect("the kernel connects it");
        stage.is_served(&mut late);
    });
}

/// Waits until the server has as many descriptors as half a second ago.
fn until_no_more_are_accepted(server: &Server) {
    let (begin, mut before) = (Instant::now(), 0);
    while before != server.descriptors() {
        assert!(begin.elapsed() < PATIENCE, "more and more are accepted");
        before = server.descriptors();
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// More clients than select takes, for one server after the other: they are many for this process.
fn each_with_a_crowd(prepare: fn(&mut Command), test: fn(&mut Stage, Vec<Guest>)) {
    for sample in samples().iter().filter(|sample| sample.serves.many()) {
        let _turn = crowd_alone();
        let friends = if sample.serves.chat() { 2 } else { 1 };
        let mut stage = Stage::prepared(&[], sample, friends, prepare);
        let crowd = (0..1100).map(|_| Stage::caller(&stage.server).expect("the kernel connects it"));
        let crowd = crowd.collect();
        until_no_more_are_accepted(&stage.server);
        does_not_spin(&mut stage);
        test(&mut stage, crowd);
        stage.stands();
    }
}

#[test]
fn with_more_clients_than_select_can_take_the_readmes_servers_let_the_next_wait() {
    each_with_a_crowd(
        |_| (),
        |stage, mut crowd| {
            for guest in &crowd {
                let heard = socket_recv(&guest.socket, &mut Vec::new(), 1, MSG_PEEK | MSG_DONTWAIT);
                assert!(heard != Ok(0), "a client is turned away");
            }
            let mut late = crowd.pop().expect("a client");
            crowd.drain(..200);
            stage.is_served(&mut late);
        },
    );
}

#[test]
fn a_descriptor_that_select_cannot_take_ends_no_server_of_the_readme() {
    // A program that has a hundred descriptors of its own meets the limit before it has a thousand clients.
    fn a_hundred_more(command: &mut Command) {
        let open = || {
            for _ in 0..100 {
                // SAFETY: the call takes a number.
                if unsafe { libc::dup(0) } == -1 {
                    return Err(std::io::Error::last_os_error());
                }
            }
            Ok(())
        };
        // SAFETY: the closure calls `dup` alone, which may be called between fork and exec.
        unsafe { command.pre_exec(open) };
    }

    each_with_a_crowd(a_hundred_more, |stage, mut crowd| {
        crowd.drain(..200);
        stage.a_new_client_is_served();
    });
}

/// Runs `act` in a process and network of its own, which has four ports for those who do not choose.
fn with_four_ports(act: fn()) {
    let done = common::in_child(|| {
        common::network::leave_for_own_network();
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40003").expect("a setting");
        act();
        0
    });
    assert_eq!(done, 0, "the child has said why");
}

#[test]
fn with_every_port_taken_bind_fails_in_phps_words_and_succeeds_when_one_is_free() {
    with_four_ports(|| {
        let mut all: Vec<Socket> = (0..4).map(|_| common::bound(SOCK_STREAM).0).collect();
        let late = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();

        let error = socket_bind(&late, "127.0.0.1", 0).unwrap_err();

        let sentence = "socket_bind(): Unable to bind address [98]: Address already in use";
        assert_eq!(error.to_string(), sentence);
        assert_eq!(socket_last_error(&late), SOCKET_EADDRINUSE);
        assert_eq!(socket_create_listen(0, 5).unwrap_err().code(), SOCKET_EADDRINUSE);
        let free = socket_getsockname(&all[2]).unwrap().port;
        drop(all.swap_remove(2));
        socket_bind(&late, "127.0.0.1", 0).unwrap();
        assert_eq!(socket_getsockname(&late).unwrap().port, free);
    });
}

#[test]
fn with_every_port_taken_connect_fails_in_phps_words_and_succeeds_when_one_is_free() {
    with_four_ports(|| {
        let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
        socket_bind(&listener, "127.0.0.1", 50000).unwrap();
        socket_listen(&listener, 10).unwrap();
        let client = || socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
        let mut all: Vec<Socket> = (0..4).map(|_| client()).collect();
        for client in &all {
            socket_connect(client, "127.0.0.1", 50000).unwrap();
        }
        let late = client();

        let error = socket_connect(&late, "127.0.0.1", 50000).unwrap_err();

        let sentence = "socket_connect(): unable to connect [99]: Cannot assign requested address";
        assert_eq!(error.to_string(), sentence);
        assert_eq!((socket_last_error(&late), socket_last_error(None)), (error.code(), error.code()));
        // A reset leaves no TIME_WAIT, which would keep the port for a minute.
        crate::stage::server::reset(all.remove(0));
        socket_connect(&late, "127.0.0.1", 50000).unwrap();
    });
}

/// Four bytes for each of some numbers, in order.
fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_be_bytes).collect()
}

#[test]
fn what_full_buffers_take_in_parts_arrives_whole_and_in_order() {
    type Write = fn(&Socket, &[u8]) -> Result<usize>;
    let calls: [(&str, Write); 4] = [
        ("socket_write", |socket, data| socket_write(socket, data, None)),
        ("socket_send", |socket, data| socket_send(socket, data, data.len(), 0)),
        ("socket_writev", |socket, data| {
            let (one, other) = data.split_at(data.len() / 3);
            let mut both = socket_iovec_alloc(&[one.len(), other.len()])?;
            socket_iovec_set(&mut both, 0, one)?;
            socket_iovec_set(&mut both, 1, other)?;
            socket_writev(socket, &both)
        }),
        ("socket_sendto", |socket, data| socket_sendto(socket, data, data.len(), 0, "127.0.0.1", 1)),
    ];
    let data = numbers(500_000);
    for (name, write) in calls {
        let (writer, reader) = common::connection();
        socket_set_option(&writer, SOL_SOCKET, SO_SNDBUF, 4096).unwrap();
        socket_set_nonblock(&writer).unwrap();
        socket_set_nonblock(&reader).unwrap();
        let (mut rest, mut heard, mut full, mut parts) = (&data[..], Vec::new(), 0, 0);
        while !rest.is_empty() {
            match write(&writer, &rest[..rest.len().min(100_000)]) {
                Ok(sent) => {
                    parts += usize::from(sent < rest.len().min(100_000));
                    rest = &rest[sent..];
                }
                Err(error) => {
                    assert!(error.is_quiet() && error.code() == SOCKET_EAGAIN, "{name}: {error}");
                    full += 1;
                    // Only now does the other end read, which frees the buffers. No select waits for that: another
                    // test of this process has more than 1024 descriptors.
                    heard.extend(socket_read(&reader, 300_000, PHP_BINARY_READ).unwrap_or_default());
                    std::thread::yield_now();
                }
            }
        }
        socket_shutdown(&writer, SHUT_WR).unwrap();
        socket_set_block(&reader).unwrap();
        heard.extend(crate::stage::server::read_all(&reader));

        assert!(full > 0 && parts > 0, "{name}: {full}, {parts}");
        assert!(heard == data, "{name}: {} bytes of {}", heard.len(), data.len());
    }
}

#[test]
fn a_full_queue_of_a_unix_listener_says_again_later_and_lets_in_who_comes_then() {
    let name = common::temporary::abstract_name();
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap();
    socket_bind(&listener, &name, 0).unwrap();
    socket_listen(&listener, 1).unwrap();
    let clients: Vec<Socket> = (0..3).map(|_| socket_create(AF_UNIX, SOCK_STREAM, 0).unwrap()).collect();
    for client in &clients {
        socket_set_nonblock(client).unwrap();
    }

    // A backlog of 1 queues two (lesson 11).
    for client in &clients[..2] {
        socket_connect(client, &name, None).unwrap();
    }
    let error = socket_connect(&clients[2], &name, None).unwrap_err();
    assert_eq!((error.code(), error.is_quiet()), (SOCKET_EAGAIN, true));

    let _first = socket_accept(&listener).unwrap();
    socket_connect(&clients[2], &name, None).unwrap();
}

#[test]
fn select_refuses_descriptors_above_1023_before_it_touches_anything() {
    common::raise_descriptor_limit();
    let (one, other) = common::pair(SOCK_STREAM);
    socket_write(&other, "ready", None).unwrap();
    let high = common::numbered(&one, 1500);
    let mut sets = [vec![("low", &one), ("high", &high)], vec![("low", &one)], vec![("high", &high)]];
    let before = sets.clone();
    let [read, write, except] = &mut sets;
    socket_clear_error(None);

    let error = socket_select(Some(read), Some(write), Some(except), 0, 0).unwrap_err();

    assert!(error.to_string().contains("FD_SETSIZE"), "{error}");
    assert!(sets == before, "the arrays stay as they are");
    assert_eq!((socket_last_error(None), socket_last_error(&high)), (0, 0));
}

/// Reads one datagram of any size, and gives its length.
fn datagram(socket: &Socket) -> usize {
    let mut data = Vec::new();
    socket_recvfrom(socket, &mut data, 70_000, 0).unwrap();
    data.len()
}

#[test]
fn the_smallest_and_the_largest_datagram_arrive_and_the_socket_goes_on() {
    let (server, name) = common::bound(SOCK_DGRAM);
    let client = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP).unwrap();
    let (here, there) = common::pair(SOCK_DGRAM);
    for length in [0, 65_507, 0, 1] {
        let data = vec![b'x'; length];
        assert_eq!(socket_sendto(&client, &data, length, 0, &name.address, name.port), Ok(length));
        assert_eq!(datagram(&server), length);
        assert_eq!(socket_send(&here, &data, length, 0), Ok(length));
        assert_eq!(socket_recv(&there, &mut Vec::new(), 70_000, 0), Ok(length));

        // In the way lessons 16 and 17 read: what does not fit is lost, and the next datagram is the next one.
        socket_sendto(&client, &data, length, 0, &name.address, name.port).unwrap();
        socket_sendto(&client, "next", 4, 0, &name.address, name.port).unwrap();
        let mut seen = Vec::new();
        assert_eq!(socket_recvfrom(&server, &mut seen, 1024, 0).unwrap().0, length.min(1024));
        assert!(seen.capacity() < 70_000, "{}", seen.capacity());
        assert_eq!(datagram(&server), 4);
    }
}
