//! Every lesson, played in Rust and in PHP: alone, or the conversation of its `demo.txt`.

use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use regex::Regex;

use crate::{common, reader};

/// Two traces of one lesson write the same files: a test that makes `target` makes no other trace of it meanwhile.
pub(crate) fn traced_alone(target: &str) -> Option<MutexGuard<'static, ()>> {
    static LESSONS: [Mutex<()>; 100] = [const { Mutex::new(()) }; 100];
    let number: usize = target.strip_prefix("trace-")?.parse().ok()?;
    Some(LESSONS[number].lock().unwrap_or_else(PoisonError::into_inner))
}

/// A lesson: its number, its folder, its program.
struct Lesson {
    number: &'static str,
    folder: &'static str,
    program: &'static str,
    part: Part,
}

/// What a lesson's program is in its own demo.
#[derive(Clone, Copy)]
enum Part {
    /// It needs no second terminal.
    Alone,
    /// The server of any client.
    Server,
    /// The client of another lesson, which is given.
    ClientOf(&'static Lesson),
    /// The client of the server that the demo plays.
    Client,
}
use Part::{Alone, Client, ClientOf, Server};

/// The two languages of a lesson.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Twin {
    Rust,
    Php,
}
use Twin::{Php, Rust};

impl Lesson {
    fn path(&self, name: &str) -> String {
        let path = common::root().join("lessons").join(self.folder).join(name);
        path.into_os_string().into_string().expect("UTF-8")
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name))
            .unwrap_or_else(|error| panic!("{}: {error}", self.path(name)))
    }

    /// The command that runs one of the twins.
    fn command(&self, twin: Twin) -> Vec<String> {
        match twin {
            Rust => vec![self.program.to_owned()],
            // PHP's event extension is in no package of Debian's; what stands in for it counts for nothing where it is.
            Php if self.number == "15" => {
                let mut command = php(&self.path("main.php"));
                let event = format!("auto_prepend_file={}/tests/lessons/event.php", common::root().display());
                command.splice(1..1, ["-d".to_owned(), event]);
                command
            }
            Php => php(&self.path("main.php")),
        }
    }

    /// Runs the lesson, or its demo with the lesson in one language and the other end in another.
    fn run(&self, own: Twin, other: Twin) -> Output {
        self.run_as(&self.command(own), other)
    }

    fn run_as(&self, own: &[String], other: Twin) -> Output {
        let interactive = match other {
            Rust => vec![env!("CARGO_BIN_EXE_lesson-client").to_owned()],
            Php => php(&format!("{}/tests/lessons/client.php", common::root().display())),
        };
        let (server, client) = match self.part {
            Alone => return command(own).output().expect("it runs"),
            Server => (Some(own.to_vec()), interactive),
            ClientOf(server) => (Some(server.command(other)), own.to_vec()),
            Client => (None, own.to_vec()),
        };
        let mut demo = common::limited(env!("CARGO_BIN_EXE_lesson-demo"));
        demo.arg(self.path("demo.txt"));
        if let Some(server) = server {
            demo.arg("--server").args(server);
        }
        demo.arg("--client").args(client).output().expect("it runs")
    }

    /// What the lesson itself printed in a run.
    fn printed(&self, output: &Output) -> String {
        let text = String::from_utf8_lossy(&output.stdout);
        let prefix = match self.part {
            Alone => return text.into_owned(),
            Server => "  server | ",
            Client | ClientOf(_) => "  client | ",
        };
        text.lines()
            .filter_map(|line| line.strip_prefix(prefix))
            .fold(String::new(), |all, line| all + line + "\n")
    }

    /// What a run shows, in patterns.
    fn expected_to_show(&self) -> String {
        if matches!(self.part, Alone) {
            return self.file("expected.txt");
        }
        let mut demo = common::limited(env!("CARGO_BIN_EXE_lesson-demo"));
        let output = demo.args([&self.path("demo.txt"), "--script"]).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The one block of text under a heading of the README, in lines.
    fn block(&self, heading: &str) -> Vec<String> {
        let readme = self.file("README.md");
        let section = readme.split(&format!("\n## {heading}\n")).nth(1).expect("the section");
        let section = section.split("\n## ").next().expect("the section");
        let block = section.split("```text\n").nth(1).expect("a text block");
        lines(block.split("```").next().expect("its end"))
    }

    fn prints_what_is_expected(&self, own: Twin, other: Twin) {
        let output = self.run(own, other);

        let errors = String::from_utf8_lossy(&output.stderr);
        let who = format!("lesson {} in {own:?}, the other end in {other:?}", self.number);
        assert!(
            output.status.success(),
            "{who} failed: {errors}\n{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert_eq!(errors, "", "{who} complains");
        let text = self.printed(&output);
        let expected = self.file("expected.txt");
        for (line, expected) in text.lines().zip(expected.lines()) {
            assert!(pattern(expected).is_match(line), "{who}:\n{line}\n{expected}");
        }
        assert!(pattern(&expected).is_match(&text), "{who}:\n{text}");
    }

    fn readme_shows_a_real_run(&self) {
        let expected = lines(&self.expected_to_show());
        let shown = self.block("What you see");

        assert!(
            quotes(&shown, &expected),
            "lesson {}: ## What you see\n{}",
            self.number,
            expected.join("\n")
        );
    }

    fn readme_shows_the_system_calls_of_a_trace(&self) {
        let call = Regex::new(r"^(?:[\w:]+|\(drop\)) +\w+\(.*").expect("a pattern");
        let target = format!("trace-{}", self.number);
        let _alone = traced_alone(&target);
        let output = common::limited("make")
            .arg("-C")
            .arg(common::root())
            .args(["--no-print-directory", &target])
            .output()
            .expect("make runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "make {target}: {errors}");
        let text = String::from_utf8_lossy(&output.stdout);
        let begin = text.rfind("\n\n").expect("the trace after an empty line");
        let traced: Vec<String> =
            text[begin..].lines().filter(|line| call.is_match(line)).map(str::to_owned).collect();
        let shown = self.block("What the kernel sees");

        assert!(!traced.is_empty(), "lesson {}: {text}", self.number);
        if let Some(line) = shown
            .iter()
            .find(|shown| shown.as_str() != "..." && !traced.iter().any(|traced| same_call(shown, traced)))
        {
            panic!("lesson {}: nothing like {line}\nin\n{}", self.number, traced.join("\n"));
        }
        assert!(
            covers(&shown, &traced, &same_call),
            "lesson {}: ## What the kernel sees\n{}",
            self.number,
            traced.join("\n")
        );
    }

    fn a_reader_may_leave(&self, own: Twin) {
        let words = self.command(own);
        match self.part {
            Alone => reader::may_leave(&words),
            Server => reader::may_leave_a_server(self.number, &words),
            Client | ClientOf(_) => reader::may_leave_a_client(&words),
        }
        if !matches!(self.part, Alone) {
            reader::may_leave_the_errors(&[&words[..], &["127.0.0.1".to_owned(), "x".to_owned()]].concat());
        }
    }

    fn leaks_nothing_and_reads_only_what_was_written(&self) {
        let valgrind = ["valgrind", "--quiet", "--leak-check=full", "--track-fds=yes", "--error-exitcode=9"];
        let known = format!("--suppressions={}/tests/lessons/valgrind.supp", common::root().display());
        let own = ALONE.into_iter().chain(valgrind).chain([known.as_str(), self.program]);
        let own: Vec<String> = own.map(str::to_owned).collect();
        let output = self.run_as(&own, Rust);

        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lesson {} under valgrind: {errors}", self.number);
        for word in ["Invalid", "uninitialised", "definitely lost"] {
            assert!(!errors.contains(word), "lesson {} under valgrind: {errors}", self.number);
        }
        // Ctrl-C ends a server while it listens: its listener is the one socket that has no other end.
        let server = matches!(self.part, Server);
        let left = |line: &&str| {
            line.contains("Open AF_")
                && !(server && (line.ends_with("<-> unbound") || line.ends_with("<-> <unbound>")))
        };
        let left: Vec<&str> = errors.lines().filter(left).collect();
        assert!(left.is_empty(), "lesson {} leaves sockets open: {left:?}", self.number);
    }
}

/// Runs a program without the descriptors that the tests were started with: to valgrind, since 3.21, they are errors.
const ALONE: [&str; 4] = [
    "bash",
    "-c",
    r#"for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done; exec "$@""#,
    "bash",
];

fn php(script: &str) -> Vec<String> {
    [common::php_program(), "-d", "display_errors=stderr", "-d", "log_errors=0", script]
        .map(str::to_owned)
        .to_vec()
}

fn command(words: &[String]) -> Command {
    let [program, arguments @ ..] = words else { unreachable!("a program") };
    let mut command = common::limited(program);
    command.args(arguments);
    command
}

/// A module of tests for each lesson.
macro_rules! lessons {
    ($($name:ident $number:literal $folder:literal $part:expr;)*) => {$(
        mod $name {
            use super::*;

            pub(super) static LESSON: Lesson = Lesson {
                number: $number,
                folder: $folder,
                program: env!(concat!("CARGO_BIN_EXE_lesson-", $number)),
                part: $part,
            };

            #[test]
            fn the_program_prints_what_is_expected() {
                LESSON.prints_what_is_expected(Rust, Rust);
            }

            #[test]
            fn the_php_twin_prints_the_same() {
                LESSON.prints_what_is_expected(Php, Php);
            }

            #[test]
            fn the_twins_talk_to_each_other() {
                if !matches!(LESSON.part, Alone | Client) {
                    LESSON.prints_what_is_expected(Rust, Php);
                    LESSON.prints_what_is_expected(Php, Rust);
                }
            }

            #[test]
            fn a_reader_may_leave_the_program() {
                LESSON.a_reader_may_leave(Rust);
            }

            #[test]
            fn a_reader_may_leave_the_php_twin() {
                LESSON.a_reader_may_leave(Php);
            }

            #[test]
            fn the_transcript_in_the_readme_is_a_real_one() {
                LESSON.readme_shows_a_real_run();
            }

            #[test]
            fn the_system_calls_in_the_readme_are_those_that_a_trace_shows() {
                LESSON.readme_shows_the_system_calls_of_a_trace();
            }

            #[test]
            fn it_leaks_nothing_and_reads_only_what_was_written() {
                LESSON.leaks_nothing_and_reads_only_what_was_written();
            }
        }
    )*

        #[test]
        fn the_one_for_the_second_terminal_and_the_player_of_demos_may_lose_their_readers_too() {
            reader::may_leave_a_client(&[env!("CARGO_BIN_EXE_lesson-client").to_owned()]);
            let demo = [env!("CARGO_BIN_EXE_lesson-demo"), &always_on::LESSON.path("demo.txt"), "--server"];
            let others = [always_on::LESSON.program, "--client", env!("CARGO_BIN_EXE_lesson-client")];
            reader::may_leave(&[demo, others].concat().into_iter().map(str::to_owned).collect::<Vec<_>>());
        }

        #[test]
        fn every_lesson_is_played() {
            let folders = std::fs::read_dir(common::root().join("lessons")).expect("the folder");
            let count = folders.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count();

            assert_eq!([$($folder),*].len(), count);
        }
    };
}

lessons! {
    first_socket "01" "01-first-socket" Alone;
    errors "02" "02-errors" Alone;
    the_conversation "03" "03-the-conversation" Alone;
    greeting_server "04" "04-greeting-server" Server;
    greeting_client "05" "05-greeting-client" ClientOf(&greeting_server::LESSON);
    reverse_server "06" "06-reverse-server" Server;
    http_client "07" "07-http-client" Client;
    port_scanner "08" "08-port-scanner" Alone;
    who_is_calling "09" "09-who-is-calling" Server;
    always_on "10" "10-always-on" Server;
    backlog "11" "11-backlog" Alone;
    threads "12" "12-threads" Server;
    select_server "13" "13-select-server" Server;
    options "14" "14-options" Alone;
    epoll_chat "15" "15-epoll-chat" Server;
    udp "16" "16-udp" Alone;
    unix "17" "17-unix" Alone;
    scatter_gather "18" "18-scatter-gather" Alone;
    messages "19" "19-messages" Alone;
    ipv6_and_names "20" "20-ipv6-and-names" Alone;
    ping "21" "21-ping" Alone;
    http_server "22" "22-http-server" Server;
    urgent_data "23" "23-urgent-data" Alone;
    into_rust "24" "24-into-rust" Alone;
}

/// `expected.txt` as PHP's `.phpt` tests write it: `%d` is a number, `%s` some characters.
pub(crate) fn pattern(expected: &str) -> Regex {
    let literal = regex::escape(expected);
    Regex::new(&format!(r"\A{}\z", literal.replace("%d", r"-?\d+").replace("%s", r"[^\n]+")))
        .expect("a pattern")
}

/// Whether `lines` are `shown`, in which one line `...` stands for any number of lines.
fn covers(shown: &[String], lines: &[String], same: &dyn Fn(&str, &str) -> bool) -> bool {
    match (shown.first().map(String::as_str), lines.first()) {
        (None, None) => true,
        (Some("..."), _) => (0..=lines.len()).any(|skip| covers(&shown[1..], &lines[skip..], same)),
        (Some(expected), Some(line)) if same(expected, line) => covers(&shown[1..], &lines[1..], same),
        _ => false,
    }
}

pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Whether `shown` is a real run, parts of it left out, of what `expected` describes.
pub(crate) fn quotes(shown: &[String], expected: &[String]) -> bool {
    covers(shown, expected, &|shown, expected| pattern(expected).is_match(shown))
}

/// Whether a line of a README is what `make trace-NN` prints, but for what differs from run to run. In the README `...`
/// stands for a part that is left out, as strace itself writes it.
fn same_call(shown: &str, traced: &str) -> bool {
    let shown = regex::escape(&masked(shown)).replace(r"\.\.\.", ".*");
    Regex::new(&format!(r"\A{shown}\z")).expect("a pattern").is_match(&masked(traced))
}

/// A line of `make trace-NN` without ports, process numbers, times, descriptors and pointers.
fn masked(line: &str) -> String {
    static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let masks = [
            // How strace aligns its results.
            (r" +", " "),
            // Descriptors: the first argument, the second of dup and the third of epoll_ctl, those in sets, and results.
            (
                r"^(\S+ (?:accept4|bind|close|connect|epoll_ctl|epoll_wait|fcntl|get\w+|ioctl|listen|p?select6?|read|readv|recv\w+|send\w+|setsockopt|shutdown|write|writev)\()\d+",
                "$1#",
            ),
            (r"(EPOLL_CTL_\w+, )\d+", "$1#"),
            (r"(\bfd=)\d+", "$1#"),
            (r"(\bsocketpair\(.*, )\[\d+, \d+\]", "$1[#]"),
            (r"(cmsg_data=)\[[\d, ]+\]", "$1[#]"),
            (r"^(\S+ (?:accept4|epoll_create1|eventfd2|openat|socket)\(.*= )\d+$", "$1#"),
            // Ports, process numbers, users, times, names of files, pointers, and what waiting has left.
            (r"htons\(\d+\)", "htons(#)"),
            (r"(127\.0\.0\.1|::1\]?):\d+", "$1:#"),
            (r"\b(pid|uid|gid)=\d+", "$1=#"),
            (r"\d\d:\d\d:\d\d", "#"),
            (r"lesson-(\d\d)-[0-9a-f]+", "lesson-$1-#"),
            (r"0x[0-9a-f]{6,}", "#"),
            (r"left \{[^}]*\}", "left #"),
            (r"tv_nsec=\d+", "tv_nsec=#"),
            // A path, and with it its length.
            (r#"(sun_path=@?")[^"]*/?(lesson-\d\d-#[^"]*"\}, )\d+"#, "$1$2#"),
            (r"\[the C library: \d+ system calls\]", "[the C library: # system calls]"),
        ];
        masks.map(|(pattern, mask)| (Regex::new(pattern).expect("a pattern"), mask)).into()
    });
    let mut line = line.to_owned();
    for (pattern, mask) in &*MASKS {
        line = pattern.replace_all(&line, *mask).into_owned();
    }
    // The sets of select are lists of descriptors.
    if line.contains(" select(") || line.contains(" pselect6(") {
        line = Regex::new(r"\[\d+(?: \d+)*\]").expect("a pattern").replace_all(&line, "[#]").into_owned();
    }
    line
}

#[test]
fn a_traced_line_is_compared_with_its_arguments() {
    let traced = "socket_read          recvfrom(6, \"Hello!\\n\", 1024, 0, NULL, NULL) = 7";
    for (shown, same) in [
        ("socket_read   recvfrom(8, \"Hello!\\n\", 1024, 0, NULL, NULL) = 7", true),
        ("socket_read   recvfrom(8, \"Hello!\\n\", 1024, ...) = 7", true),
        ("socket_read   recvfrom(8, \"Hello!\\n\", 2048, 0, NULL, NULL) = 7", false),
        ("socket_read   recvfrom(8, \"Hello!\\n\", 1024, MSG_PEEK, NULL, NULL) = 7", false),
        ("socket_read   recvfrom(8, \"Hello!\\n\", 1024, 0, NULL, NULL) = 6", false),
        ("socket_recv   recvfrom(8, \"Hello!\\n\", 1024, 0, NULL, NULL) = 7", false),
    ] {
        assert_eq!(same_call(shown, traced), same, "{shown}");
    }
    let waits = "EventBase::run       epoll_wait(4, [{events=EPOLLIN, data={u32=1, u64=1}}], 256, -1) = 1";
    assert!(same_call("EventBase::run   epoll_wait(3, [{events=EPOLLIN, ...}], 256, -1) = 1", waits));
    assert!(!same_call("EventBase::run   epoll_wait(3, [{events=EPOLLIN, ...}], 32, -1) = 1", waits));
}
