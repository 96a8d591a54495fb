//! What readers that write objects are about to write.
//!
//! ```text
//!   gather a range ──▶ store the plan ──▶ upload its objects ──▶ uploaded ──▶ settle, cursor ──▶ the next range
//!                          │   ▲               │
//!                          └───┴─── crash ◀────┘    the same range again, the same names
//! ```

use crate::settle::Settlement;
use crate::{Error, fail_point};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// A range of the log and the objects that it becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The catalog by which it was made last.
    pub revision: i64,
    /// The time that transformations are told, milliseconds since 1970.
    pub now_ms: i64,
    /// Drawn once for the plan.
    pub seed: u64,
    /// Of each lane, the first and the last chunk.
    pub range: BTreeMap<i64, (i64, i64)>,
    /// Everything that any try may have written: bucket and name.
    pub objects: BTreeSet<(String, String)>,
    /// Whether all of it is there.
    pub uploaded: bool,
}

impl Plan {
    /// Whether a reader that reads these chunks next is beyond all of it.
    #[must_use]
    pub fn is_passed(&self, next: &BTreeMap<i64, i64>) -> bool {
        self.range.iter().all(|(lane, (_, last))| next.get(lane).copied().unwrap_or(1) > *last)
    }
}

impl Settlement {
    /// The plan that a reader stored last, if it ever did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn plan(&self, reader: &str) -> Result<Option<Plan>, Error> {
        let (store, _) = self.owned();
        let row = sqlx::query(
            "SELECT revision, now_ms, seed, lanes, first_seqs, last_seqs, buckets, names, uploaded FROM plans \
             WHERE reader = $1",
        )
        .bind(reader)
        .fetch_optional(store.pool())
        .await?;
        Ok(row.map(|row| {
            let numbers = |at: usize| row.get::<Vec<i64>, _>(at).into_iter();
            let ends = numbers(4).zip(numbers(5));
            let texts = |at: usize| row.get::<Vec<String>, _>(at).into_iter();
            Plan {
                revision: row.get(0),
                now_ms: row.get(1),
                seed: row.get::<i64, _>(2) as u64,
                range: numbers(3).zip(ends).collect(),
                objects: texts(6).zip(texts(7)).collect(),
                uploaded: row.get(8),
            }
        }))
    }

    /// Stores a plan in the place of the reader's last one, whose range has to be behind its stored cursor.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another process owns the cursors now; otherwise when the database does not answer.
    pub async fn store_plan(&self, reader: &str, plan: &Plan) -> Result<(), Error> {
        let (store, lease) = self.owned();
        let lanes: Vec<i64> = plan.range.keys().copied().collect();
        let (firsts, lasts): (Vec<i64>, Vec<i64>) = plan.range.values().copied().unzip();
        let (buckets, names): (Vec<String>, Vec<String>) = plan.objects.iter().cloned().unzip();
        let owned: i64 = sqlx::query_scalar(
            "WITH lease AS MATERIALIZED (SELECT 1 FROM leases WHERE slot_group = 0 AND epoch = $1 FOR SHARE), \
             stored AS (INSERT INTO plans (reader, revision, now_ms, seed, lanes, first_seqs, last_seqs, buckets, \
                 names, uploaded) SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM lease \
               ON CONFLICT (reader) DO UPDATE SET revision = excluded.revision, now_ms = excluded.now_ms, \
                 seed = excluded.seed, lanes = excluded.lanes, first_seqs = excluded.first_seqs, \
                 last_seqs = excluded.last_seqs, buckets = excluded.buckets, names = excluded.names, \
                 uploaded = excluded.uploaded) \
             SELECT count(*) FROM lease",
        )
        .bind(lease.epoch)
        .bind(reader)
        .bind(plan.revision)
        .bind(plan.now_ms)
        .bind(plan.seed as i64)
        .bind(&lanes)
        .bind(&firsts)
        .bind(&lasts)
        .bind(&buckets)
        .bind(&names)
        .bind(plan.uploaded)
        .fetch_one(store.pool())
        .await?;
        if owned == 0 {
            return Err(Error::Fenced);
        }
        fail_point::pass("objects:after-plan");
        Ok(())
    }

    /// Says that all objects of a reader's plan are there.
    ///
    /// # Errors
    /// As [`Settlement::store_plan`].
    pub async fn plan_uploaded(&self, reader: &str) -> Result<(), Error> {
        let (store, lease) = self.owned();
        let owned: i64 = sqlx::query_scalar(
            "WITH lease AS MATERIALIZED (SELECT 1 FROM leases WHERE slot_group = 0 AND epoch = $1 FOR SHARE), \
             marked AS (UPDATE plans SET uploaded = true FROM lease WHERE reader = $2) SELECT count(*) FROM lease",
        )
        .bind(lease.epoch)
        .bind(reader)
        .fetch_one(store.pool())
        .await?;
        if owned == 0 { Err(Error::Fenced) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_passed_when_every_lane_is() {
        let plan = Plan { range: BTreeMap::from([(1, (3, 9)), (2, (1, 4))]), ..Plan::default() };
        assert!(plan.is_passed(&BTreeMap::from([(1, 10), (2, 5)])));
        assert!(!plan.is_passed(&BTreeMap::from([(1, 10), (2, 4)])));
        assert!(!plan.is_passed(&BTreeMap::from([(1, 10)])), "a lane without a cursor is unread");
    }
}
