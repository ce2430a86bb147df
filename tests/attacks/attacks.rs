//! What a peer can do to a server. Each attack ends when its clients have gone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::server::{PATIENCE, Server, reset};
use crate::stage::{Guest, Serves, Stage, Twin, until_accepted};

type Attack = fn(&mut Stage);

pub(crate) const ATTACKS: [(&str, Attack); 15] = [
    ("reset before accept", reset_before_accept),
    ("reset after accept", reset_after_accept),
    ("reset in the middle of a line", reset_mid_line),
    ("reset while another one speaks", reset_while_another_speaks),
    ("reset while the server writes", reset_while_the_server_writes),
    ("gone without a word", half_open),
    ("half-closed at once", half_closed_at_once),
    ("half-closed after a request", half_closed_after_a_request),
    ("one byte at a time", one_byte_at_a_time),
    ("a line of 100 MB without end", line_without_end),
    ("urgent data", urgent_data),
    ("only urgent data", only_urgent_data),
    ("never reads", never_reads),
    ("bytes that are no text, and what could repaint the screen", no_text),
    ("1000 connects at once", thousand_connects),
];

/// Sends `signal` to the server, and waits until it has stopped or goes on.
fn signal(server: &Server, signal: i32, stopped: bool) {
    send(server.pid(), signal, stopped);
}

