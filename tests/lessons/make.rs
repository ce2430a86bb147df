//! The front door: the targets of the Makefile.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use php_sockets::*;
use regex::Regex;

use crate::common::{self, Running, network};
use crate::stage::registry::{Lesson, Part, lessons};
use crate::stage::server::{Server, read_line, write_all};
use crate::stage::twin::{Program, Twin};

/// Two traces of one lesson write the same files: a test that makes `target` makes no other trace of it meanwhile.
fn traced_alone(target: &str) -> Option<MutexGuard<'static, ()>> {
    static LESSONS: [Mutex<()>; 100] = [const { Mutex::new(()) }; 100];
    let number: usize = target.strip_prefix("trace-")?.parse().ok()?;
    Some(LESSONS[number].lock().unwrap_or_else(PoisonError::into_inner))
}

/// The numbers of the lessons that are servers, and their ports.
fn ports() -> impl Iterator<Item = (&'static str, u16)> {
    lessons().iter().filter_map(|lesson| Some((lesson.number.as_str(), lesson.server.as_ref()?.port)))
}

fn make(arguments: &[&str]) -> (bool, String, String) {
    make_in(common::root(), arguments)
}

fn make_in(folder: &std::path::Path, arguments: &[&str]) -> (bool, String, String) {
    // It may have to compile the crate, and much else may run.
    let _alone = arguments.iter().find_map(|target| traced_alone(target));
    let mut command: Command = common::limited_to(300, "make");
    // The last one counts, so that a test may name another PHP.
    command.arg(format!("PHP={}", common::php_program()));
    let output =
        command.current_dir(folder).arg("--no-print-directory").args(arguments).output().expect("make runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn make_alone_lists_the_lessons_and_the_targets() {
    let (done, text, _) = make(&[]);

    assert!(done);
    for line in [
        "  make lesson-01   ",
        "  make lesson-02   ",
        "  make lesson-03   ",
        "  make php-03 ",
        "  make test ",
        "  make clean ",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 80), "it fits a terminal of 80 columns");
}

#[test]
fn make_lessons_lists_them_and_says_where_to_begin() {
    let (_, all, _) = make(&[]);
    let (done, text, errors) = make(&["lessons"]);

    assert!(done, "{errors}");
    let list: Vec<&str> = all.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let (shown, rest) = text.split_once("\n\n").expect("an empty line");
    assert_eq!(shown.lines().collect::<Vec<_>>(), list);
    assert!(rest.starts_with("Begin with make lesson-03."), "{rest}");
}

#[test]
fn a_lesson_that_does_not_exist_is_one_line() {
    for target in ["lesson-99", "php-99", "trace-99", "lesson-0", "lesson-003", "lesson-"] {
        let (done, text, errors) = make(&[target]);

        assert!(!done, "{target}");
        assert_eq!(text, "");
        let lines: Vec<&str> = errors.lines().filter(|line| !line.starts_with("make: ***")).collect();
        assert_eq!(lines.len(), 1, "{target}: {errors}");
        assert!(lines[0].contains("Type 'make'") || lines[0].contains("make"), "{errors}");
    }
}

#[test]
fn a_target_that_does_not_exist_is_one_line() {
    // The last two are folders, which make would call done.
    for target in ["nonsense", "lessons-03", "src", "tests"] {
        let (done, text, errors) = make(&[target]);

        assert!(!done, "{target}");
        assert_eq!(text, "", "{target}");
        assert_eq!(errors.lines().count(), 1, "{target}: {errors}");
        let sentence = format!(" There is no such target: {target}. Type 'make' for the list.");
        assert!(errors.contains(&sentence), "{errors}");
    }
}

