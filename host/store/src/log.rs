//! The event log.
//!
//! ```text
//!   append ─▶ lane 0 ─┐ one INSERT per commit        ┌─▶ Reader of destination A
//!   append ─▶ lane 1 ─┴─▶ chunks_7 (open segment) ───┼─▶ Reader of destination B
//!                         chunks_6, chunks_5 (sealed)└─▶ …
//! ```
//!
//! A *lane* is the stream of one writer connection of one process; an ordering key always goes to the same
//! lane of a process, and nobody else ever writes it, so its chunks are numbered from a counter in memory.
//! Whatever arrives while a commit is in flight becomes the next [`chunk`]. Chunks are stored in
//! *segments*, plain tables that are dropped whole when every cursor has passed them. After its commit a
//! chunk passes the [`front`], which finds duplicates, and is handed to readers in memory ([`tail`]); whoever lags
//! reads the table.
//!
//! Lanes of processes that are gone are closed at start: their epoch is raised, so that nothing can land
//! any more, and their last chunk is noted. A reader takes closed lanes first, merged by `ord`; everything
//! in them was committed before the first chunk of this process.

pub mod batch;
pub mod chunk;
mod front;
mod gate;
mod groups;
mod janitor;
mod lag;
mod lane;
pub mod last;
mod one;
mod reader;
pub mod search;
mod segment;
mod span;
mod tail;

pub use batch::Batch;
pub use chunk::Chunk;
pub use gate::Refused;
pub use groups::Groups;
pub use janitor::Janitor;
pub use lag::Lag;
pub use reader::Reader;
pub(crate) use reader::read_chunks;
pub(crate) use segment::table as segment_table;
pub use span::Span;

use crate::{Error, Store, lease::Lease};
use front::Front;
use gate::Gate;
use lane::{Lane, Queue};
use segment::Segments;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tail::Tail;

/// Lanes of one process: one compresses while the other commits.
pub(crate) const LANES: usize = 2;

/// The event log of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    queues: [Arc<Queue>; LANES],
    live: [i64; LANES],
    /// Lanes of processes that are gone, with their last chunk.
    closed: BTreeMap<i64, i64>,
    tail: Tail,
    segments: Segments,
    gate: Gate,
}

/// The services of the log: each runs until it is told to stop.
#[derive(Debug)]
pub struct Services {
    lanes: Vec<Lane>,
    front: Option<Front>,
    /// Drops what is no longer needed.
    pub janitor: Janitor,
}

impl Services {
    /// Starts a thread per lane. The future ends when all of them have: after [`Log::close`], or with the
    /// error that makes going on pointless.
    ///
    /// # Errors
    /// [`Error::Fenced`] when a lane was closed by another process.
    pub async fn run_lanes(lanes: Vec<LaneService>) -> Result<(), Error> {
        let mut ends = Vec::new();
        for lane in lanes {
            ends.push(lane.spawn());
        }
        for end in ends {
            end.await.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// The writers of the lanes.
    pub fn take_lanes(&mut self) -> Vec<LaneService> {
        let lanes = self.lanes.drain(..).map(Writer::Lane);
        lanes.chain(self.front.take().map(Writer::Front)).map(LaneService).collect()
    }
}

/// The writer of one lane.
#[derive(Debug)]
pub struct LaneService(Writer);

#[derive(Debug)]
enum Writer {
    Lane(Lane),
    /// Ends after the lanes.
    Front(Front),
}

impl LaneService {
    /// A thread of its own: compressing four megabytes would stall every task that shares a worker with it.
    fn spawn(self) -> tokio::sync::oneshot::Receiver<Result<(), Error>> {
        let (end, ended) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name(match &self.0 {
                Writer::Lane(lane) => format!("lane-{}", lane.number()),
                Writer::Front(_) => "front".to_owned(),
            })
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let result = match runtime {
                    Ok(runtime) => match self.0 {
                        Writer::Lane(lane) => runtime.block_on(lane.run()),
                        Writer::Front(front) => {
                            runtime.block_on(front.run());
                            Ok(())
                        }
                    },
                    Err(error) => Err(Error::Database(sqlx::Error::Io(error))),
                };
                _ = end.send(result);
            })
            .expect("a process that cannot start a thread cannot go on");
        ended
    }
}

