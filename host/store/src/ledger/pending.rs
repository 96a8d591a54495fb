//! What the log holds, and how much of it lies behind cursors: from the headers of chunks, and what is written of
//! sealed segments.

use super::Filter;
use super::snapshot::Sums;
use super::tally::Group;
use crate::Error;
use crate::log::{Chunk, Groups, read_chunks, segment_table};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where a destination stands in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) seq: i64,
    pub(super) idx: u32,
    pub(super) bitmap: Vec<u8>,
}

/// Where a reader stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// In each lane; of those that are not named at the beginning.
    pub(super) cursors: BTreeMap<i64, Cursor>,
    /// Of one with an end: the last chunk of each lane that it reads, none of lanes that are not named.
    pub(super) ends: Option<BTreeMap<i64, i64>>,
}

impl Place {
    fn cursor(&self, lane: i64) -> &Cursor {
        self.cursors.get(&lane).unwrap_or(&START)
    }

    /// The chunk behind the last one that it reads; nothing of one without an end.
    fn beyond(&self, lane: i64) -> Option<i64> {
        self.ends.as_ref().map(|ends| ends.get(&lane).map_or(1, |last| last + 1))
    }
}

/// Where a destination begins that was in a lane never yet.
static START: Cursor = Cursor { seq: 1, idx: 0, bitmap: Vec::new() };

/// A run of chunks of one lane, and what it holds.
#[derive(Debug)]
struct Block {
    segment: i64,
    first: i64,
    last: i64,
    counts: Vec<(Group, i64)>,
    /// Its last chunks one by one, where a cursor stands among them.
    chunks: Vec<Block>,
}

/// What the log holds, by lane, in order.
#[derive(Debug)]
pub(super) struct Blocks<'a> {
    filter: &'a Filter,
    lanes: BTreeMap<i64, Vec<Block>>,
    /// Chunks that were opened because only a part of them is settled.
    opened: HashMap<(i64, i64), Option<Arc<Groups>>>,
}

impl<'a> Blocks<'a> {
    /// Reads what is needed for these places.
    pub(super) async fn read(
        tx: &mut PgConnection,
        filter: &'a Filter,
        places: &BTreeMap<String, Place>,
    ) -> Result<Blocks<'a>, Error> {
        let mut lanes: BTreeMap<i64, Vec<Block>> = BTreeMap::new();
        let segments: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT id, EXISTS (SELECT 1 FROM segment_lanes l WHERE l.segment = id) FROM segments ORDER BY id",
        )
        .fetch_all(&mut *tx)
        .await?;
        for (segment, is_described) in segments {
            let blocks = if is_described {
                let mut blocks = described(tx, filter, segment).await?;
                for (lane, block) in &mut blocks {
                    if let Some(first) = block.first_place_inside(*lane, places) {
                        let chunks = headers(tx, filter, segment, &[(*lane, first, block.last)]).await?;
                        block.chunks = chunks.into_iter().map(|(_, chunk)| chunk).collect();
                    }
                }
                blocks
            } else {
                let ranges = ranges(tx, segment).await?;
                headers(tx, filter, segment, &ranges).await?
            };
            for (lane, block) in blocks {
                lanes.entry(lane).or_default().push(block);
            }
        }
        Ok(Blocks { filter, lanes, opened: HashMap::new() })
    }

    /// Adds everything the log holds.
    pub(super) fn add_to(&self, sums: &mut Sums) {
        self.lanes.values().flatten().for_each(|block| block.add_to(1, sums));
    }

    /// What lies behind the cursors, up to the end if there is one, and is not settled.
    pub(super) async fn behind(&mut self, tx: &mut PgConnection, place: &Place) -> Result<Sums, Error> {
        let mut sums = Sums::new();
        let lanes: Vec<i64> = self.lanes.keys().copied().collect();
        for lane in lanes {
            let (cursor, beyond) = (place.cursor(lane), place.beyond(lane));
            if beyond.is_some_and(|beyond| cursor.seq >= beyond) {
                continue;
            }
            for block in &self.lanes[&lane] {
                block.add_from(cursor.seq, 1, &mut sums);
                if let Some(beyond) = beyond {
                    block.add_from(beyond, -1, &mut sums);
                }
            }
            self.take_settled(tx, lane, cursor, &mut sums).await?;
        }
        sums.retain(|_, events| *events != 0);
        Ok(sums)
    }

    /// Takes out what of the cursor's chunk, and of those behind it, is settled.
    async fn take_settled(
        &mut self,
        tx: &mut PgConnection,
        lane: i64,
        cursor: &Cursor,
        sums: &mut Sums,
    ) -> Result<(), Error> {
        let mut settled = vec![true; cursor.idx as usize];
        settled.extend(cursor.bitmap.iter().flat_map(|byte| (0..8).map(move |bit| byte & (1 << bit) != 0)));
        let mut settled = settled.as_slice();
        let mut seq = cursor.seq;
        while !settled.is_empty() {
            // What is behind the last chunk is void: the chunks that the bits spoke of are gone.
            let Some(groups) = self.groups(tx, lane, seq).await? else { return Ok(()) };
            let (chunk, rest) = settled.split_at(settled.len().min(groups.events() as usize));
            for (idx, _) in chunk.iter().enumerate().filter(|(_, is_settled)| **is_settled) {
                if let Some(group) = groups.of(idx as u32).filter(|group| self.filter.has(group)) {
                    *sums.entry(group.clone()).or_default() -= 1;
                }
            }
            settled = rest;
            seq += 1;
        }
        Ok(())
    }

    async fn groups(&mut self, tx: &mut PgConnection, lane: i64, seq: i64) -> Result<Option<Arc<Groups>>, Error> {
        if let Some(groups) = self.opened.get(&(lane, seq)) {
            return Ok(groups.clone());
        }
        let blocks = self.lanes.get(&lane).map(Vec::as_slice).unwrap_or_default();
        let segment = blocks.iter().find(|block| block.first <= seq && seq <= block.last).map(|block| block.segment);
        let groups = match segment {
            Some(segment) => {
                let chunk = read_chunks(tx, segment, lane, seq, seq).await?.pop_front();
                // Of a table that was dropped meanwhile there is nothing to read either; then this is refused.
                sqlx::query("SELECT 1").execute(&mut *tx).await?;
                chunk.map(|chunk| chunk.groups().clone())
            }
            None => None,
        };
        self.opened.insert((lane, seq), groups.clone());
        Ok(groups)
    }
}

