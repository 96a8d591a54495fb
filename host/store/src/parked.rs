//! Parked outputs of one event, for people.

use crate::settle::columns::{read_output, without_nul};
use crate::{Error, Store};
use pintle_events::Position;
use sqlx::Row;

/// Rows of one answer, at most.
const ROWS_MAX: i64 = 1_000;

/// An output that waits outside the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The destination that it waits for.
    pub destination: String,
    /// The event.
    pub position: Position,
    /// Which output of it.
    pub output: u32,
    /// Tries so far.
    pub attempts: u32,
    /// When it is due, milliseconds since 1970.
    pub next_at_ms: i64,
    /// What the last try said.
    pub last_error: String,
}

/// The parked outputs of the events with a message id.
///
/// # Errors
/// When the database does not answer.
pub async fn of(store: &Store, message_id: &str, source: Option<&str>) -> Result<Vec<Waiting>, Error> {
    let rows = sqlx::query(
        "SELECT destination, lane, seq, idx, output, attempt, next_at_ms, last_error FROM parked \
         WHERE message_id = $1 AND ($2::text IS NULL OR source = $2) ORDER BY destination, lane, seq, idx, output \
         LIMIT $3",
    )
    .bind(without_nul(message_id))
    .bind(source)
    .bind(ROWS_MAX)
    .fetch_all(store.pool())
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let (position, output) = read_output(row, 1);
        Waiting {
            destination: row.get(0),
            position,
            output,
            attempts: row.get::<i32, _>(5) as u32,
            next_at_ms: row.get(6),
            last_error: row.get(7),
        }
    };
    Ok(rows.iter().map(read).collect())
}
