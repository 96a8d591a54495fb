//! What people have asked to be traced.

use super::Config;
use crate::audit::{self, Action};
use crate::settle::columns::without_nul;
use crate::{Error, Store};
use pintle_events::times::now_ms;
use sqlx::Row;
use std::time::Duration;

/// What is to be traced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Events of this user: their `userId` or `anonymousId`.
    pub user_id: Option<String>,
    /// Events on their way over this connection, and only on that.
    pub connection: Option<String>,
    /// Events of this source.
    pub source: Option<String>,
    /// The next so many.
    pub events_max: u64,
    /// For so long.
    pub time: Duration,
    /// What it is for.
    pub note: String,
}

/// A switch, on or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its id.
    pub id: i64,
    /// When it was switched on, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who did.
    pub author: String,
    /// What for.
    pub note: String,
    /// See [`Wanted::user_id`].
    pub user_id: Option<String>,
    /// See [`Wanted::connection`].
    pub connection: Option<String>,
    /// See [`Wanted::source`].
    pub source: Option<String>,
    /// It ends then, milliseconds since 1970.
    pub until_ms: i64,
    /// It ends after so many events.
    pub events_max: u64,
    /// So many were there.
    pub events_taken: u64,
    /// When somebody switched it off, milliseconds since 1970.
    pub off_at_ms: Option<i64>,
}

impl Switch {
    /// Whether it still traces.
    #[must_use]
    pub fn is_on(&self, now_ms: i64) -> bool {
        self.off_at_ms.is_none() && now_ms < self.until_ms && self.events_taken < self.events_max
    }
}

/// Why something is not traced.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It would trace everything.
    #[error("say what is to be traced: a user, a connection or a source")]
    Nobody,
    /// It would be on for longer than it may, or for no time.
    #[error("{asked:?} is not a time for a trace: use 1 s to {max:?} (switch-time-max)")]
    Time {
        /// What was asked for.
        asked: Duration,
        /// The limit.
        max: Duration,
    },
    /// It would trace more events than it may, or none.
    #[error("{asked} is not a number of events for a trace: use 1 to {max} (switch-events-max)")]
    Events {
        /// What was asked for.
        asked: u64,
        /// The limit.
        max: u64,
    },
    /// As many are on as may be.
    #[error("{max} traces are on already (switches-max); end one of them")]
    TooMany {
        /// The limit.
        max: u32,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Refused {
        Refused::Store(error.into())
    }
}

fn check(wanted: &Wanted, config: &Config) -> Result<(), Refused> {
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if ![&wanted.user_id, &wanted.connection, &wanted.source].into_iter().any(said) {
        return Err(Refused::Nobody);
    }
    if wanted.time < Duration::from_secs(1) || wanted.time > config.switch_time_max {
        return Err(Refused::Time { asked: wanted.time, max: config.switch_time_max });
    }
    if wanted.events_max == 0 || wanted.events_max > config.switch_events_max.get() {
        return Err(Refused::Events { asked: wanted.events_max, max: config.switch_events_max.get() });
    }
    Ok(())
}

/// Switches it on, and writes down who did.
pub(super) async fn add(store: &Store, config: &Config, wanted: Wanted, author: &str) -> Result<Switch, Refused> {
    check(&wanted, config)?;
    let now = now_ms();
    let mut transaction = store.pool().begin().await?;
    // The head's row makes those who switch on wait for each other: the count below is right.
    count_up(&mut transaction).await?;
    let on: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM trace_switches WHERE off_at_ms IS NULL AND until_ms > $1 AND events_taken < events_max",
    )
    .bind(now)
    .fetch_one(&mut *transaction)
    .await?;
    if on >= i64::from(config.switches_max.get()) {
        return Err(Refused::TooMany { max: config.switches_max.get() });
    }
    let until_ms = now.saturating_add(i64::try_from(wanted.time.as_millis()).unwrap_or(i64::MAX));
    let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(without_nul);
    let mut switch = Switch {
        id: 0,
        created_at_ms: now,
        author: without_nul(author),
        note: without_nul(&wanted.note),
        user_id: text(&wanted.user_id),
        connection: text(&wanted.connection),
        source: text(&wanted.source),
        until_ms,
        events_max: wanted.events_max,
        events_taken: 0,
        off_at_ms: None,
    };
    switch.id = sqlx::query_scalar(
        "INSERT INTO trace_switches (created_at_ms, author, note, user_id, connection, source, until_ms, events_max) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(switch.created_at_ms)
    .bind(&switch.author)
    .bind(&switch.note)
    .bind(&switch.user_id)
    .bind(&switch.connection)
    .bind(&switch.source)
    .bind(switch.until_ms)
    .bind(i64::try_from(switch.events_max).unwrap_or(i64::MAX))
    .fetch_one(&mut *transaction)
    .await?;
    note(&mut transaction, "trace.on", &switch, author).await?;
    transaction.commit().await?;
    Ok(switch)
}

