//! The instances of one configured destination or one transformation version.

mod budget;

pub(crate) use budget::{Budget, Evict, Slot};

use crate::instance::{GuestCall, Host, Instance};
use crate::limiter::State;
use crate::metrics::{Calls, Subject};
use crate::{CallFailure, Config};
use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;

/// What makes an instance of this pool ready for batches.
pub(crate) trait Kind: Send + Sync + 'static {
    /// The bindings, and what the guest said when it was made ready.
    type Api: Send + Sync + 'static;
    /// Why a guest does not want to start: its configuration or its script is wrong.
    type Refusal: Display + Send;

    /// Whom its metrics are about.
    fn subject(&self) -> Subject;

    /// Instantiates the component and makes it ready.
    fn start(
        &self,
        store: &mut Store<State>,
    ) -> impl Future<Output = wasmtime::Result<Result<Self::Api, Self::Refusal>>> + Send;
}

/// Why no instance could be started.
pub(crate) enum StartFailure<R> {
    /// The guest itself said no.
    Refused(R),
    /// It did not get that far.
    Failed(CallFailure),
}

impl<R: Display> From<StartFailure<R>> for CallFailure {
    fn from(failure: StartFailure<R>) -> CallFailure {
        match failure {
            StartFailure::Refused(refusal) => CallFailure::Refused(refusal.to_string()),
            StartFailure::Failed(failure) => failure,
        }
    }
}

/// Ready instances, and the right to start more.
pub(crate) struct Pool<K: Kind> {
    host: Arc<Host>,
    kind: K,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Instance<K::Api>>>,
    calls: OnceLock<Calls>,
}

impl<K: Kind> Pool<K> {
    pub(crate) fn new(host: Arc<Host>, kind: K) -> Arc<Pool<K>> {
        let turns = Arc::new(Semaphore::new(host.config.instances_per_component_max as usize));
        let pool = Arc::new(Pool { kind, turns, idle: Mutex::new(Vec::new()), calls: OnceLock::new(), host });
        let weak = Arc::downgrade(&pool);
        pool.host.budget.register(weak);
        pool
    }

    pub(crate) fn config(&self) -> &Config {
        &self.host.config
    }

    pub(crate) fn kind(&self) -> &K {
        &self.kind
    }

    /// One call of a guest about so many events. `size` says how many bytes came back.
    pub(crate) async fn call<T>(
        self: &Arc<Self>,
        function: &'static str,
        events: usize,
        call: impl for<'a> FnOnce(&'a K::Api, &'a mut Store<State>) -> GuestCall<'a, T> + Send,
        size: impl Fn(&T) -> usize,
    ) -> Result<T, CallFailure> {
        let from = Instant::now();
        let result = match self.lease().await {
            Ok(mut lease) => lease.call(call, size).await,
            Err(failure) => Err(failure.into()),
        };
        self.calls().ended(function, events, from.elapsed());
        if let Err(failure) = &result {
            self.kind.subject().failed(failure.kind());
        }
        result
    }

    /// An instance to oneself: a warm one if there is one.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease<K>, StartFailure<K::Refusal>> {
        let wait = self.host.config.instance_wait_max;
        let deadline = tokio::time::Instant::now() + wait;
        let busy = || StartFailure::Failed(CallFailure::Busy);
        let turn = tokio::time::timeout_at(deadline, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        // The newest first: the others get the chance to become idle for long.
        let warm = self.idle().pop();
        let instance = match warm {
            Some(instance) => instance,
            None => {
                let slot = tokio::time::timeout_at(deadline, self.host.budget.slot()).await.map_err(|_| busy())?;
                self.start(slot).await?
            }
        };
        Ok(Lease { pool: self.clone(), instance: Some(instance), clean: true, _turn: turn })
    }

    async fn start(&self, slot: Slot) -> Result<Instance<K::Api>, StartFailure<K::Refusal>> {
        let mut store = self.host.store();
        let meter = store.data().meter.clone();
        let started = self.host.run(meter, Box::pin(self.kind.start(&mut store))).await;
        let api = match started {
            Ok(Ok(api)) => api,
            Ok(Err(refusal)) => return Err(StartFailure::Refused(refusal)),
            Err(stop) => {
                return Err(StartFailure::Failed(self.host.explain(stop, store.data_mut())));
            }
        };
        self.kind.subject().started();
        Ok(Instance::new(api, store, slot, &self.host.config))
    }

    /// Starts a successor off the hot path, if that takes nobody's turn.
    fn refill(self: &Arc<Self>) {
        let (Ok(runtime), true) = (tokio::runtime::Handle::try_current(), self.turns.available_permits() > 0) else {
            return;
        };
        let pool = Arc::downgrade(self);
        runtime.spawn(async move {
            if let Some(pool) = pool.upgrade() {
                // Whoever needs an instance and finds none will see the failure.
                let _ = pool.lease().await;
            }
        });
    }

    fn calls(&self) -> &Calls {
        self.calls.get_or_init(|| Calls::new(self.kind.subject()))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance<K::Api>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Kind> Evict for Pool<K> {
    fn oldest(&self) -> Option<Instant> {
        self.idle().first().map(|instance| instance.idle_since)
    }

    fn evict(&self, until: Instant) -> bool {
        let mut idle = self.idle();
        let old = idle.first().is_some_and(|instance| instance.idle_since <= until);
        let evicted = old.then(|| idle.remove(0));
        // The lock is free again before the memory is given back.
        drop(idle);
        if evicted.is_some() {
            self.kind.subject().recycled("idle");
        }
        evicted.is_some()
    }
}

/// An instance in use. Dropped in the middle of a call, or after a trap, the instance is gone.
pub(crate) struct Lease<K: Kind> {
    pool: Arc<Pool<K>>,
    instance: Option<Instance<K::Api>>,
    clean: bool,
    _turn: OwnedSemaphorePermit,
}

impl<K: Kind> Lease<K> {
    async fn call<T>(
        &mut self,
        call: impl for<'a> FnOnce(&'a K::Api, &'a mut Store<State>) -> GuestCall<'a, T>,
        size: impl Fn(&T) -> usize,
    ) -> Result<T, CallFailure> {
        let host = self.pool.host.clone();
        let meter = host.meter();
        // Should this future be dropped half-way, nobody may use the instance again.
        self.clean = false;
        let instance = self.instance();
        instance.begin(meter.clone());
        let ended = host.run(meter, call(&instance.api, &mut instance.store)).await;
        let memory = instance.store.data().memory();
        self.pool.calls().memory(memory);
        let instance = self.instance();
        match ended {
            Ok(value) => {
                instance.count(size(&value));
                self.clean = true;
                Ok(value)
            }
            Err(stop) => Err(host.explain(stop, instance.store.data_mut())),
        }
    }

    pub(crate) fn instance(&mut self) -> &mut Instance<K::Api> {
        self.instance.as_mut().expect("only drop takes the instance")
    }
}

impl<K: Kind> Drop for Lease<K> {
    fn drop(&mut self) {
        let Some(mut instance) = self.instance.take() else { return };
        let host = &self.pool.host;
        let reason = match instance.worn(&host.config) {
            _ if !self.clean => Some("failed"),
            None if host.budget.pressed() => Some("pressed"),
            worn => worn,
        };
        let Some(reason) = reason else {
            instance.idle_since = Instant::now();
            self.pool.idle().push(instance);
            host.budget.idle();
            return;
        };
        drop(instance);
        self.pool.kind.subject().recycled(reason);
        if self.clean && reason != "pressed" {
            self.pool.refill();
        }
    }
}
