//! The package as the registry hands it out: the library and its course, whose documentation builds there.

#[path = "common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Cargo in a folder, offline, with a target folder of its own. The commands wait for each other there.
fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = common::limited_to(600, env!("CARGO"));
    command.current_dir(folder).args(arguments).args(["--offline", "--target-dir"]);
    command.arg(common::root().join("target/package-test")).env_remove("RUSTFLAGS");
    command
}

/// The package as it would be published: packed, unpacked, and built once by Cargo.
fn unpacked() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let output = cargo(common::root(), &["package", "--allow-dirty"]).output().expect("cargo runs");
        let text = succeeded(&output);
        assert!(!text.contains("manifest has no"), "{text}");
        let name = format!("{}-{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        common::root().join("target/package-test/package").join(name)
    })
}

/// Cargo's report, if it has succeeded.
fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stdout));
    text
}

/// The names in a folder of the package.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(unpacked().join(folder)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name")).collect()
}

#[test]
fn it_has_the_library_and_the_course_and_no_suite() {
    // Cargo adds the first only in a repository with a commit.
    let own = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];
    let texts = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
    let rest = ["Makefile", "lessons", "src", "tests"];
    let expected = [&own[1..], &texts, &rest].concat().into_iter().map(str::to_owned).collect();

    let mut top = names(".");
    top.remove(own[0]);

    assert_eq!(top, expected);
    // The tests inside `src` share the models with the property tests and the fuzz targets, and the limit with the suites.
    assert_eq!(names("tests"), BTreeSet::from(["common", "models"].map(str::to_owned)));
    assert_eq!(names("tests/common"), BTreeSet::from(["watchdog.rs".to_owned()]));
    let manifest = std::fs::read_to_string(unpacked().join("Cargo.toml")).expect("a text");
    assert!(!manifest.contains("[[test]]") && !manifest.contains("[[example]]"), "{manifest}");
}

#[test]
fn its_own_tests_and_examples_pass() {
    let output = cargo(unpacked(), &["test", "--quiet", "--locked"]).output().expect("cargo runs");

    succeeded(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    // Unit tests, then the examples of the documentation: no line says that there are none.
    assert!(text.matches("test result: ok. ").count() >= 2, "{text}");
    assert!(!text.contains("\nrunning 0 tests"), "{text}");
}

#[test]
fn its_lessons_compile() {
    let check = ["check", "--features", "lessons", "--bins", "--locked"];
    let output = cargo(unpacked(), &check).output().expect("cargo runs");

    succeeded(&output);
}

#[test]
fn its_documentation_builds_as_on_docs_rs() {
    let mut doc = cargo(unpacked(), &["doc", "--no-deps", "--lib", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-D warnings --cfg docsrs");

    let output = doc.output().expect("cargo runs");

    succeeded(&output);
    let course = common::root().join("target/package-test/doc/php_sockets/lessons/lesson_24/index.html");
    assert!(course.is_file(), "the course is part of it");

    // The README's table links each function to a section of a file. A line of the front page turns these to this page.
    let folder = common::root().join("target/package-test/doc/php_sockets");
    let front = std::fs::read_to_string(folder.join("index.html")).expect("the front page");
    let page = std::fs::read_to_string(folder.join("php_to_rust/index.html")).expect("the page");
    let linked = "src/php-to-rust.md#";
    assert!(front.contains(&format!(
        "<script>for (const link of document.querySelectorAll('a[href^=\"{linked}\"]'))"
    )));
    let names: Vec<&str> = front
        .split(&format!("<a href=\"{linked}"))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("id=\"{name}\"")), "{name} has no section");
    }
}

#[test]
fn an_installation_has_no_programs() {
    let folder = unpacked();
    let root = common::temporary::folder();
    let mut install = cargo(folder, &["install", "--locked", "--path", "."]);
    // Cargo warns that there is nothing to install, which some versions call a failure.
    let output = install.env("CARGO_INSTALL_ROOT", root.path()).output();

    let programs = std::fs::read_dir(root.path().join("bin")).map_or(0, Iterator::count);
    let text = String::from_utf8_lossy(&output.expect("cargo runs").stderr).into_owned();
    assert_eq!(programs, 0, "{text}");
    assert!(text.contains("none of the package's binaries are available for install"), "{text}");
}
