//! A directory for one test, gone when the test is done and kept when it fails.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A directory of its own below the one for temporary files.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory with this mode.
    pub(crate) fn new(mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("pillarbox-test-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            // A PostgreSQL told to stop may still be removing its own files.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
