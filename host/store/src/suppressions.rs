//! Users whose events are neither stored nor delivered, by their `userId`.
//!
//! The list is in the database and, for those who ask about every event, in memory. The process that changes it
//! obeys it at once; others look for changes.

use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_events::times::now_ms;
use sqlx::Row;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often other processes' changes are looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Why an event of theirs is not delivered.
pub const REASON: &str = "the user is suppressed";

/// A suppressed user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The `userId`, as events have it.
    pub user_id: String,
    /// Since when, milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked for it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// The list in memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    users: RwLock<HashSet<Box<str>>>,
    /// Most have nobody on the list: then events cost nothing.
    is_some: AtomicBool,
}

impl Suppressions {
    /// Reads the list.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load(store: &Store) -> Result<Suppressions, Error> {
        let suppressions = Suppressions::default();
        suppressions.read(store).await?;
        Ok(suppressions)
    }

    /// Whether this user is on it. The empty id is nobody's.
    #[must_use]
    pub fn contains(&self, user_id: &str) -> bool {
        !self.is_empty()
            && !user_id.is_empty()
            && self.inner.users.read().unwrap_or_else(PoisonError::into_inner).contains(user_id)
    }

    /// Whether nobody is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.inner.is_some.load(Ordering::Relaxed)
    }

    /// Puts a user on the list; true when they were not.
    ///
    /// # Errors
    /// When the database does not answer. Then nothing has changed.
    pub async fn add(&self, store: &Store, user_id: &str, author: &str, reason: &str) -> Result<bool, Error> {
        let mut transaction = store.pool().begin().await?;
        let done = sqlx::query(
            "INSERT INTO suppressions (user_id, at_ms, author, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(without_nul(user_id))
        .bind(now_ms())
        .bind(without_nul(author))
        .bind(without_nul(reason))
        .execute(&mut *transaction)
        .await?;
        count_up(&mut transaction).await?;
        transaction.commit().await?;
        self.change(|users| _ = users.insert(user_id.into()));
        Ok(done.rows_affected() > 0)
    }

    /// Takes a user off the list; true when they were on it.
    ///
    /// # Errors
    /// When the database does not answer. Then nothing has changed.
    pub async fn remove(&self, store: &Store, user_id: &str) -> Result<bool, Error> {
        let mut transaction = store.pool().begin().await?;
        let done = sqlx::query("DELETE FROM suppressions WHERE user_id = $1")
            .bind(without_nul(user_id))
            .execute(&mut *transaction)
            .await?;
        count_up(&mut transaction).await?;
        transaction.commit().await?;
        self.change(|users| _ = users.remove(user_id));
        Ok(done.rows_affected() > 0)
    }

    /// Follows other processes' changes until `shutdown`.
    pub async fn follow(self, store: Store, shutdown: CancellationToken) {
        let mut seen = None;
        loop {
            match version(&store).await {
                Ok(version) if seen == Some(version) => {}
                Ok(version) => match self.read(&store).await {
                    Ok(()) => seen = Some(version),
                    Err(error) => tracing::warn!(%error, "the suppression list could not be read, trying again"),
                },
                Err(error) => tracing::debug!(%error, "the suppression list could not be looked at"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn read(&self, store: &Store) -> Result<(), Error> {
        let users: Vec<String> = sqlx::query_scalar("SELECT user_id FROM suppressions").fetch_all(store.pool()).await?;
        let users = users.into_iter().map(String::into_boxed_str).collect();
        self.change(|known| *known = users);
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<Box<str>>)) {
        let mut users = self.inner.users.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut users);
        self.inner.is_some.store(!users.is_empty(), Ordering::Relaxed);
    }
}

async fn count_up(transaction: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    sqlx::query("UPDATE suppressions_head SET version = version + 1").execute(&mut **transaction).await?;
    Ok(())
}

async fn version(store: &Store) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT version FROM suppressions_head").fetch_one(store.pool()).await?)
}

/// The list behind a user id, by user id, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, after: Option<&str>, limit: u32) -> Result<Vec<Suppression>, Error> {
    let rows = sqlx::query(
        "SELECT user_id, at_ms, author, reason FROM suppressions WHERE ($1::text IS NULL OR user_id > $1) \
         ORDER BY user_id LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(store.pool())
    .await?;
    let read = |row: &sqlx::postgres::PgRow| Suppression {
        user_id: row.get(0),
        at_ms: row.get(1),
        author: row.get(2),
        reason: row.get(3),
    };
    Ok(rows.iter().map(read).collect())
}
