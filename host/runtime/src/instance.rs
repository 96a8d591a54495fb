//! One instance of a component, and one call of it.

use crate::clock::{Clock, Meter};
use crate::fetch::{Network, WayOut};
use crate::limiter::{self, Limits, State};
use crate::pool::{Budget, Slot};
use crate::{CallFailure, Config};
use sha2::{Digest, Sha256};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wasmtime::{Engine, Store, Trap};
use wasmtime_wasi::I32Exit;

/// A call into a guest, not yet running.
pub(crate) type GuestCall<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// The moment at which a version's script is loaded, and its seed. All instances of a version load with the
/// same seed, or which of them a batch meets would show.
pub(crate) fn load_moment(version: &str) -> (u64, u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let digest = Sha256::digest(version);
    let seed = u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
    (u64::try_from(now.as_millis()).unwrap_or(u64::MAX), seed)
}

/// What every instance of a runtime shares.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) budget: Arc<Budget>,
    /// Who carries guests' requests, if anybody does.
    pub(crate) network: Option<Arc<dyn Network>>,
}

impl Host {
    /// A new store under this host's limits, ready for its first call.
    pub(crate) fn store(&self) -> Store<State> {
        let total = self.budget.memory();
        let limits = Limits::new(self.config.memory_bytes_max, self.config.table_elements_max, total);
        let way_out = WayOut::new(self.network.clone(), &self.config);
        let mut store = Store::new(&self.engine, State::new(limits, self.meter(), way_out));
        limiter::arm(&mut store);
        store.set_epoch_deadline(1);
        // Caps what one call can make the host allocate for its result, before it is copied.
        store.set_hostcall_fuel(self.config.output_bytes_max);
        store
    }

    /// A meter for one call.
    pub(crate) fn meter(&self) -> Arc<Meter> {
        self.clock.meter(self.config.run_time_max)
    }

    /// Runs a guest within its limits. `meter` must be the one in the guest's store.
    pub(crate) async fn run<T>(&self, meter: Arc<Meter>, call: GuestCall<'_, T>) -> Result<T, Stop> {
        match tokio::time::timeout(self.config.call_time_max, meter.measure(call)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Stop::Error(error)),
            Err(_) => Err(Stop::Waited),
        }
    }

    /// Why a call stopped, in the words of a dead letter.
    pub(crate) fn explain(&self, stop: Stop, state: &mut State) -> CallFailure {
        let error = match stop {
            Stop::Waited => return CallFailure::TimedOut(self.config.call_time_max),
            Stop::Error(error) => error,
        };
        if state.interrupted {
            return CallFailure::TimedOut(self.config.run_time_max);
        }
        if state.take_refusal() {
            return CallFailure::OutOfMemory;
        }
        let text = error.root_cause().to_string();
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => CallFailure::Trapped("its stack overflowed".to_owned()),
            Some(Trap::UnreachableCodeReached) => {
                let words = state.system.as_mut().and_then(|system| system.last_words());
                let why = words.unwrap_or_else(|| "wasm `unreachable` instruction executed".to_owned());
                CallFailure::Trapped(format!("it gave up ({why})"))
            }
            Some(trap) => CallFailure::Trapped(trap.to_string()),
            None if let Some(exit) = error.downcast_ref::<I32Exit>() => {
                CallFailure::Trapped(format!("it ended its process with status {}", exit.0))
            }
            // wasmtime does not export this error's type.
            None if text.contains("fuel allocated for hostcalls") => {
                CallFailure::OutputTooLarge { max: self.config.output_bytes_max }
            }
            None => CallFailure::BadOutput(text),
        }
    }
}

/// Why a call did not return.
pub(crate) enum Stop {
    /// It took longer than `call_time_max`, waiting included.
    Waited,
    /// The guest, or the crossing of its boundary, failed.
    Error(wasmtime::Error),
}

/// An instance that is ready: configured, or with its script loaded.
pub(crate) struct Instance<Api> {
    pub(crate) api: Api,
    pub(crate) store: Store<State>,
    pub(crate) idle_since: Instant,
    ready_memory: usize,
    batches_left: u32,
    returned: usize,
    // After the store: a slot is free when the memory is back.
    _slot: Slot,
}

impl<Api> Instance<Api> {
    pub(crate) fn new(api: Api, store: Store<State>, slot: Slot, config: &Config) -> Instance<Api> {
        let batches = match config.fresh_per_batch {
            true => 1,
            false => rand::random_range(config.recycle_batches.div_ceil(2)..=config.recycle_batches),
        };
        Instance {
            api,
            idle_since: Instant::now(),
            ready_memory: store.data().memory(),
            store,
            batches_left: batches,
            returned: 0,
            _slot: slot,
        }
    }

    /// Prepares the store for a call.
    pub(crate) fn begin(&mut self, meter: Arc<Meter>) {
        let state = self.store.data_mut();
        state.meter = meter;
        state.interrupted = false;
        state.way_out.begin();
        // What was refused in an earlier call, and survived, does not explain a crash in this one.
        state.take_refusal();
        self.store.set_epoch_deadline(1);
    }

    /// Counts a batch that came back.
    pub(crate) fn count(&mut self, returned: usize) {
        self.batches_left = self.batches_left.saturating_sub(1);
        self.returned = self.returned.saturating_add(returned);
    }

    /// Why the instance should make room for a new one, if it should.
    pub(crate) fn worn(&self, config: &Config) -> Option<&'static str> {
        let grown = self.store.data().memory().saturating_sub(self.ready_memory);
        if self.batches_left == 0 {
            Some("batches")
        } else if grown > config.recycle_memory_bytes {
            Some("memory")
        } else if self.returned > config.recycle_output_bytes {
            Some("output")
        } else {
            None
        }
    }
}
