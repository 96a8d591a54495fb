//! Writes what the trackers hold: all dirty cursors of the node in one fenced statement.

use super::columns::without_nul;
use super::parked;
use super::restore;
use super::rows::{DeadLetter, Kept, Parked};
use super::tracker::{Lost, Snapshot, Tracker};
use crate::ledger::fold::{self, Fold};
use crate::{Error, Store, dead_letters, fail_point, lease::Lease, metrics};
use pintle_events::Position;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Rows to write with the next cursor move of a destination.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) dead: Vec<Kept<DeadLetter>>,
    pub(crate) parked: Vec<Kept<Parked>>,
    /// Dead letters that are delivered again.
    pub(crate) revived: Vec<i64>,
    /// What was lost of a segment that goes.
    pub(crate) lost: Option<(i64, Lost)>,
    pub(crate) rescheduled: Vec<Parked>,
    pub(crate) unparked: Vec<(Position, u32)>,
    pub(crate) last_error: Option<String>,
}

impl Changes {
    pub(crate) fn append(&mut self, mut newer: Changes) {
        self.dead.append(&mut newer.dead);
        self.parked.append(&mut newer.parked);
        self.revived.append(&mut newer.revived);
        // Of one segment after the other; each time all of it.
        self.lost = newer.lost.or(self.lost.take());
        self.rescheduled.append(&mut newer.rescheduled);
        self.unparked.append(&mut newer.unparked);
        self.last_error = newer.last_error.or(self.last_error.take());
    }

    fn has_rows(&self) -> bool {
        let parked = self.parked.is_empty() && self.rescheduled.is_empty() && self.unparked.is_empty();
        !(parked && self.dead.is_empty() && self.revived.is_empty()) || self.lost.is_some()
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
    restoring: Arc<tokio::sync::Mutex<()>>,
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
            restoring: Arc::default(),
        };
        (settlement, Flusher { store, lease, dirty, urgent, written: sender, moved })
    }

    /// The tracker of a destination: the one that is in use, else a new one from its stored cursors. There is never
    /// more than one: two would overwrite each other's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tracker(&self, destination: &str) -> Result<Arc<Tracker>, Error> {
        let _one_at_a_time = self.restoring.lock().await;
        if let Some(tracker) = self.registry().get(destination).and_then(std::sync::Weak::upgrade) {
            return Ok(tracker);
        }
        let tracker = Arc::new(restore::tracker(&self.store, destination, self.dirty.clone()).await?);
        self.registry().insert(destination.to_owned(), Arc::downgrade(&tracker));
        Ok(tracker)
    }

    /// A destination has dealt with its backlog, and gives up its cursors: should it become active again, it begins
    /// with others.
    pub fn forget(&self, destination: &str) {
        self.registry().remove(destination);
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
                batch.iter().for_each(|(tracker, snapshot)| tracker.written(snapshot));
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
    let has_rows = |snapshot: &Snapshot| snapshot.changes.has_rows() || snapshot.folding.is_some();
    if batch.iter().any(|(_, snapshot)| has_rows(snapshot)) {
        let mut tx = store.pool().begin().await?;
        move_cursors(&mut tx, lease, batch).await?;
        let folds: Vec<Fold<'_>> = batch.iter().filter_map(|(tracker, snapshot)| fold(tracker, snapshot)).collect();
        fold::write(&mut tx, &folds).await?;
        for (tracker, snapshot) in batch {
            let destination = tracker.destination();
            if !snapshot.changes.revived.is_empty() {
                dead_letters::delete(&mut tx, &snapshot.changes.revived).await?;
            }
            if let Some((segment, lost)) = &snapshot.changes.lost {
                dead_letters::range::write(&mut tx, destination, *segment, lost).await?;
            }
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

fn fold<'a>(tracker: &'a Tracker, snapshot: &'a Snapshot) -> Option<Fold<'a>> {
    let (folds, tally) = snapshot.folding.as_ref()?;
    Some(Fold { destination: tracker.destination(), folds: *folds, tally })
}

/// Moves cursors and what the books count with them, if the lease still stands.
///
/// The fence is selected, not joined as a condition only: with nothing to move, a condition might never
/// be looked at, and a late owner would believe that it still owns. Only cursors that are not there are inserted:
/// an insert that finds its row locks it first, which is another record of the WAL for each. Those of a destination
/// that the database does not know are left out: they would hold up all others.
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
    let unfolded: Vec<&[u8]> = batch.iter().map(|(_, snapshot)| snapshot.unfolded.as_slice()).collect();
    let ids: Vec<String> = batch.iter().map(|(tracker, _)| tracker.destination().to_string()).collect();
    let errors: Vec<Option<String>> =
        batch.iter().map(|(_, snapshot)| snapshot.changes.last_error.as_deref().map(without_nul)).collect();
    let owned: i64 = sqlx::query_scalar(
        "WITH lease AS MATERIALIZED (SELECT 1 FROM leases WHERE slot_group = 0 AND epoch = $1 FOR SHARE), \
         places AS (SELECT m.* FROM lease, unnest($2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::bytea[]) \
           m(destination, lane, seq, idx, bitmap) JOIN destinations d ON d.id = m.destination), \
         moved AS (UPDATE cursors c SET seq = p.seq, idx = p.idx, bitmap = p.bitmap FROM places p \
           WHERE c.destination = p.destination AND c.slot_group = 0 AND c.lane = p.lane \
           RETURNING c.destination, c.lane), \
         added AS (INSERT INTO cursors (destination, lane, seq, idx, bitmap) \
           SELECT p.* FROM places p WHERE (p.destination, p.lane) NOT IN (SELECT * FROM moved) \
           ON CONFLICT (destination, slot_group, lane) DO UPDATE \
           SET seq = excluded.seq, idx = excluded.idx, bitmap = excluded.bitmap), \
         booked AS (UPDATE destinations d SET unfolded = b.unfolded, last_error = coalesce(b.error, d.last_error), \
             last_error_at = CASE WHEN b.error IS NULL THEN d.last_error_at ELSE now() END \
           FROM lease, unnest($7::text[], $8::bytea[], $9::text[]) b(id, unfolded, error) WHERE d.id = b.id) \
         SELECT count(*) FROM lease",
    )
    .bind(lease.epoch)
    .bind(&destinations)
    .bind(&lanes)
    .bind(&seqs)
    .bind(&idxs)
    .bind(&bitmaps)
    .bind(&ids)
    .bind(&unfolded)
    .bind(&errors)
    .fetch_one(connection)
    .await?;
    if owned == 0 { Err(Error::Fenced) } else { Ok(()) }
}
