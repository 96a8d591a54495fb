//! Code and components by the digest of their bytes: stored once, loaded when something runs them.

use crate::seal::Vault;
use crate::{Error, Store};
use bytes::Bytes;
use pintle_catalog::fingerprint;
use std::sync::Arc;

/// How hard code is compressed: components shrink to a third at little cost.
const COMPRESSION: i32 = 3;

/// What was uploaded or read from the workspace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Artifacts {
    store: Store,
    vault: Vault,
    memory: moka::future::Cache<String, Bytes>,
}

/// Bytes under a digest that they do not have, or none under one that a revision names.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Missing {
    /// Nothing is stored under it.
    #[error("no code is stored under digest {0}")]
    Gone(String),
    /// It could not be read now.
    #[error("{0}")]
    Store(Arc<Error>),
}

impl Artifacts {
    /// The artifacts of a database. At most `artifact-cache-bytes-max` of them stay in memory.
    #[must_use]
    pub fn new(store: Store, vault: Vault) -> Artifacts {
        let memory = moka::future::Cache::builder()
            .max_capacity(store.config().artifact_cache_bytes_max.get())
            .weigher(|_: &String, bytes: &Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .build();
        Artifacts { store, vault, memory }
    }

    /// Stores bytes and says their digest. Storing the same bytes again changes nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn put(&self, bytes: &[u8]) -> Result<String, Error> {
        let digest = fingerprint::digest(bytes);
        if !self.has(&digest).await? {
            let packed = zstd::bulk::compress(bytes, COMPRESSION).map_err(|e| Error::Database(sqlx::Error::Io(e)))?;
            sqlx::query("INSERT INTO artifacts (digest, bytes, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .bind(&digest)
                .bind(bytes.len() as i64)
                .bind(self.vault.key().seal_artifact(&digest, &packed))
                .execute(self.store.pool())
                .await?;
        }
        crate::fail_point::pass("catalog:after-artifact");
        Ok(digest)
    }

    /// Whether bytes are stored under this digest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has(&self, digest: &str) -> Result<bool, Error> {
        if self.memory.contains_key(digest) {
            return Ok(true);
        }
        let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM artifacts WHERE digest = $1)")
            .bind(digest)
            .fetch_one(self.store.pool());
        Ok(found.await?)
    }

    /// The bytes with this digest. Whoever asks for the same ones meanwhile waits for the same read.
    ///
    /// # Errors
    /// [`Missing`] when they are not there, or cannot be read now.
    pub async fn get(&self, digest: &str) -> Result<Bytes, Missing> {
        let read = self.memory.try_get_with_by_ref(digest, async {
            let found = self.read(digest).await.map_err(|error| Missing::Store(Arc::new(error)))?;
            found.ok_or_else(|| Missing::Gone(digest.to_owned()))
        });
        read.await.map_err(|error: Arc<Missing>| Missing::clone(&error))
    }

    async fn read(&self, digest: &str) -> Result<Option<Bytes>, Error> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as("SELECT bytes, body FROM artifacts WHERE digest = $1")
            .bind(digest)
            .fetch_optional(self.store.pool())
            .await?;
        let Some((bytes, body)) = row else { return Ok(None) };
        let packed = self.vault.key().open_artifact(digest, &body)?;
        let clear = zstd::bulk::decompress(&packed, bytes as usize).map_err(|e| Error::Database(sqlx::Error::Io(e)))?;
        Ok(Some(clear.into()))
    }
}
