//! The catalog in the database: immutable revisions, the newest of which counts.

use crate::seal::SecretKey;
use crate::{Error, Store};
use pintle_catalog::Catalog;
use sqlx::Row;
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

/// The newest revision, or an empty catalog when nothing was ever configured.
///
/// # Errors
/// When the database does not answer, or the key is not the one that the revision was stored with.
pub async fn current(store: &Store, key: &SecretKey) -> Result<(Catalog, Option<Revision>), Error> {
    let row = sqlx::query(
        "SELECT id, (extract(epoch FROM created_at) * 1000)::bigint, author, reason, changes, document \
         FROM revisions ORDER BY id DESC LIMIT 1",
    )
    .fetch_optional(store.pool())
    .await?;
    let Some(row) = row else { return Ok((Catalog::default(), None)) };
    let document = key.open(row.get(5))?;
    let mut catalog: Catalog = serde_json::from_slice(&document)?;
    catalog.revision = row.get(0);
    let revision = Revision {
        id: row.get(0),
        created_at_ms: row.get(1),
        author: row.get(2),
        reason: row.get(3),
        changes: row.get(4),
    };
    Ok((catalog, Some(revision)))
}

/// Stores a revision. What is new in it begins at `heads`, the last chunk of every lane: a destination or
/// connection gets no event that was accepted before it was there.
///
/// # Errors
/// When the database does not answer.
pub async fn apply(
    store: &Store,
    key: &SecretKey,
    before: &Catalog,
    after: &Catalog,
    (author, reason, changes): (&str, &str, &str),
    heads: &BTreeMap<i64, i64>,
) -> Result<i64, Error> {
    let document = key.seal(&serde_json::to_vec(after)?);
    let lanes: Vec<i64> = heads.keys().copied().collect();
    let starts: Vec<i64> = heads.values().map(|head| head + 1).collect();
    let mut tx = store.pool().begin().await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO revisions (author, reason, changes, document) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(author)
    .bind(reason)
    .bind(crate::settle::columns::without_nul(changes))
    .bind(document)
    .fetch_one(&mut *tx)
    .await?;
    for destination in after
        .destinations
        .iter()
        .filter(|(_, d)| d.state != pintle_catalog::DestinationState::Disabled)
        .map(|(id, _)| id)
    {
        let is_new: bool = sqlx::query_scalar(
            "INSERT INTO destinations (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET active = true \
             WHERE NOT destinations.active RETURNING true",
        )
        .bind(destination)
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or(false);
        if is_new {
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
    tx.commit().await?;
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
    let mut tx = store.pool().begin().await?;
    sqlx::query("UPDATE destinations SET active = false WHERE id = $1").bind(destination).execute(&mut *tx).await?;
    sqlx::query("DELETE FROM cursors WHERE destination = $1").bind(destination).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The destinations that are active in the database: those of the catalog, and those that are gone from it
/// but still have a backlog to be dealt with.
///
/// # Errors
/// When the database does not answer.
pub async fn active_destinations(store: &Store) -> Result<Vec<String>, Error> {
    Ok(sqlx::query_scalar("SELECT id FROM destinations WHERE active ORDER BY id").fetch_all(store.pool()).await?)
}
