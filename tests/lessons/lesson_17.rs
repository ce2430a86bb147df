//! Lesson 17 beyond what it prints.

use std::os::unix::fs::PermissionsExt;

use php_sockets::*;

use crate::common;
use crate::compiler::refused_as_its_readme_says;

#[test]
fn who_may_not_write_to_the_file_may_not_connect() {
    let path = std::env::temp_dir().join(format!("php-sockets-mode-{}.sock", std::process::id()));
    let own = path.clone();
    let code = common::in_child(move || {
        // SAFETY: the calls take a number. Root may do everything, so nobody tries; others cannot change, and need not.
        unsafe { libc::setuid(65534) };
        let listener = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
        socket_bind(&listener, &own, 0).expect("a path");
        socket_listen(&listener, 5).expect("listening");
        let connects = |mode| {
            std::fs::set_permissions(&own, std::fs::Permissions::from_mode(mode)).expect("its file");
            let client = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");
            socket_connect(&client, &own, None).map_err(|error| error.code())
        };
        assert_eq!(connects(0o400), Err(SOCKET_EACCES));
        assert_eq!(connects(0o200), Ok(()));
        0
    });

    let _ = std::fs::remove_file(&path);
    assert_eq!(code, 0);
}

#[test]
fn a_path_has_at_most_107_bytes() {
    let socket = socket_create(AF_UNIX, SOCK_STREAM, 0).expect("a socket");

    let error = socket_bind(&socket, "/".repeat(108), 0).unwrap_err();

    assert_eq!(error.to_string(), "socket_bind(): Argument #2 ($address) must be less than 108");
    socket_bind(&socket, format!("/nowhere/{}", "x".repeat(98)), 0)
        .expect_err("107 bytes, and no such folder");
}

#[test]
fn a_child_process_inherits_nothing_that_it_was_not_given() {
    let (ours, theirs) = common::pair(SOCK_STREAM);
    let end = std::os::fd::OwnedFd::from(theirs);
    let mut command = common::limited("sh");
    command.args(["-c", "for fd in /proc/self/fd/*; do readlink $fd; done"]).stdin(end);
    let output = command.output().expect("it runs");

    let listed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(listed.matches("socket:").count(), 1, "its standard input alone: {listed}");
    drop(ours);
}

#[test]
fn the_lesson_leaves_no_file() {
    for command in
        [vec![env!("CARGO_BIN_EXE_lesson-17")], vec![common::php_program(), "lessons/17-unix/main.php"]]
    {
        let folder = std::env::temp_dir().join(format!("php-sockets-17-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut lesson = common::limited(command[0]);
        let status = lesson.args(&command[1..]).current_dir(common::root()).env("TMPDIR", &folder).output();
        assert!(status.expect("it runs").status.success());

        std::fs::remove_dir(&folder).expect("the folder is empty");
    }
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("17-unix");
}
