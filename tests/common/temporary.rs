//! Files and folders of a test's own, removed with what these functions give.

use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::{Builder, TempDir, TempPath};

const PREFIX: &str = "php-sockets-";

/// A new folder.
pub(crate) fn folder() -> TempDir {
    Builder::new().prefix(PREFIX).tempdir().expect("a folder")
}

/// A new file with this text.
pub(crate) fn file(text: &str) -> TempPath {
    let mut file = Builder::new().prefix(PREFIX).tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("its text");
    file.into_temp_path()
}

/// A path where nothing stands, in a folder of its own.
pub(crate) struct FreePath {
    path: PathBuf,
    _folder: TempDir,
}

pub(crate) fn free_path() -> FreePath {
    let folder = folder();
    FreePath { path: folder.path().join("x"), _folder: folder }
}

impl Deref for FreePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// An abstract `AF_UNIX` name, which needs no file.
pub(crate) fn abstract_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("\0{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
