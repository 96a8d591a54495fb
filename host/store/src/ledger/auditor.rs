//! Looks now and then whether the books balance.

use super::{Filter, Group, Row, look};
use crate::{Error, Store, metrics};
use pintle_events::times::now_ms;
use tokio_util::sync::CancellationToken;

/// How many hours back are looked at each time.
const HOURS: i32 = 48;
/// Rows that the log names each time, at most.
const NAMED_MAX: usize = 5;

/// Looks every `ledger-check-interval`, and says so when the books do not balance.
#[derive(Debug)]
pub struct Auditor {
    store: Store,
}

impl Auditor {
    /// Of the books in this database.
    #[must_use]
    pub fn new(store: Store) -> Auditor {
        Auditor { store }
    }

    /// Runs until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let interval = self.store.config().ledger_check_interval;
        if interval.is_zero() {
            return shutdown.cancelled().await;
        }
        metrics::ledger_unbalanced(0);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(interval) => {}
            }
            match self.check().await {
                Ok(wrong) => report(&wrong),
                Err(error) => tracing::warn!(%error, "the books could not be looked at"),
            }
        }
    }

    async fn check(&self) -> Result<Vec<Row>, Error> {
        let since_hour = Some(Group::hour_of(now_ms()).saturating_sub(HOURS));
        let mut rows = look(&self.store, &Filter { since_hour, ..Filter::default() }).await?;
        rows.retain(|row| row.off() != 0);
        Ok(rows)
    }
}

fn report(wrong: &[Row]) {
    metrics::ledger_unbalanced(wrong.len());
    for row in wrong.iter().take(NAMED_MAX) {
        tracing::error!(
            destination = row.destination,
            source = row.source,
            hour = row.hour,
            off = row.off(),
            rows = wrong.len(),
            "the books do not balance; `pintle ledger` shows them"
        );
    }
}
