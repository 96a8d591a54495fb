//! The catalog in the database: immutable revisions, the newest of which counts.

use crate::artifacts::Artifacts;
use crate::ledger::{self, After};
use crate::seal::{SecretKey, Vault};
use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_catalog::Catalog;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

/// What is known of a revision besides its document.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its number.
    pub id: i64,
    /// When it was made, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who made it: `file`, or a user.
    pub author: String,
    /// Why.
    pub reason: String,
    /// What changed, for people.
    pub changes: String,
}

const COLUMNS: &str = "id, (extract(epoch FROM created_at) * 1000)::bigint, author, reason, changes";

/// The newest revision, or an empty catalog when nothing was ever configured.
///
/// # Errors
/// When the database does not answer, or the key is not the one that the revision was stored with.
pub async fn current(store: &Store, key: &SecretKey) -> Result<(Catalog, Option<Revision>), Error> {
    let statement = format!("SELECT {COLUMNS}, document FROM revisions ORDER BY id DESC LIMIT 1");
    match sqlx::query(AssertSqlSafe(statement)).fetch_optional(store.pool()).await? {
        None => Ok((Catalog::default(), None)),
        Some(row) => read(store, key, &row).await.map(|(catalog, revision)| (catalog, Some(revision))),
    }
}

/// The number of the newest revision; 0 before there is any.
///
/// # Errors
/// When the database does not answer.
pub async fn head(store: &Store) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT revision FROM catalog_head").fetch_one(store.pool()).await?)
}

/// One revision.
///
/// # Errors
/// As [`current`].
pub async fn get(store: &Store, key: &SecretKey, id: i64) -> Result<Option<(Catalog, Revision)>, Error> {
    let statement = format!("SELECT {COLUMNS}, document FROM revisions WHERE id = $1");
    match sqlx::query(AssertSqlSafe(statement)).bind(id).fetch_optional(store.pool()).await? {
        None => Ok(None),
        Some(row) => read(store, key, &row).await.map(Some),
    }
}

/// Revisions, newest first, without their documents; with `before` only older ones.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, before: Option<i64>, limit: u32) -> Result<Vec<Revision>, Error> {
    let statement =
        format!("SELECT {COLUMNS} FROM revisions WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2");
    let rows = sqlx::query(AssertSqlSafe(statement)).bind(before).bind(i64::from(limit)).fetch_all(store.pool());
    Ok(rows.await?.iter().map(revision).collect())
}

async fn read(store: &Store, key: &SecretKey, row: &PgRow) -> Result<(Catalog, Revision), Error> {
    let (mut catalog, code) = pintle_catalog::stored::read(&key.open(row.get(5))?)?;
    catalog.revision = row.get(0);
    if !code.is_empty() {
        // An old format holds the code itself; those who run it look for it among the artifacts.
        let artifacts = Artifacts::new(store.clone(), Vault::new(key.clone()));
        for code in code {
            artifacts.put(&code).await?;
        }
    }
    Ok((catalog, revision(row)))
}

fn revision(row: &PgRow) -> Revision {
    Revision { id: row.get(0), created_at_ms: row.get(1), author: row.get(2), reason: row.get(3), changes: row.get(4) }
}

/// What is said about a new revision.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// Who makes it.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What changes, for people; secret values only as fingerprints.
    pub changes: &'a str,
}

