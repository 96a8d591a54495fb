//! Outputs that will not be delivered unless somebody retries them, and ranges of events that fell off
//! the end of the log.

mod filter;
pub(crate) mod range;

pub use filter::Filter;
pub use range::{Range, ranges};

use crate::audit::{self, Action};
use crate::settle::DeadLetter;
use crate::settle::columns::{BindOutputs, column, read_output, statements, without_nul};
use crate::settle::rows::Kept;
use crate::{Error, Store};
use pintle_events::Position;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use std::collections::BTreeMap;
use std::time::Duration;

/// A stored dead letter.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Counted up: newer ones have larger ids.
    pub id: i64,
    /// The destination it did not reach.
    pub destination: String,
    /// When it died, milliseconds since 1970.
    pub created_at_ms: i64,
    /// `transformation` or `delivery`.
    pub stage: String,
    /// What happened.
    pub letter: DeadLetter,
    /// The hour since 1970 in which its event was received; none when that is in no hour of the books.
    pub hour: Option<i32>,
}

const COLUMNS: &str = "id, destination, (extract(epoch FROM created_at) * 1000)::bigint, stage, lane, seq, idx, \
    output, connection, source, message_id, event_type, key_hash, reason, error, attempts, request, response, payload, \
    hour";

/// The dead letters that a filter means, newest first, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store, filter: &Filter, limit: u32) -> Result<Vec<Stored>, Error> {
    let query = sqlx::query(AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM dead_letters WHERE {} ORDER BY id DESC LIMIT ${}",
        filter::CONDITION,
        filter::PARAMETERS + 1
    )));
    let rows = filter::bind(query, filter).bind(i64::from(limit)).fetch_all(store.pool()).await?;
    Ok(rows.iter().map(read).collect())
}

/// The ids of the dead letters that a filter means, oldest first, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn oldest(store: &Store, filter: &Filter, limit: u32) -> Result<Vec<i64>, Error> {
    let query = sqlx::query(AssertSqlSafe(format!(
        "SELECT id FROM dead_letters WHERE {} ORDER BY id LIMIT ${}",
        filter::CONDITION,
        filter::PARAMETERS + 1
    )));
    let rows = filter::bind(query, filter).bind(i64::from(limit)).fetch_all(store.pool()).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Removes the oldest dead letters that a filter means, at most so many: nobody wants them delivered. Writes down
/// who did it, and says how many they were.
///
/// # Errors
/// When the database does not answer. Then nothing has changed.
pub async fn discard(store: &Store, filter: &Filter, limit: u32, action: Action) -> Result<u64, Error> {
    let mut transaction = store.pool().begin().await?;
    let query = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE {} ORDER BY id LIMIT ${} \
         FOR UPDATE SKIP LOCKED)",
        filter::CONDITION,
        filter::PARAMETERS + 1
    )));
    let gone = filter::bind(query, filter).bind(i64::from(limit)).execute(&mut *transaction).await?;
    let count = gone.rows_affected();
    if count > 0 {
        audit::record(&mut transaction, &Action { count, ..action }).await?;
    }
    transaction.commit().await?;
    Ok(count)
}

/// Gives a dead letter another payload, and writes down who did it. False when it was not there.
///
/// # Errors
/// When the database does not answer. Then nothing has changed.
pub async fn edit(store: &Store, id: i64, payload: &[u8], action: &Action) -> Result<bool, Error> {
    let mut transaction = store.pool().begin().await?;
    let edited = sqlx::query("UPDATE dead_letters SET payload = $2 WHERE id = $1")
        .bind(id)
        .bind(payload)
        .execute(&mut *transaction)
        .await?;
    let was_there = edited.rows_affected() == 1;
    if was_there {
        audit::record(&mut transaction, action).await?;
    }
    transaction.commit().await?;
    Ok(was_there)
}

/// One dead letter.
///
/// # Errors
/// When the database does not answer.
pub async fn get(store: &Store, id: i64) -> Result<Option<Stored>, Error> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM dead_letters WHERE id = $1")))
        .bind(id)
        .fetch_optional(store.pool())
        .await?;
    Ok(row.as_ref().map(read))
}

/// How many dead letters each destination has.
///
/// # Errors
/// When the database does not answer.
pub async fn counts(store: &Store) -> Result<BTreeMap<String, i64>, Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT destination, count(*) FROM dead_letters GROUP BY destination")
            .fetch_all(store.pool())
            .await?;
    Ok(rows.into_iter().collect())
}

/// Whether other outputs of a dead letter's event are dead letters as well.
///
/// # Errors
/// When the database does not answer.
pub async fn has_others(store: &Store, stored: &Stored) -> Result<bool, Error> {
    let mut connection = store.pool().acquire().await?;
    let outputs = outputs(&mut connection, &stored.destination, stored.letter.position).await?;
    Ok(outputs.iter().any(|output| *output != stored.letter.output))
}

