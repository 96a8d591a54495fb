//! The writer of one lane: takes what waits, makes a chunk of it, commits it, answers everybody.

use super::Inner;
use super::batch::Part;
use super::chunk::{self, Chunk, PIECE_BYTES};
use super::front::Entrance;
use super::gate::Refused;
use super::segment::{self, PIECE_COST};
use crate::{Config, Error, fail_point, lease::Lease, metrics};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// How long one INSERT may take before its outcome counts as unknown.
const COMMIT_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a lane that is told to stop goes on trying to commit what it took.
const LAST_TRIES: Duration = Duration::from_secs(5);

/// What waits for a lane's next commit.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    wake: Notify,
    bytes_max: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    parts: VecDeque<(Part, oneshot::Sender<()>)>,
    events: usize,
    bytes: u64,
    closed: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: u64) -> Queue {
        Queue { state: Mutex::default(), wake: Notify::new(), bytes_max }
    }

    /// Queues a part. The receiver hears when it is committed, or that its sender is gone.
    pub(super) fn push(&self, part: Part) -> Result<oneshot::Receiver<()>, Refused> {
        let (committed, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.bytes > 0 && state.bytes + part.frames.len() as u64 > self.bytes_max {
                return Err(Refused::Unavailable { retry_after: Duration::from_secs(1) });
            }
            state.bytes += part.frames.len() as u64;
            state.events += part.slots.len();
            state.parts.push_back((part, committed));
        }
        self.wake.notify_one();
        Ok(receiver)
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for something to commit and for what should join it; false when nothing will come any more.
    async fn gather(&self, config: &Config) -> bool {
        let mut was_idle = false;
        loop {
            let window = {
                let state = self.lock();
                if state.closed || state.is_full(config) {
                    return !state.parts.is_empty();
                }
                if state.events >= config.busy_commit_events.get() as usize {
                    // So much has come during one commit that the machine is busy. A commit costs Postgres
                    // the same for ten events and for a hundred: a little later, there are fewer of them.
                    Some(config.busy_commit_window.max(config.commit_window))
                } else if state.parts.is_empty() {
                    None
                } else {
                    Some(if was_idle { config.commit_window } else { Duration::ZERO })
                }
            };
            match window {
                Some(Duration::ZERO) => return true,
                Some(window) => {
                    tokio::time::sleep(window).await;
                    return true;
                }
                None => {
                    self.wake.notified().await;
                    was_idle = true;
                }
            }
        }
    }

    /// What goes into the next chunk: oldest first, within the limits, at least one part.
    fn take(&self, events_max: usize, bytes_max: usize) -> (Vec<Part>, Vec<oneshot::Sender<()>>) {
        let mut state = self.lock();
        let (mut parts, mut acks) = (Vec::new(), Vec::new());
        let (mut events, mut bytes) = (0, 0);
        while let Some((part, ack)) = state.parts.pop_front() {
            let fits = events + part.slots.len() <= events_max && bytes + part.frames.len() <= bytes_max;
            if !parts.is_empty() && !fits {
                state.parts.push_front((part, ack));
                break;
            }
            // Nobody waits for it any more, and it was never sent to the database: the client was told 503.
            if ack.is_closed() {
                state.bytes -= part.frames.len() as u64;
                state.events -= part.slots.len();
                continue;
            }
            events += part.slots.len();
            bytes += part.frames.len();
            parts.push(part);
            acks.push(ack);
        }
        state.bytes -= bytes as u64;
        state.events -= events;
        (parts, acks)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Whether there is a whole chunk already.
    fn is_full(&self, config: &Config) -> bool {
        self.events >= config.chunk_events_max.get() as usize || self.bytes >= u64::from(config.chunk_bytes_max.get())
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    number: usize,
    id: i64,
    epoch: i64,
    owner: uuid::Uuid,
    seq: i64,
    inner: Arc<Inner>,
    front: Entrance,
    connection: Option<Backend>,
}

#[derive(Debug)]
struct Backend {
    connection: PgConnection,
    pid: i32,
}

impl Lane {
    pub(super) fn new(number: usize, inner: Arc<Inner>, lease: Lease, front: Entrance) -> Lane {
        Lane { number, id: inner.live[number], epoch: 1, owner: lease.owner, seq: 0, inner, front, connection: None }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Commits until the queue is closed and empty.
    pub(super) async fn run(mut self) -> Result<(), Error> {
        let queue = self.inner.queues[self.number].clone();
        let config = self.inner.store.config().clone();
        let mut compressor = chunk::compressor().map_err(sqlx::Error::Io)?;
        if let Err(error) = self.connect().await {
            tracing::warn!(lane = self.id, %error, "lane is not connected yet");
        }
        while queue.gather(&config).await {
            let (mut parts, acks) =
                queue.take(config.chunk_events_max.get() as usize, config.chunk_bytes_max.get() as usize);
            // All that waited may have been given up by their clients.
            if parts.is_empty() {
                continue;
            }
            let taken = Instant::now();
            let mut chunk = Chunk::gather(self.id, self.seq + 1, &mut parts);
            let stored = chunk.encode(&parts, &mut compressor).map_err(sqlx::Error::Io)?;
            let message_ids = parts.iter().flat_map(|part| &part.message_ids).copied().collect();
            drop(parts);
            fail_point::pass("log:before-append");
            chunk.ord = match self.commit(&stored, chunk.events()).await {
                Ok(ord) => ord,
                Err(error) => {
                    // The senders go with the queue: every client that waits is told that nothing is sure.
                    queue.close();
                    return Err(error);
                }
            };
            fail_point::pass("log:after-append");
            self.seq = chunk.seq;
            metrics::committed(chunk.events(), stored.len(), taken.elapsed());
            self.inner.tail.committed(chunk.lane, chunk.seq, chunk.events());
            // Handed over before anyone is answered, so that a destination is hardly later than the client. The
            // front decides what of it destinations get; nobody waits for that here.
            self.front.enter(chunk, message_ids);
            fail_point::pass("log:after-hand-over");
            for ack in acks {
                _ = ack.send(());
            }
        }
        if let Some(backend) = self.connection.take() {
            _ = backend.connection.close().await;
        }
        Ok(())
    }

    /// Stores a chunk, however long it takes, and says its `ord`.
    async fn commit(&mut self, stored: &[u8], events: u32) -> Result<i64, Error> {
        let mut pause = Duration::from_millis(20);
        let mut stop_at: Option<Instant> = None;
        loop {
            match self.try_commit(stored, events).await {
                Ok(ord) => {
                    self.inner.gate.lane_is_down(self.number, false);
                    return Ok(ord);
                }
                Err(Error::Fenced) => return Err(Error::Fenced),
                Err(error) => {
                    if self.inner.queues[self.number].is_closed() {
                        let until = *stop_at.get_or_insert_with(|| Instant::now() + LAST_TRIES);
                        if Instant::now() > until {
                            return Err(error);
                        }
                    }
                    tracing::warn!(lane = self.id, %error, "commit failed, trying again");
                    self.inner.gate.lane_is_down(self.number, true);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            }
        }
    }

    async fn try_commit(&mut self, stored: &[u8], events: u32) -> Result<i64, Error> {
        loop {
            let Some(segment) = self.inner.segments.open_id() else {
                self.inner.segments.create(&self.inner.store).await?;
                continue;
            };
            if self.connection.is_none() {
                self.connect().await?;
                if let Some(ord) = self.outcome().await? {
                    return Ok(ord);
                }
            }
            let insert = tokio::time::timeout(COMMIT_TIME_MAX, self.insert(segment, stored, events)).await;
            match insert {
                Ok(Ok(Some(ord))) => {
                    let bytes = stored.len().div_ceil(PIECE_BYTES) as u64 * PIECE_COST;
                    self.inner.segments.grew(segment, bytes);
                    self.inner.gate.grew(bytes);
                    self.inner.gate.pressure.notify_one();
                    return Ok(ord);
                }
                // The segment was sealed under us, or the lane is another's.
                Ok(Ok(None)) => self.check_epoch().await?,
                Ok(Err(error)) => {
                    self.unknown().await;
                    return Err(error.into());
                }
                Err(_) => {
                    self.unknown().await;
                    return Err(Error::Database(sqlx::Error::PoolTimedOut));
                }
            }
        }
    }

    /// One round trip: the lane's epoch and the segment are held while the pieces go in.
    async fn insert(&mut self, segment: i64, stored: &[u8], events: u32) -> Result<Option<i64>, sqlx::Error> {
        let pieces: Vec<&[u8]> = stored.chunks(PIECE_BYTES).collect();
        let statement = format!(
            "WITH lane AS MATERIALIZED (SELECT 1 FROM lanes WHERE id = $1 AND epoch = $2 AND head IS NULL FOR SHARE), \
             segment AS MATERIALIZED (SELECT 1 FROM segments WHERE id = $3 AND sealed_at IS NULL FOR SHARE), \
             drawn AS MATERIALIZED (SELECT nextval('chunk_ord') AS ord FROM lane, segment), \
             stored AS (INSERT INTO {} (lane, seq, piece, ord, events, data) \
               SELECT $1, $4, p.piece, drawn.ord, CASE p.piece WHEN 1 THEN $5 ELSE 0 END, p.data \
               FROM drawn, unnest($6::bytea[]) WITH ORDINALITY p(data, piece)) \
             SELECT ord FROM drawn",
            segment::table(segment)
        );
        let backend = self.connection.as_mut().expect("the caller has connected");
        sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(self.id)
            .bind(self.epoch)
            .bind(segment)
            .bind(self.seq + 1)
            .bind(events as i32)
            .bind(pieces)
            .fetch_optional(&mut backend.connection)
            .await
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let mut connection = PgConnection::connect_with(self.inner.store.connect_options()).await?;
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        self.connection = Some(Backend { connection, pid });
        Ok(())
    }

    /// Whether the last commit landed is not known: ends its backend and lets go of the connection.
    async fn unknown(&mut self) {
        metrics::commit_unknown();
        let Some(backend) = self.connection.take() else { return };
        drop(backend.connection);
        // Best effort: what counts is the epoch, which the next connection raises.
        let ended = sqlx::query("SELECT pg_terminate_backend($1)").bind(backend.pid).execute(self.inner.store.pool());
        if !matches!(tokio::time::timeout(Duration::from_secs(2), ended).await, Ok(Ok(_))) {
            tracing::debug!(lane = self.id, "the old backend could not be ended");
        }
    }

    /// After a reconnect: raises the epoch, so that nothing of the old connection can land any more, and
    /// looks whether the chunk did land before.
    async fn outcome(&mut self) -> Result<Option<i64>, Error> {
        let (id, owner, seq) = (self.id, self.owner, self.seq + 1);
        let backend = self.connection.as_mut().expect("the caller has connected");
        let result: Result<Option<i64>, Error> = async {
            // Waits until the old transaction, if it still runs, has ended one way or the other.
            let raised = sqlx::query(
                "UPDATE lanes SET epoch = epoch + 1 WHERE id = $1 AND owner = $2 AND head IS NULL RETURNING epoch",
            )
            .bind(id)
            .bind(owner)
            .fetch_optional(&mut backend.connection)
            .await?
            .ok_or(Error::Fenced)?;
            self.epoch = raised.get(0);
            for segment in self.inner.segments.snapshot().iter().rev().map(|segment| segment.id) {
                let ord: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
                    "SELECT ord FROM {} WHERE lane = $1 AND seq = $2 AND piece = 1",
                    segment::table(segment)
                )))
                .bind(id)
                .bind(seq)
                .fetch_optional(&mut backend.connection)
                .await?;
                if ord.is_some() {
                    return Ok(ord);
                }
            }
            Ok(None)
        }
        .await;
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    async fn check_epoch(&mut self) -> Result<(), Error> {
        let backend = self.connection.as_mut().expect("the caller has connected");
        let epoch: Option<i64> =
            sqlx::query_scalar("SELECT epoch FROM lanes WHERE id = $1 AND owner = $2 AND head IS NULL")
                .bind(self.id)
                .bind(self.owner)
                .fetch_optional(&mut backend.connection)
                .await?;
        match epoch {
            Some(epoch) if epoch == self.epoch => {
                // Sealed: the janitor has made the next segment before it sealed this one, but may not have
                // told us yet.
                tokio::task::yield_now().await;
                Ok(())
            }
            _ => Err(Error::Fenced),
        }
    }
}
