//! What is decided once per event, ahead of all destinations: which events are copies of earlier ones.
//!
//! ```text
//!  lane ── committed, acknowledged ──▶ Entrance ──▶ Front ─┬─ no id was there before ────────────▶ tail ──▶ readers
//!                                                          └─ some were: are they the same ids? ──┘
//!                                                                 └▶ rows in `duplicates`, first
//! ```
//! A client that hears anything but 200 sends again, and the first copy may be in the log all the same. Ids are
//! compared by 64 bits, of which chunks carry a list; where two agree, the events are looked at. A copy becomes a
//! row before any reader may pass it: so one that reads it later from the table obeys the same decision.
//! No acknowledgement waits for any of this.
//!
//! After a start the window is read from the lists of the last chunks, and what a crash has left undecided is
//! decided then.

mod past;
mod window;

use super::Inner;
use super::chunk::Chunk;
use super::reader::read_chunks;
use crate::{Error, Store, metrics};
use pintle_events::Position;
use pintle_events::times::now_ms;
use sqlx::Row;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use window::Window;

/// Between two tries of something that the database did not do.
const PAUSE: Duration = Duration::from_millis(200);
/// How long is tried when the lanes have ended: what is undecided is decided at the next start.
const LAST_TRIES: Duration = Duration::from_secs(5);

/// Where lanes hand their chunks in. Cheap to clone; when the last one is gone, the front ends.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    entered: UnboundedSender<Entered>,
    waiting_bytes: Arc<AtomicU64>,
    waiting_bytes_max: u64,
}

#[derive(Debug)]
struct Entered {
    lane: i64,
    seq: i64,
    /// Absent when too much waits: it is in the table.
    chunk: Option<Chunk>,
    message_ids: Vec<u64>,
}

impl Entrance {
    /// A chunk is committed.
    pub(super) fn enter(&self, chunk: Chunk, message_ids: Vec<u64>) {
        let (lane, seq, bytes) = (chunk.lane, chunk.seq, chunk.bytes() as u64);
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let chunk = if waiting > 0 && waiting + bytes > self.waiting_bytes_max {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            None
        } else {
            Some(chunk)
        };
        // The front ends after the lanes.
        _ = self.entered.send(Entered { lane, seq, chunk, message_ids });
    }
}

/// The front of this process.
#[derive(Debug)]
pub(super) struct Front {
    inner: Arc<Inner>,
    entered: UnboundedReceiver<Entered>,
    waiting_bytes: Arc<AtomicU64>,
    window: Window,
    /// The chunk that was looked at last for a first copy: the next one is often in it too.
    looked_at: Option<Arc<Chunk>>,
    ending: Option<Instant>,
}

/// The front, and where lanes hand in.
pub(super) fn new(inner: Arc<Inner>) -> (Entrance, Front) {
    let (sender, entered) = mpsc::unbounded_channel();
    let waiting_bytes = Arc::new(AtomicU64::new(0));
    let config = inner.store.config();
    let window = Window::new(config.dedup_ids_max.get() as usize, config.dedup_window);
    let waiting_bytes_max = config.tail_bytes_max.get();
    let entrance = Entrance { entered: sender, waiting_bytes: waiting_bytes.clone(), waiting_bytes_max };
    (entrance, Front { inner, entered, waiting_bytes, window, looked_at: None, ending: None })
}

/// The lanes have ended and the database does not answer: the rest is decided at the next start.
struct GivenUp;

impl Front {
    /// Runs until the lanes have ended and everything of them is decided.
    pub(super) async fn run(mut self) {
        if self.recall().await.is_err() {
            return;
        }
        self.inner.tail.set_ready();
        while let Some(entered) = self.entered.recv().await {
            let bytes = entered.chunk.as_ref().map_or(0, Chunk::bytes) as u64;
            let decided = self.decide(entered).await;
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            metrics::dedup_ids(self.window.len(), self.window.take_evicted());
            if decided.is_err() {
                return;
            }
        }
    }

    async fn recall(&mut self) -> Result<(), GivenUp> {
        loop {
            match past::recall(&self.inner, &mut self.window).await {
                Ok(known) => {
                    let copies = self.copies(&known, None).await?;
                    return self.record(&copies).await;
                }
                Err(error) => self.pause("the last message ids could not be read", &error).await?,
            }
        }
    }

    async fn decide(&mut self, entered: Entered) -> Result<(), GivenUp> {
        let Entered { lane, seq, chunk, message_ids } = entered;
        let known = self.window.remember(lane, seq, &message_ids, now_ms());
        let known: Vec<(Position, Position)> =
            known.into_iter().map(|(idx, first)| (Position { lane, seq, idx }, first)).collect();
        let copies = self.copies(&known, chunk.as_ref()).await?;
        self.record(&copies).await?;
        match chunk {
            Some(mut chunk) => {
                chunk.mark(copies.iter().map(|copy| copy.idx).collect());
                self.inner.tail.push(Arc::new(chunk));
            }
            None => self.inner.tail.release(lane, seq),
        }
        Ok(())
    }

