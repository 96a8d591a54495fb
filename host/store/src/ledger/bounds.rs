//! Where the books of a destination begin and end.
//!
//! One that begins owes only what is accepted from then on. One that has dealt with its backlog, after it was
//! disabled or removed, owes no more than it has settled.

use super::Filter;
use super::snapshot::{Snapshot, Sums};
use crate::{Error, Store};
use sqlx::PgConnection;

/// Works out, once, what a destination does not owe, or of one that goes up to an end what it does. It has to be called before anything new is settled.
///
/// # Errors
/// When the database does not answer, or the log changed under the look: then trying again is all there is to do.
pub async fn open(store: &Store, destination: &str) -> Result<(), Error> {
    let mut tx = store.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let is_due: bool = sqlx::query_scalar("SELECT active AND NOT opened FROM destinations WHERE id = $1")
        .bind(destination)
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or(false);
    if !is_due {
        return Ok(());
    }
    let snapshot = Snapshot::take(&mut tx, &of(destination)).await?;
    let Some(account) = snapshot.account(destination) else { return Ok(()) };
    if account.is_bounded {
        replace(&mut tx, destination, &account.owed_from_now(), "owed").await?;
    } else {
        replace(&mut tx, destination, &account.not_owed_now(&snapshot), "not_owed").await?;
    }
    sqlx::query("UPDATE destinations SET opened = true WHERE id = $1").bind(destination).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// What becomes of the cursors of a destination whose books are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// They go: should it come back, it begins with what is accepted then.
    Gone,
    /// They stay, for when it goes on.
    Resting,
}

/// Writes down what a destination owed until now. From here on it holds nothing back.
///
/// # Errors
/// As [`open`].
pub(crate) async fn close(store: &Store, destination: &str, after: After) -> Result<(), Error> {
    let mut tx = store.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    close_in(&mut tx, destination, after).await?;
    tx.commit().await?;
    Ok(())
}

/// The same in the caller's transaction, which has to be one snapshot.
pub(crate) async fn close_in(tx: &mut PgConnection, destination: &str, after: After) -> Result<(), Error> {
    let is_active: Option<bool> = sqlx::query_scalar("SELECT active FROM destinations WHERE id = $1")
        .bind(destination)
        .fetch_optional(&mut *tx)
        .await?;
    if is_active == Some(true) {
        let snapshot = Snapshot::take(tx, &of(destination)).await?;
        let owed = snapshot.account(destination).map(|account| account.owed_now(&snapshot)).unwrap_or_default();
        replace(tx, destination, &owed, "owed").await?;
        sqlx::query("UPDATE destinations SET active = false, opened = false WHERE id = $1")
            .bind(destination)
            .execute(&mut *tx)
            .await?;
    }
    if after == After::Gone {
        sqlx::query("DELETE FROM cursors WHERE destination = $1").bind(destination).execute(&mut *tx).await?;
    }
    Ok(())
}

fn of(destination: &str) -> Filter {
    Filter { destination: Some(destination.to_owned()), ..Filter::default() }
}

async fn replace(tx: &mut PgConnection, destination: &str, sums: &Sums, column: &'static str) -> Result<(), Error> {
    sqlx::query("DELETE FROM ledger_bounds WHERE destination = $1").bind(destination).execute(&mut *tx).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO ledger_bounds (destination, source, hour, {column}) \
         SELECT $1, n.* FROM unnest($2::text[], $3::int[], $4::bigint[]) n"
    )))
    .bind(destination)
    .bind(sums.keys().map(|group| &*group.source).collect::<Vec<&str>>())
    .bind(sums.keys().map(|group| group.hour).collect::<Vec<_>>())
    .bind(sums.values().copied().collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
