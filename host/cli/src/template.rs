//! Folders that begin as a copy of a template.

use crate::failure::{Exit, Failure};
use std::path::Path;

/// Where the guest crate goes: its files are nobody's template.
const VERBATIM: &str = "sdk/";

/// One file of a template. `NAME` in its text becomes the name of the new thing.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
}

/// Writes the files into a folder that is not there yet, or is empty: nothing is ever written over.
pub(crate) fn write<'a>(folder: &Path, files: impl Iterator<Item = &'a File>, name: &str) -> Result<(), Failure> {
    let failed =
        |path: &Path, error: std::io::Error| Failure::new(Exit::Failed, format!("{}: {error}", path.display()));
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(failed(folder, error)),
    };
    if !empty {
        let message = format!("{} is there already and not empty; name another folder", folder.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    for file in files {
        let path = folder.join(file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        let text = match file.path.starts_with(VERBATIM) {
            true => file.text.to_owned(),
            false => file.text.replace("NAME", name),
        };
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
