//! Segments: the tables that chunks are stored in, one open and the next one ready.

use crate::{Error, Store, ledger};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The table of a segment.
pub(crate) fn table(segment: i64) -> String {
    format!("chunks_{segment}")
}

/// Milliseconds since 1970.
pub(super) fn ms(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Bytes that a stored piece takes: a heap page, and its part of the index and the segment's row.
pub(super) const PIECE_COST: u64 = 8_192 + 48;

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) id: i64,
    pub(super) created: SystemTime,
    pub(super) sealed: Option<SystemTime>,
    pub(super) bytes: u64,
    /// First and last chunk per lane; of the open segment only what was there at the start.
    pub(super) lanes: BTreeMap<i64, (i64, i64)>,
}

/// The segments of the log, oldest first. The last one that is not sealed takes the writes.
#[derive(Debug)]
pub(super) struct Segments {
    list: RwLock<Vec<Segment>>,
    events_before_start: u64,
}

impl Segments {
    pub(super) async fn open(store: &Store) -> Result<Segments, Error> {
        let mut list = Vec::new();
        for row in sqlx::query(
            "SELECT id, extract(epoch FROM created_at)::float8, extract(epoch FROM sealed_at)::float8, bytes \
             FROM segments ORDER BY id",
        )
        .fetch_all(store.pool())
        .await?
        {
            list.push(Segment {
                id: row.get(0),
                created: at(row.get(1)),
                sealed: row.get::<Option<f64>, _>(2).map(at),
                bytes: row.get::<i64, _>(3) as u64,
                lanes: BTreeMap::new(),
            });
        }
        let mut events: i64 = sqlx::query_scalar(
            "SELECT coalesce((SELECT sum(dropped_events) FROM lanes), 0)::bigint \
             + coalesce((SELECT sum(events) FROM segment_lanes), 0)::bigint",
        )
        .fetch_one(store.pool())
        .await?;
        for row in
            sqlx::query("SELECT segment, lane, first_seq, last_seq FROM segment_lanes").fetch_all(store.pool()).await?
        {
            let id: i64 = row.get(0);
            if let Some(segment) = list.iter_mut().find(|segment| segment.id == id) {
                segment.lanes.insert(row.get(1), (row.get(2), row.get(3)));
            }
        }
        // A crash came between sealing it and writing down what it holds.
        let untold = list.iter_mut().filter(|segment| segment.sealed.is_some() && segment.lanes.is_empty());
        for segment in untold {
            for (lane, first, last, count, _) in describe(store, segment.id).await? {
                segment.lanes.insert(lane, (first, last));
                events += count;
            }
        }
        for segment in list.iter_mut().filter(|segment| segment.sealed.is_none()) {
            for (lane, first, last, count, pieces) in contents(store, segment.id).await? {
                segment.lanes.insert(lane, (first, last));
                segment.bytes += pieces as u64 * PIECE_COST;
                events += count;
            }
        }
        let segments = Segments { list: RwLock::new(list), events_before_start: events as u64 };
        if segments.open_id().is_none() {
            segments.create(store).await?;
        }
        Ok(segments)
    }

    /// The segment that takes writes.
    pub(super) fn open_id(&self) -> Option<i64> {
        self.read().iter().find(|segment| segment.sealed.is_none()).map(|segment| segment.id)
    }

