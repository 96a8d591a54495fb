//! Writes objects, and reads them back.

mod read;

pub use read::{Listed, parts};

use crate::answer;
use crate::config::Config;
use crate::connection::Connection;
use crate::place::{Place, Server};
use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};
use pintle_router::HttpClient;
use pintle_runtime::egress::Hosts;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Buckets that are kept open at the same time: a name taken from events must not fill the memory.
const BUCKETS_MAX: usize = 1_000;
/// A name that nothing has: asking for what is below shows whether there is a bucket.
const NOTHING: &str = ".pintle-looks-whether-the-bucket-is-there";

/// A place, ready to be written to and read from. Cheap to clone.
#[derive(Clone)]
pub struct Depot {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    config: Config,
    client: HttpClient,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

/// Why an object was not written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It will be refused until somebody acts: wrong credentials, no such bucket, a closed address.
    #[error("{reason}")]
    Refused {
        /// Why, and how to mend it.
        reason: String,
    },
    /// It may go well the next time.
    #[error("{reason}")]
    Later {
        /// Why.
        reason: String,
    },
}

impl std::fmt::Debug for Depot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "depot at {}", self.inner.place)
    }
}

impl Depot {
    /// A depot at this place, over connections with the router's settings. Nothing is asked yet.
    #[must_use]
    pub fn open(place: Place, config: &Config, router: &pintle_router::Config) -> Depot {
        // The place is the operator's or the configuration's choice, and no event's: any host, but no closed address.
        let anywhere = Hosts::new(&["*".to_owned()]).expect("a star is a host pattern");
        let client = HttpClient::new(router, anywhere);
        Depot { inner: Arc::new(Inner { place, config: config.clone(), client, buckets: Mutex::default() }) }
    }

    /// Writes an object, in the place of one with the same name. Returns when it is durable there.
    ///
    /// The first write to a bucket looks whether it is there: some servers make what they are not asked for.
    ///
    /// # Errors
    /// [`Failure`] says whether somebody has to act. It may be there all the same.
    pub async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), Failure> {
        let store = self.bucket(bucket).await?;
        let path = Path::from(key);
        let done = tokio::time::timeout(self.inner.config.upload_timeout, store.put(&path, body.into())).await;
        match done {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.failed(bucket, &error)),
            Err(_) => {
                let limit = self.inner.config.upload_timeout;
                Err(Failure::Later {
                    reason: format!("{}: no upload within {limit:?} (upload-timeout)", self.inner.place),
                })
            }
        }
    }

    fn failed(&self, bucket: &str, error: &object_store::Error) -> Failure {
        // Looked for again before the next write.
        self.buckets().remove(bucket);
        answer::failure(error, bucket, &self.inner.place.to_string())
    }

    async fn bucket(&self, name: &str) -> Result<Arc<dyn ObjectStore>, Failure> {
        if let Some(store) = self.buckets().get(name) {
            return Ok(store.clone());
        }
        if name.is_empty() {
            let reason = "there is no bucket: name one in the configuration (`bucketName`)".to_owned();
            return Err(Failure::Refused { reason });
        }
        let store: Arc<dyn ObjectStore> = match &self.inner.place {
            Place::Server(server) => {
                let store = self.server(server, name)?;
                self.look(&store, name).await?;
                Arc::new(store)
            }
            Place::Folder(root) => Arc::new(folder(root, name, &self.inner.config.local_folders)?),
        };
        let mut buckets = self.buckets();
        if buckets.len() >= BUCKETS_MAX {
            buckets.clear();
        }
        buckets.insert(name.to_owned(), store.clone());
        Ok(store)
    }

    fn server(&self, server: &Server, bucket: &str) -> Result<object_store::aws::AmazonS3, Failure> {
        let connection = Connection::new(self.inner.client.clone(), &self.inner.config);
        // Tried once: whoever asks tries again, and says so meanwhile.
        let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&server.region)
            .with_retry(once)
            .with_client_options(ClientOptions::new().with_allow_http(true))
            .with_http_connector(connection);
        if let Some(endpoint) = &server.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        if let Some((id, secret)) = &server.keys {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        if server.encrypts {
            let key = "aws_server_side_encryption".parse().expect("object_store knows its own key");
            builder = builder.with_config(key, "AES256");
        }
        builder.build().map_err(|error| Failure::Refused { reason: error.to_string() })
    }

    /// Whether there is such a bucket. Credentials that may only write may not look: then the write shows it.
    async fn look(&self, store: &object_store::aws::AmazonS3, bucket: &str) -> Result<(), Failure> {
        let mut looked = store.list(Some(&Path::from(NOTHING)));
        match looked.next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) if answer::is_denied(&error) => Ok(()),
            Some(Err(error)) => Err(answer::failure(&error, bucket, &self.inner.place.to_string())),
        }
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<dyn ObjectStore>>> {
        self.inner.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder that stands for a bucket: made when it is missing, below a folder that is there and allowed.
fn folder(root: &std::path::Path, name: &str, allowed: &[PathBuf]) -> Result<LocalFileSystem, Failure> {
    let bucket = folder_path(root, name, allowed)?;
    std::fs::create_dir_all(&bucket).map_err(|error| refused(format!("the folder {}: {error}", bucket.display())))?;
    let opened = LocalFileSystem::new_with_prefix(&bucket).map_err(|error| refused(error.to_string()))?;
    Ok(opened.with_fsync(true))
}

/// Where a folder is that stands for a bucket, whether it is there or not.
fn folder_path(root: &std::path::Path, name: &str, allowed: &[PathBuf]) -> Result<PathBuf, Failure> {
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        return Err(refused(format!("\"{name}\" is no name for a folder")));
    }
    // Links are followed first: what counts is where they lead.
    let real = root.canonicalize().map_err(|error| refused(format!("the folder {}: {error}", root.display())))?;
    let is_below = |allowed: &PathBuf| allowed.canonicalize().is_ok_and(|allowed| real.starts_with(allowed));
    if !allowed.iter().any(is_below) {
        return Err(refused(format!(
            "the folder {} is below none that the operator opens (`objects: local-folders`)",
            root.display()
        )));
    }
    Ok(real.join(name))
}

fn refused(reason: String) -> Failure {
    Failure::Refused { reason }
}

#[cfg(test)]
mod tests;
