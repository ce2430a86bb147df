//! Secrets that a program must not give away: to the network, to a child process, to a peer, to a terminal.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::common::{self, Strace, network};
use crate::stage::guests::{Host, Stage};
use crate::stage::registry::{Serves, lesson, lessons};
use crate::stage::server::{Server, write_all};
use crate::stage::twin::{TWINS, twins_of};

#[test]
fn without_arguments_every_server_listens_on_loopback_and_nowhere_else() {
    std::thread::scope(|scope| {
        for lesson in lessons().iter().filter(|lesson| lesson.server.is_some()) {
            for twin in twins_of(&lesson.number) {
                scope.spawn(move || {
                    // In a network of its own its port is free.
                    let server =
                        Server::start_with(network::in_own_network("", &twin.os_words(), &[]), |line| {
                            line.strip_prefix("Listening on 127.0.0.1:")?.parse().ok()
                        });
                    let sockets = |table: &str| {
                        std::fs::read_to_string(format!("/proc/{}/net/{table}", server.pid()))
                            .expect("a table")
                    };

                    let tables = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"].map(sockets);
                    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
                    let all: Vec<&str> =
                        rows.map(|row| row.split_whitespace().nth(1).expect("a name")).collect();
                    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
                    assert_eq!(all, [format!("{loopback:08X}:{:04X}", server.port)], "{}", lesson.folder());
                });
            }
        }
    });
}

/// Every function that makes a descriptor has made one of these.
struct All {
    sockets: Vec<Socket>,
    rights: Vec<OwnedFd>,
    _base: EventBase,
    _events: [Event; 2],
}

fn all() -> All {
    let created = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
    let listener = socket_create_listen(0, 5).unwrap();
    let port = socket_getsockname(&listener).unwrap().port;
    let (one, other) = common::pair(SOCK_STREAM);

    let hints = || AddrinfoHints::new().ai_family(AF_INET).ai_socktype(SOCK_STREAM);
    let service = port.to_string();
    let found = socket_addrinfo_lookup("127.0.0.1", service.as_str(), hints()).unwrap();
    let connected = socket_addrinfo_connect(&found[0]).unwrap();
    let accepted = socket_accept(&listener).unwrap();
    let found = socket_addrinfo_lookup("127.0.0.1", "0", hints()).unwrap();
    let bound = socket_addrinfo_bind(&found[0]).unwrap();

    let (iov, rights) = (IoVec::from(["x"]), [one.as_fd()]);
    let control = [ControlMessage::Rights(&rights)];
    socket_sendmsg(&one, &Message::new().iov(&iov).control(&control), 0).unwrap();
    let mut received = Received::new(socket_iovec_alloc(&[1]).unwrap(), 64).unwrap();
    socket_recvmsg(&other, &mut received, 0).unwrap();
    let rights = received.take_rights();
    assert_eq!(rights.len(), 1);

    let exported: std::net::TcpStream = socket_export_stream(connected);
    let imported = socket_import_stream(exported).unwrap();

    let base = EventBase::new().unwrap();
    let (ready, _) = common::pair(SOCK_STREAM);
    let read = Event::new(&base, Rc::new(ready), Event::READ, |_, _, _| ()).unwrap();
    let signal = Event::signal(&base, libc::SIGWINCH, |_, _| ()).unwrap();
    read.add(None).unwrap();
    signal.add(None).unwrap();
    let sockets = vec![created, listener, one, other, accepted, bound, imported];
    All { sockets, rights, _base: base, _events: [read, signal] }
}

/// The descriptors of this process, or of a child that lists them itself: number and what it is.
fn listed(child: bool) -> Vec<String> {
    let list = "for fd in /proc/self/fd/*; do echo \"${fd##*/} $(readlink \"$fd\")\"; done";
    if child {
        return common::printed(common::limited("sh").args(["-c", list]))
            .lines()
            .map(str::to_owned)
            .collect();
    }
    let folder = std::fs::read_dir("/proc/self/fd").expect("its descriptors");
    let name = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        format!("{} {}", entry.file_name().to_string_lossy(), target.display())
    };
    folder.map(|entry| name(entry.expect("an entry"))).collect()
}

#[test]
fn a_child_process_inherits_nothing_that_this_crate_opens() {
    // In a process of its own, where no other test opens and closes.
    let done = common::in_child(|| {
        let before: Vec<String> = listed(false);
        let all = all();
        let opened: Vec<String> = listed(false).into_iter().filter(|row| !before.contains(row)).collect();
        let kinds = |kind: &str| opened.iter().filter(|row| row.contains(kind)).count();
        assert_eq!(kinds("socket:"), all.sockets.len() + all.rights.len() + 1, "{opened:?}");
        assert_eq!((kinds("[eventpoll]"), kinds("[eventfd]")), (1, 1), "{opened:?}");
        assert!(all.sockets.iter().all(|socket| socket.as_raw_fd() > 2));

        let inherited = listed(true);
        assert!(!inherited.is_empty());
        for row in &opened {
            assert!(!inherited.contains(row), "{row} is in {inherited:?}");
        }
        0
    });

    assert_eq!(done, 0, "the child has said why");
}

#[test]
fn what_one_client_of_the_chat_says_cannot_repaint_the_screens_of_the_others() {
    for twin in TWINS {
        let host = Host::of(lesson("15"), twin).expect("a server");
        assert_eq!(host.serves, Serves::Chat);
        let stage = Stage::new(&host);
        let [one, other] = &stage.friends[..] else { panic!("two friends") };

        write_all(&one.socket, b"\x1b[2J \xc2\x9b31m \x07\r \x00 \xe2\x80\xae.\n");

        let line = socket_read(&other.socket, 1000, PHP_NORMAL_READ).expect("a line");
        let line = String::from_utf8(line).expect("UTF-8");
        assert!(line.trim_end().ends_with("client 1: ?[2J ?31m ?? ? ?."), "{line}");
    }
}

#[test]
fn no_request_makes_the_http_server_look_for_a_file() {
    for twin in TWINS {
        let host = Host::of(lesson("22"), twin).expect("a server");
        let strace = Strace::of("%file");
        let mut stage = Stage::under(&strace.words(), &host, 1);
        let before = strace.log();
        assert!(before.contains("execve("), "{before}");

        let absolute = lesson("22").path("main.php");
        let paths = [
            "/../main.php",
            "/%2e%2e/main.php",
            "/..%2fmain.php",
            "/picture.svg%00.php",
            "/main.php",
            "/picture.svg",
        ];
        for path in paths.into_iter().chain([absolute.as_str()]) {
            let mut guest = stage.guest().expect("a server");
            guest.says(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            let status = if path == "/picture.svg" { "200 OK" } else { "404 Not Found" };
            let heard = guest.hears_the_end();
            assert!(heard.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}: {heard}");
        }
        stage.others_are_served();

        assert_eq!(strace.log().strip_prefix(before.as_str()), Some(""), "a system call that names a file");
    }
}
