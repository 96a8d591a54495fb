//! Moves what cursor moves have carried into the tables of the books.

use super::tally::{Column, Tally};
use crate::Error;
use sqlx::PgConnection;

/// What one destination has counted since its last fold.
#[derive(Debug)]
pub(crate) struct Fold<'a> {
    pub(crate) destination: &'a str,
    /// How many folds there were before. One that finds another number was made already.
    pub(crate) folds: i64,
    pub(crate) tally: &'a Tally,
}

/// Adds to the tables, in the transaction that takes the same counts out of the destinations' rows. Repeated after
/// an unknown outcome it adds nothing.
pub(crate) async fn write(connection: &mut PgConnection, folds: &[Fold<'_>]) -> Result<(), Error> {
    for Fold { destination, folds, tally } in folds {
        let totals = tally.totals();
        let sum = |columns: &[Column]| columns.iter().map(|column| totals.of(*column)).sum::<i64>();
        let done = sqlx::query(
            "UPDATE destinations SET folds = folds + 1, delivered = delivered + $3, filtered = filtered + $4, \
             dead = dead + $5, parked = parked + $6 WHERE id = $1 AND folds = $2",
        )
        .bind(destination)
        .bind(folds)
        .bind(sum(&[Column::Delivered]))
        .bind(sum(&[Column::Filtered, Column::Duplicates]))
        .bind(sum(&[Column::Dead, Column::Expired]))
        .bind(sum(&[Column::Parked]))
        .execute(&mut *connection)
        .await?;
        if done.rows_affected() == 1 {
            add(connection, destination, tally).await?;
        }
    }
    Ok(())
}

async fn add(connection: &mut PgConnection, destination: &str, tally: &Tally) -> Result<(), Error> {
    let groups: Vec<_> = tally.groups().filter(|(group, _)| !group.is_untold()).collect();
    let column = |column: Column| groups.iter().map(|(_, counts)| counts.of(column)).collect::<Vec<i64>>();
    sqlx::query(
        "INSERT INTO ledger_settled AS old \
           (destination, source, hour, delivered, filtered, duplicates, unrouted, dead, expired, parked) \
         SELECT $1, n.* FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
           $8::bigint[], $9::bigint[], $10::bigint[]) n \
         ON CONFLICT (destination, source, hour) DO UPDATE SET delivered = old.delivered + excluded.delivered, \
           filtered = old.filtered + excluded.filtered, duplicates = old.duplicates + excluded.duplicates, \
           unrouted = old.unrouted + excluded.unrouted, dead = old.dead + excluded.dead, \
           expired = old.expired + excluded.expired, parked = old.parked + excluded.parked",
    )
    .bind(destination)
    .bind(groups.iter().map(|(group, _)| &*group.source).collect::<Vec<&str>>())
    .bind(groups.iter().map(|(group, _)| group.hour).collect::<Vec<i32>>())
    .bind(column(Column::Delivered))
    .bind(column(Column::Filtered))
    .bind(column(Column::Duplicates))
    .bind(column(Column::Unrouted))
    .bind(column(Column::Dead))
    .bind(column(Column::Expired))
    .bind(column(Column::Parked))
    .execute(connection)
    .await?;
    Ok(())
}
