//! `pintle plugin build`: from a folder to a component, with the tools of its language.

use super::args::Build;
use super::{check, component, manifest};
use crate::failure::{Exit, Failure};
use crate::{local, tool};
use serde::Deserialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Finds a Rust that builds for WebAssembly; the same rules as for Pintle's own plugins.
const GUEST_TOOLCHAIN: &str = include_str!("../../../../scripts/lib/guest-toolchain");

/// Builds with whichever it finds. 3: there is none.
const CARGO: &str = r#"
guest_toolchain_find || exit 3
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET RUSTC_WRAPPER
exec "${GUEST_CARGO[@]}" build --release --lib --target "$GUEST_TARGET" --message-format json-render-diagnostics "${GUEST_CARGO_ARGS[@]}"
"#;

const NO_RUST: &str = "there is no Rust here that builds for WebAssembly; run `rustup target add wasm32-unknown-unknown`, \
                       or on Debian 12 `apt-get install rustc-web cargo-web rust-web-src lld-22`";
const NO_NODE: &str = "install Node 18 or later with npm";

pub(super) async fn run(build: &Build, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let folder = &build.folder;
    let manifest = manifest(folder)?;
    let target = build.out.clone().unwrap_or_else(|| component(folder, &manifest));
    if folder.join("Cargo.toml").is_file() {
        writeln!(err, "building {} with cargo", manifest.name)?;
        let core = cargo(folder).await?;
        let bytes = std::fs::read(&core)?;
        let encoded = pintle_encode::component(&bytes)
            .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error:#}", core.display())))?;
        replace(&target, &encoded)?;
    } else if folder.join("package.json").is_file() {
        writeln!(err, "building {} with componentize-js", manifest.name)?;
        componentize(folder, &target).await?;
    } else {
        let message = format!("{} has neither Cargo.toml nor package.json", folder.display());
        return Err(Failure::new(Exit::BadFile, message));
    }
    // What was built may still not be what the host takes.
    let found = check::look(&local::runtime(&build.local)?, &target).await?;
    found.show(&target, build.local.json, out)?;
    Ok(Exit::Done)
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// The core module that cargo makes of the folder's crate.
async fn cargo(folder: &Path) -> Result<PathBuf, Failure> {
    let mut bash = Command::new("bash");
    bash.arg("-euo").arg("pipefail").arg("-c").arg(format!("{GUEST_TOOLCHAIN}{CARGO}")).current_dir(folder);
    let said = match tool::run(&mut bash, "building Rust needs bash").await {
        Ok(said) => said,
        Err(failure) if failure.error.to_string().contains("exit status: 3)") => {
            return Err(Failure::new(Exit::Failed, NO_RUST));
        }
        Err(failure) => return Err(failure),
    };
    let messages = said.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    // The last one is the folder's own crate; libraries come before it.
    let artifacts = messages.filter(|message| {
        let own = message.target.as_ref().is_some_and(|target| target.kind.iter().any(|kind| kind == "cdylib"));
        message.reason == "compiler-artifact" && own
    });
    let mut files = artifacts.flat_map(|message| message.filenames);
    files.rfind(|file| file.extension().is_some_and(|e| e == "wasm")).ok_or_else(|| {
        let message = "cargo made no .wasm file; Cargo.toml needs `crate-type = [\"cdylib\"]` under [lib]";
        Failure::new(Exit::Failed, message)
    })
}

async fn componentize(folder: &Path, target: &Path) -> Result<(), Failure> {
    // npm writes the second file when it is done.
    let (lock, done) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
    let modified = |path: &Path| std::fs::metadata(path).and_then(|seen| seen.modified()).ok();
    if modified(&done).is_none() || modified(&done) < modified(&lock) {
        let install = if lock.is_file() { "ci" } else { "install" };
        let mut npm = Command::new("npm");
        npm.args([install, "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        tool::run(&mut npm, NO_NODE).await?;
    }
    let target = std::path::absolute(target)?;
    let mut node = Command::new("node");
    node.arg("sdk/build.js").arg(target).current_dir(folder);
    tool::run(&mut node, NO_NODE).await.map(drop)
}

/// Writes beside the target and renames: a Pintle that watches it sees the old file or the new one.
fn replace(target: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = target.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, bytes)
        .and_then(|()| std::fs::rename(&beside, target))
        .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", target.display())))
}
