//! Dead letters that are tried again.

use super::Handle;
use super::board::Visit;
use crate::batch::{self, Input};
use crate::chain::{Chain, End};
use crate::runner::now_ms;
use pintle_catalog::{Destination, DestinationState};
use pintle_store::settle::{DeadLetter, Stage};
use pintle_store::{Error, dead_letters, replays};

/// Why a dead letter was not retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is no such dead letter.
    #[error("there is no dead letter {0}")]
    Missing(i64),
    /// Its destination does not deliver now.
    #[error("destination \"{0}\" does not deliver now; enable it first")]
    NotRunning(String),
    /// The transformation still fails on it.
    #[error("it failed again: {0}")]
    FailedAgain(String),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Handle {
    /// Tries a dead letter again: behind what its key has now, out of the order it once had.
    ///
    /// # Errors
    /// [`RetryError`] says why it stays where it is.
    pub async fn retry(&self, id: i64) -> Result<(), RetryError> {
        let store = &self.parts.store;
        let there = || async { dead_letters::get(store, id).await?.ok_or(RetryError::Missing(id)) };
        let stored = there().await?;
        let home = self.home(&stored.destination).await?;
        let catalog = self.parts.catalog.borrow().clone();
        let is_enabled = |found: &Destination| found.state == DestinationState::Enabled;
        if !catalog.destinations.get(&home).is_some_and(is_enabled) {
            return Err(RetryError::NotRunning(home));
        }
        // A replay that is over is opened again for it, and for as long as this takes.
        let _visit = match replays::of_reader(&stored.destination) {
            Some(id) => Some(self.open_replay(id).await?),
            None => None,
        };
        let seat = self.seat(&stored.destination).await;
        let (Some(tracker), Some(exit)) = (seat.tracker, seat.exit) else {
            return Err(RetryError::NotRunning(home));
        };
        // Somebody else is about to deliver it again, or has done so since it was looked up.
        let Some(claim) = tracker.claim(id) else { return Err(RetryError::Missing(id)) };
        let stored = there().await?;
        let mut claimed = Vec::new();
        if stored.letter.stage == Stage::Transformation {
            let chain = seat.chains.get(&*stored.letter.connection_id);
            let chain = chain.ok_or_else(|| RetryError::NotRunning(stored.destination.clone()))?;
            let payloads = self.transform(chain, &stored.letter).await?;
            if payloads.is_empty() {
                tracker.let_go(&claim, &stored, dead_letters::has_others(store, &stored).await?);
            } else {
                for letter in dead_letters::replace(store, &stored, &payloads).await? {
                    let claim = tracker.claim(letter);
                    claimed.extend(claim.zip(dead_letters::get(store, letter).await?));
                }
            }
        } else {
            claimed.push((claim, stored));
        }
        let mut revived = Vec::new();
        for (claim, stored) in &claimed {
            let others_dead = dead_letters::has_others(store, stored).await?;
            revived.push(tracker.revive(claim, stored, others_dead, now_ms() as i64));
        }
        // Until the rows have changed nothing is tried, and nobody else may claim the letters.
        self.parts.settlement.flush().await;
        drop(claimed);
        for parked in revived {
            // A closing outlet leaves the row, which is read when the destination starts again.
            exit.adopt(parked);
        }
        Ok(())
    }

    /// Sees to it that a replay goes on for as long as the visit lasts, unless its destination does not deliver.
    async fn open_replay(&self, id: i64) -> Result<Visit, Error> {
        let _alone = self.board.gate.lock().await;
        let visit = Visit::new(&self.board, replays::reader(id));
        if replays::reopen(&self.parts.store, id).await? {
            self.board.lock().entry(replays::reader(id)).or_default().starting = true;
            self.board.asked.notify_one();
        }
        Ok(visit)
    }

    async fn transform(&self, chain: &Chain, letter: &DeadLetter) -> Result<Vec<bytes::Bytes>, RetryError> {
        let input = Input::of_letter(letter);
        let mut payloads = Vec::new();
        for product in chain.run(&[input], now_ms(), &self.parts.config).await {
            match product.result {
                Ok(members) => payloads.push(batch::payload(&members)),
                Err(End::Failed { reason, .. }) => return Err(RetryError::FailedAgain(reason)),
                Err(End::Dropped { .. } | End::LeftOut) => {}
            }
        }
        Ok(payloads)
    }
}
