//! Destinations: what a plugin says about itself, its configured instances, and the plain types in which
//! it describes deliveries. Nothing here mentions the engine.

mod delivery;
mod manifest;
mod members;
mod schema;
mod wire;

pub use delivery::{Body, Combined, ConfigError, Delivery, Method, Outcome, Record, Request, Response, Verdict};
pub use manifest::{Auth, BatchLimits, Conclude, MANIFEST_BYTES_MAX, Manifest, Rate, Wire};

use crate::bindings::destination::{self as wit, DestinationPlugin as Guest, DestinationPluginPre};
use crate::instance::Host;
use crate::limiter::State;
use crate::metrics::Subject;
use crate::pool::{Kind, Pool, StartFailure};
use crate::{CallFailure, Component, LoadError};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use wasmtime::Store;

type GuestPre = DestinationPluginPre<State>;

/// Why a configuration did not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// The plugin refuses it.
    #[error("{}", sentence(.0))]
    Invalid(Vec<ConfigError>),
    /// The plugin could not be asked.
    #[error("the plugin could not check its configuration: {0}")]
    Failed(#[from] CallFailure),
}

fn sentence(errors: &[ConfigError]) -> String {
    let all: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.path, error.message)).collect();
    all.join("; ")
}

/// What one call may know of the world outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Wall-clock time of the batch in milliseconds.
    pub now_ms: u64,
    /// Seed for everything random.
    pub random_seed: u64,
    /// 1 for the first try of these events, counting up.
    pub attempt: u32,
}

/// A destination's component, not yet configured.
pub struct DestinationPlugin {
    host: Arc<Host>,
    guest: GuestPre,
    manifest: Manifest,
    digest: String,
}

impl DestinationPlugin {
    pub(crate) async fn describe(host: Arc<Host>, component: &Component) -> Result<Arc<DestinationPlugin>, LoadError> {
        let guest = GuestPre::new(component.pre()?).map_err(|error| component.misfit(error))?;
        let pool = Pool::new(host.clone(), Blank { guest: guest.clone() });
        let described = pool.call(
            "describe",
            0,
            |guest, store| Box::pin(guest.pintle_plugin_destination().call_describe(store)),
            String::len,
        );
        let text = described.await.map_err(LoadError::Start)?;
        let manifest = Manifest::parse(&text)?;
        Ok(Arc::new(DestinationPlugin { host, guest, manifest, digest: component.digest() }))
    }

    /// What the plugin says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The SHA-256 of the component's bytes in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Checks a configuration with the manifest's schema and with the plugin, and keeps it for every instance
    /// to come.
    ///
    /// What the schema refuses is refused even if the plugin would take it. The plugin is asked all the same:
    /// of two messages about one value its own says more.
    pub async fn configure(self: &Arc<Self>, config: &serde_json::Value) -> Result<Arc<Destination>, ConfigureError> {
        let by_schema = self.manifest.check_config(config);
        let name = self.manifest.name.clone();
        let kind = Configured { guest: self.guest.clone(), config: config.to_string(), name };
        let pool = Pool::new(self.host.clone(), kind);
        // The instance goes into the pool: the first batch finds it warm.
        match pool.lease().await {
            Ok(_) if by_schema.is_empty() => Ok(Arc::new(Destination { plugin: self.clone(), pool })),
            Err(StartFailure::Refused(ConfigErrors(errors))) => {
                let told: BTreeSet<String> = errors.iter().map(|error| error.path.clone()).collect();
                let others = by_schema.into_iter().filter(|error| !told.contains(&error.path));
                Err(ConfigureError::Invalid(errors.into_iter().chain(others).collect()))
            }
            // A plugin may count on its schema, and crash on what that refuses.
            _ if !by_schema.is_empty() => Err(ConfigureError::Invalid(by_schema)),
            Ok(_) => unreachable!("the first arm takes it"),
            Err(StartFailure::Failed(failure)) => Err(ConfigureError::Failed(failure)),
        }
    }
}

/// A configured destination: a pool of instances that have seen `configure`.
pub struct Destination {
    plugin: Arc<DestinationPlugin>,
    pool: Arc<Pool<Configured>>,
}

impl Destination {
    /// What the plugin says about itself.
    pub fn manifest(&self) -> &Manifest {
        self.plugin.manifest()
    }

    /// The SHA-256 of the component's bytes in hexadecimal.
    pub fn digest(&self) -> &str {
        self.plugin.digest()
    }

