//! User transformations: source code on a script engine, or a component of their own.

mod call;
mod loaded;
mod plain;
mod reply;

pub use reply::{Entry, LogLine, Reply};

use crate::bindings::script_engine::ScriptEnginePluginPre;
use crate::bindings::transformation::TransformationPluginPre;
use crate::egress::Hosts;
use crate::instance::Host;
use crate::limiter::State;
use crate::pool::{Pool, StartFailure};
use crate::{CallFailure, Component, LoadError, script};
use loaded::Loaded;
use plain::Plain;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

type EnginePre = ScriptEnginePluginPre<State>;
type PlainPre = TransformationPluginPre<State>;

/// What one call may know of the world outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Wall-clock time of the batch in milliseconds.
    pub now_ms: u64,
    /// Seed for everything random.
    pub random_seed: u64,
    /// The transformation's id in the catalog.
    pub transformation_id: String,
    /// The version that runs.
    pub version_id: String,
}

/// A transformation as its author wrote it, and what it was given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The transformation's id in the catalog.
    pub id: String,
    /// The version.
    pub version: String,
    /// The module's name in stack traces, e.g. `transformation.js`.
    pub name: String,
    /// The text: a module in the engine's language.
    pub code: String,
    /// Modules that it may import, by the names under which it does. They may import each other.
    pub libraries: BTreeMap<String, String>,
    /// What `getCredential` knows. Never shown.
    pub credentials: BTreeMap<String, String>,
    /// Hosts that it may fetch from: `api.example.com`, `*.example.com`, `*`. With none, it needs no engine
    /// that has the import.
    pub hosts: Vec<String>,
}

/// Leaves out the values of credentials.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("name", &self.name)
            .field("libraries", &self.libraries.keys())
            .field("credentials", &self.credentials.keys())
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// The function that handles events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// `transformEvent`: one event at a time.
    PerEvent,
    /// `transformBatch`, or `transform` of code version 0: the whole batch at once, so that how events are grouped matters.
    Batch,
}

/// Why a script did not load.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct ScriptError {
    /// The module in which it happened.
    pub module: String,
    /// What is wrong, and where it can be said what to do.
    pub message: String,
    /// Line in the user's text, from 1; 0 when unknown.
    pub line: u32,
    /// Column in UTF-16 units, from 1; 0 when unknown.
    pub column: u32,
    /// The line itself.
    pub excerpt: String,
    /// Frames of the user's code; empty when it did not get to run.
    pub stack: String,
}

impl ScriptError {
    fn sentence(&self) -> String {
        match self.line {
            0 => format!("{}: {}", self.module, self.message),
            line => format!("{}:{line}:{}: {}", self.module, self.column, self.message),
        }
    }
}

/// What a script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JavaScript, and TypeScript as far as its types can be erased.
    JavaScript,
    /// Python.
    Python,
}

/// An engine component, ready to load scripts.
pub struct ScriptEngine {
    host: Arc<Host>,
    guest: EnginePre,
    language: Language,
    /// It imports the way out.
    network: bool,
    needs_system: bool,
    digest: Arc<str>,
}

impl ScriptEngine {
    pub(crate) fn new(
        host: Arc<Host>,
        component: &Component,
        language: Language,
    ) -> Result<Arc<ScriptEngine>, LoadError> {
        let guest = EnginePre::new(component.pre()?).map_err(|error| component.misfit(error))?;
        let (network, needs_system) = (component.network(), component.needs_system());
        let digest = component.digest().into();
        Ok(Arc::new(ScriptEngine { host, guest, language, network, needs_system, digest }))
    }

    /// Prepares a module and loads it in a first instance, which stays warm.
    pub async fn load(self: &Arc<Self>, source: Source) -> Result<Arc<Transformation>, ScriptError> {
        self.load_at(source, None).await
    }

