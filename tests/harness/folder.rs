//! Folders that end with their test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder; removed when this is dropped, unless `PINTLE_TEST_KEEP` is set.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one whose name begins with `name`.
    ///
    /// # Panics
    /// When the machine's temporary folder cannot be written.
    #[must_use]
    pub fn new(name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short: the path of a Unix socket inside has to fit into 107 bytes.
        let path = std::env::temp_dir().join(format!("{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Folder(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("PINTLE_TEST_KEEP").is_some() {
            eprintln!("kept: {}", self.0.display());
        } else if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} could not be removed: {error}", self.0.display());
        }
    }
}

/// The folder that cargo builds into, profile included: the one that this test's program is in or under.
///
/// # Panics
/// When the program was moved elsewhere.
#[must_use]
pub fn profile_dir() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let deps = program.parent().expect("a program is in a folder");
    deps.parent().expect("cargo puts tests into `deps`").to_owned()
}

/// The folder above: it holds the plugins, and what tests keep from run to run.
///
/// # Panics
/// As [`profile_dir`].
#[must_use]
pub fn target_dir() -> PathBuf {
    profile_dir().parent().expect("cargo's profiles are in a folder").to_owned()
}

/// The project's folder. Cargo says where it is; what it was when this was compiled may be another clone, of
/// which the build cache has kept the tests.
///
/// # Panics
/// When the tests are not in a folder of the project.
#[must_use]
pub fn project_dir() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    tests.parent().expect("the tests are in a folder").to_owned()
}
