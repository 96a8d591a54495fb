//! Another key for what is stored, while Pintle runs.

use crate::editor::Editor;
use crate::problem::{Code, Problem};
use crate::views::RotationView;
use pintle_store::rotation;
use pintle_store::seal::{KeyError, SecretKey};
use std::path::{Path, PathBuf};

/// Where the key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// In this file.
    File(PathBuf),
    /// In an environment variable, which we cannot change.
    Environment,
}

/// The file that a new key is in until everything is sealed with it.
#[must_use]
pub fn next(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// Makes a new key, seals everything with it, and puts it in the old one's place.
///
/// A crash leaves either everything as it was and a new key that nobody needs, or everything sealed with a
/// key that is in `….next`: the next start finds out which.
pub(crate) async fn rotate(editor: &Editor, file: &KeyFile) -> Result<RotationView, Problem> {
    let KeyFile::File(file) = file else {
        let detail = "the key comes from the environment variable PINTLE_SECRET_KEY: start Pintle with a new key in it \
                      and the present one in PINTLE_SECRET_KEY_OLD, and everything is sealed anew";
        return Err(Problem::new(Code::Conflict, detail));
    };
    let _nobody_changes_anything = editor.hold().await;
    let next = next(file);
    if let Err(error) = std::fs::remove_file(&next)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(broken(&KeyError::File { path: next.display().to_string(), error }));
    }
    let new = SecretKey::make_file(&next).map_err(|error| broken(&error))?;
    let old = editor.vault().key();
    let rotated = rotation::rotate(editor.store(), &old, &new).await?;
    editor.vault().replace(new.clone());
    std::fs::rename(&next, file)
        .and_then(|()| sync_folder(file))
        .map_err(|error| broken(&KeyError::File { path: file.display().to_string(), error }))?;
    tracing::info!(key = new.id(), revisions = rotated.revisions, artifacts = rotated.artifacts, "key rotated");
    Ok(RotationView { key: new.id().to_owned(), revisions: rotated.revisions, artifacts: rotated.artifacts })
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

fn broken(error: &KeyError) -> Problem {
    tracing::error!(%error, "the key cannot be rotated");
    Problem::new(Code::Internal, "the key file cannot be written; the log of the server says why")
}
