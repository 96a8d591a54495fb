//! Everything one destination has settled.

use super::flush::{Changes, Dirty};
use super::marks::LaneMarks;
use super::rows::{Fate, Parked};
use crate::Error;
use pintle_events::Position;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How an event is counted, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Filtered,
    Delivered,
    Dead,
    Parked,
}

impl Class {
    pub(crate) fn of(fate: &Fate) -> Class {
        match fate {
            Fate::Delivered => Class::Delivered,
            Fate::Filtered { .. } => Class::Filtered,
            Fate::Dead(_) => Class::Dead,
            Fate::Parked(_) => Class::Parked,
        }
    }
}

/// How many events of a destination came to which end. Every event that was routed to the destination and
/// is behind its cursor is in exactly one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The destination has them.
    pub delivered: u64,
    /// Nothing was to be delivered, by rule.
    pub filtered: u64,
    /// At least one output is a dead letter.
    pub dead: u64,
    /// At least one output still waits.
    pub parked: u64,
}

impl Books {
    fn slot(&mut self, class: Class) -> &mut u64 {
        match class {
            Class::Filtered => &mut self.filtered,
            Class::Delivered => &mut self.delivered,
            Class::Dead => &mut self.dead,
            Class::Parked => &mut self.parked,
        }
    }
}

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
    /// The sources whose events are for this destination: what counts as lost when a segment expires.
    sources: Mutex<BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct State {
    lanes: BTreeMap<i64, LaneMarks>,
    books: Books,
    /// Events with outputs that are still parked: how many, and the weightiest fate of the others; the lightest when
    /// there are no others, or nothing is known of them.
    parked: HashMap<Position, (u32, Class)>,
    changes: Changes,
}

impl Tracker {
    pub(crate) fn new(
        destination: Arc<str>,
        window: u32,
        books: Books,
        lanes: BTreeMap<i64, LaneMarks>,
        parked: HashMap<Position, (u32, Class)>,
        dirty: Arc<Dirty>,
    ) -> Tracker {
        let state = State { lanes, books, parked, changes: Changes::default() };
        Tracker {
            destination,
            window,
            state: Mutex::new(state),
            queued: AtomicBool::new(false),
            dirty,
            room: Notify::new(),
            sources: Mutex::default(),
        }
    }

    /// The destination's id.
    #[must_use]
    pub fn destination(&self) -> &Arc<str> {
        &self.destination
    }

    /// Says which sources' events are for this destination.
    pub fn set_sources(&self, sources: BTreeSet<String>) {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Whether a source's events are for this destination.
    pub(crate) fn routes(&self, source: &str) -> bool {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).contains(source)
    }

    /// Whether an event is settled.
    #[must_use]
    pub fn is_settled(&self, position: Position) -> bool {
        self.state().lanes.get(&position.lane).is_some_and(|marks| marks.is_settled(position.seq, position.idx))
    }