fn send(pid: u32, signal: i32, stopped: bool) {
    let pid = i32::try_from(pid).expect("a process number");
    // SAFETY: the call takes numbers; the process is the one that the stage has started.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    let begin = Instant::now();
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its state");
    while state().rsplit(") ").next().expect("fields").starts_with('T') != stopped {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

fn reset_before_accept(stage: &mut Stage) {
    signal(&stage.server, libc::SIGSTOP, true);
    let callers: Vec<Guest> = (0..2).filter_map(|_| Stage::caller(&stage.server)).collect();
    assert_eq!(callers.len(), 2, "the kernel connects them");
    for caller in callers {
        reset(caller.socket);
    }
    signal(&stage.server, libc::SIGCONT, false);

    stage.others_are_served();
}

fn reset_after_accept(stage: &mut Stage) {
    for _ in 0..2 {
        let Some(guest) = stage.guest() else { return };
        until_accepted(&stage.server, &guest.socket);
        reset(guest.socket);
        stage.others_are_served();
    }
}

fn reset_mid_line(stage: &mut Stage) {
    for read in [false, true] {
        let Some(guest) = stage.guest() else { return };
        guest.says(half(stage.lesson.request));
        if read {
            stage.others_are_served();
            stage.rests();
        }
        reset(guest.socket);
    }
}

/// For the server both happen at once: what the one says cannot be passed on to the other, which is ready too.
fn reset_while_another_speaks(stage: &mut Stage) {
    if !stage.lesson.serves.many() {
        return; // no other one speaks
    }
    let Some(guest) = stage.guest() else { return };
    until_accepted(&stage.server, &guest.socket);
    signal(&stage.server, libc::SIGSTOP, true);
    let pid = stage.server.pid();
    stage.a_friend_speaks_while(|| {
        guest.says("last words");
        reset(guest.socket);
        send(pid, libc::SIGCONT, false);
    });
    stage.others_are_served();
}

fn half(request: &str) -> &str {
    &request[..request.len() / 2]
}

/// Asks and asks, and reads nothing, until there is no room for another question, or the server has had enough.
fn fill(stage: &mut Stage, guest: &Guest) {
    if stage.lesson.serves.chat() {
        let mut lines = 0;
        stage.friends_chat(|_| {
            lines += 1;
            lines == 500
        });
        return;
    }
    socket_set_nonblock(&guest.socket).expect("an option");
    // Long lines, where it is lines that are answered: short ones fill a buffer as well, but slowly.
    let line = "x".repeat(1000) + "\n";
    let questions = if stage.lesson.request == "hello\n" { &line } else { stage.lesson.request }.repeat(1000);
    let enough = 64 << 20;
    let mut said = 0;
    while said < enough {
        let Ok(more) = socket_write(&guest.socket, &questions, None) else { return };
        said += more;
    }
}

fn reset_while_the_server_writes(stage: &mut Stage) {
    let Some(guest) = stage.narrow_guest() else { return };
    fill(stage, &guest);
    stage.others_are_served();
    reset(guest.socket);
}

fn never_reads(stage: &mut Stage) {
    let Some(deaf) = stage.narrow_guest() else { return };
    for _ in 0..3 {
        fill(stage, &deaf);
        stage.others_are_served();
        stage.rests();
    }
    if stage.lesson.serves == Serves::Chat {
        // It goes, whatever it does.
        let mut seen = String::new();
        stage.friends_chat(|server| {
            seen = server.printed.try_iter().last().unwrap_or(std::mem::take(&mut seen));
            seen.ends_with(" is dropped: it does not read")
        });
    }
    if stage.lesson.serves == Serves::Relay {
        let enough = stage.server.descriptors() - 1;
        stage.friends_chat(|server| server.descriptors() <= enough);
    }
}

/// The other machine has lost its power: nothing ever comes from it, neither data nor the end. A client that is silent
/// for good looks the same from here.
fn half_open(stage: &mut Stage) {
    let silent = stage.guest();
    if stage.lesson.serves != Serves::OneByOne {
        stage.others_are_served();
    }
    let Some(halting) = Stage::caller(&stage.server) else { return };
    halting.says(half(stage.lesson.request));
    stage.others_are_served();
    stage.rests();
    drop(silent);
}

fn half_closed_at_once(stage: &mut Stage) {
    let Some(mut guest) = stage.guest() else { return };
    let _ = socket_shutdown(&guest.socket, SHUT_WR);
    guest.hears_the_end();
    stage.others_are_served();
}

fn half_closed_after_a_request(stage: &mut Stage) {
    let Some(mut guest) = stage.guest() else { return };
    guest.says(stage.lesson.request);
    let _ = socket_shutdown(&guest.socket, SHUT_WR);
    stage.others_are_served();

    let heard = guest.hears_the_end();
    assert!(heard.contains(stage.lesson.answer), "{heard}");
}

/// Each byte in a segment of its own, and between any two of them the others have their turn.
fn one_byte_at_a_time(stage: &mut Stage) {
    let Some(mut guest) = stage.guest() else { return };
    socket_set_option(&guest.socket, SOL_TCP, TCP_NODELAY, 1).expect("an option");
    for at in 0..stage.lesson.request.len() {
        guest.says(&stage.lesson.request[at..=at]);
        if !stage.ends() || at == 0 {
            stage.others_are_served();
        }
    }
    if !stage.ends() {
        guest.hears(stage.lesson.answer);
    }
}

fn line_without_end(stage: &mut Stage) {
    // PHP reads lines a byte at a time, and would take minutes for more.
    let slow = stage.twin == Twin::Php && stage.lesson.folder.starts_with("06");
    let length = if slow { 1_000_000 } else { 100_000_000 };
    let Some(guest) = stage.guest() else { return };
    if stage.lesson.serves.chat() {
        return stage.friends_hear_without_end(&guest, length);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Somebody has to read what is answered meanwhile.
        scope.spawn(|| {
            while socket_read(&guest.socket, 1 << 20, PHP_BINARY_READ).is_ok_and(|data| !data.is_empty()) {}
        });
        scope.spawn(|| {
            let data = vec![b'x'; 1 << 18];
            let mut rest = length;
            while rest > 0 {
                let Ok(sent) = socket_write(&guest.socket, &data[..rest.min(data.len())], None) else {
                    break;
                };
                rest -= sent;
            }
            let _ = socket_shutdown(&guest.socket, SHUT_WR);
            done.store(true, Ordering::SeqCst);
        });
        stage.others_are_served();
        while !done.load(Ordering::SeqCst) {
            if !stage.ends() {
                stage.others_are_served();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
}

fn urgent_data(stage: &mut Stage) {
    let Some(mut guest) = stage.guest() else { return };
    let request = stage.lesson.request;
    guest.says(half(request));
    // The urgent byte is no part of the stream.
    let _ = socket_send(&guest.socket, "!", 1, MSG_OOB);
    guest.says(&request[half(request).len()..]);
    stage.others_are_served();
    if !stage.ends() {
        guest.hears(stage.lesson.answer);
    }
}

fn only_urgent_data(stage: &mut Stage) {
    let Some(guest) = stage.guest() else { return };
    for _ in 0..10 {
        let _ = socket_send(&guest.socket, "!", 1, MSG_OOB);
    }
    stage.others_are_served();
    stage.rests();
}

fn no_text(stage: &mut Stage) {
    let Some(guest) = stage.guest() else { return };
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let _ = socket_write(&guest.socket, bytes, None);
    // As a line, as a request, and as a part of what one asks for.
    for text in [
        "\x1b[2J\x1b]0;title\x07\x08\x7f",
        "\u{9b}31m",
        "\u{202e}\u{2066}\u{2028}\u{200b}",
        "a\rb",
        "\0\x0b\x0c",
    ] {
        guest.says(&format!("{text}\nGET /{text} HTTP/1.1\r\nHost: {text}\r\n\r\n"));
    }
    stage.others_are_served();
    stage.rests();
}

/// A thousand at a time are enough for this process's descriptors.
pub(crate) static CROWD: Mutex<()> = Mutex::new(());

fn thousand_connects(stage: &mut Stage) {
    let _turn = CROWD.lock();
    let crowd: Vec<Socket> = (0..1000)
        .map(|_| {
            let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
            socket_set_nonblock(&socket).expect("an option");
            let _ = socket_connect(&socket, "127.0.0.1", stage.server.port);
            socket
        })
        .collect();
    for (number, socket) in crowd.iter().enumerate() {
        if number < 5 || number % 50 == 0 {
            let _ = socket_write(socket, stage.lesson.request, None);
        }
    }
    stage.others_are_served();
    stage.rests();
    for (number, socket) in crowd.into_iter().enumerate() {
        if number % 2 == 0 { reset(socket) } else { drop(socket) }
    }
}
