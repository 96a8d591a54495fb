//! Writes what the trackers hold: all dirty cursors of the node in one fenced statement.

use super::columns::without_nul;
use super::marks::LaneMarks;
use super::parked;
use super::rows::{DeadLetter, Parked};
use super::tracker::{Books, Class, Snapshot, Tracker};
use crate::{Error, Store, dead_letters, fail_point, lease::Lease, metrics};
use pintle_events::Position;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Rows to write with the next cursor move of a destination.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) parked: Vec<Parked>,
    pub(crate) rescheduled: Vec<Parked>,
    pub(crate) unparked: Vec<(Position, u32)>,
    pub(crate) last_error: Option<String>,
}

impl Changes {
    pub(crate) fn append(&mut self, mut newer: Changes) {
        self.dead.append(&mut newer.dead);
        self.parked.append(&mut newer.parked);
        self.rescheduled.append(&mut newer.rescheduled);
        self.unparked.append(&mut newer.unparked);
        self.last_error = newer.last_error.or(self.last_error.take());
    }

    fn has_rows(&self) -> bool {
        !(self.dead.is_empty() && self.parked.is_empty() && self.rescheduled.is_empty() && self.unparked.is_empty())
    }
}

/// The trackers that have something to write.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    trackers: Mutex<Vec<Arc<Tracker>>>,
    any: Notify,
}

impl Dirty {
    pub(crate) fn push(&self, tracker: Arc<Tracker>) {
        self.lock().push(tracker);
        self.any.notify_one();
    }

