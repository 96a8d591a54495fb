//! Events of the past that go to one destination again.
//!
//! A replay is a reader of its own, `$replay-N`: it has cursors, parked events, dead letters and books like any
//! destination, and an end in each lane. So it survives a crash where it was, holds the log back only as far as it
//! still has to read, and what becomes of its events is told apart from what became of them before.

use crate::audit::{self, Action};
use crate::ledger::{self, After};
use crate::log::Span;
use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_events::times::now_ms;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeMap;

/// What the names of readers that replay begin with. No destination has one that begins like this.
const PREFIX: &str = "$replay-";

/// How many bits of a chunk's number say which piece of an object of the archive it is; those above say which object.
pub const ARCHIVE_PIECE_BITS: u32 = 20;

/// Where the events of a replay come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The log, in each lane up to this chunk.
    Log(BTreeMap<i64, i64>),
    /// The archive.
    Archive {
        /// What was asked for: a folder, below the archive's own prefix.
        prefix: String,
        /// The objects in their order.
        objects: Vec<String>,
    },
}

impl Origin {
    /// In each lane of the log, the last chunk; nothing of the archive.
    #[must_use]
    pub fn ends(&self) -> Option<&BTreeMap<i64, i64>> {
        match self {
            Origin::Log(ends) => Some(ends),
            Origin::Archive { .. } => None,
        }
    }
}

/// A replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Counted up.
    pub id: i64,
    /// The destination that gets the events.
    pub destination: String,
    /// Events received from then on, milliseconds since 1970.
    pub since_ms: i64,
    /// Events received before then, milliseconds since 1970.
    pub until_ms: i64,
    /// Where the events come from.
    pub origin: Origin,
    /// Who started it.
    pub author: String,
    /// When it was started, milliseconds since 1970.
    pub created_ms: i64,
    /// How often it was opened again for the sake of a dead letter.
    pub round: i32,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// When the last of its events was settled, milliseconds since 1970; none while it is not over.
    pub ended_ms: Option<i64>,
}

impl Replay {
    /// One that nobody has started: to see what it would do.
    #[must_use]
    pub fn planned(destination: &str, since_ms: i64, until_ms: i64, source: &Source) -> Replay {
        let origin = match source {
            Source::Log(span) => Origin::Log(span.iter().map(|(lane, (_, last))| (*lane, *last)).collect()),
            Source::Archive { prefix, objects } => Origin::Archive { prefix: prefix.clone(), objects: objects.clone() },
        };
        Replay {
            id: 0,
            destination: destination.to_owned(),
            since_ms,
            until_ms,
            origin,
            author: String::new(),
            created_ms: now_ms(),
            round: 0,
            cancelled_by: None,
            ended_ms: None,
        }
    }

    /// The name of its reader.
    #[must_use]
    pub fn reader(&self) -> String {
        reader(self.id)
    }

    /// Whether it has been read to its end, or as far as it went, and was opened again for a dead letter.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.round > 0
    }

    /// Whether it takes an event that was received then.
    #[must_use]
    pub fn takes(&self, received_at_ms: i64) -> bool {
        (self.since_ms..self.until_ms).contains(&received_at_ms)
    }

    /// How many of the archive's objects lie before a chunk of that lane: its number has the object's place above its
    /// lower bits.
    #[must_use]
    pub fn objects_before(&self, seq: i64) -> u64 {
        (seq.max(1) - 1).cast_unsigned() >> ARCHIVE_PIECE_BITS
    }

    /// The lane of the books, cursors and dead letters of events that come from the archive: of no lane of the log.
    #[must_use]
    pub fn archive_lane(&self) -> i64 {
        -self.id
    }
}

/// What is to be replayed.
#[derive(Clone, Debug)]
pub struct Order {
    /// The destination that gets the events.
    pub destination: String,
    /// Events received from then on, milliseconds since 1970.
    pub since_ms: i64,
    /// Events received before then, milliseconds since 1970.
    pub until_ms: i64,
    /// Where they come from.
    pub source: Source,
    /// Who wants it.
    pub author: String,
    /// Why; empty when nobody said.
    pub reason: String,
}

/// Where the events of a new replay come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// These chunks of the log.
    Log(Span),
    /// These objects of the archive.
    Archive {
        /// What was asked for.
        prefix: String,
        /// The objects in their order.
        objects: Vec<String>,
    },
}

