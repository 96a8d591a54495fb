//! Events that fell off the end of the log undelivered: one row per destination and segment, payloads gone.

use crate::settle::columns::without_nul;
use crate::settle::tracker::Lost;
use crate::{Error, Store};
use sqlx::{PgConnection, Row};

/// A stored range of events that expired undelivered.
#[derive(Clone, Debug)]
pub struct Range {
    /// The destination that did not get them.
    pub destination: String,
    /// When, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Why.
    pub reason: String,
    /// How many.
    pub events: i64,
    /// JSON `{source: {type: count}}`.
    pub counts: String,
}

/// The ranges that expired undelivered, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn ranges(store: &Store) -> Result<Vec<Range>, Error> {
    let rows = sqlx::query(
        "SELECT destination, (extract(epoch FROM created_at) * 1000)::bigint, reason, events, counts \
         FROM dead_letter_ranges ORDER BY id DESC LIMIT 1000",
    )
    .fetch_all(store.pool())
    .await?;
    Ok(rows
        .iter()
        .map(|row| Range {
            destination: row.get(0),
            created_at_ms: row.get(1),
            reason: row.get(2),
            events: row.get(3),
            counts: row.get(4),
        })
        .collect())
}

/// What the stored range of a destination and segment says was lost.
pub(crate) async fn lost(store: &Store, destination: &str, segment: i64) -> Result<Lost, Error> {
    let counts: Option<String> =
        sqlx::query_scalar("SELECT counts FROM dead_letter_ranges WHERE destination = $1 AND segment = $2")
            .bind(destination)
            .bind(segment)
            .fetch_optional(store.pool())
            .await?;
    Ok(counts.map_or_else(|| Ok(Lost::default()), |counts| serde_json::from_str(&counts).map(Lost))?)
}

/// Writes what a destination has lost of a segment, in place of what was written before.
pub(crate) async fn write(
    connection: &mut PgConnection,
    destination: &str,
    segment: i64,
    lost: &Lost,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO dead_letter_ranges (destination, segment, reason, events, counts) \
         VALUES ($1, $2, 'not delivered within log-retention', $3, $4) \
         ON CONFLICT (destination, segment) DO UPDATE SET events = excluded.events, counts = excluded.counts",
    )
    .bind(destination)
    .bind(segment)
    .bind(lost.events() as i64)
    .bind(without_nul(&serde_json::to_string(&lost.0)?))
    .execute(connection)
    .await?;
    Ok(())
}