    fn take(&self) -> Vec<Arc<Tracker>> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Tracker>>> {
        self.trackers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settled state of all destinations of this node.
#[derive(Clone, Debug)]
pub struct Settlement {
    store: Store,
    lease: Lease,
    dirty: Arc<Dirty>,
    urgent: Arc<Notify>,
    /// How many flushes have begun and how many have been written.
    written: watch::Receiver<u64>,
    moved: Arc<Notify>,
    trackers: Arc<Mutex<HashMap<String, std::sync::Weak<Tracker>>>>,
}

/// Writes cursors until it is told to stop.
#[derive(Debug)]
pub struct Flusher {
    store: Store,
    lease: Lease,
    dirty: Arc<Dirty>,
    urgent: Arc<Notify>,
    written: watch::Sender<u64>,
    moved: Arc<Notify>,
}

impl Settlement {
    /// The settled state under this lease, and the service that writes it.
    #[must_use]
    pub fn new(store: Store, lease: Lease) -> (Settlement, Flusher) {
        let dirty = Arc::new(Dirty::default());
        let urgent = Arc::new(Notify::new());
        let moved = Arc::new(Notify::new());
        let (sender, written) = watch::channel(0);
        let settlement = Settlement {
            store: store.clone(),
            lease,
            dirty: dirty.clone(),
            urgent: urgent.clone(),
            written,
            moved: moved.clone(),
            trackers: Arc::default(),
        };
        (settlement, Flusher { store, lease, dirty, urgent, written: sender, moved })
    }

    /// The tracker of a destination, from its stored cursors.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tracker(&self, destination: &str) -> Result<Arc<Tracker>, Error> {
        let row = sqlx::query("SELECT delivered, filtered, dead, parked FROM destinations WHERE id = $1")
            .bind(destination)
            .fetch_optional(self.store.pool())
            .await?;
        let count = |row: &sqlx::postgres::PgRow, at: usize| row.get::<i64, _>(at) as u64;
        let books = row.map_or_else(Books::default, |row| Books {
            delivered: count(&row, 0),
            filtered: count(&row, 1),
            dead: count(&row, 2),
            parked: count(&row, 3),
        });
        let mut lanes = BTreeMap::new();
        for row in sqlx::query("SELECT lane, seq, idx, bitmap FROM cursors WHERE destination = $1")
            .bind(destination)
            .fetch_all(self.store.pool())
            .await?
        {
            let bitmap: Vec<u8> = row.get(3);
            lanes.insert(row.get(0), LaneMarks::restore(row.get(1), row.get::<i32, _>(2) as u32, &bitmap));
        }
        let mut parked: HashMap<Position, (u32, Class)> = HashMap::new();
        for row in sqlx::query(
            "SELECT p.lane, p.seq, p.idx, EXISTS (SELECT 1 FROM dead_letters d WHERE d.destination = p.destination \
             AND d.lane = p.lane AND d.seq = p.seq AND d.idx = p.idx) FROM parked p WHERE p.destination = $1",
        )
        .bind(destination)
        .fetch_all(self.store.pool())
        .await?
        {
            let position = Position { lane: row.get(0), seq: row.get(1), idx: row.get::<i32, _>(2) as u32 };
            let others = if row.get(3) { Class::Dead } else { Class::Filtered };
            parked.entry(position).or_insert((0, others)).0 += 1;
        }
        let window = self.store.config().cursor_window_events.get().min(8_192);
        let Books { delivered, filtered, dead, parked: waiting } = books;
        tracing::info!(destination, delivered, filtered, dead, parked = waiting, "destination goes on from its books");
        let tracker = Arc::new(Tracker::new(destination.into(), window, books, lanes, parked, self.dirty.clone()));
        self.registry().insert(destination.to_owned(), Arc::downgrade(&tracker));
        Ok(tracker)
    }

    /// The trackers that are in use.
    #[must_use]
    pub fn trackers(&self) -> Vec<Arc<Tracker>> {
        self.registry().values().filter_map(std::sync::Weak::upgrade).collect()
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, HashMap<String, std::sync::Weak<Tracker>>> {
        self.trackers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parked outputs of a destination, in the order of the log.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn parked(&self, destination: &str) -> Result<Vec<Parked>, Error> {
        parked::all(self.store.pool(), destination).await
    }

    /// Writes everything that is settled now, without waiting for the interval; returns when it is stored.
    pub async fn flush(&self) {
        let mut written = self.written.clone();
        // A flush that is under way may have taken its snapshot before the caller settled: wait for the one after it.
        let target = *written.borrow_and_update() + 2;
        while *written.borrow() < target {
            self.urgent.notify_one();
            if written.changed().await.is_err() {
                return;
            }
        }
    }

    /// The database, and the lease under which it may be written to.
    pub(crate) fn owned(&self) -> (&Store, Lease) {
        (&self.store, self.lease)
    }

    /// Woken whenever stored cursors have moved.
    #[must_use]
    pub fn moved(&self) -> Arc<Notify> {
        self.moved.clone()
    }
}

impl Flusher {
    /// Runs until `shutdown`, and writes what is left before it returns.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another process owns the cursors now.
    pub async fn run(self, shutdown: tokio_util::sync::CancellationToken) -> Result<(), Error> {
        let interval = self.store.config().cursor_flush_interval;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.urgent.notified() => {}
                () = self.dirty.any.notified() => tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = self.urgent.notified() => {}
                    () = shutdown.cancelled() => {}
                },
            }
            self.write_until_stored(&shutdown).await?;
        }
        self.write_until_stored(&shutdown).await
    }

