//! The player of the demos itself: what it accepts, and what it says when a demo and its programs disagree.

use std::process::Output;
use std::time::{Duration, Instant};

use tempfile::TempPath;

use crate::common;

/// A `demo.txt` of this test's own.
struct Demo(TempPath);

impl Demo {
    fn new(text: &str) -> Demo {
        Demo(common::temporary::file(text))
    }

    fn play(&self, arguments: &[&str]) -> Output {
        let mut command = common::limited(env!("CARGO_BIN_EXE_lesson-demo"));
        command.arg(&self.0).args(arguments).output().expect("it runs")
    }

    /// The player's output, with this text as its demo and a shell script as the server.
    fn with_server(text: &str, script: &str) -> Result<String, String> {
        Demo::new(text).said(&["--server", "sh", "-c", script])
    }

    /// The same with a script as every client, and a server that only listens.
    fn with_client(text: &str, script: &str) -> Result<String, String> {
        let text = format!("server: up\n{text}\nserver ends\n");
        let server = ["--server", "sh", "-c", "echo up"];
        let arguments = [&server[..], &["--client", "sh", "-c", script]].concat();
        Demo::new(&text).said(&arguments)
    }

    /// Its output if it succeeds, and why it failed if not; `FILE` stands for the name of the demo.
    fn said(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.play(arguments);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        if output.status.success() {
            assert_eq!(text(output.stderr), "");
            return Ok(text(output.stdout));
        }
        assert_eq!(output.status.code(), Some(1));
        Err(text(output.stderr).replace(self.0.to_str().expect("UTF-8"), "FILE"))
    }
}

fn fails(reason: &str) -> Result<String, String> {
    Err(format!("{reason}\n"))
}

#[test]
fn a_demo_that_is_right_is_shown_as_it_happens() {
    let shown = Demo::with_server(
        "# It counts.\nserver: %d is one\n\nserver has: tw\nserver: o\nthe server ends\n",
        "echo 1 is one; printf tw; echo o",
    );

    assert_eq!(
        shown.as_deref(),
        Ok("It counts.\n  server | 1 is one\n\n  server | tw\n  server | o\n  server * ends\n")
    );
}

#[test]
fn a_wrong_line_is_named_with_what_was_really_said() {
    let shown = Demo::with_server("server: one\nserver: two\nthe server ends\n", "echo one; echo three");

    assert_eq!(shown, fails("FILE:2: server: two\nserver printed: three"));
}

#[test]
fn a_line_that_never_comes_is_named_with_what_came_instead() {
    let shown = Demo::with_server("server: one\nserver: two\n", "echo one; printf 'no line'");
    assert_eq!(shown, fails("FILE:2: server: two\nIt does not come. Printed and not asked for: \"no line\""));

    // This is known at the first wrong character, while the server still runs.
    let shown = Demo::with_server("server has: yes, it is\n", "printf no; exec sleep 25");
    assert_eq!(shown, fails("FILE:1: server has: yes, it is\nPrinted and not asked for: \"no\""));
}

#[test]
fn a_server_that_says_more_than_the_demo_tells_is_a_failure() {
    let shown = Demo::with_server("server: one\nthe server ends\n", "echo one; echo more");
    assert_eq!(shown, fails("FILE:2: the server ends\nPrinted and not asked for: \"more\\n\""));

    // Also what it still says when it is stopped.
    let script = "trap 'echo bye; exit' INT; echo one; while :; do sleep 0.01; done";
    let shown = Demo::with_server("server: one\nthe server is stopped\n", script);
    assert_eq!(shown, fails("FILE:2: the server is stopped\nPrinted and not asked for: \"bye\\n\""));
}

#[test]
fn a_server_that_still_runs_at_the_end_is_a_failure_and_is_ended() {
    let demo = Demo::new("server: %d\n");
    let begin = Instant::now();
    let output = demo.play(&["--server", "sh", "-c", "echo $$; exec sleep 25"]);

    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(errors.ends_with(", at its end:\nserver is still here\n"), "{errors}");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let pid = shown.trim().strip_prefix("server | ").expect("its number");
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "process {pid} has ended");
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_server_that_still_runs_when_a_line_is_wrong_is_ended() {
    let demo = Demo::new("server: %d\nserver: two\n");
    let output = demo.play(&["--server", "sh", "-c", "echo $$; echo three; exec sleep 25"]);

    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    let pid = shown.trim().strip_prefix("server | ").expect("its number");
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "process {pid} has ended");
}

#[test]
fn a_server_that_ends_without_success_is_a_failure() {
    let shown = Demo::with_server("server: one\nthe server ends\n", "echo one; exit 3");
    assert_eq!(shown, fails("FILE:2: the server ends\nserver ended with exit status: 3"));

    // Ctrl-C ends it, and with a status of its own that is no success.
    let script = "trap 'exit 3' INT; echo one; while :; do sleep 0.01; done";
    let shown = Demo::with_server("server: one\nthe server is stopped\n", script);
    assert_eq!(shown, fails("FILE:2: the server is stopped\nserver ended with exit status: 3"));

    let shown = Demo::with_server("server: one\nthe server is stopped\n", "echo one; exec sleep 25");
    assert!(shown.is_ok(), "{shown:?}");
    let script = "trap 'exit 0' INT; echo one; while :; do sleep 0.01; done";
    let shown = Demo::with_server("server: one\nthe server is stopped\n", script);
    assert!(shown.is_ok(), "{shown:?}");
}

