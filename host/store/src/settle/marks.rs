//! Which events of a lane are settled, for one destination.

use crate::ledger::Group;
use crate::log::Groups;
use std::collections::VecDeque;
use std::sync::Arc;

/// The events of one lane that a destination has begun and not wholly settled, behind its cursor.
#[derive(Debug, Default)]
pub(crate) struct LaneMarks {
    /// The chunk of the first event that is not settled.
    seq: i64,
    /// The first event of it that is not settled, as stored; live marks are in `chunks`.
    idx: u32,
    /// What the stored bitmap says of events from (seq, idx) on, until their chunks are begun.
    restored: VecDeque<bool>,
    /// Begun chunks, oldest first; the front one is not wholly settled.
    chunks: VecDeque<ChunkMarks>,
    /// Whether the stored cursor is behind.
    pub(crate) dirty: bool,
}

/// The group of an event that was just settled; none inside when it is in no hour of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled(pub(crate) Option<Group>);

/// A chunk may not be begun: the lane is beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BegunBefore {
    /// The chunk that may be begun next.
    pub(crate) next: i64,
}

#[derive(Debug)]
struct ChunkMarks {
    seq: i64,
    events: u32,
    unsettled: u32,
    bits: Vec<u64>,
    groups: Arc<Groups>,
}

impl ChunkMarks {
    fn is_set(&self, idx: u32) -> bool {
        self.bits[(idx / 64) as usize] & (1 << (idx % 64)) != 0
    }

    /// Whether the mark is new.
    fn set(&mut self, idx: u32) -> bool {
        if idx >= self.events || self.is_set(idx) {
            return false;
        }
        self.bits[(idx / 64) as usize] |= 1 << (idx % 64);
        self.unsettled -= 1;
        true
    }
}

impl LaneMarks {
    /// A cursor that stands before event `idx` of chunk `seq`, with what is settled beyond it.
    pub(crate) fn restore(seq: i64, idx: u32, bitmap: &[u8]) -> LaneMarks {
        let restored = bitmap.iter().flat_map(|byte| (0..8).map(move |bit| byte & (1 << bit) != 0)).collect();
        LaneMarks { seq, idx, restored, chunks: VecDeque::new(), dirty: false }
    }

    /// The chunk to read next.
    pub(crate) fn next_seq(&self) -> i64 {
        self.chunks.back().map_or(self.seq, |chunk| chunk.seq + 1)
    }

    /// The chunk in which the cursor stands.
    pub(crate) fn cursor_seq(&self) -> i64 {
        self.seq
    }

    /// Events begun and not yet behind the cursor.
    pub(crate) fn begun(&self) -> u64 {
        self.chunks.iter().map(|chunk| u64::from(chunk.events)).sum()
    }

    /// Events settled in the cursor's chunk and beyond.
    pub(crate) fn settled_from_cursor(&self) -> u64 {
        let begun: u64 = self.chunks.iter().map(|chunk| u64::from(chunk.events - chunk.unsettled)).sum();
        let stored = if self.chunks.is_empty() { u64::from(self.idx) } else { 0 };
        begun + stored + self.restored.iter().filter(|set| **set).count() as u64
    }

    /// Begins the next chunk and says which of its events are settled already.
    ///
    /// # Errors
    /// When the lane is beyond the chunk: it was begun before, or expired while somebody held it. Begun
    /// again it would take the cursor back, and be delivered and counted a second time.
    pub(crate) fn begin(&mut self, seq: i64, groups: Arc<Groups>) -> Result<Vec<bool>, BegunBefore> {
        let events = groups.events();
        let next = self.next_seq();
        if seq < next {
            return Err(BegunBefore { next });
        }
        let mut chunk =
            ChunkMarks { seq, events, unsettled: events, bits: vec![0; events.div_ceil(64) as usize], groups };
        if self.chunks.is_empty() {
            if seq == self.seq {
                for idx in 0..self.idx.min(events) {
                    chunk.set(idx);
                }
            } else {
                // The chunks between were dropped: what the bitmap said of them is void.
                self.restored.clear();
                self.seq = seq;
                self.idx = 0;
            }
        }
        let first = if self.chunks.is_empty() { self.idx.min(events) } else { 0 };
        for idx in first..events {
            match self.restored.pop_front() {
                Some(true) => _ = chunk.set(idx),
                Some(false) => {}
                None => break,
            }
        }
        let settled = (0..events).map(|idx| chunk.is_set(idx)).collect();
        self.chunks.push_back(chunk);
        self.advance();
        Ok(settled)
    }

