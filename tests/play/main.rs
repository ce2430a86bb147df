//! Every lesson, played in Rust and in PHP, alone or in the conversation of its `demo.txt`: what it prints, what its README
//! shows, and what becomes of it without a reader. `cargo test --features lessons --test play lesson_13` plays lesson 13.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;

mod reader;

use std::process::Output;
use std::sync::LazyLock;

use libtest_mimic::Arguments;
use regex::Regex;

use stage::pattern::{covers, lines, pattern, quotes};
use stage::registry::Part::{Alone, Client, ClientOf, Server};
use stage::registry::{Lesson, lesson, lessons};
use stage::rows;
use stage::twin::Twin::{self, Php, Rust};
use stage::twin::{Program, built};

/// How many rows are played at once. Most of them wait most of the time.
const AT_ONCE: usize = 4;

/// The columns of a terminal.
const WIDTH: usize = 80;

type Test = fn(&'static Lesson);

/// The tests of each lesson.
const TESTS: [(&str, Test); 8] = [
    ("the_program_prints_what_is_expected", |lesson| lesson.prints_what_is_expected(Rust, Rust)),
    ("the_php_twin_prints_the_same", |lesson| lesson.prints_what_is_expected(Php, Php)),
    ("the_twins_talk_to_each_other", |lesson| {
        lesson.prints_what_is_expected(Rust, Php);
        lesson.prints_what_is_expected(Php, Rust);
    }),
    ("a_reader_may_leave_the_program", |lesson| lesson.a_reader_may_leave(Rust)),
    ("a_reader_may_leave_the_php_twin", |lesson| lesson.a_reader_may_leave(Php)),
    ("the_transcript_in_the_readme_is_a_real_one", Lesson::readme_shows_a_real_run),
    (
        "the_system_calls_in_the_readme_are_those_that_a_trace_shows",
        Lesson::readme_shows_the_system_calls_of_a_trace,
    ),
    (
        "it_leaks_nothing_and_reads_only_what_was_written",
        Lesson::leaks_nothing_and_reads_only_what_was_written,
    ),
];

fn main() {
    let mut rows = vec![
        rows::row(
            "a_traced_line_is_compared_with_its_arguments",
            a_traced_line_is_compared_with_its_arguments,
        ),
        rows::row(
            "a_traced_call_is_broken_at_80_columns_and_outside_of_its_texts",
            a_traced_call_is_broken_at_80_columns_and_outside_of_its_texts,
        ),
        rows::row(
            "the_one_for_the_second_terminal_and_the_player_of_demos_may_lose_their_readers_too",
            the_one_for_the_second_terminal_and_the_player_of_demos_may_lose_their_readers_too,
        ),
    ];
    for lesson in lessons() {
        for (name, test) in TESTS {
            // Both ends of the others are one program, or the player of the demo.
            let two = matches!(lesson.part(), Server | ClientOf(_));
            if two || name != "the_twins_talk_to_each_other" {
                rows.push(rows::row(format!("lesson_{}::{name}", lesson.number), move || test(lesson)));
            }
        }
    }
    rows::run(Arguments::from_args(), AT_ONCE, rows).exit();
}

impl Lesson {
    /// Runs the lesson, or its demo with the lesson in one language and the other end in another.
    fn run(&self, own: Twin, other: Twin) -> Output {
        self.run_as(&self.program(own), other)
    }

    fn run_as(&self, own: &Program, other: Twin) -> Output {
        let interactive = match other {
            Rust => Program::rust(&built("lesson-client")),
            Php => Program::php(&format!("{}/tests/lessons/client.php", common::root().display())),
        };
        let (server, client) = match self.part() {
            Alone => return own.command(&[]).output().expect("it runs"),
            Server => (Some(own.clone()), interactive),
            ClientOf(server) => (Some(server.program(other)), own.clone()),
            Client => (None, own.clone()),
        };
        let mut demo = common::limited(built("lesson-demo"));
        demo.arg(self.path("demo.txt"));
        if let Some(server) = server {
            demo.arg("--server").args(server.words);
        }
        demo.arg("--client").args(client.words).output().expect("it runs")
    }

    /// The lesson's own output in a run.
    fn printed(&self, output: &Output) -> String {
        let text = String::from_utf8_lossy(&output.stdout);
        let prefix = match self.part() {
            Alone => return text.into_owned(),
            Server => "  server | ",
            Client | ClientOf(_) => "  client | ",
        };
        text.lines()
            .filter_map(|line| line.strip_prefix(prefix))
            .fold(String::new(), |all, line| all + line + "\n")
    }

    /// The output of a run, in patterns.
    fn expected_to_show(&self) -> String {
        if self.part() == Alone {
            return self.file("expected.txt");
        }
        let mut demo = common::limited(built("lesson-demo"));
        let output = demo.args([&self.path("demo.txt"), "--script"]).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
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
        let shown = String::from_utf8_lossy(&output.stdout);
        let text = self.printed(&output);
        let wide: Vec<&str> = shown.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(wide.is_empty(), "{who}: wider than {WIDTH} columns: {wide:#?}");
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
        let traced = whole_calls(text[begin..].lines());
        let traced: Vec<String> = traced.into_iter().filter(|line| call.is_match(line)).collect();
        let shown = self.block("What the kernel sees");
        let shown = whole_calls(shown.iter().map(String::as_str));

        assert!(!traced.is_empty(), "lesson {}: {text}", self.number);
        // Only a text, which is not broken, may be wider.
        let is_wide = |line: &&str| line.chars().count() > WIDTH && !line.ends_with("\"...,");
        let wide = text[begin..].lines().find(is_wide);
        assert_eq!(wide, None, "lesson {}: wider than {WIDTH} columns", self.number);
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
        let words = self.program(own).words;
        match self.part() {
            Alone => reader::may_leave(&words),
            Server => reader::may_leave_a_server(self, &words),
            Client | ClientOf(_) => reader::may_leave_a_client(&words),
        }
        if self.part() != Alone {
            reader::may_leave_the_errors(&[&words[..], &["127.0.0.1".to_owned(), "x".to_owned()]].concat());
        }
    }

    fn leaks_nothing_and_reads_only_what_was_written(&self) {
        let valgrind = ["valgrind", "--quiet", "--leak-check=full", "--track-fds=yes", "--error-exitcode=9"];
        let known = format!("--suppressions={}/tests/lessons/valgrind.supp", common::root().display());
        let mut own = self.program(Rust);
        own.words.splice(0..0, ALONE.into_iter().chain(valgrind).chain([known.as_str()]).map(str::to_owned));
        let output = self.run_as(&own, Rust);

        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lesson {} under valgrind: {errors}", self.number);
        for word in ["Invalid", "uninitialised", "definitely lost"] {
            assert!(!errors.contains(word), "lesson {} under valgrind: {errors}", self.number);
        }
        // Ctrl-C ends a server while it listens: its listener is the one socket that has no other end.
        let server = self.part() == Server;
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

fn the_one_for_the_second_terminal_and_the_player_of_demos_may_lose_their_readers_too() {
    reader::may_leave_a_client(&[built("lesson-client")]);
    let demo = [built("lesson-demo"), lesson("10").path("demo.txt"), "--server".to_owned()];
    let others = [built("lesson-10"), "--client".to_owned(), built("lesson-client")];
    reader::may_leave(&[demo, others].concat());
}

/// The calls of a trace, a line each: a call that is wider than a terminal goes on behind blanks.
fn whole_calls<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for line in lines {
        match (line.strip_prefix("     "), calls.last_mut()) {
            (Some(rest), Some(call)) => *call = format!("{call} {}", rest.trim_start()),
            _ => calls.push(line.to_owned()),
        }
    }
    calls
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

fn a_traced_call_is_broken_at_80_columns_and_outside_of_its_texts() {
    let call = r#"recvfrom(3, "E, \", \\", 1500, 0, {sa_family=AF_INET, sin_port=htons(0)}, [128 => 16]) = -1 EAGAIN (...)"#;
    let long = format!(r#"write(3, "{}, \""..., 109) = 109"#, "x".repeat(80));
    let set = format!("select(99, [{}], NULL) = 1", "10 ".repeat(30).trim_end());
    let fails =
        "connect(3, {sa_family=AF_INET, sin_port=htons(1), ...}, 16) = -1 ECONNREFUSED (Connection refused)";
    let calls = [call, &long, &set, fails];
    let folder = common::temporary::folder();
    let path = |name: &str| folder.path().join(name);
    let function = " > /lesson-00(php_sockets::a::socket_select+0x1) [0x1]\n";
    std::fs::write(path("names"), "none\n").expect("a file");
    std::fs::write(path("trace"), calls.map(|call| format!("1 {call}\n{function}")).concat())
        .expect("a file");

    let mut awk = common::limited("awk");
    let script = common::root().join("lessons/trace.awk");
    let output = awk.arg("-f").arg(script).arg(path("names")).arg(path("trace")).output().expect("awk runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");

    assert_eq!(whole_calls(text.lines()), calls.map(|call| format!("socket_select        {call}")), "{text}");
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
    assert_eq!(wide.len(), 1, "{text}");
    assert!(wide[0].ends_with(r#", \""...,"#), "{text}");
    assert!(text.lines().any(|line| line.trim() == "= -1 ECONNREFUSED (Connection refused)"), "{text}");
    assert!(text.contains(r#""E, \", \\", 1500, "#), "{text}");
}
