//! One call of `transform`, the same for scripts and for components.

use super::{Context, LogLine};
use crate::CallFailure;
use crate::bindings::{script_engine, transformation};
use crate::instance::GuestCall;
use crate::limiter::State;
use crate::pool::{Kind, Pool};
use std::sync::Arc;
use wasmtime::Store;

/// What a guest returned: the reply's bytes, or why it refuses the batch.
pub(super) type Answer = Result<Vec<u8>, String>;

/// What a guest is called with.
pub(super) struct Call {
    ctx: Context,
    deadline_ms: u32,
    pub(super) batch: Vec<u8>,
}

/// Instances that export `transform`, each in the words of its own world.
pub(super) trait Transforms: Kind {
    /// Hears what it is called for, before each call.
    fn serves(&self, _ctx: &Context) {}

    /// Calls it.
    fn transform<'a>(api: &'a Self::Api, store: &'a mut Store<State>, call: Call) -> GuestCall<'a, Answer>;
}

/// One call about so many events, of whichever instance is free; and what a language runtime wrote to its
/// standard streams meanwhile.
pub(super) async fn transform<K: Transforms>(
    pool: &Arc<Pool<K>>,
    ctx: &Context,
    batch: Vec<u8>,
    events: usize,
) -> Result<(Answer, Vec<LogLine>), CallFailure> {
    pool.kind().serves(ctx);
    let call = Call { ctx: ctx.clone(), deadline_ms: pool.config().deadline_ms(), batch };
    let said = pool.call(
        "transform",
        events,
        |api, store| {
            Box::pin(async move {
                store.data_mut().begin(call.ctx.now_ms, call.ctx.random_seed);
                let answer = K::transform(api, &mut *store, call).await?;
                Ok((answer, store.data_mut().written()))
            })
        },
        |(answer, _)| answer.as_ref().map_or_else(String::len, Vec::len),
    );
    said.await
}

/// Each world has a `batch-context` of its own with the same members: one that was shared would be an import.
macro_rules! batch_context {
    ($($world:ident),+) => {$(
        impl From<&Call> for $world::BatchContext {
            fn from(call: &Call) -> Self {
                Self {
                    now_ms: call.ctx.now_ms,
                    random_seed: call.ctx.random_seed,
                    deadline_ms: call.deadline_ms,
                    transformation_id: call.ctx.transformation_id.clone(),
                    version_id: call.ctx.version_id.clone(),
                }
            }
        }
    )+};
}

batch_context!(script_engine, transformation);