    /// Marks an event, and says of which group it is. Nothing when it was marked before or is not begun: then
    /// nothing may be counted.
    pub(crate) fn settle(&mut self, seq: i64, idx: u32) -> Option<Settled> {
        let at = self.place(seq)?;
        let chunk = &mut self.chunks[at];
        if !chunk.set(idx) {
            return None;
        }
        let group = chunk.groups.of(idx).cloned();
        self.dirty = true;
        self.advance();
        Some(Settled(group))
    }

    /// The group of an event that is begun and not settled; nothing of others.
    pub(crate) fn open_group(&self, seq: i64, idx: u32) -> Option<Settled> {
        let chunk = self.begun_chunk(seq).filter(|chunk| idx < chunk.events && !chunk.is_set(idx))?;
        Some(Settled(chunk.groups.of(idx).cloned()))
    }

    fn begun_chunk(&self, seq: i64) -> Option<&ChunkMarks> {
        self.place(seq).map(|at| &self.chunks[at])
    }

    fn place(&self, seq: i64) -> Option<usize> {
        self.chunks.binary_search_by_key(&seq, |chunk| chunk.seq).ok()
    }

    /// Whether an event is behind the cursor or marked.
    pub(crate) fn is_settled(&self, seq: i64, idx: u32) -> bool {
        match self.begun_chunk(seq) {
            Some(chunk) => chunk.is_set(idx),
            None => seq < self.seq || (seq == self.seq && idx < self.idx),
        }
    }

    fn advance(&mut self) {
        while let Some(front) = self.chunks.front() {
            self.seq = front.seq;
            if front.unsettled > 0 {
                self.idx = 0; // Worked out when the cursor is written.
                return;
            }
            self.seq = front.seq + 1;
            self.idx = 0;
            self.chunks.pop_front();
            self.dirty = true;
        }
    }

    /// The events that are not settled of the chunk that is begun, or would be begun next; none of one that the
    /// lane is beyond.
    pub(crate) fn unsettled(&mut self, seq: i64, groups: Arc<Groups>) -> Vec<u32> {
        if self.begun_chunk(seq).is_none() && self.begin(seq, groups.clone()).is_err() {
            return Vec::new();
        }
        (0..groups.events()).filter(|idx| !self.is_settled(seq, *idx)).collect()
    }

    /// Everything up to and including chunk `seq` is gone from the log: moves past it.
    pub(crate) fn skip_to(&mut self, seq: i64) {
        if seq < self.seq {
            return;
        }
        if seq >= self.next_seq() {
            // Not begun: what the bitmap says of it, and of how much behind it, cannot be told apart.
            self.restored.clear();
        }
        self.chunks.retain(|chunk| chunk.seq > seq);
        self.seq = seq + 1;
        self.idx = 0;
        self.dirty = true;
        self.advance();
    }

    /// Forgets what was begun and is not settled: it will be read again.
    pub(crate) fn rewind(&mut self) {
        let (seq, idx, bitmap) = self.cursor();
        let dirty = self.dirty;
        *self = LaneMarks::restore(seq, idx, &bitmap);
        self.dirty = dirty;
    }

    /// The cursor as it is stored: chunk, event, and the bitmap of the events from there. It is as long as what is
    /// begun, which the tracker's window bounds: what is counted as settled must be in it.
    pub(crate) fn cursor(&self) -> (i64, u32, Vec<u8>) {
        let Some(front) = self.chunks.front() else {
            return (self.seq, self.idx, pack(self.restored.iter().copied()));
        };
        let idx = (0..front.events).find(|idx| !front.is_set(*idx)).unwrap_or(front.events);
        let ahead = self.chunks.iter().flat_map(|chunk| {
            let first = if chunk.seq == front.seq { idx } else { 0 };
            (first..chunk.events).map(|idx| chunk.is_set(idx))
        });
        (self.seq, idx, pack(ahead.chain(self.restored.iter().copied())))
    }
}

/// Bits to bytes, without trailing zero bytes.
fn pack(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, bit) in bits.enumerate() {
        if at % 8 == 0 {
            bytes.push(0);
        }
        if bit {
            bytes[at / 8] |= 1 << (at % 8);
        }
    }
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

#[cfg(test)]
mod tests;
