//! Transformations that are components of their own.

use super::{Answer, Context, PlainPre, answer_size};
use crate::CallFailure;
use crate::bindings::transformation::{BatchContext, TransformationPlugin};
use crate::limiter::State;
use crate::metrics::Subject;
use crate::pool::{Kind, Pool};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use wasmtime::Store;

/// An instance needs nothing but to be instantiated.
pub(super) struct Plain {
    pub(super) guest: PlainPre,
    /// The transformation that it is, known with its first call.
    pub(super) id: OnceLock<String>,
}

impl Kind for Plain {
    type Api = TransformationPlugin;
    type Refusal = Infallible;

    fn subject(&self) -> Subject {
        Subject::transformation("transformation", self.id.get().map_or("", String::as_str))
    }

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<TransformationPlugin, Infallible>> {
        self.guest.instantiate_async(store).await.map(Ok)
    }
}

pub(super) async fn transform(
    pool: &Arc<Pool<Plain>>,
    ctx: &Context,
    batch: Vec<u8>,
    events: usize,
) -> Result<Answer, CallFailure> {
    pool.kind().id.get_or_init(|| ctx.transformation_id.clone());
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
            let plugin = guest.pintle_plugin_transformation();
            Box::pin(async move { plugin.call_transform(store, &ctx, &batch).await })
        },
        answer_size,
    );
    call.await
}