    /// The same with this moment as the time at which its top-level code runs, in Unix milliseconds: what a version
    /// has made of an event is made of it again.
    pub async fn load_at(
        self: &Arc<Self>,
        source: Source,
        now_ms: Option<u64>,
    ) -> Result<Arc<Transformation>, ScriptError> {
        let refused = |message: String| ScriptError { module: source.name.clone(), message, ..ScriptError::default() };
        Hosts::new(&source.hosts).map_err(refused)?;
        if !source.hosts.is_empty() && !self.network {
            return Err(refused("it was granted hosts, and this engine has no network".to_owned()));
        }
        let prepared = match self.language {
            Language::JavaScript => script::prepare(&source, &self.host.config).await?,
            Language::Python => script::python::prepare(&source, &self.host.config)?,
        };
        let mut loaded = Loaded::new(self.guest.clone(), self.needs_system, &self.host.config, source, prepared);
        if let Some(now_ms) = now_ms {
            loaded.set_now_ms(now_ms);
        }
        let loaded_at_ms = Some(loaded.now_ms());
        let pool = Pool::new(self.host.clone(), loaded);
        let problem = match pool.lease().await {
            Ok(mut lease) => {
                let handler = lease.instance().api.handler;
                return Ok(Arc::new(Transformation {
                    host: self.host.clone(),
                    handler,
                    instances: Instances::Script(pool),
                    component: self.digest.clone(),
                    loaded_at_ms,
                }));
            }
            Err(StartFailure::Refused(error)) => return Err(error),
            Err(StartFailure::Failed(failure)) => failure,
        };
        let module = pool.kind().name().to_owned();
        Err(ScriptError { module, message: format!("while it was loaded, {problem}"), ..ScriptError::default() })
    }
}

/// One version of one transformation: a pool of instances, each with its script loaded.
pub struct Transformation {
    host: Arc<Host>,
    handler: Handler,
    instances: Instances,
    component: Arc<str>,
    loaded_at_ms: Option<u64>,
}

enum Instances {
    Script(Arc<Pool<Loaded>>),
    Component(Arc<Pool<Plain>>),
}

impl Transformation {
    pub(crate) async fn of_component(
        host: Arc<Host>,
        component: &Component,
        hosts: &[String],
    ) -> Result<Arc<Transformation>, LoadError> {
        if component.network() && hosts.is_empty() {
            return Err(LoadError::NoHosts);
        }
        let hosts = Arc::new(Hosts::new(hosts).map_err(LoadError::Hosts)?);
        let guest = PlainPre::new(component.pre()?).map_err(|error| component.misfit(error))?;
        let written_bytes_max = component.needs_system().then_some(host.config.written_bytes_max);
        let pool = Pool::new(host.clone(), Plain { guest, id: OnceLock::new(), hosts, written_bytes_max });
        // Whether its functions have the right shape shows when it is first started; it stays warm.
        if let Err(failure) = pool.lease().await {
            return Err(match CallFailure::from(failure) {
                CallFailure::Busy => LoadError::Busy,
                failure => component.unfit(failure.to_string()),
            });
        }
        // The world lets the host try every event on its own.
        let (handler, instances) = (Handler::PerEvent, Instances::Component(pool));
        let component = component.digest().into();
        Ok(Arc::new(Transformation { host, handler, instances, component, loaded_at_ms: None }))
    }

    /// The SHA-256, in hexadecimal, of the component that runs: its own, or the engine of a script.
    pub fn component_digest(&self) -> &str {
        &self.component
    }

    /// The moment that a script's top-level code was told when it was loaded, in Unix milliseconds; none of a
    /// component, which is told the time of each call only.
    pub fn loaded_at_ms(&self) -> Option<u64> {
        self.loaded_at_ms
    }

    /// The function that handles events.
    pub fn handler(&self) -> Handler {
        self.handler
    }

    /// Linear memory of the largest instance that is waiting for work; none when none is.
    pub fn memory_bytes(&self) -> Option<usize> {
        match &self.instances {
            Instances::Script(pool) => pool.memory_bytes(),
            Instances::Component(pool) => pool.memory_bytes(),
        }
    }

    /// One call of the guest, without splitting: the caller decides how large a batch may be.
    ///
    /// `batch` is a JSON array of `events` objects `{"message": …, "metadata": {…}}`.
    pub async fn transform(&self, ctx: &Context, batch: Vec<u8>, events: usize) -> Result<Reply, CallFailure> {
        let config = &self.host.config;
        let (answer, written) = match &self.instances {
            Instances::Script(pool) => call::transform(pool, ctx, batch, events).await?,
            Instances::Component(pool) => call::transform(pool, ctx, batch, events).await?,
        };
        match answer {
            Ok(bytes) => {
                let mut reply = Reply::parse(bytes, events, config)?;
                reply.add_written(written, config);
                Ok(reply)
            }
            Err(mut refusal) => {
                reply::cut(&mut refusal, config.text_bytes_max);
                Err(CallFailure::Refused(refusal))
            }
        }
    }
}
