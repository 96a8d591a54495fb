//! Where the plugins are: beside the program, as `scripts/package` and `scripts/build-plugins` lay them.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

/// Compiled plugins that a package brings along, in the plugins' folder.
const PRECOMPILED: &str = "compiled";

/// The plugins' folder: the given one, else the first that is there of `plugins` beside the program,
/// `../lib/pintle/plugins` (a package) and `../plugins` (a build).
pub fn find(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        if !given.is_dir() {
            bail!("--plugins-dir {} is not a folder; build the plugins with scripts/build-plugins", given.display());
        }
        return Ok(given.to_owned());
    }
    let program = std::env::current_exe().context("cannot tell where the program is")?;
    let program = program.canonicalize().unwrap_or(program);
    let folder = program.parent().context("the program is in no folder")?;
    let places = [folder.join("plugins"), folder.join("../lib/pintle/plugins"), folder.join("../plugins")];
    match places.iter().find(|place| place.is_dir()) {
        Some(place) => Ok(place.canonicalize().unwrap_or_else(|_| place.clone())),
        None => bail!(
            "no plugins: neither {} is there; build them with scripts/build-plugins or name their folder with --plugins-dir",
            places.map(|place| place.display().to_string()).join(" nor ")
        ),
    }
}

/// Where a package keeps its compiled plugins.
pub fn precompiled(plugins: &Path) -> PathBuf {
    plugins.join(PRECOMPILED)
}