#[test]
fn a_server_that_does_not_start_is_a_failure() {
    let shown = Demo::new("server: one\n").said(&["--server", "/no/such/program"]);

    assert_eq!(shown, fails("FILE:1: server: one\n/no/such/program: No such file or directory (os error 2)"));
}

#[test]
fn a_pattern_matches_a_number_and_some_characters_and_the_rest_as_it_is() {
    for (pattern, line, fits) in [
        ("one", "one", true),
        ("one", "one ", false),
        ("one", "on", false),
        ("o.e", "one", false),
        ("[é]", "[é]", true),
        ("", "", true),
        ("", "x", false),
        ("%d", "0", true),
        ("%d", "5001", true),
        ("%d", "-7", true),
        ("%d", "", false),
        ("%d", "-", false),
        ("%d", "7x", false),
        ("%d", "x", false),
        ("port %d.", "port 80.", true),
        ("port %d.", "port .", false),
        ("%d%d", "12", true),
        ("%d%d", "1", false),
        ("%s", "", false),
        ("%s", " ", true),
        ("%s", "é and more", true),
        ("a %s b", "a x b", true),
        ("a %s b", "a x b b", true),
        ("a %s b", "a  b", false),
        ("a %s b", "a x c", false),
        ("%s:%d", "127.0.0.1:80", true),
        ("%s:%d", "127.0.0.1:", false),
        ("%x", "%x", true),
    ] {
        let shown = Demo::with_server(
            &format!("server: {pattern}\nthe server ends\n"),
            &format!("printf '%s\\n' '{line}'"),
        );

        let expected = if fits {
            Ok(format!("  server | {line}\n  server * ends\n"))
        } else {
            fails(&format!("FILE:1: server: {pattern}\nserver printed: {line}"))
        };
        assert_eq!(shown, expected, "{pattern:?} and {line:?}");
    }
}

#[test]
fn a_line_that_is_no_line_of_a_demo_is_a_failure() {
    for line in [
        "alice sings",
        "alice",
        "alice types nothing",
        "alice leaves the house",
        "alice hears nothing yet",
        "the server ends well",
        "the end",
    ] {
        let shown = Demo::new(&format!("# a demo\n{line}\n")).said(&["--script"]);

        assert_eq!(shown, fails(&format!("FILE:2: {line}\nThis is no line of a demo")));
    }
}

#[test]
fn clients_are_started_and_heard_by_their_names() {
    let shown = Demo::with_client(
        "alice connects\nalice: 127.0.0.1\nbob connects to localhost\nbob: localhost\n\
         bob types: hello\nbob: bob heard hello\nalice hears nothing\nalice presses Ctrl-D\nalice is gone\nbob leaves",
        "echo $0; while read -r line; do echo bob heard $line; done",
    );
    assert!(shown.is_ok(), "{shown:?}");

    let shown = Demo::with_client("alice connects\nalice connects", "exec sleep 25");
    assert_eq!(shown, fails("FILE:3: alice connects\nalice is here already"));
    let shown = Demo::with_client("bob leaves", "exec sleep 25");
    assert_eq!(shown, fails("FILE:2: bob leaves\nNobody has this name"));
    let shown = Demo::with_client("alice connects\nalice: up\nalice is gone", "echo up; exit 1");
    assert_eq!(shown, fails("FILE:4: alice is gone\nalice ended with exit status: 1"));
    // Both lines come in one write, so the second has come with the first.
    let talkative = r"printf 'up\nmore\n'; exec sleep 25";
    let shown = Demo::with_client("alice connects\nalice: up\nalice leaves", talkative);
    assert_eq!(shown, fails("FILE:4: alice leaves\nPrinted and not asked for: \"more\\n\""));
    let shown = Demo::with_client("alice connects\nalice: up\nalice hears nothing", talkative);
    assert_eq!(shown, fails("FILE:4: alice hears nothing\nPrinted and not asked for: \"more\\n\""));
}

#[test]
fn without_a_server_the_player_is_the_server() {
    let client = env!("CARGO_BIN_EXE_lesson-client");
    let play = |text: &str| Demo::new(text).said(&["--client", client]);
    let begin = "server: Listening on 127.0.0.1:%d\nalice connects\nalice types: hello 5\n";

    let shown = play(&format!(
        "{begin}server reads: hello %d\nserver says without end: hi\nalice has: hi\nserver hangs up\nalice is gone\n"
    ))
    .expect("it is right");
    assert!(shown.ends_with(
        "   alice > hello 5\n  server < hello 5\n  server > hi\n   alice | hi\n  server * hangs up\n   alice * is gone\n"
    ));

    assert_eq!(
        play(&format!("{begin}server reads: hello there\n")),
        fails("FILE:4: server reads: hello there\nIt read: hello 5")
    );
    let shown = play(&format!("{begin}server reads: hello 5\nalice leaves\n"));
    assert_eq!(shown, fails("FILE, at its end:\nThe server has not hung up"));
}

#[test]
fn the_script_shows_what_is_expected_and_starts_nothing() {
    let demo = Demo::new("# A port.\nserver: Listening on %s:%d\nalice connects\nalice leaves\n");
    let expected = "A port.\n  server | Listening on %s:%d\n   alice * connects\n   alice * leaves\n";

    assert_eq!(demo.said(&["--script"]).as_deref(), Ok(expected));
    let nobody = ["--script", "--server", "/no/such/program", "--client", "/no/such/program"];
    assert_eq!(demo.said(&nobody).as_deref(), Ok(expected));
}
