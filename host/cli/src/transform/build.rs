//! `pintle transform build`: a stand-alone component of a transformation, which runs without an engine.

use super::args::Build;
use super::source::{Kind, find, read};
use crate::failure::{Exit, Failure};
use crate::tool;
use pintle_runtime::build::Toolchain;
use pintle_runtime::{Config, Runtime};
use std::io::Write;
use std::path::Path;
use tokio::process::Command;

const NO_NODE: &str = "install Node 18 or later with npm";

pub(super) async fn run(build: &Build, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let (file, kind) = find(&build.source)?;
    match kind {
        Kind::JavaScript => {}
        Kind::Component => return Err(Failure::new(Exit::BadFile, format!("{} is a component", file.display()))),
        Kind::Python => {
            let message = "Python becomes no component of its own; upload the source, which runs on the engine";
            return Err(Failure::new(Exit::BadFile, message));
        }
    }
    let folder = build.engines_dir.join("javascript");
    let wit = build.engines_dir.join("../../wit");
    if !folder.join("build.js").is_file() || !wit.is_dir() {
        let message = format!("--engines-dir {} is not `plugins/engines` of a clone", build.engines_dir.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    install(&folder).await?;
    let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let source = read(&file, &id, &build.libraries)?;
    writeln!(err, "building {} with componentize-js", file.display())?;
    let toolchain = Toolchain { folder, wit, node: "node".into() };
    let component = toolchain
        .build(&source, &Config::default(), None)
        .await
        .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", file.display())))?;
    let target = build.out.clone().unwrap_or_else(|| file.with_extension("wasm"));
    std::fs::write(&target, &component)
        .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", target.display())))?;
    // What was built may still not be what the host takes.
    let runtime: Runtime = crate::local::runtime(&build.local)?;
    runtime
        .transformation_component(&component)
        .await
        .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", target.display())))?;
    writeln!(out, "{}, {} KB", target.display(), component.len().div_ceil(1000))?;
    Ok(Exit::Done)
}

/// npm writes the second file when it is done.
async fn install(folder: &Path) -> Result<(), Failure> {
    let modified = |name: &str| std::fs::metadata(folder.join(name)).and_then(|seen| seen.modified()).ok();
    if modified("node_modules/.package-lock.json") >= modified("package-lock.json") {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    tool::run(&mut npm, NO_NODE).await.map(drop)
}
