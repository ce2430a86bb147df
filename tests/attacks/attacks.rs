//! The attacks of a peer on a server. Each attack ends when its clients have gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use php_sockets::*;

use crate::stage::guests::{Guest, Stage, crowd_alone, until_accepted};
use crate::stage::registry::Serves;
use crate::stage::server::{PATIENCE, Server, reset};

pub(crate) type Attack = fn(&mut Stage);

macro_rules! by_name {
    ($($attack:ident)*) => { &[$((stringify!($attack), $attack as Attack)),*] };
}

pub(crate) const ATTACKS: &[(&str, Attack)] = by_name! {
    reset_before_accept
    reset_after_accept
    reset_mid_line
    reset_while_another_speaks
    reset_while_the_server_writes
    half_open
    half_closed_at_once
    half_closed_after_a_request
    one_byte_at_a_time
    line_without_end
    urgent_data
    only_urgent_data
    never_reads
    bytes_that_are_no_text
    thousand_connects
};

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
        guest.says(half(&stage.host.request));
        if read {
            stage.others_are_served();
            stage.rests();
        }
        reset(guest.socket);
    }
}

/// For the server both happen at once: what the one says cannot be passed on to the other, which is ready too.
fn reset_while_another_speaks(stage: &mut Stage) {
    if !stage.host.serves.many() {
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

/// Asks and asks, and reads nothing, until the socket takes no other question, or the server has had enough.
fn fill(stage: &mut Stage, guest: &Guest) {
    if stage.host.serves.chat() {
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
    let questions = if stage.host.request == "hello\n" { &line } else { &stage.host.request }.repeat(1000);
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
    if stage.host.serves == Serves::Chat {
        // It goes, whatever it does.
        let mut seen = String::new();
        stage.friends_chat(|server| {
            seen = server.printed.try_iter().last().unwrap_or(std::mem::take(&mut seen));
            seen.ends_with(" is dropped: it does not read")
        });
    }
    if stage.host.serves == Serves::Relay {
        let enough = stage.server.descriptors() - 1;
        stage.friends_chat(|server| server.descriptors() <= enough);
    }
}

/// The other machine has lost its power: nothing ever comes from it, neither data nor the end. A client that is silent
/// for good looks the same from here.
fn half_open(stage: &mut Stage) {
    let silent = stage.guest();
    if stage.host.serves != Serves::OneByOne {
        stage.others_are_served();
    }
    let Some(halting) = Stage::caller(&stage.server) else { return };
    halting.says(half(&stage.host.request));
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
    guest.says(&stage.host.request);
    let _ = socket_shutdown(&guest.socket, SHUT_WR);
    stage.others_are_served();

    let heard = guest.hears_the_end();
    assert!(heard.contains(&stage.host.answer), "{heard}");
}

/// Each byte in a segment of its own, and between any two of them the others have their turn.
fn one_byte_at_a_time(stage: &mut Stage) {
    let Some(mut guest) = stage.guest() else { return };
    socket_set_option(&guest.socket, SOL_TCP, TCP_NODELAY, 1).expect("an option");
    for at in 0..stage.host.request.len() {
        guest.says(&stage.host.request[at..=at]);
        if !stage.ends() || at == 0 {
            stage.others_are_served();
        }
    }
    if !stage.ends() {
        guest.hears(&stage.host.answer);
    }
}

fn line_without_end(stage: &mut Stage) {
    // PHP reads lines a byte at a time, and would take minutes for more.
    let slow = stage.host.program.is_php() && stage.host.name == "lesson_06";
    let length = if slow { 1_000_000 } else { 100_000_000 };
    let Some(guest) = stage.guest() else { return };
    if stage.host.serves.chat() {
        return stage.friends_hear_without_end(&guest, length);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The answers have to be read meanwhile.
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
    let request = stage.host.request.clone();
    guest.says(half(&request));
    // The urgent byte is no part of the stream.
    let _ = socket_send(&guest.socket, "!", 1, MSG_OOB);
    guest.says(&request[half(&request).len()..]);
    stage.others_are_served();
    if !stage.ends() {
        guest.hears(&stage.host.answer);
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

/// Bytes of every kind, and what could repaint the screen.
fn bytes_that_are_no_text(stage: &mut Stage) {
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

fn thousand_connects(stage: &mut Stage) {
    let _turn = crowd_alone();
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
            let _ = socket_write(socket, &stage.host.request, None);
        }
    }
    stage.others_are_served();
    stage.rests();
    for (number, socket) in crowd.into_iter().enumerate() {
        if number % 2 == 0 { reset(socket) } else { drop(socket) }
    }
}
