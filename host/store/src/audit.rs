//! What people did by hand: who, when, what, to how many, and why. Changes of the catalog are not here: they are
//! revisions.

use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_events::times::now_ms;
use sqlx::{PgConnection, Row};

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Who did it.
    pub author: String,
    /// What, e.g. `dead-letter.discard`.
    pub action: &'static str,
    /// To what: an id, or the filter that meant many.
    pub subject: String,
    /// Why; empty when nobody said.
    pub reason: String,
    /// To how many.
    pub count: u64,
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counted up: newer ones have larger ids.
    pub id: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who did it.
    pub author: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// To how many.
    pub count: u64,
}

/// Writes down what is done elsewhere than in the database.
///
/// # Errors
/// When the database does not answer.
pub async fn note(store: &Store, action: &Action) -> Result<(), Error> {
    record(&mut *store.pool().acquire().await?, action).await
}

/// Writes it down in the transaction that does it.
pub(crate) async fn record(connection: &mut PgConnection, action: &Action) -> Result<(), Error> {
    sqlx::query("INSERT INTO audit (at_ms, author, action, subject, reason, count) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(now_ms())
        .bind(without_nul(&action.author))
        .bind(action.action)
        .bind(without_nul(&action.subject))
        .bind(without_nul(&action.reason))
        .bind(i64::try_from(action.count).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}

/// The records, newest first, older than `before`, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, before: Option<i64>, limit: u32) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query(
        "SELECT id, at_ms, author, action, subject, reason, count FROM audit WHERE ($1::bigint IS NULL OR id < $1) \
         ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(store.pool())
    .await?;
    let read = |row: &sqlx::postgres::PgRow| Stored {
        id: row.get(0),
        at_ms: row.get(1),
        author: row.get(2),
        action: row.get(3),
        subject: row.get(4),
        reason: row.get(5),
        count: u64::try_from(row.get::<i64, _>(6)).unwrap_or_default(),
    };
    Ok(rows.iter().map(read).collect())
}
