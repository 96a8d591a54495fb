//! Which key everything stored is sealed with, and what to do when it is another one.

use crate::config::Config;
use anyhow::Context;
use pintle_control::KeyFile;
use pintle_control::keys::next;
use pintle_store::seal::{SecretKey, Vault};
use pintle_store::{Store, rotation};
use std::path::Path;

/// The key, checked against what is stored, and where it is kept.
pub async fn open(config: &Config, data_dir: &Path, store: &Store) -> anyhow::Result<(Vault, KeyFile)> {
    if let Some(key) = &config.secret_key {
        let key = SecretKey::parse(key).context("PINTLE_SECRET_KEY")?;
        replace_old(config, store, &key).await?;
        rotation::check(store, &key).await.context("PINTLE_SECRET_KEY")?;
        return Ok((Vault::new(key), KeyFile::Environment));
    }
    let path = config.secret_key_file.clone().unwrap_or_else(|| data_dir.join("secret.key"));
    let key = finish_rotation(&path, store).await?;
    replace_old(config, store, &key).await?;
    rotation::check(store, &key).await.with_context(|| format!("secret key file {}", path.display()))?;
    Ok((Vault::new(key), KeyFile::File(path)))
}

/// The key in the file; when a rotation was cut short, the one that everything is sealed with.
async fn finish_rotation(path: &Path, store: &Store) -> anyhow::Result<SecretKey> {
    let newer = next(path);
    if newer.is_file() {
        let key = SecretKey::load_or_make(&newer)?;
        if rotation::key_id(store).await?.as_deref() == Some(key.id()) {
            tracing::info!(key = key.id(), "a rotation of the key is brought to its end");
            std::fs::rename(&newer, path).with_context(|| path.display().to_string())?;
        } else {
            // The crash came before anything was sealed with it.
            std::fs::remove_file(&newer).with_context(|| newer.display().to_string())?;
        }
    }
    Ok(SecretKey::load_or_make(path)?)
}

/// Seals everything anew that the old key from the environment opens.
async fn replace_old(config: &Config, store: &Store, key: &SecretKey) -> anyhow::Result<()> {
    let Some(old) = &config.secret_key_old else { return Ok(()) };
    let old = SecretKey::parse(old).context("PINTLE_SECRET_KEY_OLD")?;
    if rotation::key_id(store).await?.as_deref() == Some(old.id()) && old.id() != key.id() {
        let rotated = rotation::rotate(store, &old, key).await.context("PINTLE_SECRET_KEY_OLD")?;
        tracing::info!(
            old = old.id(),
            key = key.id(),
            revisions = rotated.revisions,
            artifacts = rotated.artifacts,
            "everything is sealed with the new key; PINTLE_SECRET_KEY_OLD is not needed any more"
        );
    }
    Ok(())
}
