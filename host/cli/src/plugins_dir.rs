//! Where the plugins are: beside the program, as `scripts/package` and `scripts/build-plugins` lay them.

use std::path::{Path, PathBuf};

/// Compiled plugins that a package brings along, in the plugins' folder.
const PRECOMPILED: &str = "compiled";

/// The plugins' folder: the given one, else the first that is there of `plugins` beside the program,
/// `../lib/pintle/plugins` (a package) and `../plugins` (a build).
///
/// # Errors
/// Where they were looked for.
pub fn find(given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(given) = given {
        if given.is_dir() {
            return Ok(given.to_owned());
        }
        let given = given.display();
        return Err(format!("--plugins-dir {given} is not a folder; build the plugins with scripts/build-plugins"));
    }
    let program = std::env::current_exe().map_err(|error| format!("cannot tell where the program is: {error}"))?;
    let program = program.canonicalize().unwrap_or(program);
    let folder = program.parent().unwrap_or(Path::new("/"));
    let places = [folder.join("plugins"), folder.join("../lib/pintle/plugins"), folder.join("../plugins")];
    match places.iter().find(|place| place.is_dir()) {
        Some(place) => Ok(place.canonicalize().unwrap_or_else(|_| place.clone())),
        None => Err(format!(
            "no plugins: neither {} is there; build them with scripts/build-plugins or name their folder with --plugins-dir",
            places.map(|place| place.display().to_string()).join(" nor ")
        )),
    }
}

/// Where a package keeps its compiled plugins.
#[must_use]
pub fn precompiled(plugins: &Path) -> PathBuf {
    plugins.join(PRECOMPILED)
}
