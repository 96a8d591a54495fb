//! Which file holds the code, and what it is.

use super::args::Libraries;
use crate::failure::{Exit, Failure};
use pintle_runtime::transformation::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The endings of code and of components, in the order in which a folder is searched.
const ENDINGS: [&str; 4] = ["js", "ts", "py", "wasm"];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    JavaScript,
    Python,
    Component,
}

/// The code's file: the one that was named, or the only `transformation.*` of the folder.
pub(super) fn find(source: &Path) -> Result<(PathBuf, Kind), Failure> {
    let bad = |message: String| Failure::new(Exit::BadFile, message);
    let file = if source.is_dir() {
        let candidates = ENDINGS.iter().map(|ending| source.join(format!("transformation.{ending}")));
        let mut found: Vec<PathBuf> = candidates.filter(|file| file.is_file()).collect();
        // What was built of the code is not another transformation.
        if found.len() > 1 {
            found.retain(|file| file.extension().is_none_or(|ending| ending != "wasm"));
        }
        match found.len() {
            1 => found.remove(0),
            0 => return Err(bad(format!("{} has no transformation.js, .ts, .py or .wasm", source.display()))),
            _ => return Err(bad(format!("{} has several files `transformation.*`; name one", source.display()))),
        }
    } else {
        source.to_owned()
    };
    let kind = match file.extension().and_then(|ending| ending.to_str()) {
        Some("js" | "mjs" | "ts" | "mts") => Kind::JavaScript,
        Some("py") => Kind::Python,
        Some("wasm") => Kind::Component,
        _ => return Err(bad(format!("{} is not code: its name must end in .js, .ts, .py or .wasm", file.display()))),
    };
    Ok((file, kind))
}

/// The code and its libraries, under a name of its own.
pub(super) fn read(file: &Path, id: &str, libraries: &Libraries) -> Result<Source, Failure> {
    let mut texts = BTreeMap::new();
    for (name, file) in &libraries.files {
        texts.insert(name.clone(), text(file)?);
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (id, version) = (id.to_owned(), id.to_owned());
    Ok(Source { id, version, name, code: text(file)?, libraries: texts, ..Source::default() })
}

fn text(file: &Path) -> Result<String, Failure> {
    let bad = |why: String| Failure::new(Exit::BadFile, format!("{}: {why}", file.display()));
    String::from_utf8(crate::local::read(file)?).map_err(|error| bad(error.to_string()))
}
