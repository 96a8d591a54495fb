//! What is stored of each destination, for people: its books, cursors and last error.

use crate::ledger::After;
use crate::ledger::tally::Column;
use crate::settle::{Books, restore};
use crate::{Error, Store, ledger};
use sqlx::Row;
use std::collections::BTreeMap;

/// The stored state of a destination.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Its books.
    pub books: Books,
    /// In each lane, the chunk in which its cursor stands and the events of it that are settled.
    pub cursors: BTreeMap<i64, (i64, u64)>,
    /// The latest error and when it was, milliseconds since 1970.
    pub last_error: Option<(String, i64)>,
}

/// Every destination ever seen.
///
/// # Errors
/// When the database does not answer.
pub async fn all(store: &Store) -> Result<BTreeMap<String, Stored>, Error> {
    let mut all: BTreeMap<String, Stored> = BTreeMap::new();
    for row in sqlx::query(
        "SELECT id, delivered, filtered, dead, parked, last_error, \
         (extract(epoch FROM last_error_at) * 1000)::bigint, unfolded FROM destinations",
    )
    .fetch_all(store.pool())
    .await?
    {
        let mut totals = restore::read(row.get(0), row.get(7))?.totals();
        let columns = [Column::Delivered, Column::Filtered, Column::Dead, Column::Parked];
        for (at, column) in columns.into_iter().enumerate() {
            totals.0[column as usize] += row.get::<i64, _>(1 + at);
        }
        let books = Books::of(&totals);
        let last_error = row.get::<Option<String>, _>(5).zip(row.get::<Option<i64>, _>(6));
        all.insert(row.get(0), Stored { books, cursors: BTreeMap::new(), last_error });
    }
    for row in sqlx::query("SELECT destination, lane, seq, idx FROM cursors").fetch_all(store.pool()).await? {
        if let Some(stored) = all.get_mut(&row.get::<String, _>(0)) {
            stored.cursors.insert(row.get(1), (row.get(2), row.get::<i32, _>(3) as u64));
        }
    }
    Ok(all)
}

/// Lets a reader hold back what it has not settled: from its cursor on, or from the oldest event that the log has
/// when it is new.
///
/// # Errors
/// When the database does not answer.
pub async fn activate(store: &Store, id: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO destinations (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET active = true, opened = false \
         WHERE NOT destinations.active",
    )
    .bind(id)
    .execute(store.pool())
    .await?;
    Ok(())
}

/// Lets go of what a reader holds back. Its cursor stays, for when it goes on.
///
/// # Errors
/// When the database does not answer.
pub async fn rest(store: &Store, id: &str) -> Result<(), Error> {
    ledger::close(store, id, After::Resting).await
}