/// Replaces a dead letter of a transformation, which succeeds now, by one of delivery per output. Says the ids of
/// the new ones.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(store: &Store, stored: &Stored, payloads: &[bytes::Bytes]) -> Result<Vec<i64>, Error> {
    let mut tx = store.pool().begin().await?;
    sqlx::query("DELETE FROM dead_letters WHERE id = $1").bind(stored.id).execute(&mut *tx).await?;
    let taken = outputs(&mut tx, &stored.destination, stored.letter.position).await?;
    let first = taken.into_iter().max().map_or(0, |output| output + 1).max(stored.letter.output);
    let letters: Vec<Kept<DeadLetter>> = payloads
        .iter()
        .zip(first..)
        .map(|(payload, output)| DeadLetter {
            output,
            stage: crate::settle::Stage::Delivery,
            payload: payload.clone(),
            ..stored.letter.clone()
        })
        .map(|row| Kept { row, hour: stored.hour })
        .collect();
    let ids = insert(&mut tx, &stored.destination, &letters).await?;
    tx.commit().await?;
    Ok(ids)
}

/// The outputs of an event that are dead letters.
async fn outputs(connection: &mut PgConnection, destination: &str, position: Position) -> Result<Vec<u32>, Error> {
    let outputs: Vec<i32> = sqlx::query_scalar(
        "SELECT output FROM dead_letters WHERE destination = $1 AND lane = $2 AND seq = $3 AND idx = $4",
    )
    .bind(destination)
    .bind(position.lane)
    .bind(position.seq)
    .bind(position.idx as i32)
    .fetch_all(connection)
    .await?;
    Ok(outputs.into_iter().map(|output| output as u32).collect())
}

/// Drops what is older than its retention.
pub(crate) async fn drop_older(store: &Store, keep: Duration) -> Result<u64, Error> {
    let mut dropped = 0;
    for table in ["dead_letters", "dead_letter_ranges"] {
        let statement = format!("DELETE FROM {table} WHERE created_at < now() - $1 * interval '1 second'");
        dropped +=
            sqlx::query(AssertSqlSafe(statement)).bind(keep.as_secs_f64()).execute(store.pool()).await?.rows_affected();
    }
    Ok(dropped)
}

/// Inserted, or ignored when there: after a crash the same event may die a second time. Says the new ids.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    destination: &str,
    kept: &[Kept<DeadLetter>],
) -> Result<Vec<i64>, Error> {
    let mut ids = Vec::new();
    let letters: Vec<&DeadLetter> = column(kept, |kept| &kept.row);
    for range in statements(&letters, |letter| bytes(letter)) {
        let hours = column(&kept[range.clone()], |kept| kept.hour);
        let rows = &letters[range];
        let inserted = sqlx::query(
            "INSERT INTO dead_letters (destination, lane, seq, idx, output, stage, connection, source, message_id, \
             event_type, key_hash, reason, error, attempts, request, response, payload, hour) \
             SELECT $1, d.* FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::text[], \
               $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[], $13::text[], $14::int[], $15::text[], \
               $16::text[], $17::bytea[], $18::int[]) d ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(destination)
        .bind_outputs(rows, |letter| (letter.position, letter.output))
        .bind(column(rows, |letter| letter.stage.as_str()))
        .bind(column(rows, |letter| letter.connection_id.as_str()))
        .bind(column(rows, |letter| letter.source_id.as_str()))
        .bind(column(rows, |letter| without_nul(&letter.message_id)))
        .bind(column(rows, |letter| without_nul(&letter.event_type)))
        .bind(column(rows, |letter| letter.key_hash as i64))
        .bind(column(rows, |letter| without_nul(&letter.reason)))
        .bind(column(rows, |letter| letter.error.as_deref().map(without_nul)))
        .bind(column(rows, |letter| letter.attempts as i32))
        .bind(column(rows, |letter| letter.request.as_deref().map(without_nul)))
        .bind(column(rows, |letter| letter.response.as_deref().map(without_nul)))
        .bind(column(rows, |letter| &letter.payload[..]))
        .bind(hours)
        .fetch_all(&mut *connection)
        .await?;
        ids.extend(inserted.iter().map(|row| row.get::<i64, _>(0)));
    }
    Ok(ids)
}

fn bytes(letter: &DeadLetter) -> usize {
    let texts = [&letter.error, &letter.request, &letter.response];
    letter.payload.len() + letter.reason.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

/// Removes dead letters that are delivered again.
pub(crate) async fn delete(connection: &mut PgConnection, ids: &[i64]) -> Result<(), Error> {
    sqlx::query("DELETE FROM dead_letters WHERE id = ANY($1)").bind(ids).execute(connection).await?;
    Ok(())
}

fn read(row: &PgRow) -> Stored {
    let stage: String = row.get(3);
    let (position, output) = read_output(row, 4);
    let letter = DeadLetter {
        position,
        output,
        stage: if stage == "transformation" {
            crate::settle::Stage::Transformation
        } else {
            crate::settle::Stage::Delivery
        },
        connection_id: row.get(8),
        source_id: row.get(9),
        message_id: row.get(10),
        event_type: row.get(11),
        key_hash: row.get::<i64, _>(12) as u64,
        reason: row.get(13),
        error: row.get(14),
        attempts: row.get::<i32, _>(15) as u32,
        request: row.get(16),
        response: row.get(17),
        payload: row.get::<Vec<u8>, _>(18).into(),
    };
    Stored { id: row.get(0), destination: row.get(1), created_at_ms: row.get(2), stage, letter, hour: row.get(19) }
}
