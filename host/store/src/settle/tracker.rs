//! Everything one destination has settled.

mod expiry;
mod retry;

pub use retry::Claim;

use super::books::{Books, Class, Passed};
use super::flush::{Changes, Dirty};
use super::marks::{LaneMarks, Settled};
use super::rows::{Fate, Kept, Parked};
use crate::Error;
use crate::ledger::Group;
use crate::ledger::tally::{Column, Counts, Tally};
use crate::log::Groups;
use expiry::Expiring;
pub(crate) use expiry::Lost;
use pintle_events::Position;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The settled events of one destination: its cursors in memory.
#[derive(Debug)]
pub struct Tracker {
    destination: Arc<str>,
    window: u32,
    state: Mutex<State>,
    queued: AtomicBool,
    dirty: Arc<Dirty>,
    /// A chunk is wholly settled: there is room in the window.
    room: Notify,
    /// Which events are for this destination, and so count as lost when a segment expires. Nothing is known before
    /// its first runner: then all are.
    scope: Mutex<Option<Scope>>,
    /// The last chunk of each lane that it reads, of a reader with an end.
    ends: Option<BTreeMap<i64, i64>>,
    fold_interval: Duration,
}

/// Which events are for a destination.
#[derive(Debug)]
struct Scope {
    sources: BTreeSet<String>,
    /// When they were received, milliseconds since 1970; whenever, without it.
    received_ms: Option<Range<i64>>,
}

/// Encoded counts beyond which they are folded before their time: the row that carries them is written with every
/// cursor move.
const UNFOLDED_BYTES_MAX: usize = 1_024;

#[derive(Debug)]
struct State {
    lanes: BTreeMap<i64, LaneMarks>,
    /// Everything that is counted.
    totals: Counts,
    /// What of it is not folded into the tables of the books yet.
    unfolded: Tally,
    /// What is being folded: until that is known to have happened.
    folding: Option<Tally>,
    /// How many folds have happened.
    folds: i64,
    folded_at: Instant,
    /// Events with outputs that are still parked.
    parked: HashMap<Position, Waiting>,
    /// Dead letters that somebody is about to deliver again.
    claimed: BTreeSet<i64>,
    expiring: Option<Expiring>,
    changes: Changes,
}

/// An event with parked outputs.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// How many of them are still parked.
    pub(crate) left: u32,
    /// The weightiest fate of the others; the lightest when there are no others, or nothing is known of them.
    pub(crate) others: Class,
    /// What the books count it under.
    pub(crate) group: Option<Group>,
}

/// What is stored of a destination.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) totals: Counts,
    pub(crate) unfolded: Tally,
    pub(crate) folds: i64,
    pub(crate) lanes: BTreeMap<i64, LaneMarks>,
    pub(crate) parked: HashMap<Position, Waiting>,
    pub(crate) ends: Option<BTreeMap<i64, i64>>,
}

impl State {
    fn count(&mut self, group: Option<&Group>, column: Column, events: i64) {
        self.totals.0[column as usize] += events;
        self.unfolded.add(group, column, events);
    }

    /// Whether an event is behind its cursor or marked. Of a lane that is not known any more, all are.
    fn is_settled(&self, position: Position) -> bool {
        let marks = self.lanes.get(&position.lane);
        marks.is_none_or(|marks| marks.is_settled(position.seq, position.idx))
    }

    fn open_group(&self, position: Position) -> Option<Settled> {
        self.lanes.get(&position.lane)?.open_group(position.seq, position.idx)
    }
}

impl Tracker {
    pub(crate) fn new(
        destination: Arc<str>,
        window: u32,
        fold_interval: Duration,
        restored: Restored,
        dirty: Arc<Dirty>,
    ) -> Tracker {
        let Restored { totals, unfolded, folds, lanes, parked, ends } = restored;
        let state = State {
            lanes,
            totals,
            unfolded,
            folding: None,
            folds,
            folded_at: Instant::now(),
            parked,
            claimed: BTreeSet::new(),
            expiring: None,
            changes: Changes::default(),
        };
        Tracker {
            destination,
            window,
            state: Mutex::new(state),
            queued: AtomicBool::new(false),
            dirty,
            room: Notify::new(),
            scope: Mutex::default(),
            ends,
            fold_interval,
        }
    }

