//! A reader that leaves, a full disk, a descriptor that was closed: what a lesson prints goes nowhere, and it goes on.

use std::fs::{File, read_dir, read_link, read_to_string};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use php_sockets::*;

use crate::common::{self, Running, pid};
use crate::stage::pattern::pattern;
use crate::stage::registry::{Lesson, Serves};
use crate::stage::server::PATIENCE;

/// The state of the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Screen {
    /// Its reader has left before the lesson begins.
    Gone,
    /// Its reader leaves after the first line, as `head -1` does.
    AfterTheFirstLine,
    /// `/dev/full`.
    Full,
    /// There is none, no keyboard, and nothing for errors either: `<&- >&- 2>&-`.
    Closed,
}
use Screen::{AfterTheFirstLine, Closed, Full, Gone};

const SCREENS: [Screen; 4] = [Gone, AfterTheFirstLine, Full, Closed];

/// The end of a pipe that nothing reads any more.
fn pipe_without_a_reader() -> OwnedFd {
    let mut ends = [-1; 2];
    // SAFETY: `ends` outlives the call, which writes two descriptors to it.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: the descriptor was just made and belongs to nothing else.
    drop(unsafe { OwnedFd::from_raw_fd(ends[0]) });
    // SAFETY: as above.
    unsafe { OwnedFd::from_raw_fd(ends[1]) }
}

/// Starts a command with such a screen.
fn start(words: &[String], screen: Screen) -> Running {
    let mut command = common::limited("sh");
    let closing = if screen == Closed { r#"exec "$@" <&- >&- 2>&-"# } else { r#"exec "$@""# };
    command.args(["-c", closing, "sh"]).args(words).stderr(Stdio::piped());
    match screen {
        Gone => command.stdout(pipe_without_a_reader()),
        Full => command.stdout(File::options().write(true).open("/dev/full").expect("/dev/full")),
        AfterTheFirstLine => command.stdout(Stdio::piped()),
        Closed => command.stdout(Stdio::null()),
    };
    let mut child = Running::start(&mut command);
    if let Some(mut output) = child.stdout.take() {
        let mut byte = [0];
        while output.read(&mut byte).expect("output") == 1 && byte != *b"\n" {}
    }
    child
}

fn ends_quietly(child: Running, who: &str) {
    let output = child.wait_with_output();

    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{who}");
    assert_eq!(output.status.code(), Some(0), "{who}");
}

/// A lesson without a second terminal ends as it always does.
pub(crate) fn may_leave(words: &[String]) {
    for screen in SCREENS {
        ends_quietly(start(words, screen), &format!("{words:?}, {screen:?}"));
    }
}

/// A client ends, however long its server has something to say.
pub(crate) fn may_leave_a_client(words: &[String]) {
    for screen in SCREENS {
        let who = format!("{words:?}, {screen:?}");
        let (listener, port) = common::listener();
        let words = [words, &["127.0.0.1".to_owned(), port.to_string()]].concat();
        let server = std::thread::spawn(move || {
            let peer = socket_accept(&listener).expect("it connects");
            socket_set_option(&peer, SOL_SOCKET, SO_RCVTIMEO, PATIENCE).expect("an option");
            // A socket closed with bytes unread is reset, and the client would complain.
            let _ = socket_read(&peer, 8192, PHP_BINARY_READ);
            // A closed descriptor is no error to std: that client reads to the end.
            let lines = if screen == Closed { 1 } else { usize::MAX };
            let _ = (0..lines).try_for_each(|_| socket_write(&peer, "on and on\n", None).map(|_| ()));
            let _ = socket_shutdown(&peer, SHUT_WR);
            while socket_read(&peer, 8192, PHP_BINARY_READ).is_ok_and(|data| !data.is_empty()) {}
        });
        ends_quietly(start(&words, screen), &who);
        server.join().expect("the server ends");
    }
}

/// A server serves on.
pub(crate) fn may_leave_a_server(lesson: &Lesson, words: &[String]) {
    let service = lesson.server.as_ref().expect("a server");
    let answer = pattern(&(service.greeting_alone().to_owned() + &service.answer));
    // Bytes sent to one that reads nothing would be answered by a reset.
    let request = if service.serves == Serves::Once { "" } else { &service.request };
    let words = [words, &["127.0.0.1".to_owned(), "0".to_owned()]].concat();
    for screen in SCREENS {
        let who = format!("lesson {}: {words:?}, {screen:?}", lesson.number);
        let child = start(&words, screen);
        let port = listens_on(&child, &who);
        // Output would go into a socket that has the number of the screen.
        let pid = pid(&child);
        for descriptor in 0..3 {
            let target = read_link(format!("/proc/{pid}/fd/{descriptor}")).expect("a descriptor");
            assert!(!target.to_string_lossy().starts_with("socket:"), "{who}: {descriptor} is a socket");
        }
        for _ in 0..service.ends_after.unwrap_or(3) {
            let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).expect("a socket");
            socket_connect(&client, "127.0.0.1", port).unwrap_or_else(|error| panic!("{who}: {error}"));
            socket_set_option(&client, SOL_SOCKET, SO_RCVTIMEO, PATIENCE).expect("an option");
            // It may have said all and gone.
            let _ = socket_write(&client, request, None);
            socket_shutdown(&client, SHUT_WR).expect("a connection");
            let mut heard = Vec::new();
            loop {
                match socket_read(&client, 8192, PHP_BINARY_READ) {
                    Ok(data) if data.is_empty() => break,
                    Ok(data) => heard.extend(data),
                    Err(error) => panic!("{who}: {error}"),
                }
            }
            let heard = String::from_utf8_lossy(&heard).into_owned();
            assert!(answer.is_match(&heard), "{who}: {heard}");
        }
        if service.ends_after.is_some() {
            ends_quietly(child, &who);
        } else {
            stop(child, &who);
        }
    }
}

