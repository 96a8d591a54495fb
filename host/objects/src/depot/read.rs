//! What is in a bucket, and what is in its objects.

use super::{Depot, Failure, folder_path, refused};
use crate::answer;
use crate::object::{Object, Whereabouts};
use crate::place::Place;
use futures_util::StreamExt as _;
use object_store::ObjectStore;
use object_store::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name as it is stored, for [`Depot::get`]; [`parts`] says what was written under it.
    pub name: String,
    /// Its bytes as they are stored.
    pub size: u64,
}

/// The folders of a stored name and the name in the last one, as they were before characters that names better
/// lack were replaced by their codes (`%7E`).
#[must_use]
pub fn parts(name: &str) -> Vec<String> {
    name.split('/').map(plain).collect()
}

fn plain(part: &str) -> String {
    let mut plain = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        plain.push(code.unwrap_or(byte));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(plain).unwrap_or_else(|_| part.to_owned())
}

impl Depot {
    /// All objects in a folder of a bucket and in the folders below it, by name; of the whole bucket when the folder
    /// is empty.
    ///
    /// # Errors
    /// When there is no such bucket, it may not be read, or there are more than `listed-objects-max`.
    pub async fn list(&self, bucket: &str, folder: &str) -> Result<Vec<Listed>, Failure> {
        let store = self.readable(bucket).await?;
        let max = self.inner.config.listed_objects_max.get();
        let within = self.inner.config.read_timeout;
        let mut pages = store.list(Some(&Path::from(folder)));
        let mut found = Vec::new();
        while let Some(next) = self.in_time(within, pages.next()).await? {
            let meta = next.map_err(|error| self.unread(bucket, &error))?;
            if found.len() == max {
                return Err(refused(format!(
                    "bucket \"{bucket}\" at {} has more than {max} objects below \"{folder}\" (listed-objects-max): \
                     name a folder further down, or raise the limit",
                    self.inner.place
                )));
            }
            found.push(Listed { name: meta.location.into(), size: meta.size });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Opens an object of gzip JSON lines by its stored name. What is read of it is decompressed as it is asked for,
    /// so that memory does not grow with the object.
    ///
    /// # Errors
    /// When there is no such object, it may not be read, it is larger than `object-bytes-max`, or it is no gzip.
    pub async fn get(&self, bucket: &str, name: &str) -> Result<Object, Failure> {
        let store = self.readable(bucket).await?;
        let path = Path::parse(name).map_err(|error| refused(format!("\"{name}\" is no object's name: {error}")))?;
        if let Place::Folder(root) = &self.inner.place {
            let folder = folder_path(root, bucket, &self.inner.config.local_folders)?;
            // A link may have been laid since the folder was opened.
            if folder.join(name).canonicalize().is_ok_and(|real| !real.starts_with(&folder)) {
                return Err(refused(format!("the object \"{name}\" leads out of the folder {}", folder.display())));
            }
        }
        let at = Whereabouts { place: self.inner.place.to_string(), bucket: bucket.to_owned(), name: name.to_owned() };
        Object::open(store, path, at, &self.inner.config).await
    }

    /// A bucket to read from: what is missing is not made.
    async fn readable(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Failure> {
        if let Place::Folder(root) = &self.inner.place
            && !bucket.is_empty()
        {
            let folder = folder_path(root, bucket, &self.inner.config.local_folders)?;
            if !folder.is_dir() {
                return Err(refused(format!(
                    "the bucket \"{bucket}\" is not there: there is no folder {}; mend the bucket's name",
                    folder.display()
                )));
            }
        }
        self.bucket(bucket).await
    }

    fn unread(&self, bucket: &str, error: &object_store::Error) -> Failure {
        let failure = self.failed(bucket, error);
        if answer::is_denied(error) {
            return refused(format!("{failure}; reading takes the rights to list the bucket and to get its objects"));
        }
        failure
    }

    async fn in_time<T>(&self, within: Duration, what: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(within, what).await.map_err(|_| Failure::Later {
            reason: format!("{}: no page of the listing within {within:?} (read-timeout)", self.inner.place),
        })
    }
}

#[cfg(test)]
mod tests;
