//! How far a destination is behind.

use super::chunk::Chunk;
use super::{Log, segment};
use crate::Error;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;

/// How far a destination is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Events in the log that it has not settled. Of chunks that it has begun, its own only; whose the
    /// events of the others are shows when they are opened, so those of other sources are among them.
    pub events: u64,
    /// When the oldest of their chunks was received, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
}

impl Log {
    /// How far the cursors are behind the heads. `cursors` says for each lane the chunk in which the cursor
    /// stands and how many events from there on are settled; lanes that are not named are unread. With
    /// `active` false nothing is behind: the destination holds no place in the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lag(&self, cursors: &BTreeMap<i64, (i64, u64)>, active: bool) -> Result<Lag, Error> {
        let mut lag = Lag::default();
        if !active {
            return Ok(lag);
        }
        for (lane, head) in self.heads() {
            let (from, settled) = cursors.get(&lane).copied().unwrap_or((1, 0));
            if from > head {
                continue;
            }
            let mut events = 0;
            for segment in self.inner.segments.holding(lane, from) {
                let (count, first) = self.count(segment, lane, from, head).await?;
                events += count;
                if let Some(at) = first
                    && events > settled
                {
                    lag.oldest_ms = Some(lag.oldest_ms.map_or(at, |oldest| oldest.min(at)));
                }
            }
            lag.events += events.saturating_sub(settled);
        }
        Ok(lag)
    }

    /// Events of a lane's chunks in a segment, and when the first of them was received.
    async fn count(&self, segment: i64, lane: i64, from: i64, head: i64) -> Result<(u64, Option<i64>), Error> {
        let table = segment::table(segment);
        let statement = format!(
            "SELECT coalesce(sum(events), 0)::bigint, min(seq) FROM {table} WHERE lane = $1 AND seq BETWEEN $2 AND $3"
        );
        let row =
            sqlx::query(AssertSqlSafe(statement)).bind(lane).bind(from).bind(head).fetch_one(self.inner.store.pool());
        let row = match row.await {
            Ok(row) => row,
            // Dropped meanwhile.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => return Ok((0, None)),
            Err(error) => return Err(error.into()),
        };
        let Some(first) = row.get::<Option<i64>, _>(1) else { return Ok((0, None)) };
        let statement = format!("SELECT data FROM {table} WHERE lane = $1 AND seq = $2 ORDER BY piece");
        let pieces: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(lane)
            .bind(first)
            .fetch_all(self.inner.store.pool())
            .await?;
        let chunk = Chunk::decode(lane, first, 0, &pieces.concat())?;
        Ok((row.get::<i64, _>(0) as u64, (chunk.events() > 0).then(|| chunk.event(0).received_at_ms)))
    }
}
