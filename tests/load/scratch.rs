//! A folder for data directories and logs, on the disk where builds are: not in memory, where a sync is free.

use anyhow::Context;
use std::path::PathBuf;

/// The folder; removed in the end unless it is to be kept.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Makes it: `bench` in PINTLE_BENCH_DIR, else beside the program's folder.
    pub fn new(keep: bool) -> anyhow::Result<Scratch> {
        let root = match std::env::var_os("PINTLE_BENCH_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => beside_program("../bench")?,
        };
        let path = root.join(std::process::id().to_string());
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Scratch { path: path.canonicalize()?, keep })
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes something in it that is not needed any more: a run of everything fills gigabytes.
    pub fn clear(&self, name: &str) {
        if !self.keep {
            _ = std::fs::remove_dir_all(self.path.join(name));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("bench: everything is kept in {}", self.path.display());
        } else {
            _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// A path relative to the folder this program is in.
pub fn beside_program(relative: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(program.parent().context("this program is in no folder")?.join(relative))
}
