//! Who delivers from this database.
//!
//! One row holds the owner and an epoch. Whoever raises the epoch owns; every statement that settles
//! anything presents the epoch it was given and does nothing when it is no longer current. With a private
//! Postgres the data directory's lock already proves that the former owner is dead, and the lease is taken
//! at once. On a shared database the owner counts up `beat`; a newcomer watches it with its own clock and
//! takes over after `lease_silence` without a change.

use crate::{Error, Store};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// The right to settle events.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub(crate) owner: Uuid,
    pub(crate) epoch: i64,
}

/// How often the owner of a shared database beats.
const BEAT: Duration = Duration::from_millis(200);
/// No attempt starts when the last successful beat was sent longer ago than this.
const BEAT_AGE_MAX: Duration = Duration::from_millis(500);

impl Lease {
    /// Takes the lease. `alone` says that no other process can be alive on this database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn acquire(store: &Store, alone: bool) -> Result<Lease, Error> {
        let owner = Uuid::new_v4();
        loop {
            let (epoch, holder, beat) = read(store).await?;
            if !alone && holder.is_some() {
                tracing::info!("another Pintle holds the lease of this database; waiting until it is silent");
                wait_for_silence(store, (epoch, beat)).await?;
            }
            let taken = sqlx::query(
                "UPDATE leases SET owner = $1, epoch = epoch + 1 WHERE slot_group = 0 AND (epoch = $2 OR $3)",
            )
            .bind(owner)
            .bind(epoch)
            .bind(alone)
            .execute(store.pool())
            .await?;
            if taken.rows_affected() == 1 {
                return Ok(Lease { owner, epoch: epoch + 1 });
            }
        }
    }

    /// Gives the lease back, so that the next start need not wait.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release(self, store: &Store) -> Result<(), Error> {
        sqlx::query("UPDATE leases SET owner = NULL WHERE slot_group = 0 AND epoch = $1")
            .bind(self.epoch)
            .execute(store.pool())
            .await?;
        Ok(())
    }

    /// Beats until `shutdown`. `fresh` is false while the last beat is too old for an attempt to start.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the lease is another's.
    pub async fn keep(
        self,
        store: Store,
        fresh: watch::Sender<bool>,
        shutdown: tokio_util::sync::CancellationToken,
    ) -> Result<(), Error> {
        let mut last = Instant::now();
        let mut ticks = tokio::time::interval(BEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = ticks.tick() => {}
            }
            let sent = Instant::now();
            let beat = sqlx::query("UPDATE leases SET beat = beat + 1 WHERE slot_group = 0 AND epoch = $1")
                .bind(self.epoch)
                .execute(store.pool());
            tokio::select! {
                done = beat => match done {
                    Ok(done) if done.rows_affected() == 1 => last = sent,
                    Ok(_) => return Err(Error::Fenced),
                    Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
                },
                () = tokio::time::sleep_until(last + BEAT_AGE_MAX) => {}
            }
            fresh.send_if_modified(|was| std::mem::replace(was, last.elapsed() < BEAT_AGE_MAX) != *was);
        }
    }
}

async fn read(store: &Store) -> Result<(i64, Option<Uuid>, i64), Error> {
    Ok(sqlx::query_as("SELECT epoch, owner, beat FROM leases WHERE slot_group = 0").fetch_one(store.pool()).await?)
}

async fn wait_for_silence(store: &Store, mut seen: (i64, i64)) -> Result<(), Error> {
    let mut since = Instant::now();
    while since.elapsed() < store.config().lease_silence {
        tokio::time::sleep(BEAT / 2).await;
        let (epoch, owner, beat) = read(store).await?;
        if owner.is_none() {
            return Ok(());
        }
        if (epoch, beat) != seen {
            (seen, since) = ((epoch, beat), Instant::now());
        }
    }
    Ok(())
}