    /// The destination's id.
    #[must_use]
    pub fn destination(&self) -> &Arc<str> {
        &self.destination
    }

    /// Says which sources' events are for this destination, and of which time (milliseconds since 1970) if not of all.
    pub fn set_scope(&self, sources: BTreeSet<String>, received_ms: Option<Range<i64>>) {
        *self.scope.lock().unwrap_or_else(PoisonError::into_inner) = Some(Scope { sources, received_ms });
    }

    /// Whether such events are for this destination.
    pub(crate) fn routes(&self, source: &str, received_at_ms: i64) -> bool {
        let scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        scope.as_ref().is_none_or(|Scope { sources, received_ms }| {
            sources.contains(source) && received_ms.as_ref().is_none_or(|time| time.contains(&received_at_ms))
        })
    }

    /// Whether an event is settled.
    #[must_use]
    pub fn is_settled(&self, position: Position) -> bool {
        self.state().lanes.get(&position.lane).is_some_and(|marks| marks.is_settled(position.seq, position.idx))
    }

    /// Whether a reader with an end reads this chunk; one without reads them all.
    pub(crate) fn reads(&self, lane: i64, seq: i64) -> bool {
        self.ends.as_ref().is_none_or(|ends| ends.get(&lane).is_some_and(|last| seq <= *last))
    }

