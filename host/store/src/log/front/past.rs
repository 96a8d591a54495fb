//! The message ids of what was committed before this process, from the lists that chunks carry.

use super::Window;
use crate::Error;
use crate::log::Inner;
use crate::log::chunk::{Chunk, PIECE_BYTES};
use crate::log::reader::read_chunks;
use crate::log::segment::{Segment, ms, table};
use pintle_events::Position;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeSet;

/// What is fetched of a chunk besides a slot and an id per event: its header, and room for counts of a few
/// sources. Where they take more, the rest is fetched on its own.
const HEAD_BYTES: usize = 256;
/// Chunks whose lists are read at once.
const CHUNKS_AT_ONCE: i64 = 4_096;

/// Fills the window with the ids of the last `dedup-window` of the log. Gives the events that may be copies and
/// of which no row says so, each with what was there before.
pub(super) async fn recall(inner: &Inner, window: &mut Window) -> Result<Vec<(Position, Position)>, Error> {
    let config = inner.store.config();
    *window = Window::new(config.dedup_ids_max.get() as usize, config.dedup_window);
    if config.dedup_window.is_zero() {
        return Ok(Vec::new());
    }
    let segments = inner.segments.snapshot();
    // Counted back from the last event: what a crash has left undecided is decided as it would have been then.
    let Some(last_ms) = last_event_ms(inner, &segments).await? else { return Ok(Vec::new()) };
    let keep_ms = config.dedup_window.as_millis() as i64;
    let mut known = Vec::new();
    for segment in segments {
        // What is in a sealed segment is at least as old as its seal.
        let at_ms = segment.sealed.map_or(last_ms, ms).min(last_ms);
        if last_ms - at_ms > keep_ms {
            continue;
        }
        let mut lists = Vec::new();
        for (lane, (first, last)) in &segment.lanes {
            if inner.closed.contains_key(lane) {
                read_lists(inner, segment.id, *lane, *first, *last, &mut lists).await?;
            }
        }
        lists.sort_unstable_by_key(|list| list.ord);
        for List { lane, seq, ids, .. } in lists {
            let again = window.remember(lane, seq, &ids, at_ms);
            known.extend(again.into_iter().map(|(idx, first)| (Position { lane, seq, idx }, first)));
        }
    }
    let recorded = recorded(inner).await?;
    known.retain(|(later, _)| !recorded.contains(later));
    Ok(known)
}

struct List {
    ord: i64,
    lane: i64,
    seq: i64,
    ids: Vec<u64>,
}

async fn read_lists(
    inner: &Inner,
    segment: i64,
    lane: i64,
    first: i64,
    last: i64,
    lists: &mut Vec<List>,
) -> Result<(), Error> {
    // The limit keeps the planner, who knows nothing about these tables, from reading all of the table: what is
    // wanted is a page per chunk.
    let statement = format!(
        "SELECT s.seq, c.ord, c.directory FROM generate_series($2::bigint, $3::bigint) s(seq), \
         LATERAL (SELECT ord, substring(data FOR {HEAD_BYTES} + 9 * events) AS directory FROM {} \
           WHERE lane = $1 AND seq = s.seq AND piece = 1 LIMIT 1) c ORDER BY s.seq",
        table(segment)
    );
    let mut from = first;
    while from <= last {
        let to = last.min(from + CHUNKS_AT_ONCE - 1);
        let rows = sqlx::query(AssertSqlSafe(statement.as_str()))
            .bind(lane)
            .bind(from)
            .bind(to)
            .fetch_all(inner.store.pool())
            .await?;
        for row in rows {
            let (seq, ord): (i64, i64) = (row.get(0), row.get(1));
            let mut directory: Vec<u8> = row.get(2);
            let length = Chunk::directory_length(&directory).unwrap_or_default();
            if directory.len() < length {
                directory = pieces(inner, segment, lane, seq, length.div_ceil(PIECE_BYTES)).await?;
            }
            // One that cannot be read is reported by who reads it whole.
            lists.extend(Chunk::message_ids(&directory).map(|ids| List { ord, lane, seq, ids }));
        }
        from = to + 1;
    }
    Ok(())
}

async fn pieces(inner: &Inner, segment: i64, lane: i64, seq: i64, count: usize) -> Result<Vec<u8>, Error> {
    let statement =
        format!("SELECT data FROM {} WHERE lane = $1 AND seq = $2 AND piece <= $3 ORDER BY piece", table(segment));
    let pieces: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(lane)
        .bind(seq)
        .bind(count as i32)
        .fetch_all(inner.store.pool())
        .await?;
    Ok(pieces.concat())
}

/// When the last event of the last segment that has any was received.
async fn last_event_ms(inner: &Inner, segments: &[Segment]) -> Result<Option<i64>, Error> {
    let Some(last) = segments.iter().rev().find(|segment| !segment.lanes.is_empty()) else { return Ok(None) };
    let mut newest = None;
    for (lane, (_, seq)) in &last.lanes {
        let mut connection = inner.store.pool().acquire().await?;
        for chunk in read_chunks(&mut connection, last.id, *lane, *seq, *seq).await? {
            let at_ms = chunk.event(chunk.events() - 1).received_at_ms;
            newest = newest.max(Some(at_ms));
        }
    }
    Ok(newest)
}

/// The copies of closed lanes that rows speak of.
async fn recorded(inner: &Inner) -> Result<BTreeSet<Position>, Error> {
    let lanes: Vec<i64> = inner.closed.keys().copied().collect();
    let rows = sqlx::query("SELECT lane, seq, idx FROM duplicates WHERE lane = ANY($1)")
        .bind(lanes)
        .fetch_all(inner.store.pool())
        .await?;
    let position =
        |row: &sqlx::postgres::PgRow| Position { lane: row.get(0), seq: row.get(1), idx: row.get::<i32, _>(2) as u32 };
    Ok(rows.iter().map(position).collect())
}
