//! Finds events by their message ids, in the lists of hashes that chunks carry.
//!
//! There is no index on message ids: it would cost more than the log itself. A search reads the lists of whole
//! segments, newest first, where Postgres compares them: nothing but the chunks that have the hash leaves it. So it
//! is bounded by the bytes of the segments that it looks through.

use super::chunk::{Chunk, PIECE_BYTES};
use super::reader::read_chunks;
use super::segment::{Segment, ms, table};
use super::{Log, front};
use crate::Error;
use pintle_events::{EventRef, Position, key};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Events that one search gives, at most: a message id that so many have names nothing.
pub const FOUND_MAX: usize = 100;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The message id.
    pub message_id: &'a str,
    /// The sources that it may be of: the hash covers the source too.
    pub sources: &'a [String],
    /// Not in what was sealed before that, milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Not in what was begun after that, milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Look through so many bytes of the log, at most.
    pub bytes_max: u64,
}

/// An event that was found.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Where it stands.
    pub position: Position,
    /// Whether it is a copy of an earlier event.
    pub is_duplicate: bool,
    /// As it is stored: a chunk is not held for the sake of one event.
    frame: Vec<u8>,
}

impl Occurrence {
    /// The event.
    #[must_use]
    pub fn event(&self) -> EventRef<'_> {
        EventRef::read(&self.frame).expect("it was written from one").0
    }
}

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The events, in the order in which they were received.
    pub events: Vec<Occurrence>,
    /// How many bytes of the log were looked through.
    pub bytes: u64,
    /// Set when there is more of the log than may be looked through: it was done back to then, milliseconds since
    /// 1970.
    pub back_to_ms: Option<i64>,
    /// Where the log begins, milliseconds since 1970; what is older is gone.
    pub log_begins_ms: Option<i64>,
}

impl Log {
    /// Finds the events with a message id.
    ///
    /// # Errors
    /// When the database does not answer, or a chunk is damaged.
    pub async fn find(&self, wanted: &Wanted<'_>) -> Result<Found, Error> {
        let hash = |source: &String| key::message_id_hash(source, wanted.message_id).to_le_bytes().to_vec();
        let hashes: Vec<Vec<u8>> = wanted.sources.iter().map(hash).collect();
        let segments = self.inner.segments.snapshot();
        let mut found = Found { log_begins_ms: segments.first().map(|first| ms(first.created)), ..Found::default() };
        for segment in segments.iter().rev().filter(|segment| is_in(segment, wanted)) {
            if found.bytes > 0 && found.bytes + segment.bytes > wanted.bytes_max {
                found.back_to_ms = Some(segment.sealed.map_or_else(|| ms(segment.created), ms));
                break;
            }
            found.bytes += segment.bytes.max(1);
            for (lane, seq) in self.chunks_with(segment.id, &hashes).await? {
                self.pick(segment.id, lane, seq, wanted, &mut found.events).await?;
            }
            if found.events.len() >= FOUND_MAX {
                break;
            }
        }
        // Within a lane positions are in order; lanes are merged by the clock.
        found.events.sort_by_key(|found| (found.event().received_at_ms, found.position));
        found.events.truncate(FOUND_MAX);
        Ok(found)
    }

    /// The chunks of a segment whose list has one of the hashes, and a few more: bytes of two neighbours may look
    /// like one.
    async fn chunks_with(&self, segment: i64, hashes: &[Vec<u8>]) -> Result<Vec<(i64, i64)>, Error> {
        let table = table(segment);
        let statement = format!(
            "WITH heads AS NOT MATERIALIZED (SELECT lane, seq, events, data, {slots_at} AS at FROM {table} \
               WHERE piece = 1 AND events > 0), \
             small AS (SELECT lane, seq, events, data, at FROM heads WHERE at + 9 * events <= {PIECE_BYTES}), \
             large AS (SELECT lane, seq, events, at, (SELECT string_agg(p.data, ''::bytea ORDER BY p.piece) \
                 FROM {table} p WHERE p.lane = h.lane AND p.seq = h.seq \
                 AND p.piece <= (at + 9 * h.events) / {PIECE_BYTES} + 1) AS data \
               FROM heads h WHERE at + 9 * events > {PIECE_BYTES}) \
             SELECT lane, seq FROM small, unnest($1::bytea[]) hash \
             WHERE position(hash IN substring(data FROM at + 1 + events FOR 8 * events)) > 0 \
             UNION SELECT lane, seq FROM large, unnest($1::bytea[]) hash \
             WHERE position(hash IN substring(data FROM at + 1 + events FOR 8 * events)) > 0 \
             LIMIT {FOUND_MAX}",
            slots_at = Chunk::SLOTS_AT
        );
        let chunks = sqlx::query_as(AssertSqlSafe(statement)).bind(hashes).fetch_all(self.inner.store.pool()).await;
        match chunks {
            // Dropped between our look at the list and the query.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(Vec::new()),
            chunks => Ok(chunks?),
        }
    }

    async fn pick(
        &self,
        segment: i64,
        lane: i64,
        seq: i64,
        wanted: &Wanted<'_>,
        found: &mut Vec<Occurrence>,
    ) -> Result<(), Error> {
        let store = &self.inner.store;
        let mut copies: BTreeMap<i64, Vec<u32>> = front::duplicates(store, lane, seq..=seq).await?;
        let mut connection = store.pool().acquire().await?;
        for mut chunk in read_chunks(&mut connection, segment, lane, seq, seq).await? {
            chunk.mark(copies.remove(&seq).unwrap_or_default());
            for idx in 0..chunk.events() {
                let event = chunk.event(idx);
                let is_wanted = event.message_id == wanted.message_id
                    && wanted.sources.iter().any(|source| source == event.source_id);
                if !is_wanted {
                    continue;
                }
                let mut frame = Vec::new();
                event.encode(&mut frame);
                found.push(Occurrence {
                    position: Position { lane, seq, idx },
                    is_duplicate: chunk.is_duplicate(idx),
                    frame,
                });
            }
        }
        Ok(())
    }
}

fn is_in(segment: &Segment, wanted: &Wanted<'_>) -> bool {
    // A segment is made ahead, and an event received before it is committed: a little more is looked through.
    const SLACK_MS: i64 = 60_000;
    let since = wanted.since_ms.is_none_or(|since| segment.sealed.is_none_or(|at| ms(at) + SLACK_MS >= since));
    let until = wanted.until_ms.is_none_or(|until| ms(segment.created) - SLACK_MS <= until);
    segment.bytes > 0 && since && until
}
