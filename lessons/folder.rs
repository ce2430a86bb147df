//! A folder of the lesson's own, for its files. In the shared one for temporary files others can put a link under any name
//! that they guess, and a program that opens it opens what they want.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::{env, io};

/// It goes, with all that is in it, when this value is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(lesson: &str) -> io::Result<Folder> {
        // Std has no random numbers, but those that protect its hash maps.
        let random = RandomState::new().hash_one(lesson) >> 32;
        let path = env::temp_dir().join(format!("{lesson}-{random:08x}"));
        // For its owner alone. An error if there is something of this name, a link too.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
