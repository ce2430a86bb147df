//! The parts that the test suites share.

#![allow(dead_code, unused_imports, reason = "each suite uses a part of it")]

pub(crate) mod codes;
mod faults;
pub(crate) mod network;
mod own;
mod php;
mod process;
pub(crate) mod shim;
mod sockets;
pub(crate) mod strace;
pub(crate) mod temporary;

use std::path::{Path, PathBuf};

pub(crate) use faults::*;
pub(crate) use own::*;
pub(crate) use php::*;
pub(crate) use process::*;
pub(crate) use sockets::*;
pub(crate) use strace::Strace;

/// The package's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An example of the package, built with the features of this test, so that it is never an old one.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut build = limited_to(300, env!("CARGO"));
    build.current_dir(root()).args(["build", "--quiet", "--example", name]);
    if cfg!(feature = "lessons") {
        build.args(["--features", "lessons"]);
    }
    printed(&mut build);
    // Examples stand beside the folder of this test's own program.
    let own = std::env::current_exe().expect("this program");
    own.parent().and_then(Path::parent).expect("the profile").join("examples").join(name)
}

/// Every `.rs` file of `src/`, with its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}
