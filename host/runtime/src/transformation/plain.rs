//! Transformations that are components of their own.

use super::PlainPre;
use super::call::{Answer, Call, Transforms};
use crate::bindings::transformation::TransformationPlugin;
use crate::instance::GuestCall;
use crate::limiter::State;
use crate::pool::Kind;
use std::convert::Infallible;
use wasmtime::Store;

/// An instance needs nothing but to be instantiated.
pub(super) struct Plain {
    pub(super) guest: PlainPre,
}

impl Kind for Plain {
    const WORLD: &'static str = "transformation";
    type Api = TransformationPlugin;
    type Refusal = Infallible;

    async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Result<TransformationPlugin, Infallible>> {
        self.guest.instantiate_async(store).await.map(Ok)
    }
}

impl Transforms for Plain {
    fn transform<'a>(api: &'a TransformationPlugin, store: &'a mut Store<State>, call: Call) -> GuestCall<'a, Answer> {
        let plugin = api.pintle_plugin_transformation();
        Box::pin(async move { plugin.call_transform(store, &(&call).into(), &call.batch).await })
    }
}
