//! The tools that make components of scripts, out of a clone of Pintle; what they need is installed once.

use crate::failure::{Exit, Failure};
use crate::tool;
use pintle_runtime::build::Toolchain;
use pintle_runtime::transformation::Language;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::process::Command;

const NO_NODE: &str = "install Node 20 or later with npm";
const NO_PYTHON: &str = "install Python 3.11 or later with its venv module";

/// The tools for a language. `engines` is the folder `plugins/engines` of a clone.
pub(super) async fn toolchain(language: Language, engines: &Path, err: &mut dyn Write) -> Result<Toolchain, Failure> {
    let root = engines.join("../..");
    let mut tools = Toolchain::in_clone(&root, language, "node");
    if !tools.folder.join("src").is_dir() || !tools.wit.is_dir() {
        let message = format!("--engines-dir {} is not `plugins/engines` of a clone", engines.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    match language {
        Language::JavaScript => npm(&tools.folder, err).await?,
        Language::Python => tools.interpreter = python(&tools.folder, err).await?.into(),
    }
    Ok(tools)
}

/// Puts the packages beside the engine's sources.
async fn npm(folder: &Path, err: &mut dyn Write) -> Result<(), Failure> {
    let modified = |name: &str| std::fs::metadata(folder.join(name)).and_then(|seen| seen.modified()).ok();
    // npm writes the second file when it is done.
    if modified("node_modules/.package-lock.json") >= modified("package-lock.json") {
        return Ok(());
    }
    writeln!(err, "installing what {} names", folder.join("package-lock.json").display())?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    tool::run(&mut npm, NO_NODE).await.map(drop)
}

/// A Python of its own in the user's cache, named after what is in it: scripts/build-plugins uses the same.
async fn python(folder: &Path, err: &mut dyn Write) -> Result<PathBuf, Failure> {
    let requirements = folder.join("requirements.txt");
    let wanted = crate::local::read(&requirements)?;
    let digest: String = Sha256::digest(&wanted).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache"))).unwrap_or_default();
    let own = cache.join("pintle").join(format!("python-tools-{digest}"));
    let (interpreter, complete) = (own.join("bin/python"), own.join(".complete"));
    if complete.is_file() {
        return Ok(interpreter);
    }
    writeln!(err, "installing what {} names into {}", requirements.display(), own.display())?;
    let mut venv = Command::new("python3");
    tool::run(venv.args(["-m", "venv", "--clear"]).arg(&own), NO_PYTHON).await?;
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
    tool::run(pip.args(["--only-binary=:all:", "-r"]).arg(&requirements), NO_PYTHON).await?;
    std::fs::write(&complete, "")?;
    Ok(interpreter)
}