    async fn write_until_stored(&self, shutdown: &tokio_util::sync::CancellationToken) -> Result<(), Error> {
        let mut pause = Duration::from_millis(50);
        let mut last_tries = 3;
        loop {
            match self.write().await {
                Ok(()) => {
                    self.written.send_modify(|written| *written += 1);
                    return Ok(());
                }
                Err(Error::Fenced) => return Err(Error::Fenced),
                Err(error) if shutdown.is_cancelled() && last_tries == 0 => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "cursors could not be written, trying again");
                    last_tries -= i32::from(shutdown.is_cancelled());
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    async fn write(&self) -> Result<(), Error> {
        let batch: Vec<(Arc<Tracker>, Snapshot)> =
            self.dirty.take().into_iter().map(|tracker| (tracker.clone(), tracker.take())).collect();
        if batch.is_empty() {
            return Ok(());
        }
        fail_point::pass("settle:before-write");
        match write_batch(&self.store, self.lease, &batch).await {
            Ok(()) => {
                fail_point::pass("settle:after-write");
                self.moved.notify_one();
                metrics::cursor_flush(batch.iter().map(|(_, snapshot)| snapshot.cursors.len()).sum());
                Ok(())
            }
            Err(error) => {
                for (tracker, snapshot) in batch {
                    tracker.put_back(snapshot);
                }
                Err(error)
            }
        }
    }
}

async fn write_batch(store: &Store, lease: Lease, batch: &[(Arc<Tracker>, Snapshot)]) -> Result<(), Error> {
    if batch.iter().any(|(_, snapshot)| snapshot.changes.has_rows()) {
        let mut tx = store.pool().begin().await?;
        move_cursors(&mut tx, lease, batch).await?;
        for (tracker, snapshot) in batch {
            let destination = tracker.destination();
            parked::insert(&mut tx, destination, &snapshot.changes.parked).await?;
            parked::update(&mut tx, destination, &snapshot.changes.rescheduled).await?;
            parked::delete(&mut tx, destination, &snapshot.changes.unparked).await?;
            dead_letters::insert(&mut tx, destination, &snapshot.changes.dead).await?;
        }
        tx.commit().await?;
    } else {
        let mut connection = store.pool().acquire().await?;
        move_cursors(&mut connection, lease, batch).await?;
    }
    Ok(())
}

/// Moves cursors and books, if the lease still stands.
///
/// The fence is selected, not joined as a condition only: with nothing to move, a condition might never
/// be looked at, and a late owner would believe that it still owns.
async fn move_cursors(
    connection: &mut PgConnection,
    lease: Lease,
    batch: &[(Arc<Tracker>, Snapshot)],
) -> Result<(), Error> {
    let mut destinations = Vec::new();
    let (mut lanes, mut seqs, mut idxs, mut bitmaps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (tracker, snapshot) in batch {
        for (lane, seq, idx, bitmap) in &snapshot.cursors {
            destinations.push(tracker.destination().to_string());
            lanes.push(*lane);
            seqs.push(*seq);
            idxs.push(*idx as i32);
            bitmaps.push(bitmap.as_slice());
        }
    }
    let books = |of: fn(&Books) -> u64| batch.iter().map(|(_, s)| of(&s.books) as i64).collect::<Vec<_>>();
    let ids: Vec<String> = batch.iter().map(|(tracker, _)| tracker.destination().to_string()).collect();
    let errors: Vec<Option<String>> =
        batch.iter().map(|(_, snapshot)| snapshot.changes.last_error.as_deref().map(without_nul)).collect();
    let owned: i64 = sqlx::query_scalar(
        "WITH lease AS MATERIALIZED (SELECT 1 FROM leases WHERE slot_group = 0 AND epoch = $1 FOR SHARE), \
         moved AS (INSERT INTO cursors (destination, lane, seq, idx, bitmap) \
           SELECT m.* FROM lease, unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::bytea[]) m \
           ON CONFLICT (destination, slot_group, lane) DO UPDATE \
           SET seq = excluded.seq, idx = excluded.idx, bitmap = excluded.bitmap), \
         booked AS (UPDATE destinations d SET delivered = b.delivered, filtered = b.filtered, dead = b.dead, \
             parked = b.parked, last_error = coalesce(b.error, d.last_error), \
             last_error_at = CASE WHEN b.error IS NULL THEN d.last_error_at ELSE now() END \
           FROM lease, unnest($7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[]) \
             b(id, delivered, filtered, dead, parked, error) WHERE d.id = b.id) \
         SELECT count(*) FROM lease",
    )
    .bind(lease.epoch)
    .bind(&destinations)
    .bind(&lanes)
    .bind(&seqs)
    .bind(&idxs)
    .bind(&bitmaps)
    .bind(&ids)
    .bind(books(|b| b.delivered))
    .bind(books(|b| b.filtered))
    .bind(books(|b| b.dead))
    .bind(books(|b| b.parked))
    .bind(&errors)
    .fetch_one(connection)
    .await?;
    if owned == 0 { Err(Error::Fenced) } else { Ok(()) }
}
