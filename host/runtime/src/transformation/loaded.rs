//! Instances of a script engine that have loaded one version of one script.

use super::call::{Answer, Call, Transforms};
use super::{EnginePre, Handler, ScriptError, Source, reply};
use crate::Config;
use crate::bindings::script_engine::{self as wit, BatchContext, ScriptEnginePlugin};
use crate::egress::Hosts;
use crate::instance::{GuestCall, load_moment};
use crate::limiter::State;
use crate::metrics::Subject;
use crate::pool::Kind;
use crate::script::{Prepared, excerpt, shown};
use crate::system::System;
use std::sync::Arc;
use wasmtime::Store;

/// What every instance of the version is given.
pub(super) struct Loaded {
    guest: EnginePre,
    needs_system: bool,
    ctx: BatchContext,
    modules: Vec<wit::Module>,
    exports: Vec<String>,
    credentials: Vec<(String, String)>,
    hosts: Arc<Hosts>,
    source: Source,
    text_bytes_max: usize,
    written_bytes_max: usize,
}

/// A script engine and the function that it found in the script.
pub(super) struct Script {
    engine: ScriptEnginePlugin,
    pub(super) handler: Handler,
}

impl Loaded {
    pub(super) fn new(
        guest: EnginePre,
        needs_system: bool,
        config: &Config,
        source: Source,
        prepared: Prepared,
    ) -> Loaded {
        // Taken once, so that the clock is the same for all instances as well.
        let (now_ms, random_seed) = load_moment(&source.version);
        let ctx = BatchContext {
            now_ms,
            random_seed,
            deadline_ms: config.deadline_ms(),
            transformation_id: source.id.clone(),
            version_id: source.version.clone(),
        };
        let name = |import_name: &str| match import_name {
            "" => source.name.clone(),
            library => shown(library),
        };
        let modules = prepared.modules.into_iter().map(|module| wit::Module {
            name: name(&module.import_name),
            import_name: module.import_name,
            source: module.source,
            prelude: module.prelude,
        });
        let modules = modules.collect();
        let credentials = source.credentials.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        // They were looked at when the script was loaded first.
        let hosts = Arc::new(Hosts::new(&source.hosts).unwrap_or_default());
        Loaded {
            guest,
            needs_system,
            ctx,
            modules,
            exports: prepared.exports,
            credentials,
            hosts,
            source,
            text_bytes_max: config.text_bytes_max,
            written_bytes_max: config.written_bytes_max,
        }
    }

    /// The moment at which its top-level code runs.
    pub(super) fn now_ms(&self) -> u64 {
        self.ctx.now_ms
    }

    pub(super) fn set_now_ms(&mut self, now_ms: u64) {
        self.ctx.now_ms = now_ms;
    }

    /// The module's name.
    pub(super) fn name(&self) -> &str {
        &self.source.name
    }

    fn error(&self, error: wit::ScriptError) -> ScriptError {
        let wit::ScriptError { mut module, mut message, line, column, mut stack } = error;
        for text in [&mut module, &mut message, &mut stack] {
            reply::cut(text, self.text_bytes_max);
        }
        let library = self.source.libraries.iter().find(|(name, _)| shown(name) == module);
        let excerpt = excerpt(library.map_or(&self.source.code, |(_, code)| code), line, column);
        ScriptError { module, message, line, column, excerpt, stack }
    }
}

impl Kind for Loaded {
    type Api = Script;
    type Refusal = ScriptError;

    fn subject(&self) -> Subject {
        Subject::transformation("script-engine", &self.source.id)
    }

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<Script, ScriptError>> {
        let state = store.data_mut();
        state.grant(self.hosts.clone());
        state.system = self.needs_system.then(|| Box::new(System::new(self.written_bytes_max)));
        state.begin(self.ctx.now_ms, self.ctx.random_seed);
        let engine = self.guest.instantiate_async(&mut *store).await?;
        let script_engine = engine.pintle_plugin_script_engine();
        let loaded = script_engine.call_load(store, &self.ctx, &self.modules, &self.exports, &self.credentials).await?;
        let info = match loaded {
            Ok(info) => info,
            Err(error) => return Ok(Err(self.error(error))),
        };
        let handler = match info.handler.as_str() {
            "transformEvent" => Handler::PerEvent,
            _ => Handler::Batch,
        };
        Ok(Ok(Script { engine, handler }))
    }
}

impl Transforms for Loaded {
    fn transform<'a>(api: &'a Script, store: &'a mut Store<State>, call: Call) -> GuestCall<'a, Answer> {
        let plugin = api.engine.pintle_plugin_script_engine();
        Box::pin(async move { plugin.call_transform(store, &(&call).into(), &call.batch).await })
    }
}
