//! Instances of a script engine that have loaded one version of one script.

use super::{Answer, Context, EnginePre, Handler, ScriptError, Source, answer_size, reply};
use crate::bindings::script_engine::{self as wit, BatchContext, ScriptEnginePlugin};
use crate::limiter::State;
use crate::metrics::Subject;
use crate::pool::{Kind, Pool};
use crate::script::{Prepared, excerpt};
use crate::{CallFailure, Config};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use wasmtime::Store;

/// What every instance of the version is given.
pub(super) struct Loaded {
    guest: EnginePre,
    ctx: BatchContext,
    modules: Vec<wit::Module>,
    exports: Vec<String>,
    source: Source,
    text_bytes_max: usize,
}

/// A script engine and the function that it found in the script.
pub(super) struct Script {
    engine: ScriptEnginePlugin,
    pub(super) handler: Handler,
}

impl Loaded {
    pub(super) fn new(guest: EnginePre, config: &Config, source: Source, prepared: Prepared) -> Loaded {
        // All instances of a version load with the same clock and the same seed, or which of them a batch
        // meets would show.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let digest = Sha256::digest(&source.version);
        let seed = u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
        let ctx = BatchContext {
            now_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            random_seed: seed,
            deadline_ms: config.deadline_ms(),
            transformation_id: source.id.clone(),
            version_id: source.version.clone(),
        };
        let modules = vec![wit::Module { name: source.name.clone(), source: prepared.source }];
        Loaded { guest, ctx, modules, exports: prepared.exports, source, text_bytes_max: config.text_bytes_max }
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
        let excerpt = excerpt(&self.source.code, line, column);
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
        let engine = self.guest.instantiate_async(&mut *store).await?;
        let script_engine = engine.pintle_plugin_script_engine();
        let info = match script_engine.call_load(store, &self.ctx, &self.modules, &self.exports).await? {
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

pub(super) async fn transform(
    pool: &Arc<Pool<Loaded>>,
    ctx: &Context,
    batch: Vec<u8>,
    events: usize,
) -> Result<Answer, CallFailure> {
    let ctx = BatchContext {
        now_ms: ctx.now_ms,
        random_seed: ctx.random_seed,
        deadline_ms: pool.config().deadline_ms(),
        transformation_id: ctx.transformation_id.clone(),
        version_id: ctx.version_id.clone(),
    };
    let call = pool.call(
        "transform",
        events,
        |guest, store| {
            let plugin = guest.engine.pintle_plugin_script_engine();
            Box::pin(async move { plugin.call_transform(store, &ctx, &batch).await })
        },
        answer_size,
    );
    call.await
}
