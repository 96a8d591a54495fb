//! Which chunks of the log have to be read for the events of a time.

use super::Log;
use super::segment::ms;
use std::collections::BTreeMap;

/// Chunks of each lane: the first and the last.
pub type Span = BTreeMap<i64, (i64, i64)>;

/// A segment is made ahead, and an event is received before it is committed: so much more is read on both sides.
const SLACK_MS: i64 = 60_000;

impl Log {
    /// The chunks of each lane, among those that are committed now, in which events may be that were received from
    /// `since_ms` on and before `until_ms`: whole segments, so that there are others among them.
    #[must_use]
    pub fn span(&self, since_ms: i64, until_ms: i64) -> Span {
        let (mut first, mut last, mut is_any) = (BTreeMap::new(), self.heads(), false);
        for segment in self.inner.segments.snapshot() {
            let is_before = segment.sealed.is_some_and(|sealed| ms(sealed).saturating_add(SLACK_MS) < since_ms);
            let is_after = ms(segment.created).saturating_sub(SLACK_MS) >= until_ms;
            is_any |= !is_before && !is_after;
            for (lane, (from, to)) in segment.lanes {
                if is_before {
                    first.insert(lane, to + 1);
                } else if is_after {
                    let end = last.entry(lane).or_insert(from - 1);
                    *end = (*end).min(from - 1);
                } else {
                    first.entry(lane).or_insert(from);
                }
            }
        }
        if !is_any {
            return Span::new();
        }
        let chunks = last.into_iter().map(|(lane, last)| (lane, (first.get(&lane).copied().unwrap_or(1), last)));
        chunks.filter(|(_, (first, last))| first <= last).collect()
    }
}
