//! A range in the making: compressed objects, and fates that count when those are written.

use super::names::{Layout, Slot, Stamp, tag};
use super::press::Pressed;
use crate::map::Deferred;
use bytes::Bytes;
use pintle_objects::{Config, Lines};
use pintle_store::log::Chunk;
use pintle_store::settle::{Fate, Passed, Tracker};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What has been gathered so far.
pub(super) struct Gathered {
    /// What transformations were told.
    pub(super) now_ms: i64,
    objects: BTreeMap<Slot, Content>,
    /// In the order in which they were begun.
    chunks: Vec<Begun>,
    records: u64,
    bytes: u64,
}

#[derive(Default)]
struct Content {
    lines: Lines,
    first_ms: i64,
    last_ms: i64,
}

struct Begun {
    lane: i64,
    seq: i64,
    events: u32,
    deferred: Vec<Deferred>,
    /// Copies of earlier events.
    copies: Vec<u32>,
}

/// One object, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) body: Bytes,
    pub(super) records: u64,
}

impl Gathered {
    pub(super) fn new(now_ms: i64) -> Gathered {
        Gathered { now_ms, objects: BTreeMap::new(), chunks: Vec::new(), records: 0, bytes: 0 }
    }

    /// Whether there is nothing to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Whether so many more events fit in.
    pub(super) fn fits(&self, events: u32, config: &Config) -> bool {
        self.is_empty() || self.records + u64::from(events) <= u64::from(config.range_events_max.get())
    }

    /// Whether it is time to write it.
    pub(super) fn is_full(&self, config: &Config) -> bool {
        self.records >= u64::from(config.range_events_max.get())
            || self.bytes >= config.range_bytes_max.get()
            || self.objects.len() >= config.range_objects_max.get()
    }

    /// Adds what became of a chunk.
    pub(super) fn add(&mut self, chunk: &Chunk, pressed: Pressed, layout: &Layout) {
        let Pressed { lines, deferred, copies } = pressed;
        for line in lines {
            let record = line.place.as_ref().map(|(bucket, folder)| (bucket.as_str(), folder.as_str()));
            let slot = layout.slot(&line.source_id, line.received_at_ms, record);
            let content = self.objects.entry(slot).or_insert_with(|| Content {
                first_ms: line.received_at_ms,
                last_ms: line.received_at_ms,
                ..Content::default()
            });
            content.first_ms = content.first_ms.min(line.received_at_ms);
            content.last_ms = content.last_ms.max(line.received_at_ms);
            let before = content.lines.bytes();
            content.lines.push(&line.body);
            self.bytes += content.lines.bytes() - before;
            self.records += 1;
        }
        self.chunks.push(Begun { lane: chunk.lane, seq: chunk.seq, events: chunk.events(), deferred, copies });
    }

    /// Of each lane, the first and the last chunk.
    pub(super) fn range(&self) -> BTreeMap<i64, (i64, i64)> {
        let mut range: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for Begun { lane, seq, .. } in &self.chunks {
            let (first, last) = range.entry(*lane).or_insert((*seq, *seq));
            (*first, *last) = ((*first).min(*seq), (*last).max(*seq));
        }
        range
    }

    /// The objects, under the names that a plan with this seed and range gives them.
    pub(super) fn take_objects(
        &mut self,
        layout: &Layout,
        seed: u64,
        now_ms: i64,
        range: &BTreeMap<i64, (i64, i64)>,
    ) -> Vec<Object> {
        let from = range.iter().next().map_or((0, 0), |(lane, (first, _))| (*lane, *first));
        let stamp = Stamp { now_ms, from, tag: tag(seed) };
        let objects = std::mem::take(&mut self.objects).into_iter();
        objects
            .map(|(slot, content)| Object {
                name: layout.name(&slot, &stamp, content.first_ms, content.last_ms),
                records: content.lines.count(),
                body: content.lines.finish(),
                bucket: slot.bucket,
            })
            .collect()
    }

    /// Lets everything count, chunk by chunk: so the cursor keeps up, and little is settled beyond it. Returns how
    /// many events were delivered.
    pub(super) fn settle(self, tracker: &Arc<Tracker>) -> u64 {
        let mut delivered = 0;
        for Begun { lane, seq, events, deferred, copies } in self.chunks {
            for deferred in deferred {
                delivered += deferred.fates.iter().filter(|fate| matches!(fate, Fate::Delivered)).count() as u64;
                deferred.settle(tracker);
            }
            tracker.pass(lane, seq, copies.into_iter(), Passed::Duplicate);
            // What is left: a mark that is there already is not counted again.
            tracker.pass(lane, seq, 0..events, Passed::NotRouted);
        }
        delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

    /// A range that begins with chunk 5 of lane 2, with these records already.
    fn gathered(sources: &[&str]) -> Gathered {
        let mut gathered = Gathered::new(7);
        for source in sources {
            let slot = Layout::Destination.slot(source, 0, Some(("events", "")));
            let content = gathered.objects.entry(slot).or_default();
            content.lines.push(b"{}");
            gathered.bytes += 3;
            gathered.records += 1;
        }
        for (lane, seq) in [(3, 8), (2, 5), (2, 6)] {
            gathered.chunks.push(Begun { lane, seq, events: 1, deferred: Vec::new(), copies: Vec::new() });
        }
        gathered
    }

    #[test]
    fn a_range_is_full_by_events_by_bytes_or_by_objects_whichever_comes_first() {
        let roomy = Config::default();
        let three = gathered(&["a", "a", "b"]);
        assert!(!three.is_full(&roomy) && three.fits(99_997, &roomy) && !three.fits(99_998, &roomy));
        for full in [
            Config { range_events_max: NonZeroU32::new(3).unwrap(), ..roomy.clone() },
            Config { range_bytes_max: NonZeroU64::new(9).unwrap(), ..roomy.clone() },
            Config { range_objects_max: NonZeroUsize::new(2).unwrap(), ..roomy.clone() },
        ] {
            assert!(three.is_full(&full), "{full:?}");
        }
        assert!(Gathered::new(0).fits(u32::MAX, &roomy), "one chunk always fits");
    }

    #[test]
    fn the_same_range_and_seed_give_the_same_objects() {
        let range = gathered(&[]).range();
        assert_eq!(range, BTreeMap::from([(2, (5, 6)), (3, (8, 8))]));
        let named = |seed| {
            let objects = gathered(&["a", "b", "a"]).take_objects(&Layout::Destination, seed, 5_000, &range);
            objects.into_iter().map(|object| (object.name, object.records)).collect::<Vec<_>>()
        };
        let expected = [("rudder-logs/a/1970-01-01/5.a.2-5-00000009.json.gz".to_owned(), 2)];
        assert_eq!(named(9)[..1], expected);
        assert_eq!(named(9), named(9));
        assert_ne!(named(9), named(10), "another plan means other objects");
    }
}
