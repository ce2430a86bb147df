//! The compiler's complaints about the lines that break a lesson.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;

pub(crate) fn path() -> String {
    std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())
}

/// The compiler, for a program on its standard input that uses this crate.
fn compiler() -> Command {
    // The newest build of the library is the one that these tests are linked with.
    let folder = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let library: PathBuf = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libphp_sockets-") && name.ends_with(".rlib")
        })
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap())
        .expect("the library");
    let mut command = common::limited(path());
    command.args(["--edition=2024", "--crate-type=bin"]);
    command.arg("--extern").arg(format!("php_sockets={}", library.display()));
    command.arg("-L").arg(&folder).arg("-");
    // A lesson finds the shared files one folder up.
    command.current_dir(common::root().join("lessons/01-first-socket"));
    command
}

/// The compiler's complaints about a program that uses this crate, a line each; none if it accepts it.
pub(crate) fn compiler_says(program: &str) -> String {
    compiler_prints(program, "--error-format=short")
}

/// The same with the compiler's notes and suggestions.
pub(crate) fn compiler_explains(program: &str) -> String {
    compiler_prints(program, "--error-format=human")
}

fn compiler_prints(program: &str, format: &str) -> String {
    let mut command = compiler();
    command.args(["--emit=metadata", "-o", "-", format]);
    String::from_utf8(common::pipe(command, program).stderr).unwrap()
}

/// Builds a program that uses this crate.
pub(crate) fn compile(program: &str, output: &Path) {
    let mut command = compiler();
    command.arg("--error-format=short").arg("-o").arg(output);
    let output = common::pipe(command, program);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The line after "Break it" of a lesson's program, uncommented, and what the compiler says to it.
pub(crate) fn broken(folder: &str) -> String {
    let text = std::fs::read_to_string(common::root().join("lessons").join(folder).join("main.rs")).unwrap();
    assert_eq!(compiler_says(&text), "", "as it is, it compiles");
    let (before, after) = text.split_once("// Break it: uncomment the next line").unwrap();
    let (comment, code) = after.split_once('\n').unwrap();
    compiler_says(&format!("{before}// {comment}\n{}", code.replacen("// ", "", 1)))
}

/// The first line in the README's "Break it" is the compiler's complaint, and the only one. It goes on in indented lines.
pub(crate) fn refused_as_its_readme_says(folder: &str) {
    let readme =
        std::fs::read_to_string(common::root().join("lessons").join(folder).join("README.md")).unwrap();
    let shown = readme.split_once("\n## Break it\n").unwrap().1.split_once("```text\n").unwrap().1;
    let mut shown = shown.lines();
    let mut error = shown.next().unwrap().to_owned();
    for rest in shown.map_while(|line| line.strip_prefix("    ")) {
        error = format!("{error} {rest}");
    }

    let complaint = broken(folder);

    assert_eq!(complaint.matches("error[").count(), 1, "{complaint}");
    assert!(complaint.contains(&error), "{error}\n{complaint}");
}
