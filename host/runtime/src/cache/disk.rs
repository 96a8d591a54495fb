//! A directory of compiled code.
//!
//! Loading such a file means running what is in it, so only our own output is ever loaded: the directory is
//! closed to other users, and each file has its SHA-256 beside it, which also catches a torn write.

use crate::{Error, engine};
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use wasmtime::Engine;
use wasmtime::component::Component;

pub(super) struct Directory {
    path: PathBuf,
    writable: bool,
    bytes_max: u64,
}

impl Directory {
    /// Makes the directory if need be, and closes it to other users.
    pub(super) fn create(path: &Path, bytes_max: u64) -> Result<Directory, Error> {
        close(path).map_err(|source| Error::Directory { path: path.to_owned(), source })?;
        Ok(Directory { path: path.to_owned(), writable: true, bytes_max })
    }

    /// Makes a directory that travels in a package: everybody may read it, only its owner writes.
    pub(super) fn create_packaged(path: &Path) -> Result<Directory, Error> {
        create_readable(path).map_err(|source| Error::Directory { path: path.to_owned(), source })?;
        Ok(Directory { path: path.to_owned(), writable: true, bytes_max: u64::MAX })
    }

    /// Whether a file and its checksum are there. What they hold is looked at when they are loaded.
    pub(super) fn has(&self, name: &str) -> bool {
        let file = self.path.join(name);
        file.exists() && checksum_file(&file).exists()
    }

    /// Removes all compiled code but these files.
    pub(super) fn keep_only(&self, names: &[String]) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let kept = names.iter().any(|name| path.file_name().is_some_and(|file| file == name.as_str()));
            if path.extension().is_some_and(|extension| extension == "cwasm") && !kept {
                fs::remove_file(checksum_file(&path)).or_else(gone_already)?;
                fs::remove_file(&path).or_else(gone_already)?;
            }
        }
        Ok(())
    }

    /// A directory that came with a package. One that others may write to is not trusted.
    pub(super) fn read_only(path: &Path) -> Option<Directory> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "no precompiled components");
                return None;
            }
        };
        if writable_by_others(&metadata) {
            tracing::warn!(path = %path.display(), "precompiled components ignored: others may write there");
            return None;
        }
        Some(Directory { path: path.to_owned(), writable: false, bytes_max: 0 })
    }

    /// The component in a file, if it is there and whole. A broken file of our own is removed.
    pub(super) fn load(&self, engine: &Engine, name: &str) -> Option<Component> {
        let file = self.path.join(name);
        match read(engine, &file) {
            Ok(component) => component,
            Err(problem) => {
                tracing::warn!(file = %file.display(), problem, "compiled component not usable");
                if self.writable {
                    // What cannot be removed is written over after compiling.
                    let _ = fs::remove_file(&file);
                }
                None
            }
        }
    }

    /// Writes code and its checksum, each as a whole or not at all.
    pub(super) fn store(&self, name: &str, code: &[u8]) -> io::Result<PathBuf> {
        let file = self.path.join(name);
        self.replace(&file, code)?;
        self.replace(&checksum_file(&file), engine::hex(&Sha256::digest(code)).as_bytes())?;
        self.shrink(&file)?;
        Ok(file)
    }

    /// Marks a file as used, for [`Directory::store`] removes the longest unused ones first.
    pub(super) fn touch(&self, name: &str) {
        let touched = fs::File::open(self.path.join(name)).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            tracing::debug!(%error, name, "compiled component not marked as used");
        }
    }

    fn replace(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let temporary = self.path.join(unique);
        fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, file)).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
    }

    fn shrink(&self, keep: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "cwasm") {
                // Another process may shrink at the same time.
                let Ok(metadata) = path.metadata() else { continue };
                files.push((metadata.modified()?, metadata.len(), path));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, freed, path) in files {
            if bytes <= self.bytes_max {
                break;
            }
            if path != keep {
                let _ = fs::remove_file(checksum_file(&path));
                let _ = fs::remove_file(&path);
                bytes -= freed;
            }
        }
        Ok(())
    }
}

fn read(engine: &Engine, file: &Path) -> Result<Option<Component>, String> {
    let wanted = match fs::read_to_string(checksum_file(file)) {
        Ok(checksum) => checksum,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.exists() => return Ok(None),
        Err(error) => return Err(format!("its checksum cannot be read: {error}")),
    };
    let mut hasher = Sha256::new();
    match fs::File::open(file).and_then(|mut file| io::copy(&mut file, &mut HashWriter(&mut hasher))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(_) => {}
    }
    if engine::hex(&hasher.finalize()) != wanted {
        return Err("its checksum does not match".to_owned());
    }
    // SAFETY: the directory is closed to other users and the checksum matches, so these are the bytes that
    // our compiler produced; wasmtime itself checks that version, settings and CPU fit.
    unsafe { Component::deserialize_file(engine, file) }.map(Some).map_err(|error| format!("{error:#}"))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gone_already(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn checksum_file(file: &Path) -> PathBuf {
    file.with_extension("cwasm.sha256")
}

#[cfg(unix)]
fn close(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Fails unless the directory is ours, which is the point.
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
fn create_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn create_readable(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn writable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn close(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn writable_by_others(_: &fs::Metadata) -> bool {
    false
}
