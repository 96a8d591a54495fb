//! What is known of the readers that run, for those who ask and those who hand them something.

use crate::chain::Chain;
use crate::runner::Exit;
use pintle_store::settle::Tracker;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What is known of the destinations that have a runner.
#[derive(Default)]
pub(super) struct Board {
    pub(super) destinations: Mutex<BTreeMap<String, Seat>>,
    /// Something about them has changed.
    pub(super) changed: Notify,
    /// The supervisor shall look what there is to do, although the catalog is the same.
    pub(super) asked: Notify,
    /// Held by whoever ends a replay or opens it again: one after the other.
    pub(super) gate: tokio::sync::Mutex<()>,
    /// Readers that somebody is about to hand something to, and how many do: they go on for so long.
    visits: Mutex<BTreeMap<String, usize>>,
}

/// Somebody is about to hand something to a reader.
pub(super) struct Visit {
    board: Arc<Board>,
    reader: String,
}

impl Visit {
    pub(super) fn new(board: &Arc<Board>, reader: String) -> Visit {
        *board.visits().entry(reader.clone()).or_default() += 1;
        Visit { board: board.clone(), reader }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut visits = self.board.visits();
        if let Some(count) = visits.get_mut(&self.reader) {
            *count -= 1;
            if *count == 0 {
                visits.remove(&self.reader);
            }
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Seat {
    pub(crate) tracker: Option<Arc<Tracker>>,
    pub(crate) exit: Option<Exit>,
    pub(crate) chains: BTreeMap<Arc<str>, Chain>,
    pub(crate) held: Option<String>,
    pub(crate) starting: bool,
}

impl Board {
    pub(super) fn visits(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seat>> {
        self.destinations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
