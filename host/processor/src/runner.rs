//! One destination: reads, transforms, maps, hands over; from its start to its replacement.

mod current;
mod exit;
mod feed;
mod loaded;

pub(crate) use current::Current;
pub(crate) use exit::Exit;
pub(crate) use feed::next_before;
pub(crate) use loaded::Loaded;

use crate::archive;
use crate::batch::{self, Input};
use crate::chain::Chain;
use crate::config::Config;
use crate::intake::{Intake, Rules, Sorted};
use crate::integrations::Gate;
use crate::journal::Journal;
use crate::map::Mapper;
use crate::metrics;
use crate::plugins::{self, Plugins, Unloadable};
use crate::ranges::{Keeper, Layout, Mapped, Press, Setup};
use crate::spec::{Mode, Route, Running, Spec};
use crate::trace;
use exit::Way;
use feed::Feed;
use pintle_catalog::{Catalog, secrets};
use pintle_objects::{Depot, Place};
use pintle_router::{HttpClient, Mask, Outlet, Paces, Scribe, Trust};
use pintle_runtime::destination::{ConfigureError, Destination, Wire};
use pintle_runtime::transformation::Context;
use pintle_store::log::{Chunk, Log, Reader};
use pintle_store::settle::{Settlement, Tracker};
use pintle_store::suppressions::Suppressions;
use pintle_store::traces::Tracer;
use pintle_store::{Store, fail_point, revisions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What every request of a replay has: its id.
const REPLAY_HEADER: &str = "pintle-replay";
/// How long after a failure of the database a runner reads on.
pub(crate) const READ_PAUSE: Duration = Duration::from_millis(200);
/// How often a replay that has read everything looks whether all of it is settled.
pub(crate) const REST_LOOK: Duration = Duration::from_millis(100);
/// How often a stopped runner looks whether its destination still takes anything.
const LOOK: Duration = Duration::from_millis(20);

/// What every runner needs.
#[derive(Clone)]
pub struct Parts {
    /// The processor's settings.
    pub config: Config,
    /// The router's settings.
    pub router: pintle_router::Config,
    /// Whose certificates destinations may have.
    pub trust: Trust,
    /// How fast each destination may be sent to, whoever sends.
    pub paces: Paces,
    /// The settings of object storage.
    pub objects: pintle_objects::Config,
    /// Our database.
    pub store: Store,
    /// Where raw events are kept.
    pub archive: archive::Config,
    /// The event log.
    pub log: Log,
    /// Where events are settled.
    pub settlement: Settlement,
    /// The components.
    pub plugins: Plugins,
    /// What transformations say.
    pub journal: Journal,
    /// Users whose events go nowhere.
    pub suppressions: Suppressions,
    /// Which events somebody follows.
    pub tracer: Tracer,
    /// What is configured.
    pub catalog: watch::Receiver<Arc<Catalog>>,
    /// False while this process is not sure to own the destinations.
    pub attempts_allowed: watch::Receiver<bool>,
}

/// Why a destination does not run. Its cursor stays; a new revision starts it again.
#[derive(Debug, thiserror::Error)]
pub enum Held {
    /// The plugin cannot be used.
    #[error(transparent)]
    Plugin(#[from] plugins::Error),
    /// The configuration does not fit the plugin.
    #[error("configuration: {0}")]
    Config(#[from] ConfigureError),
    /// It does not say where objects are to be kept.
    #[error("configuration: {0}")]
    Place(#[from] pintle_objects::Invalid),
    /// The archive cannot be read back.
    #[error("the archive cannot be read: {0}")]
    Unread(String),
    /// The archive's settings cannot be used any more.
    #[error("{0}")]
    Archive(String),
    /// A reference in the configuration leads nowhere.
    #[error("configuration: {0}")]
    Secret(#[from] secrets::Unresolved),
    /// A transformation does not load.
    #[error("transformation \"{name}\" does not load: {error}")]
    Code {
        /// Its name.
        name: String,
        /// Where and why.
        error: Unloadable,
    },
    /// A transformation fails on everything.
    #[error("transformation \"{0}\" fails on every event; the destination waits for a new version of it")]
    Broken(String),
    /// A connection names a transformation that is not there.
    #[error("connection \"{connection}\" names transformation \"{transformation}\", which is not there")]
    NoTransformation {
        /// The connection.
        connection: String,
        /// What it names.
        transformation: String,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] pintle_store::Error),
    /// The database does not answer when code is read from it.
    #[error("code cannot be read: {0}")]
    Artifacts(Arc<pintle_store::Error>),
}

/// What a version of a transformation is told about itself.
pub(crate) fn context(id: &str, running: &Running) -> Context {
    let version_id = running.version();
    Context {
        now_ms: 0,
        random_seed: xxhash_rust::xxh3::xxh3_64(version_id.as_bytes()),
        transformation_id: id.to_owned(),
        version_id,
    }
}

/// A destination that is set up and reads.
pub struct Runner {
    parts: Parts,
    spec: Arc<Spec>,
    tracker: Arc<Tracker>,
    chains: BTreeMap<Arc<str>, Chain>,
    delivery: Option<(Mapper, Way)>,
    plugin_types: Vec<String>,
    scribe: Scribe,
}

impl Runner {
    /// Loads and configures what the destination needs.
    ///
    /// # Errors
    /// [`Held`] says what stands in the way.
    pub async fn set_up(parts: Parts, spec: Arc<Spec>, tracker: Arc<Tracker>) -> Result<Runner, Held> {
        let scribe = scribe(&parts, &spec, Mask::default());
        let (chains, plugin_types) = (BTreeMap::new(), Vec::new());
        let mut runner = Runner { parts, spec, tracker, chains, delivery: None, plugin_types, scribe };
        if runner.spec.mode == Mode::Deliver {
            runner.load_chains().await?;
            runner.open_way().await?;
            // Only now are all secrets known that may be in what the chains are given.
            runner.chains.values_mut().for_each(|chain| chain.watch(runner.scribe.clone()));
        }
        Ok(runner)
    }

    async fn load_chains(&mut self) -> Result<(), Held> {
        for route in self.spec.routes.values() {
            let chain = self.load_chain(route).await?;
            self.chains.insert(route.connection_id.as_str().into(), chain);
        }
        Ok(())
    }

    async fn load_chain(&self, route: &Route) -> Result<Chain, Held> {
        let mut chain = Chain::default();
        for (step, id) in route.transformations().enumerate() {
            let running = self.spec.transformations.get(id).ok_or_else(|| Held::NoTransformation {
                connection: route.connection_id.clone(),
                transformation: id.clone(),
            })?;
            let loaded = self.parts.plugins.transformation(id, running, &self.spec.given).await;
            let loaded = match loaded {
                Ok(loaded) => loaded,
                // The database is away: that is nobody's mistake, and passes.
                Err(Unloadable::Missing(pintle_store::artifacts::Missing::Store(error))) => {
                    return Err(Held::Artifacts(error));
                }
                Err(error) => return Err(Held::Code { name: running.name.clone(), error }),
            };
            let book = self.parts.journal.book(id);
            let code = trace::code(id, running, &self.spec.given, &loaded);
            chain.push(&running.name, context(id, running), loaded, Some(book));
            chain.told(code);
            if step + 1 == route.source.transformations.len() {
                chain.fan_out(Gate::new(&self.spec.destination_id, &self.spec.destination));
            }
        }
        Ok(chain)
    }

    async fn open_way(&mut self) -> Result<(), Held> {
        let Loaded { plugin, config, mask } = Loaded::load(&self.parts, &self.spec).await?;
        self.plugin_types = plugin.manifest().message_types.clone();
        self.scribe = scribe(&self.parts, &self.spec, mask.clone());
        let way = match plugin.manifest().wire {
            Wire::Http => Way::Outlet(self.outlet_of(plugin.clone(), mask.clone()).await?),
            Wire::Objects => Way::Objects(Box::new(self.keeper_of(plugin.clone(), mask.clone(), &config).await?)),
        };
        self.delivery =
            Some((Mapper { plugin, tracker: self.tracker.clone(), mask, scribe: self.scribe.clone() }, way));
        Ok(())
    }

    async fn keeper_of(
        &self,
        plugin: Arc<Destination>,
        mask: Mask,
        config: &serde_json::Value,
    ) -> Result<Keeper, Held> {
        let Parts { objects, router, log, settlement, suppressions, attempts_allowed, .. } = self.parts.clone();
        Ok(Keeper::new(Setup {
            depot: Depot::open(Place::read(config)?, &objects, &router),
            parked: settlement.parked(&self.spec.id).await?,
            ends: self.spec.replay.as_ref().and_then(|replay| replay.origin.ends().cloned()),
            tracker: self.tracker.clone(),
            layout: Layout::Destination,
            plugin: Some(plugin),
            config: objects,
            router,
            log,
            settlement,
            suppressions,
            mask,
            attempts_allowed,
        }))
    }

    async fn outlet_of(&self, plugin: Arc<Destination>, mask: Mask) -> Result<Outlet, Held> {
        let mut router = self.parts.router.of(&plugin.manifest().rate, self.spec.destination.delivery.as_ref());
        let mut http = HttpClient::trusting(&router, plugin.manifest().hosts.clone(), &self.parts.trust);
        // Live traffic and replays keep to one pace: what the destination asks for is asked of all of them.
        let mut pace = self.parts.paces.of(&self.spec.destination_id, router.requests_per_second_max);
        if let Some(replay) = &self.spec.replay {
            let share = self.parts.config.replay_share;
            (router, pace) = (router.share(share), Arc::new(pace.share(share)));
            http = http.marked(REPLAY_HEADER, replay.id);
        }
        Ok(Outlet::start(pintle_router::Setup {
            config: router,
            destination_id: self.spec.id.as_str().into(),
            plugin,
            http,
            tracker: self.tracker.clone(),
            parked: self.parts.settlement.parked(&self.spec.id).await?,
            mask,
            attempts_allowed: self.parts.attempts_allowed.clone(),
            suppressions: self.parts.suppressions.clone(),
            scribe: self.scribe.clone(),
            pace: Some(pace),
        }))
    }

    /// The way out, when it has one.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.delivery.as_ref().map(|(_, way)| way.exit())
    }

    /// The chain of a connection, for events that come from elsewhere than the log.
    #[must_use]
    pub fn chains(&self) -> &BTreeMap<Arc<str>, Chain> {
        &self.chains
    }

    /// Reads until it is stopped; when it only filters, until the backlog is dealt with; a replay, until all of it is
    /// settled. What it has begun is finished within the drain time; the rest is forgotten and read again.
    ///
    /// # Errors
    /// [`Held`] when going on makes no sense.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Held> {
        let starts = revisions::connection_starts(&self.parts.store).await?;
        let rules = Rules::new(
            self.spec.clone(),
            starts,
            std::mem::take(&mut self.plugin_types),
            self.parts.suppressions.clone(),
            self.scribe.clone(),
        );
        let intake = Intake::new(rules, self.tracker.clone());
        let result = match self.delivery.take() {
            Some((mapper, Way::Objects(mut keeper))) => tokio::select! {
                () = stop.cancelled() => Ok(()),
                result = self.keep(&intake, &mapper, &mut keeper) => result,
            },
            Some((mapper, Way::Outlet(outlet))) => {
                let result = self.deliver(&intake, Some((&mapper, &outlet)), &stop).await;
                outlet.close(self.parts.config.drain_time_max()).await;
                result
            }
            None => self.deliver(&intake, None, &stop).await,
        };
        self.parts.settlement.flush().await;
        self.tracker.rewind();
        result
    }

    /// Writes objects. What is under way when it is dropped comes again, under the same names.
    async fn keep(&self, intake: &Intake, mapper: &Mapper, keeper: &mut Keeper) -> Result<(), Held> {
        let mut press = Press::Mapped(Mapped {
            config: &self.parts.config,
            spec: &self.spec,
            chains: &self.chains,
            current: Current::new(self.parts.catalog.clone()),
            intake,
            mapper,
        });
        let catalog = self.parts.catalog.clone();
        keeper.run(&mut press, || catalog.borrow().revision).await
    }

    async fn deliver(
        &self,
        intake: &Intake,
        delivery: Option<(&Mapper, &Outlet)>,
        stop: &CancellationToken,
    ) -> Result<(), Held> {
        let mut feed = Feed::open(&self.parts, &self.spec, &self.tracker)?;
        tokio::select! {
            () = self.out_of_time(delivery.map(|(_, outlet)| outlet), stop) => Ok(()),
            result = self.read(intake, delivery, &mut feed, stop) => result,
        }
    }

    /// Until it was stopped and has had the time to hand over the batch that it has begun: half a batch that was
    /// delivered would come a second time. Behind an open breaker nothing moves, and nothing is waited for.
    async fn out_of_time(&self, outlet: Option<&Outlet>, stop: &CancellationToken) {
        stop.cancelled().await;
        let deadline = tokio::time::Instant::now() + self.parts.config.drain_time_max();
        let is_moving = || outlet.is_some_and(|outlet| outlet.status().breaker.is_none());
        while is_moving() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Reads until `stop`, between two batches, or to the end where there is one.
    async fn read(
        &self,
        intake: &Intake,
        delivery: Option<(&Mapper, &Outlet)>,
        feed: &mut Feed,
        stop: &CancellationToken,
    ) -> Result<(), Held> {
        let (mut held, mut current) = (None, Current::new(self.parts.catalog.clone()));
        loop {
            if stop.is_cancelled() {
                return Ok(());
            }
            let chunk = match held.take() {
                Some(chunk) => chunk,
                None => tokio::select! {
                    chunk = feed.next(&self.spec.id) => match chunk? {
                        Some(chunk) => chunk,
                        None if delivery.is_none() => return Ok(()),
                        None => return self.come_to_rest(stop).await,
                    },
                    () = stop.cancelled() => return Ok(()),
                },
            };
            if !current.wait(&self.spec, stop).await {
                return Ok(());
            }
            let mut sorted = Sorted::new();
            let mut taken = intake.take(&chunk, &mut sorted).await?;
            // Small chunks share their calls: whatever is committed by now and fits.
            while taken < self.parts.config.batch_events_max.get() {
                let Some(chunk) = feed.next_ready().await else { break };
                if !intake.has_room(&chunk) || !current.is_asked_for(&self.spec) {
                    held = Some(chunk);
                    break;
                }
                taken += intake.take(&chunk, &mut sorted).await?;
            }
            fail_point::pass("processor:after-begin");
            metrics::read(&self.spec.id, taken);
            if let Some((mapper, outlet)) = delivery {
                self.process(sorted, mapper, outlet).await?;
            }
        }
    }

    /// Nothing is left to be read: waits until everything is settled, also what is parked.
    async fn come_to_rest(&self, stop: &CancellationToken) -> Result<(), Held> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(REST_LOOK) => if self.tracker.is_at_rest() { return Ok(()) },
            }
        }
    }

    async fn process(&self, sorted: Sorted, mapper: &Mapper, outlet: &Outlet) -> Result<(), Held> {
        let mut deliveries = Vec::new();
        let connections = sorted.len();
        for (connection, inputs) in sorted {
            let chain = &self.chains[&connection];
            for range in batch::calls(&inputs, &self.parts.config, |input| input.members.len()) {
                deliveries.append(&mut self.transform(mapper, chain, &inputs[range]).await);
                if let Some(name) = chain.broken(&self.parts.config) {
                    return Err(Held::Broken(name.to_owned()));
                }
            }
        }
        fail_point::pass("processor:after-transform");
        if connections > 1 {
            // Connections were transformed one after the other; a key may be in several of them.
            deliveries.sort_by_key(|delivery| delivery.position);
        }
        for delivery in deliveries {
            if outlet.send(delivery).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn transform(&self, mapper: &Mapper, chain: &Chain, inputs: &[Input]) -> Vec<pintle_router::Delivery> {
        let now_ms = now_ms();
        let products = chain.run(inputs, now_ms, &self.parts.config).await;
        mapper.map(inputs, products, chain.groups(), now_ms, &self.parts.config).await
    }
}

/// The next chunk, however long it takes.
pub(crate) async fn next_chunk(destination: &str, reader: &mut Reader) -> Arc<Chunk> {
    loop {
        match reader.next().await {
            Ok(chunk) => return chunk,
            Err(error) => {
                tracing::warn!(destination, %error, "the log cannot be read, trying again");
                tokio::time::sleep(READ_PAUSE).await;
            }
        }
    }
}

/// Writes down what happens at a destination, without its secrets.
fn scribe(parts: &Parts, spec: &Spec, mask: Mask) -> Scribe {
    Scribe::new(parts.tracer.clone(), spec.id.as_str().into(), mask, parts.catalog.borrow().revision)
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