    /// Whether nothing is left of what was begun: all is settled, nothing is parked, and nobody is about to try a
    /// dead letter again.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let state = self.state();
        let is_settled = state.lanes.values().all(|marks| marks.begun() == 0);
        is_settled && state.parked.is_empty() && state.claimed.is_empty()
    }

    /// The books as they stand in memory.
    #[must_use]
    pub fn books(&self) -> Books {
        Books::of(&self.state().totals)
    }

    /// For each lane with a cursor, the chunk to read next.
    #[must_use]
    pub fn next_chunks(&self) -> BTreeMap<i64, i64> {
        self.state().lanes.iter().map(|(lane, marks)| (*lane, marks.next_seq())).collect()
    }

    /// For each lane with a cursor, the chunk in which the cursor stands: everything before it may be dropped.
    #[must_use]
    pub fn cursor_chunks(&self) -> BTreeMap<i64, i64> {
        self.state().lanes.iter().map(|(lane, marks)| (*lane, marks.cursor_seq())).collect()
    }

    /// For each lane with a cursor, the chunk in which it stands, and how many events from there on are settled.
    #[must_use]
    pub fn cursors(&self) -> BTreeMap<i64, (i64, u64)> {
        self.state()
            .lanes
            .iter()
            .map(|(lane, marks)| (*lane, (marks.cursor_seq(), marks.settled_from_cursor())))
            .collect()
    }

    /// Whether a chunk can be begun without waiting for others to settle.
    #[must_use]
    pub fn has_room(&self, lane: i64, events: u32) -> bool {
        let state = self.state();
        let begun = state.lanes.get(&lane).map_or(0, LaneMarks::begun);
        begun == 0 || begun + u64::from(events) <= u64::from(self.window)
    }

    /// Begins a chunk, as soon as the window has room for it. The answer says which of its events are
    /// settled already.
    ///
    /// # Errors
    /// [`Error::BegunBefore`] when it was begun before and not rewound since, or has expired.
    pub async fn begin(self: &Arc<Self>, lane: i64, seq: i64, groups: &Arc<Groups>) -> Result<Vec<bool>, Error> {
        loop {
            let room = self.room.notified();
            {
                let mut state = self.state();
                let marks = state.lanes.entry(lane).or_insert_with(|| LaneMarks::restore(1, 0, &[]));
                let begun = marks.begun();
                if begun == 0 || begun + u64::from(groups.events()) <= u64::from(self.window) {
                    return marks.begin(seq, groups.clone()).map_err(|refused| Error::BegunBefore {
                        destination: self.destination.to_string(),
                        lane,
                        seq,
                        next: refused.next,
                    });
                }
            }
            room.await;
        }
    }

    /// Begins a chunk without waiting for room: for who settles whole ranges, in the order of each lane, so that
    /// nothing is ever settled far beyond the cursor. The answer says which of its events are settled already.
    ///
    /// # Errors
    /// As [`Tracker::begin`].
    pub fn begin_ahead(self: &Arc<Self>, lane: i64, seq: i64, groups: &Arc<Groups>) -> Result<Vec<bool>, Error> {
        let mut state = self.state();
        let marks = state.lanes.entry(lane).or_insert_with(|| LaneMarks::restore(1, 0, &[]));
        marks.begin(seq, groups.clone()).map_err(|refused| Error::BegunBefore {
            destination: self.destination.to_string(),
            lane,
            seq,
            next: refused.next,
        })
    }

    /// Marks events that this destination has nothing to do with.
    pub fn pass(self: &Arc<Self>, lane: i64, seq: i64, events: impl Iterator<Item = u32>, why: Passed) {
        let column = match why {
            Passed::NotRouted => Column::Unrouted,
            Passed::Duplicate => Column::Duplicates,
        };
        let mut state = self.state();
        let state = &mut *state;
        let Some(marks) = state.lanes.get_mut(&lane) else { return };
        let before = marks.cursor_seq();
        let mut any = false;
        for Settled(group) in events.filter_map(|idx| marks.settle(seq, idx)) {
            state.totals.0[column as usize] += 1;
            state.unfolded.add(group.as_ref(), column, 1);
            any = true;
        }
        let moved = marks.cursor_seq() != before;
        if any {
            self.touched(moved);
        }
    }

    pub(crate) fn settle(self: &Arc<Self>, events: impl Iterator<Item = (Position, Class)>) {
        let mut state = self.state();
        let mut moved = false;
        for (position, class) in events {
            let Some(marks) = state.lanes.get_mut(&position.lane) else { continue };
            let before = marks.cursor_seq();
            let Some(Settled(group)) = marks.settle(position.seq, position.idx) else { continue };
            moved |= marks.cursor_seq() != before;
            let class = match state.parked.get(&position) {
                // Its parked outputs met their end before its last output settled.
                Some(Waiting { left: 0, others, .. }) => {
                    let others = *others;
                    state.parked.remove(&position);
                    if class == Class::Parked { others } else { class.max(others) }
                }
                Some(_) => Class::Parked,
                None => class,
            };
            state.count(group.as_ref(), class.column(), 1);
        }
        drop(state);
        self.touched(moved);
    }

    /// Keeps what a fate leaves behind, for the transaction that moves the cursor. Of an event that is not begun
    /// nothing is kept: it has expired, which is counted, or will be read again.
    pub(crate) fn keep_row(&self, fate: Fate) {
        match fate {
            Fate::Delivered | Fate::Filtered { .. } => {}
            Fate::Dead(row) => {
                let mut state = self.state();
                let Some(Settled(group)) = state.open_group(row.position) else { return };
                state.changes.dead.push(Kept { row, hour: group.map(|group| group.hour) });
            }
            Fate::Parked(row) => {
                let mut state = self.state();
                let Some(Settled(group)) = state.open_group(row.position) else { return };
                let hour = group.as_ref().map(|group| group.hour);
                let waiting = Waiting { left: 0, others: Class::Filtered, group };
                state.parked.entry(row.position).or_insert(waiting).left += 1;
                state.changes.parked.push(Kept { row, hour });
            }
        }
    }

    /// A parked output was tried again and waits on: its row says so with the next cursor move.
    pub fn reschedule(self: &Arc<Self>, parked: &Parked) {
        self.state().changes.rescheduled.push(parked.clone());
        self.touched(false);
    }

    /// A parked output has met its end: its row goes with the next cursor move.
    pub fn unpark(self: &Arc<Self>, parked: &Parked, fate: Fate) {
        let class = Class::of(&fate);
        let mut state = self.state();
        let settled = state.is_settled(parked.position);
        let ended = state.parked.get_mut(&parked.position).map(|waiting| {
            waiting.left = waiting.left.saturating_sub(1);
            waiting.others = waiting.others.max(class);
            waiting.clone()
        });
        state.changes.unparked.push((parked.position, parked.output));
        if let Fate::Dead(row) = fate {
            let hour = ended.as_ref().and_then(|waiting| Some(waiting.group.as_ref()?.hour));
            state.changes.dead.push(Kept { row, hour });
        }
        if let Some(Waiting { left: 0, others, group }) = ended.filter(|_| settled) {
            state.parked.remove(&parked.position);
            state.count(group.as_ref(), Column::Parked, -1);
            state.count(group.as_ref(), others.column(), 1);
        }
        drop(state);
        self.touched(false);
    }

    /// Remembers the latest error for people.
    pub fn note_error(self: &Arc<Self>, error: &str) {
        self.state().changes.last_error = Some(error.to_owned());
        self.touched(false);
    }

    /// Forgets what was begun and not settled, so that it is read again. Tickets that are still out settle
    /// nothing new unless their chunk has been begun again, and then at most what was sent twice anyway.
    pub fn rewind(&self) {
        for marks in self.state().lanes.values_mut() {
            marks.rewind();
        }
        self.room.notify_waiters();
    }

    fn touched(self: &Arc<Self>, moved: bool) {
        if moved {
            self.room.notify_waiters();
        }
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.dirty.push(self.clone());
        }
    }

    pub(crate) fn take(&self) -> Snapshot {
        // Cleared first: what is settled from here on queues the tracker again.
        self.queued.store(false, Ordering::Release);
        let mut state = self.state();
        let cursors = state
            .lanes
            .iter_mut()
            .filter_map(|(lane, marks)| {
                std::mem::take(&mut marks.dirty).then(|| {
                    let (seq, idx, bitmap) = marks.cursor();
                    (*lane, seq, idx, bitmap)
                })
            })
            .collect();
        let mut unfolded = state.unfolded.encode();
        let is_due = state.folded_at.elapsed() >= self.fold_interval || unfolded.len() > UNFOLDED_BYTES_MAX;
        if state.folding.is_none() && is_due && !unfolded.is_empty() {
            state.folding = Some(std::mem::take(&mut state.unfolded));
            unfolded = Vec::new();
        }
        let folding = state.folding.clone().map(|tally| (state.folds, tally));
        Snapshot { cursors, unfolded, folding, changes: std::mem::take(&mut state.changes) }
    }

    /// The snapshot is stored.
    pub(crate) fn written(&self, snapshot: &Snapshot) {
        if snapshot.folding.is_some() {
            let mut state = self.state();
            state.folding = None;
            state.folds += 1;
            state.folded_at = Instant::now();
        }
    }

    /// The snapshot could not be written, or nobody knows whether it was: everything in it is still to be written.
    pub(crate) fn put_back(self: &Arc<Self>, snapshot: Snapshot) {
        let mut state = self.state();
        for (lane, ..) in snapshot.cursors {
            if let Some(marks) = state.lanes.get_mut(&lane) {
                marks.dirty = true;
            }
        }
        let newer = std::mem::replace(&mut state.changes, snapshot.changes);
        state.changes.append(newer);
        drop(state);
        self.touched(false);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be written of one destination.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) cursors: Vec<(i64, i64, u32, Vec<u8>)>,
    /// What stands in no table of the books, encoded, without what is being folded.
    pub(crate) unfolded: Vec<u8>,
    /// What is being folded into the tables, and how many folds there were before.
    pub(crate) folding: Option<(i64, Tally)>,
    pub(crate) changes: Changes,
}

#[cfg(test)]
mod tests;
