//! A tracker from what is stored of its destination.

use super::books::{Books, Class};
use super::flush::Dirty;
use super::marks::LaneMarks;
use super::tracker::{Restored, Tracker, Waiting};
use crate::ledger::Group;
use crate::ledger::tally::{Column, Counts, Tally};
use crate::{Error, Store};
use pintle_events::Position;
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) async fn tracker(store: &Store, destination: &str, dirty: Arc<Dirty>) -> Result<Tracker, Error> {
    let (totals, unfolded, folds) = counted(store, destination).await?;
    let restored = Restored {
        totals,
        unfolded,
        folds,
        lanes: lanes(store, destination).await?,
        parked: parked(store, destination).await?,
        ends: ends(store, destination).await?,
    };
    let Books { delivered, filtered, dead, parked } = Books::of(&totals);
    tracing::info!(destination, delivered, filtered, dead, parked, "destination goes on from its books");
    let config = store.config();
    let window = config.cursor_window_events.get().min(8_192);
    Ok(Tracker::new(destination.into(), window, config.ledger_fold_interval, restored, dirty))
}

async fn counted(store: &Store, destination: &str) -> Result<(Counts, Tally, i64), Error> {
    let row = sqlx::query("SELECT delivered, filtered, dead, parked, unfolded, folds FROM destinations WHERE id = $1")
        .bind(destination)
        .fetch_optional(store.pool())
        .await?;
    let Some(row) = row else { return Ok((Counts::default(), Tally::default(), 0)) };
    let unfolded = read(destination, row.get(4))?;
    let mut totals = unfolded.totals();
    let columns = [Column::Delivered, Column::Filtered, Column::Dead, Column::Parked];
    for (at, column) in columns.into_iter().enumerate() {
        totals.0[column as usize] += row.get::<i64, _>(at);
    }
    Ok((totals, unfolded, row.get(5)))
}

/// What a destination's row says is not folded.
pub(crate) fn read(destination: &str, unfolded: &[u8]) -> Result<Tally, Error> {
    Tally::decode(unfolded).ok_or_else(|| Error::Unreadable { destination: destination.to_owned() })
}

async fn lanes(store: &Store, destination: &str) -> Result<BTreeMap<i64, LaneMarks>, Error> {
    let mut lanes = BTreeMap::new();
    for row in sqlx::query("SELECT lane, seq, idx, bitmap FROM cursors WHERE destination = $1")
        .bind(destination)
        .fetch_all(store.pool())
        .await?
    {
        let bitmap: Vec<u8> = row.get(3);
        lanes.insert(row.get(0), LaneMarks::restore(row.get(1), row.get::<i32, _>(2) as u32, &bitmap));
    }
    Ok(lanes)
}

/// The last chunk of each lane that it reads, of a reader with an end.
async fn ends(store: &Store, destination: &str) -> Result<Option<BTreeMap<i64, i64>>, Error> {
    let bounded: Option<bool> = sqlx::query_scalar("SELECT bounded FROM destinations WHERE id = $1")
        .bind(destination)
        .fetch_optional(store.pool())
        .await?;
    if bounded != Some(true) {
        return Ok(None);
    }
    let rows = sqlx::query_as("SELECT lane, last_seq FROM reader_ends WHERE reader = $1")
        .bind(destination)
        .fetch_all(store.pool())
        .await?;
    Ok(Some(rows.into_iter().collect()))
}

async fn parked(store: &Store, destination: &str) -> Result<HashMap<Position, Waiting>, Error> {
    let mut parked: HashMap<Position, Waiting> = HashMap::new();
    for row in sqlx::query(
        "SELECT p.lane, p.seq, p.idx, EXISTS (SELECT 1 FROM dead_letters d WHERE d.destination = p.destination \
         AND d.lane = p.lane AND d.seq = p.seq AND d.idx = p.idx), p.source, p.hour \
         FROM parked p WHERE p.destination = $1",
    )
    .bind(destination)
    .fetch_all(store.pool())
    .await?
    {
        let position = Position { lane: row.get(0), seq: row.get(1), idx: row.get::<i32, _>(2) as u32 };
        let others = if row.get(3) { Class::Dead } else { Class::Filtered };
        let group = row.get::<Option<i32>, _>(5).map(|hour| Group { source: row.get::<&str, _>(4).into(), hour });
        parked.entry(position).or_insert(Waiting { left: 0, others, group }).left += 1;
    }
    Ok(parked)
}
