//! A preloaded library that makes transfers short, or lets a call fail; `shim.c` says how it is steered.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::LazyLock;

use super::{limited, printed, root};

/// Builds the library, once.
pub(crate) fn library() -> &'static str {
    static LIBRARY: LazyLock<String> = LazyLock::new(|| {
        let library = std::env::current_exe().expect("this program").with_file_name("shim.so");
        // Another process may be using the library: it is replaced, not written into.
        let new = library.with_extension(std::process::id().to_string());
        let mut cc = limited("cc");
        cc.args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"]).arg(&new);
        printed(cc.arg(root().join("tests/common/shim.c")).arg("-ldl"));
        std::fs::rename(&new, &library).expect("its place");
        library.into_os_string().into_string().expect("UTF-8")
    });
    &LIBRARY
}

/// The words that bring the library and its variables into the program behind them, and not into `timeout`.
pub(crate) fn words(variables: &[(&str, &str)]) -> Vec<String> {
    let mut words = vec!["env".to_owned(), format!("LD_PRELOAD={}", library())];
    words.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
    words
}

/// A limited program with the library.
pub(crate) fn shimmed(variables: &[(&str, &str)], program: impl AsRef<OsStr>) -> Command {
    let words = words(variables);
    let mut command = limited(&words[0]);
    command.args(&words[1..]).arg(program);
    command
}
