//! One runner per destination of the catalog, replaced when its part of the catalog changes.

mod attendant;
mod board;
mod retry;

pub(crate) use board::Seat;
pub use retry::RetryError;

use crate::archive::Archive;
use crate::given::Given;
use crate::plugins;
use crate::runner::Parts;
use crate::spec::{Mode, Running, Spec};
use crate::{shadow, trial};
use attendant::Attendant;
use board::Board;
use pintle_catalog::Catalog;
use pintle_store::replays::{self, Replay};
use pintle_store::settle::{Books, DeadLetter, Fate, Settlement, Tracker};
use pintle_store::{Error, revisions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long after a failure of the database a replay is ended.
const END_PAUSE: Duration = Duration::from_secs(1);
/// How long a retry waits for a destination whose components are being loaded.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// Keeps the runners in step with the catalog.
pub struct Supervisor {
    parts: Parts,
    catalog: watch::Receiver<Arc<Catalog>>,
    slots: BTreeMap<String, Slot>,
    board: Arc<Board>,
}

struct Slot {
    spec: Arc<Spec>,
    /// The plugin's file, as it was before it was loaded; none of one that was uploaded.
    plugin: Option<plugins::Stamp>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// How one destination is doing.
#[derive(Clone, Debug, Default)]
pub struct DestinationState {
    /// Its books, as far as its cursors vouch for them.
    pub books: Books,
    /// What its outlet says; absent when it has none.
    pub outlet: Option<pintle_router::Status>,
    /// Why it does not run, if it does not.
    pub held: Option<String>,
    /// Whether its components are still being loaded.
    pub starting: bool,
    /// In each lane, the chunk in which its cursor stands, and how many events from there on are settled.
    pub cursors: BTreeMap<i64, (i64, u64)>,
}

/// Asks and instructs the supervisor. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) parts: Parts,
    board: Arc<Board>,
}

impl Supervisor {
    /// A supervisor that has started nothing yet.
    #[must_use]
    pub fn new(parts: Parts, catalog: watch::Receiver<Arc<Catalog>>) -> (Supervisor, Handle) {
        let board = Arc::new(Board::default());
        let handle = Handle { parts: parts.clone(), board: board.clone() };
        (Supervisor { parts, catalog, slots: BTreeMap::new(), board }, handle)
    }

    /// Runs until `shutdown`, then drains every destination within the drain time.
    ///
    /// # Errors
    /// When the database cannot be asked what there is to do.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let archive = Archive::prepare(&self.parts).await?;
        let archive =
            archive.map(|archive| tokio::spawn(attendant::archived(archive, self.board.clone(), shutdown.clone())));
        loop {
            let catalog = self.catalog.borrow_and_update().clone();
            self.follow(&catalog).await?;
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.board.asked.notified() => {}
                changed = self.catalog.changed() => if changed.is_err() { break },
            }
        }
        let slots = std::mem::take(&mut self.slots);
        for slot in slots.values() {
            slot.stop.cancel();
        }
        for slot in slots.into_values() {
            _ = slot.task.await;
        }
        if let Some(archive) = archive {
            _ = archive.await;
        }
        Ok(())
    }

    /// Replaces the runners whose part of the catalog has changed. Old batches drain first.
    async fn follow(&mut self, catalog: &Catalog) -> Result<(), Error> {
        self.parts.journal.retain(|id| catalog.transformations.contains_key(id));
        let mut wanted = Spec::all(catalog);
        let active = revisions::active_destinations(&self.parts.store).await?;
        // One that was never enabled, or has dealt with its backlog, has no cursors and nothing to filter.
        wanted.retain(|id, spec| spec.mode == Mode::Deliver || active.contains(id));
        for id in active {
            if !catalog.destinations.contains_key(&id) {
                let old = self.slots.get(&id).map(|slot| slot.spec.as_ref().clone());
                let removed = old.map_or_else(|| Spec::unknown(&id), Spec::removed);
                wanted.insert(id, removed);
            }
        }
        let (replays, over) = self.replays(catalog).await?;
        wanted.extend(replays);
        let plugins = self.parts.plugins.clone();
        let stamp = |spec: &Spec| match spec.mode {
            Mode::Deliver if spec.plugin.is_none() => plugins.files().stamp(&spec.destination.plugin),
            _ => None,
        };
        let unchanged = |slot: &Slot| {
            wanted.get(&slot.spec.id).is_some_and(|spec| *spec == *slot.spec && stamp(spec) == slot.plugin)
        };
        let stale: Vec<String> =
            self.slots.values().filter(|slot| !unchanged(slot)).map(|slot| slot.spec.id.clone()).collect();
        let mut ending = Vec::new();
        for id in stale {
            let slot = self.slots.remove(&id).expect("its id was just read from there");
            slot.stop.cancel();
            ending.push((id, slot.task));
        }
        for (id, task) in ending {
            _ = task.await;
            if let Some(seat) = self.board.lock().get_mut(&id)
                && wanted.contains_key(&id)
            {
                seat.starting = true;
            } else {
                self.board.lock().remove(&id);
            }
        }
        for (replay, reason) in over {
            if let Err(error) = self.end_replay(&replay, reason).await {
                tracing::warn!(replay = replay.id, %error, "a replay cannot be ended, trying again");
                let board = self.board.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(END_PAUSE).await;
                    board.asked.notify_one();
                });
            }
        }
        let visits = self.board.visits().clone();
        let is_needed = |id: &str| wanted.contains_key(id) || visits.contains_key(id);
        self.board.lock().retain(|id, _| replays::of_reader(id).is_none() || is_needed(id));
        self.board.changed.notify_waiters();
        for (id, spec) in wanted {
            if !self.slots.contains_key(&id) {
                let plugin = stamp(&spec);
                let spec = Arc::new(spec);
                let stop = CancellationToken::new();
                let attendant = Attendant {
                    parts: self.parts.clone(),
                    spec: spec.clone(),
                    board: self.board.clone(),
                    stop: stop.clone(),
                };
                let task = tokio::spawn(attendant.run());
                self.slots.insert(id, Slot { spec, plugin, stop, task });
            }
        }
        Ok(())
    }

    /// What the replays that are not over have to do, and those that are over now, with the reason. One whose
    /// destination does not deliver at the moment waits.
    async fn replays(&self, catalog: &Catalog) -> Result<(BTreeMap<String, Spec>, Vec<(Replay, &'static str)>), Error> {
        let (mut wanted, mut over) = (BTreeMap::new(), Vec::new());
        for replay in replays::unfinished(&self.parts.store).await? {
            if replay.cancelled_by.is_some() {
                over.push((replay, "the replay was cancelled"));
            } else if !catalog.destinations.contains_key(&replay.destination) {
                over.push((replay, "the destination was removed"));
            } else if let Some(spec) = Spec::of_replay(catalog, &Arc::new(replay)) {
                wanted.insert(spec.id.clone(), spec);
            }
        }
        Ok((wanted, over))
    }

    /// Ends a replay that is not to go on: what it has parked becomes dead letters.
    async fn end_replay(&self, replay: &Replay, reason: &str) -> Result<(), Error> {
        let _alone = self.board.gate.lock().await;
        let (store, settlement) = (&self.parts.store, &self.parts.settlement);
        let tracker = settlement.tracker(&replay.reader()).await?;
        bury_parked(settlement, &tracker, reason).await?;
        replays::end(store, replay.id).await?;
        settlement.forget(&replay.reader());
        tracing::info!(replay = replay.id, destination = replay.destination, reason, "a replay has ended");
        Ok(())
    }
}

