//! Many rows in one statement: each column travels as one array, and `unnest` makes rows of them again.

use pintle_events::Position;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Postgres, Row, query::Query};
use std::ops::Range;

/// Rows that one statement writes, at most.
const STATEMENT_ROWS_MAX: usize = 1_000;

/// Bytes of the rows that one statement writes, at most, unless one row alone has more. Postgres takes no
/// message of a gigabyte.
const STATEMENT_BYTES_MAX: usize = 16 << 20;

/// Cuts rows into statements that keep both limits.
pub(crate) fn statements<T>(rows: &[T], bytes: impl Fn(&T) -> usize) -> Vec<Range<usize>> {
    let (mut ranges, mut start, mut size) = (Vec::new(), 0, 0);
    for (at, row) in rows.iter().enumerate() {
        let own = bytes(row);
        if at > start && (at - start == STATEMENT_ROWS_MAX || size + own > STATEMENT_BYTES_MAX) {
            ranges.push(start..at);
            (start, size) = (at, 0);
        }
        size += own;
    }
    if start < rows.len() {
        ranges.push(start..rows.len());
    }
    ranges
}

/// One column of the rows.
pub(crate) fn column<'a, T, C>(rows: &'a [T], of: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(of).collect()
}

/// The columns that name an output: lane, seq, idx and output.
pub(crate) trait BindOutputs {
    /// Binds them as the next four parameters: two `bigint[]`, two `int[]`.
    fn bind_outputs<T>(self, rows: &[T], of: impl Fn(&T) -> (Position, u32)) -> Self;
}

impl BindOutputs for Query<'_, Postgres, PgArguments> {
    fn bind_outputs<T>(self, rows: &[T], of: impl Fn(&T) -> (Position, u32)) -> Self {
        self.bind(column(rows, |row| of(row).0.lane))
            .bind(column(rows, |row| of(row).0.seq))
            .bind(column(rows, |row| of(row).0.idx as i32))
            .bind(column(rows, |row| of(row).1 as i32))
    }
}

/// Reads an output's name back: four columns from `at` on, in the order of [`BindOutputs`].
pub(crate) fn read_output(row: &PgRow, at: usize) -> (Position, u32) {
    let position = Position { lane: row.get(at), seq: row.get(at + 1), idx: row.get::<i32, _>(at + 2) as u32 };
    (position, row.get::<i32, _>(at + 3) as u32)
}

/// Postgres text holds no NUL character.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_hold_every_row_once_and_keep_their_limits() {
        assert_eq!(statements(&[1_usize; 0], |bytes| *bytes), []);
        assert_eq!(statements(&[1_usize; 2_500], |bytes| *bytes), [0..1_000, 1_000..2_000, 2_000..2_500]);
        let large = STATEMENT_BYTES_MAX / 2;
        assert_eq!(statements(&[large, large, 1, large], |bytes| *bytes), [0..2, 2..4]);
        assert_eq!(statements(&[1, 3 * large, 1], |bytes| *bytes), [0..1, 1..2, 2..3], "too large even alone");
    }
}
