//! What a replay would take: everything is read and judged, and nothing is transformed or sent.

use super::Refused;
use super::archived::{self, Archived};
use crate::intake::{Look, Rules};
use crate::runner::READ_PAUSE;
use crate::spec::Spec;
use crate::supervisor::Handle;
use pintle_router::{Mask, Scribe};
use pintle_store::log::Chunk;
use pintle_store::replays::Source;
use pintle_store::settle::Passed;
use pintle_store::traces::Tracer;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The lane of chunks that are only counted.
const NOWHERE: i64 = 0;

/// How many events there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Events of the time that are for the destination. Transformations may still let go of some.
    pub events: u64,
    /// Those events by source and type.
    pub by_type: BTreeMap<(String, String), u64>,
    /// How many rules keep away, by the reason.
    pub filtered: BTreeMap<String, u64>,
    /// Copies of earlier events: they are not sent again either.
    pub duplicates: u64,
    /// Events that are in the same chunks and not for it: of other sources, or of another time.
    pub others: u64,
    /// Whether everything was counted within `replay-count-time-max`.
    pub is_complete: bool,
    /// When the last event was received that was counted, milliseconds since 1970.
    pub up_to_ms: Option<i64>,
    /// Lines of the archive that are no events: they would be left out.
    pub unreadable: u64,
    /// The first of them, with their places.
    pub unreadable_first: Vec<String>,
}

impl Count {
    fn add(&mut self, rules: &Rules, chunk: &Chunk) {
        for idx in 0..chunk.events() {
            let event = chunk.event(idx);
            match rules.look(chunk, idx) {
                Look::Pass(Passed::NotRouted) => self.others += 1,
                Look::Pass(Passed::Duplicate) => self.duplicates += 1,
                Look::Filter { reason, .. } => *self.filtered.entry(reason).or_default() += 1,
                Look::Take(_) => {
                    self.events += 1;
                    let key = (event.source_id.to_owned(), event.event_type.to_owned());
                    *self.by_type.entry(key).or_default() += 1;
                }
            }
            self.up_to_ms = self.up_to_ms.max(Some(event.received_at_ms));
        }
    }
}

impl Handle {
    /// Counts what a destination would take of this.
    pub(super) async fn count(&self, spec: Spec, source: Source) -> Result<Count, Refused> {
        let parts = self.parts();
        let until = Instant::now() + parts.config.replay_count_time_max;
        let types = self.load(&spec).await?.plugin.manifest().message_types.clone();
        let window = spec.replay.as_ref().map(|replay| archived::Window::of(replay)).unwrap_or_default();
        // Nobody follows events that are only counted.
        let scribe = Scribe::new(Tracer::off(), spec.id.as_str().into(), Mask::default(), 0);
        let rules = Rules::new(Arc::new(spec), BTreeMap::new(), types, parts.suppressions.clone(), scribe);
        let mut count = Count::default();
        match source {
            Source::Log(span) => {
                let next = span.iter().map(|(lane, (first, _))| (*lane, *first)).collect();
                let ends: BTreeMap<i64, i64> = span.iter().map(|(lane, (_, last))| (*lane, *last)).collect();
                let mut reader = parts.log.reader_up_to(next, ends.clone());
                while !reader.has_passed(&ends) && Instant::now() < until {
                    match reader.next_ready().await? {
                        Some(chunk) => count.add(&rules, &chunk),
                        // Committed, and not yet released to readers.
                        None => tokio::time::sleep(READ_PAUSE).await,
                    }
                }
                count.is_complete = reader.has_passed(&ends);
            }
            Source::Archive { objects, .. } => {
                let archive = |error: archived::Error| Refused::Archive(error.to_string());
                let origin = archived::Origin::of(parts).map_err(Refused::Archive)?;
                let left = until.saturating_duration_since(Instant::now());
                let archived = Archived::new(origin, objects, window, NOWHERE, 1);
                let counted = archived.count(left, |chunk| count.add(&rules, chunk)).await.map_err(archive)?;
                count.is_complete = counted.is_complete;
                count.unreadable = counted.unfit.count;
                count.unreadable_first = counted.unfit.first.iter().map(ToString::to_string).collect();
            }
        }
        Ok(count)
    }
}
