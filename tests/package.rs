//! What the registry hands out: a library without programs, whose documentation builds there.

#[path = "common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Cargo in a folder, offline, with its own target folder.
fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = common::limited_to("300", env!("CARGO"));
    command.current_dir(folder).args(arguments).args(["--offline", "--target-dir"]);
    command.arg(common::root().join("target/package-test")).env_remove("RUSTFLAGS");
    command
}

/// The package as it would be published, unpacked.
fn unpacked() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name = format!("{}-{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let folder = common::root().join("target/package-test/package");
        let mut package = cargo(common::root(), &["package", "--allow-dirty", "--no-verify"]);
        assert!(package.status().expect("cargo runs").success(), "it is packed");
        // What was unpacked before may have files that are no longer in the package.
        let _ = std::fs::remove_dir_all(folder.join(&name));
        let mut tar = common::limited("tar");
        tar.current_dir(&folder).args(["-xzf", &format!("{name}.crate")]);
        assert!(tar.status().expect("tar runs").success(), "it is unpacked");
        folder.join(name)
    })
}

#[test]
fn its_documentation_builds_as_on_docs_rs() {
    let mut doc = cargo(unpacked(), &["doc", "--no-deps", "--lib", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-D warnings --cfg docsrs");

    let output = doc.output().expect("cargo runs");

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let course = common::root().join("target/package-test/doc/php_sockets/lessons/lesson_24/index.html");
    assert!(course.is_file(), "the course is part of it");
}

#[test]
fn whoever_installs_it_gets_no_programs() {
    let folder = unpacked();
    let root = std::env::temp_dir().join(format!("php-sockets-installed-{}", std::process::id()));
    std::fs::create_dir(&root).expect("a new folder");
    let mut install = cargo(folder, &["install", "--locked", "--path", "."]);
    // Cargo warns that there is nothing to install, which some versions call a failure.
    let output = install.env("CARGO_INSTALL_ROOT", &root).output();

    let programs = std::fs::read_dir(root.join("bin")).map_or(0, Iterator::count);
    std::fs::remove_dir_all(&root).expect("the folder");
    let text = String::from_utf8_lossy(&output.expect("cargo runs").stderr).into_owned();
    assert_eq!(programs, 0, "{text}");
    assert!(text.contains("none of the package's binaries are available for install"), "{text}");
}