impl Block {
    /// The first chunk of it but the very first at which somebody stands or ends.
    fn first_place_inside(&self, lane: i64, places: &BTreeMap<String, Place>) -> Option<i64> {
        let seqs = places.values().flat_map(|place| [Some(place.cursor(lane).seq), place.beyond(lane)]).flatten();
        seqs.filter(|seq| self.first < *seq && *seq <= self.last).min()
    }

    /// Adds what it holds so many times.
    fn add_to(&self, times: i64, sums: &mut Sums) {
        for (group, events) in &self.counts {
            match sums.get_mut(group) {
                Some(sum) => *sum += times * events,
                None => _ = sums.insert(group.clone(), times * events),
            }
        }
    }

    /// Adds what it holds from a chunk on so many times.
    fn add_from(&self, seq: i64, times: i64, sums: &mut Sums) {
        if seq <= self.first {
            self.add_to(times, sums);
        } else {
            self.chunks.iter().filter(|chunk| chunk.first >= seq).for_each(|chunk| chunk.add_to(times, sums));
        }
    }
}

/// What is written of a sealed segment.
async fn described(tx: &mut PgConnection, filter: &Filter, segment: i64) -> Result<Vec<(i64, Block)>, Error> {
    let rows = sqlx::query("SELECT lane, first_seq, last_seq FROM segment_lanes WHERE segment = $1")
        .bind(segment)
        .fetch_all(&mut *tx)
        .await?;
    let block = |row: &sqlx::postgres::PgRow| Block {
        segment,
        first: row.get(1),
        last: row.get(2),
        counts: Vec::new(),
        chunks: Vec::new(),
    };
    let mut blocks: BTreeMap<i64, Block> = rows.iter().map(|row| (row.get(0), block(row))).collect();
    let rows = sqlx::query("SELECT lane, source, hour, events FROM segment_accepted WHERE segment = $1")
        .bind(segment)
        .fetch_all(tx)
        .await?;
    for row in rows {
        let group = Group { source: row.get::<&str, _>(1).into(), hour: row.get(2) };
        if let Some(block) = blocks.get_mut(&row.get::<i64, _>(0)).filter(|_| filter.has(&group)) {
            block.counts.push((group, row.get(3)));
        }
    }
    Ok(blocks.into_iter().collect())
}