    /// Those that are the same message as the event that was there before, in order. `now` is a chunk that no
    /// reader has yet.
    async fn copies(&mut self, known: &[(Position, Position)], now: Option<&Chunk>) -> Result<Vec<Position>, GivenUp> {
        let mut copies = Vec::new();
        for (later, first) in known {
            let mut ids = Vec::with_capacity(2);
            for position in [first, later] {
                let is_now = |chunk: &&Chunk| (chunk.lane, chunk.seq) == (position.lane, position.seq);
                match now.filter(is_now) {
                    Some(chunk) => ids.push(Some(message(chunk, position.idx))),
                    None => ids.push(self.look(position).await?.map(|chunk| message(&chunk, position.idx))),
                }
            }
            // A first copy that is gone was dropped for lack of room: what is left of it is its hash.
            let are_same = matches!(&ids[..], [Some(first), Some(later)] if first == later) || ids[0].is_none();
            if are_same {
                copies.push(*later);
            }
        }
        Ok(copies)
    }

    /// The chunk at a position; none when it is gone.
    async fn look(&mut self, position: &Position) -> Result<Option<Arc<Chunk>>, GivenUp> {
        let (lane, seq) = (position.lane, position.seq);
        if let Some(chunk) = self.looked_at.as_ref().filter(|chunk| (chunk.lane, chunk.seq) == (lane, seq)) {
            return Ok(Some(chunk.clone()));
        }
        if let Some(chunk) = self.inner.tail.get(lane, seq) {
            return Ok(Some(chunk));
        }
        loop {
            match self.read(lane, seq).await {
                Ok(chunk) => {
                    self.looked_at.clone_from(&chunk);
                    return Ok(chunk);
                }
                Err(error) => self.pause("the first copy of an event could not be read", &error).await?,
            }
        }
    }

    async fn read(&self, lane: i64, seq: i64) -> Result<Option<Arc<Chunk>>, Error> {
        for segment in self.inner.segments.holding(lane, seq) {
            let mut connection = self.inner.store.pool().acquire().await?;
            let mut chunks = read_chunks(&mut connection, segment, lane, seq, seq).await?;
            if let Some(chunk) = chunks.pop_front() {
                return Ok(Some(Arc::new(chunk)));
            }
        }
        Ok(None)
    }

    /// Writes the decision down.
    async fn record(&mut self, copies: &[Position]) -> Result<(), GivenUp> {
        if copies.is_empty() {
            return Ok(());
        }
        loop {
            match insert(&self.inner.store, copies).await {
                Ok(written) => {
                    metrics::duplicates(written as usize);
                    return Ok(());
                }
                Err(error) => self.pause("duplicates could not be recorded", &error).await?,
            }
        }
    }

    async fn pause(&mut self, what: &str, error: &Error) -> Result<(), GivenUp> {
        if self.entered.is_closed() && self.ending.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES {
            return Err(GivenUp);
        }
        tracing::warn!(%error, "{what}, trying again");
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// What makes an event the same as another.
fn message(chunk: &Chunk, idx: u32) -> (String, String) {
    let event = chunk.event(idx);
    (event.source_id.to_owned(), event.message_id.to_owned())
}

async fn insert(store: &Store, copies: &[Position]) -> Result<u64, Error> {
    let done = sqlx::query(
        "INSERT INTO duplicates (lane, seq, idx) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) \
         ON CONFLICT DO NOTHING",
    )
    .bind(copies.iter().map(|copy| copy.lane).collect::<Vec<_>>())
    .bind(copies.iter().map(|copy| copy.seq).collect::<Vec<_>>())
    .bind(copies.iter().map(|copy| copy.idx as i32).collect::<Vec<_>>())
    .execute(store.pool())
    .await?;
    Ok(done.rows_affected())
}

/// The recorded copies of some chunks of a lane, by chunk, in order.
pub(super) async fn duplicates(
    store: &Store,
    lane: i64,
    chunks: RangeInclusive<i64>,
) -> Result<BTreeMap<i64, Vec<u32>>, Error> {
    let rows =
        sqlx::query("SELECT seq, idx FROM duplicates WHERE lane = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq, idx")
            .bind(lane)
            .bind(chunks.start())
            .bind(chunks.end())
            .fetch_all(store.pool())
            .await?;
    let mut found: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for row in rows {
        found.entry(row.get(0)).or_default().push(row.get::<i32, _>(1) as u32);
    }
    Ok(found)
}
