//! The scripts in Node that transformations are compared with.

use crate::scratch::beside_program;
use anyhow::{Context, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCRIPTS: [&str; 4] = ["cell.js", "input.js", "isolates.js", "plain.js"];
/// npm writes this when it is done.
const INSTALLED: &str = "node_modules/.package-lock.json";
const LOCK: &str = "package-lock.json";

/// A folder with the scripts and what they import, installed as the lockfile says, beside the builds: compiling
/// isolated-vm takes minutes, once.
pub fn folder() -> anyhow::Result<PathBuf> {
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("load/node"), beside_program("../bench-node")?);
    fs::create_dir_all(&to)?;
    for name in SCRIPTS {
        fs::copy(from.join(name), to.join(name)).with_context(|| name)?;
    }
    let is_installed = to.join(INSTALLED).is_file() && fs::read(from.join(LOCK))? == fs::read(to.join(LOCK))?;
    if !is_installed {
        install(&from, &to)?;
    }
    Ok(to)
}

fn install(from: &Path, to: &Path) -> anyhow::Result<()> {
    eprintln!("bench: installing isolated-vm into {}; compiling it takes minutes", to.display());
    for name in ["package.json", LOCK] {
        fs::copy(from.join(name), to.join(name)).with_context(|| name)?;
    }
    _ = fs::remove_file(to.join(INSTALLED));
    let mut npm = Command::new("npm");
    // Not `npm ci`: see the harness.
    npm.args(["install", "--no-save", "--no-audit", "--no-fund"]).current_dir(to).stdin(Stdio::null());
    if let Some(prefix) = headers() {
        // What fits this very Node, and without asking anybody for a build of it.
        npm.env("npm_config_nodedir", prefix).env("npm_config_build_from_source", "true");
    }
    let output = npm.output().context("cannot start npm")?;
    ensure!(
        output.status.success(),
        "isolated-vm cannot be installed; it needs g++, make, python3 and Node's headers. npm says: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Where Node's headers are, if they are where its program is.
fn headers() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let node = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|node| node.is_file())?;
    let prefix = node.canonicalize().ok()?.parent()?.parent()?.to_owned();
    prefix.join("include/node/node.h").is_file().then_some(prefix)
}