/// The chunks that a segment has of each lane.
async fn ranges(tx: &mut PgConnection, segment: i64) -> Result<Vec<(i64, i64, i64)>, Error> {
    let table = segment_table(segment);
    Ok(sqlx::query_as(AssertSqlSafe(format!(
        "SELECT l.id, b.first, b.last FROM lanes l, \
         LATERAL (SELECT min(seq) AS first, max(seq) AS last FROM {table} WHERE lane = l.id) b \
         WHERE b.first IS NOT NULL ORDER BY l.id"
    )))
    .fetch_all(tx)
    .await?)
}

/// What the headers of chunks say, chunk by chunk.
async fn headers(
    tx: &mut PgConnection,
    filter: &Filter,
    segment: i64,
    ranges: &[(i64, i64, i64)],
) -> Result<Vec<(i64, Block)>, Error> {
    let mut blocks = Vec::new();
    for (lane, seq, counts) in counts(tx, segment, ranges).await? {
        let counts = counts.into_iter().filter(|(group, _)| filter.has(group));
        let counts = counts.map(|(group, events)| (group, i64::from(events))).collect();
        blocks.push((lane, Block { segment, first: seq, last: seq, counts, chunks: Vec::new() }));
    }
    Ok(blocks)
}

/// What a chunk says of itself, with its lane and number.
type Header = (i64, i64, Vec<(Group, u32)>);

/// What the chunks of some lanes, from and up to these numbers, say in their headers, in order.
async fn counts(tx: &mut PgConnection, segment: i64, ranges: &[(i64, i64, i64)]) -> Result<Vec<Header>, Error> {
    // As in `front/past.rs`: the limit keeps the planner from reading the table as a whole.
    let statement = format!(
        "SELECT r.lane, s.seq, c.head FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) r(lane, first, last), \
         LATERAL generate_series(r.first, r.last) s(seq), \
         LATERAL (SELECT substring(data FOR {head}) AS head \
           FROM {table} WHERE lane = r.lane AND seq = s.seq AND piece = 1 LIMIT 1) c ORDER BY r.lane, s.seq",
        head = Chunk::SLOTS_AT,
        table = segment_table(segment)
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(ranges.iter().map(|(lane, ..)| *lane).collect::<Vec<_>>())
        .bind(ranges.iter().map(|(_, first, _)| *first).collect::<Vec<_>>())
        .bind(ranges.iter().map(|(.., last)| *last).collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
    let mut headers = Vec::with_capacity(rows.len());
    for row in rows {
        let (lane, seq): (i64, i64) = (row.get(0), row.get(1));
        let mut head: Vec<u8> = row.get(2);
        let damaged = || Error::Damaged { lane, seq, why: "its header does not say what it holds".to_owned() };
        let length = Chunk::counts_length(&head).ok_or_else(damaged)?;
        if head.len() < length {
            head = pieces(tx, segment, lane, seq, length).await?;
        }
        headers.push((lane, seq, Chunk::counts(&head).ok_or_else(damaged)?));
    }
    Ok(headers)
}

/// As many pieces of a chunk as have so many bytes.
async fn pieces(tx: &mut PgConnection, segment: i64, lane: i64, seq: i64, bytes: usize) -> Result<Vec<u8>, Error> {
    let table = segment_table(segment);
    let statement = format!("SELECT data FROM {table} WHERE lane = $1 AND seq = $2 AND piece <= $3 ORDER BY piece");
    let pieces: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(lane)
        .bind(seq)
        .bind(bytes.div_ceil(Chunk::PIECE_BYTES) as i32)
        .fetch_all(tx)
        .await?;
    Ok(pieces.concat())
}

/// What each lane has accepted in a segment, as its chunks say.
pub(crate) async fn accepted(
    tx: &mut PgConnection,
    segment: i64,
    ranges: &[(i64, i64, i64)],
) -> Result<BTreeMap<(i64, Group), i64>, Error> {
    let mut sums = BTreeMap::new();
    for (lane, _, counts) in counts(tx, segment, ranges).await? {
        for (group, events) in counts {
            *sums.entry((lane, group)).or_default() += i64::from(events);
        }
    }
    Ok(sums)
}
