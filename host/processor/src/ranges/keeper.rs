//! Gathers ranges, writes them, settles them, one after another.

use super::board::{Board, Shelf};
use super::gathered::{Gathered, Object};
use super::names::Layout;
use super::press::Press;
use super::retried::{self, End, Line};
use super::uploads::Uploads;
use crate::runner::{Held, READ_PAUSE, REST_LOOK, next_before, next_chunk, now_ms};
use pintle_objects::{Config, Depot, Lines};
use pintle_router::Mask;
use pintle_runtime::destination::Destination;
use pintle_store::fail_point;
use pintle_store::log::{Chunk, Log};
use pintle_store::plans::Plan;
use pintle_store::settle::{Fate, Parked, Settlement, Tracker};
use pintle_store::suppressions::Suppressions;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// What a keeper is made of.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) router: pintle_router::Config,
    pub(crate) log: Log,
    pub(crate) settlement: Settlement,
    pub(crate) tracker: Arc<Tracker>,
    pub(crate) suppressions: Suppressions,
    pub(crate) depot: Depot,
    pub(crate) layout: Layout,
    pub(crate) mask: Mask,
    pub(crate) attempts_allowed: watch::Receiver<bool>,
    /// The configured plugin, through which dead letters go again; nothing of an archive, which has none.
    pub(crate) plugin: Option<Arc<Destination>>,
    /// Those that were revived and not written yet.
    pub(crate) parked: Vec<Parked>,
    /// The last chunk of each lane that it reads, of a replay. Without it there is no end.
    pub(crate) ends: Option<BTreeMap<i64, i64>>,
}

/// Writes one reader's events as objects.
pub(crate) struct Keeper {
    setup: Setup,
    uploads: Uploads,
    board: Arc<Board>,
    shelf: Arc<Shelf>,
    revived: mpsc::UnboundedReceiver<Parked>,
    /// Whether everything up to the end has been read.
    is_at_end: bool,
}

impl Keeper {
    pub(crate) fn new(setup: Setup) -> Keeper {
        let board = Arc::new(Board::default());
        // Unbounded, because all that is in it has a row.
        let (inbox, revived) = mpsc::unbounded_channel();
        let uploads = Uploads {
            depot: setup.depot.clone(),
            tracker: setup.tracker.clone(),
            board: board.clone(),
            mask: setup.mask.clone(),
            attempts_allowed: setup.attempts_allowed.clone(),
            at_once_max: setup.config.uploads_at_once_max,
            retry_base: setup.router.retry_base,
            retry_max: setup.router.retry_max,
            excerpt_bytes_max: setup.router.excerpt_bytes_max.get(),
        };
        let shelf = Arc::new(Shelf {
            inbox,
            board: board.clone(),
            plugin: setup.plugin.clone(),
            suppressions: setup.suppressions.clone(),
            mask: setup.mask.clone(),
            preview_bytes_max: setup.router.preview_bytes_max.get(),
        });
        Keeper { setup, uploads, board, shelf, revived, is_at_end: false }
    }

    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Runs for good, or where there is an end until all is settled. Dropping the future loses nothing: what was begun
    /// is repeated, and its objects replaced.
    ///
    /// # Errors
    /// When the database does not answer, or a transformation is broken.
    pub(crate) async fn run(&mut self, press: &mut Press<'_>, revision: impl Fn() -> i64) -> Result<(), Held> {
        let reader = self.setup.tracker.destination().clone();
        let next = self.setup.tracker.next_chunks();
        let mut plan = self.setup.settlement.plan(&reader).await?.filter(|plan| !plan.is_passed(&next));
        for parked in std::mem::take(&mut self.setup.parked) {
            self.retry(parked).await;
        }
        loop {
            let gathered = match &plan {
                Some(plan) => {
                    tracing::info!(destination = %reader, objects = plan.objects.len(), uploaded = plan.uploaded, "a range that was begun is written again");
                    self.gather_again(plan, press).await?
                }
                None => self.gather(press).await?,
            };
            if self.is_at_end && gathered.is_empty() && plan.is_none() {
                self.come_to_rest().await;
                return Ok(());
            }
            self.write(gathered, plan.take(), revision()).await?;
        }
    }

    /// Nothing is left to be read: waits until all is settled, and nobody is about to try a dead letter again.
    async fn come_to_rest(&mut self) {
        while !self.setup.tracker.is_at_rest() {
            tokio::select! {
                Some(parked) = self.revived.recv() => self.retry(parked).await,
                () = tokio::time::sleep(REST_LOOK) => {}
            }
        }
    }