    /// Decides what becomes of each event: one outcome per event, in order.
    ///
    /// `batch` is a JSON array of `events` objects `{"message": …, "metadata": {…}}`.
    pub async fn transform(&self, ctx: Context, batch: Vec<u8>, events: usize) -> Result<Vec<Outcome>, CallFailure> {
        let ctx = wit::BatchContext { now_ms: ctx.now_ms, random_seed: ctx.random_seed, attempt: ctx.attempt };
        let outcomes = self.pool.call(
            "transform",
            events,
            |guest, store| {
                let plugin = guest.pintle_plugin_destination();
                Box::pin(async move { plugin.call_transform(store, ctx, &batch).await })
            },
            |outcomes| outcomes.iter().map(wire::size).sum(),
        );
        let outcomes = outcomes.await?;
        match outcomes.len() == events {
            true => Ok(outcomes.into_iter().map(Into::into).collect()),
            false => Err(CallFailure::BadOutput(format!("it gave {} outcomes for {events} events", outcomes.len()))),
        }
    }

    /// Merges prepared requests into bulk requests; only for plugins whose manifest says `combine`. A request
    /// that none of them carries is to be sent as it is.
    ///
    /// # Errors
    /// Also when it carries a request twice, one that was not given, or none.
    pub async fn combine(&self, requests: &[&Request]) -> Result<Vec<Combined>, CallFailure> {
        let given: Vec<wit::Request> = requests.iter().map(|request| (*request).into()).collect();
        let combined = self.pool.call(
            "combine",
            given.len(),
            |guest, store| {
                let plugin = guest.pintle_plugin_destination();
                Box::pin(async move { plugin.call_combine(store, &given).await })
            },
            |combined| combined.iter().map(|combined| wire::request_size(&combined.request)).sum(),
        );
        let combined: Vec<Combined> = combined.await?.into_iter().map(Into::into).collect();
        members::check(&combined, requests.len())?;
        Ok(combined)
    }

    /// Judges the answer to a request that carries so many events: one verdict for all of them, or one for each.
    ///
    /// # Errors
    /// Also when there is another number of verdicts: nobody could say whose they are.
    pub async fn conclude(
        &self,
        request: &Request,
        response: &Response,
        members: usize,
    ) -> Result<Vec<Verdict>, CallFailure> {
        let (request, response): (wit::Request, wit::Response) = (request.into(), response.into());
        let verdicts = self.pool.call(
            "conclude",
            0,
            |guest, store| {
                let plugin = guest.pintle_plugin_destination();
                Box::pin(async move { plugin.call_conclude(store, &request, &response).await })
            },
            |verdicts| size_of_val(verdicts.as_slice()),
        );
        let verdicts = verdicts.await?;
        members::check_verdicts(verdicts.len(), members)?;
        Ok(verdicts.into_iter().map(Into::into).collect())
    }

    /// The request that gets a token, if one is needed.
    pub async fn authenticate(&self) -> Result<Option<Request>, CallFailure> {
        let request = self.pool.call(
            "authenticate",
            0,
            |guest, store| Box::pin(guest.pintle_plugin_destination().call_authenticate(store)),
            |request| request.as_ref().map_or(0, wire::request_size),
        );
        Ok(request.await?.map(Into::into))
    }
}

/// An instance that has only been instantiated.
struct Blank {
    guest: GuestPre,
}

impl Kind for Blank {
    type Api = Guest;
    type Refusal = Infallible;

    /// Its name is what it is asked for.
    fn subject(&self) -> Subject {
        Subject::plugin("")
    }

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<Guest, Infallible>> {
        self.guest.instantiate_async(store).await.map(Ok)
    }
}

/// An instance that has taken its configuration.
struct Configured {
    guest: GuestPre,
    config: String,
    name: String,
}

impl Kind for Configured {
    type Api = Guest;
    type Refusal = ConfigErrors;

    fn subject(&self) -> Subject {
        Subject::plugin(&self.name)
    }

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<Guest, ConfigErrors>> {
        let guest = self.guest.instantiate_async(&mut *store).await?;
        let configured = guest.pintle_plugin_destination().call_configure(store, &self.config).await?;
        Ok(match configured {
            Ok(()) => Ok(guest),
            Err(errors) => Err(ConfigErrors(errors.into_iter().map(Into::into).collect())),
        })
    }
}

struct ConfigErrors(Vec<ConfigError>);

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the plugin no longer takes its configuration: {}", sentence(&self.0))
    }
}
