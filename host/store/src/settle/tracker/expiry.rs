//! What a destination has not taken before `log-retention` had passed.

use super::{LaneMarks, Tracker};
use crate::ledger::tally::Column;
use crate::log::Chunk;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Events of a segment that have expired for a destination: how many, by source and type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost(pub(crate) BTreeMap<String, BTreeMap<String, u64>>);

impl Lost {
    pub(crate) fn events(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }
}

/// The segment that is going.
#[derive(Debug)]
pub(super) struct Expiring {
    segment: i64,
    /// All of it that was lost, also before a crash: the stored range is written as a whole.
    lost: Lost,
}

impl Tracker {
    /// A segment begins to go. `lost` is what the stored range says already, after a crash half-way.
    pub(crate) fn expire_segment(&self, segment: i64, lost: Lost) {
        self.state().expiring = Some(Expiring { segment, lost });
    }

    /// A chunk of that segment goes: what is not settled of it is counted, and the cursor passes it. Of a lane,
    /// chunks come in their order.
    pub(crate) fn expire(self: &Arc<Self>, chunk: &Chunk) {
        if !self.reads(chunk.lane, chunk.seq) {
            return;
        }
        let mut state = self.state();
        let marks = state.lanes.entry(chunk.lane).or_insert_with(|| LaneMarks::restore(1, 0, &[]));
        let unsettled = marks.unsettled(chunk.seq, chunk.groups().clone());
        marks.skip_to(chunk.seq);
        for idx in unsettled {
            let event = chunk.event(idx);
            let group = chunk.groups().of(idx);
            if chunk.is_duplicate(idx) {
                state.count(group, Column::Duplicates, 1);
            } else if self.routes(event.source_id, event.received_at_ms) {
                state.count(group, Column::Expired, 1);
                if let Some(Expiring { lost, .. }) = &mut state.expiring {
                    let types = lost.0.entry(event.source_id.to_owned()).or_default();
                    *types.entry(event.event_type.to_owned()).or_default() += 1;
                }
            } else {
                state.count(group, Column::Unrouted, 1);
            }
        }
        if let Some(Expiring { segment, lost }) = &state.expiring
            && lost.events() > 0
        {
            let (segment, lost) = (*segment, lost.clone());
            state.changes.lost = Some((segment, lost));
        }
        drop(state);
        self.touched(true);
    }

    /// The segment is gone; says how many events of it were lost.
    pub(crate) fn expired(&self) -> u64 {
        self.state().expiring.take().map_or(0, |expiring| expiring.lost.events())
    }
}