/// Switches one off, and writes down who did. None when there is no such one that is on.
pub(super) async fn end(store: &Store, id: i64, author: &str) -> Result<Option<Switch>, Error> {
    let now = now_ms();
    let mut transaction = store.pool().begin().await?;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE trace_switches SET off_at_ms = $2 WHERE id = $1 AND off_at_ms IS NULL AND until_ms > $2 \
         AND events_taken < events_max RETURNING {COLUMNS}"
    )))
    .bind(id)
    .bind(now)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(switch) = row.as_ref().map(read) else { return Ok(None) };
    count_up(&mut transaction).await?;
    note(&mut transaction, "trace.off", &switch, author).await?;
    transaction.commit().await?;
    Ok(Some(switch))
}

async fn note(
    transaction: &mut sqlx::PgTransaction<'_>,
    action: &'static str,
    switch: &Switch,
    author: &str,
) -> Result<(), Error> {
    let parts = [("user", &switch.user_id), ("connection", &switch.connection), ("source", &switch.source)];
    let said = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    let subject = format!("{}: {}", switch.id, said.collect::<Vec<_>>().join(", "));
    let author = author.to_owned();
    let action = Action { author, action, subject, reason: switch.note.clone(), count: 1 };
    audit::record(transaction, &action).await
}

const COLUMNS: &str = "id, created_at_ms, author, note, user_id, connection, source, until_ms, events_max, \
    events_taken, off_at_ms";

fn read(row: &sqlx::postgres::PgRow) -> Switch {
    Switch {
        id: row.get(0),
        created_at_ms: row.get(1),
        author: row.get(2),
        note: row.get(3),
        user_id: row.get(4),
        connection: row.get(5),
        source: row.get(6),
        until_ms: row.get(7),
        events_max: row.get::<i64, _>(8) as u64,
        events_taken: row.get::<i64, _>(9) as u64,
        off_at_ms: row.get(10),
    }
}

/// The switches, newest first, older than `before`, at most so many; those that have ended stay for as long as
/// steps do.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, before: Option<i64>, limit: u32) -> Result<Vec<Switch>, Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM trace_switches WHERE ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"
    )))
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(store.pool())
    .await?;
    Ok(rows.iter().map(read).collect())
}

/// Those that are on.
pub(super) async fn on(store: &Store) -> Result<Vec<Switch>, Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM trace_switches WHERE off_at_ms IS NULL AND until_ms > $1 AND events_taken < events_max \
         ORDER BY id"
    )))
    .bind(now_ms())
    .fetch_all(store.pool())
    .await?;
    Ok(rows.iter().map(read).collect())
}

/// Writes how many events each has taken.
pub(super) async fn write_taken(store: &Store, taken: &[(i64, u64)]) -> Result<(), Error> {
    sqlx::query(
        "UPDATE trace_switches s SET events_taken = greatest(s.events_taken, t.taken) \
         FROM unnest($1::bigint[], $2::bigint[]) t(id, taken) WHERE s.id = t.id",
    )
    .bind(taken.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, taken)| *taken as i64).collect::<Vec<_>>())
    .execute(store.pool())
    .await?;
    Ok(())
}

/// Drops those that ended longer ago than `keep`.
pub(super) async fn drop_older(store: &Store, keep: Duration) -> Result<(), Error> {
    let before_ms = now_ms().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)).max(0);
    sqlx::query("DELETE FROM trace_switches WHERE until_ms < $1").bind(before_ms).execute(store.pool()).await?;
    Ok(())
}

pub(super) async fn version(store: &Store) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("SELECT version FROM trace_head").fetch_one(store.pool()).await?)
}

async fn count_up(transaction: &mut sqlx::PgTransaction<'_>) -> Result<(), Error> {
    sqlx::query("UPDATE trace_head SET version = version + 1").execute(&mut **transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(wanted: Wanted) -> String {
        check(&wanted, &Config::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_trace_says_what_it_means_and_ends() {
        let fine = Wanted {
            user_id: Some("ann".to_owned()),
            events_max: 1,
            time: Duration::from_secs(60),
            ..Wanted::default()
        };
        assert!(check(&fine, &Config::default()).is_ok());
        assert!(refused(Wanted { user_id: Some(String::new()), ..fine.clone() }).contains("a user, a connection"));
        assert!(refused(Wanted { events_max: 0, ..fine.clone() }).contains("1 to 10000 (switch-events-max)"));
        assert!(refused(Wanted { events_max: 10_001, ..fine.clone() }).contains("switch-events-max"));
        assert!(refused(Wanted { time: Duration::ZERO, ..fine.clone() }).contains("switch-time-max"));
        assert!(refused(Wanted { time: Duration::from_secs(90_000), ..fine }).contains("switch-time-max"));
    }
}
