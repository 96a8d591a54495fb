//! The books: what was accepted, and what became of it.

use pintle_catalog::Catalog;
use pintle_events::times::now_ms;
use pintle_store::ledger::{self, Filter, Group, HOUR_MS, Row};
use pintle_store::{Error, Store};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that do not balance and are named, at most.
const UNBALANCED_NAMED_MAX: usize = 100;

/// The answer of `GET /admin/v1/ledger`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerView {
    /// Whether every row balances, also where sums are shown.
    pub balanced: bool,
    /// When it was looked at.
    pub at_ms: i64,
    /// By destination, source and hour, or their sums.
    pub rows: Vec<LedgerRow>,
    /// Those that do not balance, of one destination, source and hour each; at most 100.
    pub unbalanced: Vec<LedgerRow>,
    /// How many there are of them.
    pub unbalanced_rows: u64,
}

/// What was to be settled, and what became of it, in events: accepted = delivered + filtered + dead + parked +
/// pending. Summed up over destinations, an event counts once for each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Of which destination; absent in a sum over all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Of which source; absent in a sum over all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where the hour in which they were received begins; absent in a sum over all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_ms: Option<i64>,
    /// Accepted while the destination was there to take them.
    pub accepted: i64,
    /// The destination has them.
    pub delivered: i64,
    /// Not to be delivered, by rule: the next two included.
    pub filtered: i64,
    /// Copies of earlier ones.
    pub duplicates: i64,
    /// Of a source that was not connected to the destination.
    pub unrouted: i64,
    /// Dead letters, those that were discarded and the next ones included.
    pub dead: i64,
    /// Older than `log-retention` before they were delivered.
    pub expired: i64,
    /// Set aside, to be tried again later.
    pub parked: i64,
    /// In the log, and not settled yet.
    pub pending: i64,
    /// How many are missing; negative when there are too many.
    pub off: i64,
}

/// Which books, and in which form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this destination.
    pub destination: Option<String>,
    /// Only events received in this hour or later.
    pub since_ms: Option<i64>,
    /// Only events received before this hour.
    pub until_ms: Option<i64>,
    /// What rows are told apart by.
    pub by: By,
    /// Sources without a connection to the destination as well.
    pub all: bool,
}

/// What rows are told apart by; the others are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// By destination.
    pub destination: bool,
    /// By source.
    pub source: bool,
    /// By hour.
    pub hour: bool,
}

impl Default for By {
    fn default() -> By {
        By { destination: true, source: true, hour: true }
    }
}

impl By {
    /// By these, with commas between them.
    ///
    /// # Errors
    /// Gives back what is none of `destination`, `source` and `hour`.
    pub fn parse(text: &str) -> Result<By, &str> {
        let mut by = By { destination: false, source: false, hour: false };
        for part in text.split(',') {
            match part.trim() {
                "destination" => by.destination = true,
                "source" => by.source = true,
                "hour" => by.hour = true,
                other => return Err(other),
            }
        }
        Ok(by)
    }
}

impl LedgerView {
    /// The books in this database as they are now. Without a catalog nobody knows what is connected: then a source
    /// that is not shows while events of it are pending.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn gather(store: &Store, query: &LedgerQuery, catalog: Option<&Catalog>) -> Result<LedgerView, Error> {
        let filter = Filter {
            source: query.source.clone(),
            destination: query.destination.clone(),
            since_hour: query.since_ms.map(Group::hour_of),
            // An hour that has begun before it is in.
            until_hour: query.until_ms.map(|until| Group::hour_of(until.saturating_add(HOUR_MS - 1))),
        };
        let mut rows = ledger::look(store, &filter).await?;
        if !query.all {
            let connections = catalog.into_iter().flat_map(|catalog| catalog.connections.values());
            let connected: BTreeSet<(&str, &str)> = connections
                .filter(|connection| connection.is_on())
                .map(|connection| (&*connection.source, &*connection.destination))
                .collect();
            rows.retain(|row| {
                let may_be_pending = catalog.is_none() && row.pending > 0;
                !row.is_unrouted() || may_be_pending || connected.contains(&(&*row.source, &*row.destination))
            });
        }
        Ok(LedgerView::of(rows, query.by))
    }

    /// The books that these rows are.
    fn of(rows: Vec<Row>, by: By) -> LedgerView {
        let wrong = || rows.iter().filter(|row| row.off() != 0);
        let unbalanced_rows = wrong().count() as u64;
        let everything = By::default();
        let unbalanced = wrong().take(UNBALANCED_NAMED_MAX).map(|row| LedgerRow::of(row, everything)).collect();
        let mut sums: BTreeMap<_, LedgerRow> = BTreeMap::new();
        for row in &rows {
            let row = LedgerRow::of(row, by);
            let key = (row.destination.clone(), row.source.clone(), row.hour_ms);
            match sums.get_mut(&key) {
                Some(sum) => sum.add(&row),
                None => _ = sums.insert(key, row),
            }
        }
        let rows = sums.into_values().collect();
        LedgerView { balanced: unbalanced_rows == 0, at_ms: now_ms(), rows, unbalanced, unbalanced_rows }
    }
}

impl LedgerRow {
    fn of(row: &Row, by: By) -> LedgerRow {
        LedgerRow {
            destination: by.destination.then(|| row.destination.clone()),
            source: by.source.then(|| row.source.clone()),
            hour_ms: by.hour.then(|| i64::from(row.hour) * HOUR_MS),
            accepted: row.accepted,
            delivered: row.delivered,
            filtered: row.filtered + row.duplicates + row.unrouted,
            duplicates: row.duplicates,
            unrouted: row.unrouted,
            dead: row.dead + row.expired,
            expired: row.expired,
            parked: row.parked,
            pending: row.pending,
            off: row.off(),
        }
    }

    fn add(&mut self, other: &LedgerRow) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.filtered += other.filtered;
        self.duplicates += other.duplicates;
        self.unrouted += other.unrouted;
        self.dead += other.dead;
        self.expired += other.expired;
        self.parked += other.parked;
        self.pending += other.pending;
        self.off += other.off;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(destination: &str, source: &str, hour: i32, accepted: i64, delivered: i64) -> Row {
        let (destination, source) = (destination.to_owned(), source.to_owned());
        Row { destination, source, hour, accepted, delivered, ..Row::default() }
    }

    #[test]
    fn errors_that_cancel_out_in_a_sum_are_named_all_the_same() {
        let rows = vec![row("d", "a", 1, 10, 9), row("d", "b", 1, 10, 11), row("e", "a", 2, 5, 5)];
        let by = By { destination: true, source: false, hour: false };
        let view = LedgerView::of(rows, by);
        assert!(!view.balanced && view.unbalanced_rows == 2);
        let sums: Vec<_> = view.rows.iter().map(|row| (row.destination.as_deref(), row.accepted, row.off)).collect();
        assert_eq!(sums, [(Some("d"), 20, 0), (Some("e"), 5, 0)]);
        let named: Vec<_> = view.unbalanced.iter().map(|row| (row.source.as_deref(), row.off)).collect();
        assert_eq!(named, [(Some("a"), 1), (Some("b"), -1)]);
    }

    #[test]
    fn what_is_summed_up_is_said_by_what_is_not() {
        assert_eq!(By::parse("hour, source"), Ok(By { destination: false, source: true, hour: true }));
        assert_eq!(By::parse("hour,day"), Err("day"));
        assert_eq!(By::parse(""), Err(""));
    }
}
