//! The events of one request on their way into the log.

use super::{LANES, Log};
use pintle_events::{Frame, key};

/// Encoded events, per lane. A request whose users fall into both lanes is answered when both have committed.
#[derive(Debug)]
pub struct Batch {
    lanes: [Vec<Part>; LANES],
    events: usize,
    part_events_max: usize,
    part_bytes_max: usize,
}

/// Events that go into one chunk together.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Frames, one behind the other.
    pub(crate) frames: Vec<u8>,
    pub(crate) slots: Vec<u8>,
    pub(crate) message_ids: Vec<u64>,
}

impl Batch {
    /// An empty batch for this log.
    #[must_use]
    pub fn new(log: &Log) -> Batch {
        let config = log.inner.store.config();
        Batch {
            lanes: Default::default(),
            events: 0,
            part_events_max: config.chunk_events_max.get() as usize,
            part_bytes_max: config.chunk_bytes_max.get() as usize,
        }
    }

    /// Adds an event behind the others of its lane.
    pub fn push(&mut self, frame: &Frame<'_>) {
        let key_hash = frame.key_hash();
        // High bits choose the lane: the slot is made of the low ones, and both must not go together.
        let lane = &mut self.lanes[(key_hash >> 63) as usize % LANES];
        let full = |part: &Part| {
            part.slots.len() >= self.part_events_max || part.frames.len() + frame.raw.len() > self.part_bytes_max
        };
        if lane.last().is_none_or(full) {
            lane.push(Part::default());
        }
        let part = lane.last_mut().expect("a part was just made sure of");
        frame.encode(&mut part.frames);
        part.slots.push(key::slot(key_hash));
        part.message_ids.push(key::message_id_hash(frame.source_id, frame.message_id));
        self.events += 1;
    }

    /// How many events it holds.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(crate) fn into_parts(self) -> [Vec<Part>; LANES] {
        self.lanes
    }
}
