//! What people are told about who writes objects, and how dead letters that are tried again reach it.

use pintle_events::times::now_ms;
use pintle_router::Status;
use pintle_store::settle::Parked;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Why nothing can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody has to act.
    Refused,
    /// It may pass.
    Failing,
}

/// Written by the keeper, read by anybody.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Status>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uploads that are under way.
    pub(super) fn in_flight(&self, change: isize) {
        let mut status = self.lock();
        status.in_flight = status.in_flight.saturating_add_signed(change);
    }

    /// Events that are gathered and not settled.
    pub(super) fn waiting(&self, events: usize) {
        self.lock().waiting = events;
    }

    pub(super) fn delivered(&self, events: u64) {
        self.lock().delivered_total += events;
    }

    /// An upload failed. True when the one before did not.
    pub(super) fn failed(&self, why: Why, error: &str) -> bool {
        let mut status = self.lock();
        status.last_error = Some((error.to_owned(), now_ms()));
        let why = match why {
            Why::Refused => "refused",
            Why::Failing => "failing",
        };
        status.breaker.replace(why).is_none()
    }

    pub(super) fn written(&self) {
        self.lock().breaker = None;
    }
}

/// Asks and feeds a keeper. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(super) inbox: mpsc::UnboundedSender<Parked>,
    pub(super) board: Arc<Board>,
}

impl Shelf {
    /// How it is doing.
    pub(crate) fn status(&self) -> Status {
        self.board.lock().clone()
    }

    /// Takes in a dead letter that is to be tried again. Where nobody takes it any more, its row stays and is read
    /// at the next start.
    pub(crate) fn adopt(&self, parked: Parked) {
        _ = self.inbox.send(parked);
    }
}
