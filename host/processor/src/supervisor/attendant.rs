//! Sees readers through: set up, run, and what comes after.

use super::board::{Board, Seat};
use super::bury_parked;
use crate::archive::{self, Archive};
use crate::runner::{Exit, Held, Parts, Runner};
use crate::spec::{Mode, Spec};
use pintle_store::{Error, ledger, replays, revisions};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long after a failure of the database a destination is set up again.
const SET_UP_PAUSE: Duration = Duration::from_millis(500);
/// How long after a failure of the archive a replay from it goes on.
const UNREAD_PAUSE: Duration = Duration::from_secs(5);

/// The archive, with a seat among the destinations.
pub(super) async fn archived(archive: Archive, board: Arc<Board>, stop: CancellationToken) {
    let seat = |change: Seat| {
        board.lock().insert(archive::READER.to_owned(), change);
        board.changed.notify_waiters();
    };
    let known = |tracker, shelf| {
        seat(Seat { tracker: Some(tracker), exit: Some(Exit::Objects(shelf)), ..Seat::default() });
    };
    let held = |why| {
        let tracker = board.lock().get(archive::READER).and_then(|seat| seat.tracker.clone());
        seat(Seat { tracker, held: Some(why), ..Seat::default() });
    };
    archive.run(stop, known, held).await;
}

/// Sees one runner through: set up, run, and what comes after.
pub(super) struct Attendant {
    pub(super) parts: Parts,
    pub(super) spec: Arc<Spec>,
    pub(super) board: Arc<Board>,
    pub(super) stop: CancellationToken,
}

impl Attendant {
    pub(super) async fn run(self) {
        loop {
            self.seat(|seat| {
                seat.starting = true;
                seat.held = None;
            });
            let held = tokio::select! {
                () = self.stop.cancelled() => break,
                ready = self.set_up() => match ready {
                    Ok(runner) => {
                        self.seat(|seat| {
                            seat.starting = false;
                            seat.exit = runner.exit();
                            seat.chains = runner.chains().clone();
                        });
                        // Not under the select: a runner that is told to stop drains first.
                        Ok(runner)
                    }
                    Err(held) => Err(held),
                },
            };
            let held = match held {
                Ok(runner) => match runner.run(self.stop.clone()).await {
                    Ok(()) if self.stop.is_cancelled() => break,
                    Ok(()) => match self.close_books().await {
                        Ok(true) => return,
                        Ok(false) => continue,
                        Err(error) => Held::Store(error),
                    },
                    Err(held) => held,
                },
                Err(held) => held,
            };
            self.seat(|seat| {
                seat.exit = None;
                seat.chains.clear();
                seat.starting = false;
                seat.held = Some(held.to_string());
            });
            if let Held::Store(_) | Held::Artifacts(_) | Held::Unread(_) = &held {
                tracing::warn!(destination = self.spec.id, error = %held, "destination cannot be set up, trying again");
                let pause = if let Held::Unread(_) = &held { UNREAD_PAUSE } else { SET_UP_PAUSE };
                tokio::select! {
                    () = self.stop.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
            } else {
                tracing::error!(destination = self.spec.id, error = %held, "destination waits for a new configuration");
                self.stop.cancelled().await;
                break;
            }
        }
        self.seat(|seat| {
            seat.exit = None;
            seat.chains.clear();
        });
    }

    async fn set_up(&self) -> Result<Runner, Held> {
        let known = self.board.lock().get(&self.spec.id).and_then(|seat| seat.tracker.clone());
        let tracker = match known {
            Some(tracker) => tracker,
            None => self.parts.settlement.tracker(&self.spec.id).await?,
        };
        self.seat(|seat| seat.tracker = Some(tracker.clone()));
        // What the archive holds shows when it is read.
        if self.spec.replay.as_ref().is_none_or(|replay| replay.origin.ends().is_some()) {
            ledger::open(&self.parts.store, &self.spec.id).await?;
        }
        if let Mode::Filter { reason } = self.spec.mode {
            bury_parked(&self.parts.settlement, &tracker, reason).await?;
        }
        Runner::set_up(self.parts.clone(), self.spec.clone(), tracker).await
    }

    /// The backlog is dealt with, or the replay is over: the reader holds nothing back any more. False when somebody
    /// is about to hand it something.
    async fn close_books(&self) -> Result<bool, Error> {
        let Parts { store, settlement, .. } = &self.parts;
        let Spec { id, replay, .. } = &*self.spec;
        let _alone = self.board.gate.lock().await;
        if self.board.visits().contains_key(id) {
            return Ok(false);
        }
        settlement.flush().await;
        self.board.lock().remove(id);
        match replay {
            Some(replay) => {
                replays::end(store, replay.id).await?;
                // Its slot is of no use any more.
                self.board.asked.notify_one();
                tracing::info!(replay = replay.id, destination = replay.destination, "a replay has ended");
            }
            None => revisions::deactivate(store, id).await?,
        }
        settlement.forget(id);
        self.board.changed.notify_waiters();
        Ok(true)
    }

    fn seat(&self, change: impl FnOnce(&mut Seat)) {
        change(self.board.lock().entry(self.spec.id.clone()).or_default());
        self.board.changed.notify_waiters();
    }
}