    /// Chunks from the cursor on, until there are enough of them or the first has waited long enough.
    async fn gather(&mut self, press: &mut Press<'_>) -> Result<Gathered, Held> {
        let Setup { config, log, tracker, layout, ends, .. } = &self.setup;
        let next = tracker.next_chunks();
        let mut reader = match ends {
            Some(ends) => log.reader_up_to(next, ends.clone()),
            None => log.reader(next),
        };
        let mut gathered = Gathered::new(now_ms().cast_signed());
        let mut deadline = None;
        loop {
            let due = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let chunk = tokio::select! {
                biased;
                Some(parked) = self.revived.recv() => {
                    self.retry(parked).await;
                    continue;
                }
                () = due => break,
                chunk = next_before(tracker.destination(), &mut reader, ends.as_ref()) => match chunk {
                    Some(chunk) => chunk,
                    None => {
                        self.is_at_end = true;
                        break;
                    }
                },
            };
            if !gathered.fits(chunk.events(), config) {
                break; // It is read again: its range is the next one.
            }
            take(&mut gathered, &chunk, press, tracker, layout).await?;
            if gathered.is_empty() {
                // Nothing to write: it need not wait for anything.
                gathered.settle(tracker);
                gathered = Gathered::new(now_ms().cast_signed());
            } else if gathered.is_full(config) {
                break;
            } else {
                deadline.get_or_insert_with(|| Instant::now() + config.range_time_max);
            }
            self.board.waiting(gathered.records() as usize);
        }
        Ok(gathered)
    }

    /// The chunks of a plan that are not settled.
    async fn gather_again(&self, plan: &Plan, press: &mut Press<'_>) -> Result<Gathered, Held> {
        let Setup { log, tracker, layout, .. } = &self.setup;
        let heads = log.heads();
        let end = |(lane, (_, last)): (&i64, &(i64, i64))| (*lane, (*last).min(heads.get(lane).copied().unwrap_or(0)));
        let ends: BTreeMap<i64, i64> = plan.range.iter().map(end).collect();
        let mut reader = log.reader(tracker.next_chunks());
        let mut gathered = Gathered::new(plan.now_ms);
        while !reader.has_passed(&ends) {
            let chunk = match reader.next_ready().await {
                Ok(Some(chunk)) => chunk,
                // Committed, and not yet released to readers.
                Ok(None) => next_chunk(tracker.destination(), &mut reader).await,
                Err(error) => {
                    tracing::warn!(destination = %tracker.destination(), %error, "the log cannot be read, trying again");
                    tokio::time::sleep(READ_PAUSE).await;
                    continue;
                }
            };
            if ends.get(&chunk.lane).is_some_and(|last| chunk.seq <= *last) {
                take(&mut gathered, &chunk, press, tracker, layout).await?;
            }
        }
        self.board.waiting(gathered.records() as usize);
        Ok(gathered)
    }

    /// Writes a range, and settles it.
    async fn write(&self, mut gathered: Gathered, before: Option<Plan>, revision: i64) -> Result<(), Held> {
        let Setup { settlement, tracker, layout, .. } = &self.setup;
        let reader = tracker.destination();
        let uploaded = before.as_ref().is_some_and(|plan| plan.uploaded);
        let mut plan = before.unwrap_or_else(|| Plan {
            now_ms: gathered.now_ms,
            seed: seed(),
            range: gathered.range(),
            ..Plan::default()
        });
        if !uploaded {
            plan.revision = revision;
            let mut objects = gathered.take_objects(layout, plan.seed, plan.now_ms, &plan.range);
            let names = objects.iter().map(|object| (object.bucket.clone(), object.name.clone())).collect();
            let stale: Vec<(String, String)> = plan.objects.difference(&names).cloned().collect();
            plan.objects.extend(names);
            // Also when it is the same as before: whoever repeats it shows the lease.
            settlement.store_plan(reader, &plan).await?;
            // What this time does not make again would be there twice, or for no reason.
            objects.extend(stale.into_iter().map(|(bucket, name)| empty(bucket, name)));
            self.uploads.all(&objects).await;
            settlement.plan_uploaded(reader).await?;
            fail_point::pass("objects:before-settle");
        }
        let delivered = gathered.settle(tracker);
        self.board.delivered(delivered);
        self.board.waiting(0);
        // Before the next plan takes the place of this one, the cursor has to be stored beyond it.
        settlement.flush().await;
        Ok(())
    }

    /// Writes a dead letter that is tried again, and settles it.
    async fn retry(&self, parked: Parked) {
        let Setup { tracker, suppressions, plugin: Some(plugin), .. } = &self.setup else { return };
        let fate = match retried::retry(plugin, &parked, suppressions).await {
            End::Settle(fate) => *fate,
            End::Write(lines) => {
                let objects: Vec<Object> = lines.into_iter().map(Line::object).collect();
                self.uploads.all(&objects).await;
                Fate::Delivered
            }
        };
        tracker.unpark(&parked, fate);
    }
}

async fn take(
    gathered: &mut Gathered,
    chunk: &Chunk,
    press: &mut Press<'_>,
    tracker: &Arc<Tracker>,
    layout: &Layout,
) -> Result<(), Held> {
    press.current().await;
    let settled = tracker.begin_ahead(chunk.lane, chunk.seq, chunk.groups())?;
    let pressed = press.press(chunk, &settled, gathered.now_ms).await?;
    gathered.add(chunk, pressed, layout);
    Ok(())
}

fn empty(bucket: String, name: String) -> Object {
    Object { bucket, name, body: Lines::new().finish(), records: 0 }
}

/// Drawn by the process's hasher, whose keys come from the system, and by the clock.
fn seed() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u64(now_ms());
    hasher.finish()
}