    /// The books as they stand in memory.
    #[must_use]
    pub fn books(&self) -> Books {
        self.state().books
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

    /// A dead letter was tried again and its transformation let go of it.
    pub fn let_go(self: &Arc<Self>, position: Position) {
        let mut state = self.state();
        if !state.parked.contains_key(&position) {
            state.books.dead = state.books.dead.saturating_sub(1);
            state.books.filtered += 1;
        }
        drop(state);
        self.touched(false);
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
    pub async fn begin(self: &Arc<Self>, lane: i64, seq: i64, events: u32) -> Result<Vec<bool>, Error> {
        loop {
            let room = self.room.notified();
            {
                let mut state = self.state();
                let marks = state.lanes.entry(lane).or_insert_with(|| LaneMarks::restore(1, 0, &[]));
                let begun = marks.begun();
                if begun == 0 || begun + u64::from(events) <= u64::from(self.window) {
                    return marks.begin(seq, events).map_err(|refused| Error::BegunBefore {
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
    pub fn begin_ahead(self: &Arc<Self>, lane: i64, seq: i64, events: u32) -> Result<Vec<bool>, Error> {
        let mut state = self.state();
        let marks = state.lanes.entry(lane).or_insert_with(|| LaneMarks::restore(1, 0, &[]));
        marks.begin(seq, events).map_err(|refused| Error::BegunBefore {
            destination: self.destination.to_string(),
            lane,
            seq,
            next: refused.next,
        })
    }

    /// Marks events that this destination has nothing to do with.
    pub fn pass(self: &Arc<Self>, lane: i64, seq: i64, events: impl Iterator<Item = u32>) {
        let mut state = self.state();
        let Some(marks) = state.lanes.get_mut(&lane) else { return };
        let before = marks.cursor_seq();
        let mut any = false;
        for idx in events {
            any |= marks.settle(seq, idx);
        }
        let moved = marks.cursor_seq() != before;
        drop(state);
        if any {
            self.touched(moved);
        }
    }

    pub(crate) fn settle(self: &Arc<Self>, events: impl Iterator<Item = (Position, Class)>) {
        let mut state = self.state();
        let state = &mut *state;
        let mut moved = false;
        for (position, class) in events {
            let Some(marks) = state.lanes.get_mut(&position.lane) else { continue };
            let before = marks.cursor_seq();
            if !marks.settle(position.seq, position.idx) {
                continue;
            }
            moved |= marks.cursor_seq() != before;
            let class = match state.parked.get(&position) {
                // Its parked outputs met their end before its last output settled.
                Some((0, worst)) => {
                    let worst = *worst;
                    state.parked.remove(&position);
                    if class == Class::Parked { worst } else { class.max(worst) }
                }
                Some(_) => Class::Parked,
                None => class,
            };
            *state.books.slot(class) += 1;
        }
        self.touched(moved);
    }

    /// Keeps what a fate leaves behind, for the transaction that moves the cursor.
    pub(crate) fn keep_row(&self, fate: Fate) {
        match fate {
            Fate::Delivered | Fate::Filtered { .. } => {}
            Fate::Dead(letter) => self.state().changes.dead.push(letter),
            Fate::Parked(parked) => {
                let mut state = self.state();
                let entry = state.parked.entry(parked.position).or_insert((0, Class::Filtered));
                entry.0 += 1;
                state.changes.parked.push(parked);
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
        if let Fate::Dead(letter) = fate {
            self.state().changes.dead.push(letter);
        }
        let mut state = self.state();
        let state = &mut *state;
        state.changes.unparked.push((parked.position, parked.output));
        if let Some((left, worst)) = state.parked.get_mut(&parked.position) {
            *left -= 1;
            *worst = (*worst).max(class);
            let class = *worst;
            let settled = state
                .lanes
                .get(&parked.position.lane)
                .is_none_or(|marks| marks.is_settled(parked.position.seq, parked.position.idx));
            if *left == 0 && settled {
                state.parked.remove(&parked.position);
                state.books.parked = state.books.parked.saturating_sub(1);
                *state.books.slot(class) += 1;
            }
        }
        self.touched(false);
    }

    /// Retrying a dead letter makes it a parked event again; the row was moved by
    /// [`crate::dead_letters::revive`], the books follow here.
    pub fn revived(self: &Arc<Self>, parked: &Parked, last_of_event: bool) {
        let mut state = self.state();
        let entry = state.parked.entry(parked.position).or_insert((0, Class::Filtered));
        entry.0 += 1;
        if entry.0 == 1 {
            if !last_of_event {
                entry.1 = Class::Dead;
            }
            state.books.dead = state.books.dead.saturating_sub(1);
            state.books.parked += 1;
        }
        drop(state);
        self.touched(false);
    }

    /// Remembers the latest error for people.
    pub fn note_error(self: &Arc<Self>, error: &str) {
        self.state().changes.last_error = Some(error.to_owned());
        self.touched(false);
    }

    /// Chunks up to `seq` are gone from the log.
    pub fn skip_to(self: &Arc<Self>, lane: i64, seq: i64, lost: u64) {
        let mut state = self.state();
        if let Some(marks) = state.lanes.get_mut(&lane) {
            marks.skip_to(seq);
        }
        state.books.dead += lost;
        drop(state);
        self.touched(true);
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
        let window = self.window;
        let cursors = state
            .lanes
            .iter_mut()
            .filter_map(|(lane, marks)| {
                std::mem::take(&mut marks.dirty).then(|| {
                    let (seq, idx, bitmap) = marks.cursor(window);
                    (*lane, seq, idx, bitmap)
                })
            })
            .collect();
        Snapshot { cursors, books: state.books, changes: std::mem::take(&mut state.changes) }
    }

    /// The snapshot could not be written: everything in it is still to be written.
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
    pub(crate) books: Books,
    pub(crate) changes: Changes,
}