/// Ctrl-C at a server that still runs, and has not complained.
fn stop(mut child: Running, who: &str) {
    assert!(child.try_wait().expect("its state").is_none(), "{who} has ended");
    let group = i32::try_from(child.id()).expect("a process number");
    // SAFETY: the call takes numbers; `timeout` leads a process group, and has not been waited for.
    unsafe { libc::kill(-group, libc::SIGINT) };
    let output = child.wait_with_output();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{who}");
}

/// The port on which a process listens that cannot say so.
fn listens_on(child: &Child, who: &str) -> u16 {
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < PATIENCE, "{who} does not listen");
        if let Some(port) = listener_of(child.id()) {
            return port;
        }
        std::thread::yield_now();
    }
}

/// The port of what `timeout`, which is this process, has started.
fn listener_of(timeout: u32) -> Option<u16> {
    let children = read_to_string(format!("/proc/{timeout}/task/{timeout}/children")).ok()?;
    let pid = children.split_whitespace().next()?;
    let links =
        read_dir(format!("/proc/{pid}/fd")).ok()?.flatten().filter_map(|fd| read_link(fd.path()).ok());
    let own: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|row| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        // 0A is LISTEN.
        let ours = fields[3] == "0A" && own.iter().any(|inode| inode == fields[9]);
        ours.then(|| u16::from_str_radix(fields[1].rsplit(':').next()?, 16).ok())?
    })
}

/// Complaints cannot be read either. The exit status reports them.
pub(crate) fn may_leave_the_errors(words: &[String]) {
    for screen in [Gone, Full] {
        let mut command: Command = common::limited(&words[0]);
        command.args(&words[1..]).stdout(Stdio::piped());
        match screen {
            Full => command.stderr(File::options().write(true).open("/dev/full").expect("/dev/full")),
            _ => command.stderr(pipe_without_a_reader()),
        };
        let output = command.output().expect("it runs");

        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{words:?}, {screen:?}");
        assert_eq!(output.status.code(), Some(1), "{words:?}, {screen:?}");
    }
}
