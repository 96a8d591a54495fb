//! `pintle plugin`: destinations of one's own, from nothing to a component that Pintle runs.

pub(crate) mod args;
mod build;
mod check;
mod new;
mod test;

use crate::failure::{Exit, Failure};
use args::PluginCommand;
use pintle_runtime::destination::Manifest;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) async fn run(command: PluginCommand, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        PluginCommand::New(new) => new::run(&new, out),
        PluginCommand::Build(build) => build::run(&build, out, err).await,
        PluginCommand::Check(check) => check::run(&check, out).await,
        PluginCommand::Test(test) => test::run(&test, out).await,
    }
}

/// The manifest in a destination's folder.
fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    let file = folder.join("manifest.json");
    let text = std::fs::read_to_string(&file).map_err(|error| {
        let message = format!("{}: {error}; `pintle plugin new` makes a folder with all it takes", file.display());
        Failure::new(Exit::BadFile, message)
    })?;
    Manifest::parse(&text).map_err(|error| Failure::new(Exit::BadFile, format!("{}: {error}", file.display())))
}

/// Where the folder's component is, unless it is somewhere else.
fn component(folder: &Path, manifest: &Manifest) -> PathBuf {
    folder.join(format!("{}.wasm", manifest.name))
}
