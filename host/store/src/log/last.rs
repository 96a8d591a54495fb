//! The last events of the log, for those who want to look back.

use super::{Chunk, Log};
use crate::Error;
use pintle_events::{EventRef, Position};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many chunks back the first look goes; each next one goes four times as far.
const CHUNKS_FIRST: i64 = 16;

/// Events that are looked at for one request, at most: a source that sends little among others that send
/// much is not searched for through the whole log.
pub const LOOKED_AT_MAX: usize = 1_000_000;

impl Log {
    /// The last `limit` events that `wanted` lets through, oldest first, as `read` reads them.
    ///
    /// Within a lane they are in order; lanes are merged by the time at which events were received.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last<T>(
        &self,
        limit: usize,
        wanted: &(dyn Fn(&EventRef<'_>, Position) -> bool + Sync),
        read: &(dyn Fn(&EventRef<'_>, Position) -> T + Sync),
    ) -> Result<Vec<T>, Error> {
        let heads = self.heads();
        let mut chunks_back = CHUNKS_FIRST;
        loop {
            let from: BTreeMap<i64, i64> =
                heads.iter().map(|(lane, head)| (*lane, (head - chunks_back + 1).max(1))).collect();
            let all = from.values().all(|seq| *seq == 1);
            let (found, looked_at) = self.collect(from, &heads, limit, wanted).await?;
            if found.len() >= limit || all || looked_at >= LOOKED_AT_MAX {
                let last = found.len().saturating_sub(limit);
                return Ok(found[last..]
                    .iter()
                    .map(|(chunk, idx)| read(&chunk.event(*idx), position(chunk, *idx)))
                    .collect());
            }
            chunks_back *= 4;
        }
    }

    /// Matching events from these chunks on, sorted by when they were received, at least the last `limit`.
    async fn collect(
        &self,
        from: BTreeMap<i64, i64>,
        heads: &BTreeMap<i64, i64>,
        limit: usize,
        wanted: &(dyn Fn(&EventRef<'_>, Position) -> bool + Sync),
    ) -> Result<(Vec<(Arc<Chunk>, u32)>, usize), Error> {
        let mut found: Vec<(i64, Arc<Chunk>, u32)> = Vec::new();
        let mut looked_at = 0;
        let mut reader = self.reader(from);
        while !reader.has_passed(heads) {
            let Some(chunk) = reader.next_ready().await? else { break };
            if heads.get(&chunk.lane).is_none_or(|head| chunk.seq > *head) {
                continue;
            }
            looked_at += chunk.events() as usize;
            for idx in 0..chunk.events() {
                if chunk.is_duplicate(idx) {
                    continue;
                }
                let event = chunk.event(idx);
                if wanted(&event, position(&chunk, idx)) {
                    found.push((event.received_at_ms, chunk.clone(), idx));
                }
            }
            // Chunks are held by what was found in them: not more than twice what is needed.
            if found.len() > limit.saturating_mul(2).max(1_024) {
                keep_last(&mut found, limit);
            }
        }
        keep_last(&mut found, limit);
        Ok((found.into_iter().map(|(_, chunk, idx)| (chunk, idx)).collect(), looked_at))
    }
}

fn keep_last(found: &mut Vec<(i64, Arc<Chunk>, u32)>, limit: usize) {
    // Stable: events of one lane that were received in the same millisecond keep their order.
    found.sort_by_key(|(at_ms, ..)| *at_ms);
    found.drain(..found.len().saturating_sub(limit));
}

fn position(chunk: &Chunk, idx: u32) -> Position {
    Position { lane: chunk.lane, seq: chunk.seq, idx }
}
