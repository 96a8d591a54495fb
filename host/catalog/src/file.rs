//! Reading a workspace file, whichever of the two it is.

use crate::problem::{FileError, Problem};
use crate::rudder::ImportReport;
use crate::{Catalog, rudder, workspace};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bounds on what is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The largest workspace file, in bytes. Default: 16 MiB.
    pub workspace_bytes_max: u64,
    /// The largest file that source code is read from, in bytes. Default: 1 MiB.
    pub code_bytes_max: u64,
    /// The largest file that a component is read from, in bytes. Default: 64 MiB.
    pub component_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { workspace_bytes_max: 16 * 1024 * 1024, code_bytes_max: 1024 * 1024, component_bytes_max: 64 << 20 }
    }
}

/// A workspace file that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it describes.
    pub catalog: Catalog,
    /// What works and what stays off, when it is RudderStack's file.
    pub report: Option<ImportReport>,
    /// The files to watch: the workspace itself, then the files of its code.
    pub files: Vec<PathBuf>,
    /// The code that the catalog names, by digest.
    pub code: BTreeMap<String, Vec<u8>>,
}

/// Loads a workspace within the default bounds. The content decides what it is: a JSON object with a
/// `sources` array is RudderStack's, everything else is Pintle's YAML.
pub fn load(path: &Path, known_plugins: &BTreeSet<String>) -> Result<Loaded, FileError> {
    Config::default().load(path, known_plugins)
}

/// The destination plugins that come with Pintle.
#[must_use]
pub fn bundled_plugins() -> BTreeSet<String> {
    rudder::bundled()
}

impl Config {
    /// Loads a workspace within these bounds.
    pub fn load(&self, path: &Path, known_plugins: &BTreeSet<String>) -> Result<Loaded, FileError> {
        let wrong = |problem| FileError::new(path, vec![problem]);
        let text = read_text(path, self.workspace_bytes_max)
            .map_err(|why| wrong(Problem::new("", why, "name a readable text file")))?;
        let mut files = vec![path.to_owned()];
        match recognise(&text, path).map_err(wrong)? {
            Shape::Rudder(document) => {
                let (catalog, report) =
                    rudder::import(&document, known_plugins).map_err(|problems| FileError::new(path, problems))?;
                Ok(Loaded { catalog, report: Some(report), files, code: BTreeMap::new() })
            }
            Shape::Workspace => {
                let parsed = workspace::parse(&text, path, known_plugins, self)?;
                files.extend(parsed.files);
                Ok(Loaded { catalog: parsed.catalog, report: None, files, code: parsed.code })
            }
        }
    }
}

enum Shape {
    Rudder(Value),
    Workspace,
}

fn recognise(text: &str, path: &Path) -> Result<Shape, Problem> {
    if !text.trim_start().starts_with('{') {
        return Ok(Shape::Workspace);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(document) if rudder::recognises(&document) => Ok(Shape::Rudder(document)),
        // JSON is YAML as well, and the YAML reader knows lines and columns.
        Ok(_) => Ok(Shape::Workspace),
        Err(error) if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) => {
            let (line, column) = (error.line() as u64, error.column() as u64);
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            let message = format!("is not JSON: {message}");
            let fix = "correct it; the last good revision stays in force until then";
            Err(Problem::new("", message, fix).at(line, column))
        }
        Err(_) => Ok(Shape::Workspace),
    }
}

/// The content of a file of at most so many bytes.
pub(crate) fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    // One byte past the limit tells a file of exactly the limit from a larger one.
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes"));
    }
    Ok(bytes)
}

/// The text of a file of at most so many bytes, without a byte order mark.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    let bytes = read_bytes(path, bytes_max)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests;