/// The name of a replay's reader.
#[must_use]
pub fn reader(id: i64) -> String {
    format!("{PREFIX}{id}")
}

/// The replay that a reader is; nothing when it is none.
#[must_use]
pub fn of_reader(reader: &str) -> Option<i64> {
    reader.strip_prefix(PREFIX)?.parse().ok()
}

/// Starts a replay, unless so many are not over yet; says so in the audit. Whoever reads has to be told.
///
/// # Errors
/// When the database does not answer.
pub async fn start(store: &Store, order: &Order, unfinished_max: u32) -> Result<Option<Replay>, Error> {
    let mut tx = store.pool().begin().await?;
    // Of two who start one at the same time, one counts the other's.
    sqlx::query("LOCK TABLE replays IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await?;
    let unfinished: i64 =
        sqlx::query_scalar("SELECT count(*) FROM replays WHERE ended_ms IS NULL").fetch_one(&mut *tx).await?;
    if unfinished >= i64::from(unfinished_max) {
        return Ok(None);
    }
    let (archive, objects) = match &order.source {
        Source::Log(_) => (None, &[][..]),
        Source::Archive { prefix, objects } => (Some(without_nul(prefix)), objects.as_slice()),
    };
    let row = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO replays (destination, since_ms, until_ms, archive, objects, author, created_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}"
    )))
    .bind(&order.destination)
    .bind(order.since_ms)
    .bind(order.until_ms)
    .bind(archive)
    .bind(objects)
    .bind(without_nul(&order.author))
    .bind(now_ms())
    .fetch_one(&mut *tx)
    .await?;
    let mut replay = read(&row);
    let reader = replay.reader();
    sqlx::query("INSERT INTO destinations (id, bounded) VALUES ($1, true)").bind(&reader).execute(&mut *tx).await?;
    if let Source::Log(span) = &order.source {
        let lanes: Vec<i64> = span.keys().copied().collect();
        let first: Vec<i64> = span.values().map(|(first, _)| *first).collect();
        let last: Vec<i64> = span.values().map(|(_, last)| *last).collect();
        place(&mut tx, &reader, &lanes, &first).await?;
        sqlx::query(
            "INSERT INTO reader_ends (reader, lane, last_seq) \
             SELECT $1, n.* FROM unnest($2::bigint[], $3::bigint[]) n",
        )
        .bind(&reader)
        .bind(&lanes)
        .bind(&last)
        .execute(&mut *tx)
        .await?;
        replay.origin = Origin::Log(lanes.into_iter().zip(last).collect());
    }
    audit::record(&mut tx, &action(&replay, "replay.start", &order.author, &order.reason)).await?;
    tx.commit().await?;
    Ok(Some(replay))
}

/// The replays, newest first, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, limit: u32) -> Result<Vec<Replay>, Error> {
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM replays ORDER BY id DESC LIMIT $1")))
        .bind(i64::from(limit))
        .fetch_all(store.pool())
        .await?;
    with_ends(store, rows.iter().map(read).collect()).await
}

/// Those that are not over, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn unfinished(store: &Store) -> Result<Vec<Replay>, Error> {
    let statement = format!("SELECT {COLUMNS} FROM replays WHERE ended_ms IS NULL ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(store.pool()).await?;
    with_ends(store, rows.iter().map(read).collect()).await
}

/// One replay.
///
/// # Errors
/// When the database does not answer.
pub async fn get(store: &Store, id: i64) -> Result<Option<Replay>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM replays WHERE id = $1")))
        .bind(id)
        .fetch_optional(store.pool())
        .await?;
    Ok(with_ends(store, row.iter().map(read).collect()).await?.pop())
}

/// Says that a replay shall go no further. Whoever reads has to be told, and ends it then. False when it is over or
/// was cancelled before.
///
/// # Errors
/// When the database does not answer.
pub async fn cancel(store: &Store, id: i64, author: &str, reason: &str) -> Result<bool, Error> {
    let mut tx = store.pool().begin().await?;
    let row = sqlx::query(AssertSqlSafe(format!(
        "UPDATE replays SET cancelled_by = $2 WHERE id = $1 AND ended_ms IS NULL AND cancelled_by IS NULL \
         RETURNING {COLUMNS}"
    )))
    .bind(id)
    .bind(without_nul(author))
    .fetch_optional(&mut *tx)
    .await?;
    let Some(replay) = row.as_ref().map(read) else { return Ok(false) };
    audit::record(&mut tx, &action(&replay, "replay.cancel", author, reason)).await?;
    tx.commit().await?;
    Ok(true)
}