    pub(super) fn snapshot(&self) -> Vec<Segment> {
        self.read().clone()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.read().iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn events_before_start(&self) -> u64 {
        self.events_before_start
    }

    /// The segments that may hold a lane's chunks from `seq` on, oldest first.
    pub(super) fn holding(&self, lane: i64, seq: i64) -> Vec<i64> {
        self.read()
            .iter()
            .filter(|segment| {
                segment.sealed.is_none() || segment.lanes.get(&lane).is_some_and(|(_, last)| *last >= seq)
            })
            .map(|segment| segment.id)
            .collect()
    }

    /// A chunk was stored in the open segment: its size and age now.
    pub(super) fn grew(&self, id: i64, bytes: u64) {
        if let Some(segment) = self.write().iter_mut().find(|segment| segment.id == id) {
            if segment.bytes == 0 {
                segment.created = SystemTime::now();
            }
            segment.bytes += bytes;
        }
    }

    /// Whether the open segment is due to be sealed, or when it will be.
    pub(super) fn due(&self, bytes_max: u64, age_max: Duration) -> Due {
        let list = self.read();
        let Some(open) = list.iter().find(|segment| segment.sealed.is_none()) else { return Due::Never };
        if open.bytes == 0 {
            return Due::Never;
        }
        let left = age_max.saturating_sub(open.created.elapsed().unwrap_or_default());
        if open.bytes >= bytes_max || left.is_zero() { Due::Now } else { Due::In(left) }
    }

    /// Makes the next segment, so that writers have somewhere to go when the open one is sealed.
    pub(super) async fn create(&self, store: &Store) -> Result<i64, Error> {
        let mut tx = store.pool().begin().await?;
        let id: i64 =
            sqlx::query_scalar("INSERT INTO segments DEFAULT VALUES RETURNING id").fetch_one(&mut *tx).await?;
        let table = table(id);
        // EXTERNAL and the high target keep a piece inline in its heap page. autovacuum has nothing to do
        // in a table that is only ever appended to and dropped.
        for statement in [
            format!(
                "CREATE TABLE {table} (lane bigint NOT NULL, seq bigint NOT NULL, piece integer NOT NULL, \
                 ord bigint NOT NULL, events integer NOT NULL, data bytea NOT NULL, PRIMARY KEY (lane, seq, piece)) \
                 WITH (toast_tuple_target = 8160, autovacuum_enabled = off)"
            ),
            format!("ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL"),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        self.write().push(Segment { id, created: SystemTime::now(), sealed: None, bytes: 0, lanes: BTreeMap::new() });
        Ok(id)
    }

    /// Seals the open segment. Returns once nothing can land in it any more.
    pub(super) async fn seal(&self, store: &Store) -> Result<(), Error> {
        let Some(id) = self.open_id() else { return Ok(()) };
        if !self.read().iter().any(|segment| segment.id > id) {
            self.create(store).await?;
        }
        let bytes = self.read().iter().find(|s| s.id == id).map_or(0, |segment| segment.bytes);
        // Waits for the writers that hold the row FOR SHARE; those that come later find it sealed.
        sqlx::query("UPDATE segments SET sealed_at = now(), bytes = $2 WHERE id = $1 AND sealed_at IS NULL")
            .bind(id)
            .bind(bytes as i64)
            .execute(store.pool())
            .await?;
        let contents = describe(store, id).await?;
        if let Some(segment) = self.write().iter_mut().find(|segment| segment.id == id) {
            segment.lanes = contents.into_iter().map(|(lane, first, last, ..)| (lane, (first, last))).collect();
            segment.sealed = Some(SystemTime::now());
        }
        Ok(())
    }

    /// Drops a sealed segment. The lanes remember what was in it.
    pub(super) async fn drop(&self, store: &Store, id: i64) -> Result<u64, Error> {
        let mut tx = store.pool().begin().await?;
        let there: Option<i64> = sqlx::query_scalar("SELECT id FROM segments WHERE id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
        if there.is_none() {
            // Dropped before, by a commit of which nobody heard.
            return Ok(self.forget(id));
        }
        // A reader that is in the table now finishes first; if it takes long, the next round tries again.
        sqlx::query("SET LOCAL lock_timeout = '500ms'").execute(&mut *tx).await?;
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {}", table(id)))).execute(&mut *tx).await?;
        note_dropped(&mut tx, id).await?;
        sqlx::query(
            "DELETE FROM duplicates d USING segment_lanes s \
             WHERE s.segment = $1 AND d.lane = s.lane AND d.seq BETWEEN s.first_seq AND s.last_seq",
        )
        .bind(id)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM segments WHERE id = $1").bind(id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(self.forget(id))
    }

    /// A segment is gone; says how large it was.
    fn forget(&self, id: i64) -> u64 {
        let mut list = self.write();
        let bytes = list.iter().find(|segment| segment.id == id).map_or(0, |segment| segment.bytes);
        list.retain(|segment| segment.id != id);
        bytes
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Segment>> {
        self.list.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the open segment is to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    In(Duration),
    /// It is empty.
    Never,
}

async fn note_dropped(connection: &mut PgConnection, id: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE lanes l SET dropped_seq = greatest(l.dropped_seq, s.last_seq), \
         dropped_events = l.dropped_events + s.events FROM segment_lanes s WHERE s.segment = $1 AND s.lane = l.id",
    )
    .bind(id)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO ledger_accepted AS old (source, hour, events) \
         SELECT source, hour, sum(events)::bigint FROM segment_accepted WHERE segment = $1 GROUP BY source, hour \
         ON CONFLICT (source, hour) DO UPDATE SET events = old.events + excluded.events",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down what a sealed segment holds: for starts, and for the books, which need not look into it any more.
async fn describe(store: &Store, id: i64) -> Result<Vec<(i64, i64, i64, i64, i64)>, Error> {
    let contents = contents(store, id).await?;
    let ranges: Vec<_> = contents.iter().map(|(lane, first, last, ..)| (*lane, *first, *last)).collect();
    let mut tx = store.pool().begin().await?;
    let accepted = ledger::accepted(&mut tx, id, &ranges).await?;
    for (lane, first, last, events, _) in &contents {
        sqlx::query(
            "INSERT INTO segment_lanes (segment, lane, first_seq, last_seq, events) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(lane)
        .bind(first)
        .bind(last)
        .bind(events)
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "INSERT INTO segment_accepted (segment, lane, source, hour, events) \
         SELECT $1, n.* FROM unnest($2::bigint[], $3::text[], $4::int[], $5::bigint[]) n ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(accepted.keys().map(|(lane, _)| *lane).collect::<Vec<_>>())
    .bind(accepted.keys().map(|(_, group)| &*group.source).collect::<Vec<&str>>())
    .bind(accepted.keys().map(|(_, group)| group.hour).collect::<Vec<_>>())
    .bind(accepted.values().copied().collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(contents)
}

/// Per lane: first and last chunk, events, pieces.
async fn contents(store: &Store, segment: i64) -> Result<Vec<(i64, i64, i64, i64, i64)>, Error> {
    Ok(sqlx::query_as(AssertSqlSafe(format!(
        "SELECT lane, min(seq), max(seq), coalesce(sum(events), 0)::bigint, count(*) FROM {} GROUP BY lane",
        table(segment)
    )))
    .fetch_all(store.pool())
    .await?)
}

fn at(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.max(0.0))
}
