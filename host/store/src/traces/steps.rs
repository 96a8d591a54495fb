//! What was seen of traced events.

use crate::settle::columns::{column, without_nul};
use crate::{Error, Store};
use pintle_events::Position;
use pintle_events::times::now_ms;
use serde_json::Value;
use sqlx::Row;
use std::time::Duration;

/// How hard steps are compressed.
const COMPRESSION: i32 = 1;
/// The largest step that is read back, in bytes: what a broken row claims beyond that is not believed.
const BODY_BYTES_MAX: usize = 16 << 20;

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The event is followed from here on: where it stands in the log, and since when.
    Accepted,
    /// It goes no further to this destination, by rule.
    Filtered,
    /// A transformation was called.
    Transformation,
    /// The destination's component was called.
    Destination,
    /// A request was sent, or could not be.
    Attempt,
    /// An output has met its fate, or waits outside the log.
    Settled,
}

impl Kind {
    /// The name in the table and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Accepted => "accepted",
            Kind::Filtered => "filtered",
            Kind::Transformation => "transformation",
            Kind::Destination => "destination",
            Kind::Attempt => "attempt",
            Kind::Settled => "settled",
        }
    }
}

/// One step of one event.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The event.
    pub position: Position,
    /// Its source.
    pub source_id: String,
    /// Its message id.
    pub message_id: String,
    /// The destination; empty for what happens once per event.
    pub destination_id: String,
    /// The connection.
    pub connection_id: String,
    /// What kind of step.
    pub kind: Kind,
    /// What is told of it: a JSON object, without secrets.
    pub body: Value,
}

/// A stored step.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Counted up: later ones have larger ids.
    pub id: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The event.
    pub position: Position,
    /// Its source.
    pub source_id: String,
    /// The destination; empty for what happens once per event.
    pub destination_id: String,
    /// The connection.
    pub connection_id: String,
    /// What kind of step.
    pub kind: String,
    /// What is told of it.
    pub body: Value,
}

/// The steps of the events with a message id, in the order in which they were written, at most so many.
///
/// # Errors
/// When the database does not answer, or a row is damaged.
pub async fn of(store: &Store, message_id: &str, source: Option<&str>, limit: u32) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query(
        "SELECT id, at_ms, lane, seq, idx, source, destination, connection, kind, body FROM trace_steps \
         WHERE message_id = $1 AND ($2::text IS NULL OR source = $2) ORDER BY id LIMIT $3",
    )
    .bind(without_nul(message_id))
    .bind(source)
    .bind(i64::from(limit))
    .fetch_all(store.pool())
    .await?;
    let read = |row: &sqlx::postgres::PgRow| -> Result<Stored, Error> {
        let body = zstd::bulk::decompress(row.get(9), BODY_BYTES_MAX)
            .map_err(|error| Error::Database(sqlx::Error::Io(error)))?;
        Ok(Stored {
            id: row.get(0),
            at_ms: row.get(1),
            position: Position { lane: row.get(2), seq: row.get(3), idx: row.get::<i32, _>(4) as u32 },
            source_id: row.get(5),
            destination_id: row.get(6),
            connection_id: row.get(7),
            kind: row.get(8),
            body: serde_json::from_slice(&body)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Writes steps in one statement.
pub(super) async fn insert(store: &Store, steps: &[Step]) -> Result<(), Error> {
    let (mut sizes, mut bodies) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
    for step in steps {
        let body = serde_json::to_vec(&step.body)?;
        sizes.push(i32::try_from(body.len()).unwrap_or(i32::MAX));
        bodies.push(zstd::bulk::compress(&body, COMPRESSION).map_err(|error| Error::Database(sqlx::Error::Io(error)))?);
    }
    sqlx::query(
        "INSERT INTO trace_steps (at_ms, lane, seq, idx, source, message_id, destination, connection, kind, bytes, \
         body) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[], \
         $7::text[], $8::text[], $9::text[], $10::int[], $11::bytea[])",
    )
    .bind(column(steps, |step| step.at_ms))
    .bind(column(steps, |step| step.position.lane))
    .bind(column(steps, |step| step.position.seq))
    .bind(column(steps, |step| step.position.idx as i32))
    .bind(column(steps, |step| without_nul(&step.source_id)))
    .bind(column(steps, |step| without_nul(&step.message_id)))
    .bind(column(steps, |step| step.destination_id.as_str()))
    .bind(column(steps, |step| step.connection_id.as_str()))
    .bind(column(steps, |step| step.kind.as_str()))
    .bind(sizes)
    .bind(bodies)
    .execute(store.pool())
    .await?;
    Ok(())
}

/// The events that are followed: the newest, at most so many, oldest first, each with the only connection on which
/// it is, if there is only one.
pub(super) async fn followed(
    store: &Store,
    since_ms: i64,
    limit: usize,
) -> Result<Vec<(Position, String, i64)>, Error> {
    let rows = sqlx::query(
        "SELECT lane, seq, idx, connection, at_ms FROM trace_steps WHERE kind = 'accepted' AND at_ms >= $1 \
         ORDER BY id DESC LIMIT $2",
    )
    .bind(since_ms)
    .bind(limit as i64)
    .fetch_all(store.pool())
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        (Position { lane: row.get(0), seq: row.get(1), idx: row.get::<i32, _>(2) as u32 }, row.get(3), row.get(4))
    };
    Ok(rows.iter().rev().map(read).collect())
}

/// Drops steps that are older than `keep`, and the oldest beyond so many rows or bytes. Says how many.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_older(store: &Store, keep: Duration, rows_max: u64, bytes_max: u64) -> Result<u64, Error> {
    let before_ms = now_ms().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)).max(0);
    let done = sqlx::query(
        "DELETE FROM trace_steps WHERE at_ms < $1 \
         OR id <= (SELECT id FROM trace_steps ORDER BY id DESC OFFSET $2 LIMIT 1) \
         OR id <= (SELECT max(id) FROM (SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS total FROM trace_steps) t \
           WHERE total > $3)",
    )
    .bind(before_ms)
    .bind(i64::try_from(rows_max).unwrap_or(i64::MAX))
    .bind(i64::try_from(bytes_max).unwrap_or(i64::MAX))
    .execute(store.pool())
    .await?;
    Ok(done.rows_affected())
}