#[test]
fn arguments_that_the_shell_cannot_read_are_one_line() {
    for target in ["lesson-03", "lesson-13", "php-13", "client-13", "trace-01"] {
        for arguments in ["it's", "\"", "a (b)"] {
            let (done, text, errors) = make(&[target, &format!("ARGS={arguments}")]);

            assert!(!done, "{target}");
            assert_eq!(text, "", "{target}");
            let lines: Vec<&str> = errors.lines().filter(|line| !line.starts_with("make: ***")).collect();
            let sentence =
                format!("The shell cannot read these arguments (is a quote left open?): {arguments}");
            assert_eq!(lines, [sentence], "{target}");
        }
    }
}

#[test]
fn arguments_that_are_not_used_are_reported() {
    for lesson in lessons() {
        let number = &lesson.number;
        let takes =
            ["env::args", "arguments::address"].iter().any(|word| lesson.file("main.rs").contains(word));
        // A program that does nothing: it is about the line that make prints before.
        for (target, program) in [("lesson", "CARGO=true"), ("php", "PHP=true")] {
            let (done, _, errors) = make(&[&format!("{target}-{number}"), "ARGS=127.0.0.1", program]);

            assert!(done, "{errors}");
            let said = errors.contains(&format!("Lesson {number} takes no arguments.\n"));
            // Lesson 19 starts itself with an argument of its own.
            assert_eq!(said, !takes || number == "19", "{target}-{number}: {errors}");
        }
    }
    let (_, _, errors) = make(&["demo-10", "ARGS=0.0.0.0 0"]);
    assert!(errors.starts_with("The demo of lesson 10 takes no arguments.\n"), "{errors}");
}

