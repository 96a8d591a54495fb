//! The books: what was accepted against what became of it, per source, hour and destination.
//!
//! ```text
//!  accepted   headers of chunks ──sealed──▶ segment_accepted ──dropped──▶ ledger_accepted
//!  settled    destinations.unfolded, with the cursors ──now and then──▶ ledger_settled
//!  pending    what the headers say lies behind the cursors, less what the bitmaps say is settled
//!  not owed   ledger_bounds: accepted before the destination began; owed, once it has ended
//! ```
//! accepted − not owed = delivered + filtered + duplicates + unrouted + dead + expired + parked + pending, for every
//! source, hour and destination, at every moment: all of it is read in one snapshot, and the two sides are counted
//! by different code from different rows. An hour is the one in which an event was received.

mod auditor;
mod bounds;
pub(crate) mod fold;
mod pending;
mod snapshot;
pub(crate) mod tally;

pub use auditor::Auditor;
pub use bounds::open;
pub(crate) use bounds::{After, close, close_in};
pub(crate) use pending::accepted;
pub use tally::Group;

use crate::{Error, Store};
use pintle_events::times::now_ms;
use snapshot::Snapshot;
use std::time::Duration;

/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// How often a look begins again when a segment was dropped under it.
const LOOKS_MAX: u32 = 10;

/// Which books are looked at; all of them when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this destination.
    pub destination: Option<String>,
    /// Only hours from this one on, counted from 1970.
    pub since_hour: Option<i32>,
    /// Only hours before this one, counted from 1970.
    pub until_hour: Option<i32>,
}

/// What one destination had to settle of one source and hour, and what became of it, in events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The destination's id.
    pub destination: String,
    /// The source's id.
    pub source: String,
    /// Hours since 1970.
    pub hour: i32,
    /// Accepted while the destination was there to take them.
    pub accepted: i64,
    /// The destination has them.
    pub delivered: i64,
    /// Nothing was to be delivered, by rule.
    pub filtered: i64,
    /// Copies of earlier ones.
    pub duplicates: i64,
    /// No connection led from the source to the destination.
    pub unrouted: i64,
    /// At least one output became a dead letter, discarded ones included.
    pub dead: i64,
    /// Older than `log-retention` before they were delivered.
    pub expired: i64,
    /// At least one output waits outside the log.
    pub parked: i64,
    /// In the log, and not settled.
    pub pending: i64,
}

impl Row {
    /// How many events are missing; negative when there are too many. Zero when the books balance.
    #[must_use]
    pub fn off(&self) -> i64 {
        let filtered = self.filtered + self.duplicates + self.unrouted;
        self.accepted - (self.delivered + filtered + self.dead + self.expired + self.parked + self.pending)
    }

    /// Whether it says nothing but that the destination has nothing to do with the source.
    #[must_use]
    pub fn is_unrouted(&self) -> bool {
        self.off() == 0 && self.accepted == self.unrouted + self.pending
    }
}

/// The books as they are at one moment, by destination, source and hour.
///
/// # Errors
/// When the database does not answer.
pub async fn look(store: &Store, filter: &Filter) -> Result<Vec<Row>, Error> {
    let kept_from = oldest_hour(store);
    let since_hour = Some(filter.since_hour.map_or(kept_from, |since| since.max(kept_from)));
    let filter = Filter { since_hour, ..filter.clone() };
    let mut looks = 0;
    loop {
        looks += 1;
        let mut tx = store.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        match Snapshot::take(&mut tx, &filter).await {
            Ok(snapshot) => return Ok(snapshot.rows()),
            Err(error) if is_gone(&error) && looks < LOOKS_MAX => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first hour of which books are kept.
fn oldest_hour(store: &Store) -> i32 {
    let config = store.config();
    let keep = config.ledger_retention.max(config.log_retention + Duration::from_secs(24 * 3600));
    let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    Group::hour_of(now_ms().saturating_sub(keep_ms))
}

/// Forgets hours that are older than the books are kept.
pub(crate) async fn drop_older(store: &Store) -> Result<u64, Error> {
    let before = oldest_hour(store);
    let mut tx = store.pool().begin().await?;
    let mut dropped = 0;
    for statement in [
        "DELETE FROM ledger_accepted WHERE hour < $1",
        "DELETE FROM ledger_settled WHERE hour < $1",
        "DELETE FROM ledger_bounds WHERE hour < $1",
    ] {
        dropped += sqlx::query(statement).bind(before).execute(&mut *tx).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(dropped)
}

/// A table was dropped after the snapshot was taken: another one is as good.
fn is_gone(error: &Error) -> bool {
    let Error::Database(sqlx::Error::Database(error)) = error else { return false };
    // Undefined table; or the statement after the one that was told so.
    matches!(error.code().as_deref(), Some("42P01" | "25P02"))
}
