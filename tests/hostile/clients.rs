//! The clients, lessons 05 and 07 and the one for the second terminal, against hostile servers.

use std::io::Read;
use std::process::{ChildStdout, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use php_sockets::*;

use crate::common::{self, Running, Usage};
use crate::server::{reset, write_all};

/// Program and folder of the twin, if it has one.
const CLIENTS: [(&str, Option<&str>); 3] = [
    (env!("CARGO_BIN_EXE_lesson-05"), Some("05-greeting-client")),
    (env!("CARGO_BIN_EXE_lesson-07"), Some("07-http-client")),
    (env!("CARGO_BIN_EXE_lesson-client"), None),
];

type Attack = fn(Socket, &dyn Fn());

/// What the server does once it is connected. It calls its second argument when the client is to be measured.
const ATTACKS: [(&str, Attack); 10] = [
    ("reset at once", |peer, _| reset(peer)),
    ("the end at once", |peer, _| drop(peer)),
    ("reset in the middle of a line", |peer, _| {
        says(&peer, b"HTTP/1.1 200 OK\r\nX: y");
        reset(peer);
    }),
    ("half-closed without a word", |peer, measure| {
        socket_shutdown(&peer, SHUT_WR).expect("a connection");
        measure();
    }),
    ("one byte at a time", |peer, _| {
        socket_set_option(&peer, SOL_TCP, TCP_NODELAY, 1).expect("an option");
        for byte in "gr\u{fc}n\r\nno end".bytes() {
            says(&peer, &[byte]);
        }
    }),
    ("a line of 40 MB without end", |peer, measure| {
        write_all(&peer, &vec![b'x'; 40_000_000]);
        measure();
    }),
    ("urgent data", |peer, measure| {
        says(&peer, b"one");
        socket_send(&peer, "!", 1, MSG_OOB).expect("room");
        says(&peer, b"two\n");
        socket_send(&peer, "!", 1, MSG_OOB).expect("room");
        measure();
    }),
    ("what could repaint the screen", |peer, _| {
        says(&peer, &(0..=255).collect::<Vec<u8>>());
        says(&peer, b"\x1b[2J\x1b]0;title\x07\r\x08\x7f\xc2\x9b31m \xe2\x80\n\xc2");
        says(&peer, b"\x9b1m\n");
        says(&peer, "\u{202e}\u{2066}\u{200f}\u{2028}\u{200b}\n".as_bytes());
    }),
    ("never reads", |peer, measure| {
        measure();
        reset(peer);
    }),
    ("a connection that is open and silent", |peer, measure| {
        for _ in 0..3 {
            measure();
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(peer);
    }),
];

/// Says something, if the client still listens.
fn says(peer: &Socket, data: &[u8]) {
    let _ = socket_write(peer, data, None);
}

fn survives(name: &str, attack: Attack, program: &str, script: Option<&str>) {
    let (listener, port) = common::listener();
    socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(25, 0)).expect("an option");
    let mut command = common::limited_to(60, if script.is_some() { common::php_program() } else { program });
    if let Some(folder) = script {
        command.args(common::PHP_OPTIONS);
        command.arg(common::root().join("lessons").join(folder).join("main.php"));
    }
    // The one for the second terminal ends when it has nothing more to type, too.
    command.args(["127.0.0.1", &port.to_string()]);
    let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let screen = watch(child.stdout.take().expect("a pipe"));
    let peer = socket_accept(&listener).expect("it connects");

    let most = if script.is_some() { 50 << 10 } else { 20 << 10 };
    attack(peer, &|| {
        // That of the process which `timeout` has started, if it has not ended.
        let usage = common::children(child.id()).first().copied().and_then(Usage::of);
        let peak = usage.map_or(0, |usage| usage.peak);
        assert!(peak < most, "{name}: {peak} KiB");
    });

    assert_eq!(screen.join().expect("its output"), None, "{name}: a control character on the screen");
    let end = child.wait_with_output();
    let said = String::from_utf8_lossy(&end.stderr);
    assert!(matches!(end.status.code(), Some(0 | 1)), "{name}: {:?}", end.status);
    assert_eq!(said.lines().count(), usize::from(!end.status.success()), "{name}: {said}");
    assert!(said.is_empty() || said.starts_with("Error: socket_"), "{name}: {said}");
}

/// Reads all that is printed; gives the first thing in it that a terminal would obey.
fn watch(mut output: ChildStdout) -> JoinHandle<Option<Vec<u8>>> {
    std::thread::spawn(move || {
        let (mut found, mut last, mut before, mut chunk) = (None, 0, 0, vec![0; 65536]);
        while let Ok(length @ 1..) = output.read(&mut chunk) {
            for byte in &chunk[..length] {
                let obeyed = (*byte < b' ' && !b"\n\t".contains(byte)) || *byte == 0x7f;
                // The C1 controls, as UTF-8 writes them.
                let obeyed = obeyed || (last == 0xc2 && (0x80..0xa0).contains(byte));
                // U+200B, U+200F, U+2028, U+202E, U+2066.
                let turned = (before, last) == (0xe2, 0x80) && b"\x8b\x8f\xa8\xae".contains(byte);
                let turned = turned || (before, last, *byte) == (0xe2, 0x81, 0xa6);
                let obeyed = obeyed || turned;
                if obeyed && found.is_none() {
                    found = Some(chunk[..length].to_vec());
                }
                (before, last) = (last, *byte);
            }
        }
        found
    })
}

#[test]
fn clients_survive_every_server() {
    std::thread::scope(|scope| {
        for (program, folder) in CLIENTS {
            for (name, attack) in ATTACKS {
                for script in [None, folder].into_iter().take(1 + usize::from(folder.is_some())) {
                    let thread = format!("{program}, {script:?}, {name}");
                    let thread = std::thread::Builder::new().name(thread);
                    let fight = move || survives(name, attack, program, script);
                    thread.spawn_scoped(scope, fight).expect("a thread");
                }
            }
        }
    });
}