#[test]
fn the_help_shows_arguments_that_its_lesson_takes() {
    let (_, text, _) = make(&[]);
    let example = Regex::new(r#"make lesson-(\d\d) ARGS="127\.0\.0\.1 8000""#).expect("a pattern");
    let number = &example.captures(&text).expect("an example")[1];

    assert!(ports().any(|(server, _)| server == number), "{number}");
}

#[test]
fn a_tool_that_is_missing_is_one_line_that_says_what_to_do() {
    for (arguments, remedy) in [
        (["lesson-03", "CARGO=no-such-cargo"], "install Rust from https://rustup.rs"),
        (["php-03", "PHP=no-such-php"], "apt install php-cli"),
        (["trace-03", "STRACE=no-such-strace"], "apt install strace"),
    ] {
        let (done, _, errors) = make(&arguments);

        assert!(!done);
        let first = errors.lines().next().unwrap_or_default();
        assert!(first.starts_with("This needs no-such-") && first.ends_with(remedy), "{errors}");
    }
}

#[test]
fn it_works_from_a_path_with_spaces() {
    let temporary = common::temporary::folder();
    let folder = temporary.path().join("a path with spaces");
    std::fs::create_dir(&folder).expect("a folder");
    let mut copy = common::limited("cp");
    copy.current_dir(common::root()).arg("-r");
    copy.args(["Makefile", "Cargo.toml", "Cargo.lock", "README.md", "src", "lessons", "tests"]).arg(&folder);
    assert!(copy.status().expect("cp runs").success());

    let (listed, _, _) = make_in(&folder, &[]);
    let (ran, text, errors) = make_in(&folder, &["lesson-03"]);
    let (again, _, silence) = make_in(&folder, &["lesson-03"]);
    let (php, twin, _) = make_in(&folder, &["php-03"]);
    let (traced, trace, _) = make_in(&folder, &["trace-03"]);

    assert!(listed && ran && again && php && traced, "{errors}");
    // The first build is not silent, and each later one is.
    assert_eq!(errors, "Building lesson-03: the first time this takes some seconds.\n");
    assert_eq!(silence, "");
    assert_eq!(text.lines().count(), twin.lines().count());
    assert!(trace.contains("\nsocket_listen        listen("));
}

#[test]
fn make_clean_removes_what_was_built_and_nothing_else() {
    let temporary = common::temporary::folder();
    let folder = temporary.path();
    let built = [
        "target/debug",
        "target/php",
        "tests/bench/target",
        "tests/counts/target",
        "tests/fuzz/target",
        "tests/fuzz/artifacts",
        "tests/fuzz/coverage",
    ];
    let kept = ["src", "lessons", "tests/bench/src", "tests/fuzz/corpus"];
    for name in built.iter().chain(&kept) {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
        std::fs::write(folder.join(name).join("file"), "").expect("a file");
    }
    for name in ["Makefile", "lessons/lessons.toml"] {
        std::fs::copy(common::root().join(name), folder.join(name)).expect("a file that make reads");
    }

    let first = make_in(folder, &["clean"]);
    let again = make_in(folder, &["clean"]);

    let left = |name: &&str| folder.join(name).exists();
    let (built, kept) = (built.iter().filter(|name| left(name)).count(), kept.iter().all(left));
    let silent = (true, String::new(), String::new());
    assert_eq!((first, again), (silent.clone(), silent));
    assert_eq!(built, 0);
    assert!(kept);
}

#[test]
fn the_other_end_of_a_lesson_that_has_none_is_one_line() {
    for (target, sentence) in [
        ("client-01", "Lesson 01 needs no second terminal: make lesson-01"),
        ("demo-01", "Lesson 01 needs no second terminal: make lesson-01"),
        ("client-08", "Lesson 08 needs no second terminal: make lesson-08"),
        ("client-05", "Lesson 05 is itself the client: make lesson-05"),
        ("client-07", "Lesson 07 is itself the client: make lesson-07"),
        ("client-5", "Lesson 05 is itself the client: make lesson-05"),
        ("demo-1", "Lesson 01 needs no second terminal: make lesson-01"),
        ("client-99", "There is no such lesson. Type 'make' for the list"),
        ("demo-99", "There is no such lesson. Type 'make' for the list"),
        ("client-", "Which lesson? Type 'make' for the list"),
    ] {
        let (done, text, errors) = make(&[target]);

        assert!(!done, "{target}");
        assert_eq!(text, "", "{target}");
        assert_eq!(errors.lines().count(), 1, "{target}: {errors}");
        assert!(errors.contains(sentence), "{target}: {errors}");
    }
}

#[test]
fn a_number_without_its_zero_will_do() {
    // Ports and process numbers differ.
    let number = Regex::new(r"\d+").expect("a pattern");
    for (short, long) in
        [("lesson-3", "lesson-03"), ("php-3", "php-03"), ("trace-3", "trace-03"), ("demo-9", "demo-09")]
    {
        let [short, long] = [short, long].map(|target| {
            let (done, text, errors) = make(&[target]);
            assert!(done, "{target}: {errors}");
            number.replace_all(&text, "#").into_owned()
        });
        assert_eq!(short, long);
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for target in ["help", "lessons", "lesson-03", "php-03", "trace-03", "demo-10"] {
        let _alone = traced_alone(target);
        let mut command = common::limited_to(300, "sh");
        let line = r#"{ make --no-print-directory "$1"; echo "status $?" >&2; } | head -1"#;
        let output = command.current_dir(common::root()).args(["-c", line, "sh", target]).output();

        let output = output.expect("it runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1, "{target}");
        assert_eq!(without_building(&output.stderr), "status 0\n", "{target}");
    }
}

/// The output, without the line that says what is built.
fn without_building(errors: &[u8]) -> String {
    let errors = String::from_utf8_lossy(errors);
    errors
        .lines()
        .filter(|line| !line.starts_with("Building "))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// Lets a process run only where a busy loop leaves time to it: it hears of a signal later than all others.
fn starve(pid: &str) -> Running {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let (_, cpus) = status.split_once("Cpus_allowed_list:\t").expect("a list");
    let first: String = cpus.chars().take_while(char::is_ascii_digit).collect();
    let mut hog = common::limited("taskset");
    let hog = Running::start(hog.args(["-c", &first, "sh", "-c", "while :; do :; done"]));
    common::printed(common::limited("taskset").args(["-p", "-c", &first, pid]));
    common::printed(common::limited("chrt").args(["--idle", "-p", "0", pid]));
    hog
}

#[test]
fn ctrl_c_at_a_server_does_not_look_like_a_failure() {
    for target in ["lesson-13", "php-13", "lesson-15", "php-15"] {
        // A terminal of its own, in which Ctrl-C reaches make, too.
        let mut terminal = common::limited_to(300, "script");
        let command = format!("echo $$; exec make --no-print-directory {target} ARGS='127.0.0.1 0'");
        terminal.current_dir(common::root()).args(["-qec", &command, "/dev/null"]);
        let mut terminal = Running::start(terminal.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut shown = BufReader::new(terminal.stdout.take().expect("a pipe"));
        let mut line = String::new();
        shown.read_line(&mut line).expect("UTF-8");
        let make = line.trim().to_owned();
        while !line.starts_with("Second terminal: ") {
            line.clear();
            assert_ne!(shown.read_line(&mut line).expect("UTF-8"), 0, "{target} listens");
        }
        let _hog = starve(&make);
        let mut keyboard = terminal.stdin.take().expect("a pipe");
        keyboard.write_all(b"\x03").expect("it is there");

        let mut rest = String::new();
        shown.read_to_string(&mut rest).expect("UTF-8");

        assert_eq!(rest.trim_end(), "^C", "{target}");
        let status = terminal.wait().expect("it ends");
        assert_eq!(status.code(), Some(128 + libc::SIGINT), "{target}");
    }
}

#[test]
fn without_phps_event_extension_its_stand_in_plays_and_make_says_so() {
    let mut command = common::limited("make");
    command.current_dir(common::root()).args(["--no-print-directory", "php-15", "ARGS=127.0.0.1 0"]);
    command.stderr(Stdio::piped());
    let mut server = Server::start(command);
    let mut said = String::new();
    if common::php("echo (int) class_exists('EventBase');") == "0" {
        let errors = server.child.stderr.take().expect("a pipe");
        BufReader::new(errors).read_line(&mut said).expect("UTF-8");
        assert!(said.ends_with(" tests/lessons/event.php stands in for it.\n"), "{said}");
    }

    assert!(read_line(&server.connect()).starts_with("Welcome, client 1."));
}

#[test]
fn a_port_alone_will_do_and_a_server_that_is_missing_is_named() {
    let (_holder, port) = common::closed_port();
    let port = port.to_string();
    let (done, _, errors) = make(&["client-10", &format!("ARGS={port}")]);

    assert!(!done);
    let first = format!(
        "No server listens there. Start it first, in another terminal: make lesson-10 ARGS=\"{port}\"\n"
    );
    assert!(without_building(errors.as_bytes()).starts_with(&first), "{errors}");

    // In a network of its own each lesson's port is free, and so is port 80.
    for (number, _) in ports() {
        for target in ["lesson", "php"] {
            let command = format!("make --no-print-directory {target}-{number} ARGS=80");
            let server = Server::start_with(
                network::in_own_network("", &["sh".into(), "-c".into(), command.into()], &[]),
                |line| line.strip_prefix("Listening on 127.0.0.1:")?.parse().ok(),
            );
            assert_eq!(server.port, 80, "{target}-{number}");
        }
    }
    for (target, sentence) in [
        (
            "lesson-05",
            "No server listens there. Start it first, in another terminal: make lesson-04 ARGS=\"127.0.0.1 PORT\"\n",
        ),
        (
            "php-05",
            "No server listens there. Start it first, in another terminal: make php-04 ARGS=\"127.0.0.1 PORT\"\n",
        ),
        (
            "lesson-07",
            "No server listens there. Start one first, in another terminal: make lesson-22 ARGS=PORT\n",
        ),
        ("php-07", "No server listens there. Start one first, in another terminal: make php-22 ARGS=PORT\n"),
        ("lesson-08", "HOST comes first: make lesson-08 ARGS=\"127.0.0.1 PORT PORT\"\n"),
        ("php-08", "HOST comes first: make php-08 ARGS=\"127.0.0.1 PORT PORT\"\n"),
    ] {
        let (done, _, errors) = make(&[target, &format!("ARGS={port}")]);

        assert!(!done, "{target}");
        let errors = without_building(errors.as_bytes());
        assert!(errors.starts_with(&sentence.replace("PORT", &port)), "{target}: {errors}");
    }
}

#[test]
fn arguments_of_a_client_may_have_quotes_as_those_of_its_server() {
    let (_holder, port) = common::closed_port();
    for arguments in [format!("'127.0.0.1' {port}"), format!("\"127.0.0.1\" '{port}'")] {
        let (done, _, errors) = make(&["client-10", &format!("ARGS={arguments}")]);

        assert!(!done);
        let errors = without_building(errors.as_bytes());
        assert!(errors.contains(": unable to connect [111]: Connection refused\n"), "{errors}");
        // Typed as it stands there, it starts the server with the same arguments.
        let typed = arguments.replace('"', "\\\"");
        assert!(errors.contains(&format!(": make lesson-10 ARGS=\"{typed}\"\n")), "{errors}");
    }
}

#[test]
fn make_demo_plays_both_ends() {
    let (done, text, errors) = make(&["demo-10"]);

    assert!(done, "{errors}");
    for line in [
        "  server | Listening on 127.0.0.1:",
        "   alice > hello\n   alice | OK ... hello\n",
        "  server * is stopped\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
}

#[test]
fn make_client_sends_what_is_typed_and_prints_what_arrives() {
    let server = Program::of("10", Twin::Rust).start();
    let mut client = common::limited("make");
    client.current_dir(common::root()).args(["--no-print-directory", "client-10"]);
    client.arg(format!("ARGS=127.0.0.1 {}", server.port));

    let output = common::pipe(client, "hello\n");

    assert_eq!(without_building(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "OK ... hello\n");
    assert!(output.status.success());
}

#[test]
fn arguments_reach_the_lesson() {
    for target in ["lesson-10", "php-10"] {
        let mut command = common::limited("make");
        command.current_dir(common::root()).args(["--no-print-directory", target, "ARGS=0.0.0.0 0"]);
        // Ended with its lesson, make complains.
        command.stderr(Stdio::null());
        let server =
            Server::start_with(command, |line| line.strip_prefix("Listening on 0.0.0.0:")?.parse().ok());

        assert_eq!(
            server.line(),
            format!("Second terminal: make client-10 ARGS=\"0.0.0.0 {}\"", server.port)
        );
        let client = server.connect();
        write_all(&client, b"hello\n");
        assert_eq!(read_line(&client), "OK ... hello\n");
    }
}

#[test]
fn every_server_has_the_port_of_the_curriculum_everywhere() {
    // make knows where `make client-NN` finds them.
    let rule = "--eval=ports: ; @echo $(foreach number,$(servers),$(number)=$(port_$(number)))";
    let (done, text, errors) = make(&[rule, "ports"]);
    assert!(done, "{errors}");
    let known: Vec<String> = ports().map(|(number, port)| format!("{number}={port}")).collect();
    assert_eq!(text.trim_end(), known.join(" "));
    assert!(known.len() >= 8, "{text}");

    // A lesson that is the client of another one goes where that listens.
    let server = |lesson: &'static Lesson| {
        lesson.server.as_ref().or_else(|| match lesson.part() {
            Part::ClientOf(server) => server.server.as_ref(),
            _ => None,
        })
    };
    for (lesson, server) in lessons().iter().filter_map(|lesson| Some((lesson, server(lesson)?))) {
        let port = server.port;
        let (rust, php) = (lesson.file("main.rs"), lesson.file("main.php"));
        assert!(rust.contains(&format!(" = arguments::address_and_port({port});\n")), "{}", lesson.folder());
        assert!(php.contains(&format!("] = address_and_port({port});\n")), "{}", lesson.folder());
    }
}

/// A client of a server that the test plays, its keyboard and its screen.
fn client() -> (Socket, Running) {
    let (listener, port) = common::listener();
    let mut command = common::limited(env!("CARGO_BIN_EXE_lesson-client"));
    command.args(["127.0.0.1", &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let client = Running::start(&mut command);
    (socket_accept(&listener).expect("the client connects"), client)
}

/// The client's output until the end.
fn printed(mut client: Running) -> String {
    let mut text = String::new();
    client.stdout.take().expect("a pipe").read_to_string(&mut text).expect("UTF-8");
    assert!(client.ended());
    text
}

#[test]
fn a_character_in_two_packets_is_printed_whole() {
    let (server, mut client) = client();
    // The text before the character shows that the first packet has been read.
    socket_write(&server, b"caf\xC3", None).expect("space");
    let mut text = [0; 3];
    client.stdout.as_mut().expect("a pipe").read_exact(&mut text).expect("the first packet");
    assert_eq!(&text, b"caf");
    socket_write(&server, b"\xA9\n", None).expect("space");
    // Half a character at the end has no other half to wait for.
    socket_write(&server, b"\xE2\x82", None).expect("space");
    socket_close(server);

    assert_eq!(printed(client), "\u{E9}\n\u{FFFD}");
}

#[test]
fn control_characters_of_a_server_are_shown_and_not_obeyed() {
    let (server, client) = client();
    write_all(&server, b"\x1b[2J\x07\x08\0\x7f\r\n\tand \xC2\x9B31m \x9B \xE2\x80\xAE.\n");
    socket_close(server);

    assert_eq!(
        printed(client),
        "\\u{1b}[2J\\u{7}\\u{8}\\u{0}\\u{7f}\\r\n\tand \\u{9b}31m \u{FFFD} \\u{202e}.\n"
    );
}

#[test]
fn the_client_sends_keys_as_they_come_and_goes_on_reading_when_the_keyboard_ends() {
    let (server, mut client) = client();
    let mut keyboard = client.stdin.take().expect("a pipe");
    for key in [b"h", b"i"] {
        keyboard.write_all(key).expect("the client reads");
        assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).expect("a key"), key);
    }
    drop(keyboard);
    assert_eq!(socket_read(&server, 100, PHP_BINARY_READ).expect("the end"), b"");
    write_all(&server, b"late\n");
    socket_close(server);

    assert_eq!(printed(client), "late\n");
}

#[test]
fn a_client_whose_screen_is_closed_ends_without_a_panic() {
    let (server, mut client) = client();
    drop(client.stdout.take());
    // Either the socket still takes it, or the client has gone already.
    let _ = socket_write(&server, vec![b'x'; 100_000], None);

    assert!(client.ended());
}

#[test]
fn a_client_that_nobody_answers_says_so_in_phps_words() {
    let (_holder, port) = common::closed_port();
    let mut command = common::limited(env!("CARGO_BIN_EXE_lesson-client"));
    let output = command.args(["127.0.0.1", &port.to_string()]).output().expect("it runs");

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: socket_connect(): unable to connect [111]: Connection refused\n"
    );
    for arguments in [&["127.0.0.1"][..], &["127.0.0.1", "x"], &["127.0.0.1", "65536"], &["a", "1", "b"]] {
        let mut command = common::limited(env!("CARGO_BIN_EXE_lesson-client"));
        let output = command.args(arguments).output().expect("it runs");

        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "An address and a port are needed, or a port alone, for example: 127.0.0.1 5001\n"
        );
    }
    // make names the port of the lesson's server.
    for (number, port) in ports() {
        let (done, _, errors) = make(&[&format!("client-{number}"), "ARGS=foo"]);

        assert!(!done, "{number}");
        let example = format!(", for example: 127.0.0.1 {port}\n");
        assert!(errors.contains(&example), "{number}: {errors}");
    }
}