/// Parked events of a reader that delivers nothing any more become dead letters.
async fn bury_parked(settlement: &Settlement, tracker: &Arc<Tracker>, reason: &str) -> Result<(), Error> {
    for parked in settlement.parked(tracker.destination()).await? {
        let error = (!parked.last_error.is_empty()).then(|| parked.last_error.clone());
        let letter = DeadLetter { error, ..parked.dead(reason) };
        tracker.unpark(&parked, Fate::Dead(letter));
    }
    settlement.flush().await;
    Ok(())
}

impl Handle {
    /// What every runner has.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What a destination has settled, when it has a runner.
    pub(crate) fn tracker(&self, id: &str) -> Option<Arc<Tracker>> {
        self.board.lock().get(id)?.tracker.clone()
    }

    /// How the destinations with a runner are doing.
    #[must_use]
    pub fn destinations(&self) -> BTreeMap<String, DestinationState> {
        let seats = self.board.lock().clone();
        let state = |seat: Seat| DestinationState {
            books: seat.tracker.as_ref().map(|tracker| tracker.books()).unwrap_or_default(),
            outlet: seat.exit.map(|exit| exit.status()),
            held: seat.held,
            starting: seat.starting,
            cursors: seat.tracker.map(|tracker| tracker.cursors()).unwrap_or_default(),
        };
        seats.into_iter().map(|(id, seat)| (id, state(seat))).collect()
    }