/// Stores a revision. What is new in it begins at `heads`, the last chunk of every lane: a destination or
/// connection gets no event that was accepted before it was there.
///
/// # Errors
/// [`Error::Superseded`] when `before` is not the newest revision any more; otherwise when the database does
/// not answer: then nobody knows whether it was stored.
pub async fn apply(
    store: &Store,
    key: &SecretKey,
    before: &Catalog,
    after: &Catalog,
    note: Note<'_>,
    heads: &BTreeMap<i64, i64>,
) -> Result<i64, Error> {
    let document = key.seal(&pintle_catalog::stored::write(after));
    let lanes: Vec<i64> = heads.keys().copied().collect();
    let starts: Vec<i64> = heads.values().map(|head| head + 1).collect();
    let mut tx = store.pool().begin().await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO revisions (author, reason, changes, document) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(without_nul(note.author))
    .bind(without_nul(note.reason))
    .bind(without_nul(note.changes))
    .bind(document)
    .fetch_one(&mut *tx)
    .await?;
    // The key is presented as well: a process that slept through a rotation must not write what nobody can open.
    let moved = sqlx::query(
        "UPDATE catalog_head SET revision = $1, key_id = $3 WHERE revision = $2 AND coalesce(key_id, $3) = $3",
    )
    .bind(id)
    .bind(before.revision)
    .bind(key.id())
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Err(Error::Superseded);
    }
    for destination in after
        .destinations
        .iter()
        .filter(|(_, d)| d.state != pintle_catalog::DestinationState::Disabled)
        .map(|(id, _)| id)
    {
        let is_new: bool = sqlx::query_scalar(
            "INSERT INTO destinations (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET active = true, opened = false \
             WHERE NOT destinations.active RETURNING true",
        )
        .bind(destination)
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or(false);
        if is_new {
            sqlx::query("DELETE FROM cursors WHERE destination = $1").bind(destination).execute(&mut *tx).await?;
            sqlx::query(
                "INSERT INTO cursors (destination, lane, seq, idx) SELECT $1, u.lane, u.seq, 0 \
                 FROM unnest($2::bigint[], $3::bigint[]) u(lane, seq) ON CONFLICT DO NOTHING",
            )
            .bind(destination)
            .bind(&lanes)
            .bind(&starts)
            .execute(&mut *tx)
            .await?;
        }
    }
    for (connection, new) in &after.connections {
        let was_on = before
            .connections
            .get(connection)
            .is_some_and(|old| old.is_on() && old.source == new.source && old.destination == new.destination);
        if was_on || !new.is_on() {
            continue;
        }
        sqlx::query(
            "INSERT INTO connection_starts (connection, lane, seq) SELECT $1, u.lane, u.seq \
             FROM unnest($2::bigint[], $3::bigint[]) u(lane, seq) \
             ON CONFLICT (connection, lane) DO UPDATE SET seq = excluded.seq",
        )
        .bind(connection)
        .bind(&lanes)
        .bind(&starts)
        .execute(&mut *tx)
        .await?;
    }
    crate::fail_point::pass("catalog:before-commit");
    tx.commit().await?;
    crate::fail_point::pass("catalog:after-commit");
    Ok(id)
}

/// For every connection, the chunk of each lane from which on it gets events.
///
/// # Errors
/// When the database does not answer.
pub async fn connection_starts(store: &Store) -> Result<BTreeMap<String, BTreeMap<i64, i64>>, Error> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT s.connection, s.lane, s.seq FROM connection_starts s JOIN lanes l ON l.id = s.lane")
            .fetch_all(store.pool())
            .await?;
    let mut starts: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
    for (connection, lane, seq) in rows {
        starts.entry(connection).or_default().insert(lane, seq);
    }
    Ok(starts)
}

/// A destination takes nothing any more and its backlog is dealt with: its cursors hold no segment back.
///
/// # Errors
/// When the database does not answer.
pub async fn deactivate(store: &Store, destination: &str) -> Result<(), Error> {
    ledger::close(store, destination, After::Gone).await
}

/// The destinations that are active in the database: those of the catalog, and those that are gone from it
/// but still have a backlog to be dealt with. Readers that are none of the catalog's (`$archive`, `$replay-N`) are left
/// out.
///
/// # Errors
/// When the database does not answer.
pub async fn active_destinations(store: &Store) -> Result<Vec<String>, Error> {
    let mut readers = active_readers(store).await?;
    readers.retain(|id| !id.starts_with('$'));
    Ok(readers)
}

/// All who hold something of the log back: destinations, the archive and replays.
///
/// # Errors
/// When the database does not answer.
pub async fn active_readers(store: &Store) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar("SELECT id FROM destinations WHERE active ORDER BY id").fetch_all(store.pool()).await?)
}
