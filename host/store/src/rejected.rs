//! Events that the gateway did not take, kept for those who look for them.
//!
//! A batch may have good events and bad ones. The good ones are in the log before the client hears `ok`, and
//! so are the records of the bad ones here. Records of requests that were refused whole are written when there
//! is time.

use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_events::times::now_ms;
use sqlx::Row;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Bytes of an event that are kept of it.
pub const EXCERPT_BYTES_MAX: usize = 16 << 10;
/// Requests whose records may wait to be written.
const WAITING_MAX: usize = 1_024;
/// Records in one statement, at most, unless one request has more.
const STATEMENT_RECORDS_MAX: usize = 2_000;
/// Between two looks for records that are too many or too old.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
    /// The source that it came with.
    pub source_id: String,
    /// Why it was not taken: the label that metrics have for it.
    pub reason: String,
    /// Its message id, as far as it has one.
    pub message_id: String,
    /// Its type, as far as it has one.
    pub event_type: String,
    /// Where it came from.
    pub request_ip: String,
    /// How long it is.
    pub bytes: u64,
    /// Its start, at most [`EXCERPT_BYTES_MAX`] bytes.
    pub excerpt: Vec<u8>,
}

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counted up: newer ones have larger ids.
    pub id: i64,
    /// What is known of the event.
    pub event: Rejected,
}

/// Which records to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only of this source.
    pub source: Option<String>,
    /// Only for this reason.
    pub reason: Option<String>,
    /// Only older ones than this id.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

type Waiting = (Vec<Rejected>, Option<oneshot::Sender<()>>);

/// Takes records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    waiting: mpsc::Sender<Waiting>,
}

impl Recorder {
    /// A recorder, and the service that writes for it.
    #[must_use]
    pub fn new(store: Store) -> (Recorder, Writer) {
        let (waiting, queue) = mpsc::channel(WAITING_MAX);
        (Recorder { waiting }, Writer { store, queue })
    }

    /// Returns when the records are written; false when they may not be.
    pub async fn write(&self, records: Vec<Rejected>) -> bool {
        let (written, wait) = oneshot::channel();
        self.waiting.send((records, Some(written))).await.is_ok() && wait.await.is_ok()
    }

    /// Writes the records when there is time. Where there is none they are only counted: who floods the gateway
    /// with rubbish does not slow down the others.
    pub fn note(&self, records: Vec<Rejected>) {
        let count = records.len();
        if self.waiting.try_send((records, None)).is_err() {
            crate::metrics::rejected_unrecorded(count);
        }
    }
}

/// Writes records, as many as wait in one statement.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    queue: mpsc::Receiver<Waiting>,
}

impl Writer {
    /// Runs until nobody can hand it anything any more, or until `shutdown` when nothing waits.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut tidy = tokio::time::interval(TIDY_INTERVAL);
        loop {
            let first = tokio::select! {
                biased;
                first = self.queue.recv() => first,
                () = shutdown.cancelled() => return,
                _ = tidy.tick() => {
                    self.tidy().await;
                    continue;
                }
            };
            let Some(first) = first else { return };
            let (mut records, mut written) = (first.0, vec![first.1]);
            while records.len() < STATEMENT_RECORDS_MAX
                && let Ok((more, wait)) = self.queue.try_recv()
            {
                records.extend(more);
                written.push(wait);
            }
            match insert(&self.store, &records).await {
                Ok(()) => written.into_iter().flatten().for_each(|wait| _ = wait.send(())),
                // The senders go: who waits is told that nothing is sure.
                Err(error) => tracing::warn!(%error, records = records.len(), "rejected events could not be recorded"),
            }
        }
    }

    async fn tidy(&self) {
        let config = self.store.config();
        if let Err(error) = drop_older(&self.store, config.rejected_retention, config.rejected_events_max.get()).await {
            tracing::warn!(%error, "old records of rejected events could not be dropped");
        }
    }
}

async fn insert(store: &Store, records: &[Rejected]) -> Result<(), Error> {
    let texts = |field: fn(&Rejected) -> &String| -> Vec<String> {
        records.iter().map(|record| without_nul(field(record))).collect()
    };
    sqlx::query(
        "INSERT INTO rejected_events (at_ms, source, reason, message_id, event_type, request_ip, bytes, excerpt) \
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
         $8::bytea[])",
    )
    .bind(records.iter().map(|record| record.at_ms).collect::<Vec<_>>())
    .bind(texts(|record| &record.source_id))
    .bind(texts(|record| &record.reason))
    .bind(texts(|record| &record.message_id))
    .bind(texts(|record| &record.event_type))
    .bind(texts(|record| &record.request_ip))
    .bind(records.iter().map(|record| record.bytes as i64).collect::<Vec<_>>())
    .bind(records.iter().map(|record| record.excerpt.clone()).collect::<Vec<_>>())
    .execute(store.pool())
    .await?;
    Ok(())
}

/// The records that a filter lets through, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query(
        "SELECT id, at_ms, source, reason, message_id, event_type, request_ip, bytes, excerpt FROM rejected_events \
         WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2) \
         AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(&filter.source)
    .bind(&filter.reason)
    .bind(filter.before)
    .bind(i64::from(filter.limit))
    .fetch_all(store.pool())
    .await?;
    Ok(rows.iter().map(read).collect())
}

/// The records of events with a message id, newest first, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn of_message(
    store: &Store,
    message_id: &str,
    source: Option<&str>,
    limit: u32,
) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query(
        "SELECT id, at_ms, source, reason, message_id, event_type, request_ip, bytes, excerpt FROM rejected_events \
         WHERE message_id = $1 AND ($2::text IS NULL OR source = $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(without_nul(message_id))
    .bind(source)
    .bind(i64::from(limit))
    .fetch_all(store.pool())
    .await?;
    Ok(rows.iter().map(read).collect())
}

fn read(row: &sqlx::postgres::PgRow) -> Stored {
    Stored {
        id: row.get(0),
        event: Rejected {
            at_ms: row.get(1),
            source_id: row.get(2),
            reason: row.get(3),
            message_id: row.get(4),
            event_type: row.get(5),
            request_ip: row.get(6),
            bytes: row.get::<i64, _>(7) as u64,
            excerpt: row.get(8),
        },
    }
}

/// Drops records that are older than `keep`, and the oldest beyond so many.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_older(store: &Store, keep: Duration, records_max: u64) -> Result<u64, Error> {
    let before_ms = now_ms().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)).max(0);
    let done = sqlx::query(
        "DELETE FROM rejected_events WHERE at_ms < $1 \
         OR id <= (SELECT id FROM rejected_events ORDER BY id DESC OFFSET $2 LIMIT 1)",
    )
    .bind(before_ms)
    .bind(records_max as i64)
    .execute(store.pool())
    .await?;
    Ok(done.rows_affected())
}
