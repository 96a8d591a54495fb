//! Transformations that are components of their own.

use super::call::{Answer, Call, Transforms};
use super::{Context, PlainPre};
use crate::bindings::transformation::TransformationPlugin;
use crate::egress::Hosts;
use crate::instance::GuestCall;
use crate::limiter::State;
use crate::metrics::Subject;
use crate::pool::Kind;
use crate::system::System;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use wasmtime::Store;

/// What every instance is made from.
pub(super) struct Plain {
    pub(super) guest: PlainPre,
    /// The transformation that it is, known with its first call.
    pub(super) id: OnceLock<String>,
    /// The hosts that it may fetch from.
    pub(super) hosts: Arc<Hosts>,
    /// What it may write to its standard streams, if it has any.
    pub(super) written_bytes_max: Option<usize>,
}

impl Kind for Plain {
    type Api = TransformationPlugin;
    type Refusal = Infallible;

    fn subject(&self) -> Subject {
        Subject::transformation("transformation", self.id.get().map_or("", String::as_str))
    }

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<TransformationPlugin, Infallible>> {
        let state = store.data_mut();
        state.grant(self.hosts.clone());
        state.system = self.written_bytes_max.map(|bytes_max| Box::new(System::new(bytes_max)));
        self.guest.instantiate_async(store).await.map(Ok)
    }
}

impl Transforms for Plain {
    fn serves(&self, ctx: &Context) {
        self.id.get_or_init(|| ctx.transformation_id.clone());
    }

    fn transform<'a>(api: &'a TransformationPlugin, store: &'a mut Store<State>, call: Call) -> GuestCall<'a, Answer> {
        let plugin = api.pintle_plugin_transformation();
        Box::pin(async move { plugin.call_transform(store, &(&call).into(), &call.batch).await })
    }
}
