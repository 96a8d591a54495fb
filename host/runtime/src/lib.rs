//! The component runtime: the only place where guests run, and the only user of wasmtime.
//!
//! A plugin is a WebAssembly component that fits one of the worlds in `wit/`. It gets bytes and answers with
//! values; it has no clock, no files, and no network but what [`fetch`] carries for transformations that were
//! granted hosts. (A language runtime that cannot do without finds an imitation of a system, `system.rs`.)
//! Nothing that it does may stall, crash or read anybody
//! else's data, so everything here is a limit with a name ([`Config`]) or a consequence of one.
//!
//! ```text
//!  bytes ── check header ── digest ──┬─ in memory ─────────────────────┐
//!                                    ├─ on disk, checksum right ───────┤
//!                                    └─ compile (one at a time) ───────┴─ imports? exports? ── Component
//!
//!  Component + configuration or script ── Pool
//!     start ─► ready ─► call ─► ready ─► … ─► worn out, idle, or in the way: dropped
//!                        └─► trap, time-out, dropped half-way: dropped at once
//! ```
//!
//! * [`Runtime::destination`] gives a plugin that can be configured; the result describes requests.
//! * [`Runtime::script_engine`] gives an interpreter that loads a user's module. The compiled engine is
//!   mapped once and shared by all; a version of a transformation has its own instances, so no two users'
//!   code ever meets in one.
//! * [`Runtime::transformation_component`] takes a transformation in any language; [`build`] makes one of a
//!   script.
//!
//! An instance serves many batches of one configuration or version, one at a time. It is replaced after a
//! number of batches that differs from instance to instance, when its memory has grown, and after every
//! failure: a store that trapped is never entered again. A guest is stopped by the epoch when it has run for
//! too long (`clock.rs`), and by a time-out when it has taken too long in all.
//!
//! A failed call is a [`CallFailure`], not an error of ours: the caller tries the events one by one and
//! refuses only the guilty one.

mod bindings;
pub mod build;
mod cache;
mod clock;
mod component;
mod config;
pub mod destination;
pub mod egress;
mod engine;
mod failure;
pub mod fetch;
mod instance;
mod limiter;
mod metrics;
mod pool;
pub mod record;
mod script;
mod system;
pub mod transformation;

pub use cache::Precompiler;
pub use component::{Component, World};
pub use config::Config;
pub use failure::{CallFailure, Error, LoadError};

use cache::Cache;
use clock::Clock;
use destination::DestinationPlugin;
use instance::Host;
use pool::Budget;
use std::sync::Arc;
use transformation::{Language, ScriptEngine, Transformation};

/// Compiles, checks and runs plugins. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    host: Arc<Host>,
    cache: Arc<Cache>,
}

/// What all instances use at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Instances alive, idle ones included.
    pub instances: usize,
    /// Their linear memory in bytes.
    pub memory_bytes: usize,
}

impl Runtime {
    /// Sets up the engine, the pool of instances and the cache directory. No guest can fetch.
    pub fn new(config: Config) -> Result<Runtime, Error> {
        Runtime::start(config, None)
    }

    /// The same with a way out for transformations that were granted hosts.
    pub fn with_network(config: Config, network: Arc<dyn fetch::Network>) -> Result<Runtime, Error> {
        Runtime::start(config, Some(network))
    }

    fn start(config: Config, network: Option<Arc<dyn fetch::Network>>) -> Result<Runtime, Error> {
        config.validate()?;
        metrics::describe();
        let engine = engine::native(&config)?;
        let cache = Arc::new(Cache::open(&engine, &config)?);
        let budget = Budget::new(&config);
        let clock = Clock::start(engine.clone(), config.epoch_tick, Arc::downgrade(&budget))
            .map_err(|error| Error::Engine(error.to_string()))?;
        let host = Arc::new(Host { engine, config: Arc::new(config), clock, budget, network });
        Ok(Runtime { host, cache })
    }

    /// Compiles a component of any world, or takes it from a cache, and checks what it imports and exports.
    pub async fn component(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        self.check(bytes, None).await
    }

    /// Loads a destination plugin and asks it to describe itself.
    pub async fn destination(&self, bytes: &[u8]) -> Result<Arc<DestinationPlugin>, LoadError> {
        let component = self.check(bytes, Some(World::Destination)).await?;
        DestinationPlugin::describe(self.host.clone(), &component).await
    }

    /// Loads a script engine for JavaScript.
    pub async fn script_engine(&self, bytes: &[u8]) -> Result<Arc<ScriptEngine>, LoadError> {
        let component = self.check(bytes, Some(World::ScriptEngine)).await?;
        ScriptEngine::new(self.host.clone(), &component, Language::JavaScript)
    }

    /// Loads a script engine for Python.
    pub async fn python_engine(&self, bytes: &[u8]) -> Result<Arc<ScriptEngine>, LoadError> {
        let component = self.check(bytes, Some(World::ScriptEngine)).await?;
        ScriptEngine::new(self.host.clone(), &component, Language::Python)
    }

    /// Loads a transformation that is a component of its own. `hosts` are those that it may fetch from: a
    /// component that imports the network is refused without any.
    pub async fn transformation_component(
        &self,
        bytes: &[u8],
        hosts: &[String],
    ) -> Result<Arc<Transformation>, LoadError> {
        let component = self.check(bytes, Some(World::Transformation)).await?;
        Transformation::of_component(self.host.clone(), &component, hosts).await
    }

    /// What all instances use at the moment.
    pub fn usage(&self) -> Usage {
        let (instances, memory_bytes) = self.host.budget.usage();
        Usage { instances, memory_bytes }
    }

    async fn check(&self, bytes: &[u8], wanted: Option<World>) -> Result<Component, LoadError> {
        let (digest, compiled) = self.cache.component(bytes).await?;
        Component::check(digest, compiled, wanted)
    }
}
