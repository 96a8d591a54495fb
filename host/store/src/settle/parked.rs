//! The table of parked outputs.

use super::columns::{BindOutputs, column, read_output, statements, without_nul};
use super::rows::{Kept, Parked};
use crate::Error;
use pintle_events::Position;
use sqlx::{PgConnection, PgPool, Row};
use std::collections::HashSet;

/// The parked outputs of a destination, in the order of the log.
pub(crate) async fn all(pool: &PgPool, destination: &str) -> Result<Vec<Parked>, Error> {
    let rows = sqlx::query(
        "SELECT lane, seq, idx, output, key_hash, source, message_id, event_type, connection, attempt, \
         next_at_ms, last_error, requests_done, payload, first_failed_at_ms FROM parked \
         WHERE destination = $1 ORDER BY lane, seq, idx, output",
    )
    .bind(destination)
    .fetch_all(pool)
    .await?;
    Ok(rows
        .iter()
        .map(|row| (read_output(row, 0), row))
        .map(|((position, output), row)| Parked {
            position,
            output,
            key_hash: row.get::<i64, _>(4) as u64,
            source_id: row.get(5),
            message_id: row.get(6),
            event_type: row.get(7),
            connection_id: row.get(8),
            attempt: row.get::<i32, _>(9) as u32,
            next_at_ms: row.get(10),
            last_error: row.get(11),
            requests_done: row.get::<i32, _>(12) as u32,
            payload: row.get::<Vec<u8>, _>(13).into(),
            first_failed_at_ms: row.get(14),
        })
        .collect())
}

/// Inserted, or ignored when there: after a crash the same output may be parked a second time.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    destination: &str,
    kept: &[Kept<Parked>],
) -> Result<(), Error> {
    let rows: Vec<&Parked> = column(kept, |kept| &kept.row);
    for range in statements(&rows, |row| bytes(row)) {
        let hours = column(&kept[range.clone()], |kept| kept.hour);
        let rows = &rows[range];
        sqlx::query(
            "INSERT INTO parked (destination, lane, seq, idx, output, key_hash, connection, source, message_id, \
             event_type, attempt, next_at_ms, first_failed_at_ms, requests_done, last_error, payload, hour) \
             SELECT $1, p.* FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::bigint[], $7::text[], \
               $8::text[], $9::text[], $10::text[], $11::int[], $12::bigint[], $13::bigint[], $14::int[], $15::text[], \
               $16::bytea[], $17::int[]) p ON CONFLICT DO NOTHING",
        )
        .bind(destination)
        .bind_outputs(rows, |row| (row.position, row.output))
        .bind(column(rows, |row| row.key_hash as i64))
        .bind(column(rows, |row| row.connection_id.as_str()))
        .bind(column(rows, |row| row.source_id.as_str()))
        .bind(column(rows, |row| without_nul(&row.message_id)))
        .bind(column(rows, |row| without_nul(&row.event_type)))
        .bind(column(rows, |row| row.attempt as i32))
        .bind(column(rows, |row| row.next_at_ms))
        .bind(column(rows, |row| row.first_failed_at_ms))
        .bind(column(rows, |row| row.requests_done as i32))
        .bind(column(rows, |row| without_nul(&row.last_error)))
        .bind(column(rows, |row| &row.payload[..]))
        .bind(hours)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Says what the last try of each has changed.
pub(crate) async fn update(connection: &mut PgConnection, destination: &str, rows: &[Parked]) -> Result<(), Error> {
    // Of two rows for the same output, Postgres would take either: only the latest may stand.
    let mut seen = HashSet::new();
    let latest: Vec<&Parked> = rows.iter().rev().filter(|row| seen.insert((row.position, row.output))).collect();
    for range in statements(&latest, |row| bytes(row)) {
        let rows = &latest[range];
        sqlx::query(
            "UPDATE parked p SET attempt = t.attempt, next_at_ms = t.next_at_ms, requests_done = t.requests_done, \
               last_error = t.last_error, first_failed_at_ms = t.first_failed_at_ms \
             FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::bigint[], $8::int[], \
               $9::text[], $10::bigint[]) \
               t(lane, seq, idx, output, attempt, next_at_ms, requests_done, last_error, first_failed_at_ms) \
             WHERE p.destination = $1 AND p.lane = t.lane AND p.seq = t.seq AND p.idx = t.idx AND p.output = t.output",
        )
        .bind(destination)
        .bind_outputs(rows, |row| (row.position, row.output))
        .bind(column(rows, |row| row.attempt as i32))
        .bind(column(rows, |row| row.next_at_ms))
        .bind(column(rows, |row| row.requests_done as i32))
        .bind(column(rows, |row| without_nul(&row.last_error)))
        .bind(column(rows, |row| row.first_failed_at_ms))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Removes those that have met their end.
pub(crate) async fn delete(
    connection: &mut PgConnection,
    destination: &str,
    rows: &[(Position, u32)],
) -> Result<(), Error> {
    for range in statements(rows, size_of_val) {
        sqlx::query(
            "DELETE FROM parked p USING unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[]) \
             gone(lane, seq, idx, output) WHERE p.destination = $1 AND p.lane = gone.lane AND p.seq = gone.seq \
             AND p.idx = gone.idx AND p.output = gone.output",
        )
        .bind(destination)
        .bind_outputs(&rows[range], |row| *row)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn bytes(row: &Parked) -> usize {
    row.payload.len() + row.last_error.len() + row.message_id.len() + row.event_type.len()
}
