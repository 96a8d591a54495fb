//! One event on its way to one destination.

use super::books::Class;
use super::rows::Fate;
use super::tracker::Tracker;
use pintle_events::Position;
use std::sync::{Arc, Mutex, PoisonError};

/// One event, or the events of one `transformBatch` call, on the way to one destination.
///
/// Its outputs share it. When the last of them has met its fate, the events are settled together. A
/// ticket that is dropped before that settles nothing: its events are read from the log again.
#[derive(Debug)]
pub struct Ticket {
    tracker: Arc<Tracker>,
    positions: Vec<Position>,
    /// For each output, the place in `positions` of the event it belongs to.
    owners: Vec<u32>,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    remaining: u32,
    settled: Vec<bool>,
    /// The weightiest fate among an event's outputs so far.
    classes: Vec<Option<Class>>,
}

impl Ticket {
    /// A ticket for `positions`, with one entry in `owners` per output: the place in `positions` of the
    /// event that the output belongs to. Events without outputs count as the call's weightiest fate would
    /// have it: delivered when anything was.
    #[must_use]
    pub fn new(tracker: Arc<Tracker>, positions: Vec<Position>, owners: Vec<u32>) -> Ticket {
        let open = Open {
            remaining: owners.len() as u32,
            settled: vec![false; owners.len()],
            classes: vec![None; positions.len()],
        };
        Ticket { tracker, positions, owners, open: Mutex::new(open) }
    }

    /// The event that an output belongs to.
    #[must_use]
    pub fn position_of(&self, output: u32) -> Position {
        let owner = self.owners.get(output as usize).copied().unwrap_or_default();
        self.positions[owner as usize]
    }

    /// The first event.
    #[must_use]
    pub fn position(&self) -> Position {
        self.positions[0]
    }

    /// Says what became of an output. Only the first word about an output counts.
    pub fn settle(&self, output: u32, fate: Fate) {
        let class = Class::of(&fate);
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            match open.settled.get_mut(output as usize) {
                Some(done) if !*done => *done = true,
                _ => return,
            }
            let owner = self.owners[output as usize] as usize;
            open.classes[owner] = open.classes[owner].max(Some(class));
            open.remaining -= 1;
            // Rows are handed over before the event counts as settled, and while the ticket is locked:
            // the last output must not move the cursor past an event whose row is still on its way.
            self.tracker.keep_row(fate);
            if open.remaining > 0 {
                return;
            }
            let shared = open.classes.iter().flatten().max().copied();
            let without_output = match shared {
                None | Some(Class::Filtered) => Class::Filtered,
                Some(_) => Class::Delivered,
            };
            self.tracker.settle(
                self.positions
                    .iter()
                    .zip(&open.classes)
                    .map(|(position, class)| (*position, class.unwrap_or(without_output))),
            );
        }
    }
}
