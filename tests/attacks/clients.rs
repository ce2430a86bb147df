//! The attacks of a server on a client: lessons 05 and 07, and the one for the second terminal.

use std::io::Read;
use std::process::{ChildStdout, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use php_sockets::*;

use crate::common::{self, Running, Usage};
use crate::stage::server::{reset, write_all};
use crate::stage::twin::Program;

pub(crate) type Attack = fn(Socket, &dyn Fn());

/// The server's part once it is connected. It calls its second argument when the client is to be measured.
pub(crate) const ATTACKS: [(&str, Attack); 10] = [
    ("reset_at_once", |peer, _| reset(peer)),
    ("the_end_at_once", |peer, _| drop(peer)),
    ("reset_in_the_middle_of_a_line", |peer, _| {
        says(&peer, b"HTTP/1.1 200 OK\r\nX: y");
        reset(peer);
    }),
    ("half_closed_without_a_word", |peer, measure| {
        socket_shutdown(&peer, SHUT_WR).expect("a connection");
        measure();
    }),
    ("one_byte_at_a_time", |peer, _| {
        socket_set_option(&peer, SOL_TCP, TCP_NODELAY, 1).expect("an option");
        for byte in "gr\u{fc}n\r\nno end".bytes() {
            says(&peer, &[byte]);
        }
    }),
    ("a_line_of_40_megabytes_without_end", |peer, measure| {
        write_all(&peer, &vec![b'x'; 40_000_000]);
        measure();
    }),
    ("urgent_data", |peer, measure| {
        says(&peer, b"one");
        socket_send(&peer, "!", 1, MSG_OOB).expect("space");
        says(&peer, b"two\n");
        socket_send(&peer, "!", 1, MSG_OOB).expect("space");
        measure();
    }),
    ("what_could_repaint_the_screen", |peer, _| {
        says(&peer, &(0..=255).collect::<Vec<u8>>());
        says(&peer, b"\x1b[2J\x1b]0;title\x07\r\x08\x7f\xc2\x9b31m \xe2\x80\n\xc2");
        says(&peer, b"\x9b1m\n");
        says(&peer, "\u{202e}\u{2066}\u{200f}\u{2028}\u{200b}\n".as_bytes());
    }),
    ("never_reads", |peer, measure| {
        measure();
        reset(peer);
    }),
    ("a_connection_that_is_open_and_silent", |peer, measure| {
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

/// The client ends, and says why in a line if it does not end well.
pub(crate) fn survives(attack: Attack, program: &Program) {
    let (listener, port) = common::listener();
    socket_set_option(&listener, SOL_SOCKET, SO_RCVTIMEO, Timeval::new(25, 0)).expect("an option");
    // Long lines take their time on a machine that does much else.
    let mut command = common::limited_to(120, &program.words[0]);
    command.args(&program.words[1..]);
    // The one for the second terminal ends when it has nothing more to type, too.
    command.args(["127.0.0.1", &port.to_string()]);
    let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let screen = watch(child.stdout.take().expect("a pipe"));
    let peer = socket_accept(&listener).expect("it connects");

    let most = if program.is_php() { 50 << 10 } else { 20 << 10 };
    attack(peer, &|| {
        // That of the process which `timeout` has started, if it has not ended.
        let usage = common::children(child.id()).first().copied().and_then(Usage::of);
        let peak = usage.map_or(0, |usage| usage.peak);
        assert!(peak < most, "{peak} KiB");
    });

    assert_eq!(screen.join().expect("its output"), None, "a control character on the screen");
    let end = child.wait_with_output();
    let said = String::from_utf8_lossy(&end.stderr);
    assert!(matches!(end.status.code(), Some(0 | 1)), "{:?}", end.status);
    assert_eq!(said.lines().count(), usize::from(!end.status.success()), "{said}");
    assert!(said.is_empty() || said.starts_with("Error: socket_"), "{said}");
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
