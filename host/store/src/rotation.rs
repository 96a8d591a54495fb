//! Another key for everything that is sealed.

use crate::seal::SecretKey;
use crate::{Error, Store};
use sqlx::Row;

/// What a rotation has sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Revisions.
    pub revisions: u64,
    /// Artifacts.
    pub artifacts: u64,
}

/// The id of the key that everything is sealed with; none before the first revision.
///
/// # Errors
/// When the database does not answer.
pub async fn key_id(store: &Store) -> Result<Option<String>, Error> {
    Ok(sqlx::query_scalar("SELECT key_id FROM catalog_head").fetch_one(store.pool()).await?)
}

/// Makes sure that this is the key that everything is sealed with, and notes it when nothing is yet.
///
/// # Errors
/// [`Error::WrongKey`] names both keys.
pub async fn check(store: &Store, key: &SecretKey) -> Result<(), Error> {
    match key_id(store).await? {
        Some(id) if id == key.id() => Ok(()),
        Some(id) => Err(Error::WrongKey(format!("that is key {id}; this one is key {}", key.id()))),
        None => {
            // A database from before keys were noted: its newest revision knows.
            let newest: Option<Vec<u8>> = sqlx::query_scalar("SELECT document FROM revisions ORDER BY id DESC LIMIT 1")
                .fetch_optional(store.pool())
                .await?;
            if let Some(document) = newest {
                key.open(&document)?;
            }
            sqlx::query("UPDATE catalog_head SET key_id = $1 WHERE key_id IS NULL")
                .bind(key.id())
                .execute(store.pool())
                .await?;
            Ok(())
        }
    }
}

/// Seals everything with `new` that is sealed with `old`, in one transaction: after a crash everything is
/// sealed with the one or with the other.
///
/// # Errors
/// [`Error::WrongKey`] when `old` is not the key in use.
pub async fn rotate(store: &Store, old: &SecretKey, new: &SecretKey) -> Result<Rotated, Error> {
    let mut tx = store.pool().begin().await?;
    // Nobody writes a revision meanwhile.
    let id: Option<String> =
        sqlx::query_scalar("SELECT key_id FROM catalog_head FOR UPDATE").fetch_one(&mut *tx).await?;
    if id.as_deref().is_some_and(|id| id != old.id()) {
        let id = id.unwrap_or_default();
        return Err(Error::WrongKey(format!("that is key {id}; this one is key {}", old.id())));
    }
    // Artifacts are stored without asking for the head's row: none may arrive behind our back.
    sqlx::query("LOCK TABLE artifacts IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await?;
    let mut rotated = Rotated::default();
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM revisions ORDER BY id").fetch_all(&mut *tx).await?;
    for id in ids {
        let sealed: Vec<u8> =
            sqlx::query("SELECT document FROM revisions WHERE id = $1").bind(id).fetch_one(&mut *tx).await?.get(0);
        let document = new.seal(&old.open(&sealed)?);
        sqlx::query("UPDATE revisions SET document = $2 WHERE id = $1")
            .bind(id)
            .bind(document)
            .execute(&mut *tx)
            .await?;
        rotated.revisions += 1;
    }
    let digests: Vec<String> = sqlx::query_scalar("SELECT digest FROM artifacts").fetch_all(&mut *tx).await?;
    for digest in digests {
        let sealed: Vec<u8> =
            sqlx::query("SELECT body FROM artifacts WHERE digest = $1").bind(&digest).fetch_one(&mut *tx).await?.get(0);
        let body = new.seal_artifact(&digest, &old.open_artifact(&digest, &sealed)?);
        sqlx::query("UPDATE artifacts SET body = $2 WHERE digest = $1")
            .bind(&digest)
            .bind(body)
            .execute(&mut *tx)
            .await?;
        rotated.artifacts += 1;
    }
    sqlx::query("UPDATE catalog_head SET key_id = $1").bind(new.id()).execute(&mut *tx).await?;
    tx.commit().await?;
    crate::fail_point::pass("secrets:after-rotate");
    Ok(rotated)
}