impl Log {
    /// Closes the lanes of dead processes and opens two of our own.
    ///
    /// `disk` is the folder of an embedded Postgres, whose free space is watched.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(
        store: &Store,
        lease: Lease,
        settlement: &crate::settle::Settlement,
        disk: Option<PathBuf>,
    ) -> Result<(Log, Services), Error> {
        let closed = close_dead_lanes(store, lease).await?;
        let segments = Segments::open(store).await?;
        let mut live = [0; LANES];
        for lane in &mut live {
            *lane = sqlx::query_scalar("INSERT INTO lanes (owner) VALUES ($1) RETURNING id")
                .bind(lease.owner)
                .fetch_one(store.pool())
                .await?;
        }
        let config = store.config();
        let inner = Arc::new(Inner {
            store: store.clone(),
            queues: std::array::from_fn(|_| Arc::new(Queue::new(config.lane_waiting_bytes_max.get()))),
            live,
            closed,
            tail: Tail::new(config.tail_bytes_max.get(), &live),
            gate: Gate::new(config, disk, segments.bytes()),
            segments,
        });
        let (entrance, front) = front::new(inner.clone());
        let lanes = (0..LANES).map(|number| Lane::new(number, inner.clone(), lease, entrance.clone())).collect();
        let janitor = Janitor::new(inner.clone(), settlement.clone());
        Ok((Log { inner }, Services { lanes, front: Some(front), janitor }))
    }

    /// The database that it is in.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// An empty batch for the events of one request.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(self)
    }

    /// Returns when every event of the batch is committed.
    ///
    /// # Errors
    /// [`Refused`] when at least one of them may not be: the client has to send the request again, and
    /// the copies that did land are duplicates by their message ids.
    pub async fn append(&self, batch: Batch) -> Result<(), Refused> {
        if let Some(refused) = self.refusal() {
            return Err(refused);
        }
        let deadline = tokio::time::Instant::now() + self.inner.store.config().append_timeout;
        let mut waiting = Vec::with_capacity(LANES);
        for (queue, parts) in self.inner.queues.iter().zip(batch.into_parts()) {
            for part in parts {
                waiting.push(queue.push(part)?);
            }
        }
        for committed in waiting {
            match tokio::time::timeout_at(deadline, committed).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Refused::Closed),
                Err(_) => return Err(self.inner.gate.unavailable()),
            }
        }
        Ok(())
    }

    /// Why an append would be refused right now, if it would be.
    #[must_use]
    pub fn refusal(&self) -> Option<Refused> {
        if self.inner.queues.iter().any(|queue| queue.is_closed()) {
            return Some(Refused::Closed);
        }
        self.inner.gate.refusal()
    }

    /// Takes no more events. What was taken is still committed; the lanes' services end after it.
    pub fn close(&self) {
        for queue in &self.inner.queues {
            queue.close();
        }
    }

    /// A reader that starts at the given chunks; lanes that are not named are read from their first.
    #[must_use]
    pub fn reader(&self, next: BTreeMap<i64, i64>) -> Reader {
        Reader::new(self.inner.clone(), next, None)
    }

    /// A reader that starts at the given chunks and reads, of each lane, up to its end. Of lanes without an end it
    /// reads nothing.
    #[must_use]
    pub fn reader_up_to(&self, next: BTreeMap<i64, i64>, ends: BTreeMap<i64, i64>) -> Reader {
        Reader::new(self.inner.clone(), next, Some(ends))
    }

    /// The last committed chunk of every lane that has any.
    #[must_use]
    pub fn heads(&self) -> BTreeMap<i64, i64> {
        let mut heads = self.inner.closed.clone();
        heads.extend(self.inner.tail.committed_heads());
        heads
    }

    /// Every chunk from now on, as it is committed. A slow receiver loses the oldest.
    #[must_use]
    pub fn follow(&self) -> tokio::sync::broadcast::Receiver<Arc<Chunk>> {
        self.inner.tail.follow()
    }

    /// The state of the log for people and metrics.
    #[must_use]
    pub fn status(&self) -> Status {
        let segments = self.inner.segments.snapshot();
        Status {
            bytes: self.inner.gate.bytes(),
            bytes_max: self.inner.gate.bytes_max(),
            disk_free: self.inner.gate.disk_free(),
            segments: segments.len(),
            oldest: segments.first().map(|segment| segment.created),
            accepted: self.inner.tail.accepted() + self.inner.segments.events_before_start(),
            refusal: self.refusal(),
            bytes_per_hour: self.inner.gate.bytes_per_hour(),
        }
    }
}

/// The state of the log.
#[derive(Clone, Debug)]
pub struct Status {
    /// Bytes it takes in the database.
    pub bytes: u64,
    /// Bytes it may take.
    pub bytes_max: u64,
    /// Free bytes on the disk, where that can be known.
    pub disk_free: Option<u64>,
    /// How many segments there are.
    pub segments: usize,
    /// When the oldest of them was begun.
    pub oldest: Option<std::time::SystemTime>,
    /// Events accepted since the database was made.
    pub accepted: u64,
    /// Why events are refused, if they are.
    pub refusal: Option<Refused>,
    /// Bytes added per hour at the rate since the start; zero without any.
    pub bytes_per_hour: u64,
}

/// Raises the epoch of every open lane, so that nothing can land in it any more, and notes its last chunk.
async fn close_dead_lanes(store: &Store, lease: Lease) -> Result<BTreeMap<i64, i64>, Error> {
    let started = Instant::now();
    let open: Vec<i64> =
        sqlx::query_scalar("UPDATE lanes SET epoch = epoch + 1 WHERE head IS NULL AND owner <> $1 RETURNING id")
            .bind(lease.owner)
            .fetch_all(store.pool())
            .await?;
    let segments: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM segments ORDER BY id DESC").fetch_all(store.pool()).await?;
    for lane in &open {
        let mut head: Option<i64> = None;
        for segment in &segments {
            head = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT max(seq) FROM {} WHERE lane = $1",
                segment::table(*segment)
            )))
            .bind(lane)
            .fetch_one(store.pool())
            .await?;
            if head.is_some() {
                break;
            }
        }
        sqlx::query("UPDATE lanes SET head = coalesce($2, dropped_seq) WHERE id = $1")
            .bind(lane)
            .bind(head)
            .execute(store.pool())
            .await?;
    }
    // Nobody can stand in a lane whose chunks are all gone. Those that never held anything are forgotten;
    // of the others the books still need the count.
    sqlx::query("DELETE FROM cursors c USING lanes l WHERE l.id = c.lane AND l.head <= l.dropped_seq")
        .execute(store.pool())
        .await?;
    sqlx::query("DELETE FROM lanes WHERE head <= dropped_seq AND dropped_events = 0").execute(store.pool()).await?;
    let closed = sqlx::query_as::<_, (i64, i64)>("SELECT id, head FROM lanes WHERE head > dropped_seq")
        .fetch_all(store.pool())
        .await?;
    tracing::debug!(lanes = open.len(), took = ?started.elapsed(), "lanes of former processes closed");
    Ok(closed.into_iter().collect())
}
