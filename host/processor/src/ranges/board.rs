//! What people are told about who writes objects, and how dead letters that are tried again reach it.

use super::retried::{self, End, Line};
use bytes::Bytes;
use pintle_events::times::now_ms;
use pintle_router::{Mask, Preview, Rehearsal, Status};
use pintle_runtime::destination::Destination;
use pintle_store::settle::{DeadLetter, Fate, Parked};
use pintle_store::suppressions::Suppressions;
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

/// Asks and feeds a keeper.
pub(crate) struct Shelf {
    pub(super) inbox: mpsc::UnboundedSender<Parked>,
    pub(super) board: Arc<Board>,
    /// For who asks what would be written; none of an archive.
    pub(super) plugin: Option<Arc<Destination>>,
    pub(super) suppressions: Suppressions,
    pub(super) mask: Mask,
    pub(super) preview_bytes_max: usize,
}

impl Shelf {
    /// How it is doing.
    pub(crate) fn status(&self) -> Status {
        self.board.lock().clone()
    }

    /// What a retry would write of an event, without writing it.
    pub(crate) async fn rehearse(&self, letter: &DeadLetter, payload: Bytes) -> Rehearsal {
        let Some(plugin) = &self.plugin else { return Rehearsal::Unknown("it has no plugin".to_owned()) };
        let parked = Parked::of(DeadLetter { payload, ..letter.clone() }, now_ms());
        match retried::retry(plugin, &parked, &self.suppressions).await {
            End::Write(lines) if lines.is_empty() => {
                Rehearsal::Filtered("the destination has nothing to write for it".to_owned())
            }
            End::Write(lines) => Rehearsal::Requests(lines.iter().map(|line| self.preview(line)).collect()),
            End::Settle(fate) => match *fate {
                Fate::Filtered { reason } => Rehearsal::Filtered(self.masked(&reason)),
                Fate::Dead(letter) => Rehearsal::Refused(self.masked(&letter.reason)),
                Fate::Delivered | Fate::Parked(_) => Rehearsal::Filtered(String::new()),
            },
        }
    }

    fn preview(&self, line: &Line) -> Preview {
        let Line { bucket, name, body } = line;
        let whole = format!("PUT {bucket}/{name}\n\n{}", String::from_utf8_lossy(body));
        Preview { request: self.masked(&whole), refusal: None }
    }

    /// A whole text without the destination's secrets.
    pub(crate) fn unsecret(&self, text: &str) -> String {
        self.mask.excerpt(text, usize::MAX)
    }

    /// The start of a text without the destination's secrets, at most `preview-bytes-max`.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.mask.excerpt(text, self.preview_bytes_max)
    }

    /// Takes in a dead letter that is to be tried again. Where nobody takes it any more, its row stays and is read
    /// at the next start.
    pub(crate) fn adopt(&self, parked: Parked) {
        _ = self.inbox.send(parked);
    }
}