/// A replay is over: it holds nothing back any more. Nothing of it may be read or tried from here on, unless it is
/// opened again.
///
/// # Errors
/// When the database does not answer.
pub async fn end(store: &Store, id: i64) -> Result<(), Error> {
    // Both or neither: one that had lost its cursors and was not over would begin anew.
    let mut tx = store.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    ledger::close_in(&mut tx, &reader(id), After::Gone).await?;
    sqlx::query("UPDATE replays SET ended_ms = $2 WHERE id = $1 AND ended_ms IS NULL")
        .bind(id)
        .bind(now_ms())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Opens a replay that is over, because one of its dead letters is to be tried again: it reads nothing new. Whoever
/// reads has to be told. False when it is not over.
///
/// # Errors
/// When the database does not answer.
pub async fn reopen(store: &Store, id: i64) -> Result<bool, Error> {
    let mut tx = store.pool().begin().await?;
    let done = sqlx::query(
        "UPDATE replays SET ended_ms = NULL, cancelled_by = NULL, round = round + 1 \
         WHERE id = $1 AND ended_ms IS NOT NULL",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let reader = reader(id);
    // Its books were closed with what it owed, which is what it will have settled.
    sqlx::query("UPDATE destinations SET active = true, opened = true WHERE id = $1")
        .bind(&reader)
        .execute(&mut *tx)
        .await?;
    // What it had not read when it was cancelled, it does not read now either.
    sqlx::query("DELETE FROM reader_ends WHERE reader = $1").bind(&reader).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

async fn place(connection: &mut PgConnection, reader: &str, lanes: &[i64], seqs: &[i64]) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO cursors (destination, lane, seq, idx) SELECT $1, n.lane, n.seq, 0 \
         FROM unnest($2::bigint[], $3::bigint[]) n(lane, seq)",
    )
    .bind(reader)
    .bind(lanes)
    .bind(seqs)
    .execute(connection)
    .await?;
    Ok(())
}

fn action(replay: &Replay, action: &'static str, author: &str, reason: &str) -> Action {
    let Replay { id, destination, .. } = replay;
    Action {
        author: author.to_owned(),
        action,
        subject: format!("{id} to {destination}"),
        reason: reason.to_owned(),
        count: 1,
    }
}

const COLUMNS: &str =
    "id, destination, since_ms, until_ms, archive, objects, author, created_ms, round, cancelled_by, ended_ms";

fn read(row: &PgRow) -> Replay {
    let origin = match row.get(4) {
        None => Origin::Log(BTreeMap::new()),
        Some(prefix) => Origin::Archive { prefix, objects: row.get(5) },
    };
    Replay {
        id: row.get(0),
        destination: row.get(1),
        since_ms: row.get(2),
        until_ms: row.get(3),
        origin,
        author: row.get(6),
        created_ms: row.get(7),
        round: row.get(8),
        cancelled_by: row.get(9),
        ended_ms: row.get(10),
    }
}

async fn with_ends(store: &Store, mut replays: Vec<Replay>) -> Result<Vec<Replay>, Error> {
    let readers: Vec<String> = replays.iter().map(Replay::reader).collect();
    let rows = sqlx::query("SELECT reader, lane, last_seq FROM reader_ends WHERE reader = ANY($1)")
        .bind(readers)
        .fetch_all(store.pool())
        .await?;
    let mut all: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
    for row in rows {
        all.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
    }
    for replay in &mut replays {
        if let Origin::Log(ends) = &mut replay.origin {
            *ends = all.remove(&reader(replay.id)).unwrap_or_default();
        }
    }
    Ok(replays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_named_after_their_replay() {
        assert_eq!((reader(12), of_reader("$replay-12")), ("$replay-12".to_owned(), Some(12)));
        assert_eq!([of_reader("$archive"), of_reader("replay-1"), of_reader("$replay-x")], [None; 3]);
    }
}