    /// Runs a candidate beside the live version of a transformation, over the last events that went through
    /// a connection. Nothing of it is delivered.
    ///
    /// # Errors
    /// [`shadow::Refused`] says why not.
    pub async fn shadow(
        &self,
        catalog: &Catalog,
        request: &shadow::Request,
    ) -> Result<shadow::Shadow, shadow::Refused> {
        let destination = catalog.connections.get(&request.connection).map(|connection| &connection.destination);
        let tracker = destination.and_then(|id| self.board.lock().get(id)?.tracker.clone());
        let stage = shadow::Stage {
            config: self.parts.config.clone(),
            store: self.parts.store.clone(),
            log: self.parts.log.clone(),
            plugins: self.parts.plugins.clone(),
        };
        // A destination that does not run has nobody who could say how far it got: then all events count.
        let settled = |position| tracker.as_ref().is_none_or(|tracker| tracker.is_settled(position));
        stage.run(catalog, request, settled).await
    }

    /// Runs a version of a transformation over events that somebody sends. Nothing of it is delivered.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn trial(
        &self,
        id: &str,
        running: &Running,
        given: &Given,
        events: &[trial::Event],
    ) -> Result<trial::Trial, crate::Unloadable> {
        let transformation = self.parts.plugins.transformation(id, running, given).await?;
        Ok(trial::run(id, running, &transformation, events, &self.parts.config).await)
    }

    /// What transformations log.
    #[must_use]
    pub fn journal(&self) -> &crate::Journal {
        &self.parts.journal
    }

    /// The destination to which a reader's events go: itself, or that of a replay.
    pub(crate) async fn home(&self, reader: &str) -> Result<String, Error> {
        let Some(id) = replays::of_reader(reader) else { return Ok(reader.to_owned()) };
        let replay = replays::get(&self.parts.store, id).await?;
        Ok(replay.map_or_else(|| reader.to_owned(), |replay| replay.destination))
    }

    /// Has the supervisor look which replays there are.
    pub(crate) fn ask(&self) {
        self.board.asked.notify_one();
    }

    /// The destination as it is, or as it will be once its components are loaded, if that does not take too long.
    pub(crate) async fn seat(&self, destination: &str) -> Seat {
        tokio::time::timeout(START_TIME_MAX, self.started(destination)).await.unwrap_or_default()
    }

    /// The destination as it is, or as it will be once its components are loaded.
    async fn started(&self, destination: &str) -> Seat {
        loop {
            let mut changed = std::pin::pin!(self.board.changed.notified());
            // Listening before looking: it may change in between.
            changed.as_mut().enable();
            let seat = self.board.lock().get(destination).cloned().unwrap_or_default();
            if !seat.starting {
                return seat;
            }
            changed.await;
        }
    }
}
