//! Seals segments that are full or old, and drops those that nobody needs any more.

use super::segment::{Due, Segment};
use super::{Inner, reader};
use crate::settle::{Settlement, Tracker};
use crate::{Error, dead_letters, ledger, revisions};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often at most the cursors are compared with the oldest segment.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How long after a failure the janitor tries again.
const RETRY: Duration = Duration::from_secs(2);
/// How often dead letters and books beyond their retention are looked for.
const RETENTION_INTERVAL: Duration = Duration::from_secs(3600);

/// Keeps the log in its bounds.
#[derive(Debug)]
pub struct Janitor {
    inner: Arc<Inner>,
    settlement: Settlement,
}

impl Janitor {
    pub(super) fn new(inner: Arc<Inner>, settlement: Settlement) -> Janitor {
        Janitor { inner, settlement }
    }

    /// Runs until `shutdown`. Woken by commits, by moved cursors, and by the next thing that is due.
    pub async fn run(self, shutdown: tokio_util::sync::CancellationToken) {
        let moved = self.settlement.moved();
        let mut retention = tokio::time::interval(RETENTION_INTERVAL);
        loop {
            let next = match self.round().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(%error, "the log could not be tidied, trying again");
                    Some(RETRY)
                }
            };
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep(next.max(LOOK_INTERVAL)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = due => {}
                () = self.inner.gate.pressure.notified() => {}
                () = moved.notified(), if self.inner.gate.is_over() => {}
                _ = retention.tick() => self.expire_records().await,
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// One look at the log; says when the next one is due if nothing wakes the janitor before.
    async fn round(&self) -> Result<Option<Duration>, Error> {
        let config = self.inner.store.config();
        let segments = &self.inner.segments;
        let bytes_max = self.inner.gate.segment_bytes_max(config);
        let mut next = None;
        match segments.due(bytes_max, config.segment_age_max) {
            Due::Now => segments.seal(&self.inner.store).await?,
            Due::In(left) => next = Some(left),
            Due::Never => {}
        }
        for segment in segments.snapshot().iter().take_while(|segment| segment.sealed.is_some()) {
            let age = age(segment.sealed);
            let replayable = age < config.replay_window && !self.inner.gate.is_over();
            if replayable {
                next = earliest(next, config.replay_window - age);
                break;
            }
            if self.is_needed(segment).await? {
                if age < config.log_retention {
                    next = earliest(next, (config.log_retention - age).min(Duration::from_secs(60)));
                    break;
                }
                self.expire(segment).await?;
            }
            let bytes = segments.drop(&self.inner.store, segment.id).await?;
            self.inner.gate.shrank(bytes);
            tracing::info!(segment = segment.id, bytes, "segment dropped");
        }
        Ok(next)
    }

    /// Whether an active reader still has events in it to read. Asked of the stored cursors: what is only
    /// settled in memory would be read again after a crash.
    async fn is_needed(&self, segment: &Segment) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM segment_lanes s CROSS JOIN destinations d \
             LEFT JOIN cursors c ON c.destination = d.id AND c.lane = s.lane \
             LEFT JOIN reader_ends e ON e.reader = d.id AND e.lane = s.lane \
             WHERE s.segment = $1 AND d.active AND coalesce(c.seq, 0) <= s.last_seq \
               AND (NOT d.bounded OR (coalesce(c.seq, 0) <= e.last_seq AND e.last_seq >= s.first_seq)))",
        )
        .bind(segment.id)
        .fetch_one(self.inner.store.pool())
        .await?)
    }

    /// What is left in the segment for any destination becomes one dead-letter range each.
    async fn expire(&self, segment: &Segment) -> Result<(), Error> {
        let store = &self.inner.store;
        // Paused ones as well, which may have no runner.
        let mut trackers = Vec::new();
        for id in revisions::active_readers(store).await? {
            let tracker = self.settlement.tracker(&id).await?;
            tracker.expire_segment(segment.id, dead_letters::range::lost(store, &id, segment.id).await?);
            trackers.push(tracker);
        }
        for (lane, (first, last)) in &segment.lanes {
            let cursor = |tracker: &Arc<Tracker>| tracker.cursor_chunks().get(lane).copied().unwrap_or(1);
            let mut next = trackers.iter().map(cursor).min().unwrap_or(i64::MAX).max(*first);
            while next <= *last {
                let chunks = reader::read_marked(&self.inner, segment.id, *lane, next, *last).await?;
                let Some(newest) = chunks.back() else { break };
                next = newest.seq + 1;
                for chunk in &chunks {
                    trackers.iter().for_each(|tracker| tracker.expire(chunk));
                }
            }
        }
        self.settlement.flush().await;
        for tracker in trackers {
            let events = tracker.expired();
            if events > 0 {
                tracing::error!(destination = %tracker.destination(), segment = segment.id, events, "undelivered events passed log-retention");
            }
        }
        Ok(())
    }

    async fn expire_records(&self) {
        match ledger::drop_older(&self.inner.store).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "hours of the books passed ledger-retention"),
            Err(error) => tracing::warn!(%error, "old hours of the books could not be dropped"),
        }
        let keep = self.inner.store.config().dead_letter_retention;
        match dead_letters::drop_older(&self.inner.store, keep).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "dead letters passed dead-letter-retention"),
            Err(error) => tracing::warn!(%error, "old dead letters could not be dropped"),
        }
    }
}

fn age(since: Option<SystemTime>) -> Duration {
    since.and_then(|at| at.elapsed().ok()).unwrap_or_default()
}

fn earliest(one: Option<Duration>, other: Duration) -> Option<Duration> {
    Some(one.map_or(other, |one| one.min(other)))
}
