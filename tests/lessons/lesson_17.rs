//! Lesson 17 beyond what it prints.

use std::os::unix::fs::PermissionsExt;

use php_sockets::*;

use crate::common::{self, Strace};
use crate::compiler::refused_as_its_readme_says;
use crate::stage::twin::{Program, twins_of};

#[test]
fn who_may_not_write_to_the_file_may_not_connect() {
    // The other user has to be let into the folder, and to be able to make the file.
    let folder = common::temporary::folder();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o1777)).expect("its mode");
    let own = folder.path().join("door");
    let code = common::in_child(move || {
        // SAFETY: the calls take a number. Root may do everything, so user 65534 tries; other users cannot change, and need not.
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
    // The descriptor of the list itself is closed by then.
    command.args(["-c", "for fd in /proc/self/fd/*; do readlink $fd || :; done"]).stdin(end);

    let listed = common::printed(&mut command);

    assert_eq!(listed.matches("socket:").count(), 1, "its standard input alone: {listed}");
    drop(ours);
}

/// Runs a lesson where links stand under every name that the number of its process could tell, and reads its trace: all
/// its files are in one folder, for its owner alone, under a name that is new each time, and nothing is left of it.
pub(crate) fn keeps_its_files_in_a_folder_of_its_own(twin: &Program, number: &str) {
    let mut names = Vec::new();
    for _ in 0..2 {
        let folder = common::temporary::folder();
        let shared = folder.path();
        let victim = common::temporary::file("untouched");
        std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644)).expect("its mode");
        let traps = r#"for end in "" .sock .txt; do ln -s "$VICTIM" "$TMPDIR/lesson-$NUMBER-$$$end"; done; exec "$@""#;
        let strace = Strace::of_first_thread("mkdir,mkdirat,openat,bind,connect,chmod,fchmodat");
        let wrapper = [&strace.words()[..], &["sh", "-c", traps, "sh"]].concat();
        let mut command = twin.under(&wrapper, &[]);
        command.env("TMPDIR", shared).env("VICTIM", &victim).env("NUMBER", number);

        let output = command.output().expect("it runs");

        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(std::fs::read_to_string(&victim).expect("the file"), "untouched");
        assert_eq!(victim.metadata().expect("its state").permissions().mode() & 0o777, 0o644);
        let links = std::fs::read_dir(shared).expect("the folder").map(|entry| entry.expect("an entry"));
        let kinds: Vec<bool> = links.map(|entry| entry.file_type().expect("a kind").is_symlink()).collect();
        assert_eq!(kinds, [true; 3], "the traps and nothing else are left");

        let log_text = strace.log();
        let begin = format!("\"{}/", shared.display());
        let used: Vec<(&str, &str)> = log_text.lines().filter_map(|line| line.split_once(&begin)).collect();
        let (call, path) = used.first().expect("a folder is made");
        let (name, mode) = path.split_once('"').expect("a name");
        assert!(call.contains("mkdir") && mode.starts_with(", 0700) = 0"), "{log_text}");
        for (_, path) in &used {
            assert!(path.starts_with(name), "{path}");
            // Every file that is made is new.
            assert_eq!(path.contains("O_CREAT"), path.contains("O_EXCL"), "{path}");
        }
        assert!(used.len() > 2, "{log_text}");
        names.push(name.to_owned());
    }
    assert_ne!(names[0], names[1]);
}

#[test]
fn its_files_are_in_a_folder_of_its_own() {
    for twin in twins_of("17") {
        keeps_its_files_in_a_folder_of_its_own(&twin, "17");
    }
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("17-unix");
}
