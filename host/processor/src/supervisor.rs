//! One runner per destination of the catalog, replaced when its part of the catalog changes.

use crate::archive::{self, Archive};
use crate::batch;
use crate::batch::Input;
use crate::chain::Chain;
use crate::given::Given;
use crate::plugins;
use crate::runner::{Exit, Held, Parts, Runner, now_ms};
use crate::spec::{Mode, Running, Spec};
use crate::{shadow, trial};
use pintle_catalog::Catalog;
use pintle_store::settle::{Books, DeadLetter, Fate, Stage, Tracker};
use pintle_store::{Error, dead_letters, ledger, revisions};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long after a failure of the database a destination is set up again.
const SET_UP_PAUSE: Duration = Duration::from_millis(500);

/// How long a retry waits for a destination whose components are being loaded.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// Keeps the runners in step with the catalog.
pub struct Supervisor {
    parts: Parts,
    catalog: watch::Receiver<Arc<Catalog>>,
    slots: BTreeMap<String, Slot>,
    board: Arc<Board>,
    archive: archive::Config,
}

struct Slot {
    spec: Arc<Spec>,
    /// The plugin's file, as it was before it was loaded; none of one that was uploaded.
    plugin: Option<plugins::Stamp>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What is known of the destinations that have a runner.
#[derive(Default)]
struct Board {
    destinations: Mutex<BTreeMap<String, Seat>>,
    /// Something about them has changed.
    changed: Notify,
}

#[derive(Clone, Default)]
pub(crate) struct Seat {
    tracker: Option<Arc<Tracker>>,
    pub(crate) exit: Option<Exit>,
    pub(crate) chains: BTreeMap<Arc<str>, Chain>,
    held: Option<String>,
    starting: bool,
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

/// Why a dead letter was not retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is no such dead letter.
    #[error("there is no dead letter {0}")]
    Missing(i64),
    /// Its destination does not deliver now.
    #[error("destination \"{0}\" does not deliver now; enable it first")]
    NotRunning(String),
    /// Its destination sends no requests that could be shown.
    #[error("destination \"{0}\" writes objects: there is no request to be shown; retry the dead letter instead")]
    WritesObjects(String),
    /// The transformation still fails on it.
    #[error("it failed again: {0}")]
    FailedAgain(String),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] Error),
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
        let archive = archive::Config::default();
        (Supervisor { parts, catalog, slots: BTreeMap::new(), board, archive }, handle)
    }

    /// With an archive of raw events.
    #[must_use]
    pub fn with_archive(mut self, config: archive::Config) -> Supervisor {
        self.archive = config;
        self
    }

    /// Runs until `shutdown`, then drains every destination within the drain time.
    ///
    /// # Errors
    /// When the database cannot be asked what there is to do.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let archive = Archive::prepare(&self.parts, &self.archive).await?;
        let archive = archive.map(|archive| tokio::spawn(archived(archive, self.board.clone(), shutdown.clone())));
        loop {
            let catalog = self.catalog.borrow_and_update().clone();
            self.follow(&catalog).await?;
            tokio::select! {
                () = shutdown.cancelled() => break,
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
        for id in revisions::active_destinations(&self.parts.store).await? {
            if !catalog.destinations.contains_key(&id) {
                let old = self.slots.get(&id).map(|slot| slot.spec.as_ref().clone());
                let removed = old.map_or_else(|| Spec::unknown(&id), Spec::removed);
                wanted.insert(id, removed);
            }
        }
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
}

/// The archive, with a seat among the destinations.
async fn archived(archive: Archive, board: Arc<Board>, stop: CancellationToken) {
    let seat = |change: Seat| {
        board.lock().insert(archive::READER.to_owned(), change);
        board.changed.notify_waiters();
    };
    let known = |tracker, shelf| {
        seat(Seat { tracker: Some(tracker), exit: Some(Exit::Objects(shelf)), ..Seat::default() });
    };
    let held = |why| {
        let tracker = board.lock().get(archive::READER).and_then(|seat| seat.tracker.clone());
        seat(Seat { tracker, held: Some(why), ..Seat::default() });
    };
    archive.run(stop, known, held).await;
}

/// Sees one runner through: set up, run, and what comes after.
struct Attendant {
    parts: Parts,
    spec: Arc<Spec>,
    board: Arc<Board>,
    stop: CancellationToken,
}

impl Attendant {
    async fn run(self) {
        loop {
            self.seat(|seat| {
                seat.starting = true;
                seat.held = None;
            });
            let held = tokio::select! {
                () = self.stop.cancelled() => break,
                ready = self.set_up() => match ready {
                    Ok(runner) => {
                        self.seat(|seat| {
                            seat.starting = false;
                            seat.exit = runner.exit();
                            seat.chains = runner.chains().clone();
                        });
                        // Not under the select: a runner that is told to stop drains first.
                        Ok(runner)
                    }
                    Err(held) => Err(held),
                },
            };
            let held = match held {
                Ok(runner) => match runner.run(self.stop.clone()).await {
                    Ok(()) if self.stop.is_cancelled() => break,
                    Ok(()) => match self.close_books().await {
                        Ok(()) => return,
                        Err(error) => Held::Store(error),
                    },
                    Err(held) => held,
                },
                Err(held) => held,
            };
            self.seat(|seat| {
                seat.exit = None;
                seat.chains.clear();
                seat.starting = false;
                seat.held = Some(held.to_string());
            });
            if let Held::Store(_) | Held::Artifacts(_) = &held {
                tracing::warn!(destination = self.spec.id, error = %held, "destination cannot be set up, trying again");
                tokio::select! {
                    () = self.stop.cancelled() => break,
                    () = tokio::time::sleep(SET_UP_PAUSE) => {}
                }
            } else {
                tracing::error!(destination = self.spec.id, error = %held, "destination waits for a new configuration");
                self.stop.cancelled().await;
                break;
            }
        }
        self.seat(|seat| {
            seat.exit = None;
            seat.chains.clear();
        });
    }

    async fn set_up(&self) -> Result<Runner, Held> {
        let known = self.board.lock().get(&self.spec.id).and_then(|seat| seat.tracker.clone());
        let tracker = match known {
            Some(tracker) => tracker,
            None => self.parts.settlement.tracker(&self.spec.id).await?,
        };
        self.seat(|seat| seat.tracker = Some(tracker.clone()));
        ledger::open(&self.parts.store, &self.spec.id).await?;
        if let Mode::Filter { reason } = self.spec.mode {
            self.bury_parked(&tracker, reason).await?;
        }
        Runner::set_up(self.parts.clone(), self.spec.clone(), tracker).await
    }

    /// Parked events of a destination that takes nothing any more become dead letters.
    async fn bury_parked(&self, tracker: &Arc<Tracker>, reason: &str) -> Result<(), Error> {
        for parked in self.parts.settlement.parked(&self.spec.id).await? {
            let error = (!parked.last_error.is_empty()).then(|| parked.last_error.clone());
            let letter = DeadLetter { error, ..parked.dead(reason) };
            tracker.unpark(&parked, Fate::Dead(letter));
        }
        self.parts.settlement.flush().await;
        Ok(())
    }

    /// The backlog is dealt with: the destination holds nothing back any more.
    async fn close_books(&self) -> Result<(), Error> {
        self.parts.settlement.flush().await;
        self.board.lock().remove(&self.spec.id);
        revisions::deactivate(&self.parts.store, &self.spec.id).await?;
        self.parts.settlement.forget(&self.spec.id);
        Ok(())
    }

    fn seat(&self, change: impl FnOnce(&mut Seat)) {
        change(self.board.lock().entry(self.spec.id.clone()).or_default());
        self.board.changed.notify_waiters();
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seat>> {
        self.destinations.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    /// Tries a dead letter again: behind what its key has now, out of the order it once had.
    ///
    /// # Errors
    /// [`RetryError`] says why it stays where it is.
    pub async fn retry(&self, id: i64) -> Result<(), RetryError> {
        let store = &self.parts.store;
        let there = || async { dead_letters::get(store, id).await?.ok_or(RetryError::Missing(id)) };
        let stored = there().await?;
        let seat = self.seat(&stored.destination).await;
        let (Some(tracker), Some(exit)) = (seat.tracker, seat.exit) else {
            return Err(RetryError::NotRunning(stored.destination));
        };
        // Somebody else is about to deliver it again, or has done so since it was looked up.
        let Some(claim) = tracker.claim(id) else { return Err(RetryError::Missing(id)) };
        let stored = there().await?;
        let mut claimed = Vec::new();
        if stored.letter.stage == Stage::Transformation {
            let chain = seat.chains.get(&*stored.letter.connection_id);
            let chain = chain.ok_or_else(|| RetryError::NotRunning(stored.destination.clone()))?;
            let payloads = self.transform(chain, &stored.letter).await?;
            if payloads.is_empty() {
                tracker.let_go(&claim, &stored, dead_letters::has_others(store, &stored).await?);
            } else {
                for letter in dead_letters::replace(store, &stored, &payloads).await? {
                    let claim = tracker.claim(letter);
                    claimed.extend(claim.zip(dead_letters::get(store, letter).await?));
                }
            }
        } else {
            claimed.push((claim, stored));
        }
        let mut revived = Vec::new();
        for (claim, stored) in &claimed {
            let others_dead = dead_letters::has_others(store, stored).await?;
            revived.push(tracker.revive(claim, stored, others_dead, now_ms() as i64));
        }
        // Until the rows have changed nothing is tried, and nobody else may claim the letters.
        self.parts.settlement.flush().await;
        drop(claimed);
        for parked in revived {
            // A closing outlet leaves the row, which is read when the destination starts again.
            exit.adopt(parked);
        }
        Ok(())
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

    async fn transform(&self, chain: &Chain, letter: &DeadLetter) -> Result<Vec<bytes::Bytes>, RetryError> {
        let input = Input::of_letter(letter);
        let mut payloads = Vec::new();
        for product in chain.run(&[input], now_ms(), &self.parts.config).await {
            match product.result {
                Ok(members) => payloads.push(batch::payload(&members)),
                Err(crate::chain::End::Failed { reason, .. }) => return Err(RetryError::FailedAgain(reason)),
                Err(crate::chain::End::Dropped { .. } | crate::chain::End::LeftOut) => {}
            }
        }
        Ok(payloads)
    }
}
