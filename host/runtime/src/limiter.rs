//! What a store carries: its limits, and what it noticed when they were reached.

use crate::clock::Meter;
use crate::egress::Hosts;
use crate::fetch::WayOut;
use crate::system::System;
use crate::transformation::LogLine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};

/// The data of every store.
pub(crate) struct State {
    limits: Limits,
    /// The call under way.
    pub(crate) meter: Arc<Meter>,
    /// The call under way was stopped for running too long.
    pub(crate) interrupted: bool,
    /// What the guest may ask of the network.
    pub(crate) way_out: WayOut,
    /// What a language runtime finds around itself; most guests find nothing.
    pub(crate) system: Option<Box<System>>,
}

impl State {
    pub(crate) fn new(limits: Limits, meter: Arc<Meter>, way_out: WayOut) -> State {
        State { limits, meter, interrupted: false, way_out, system: None }
    }

    /// Grants hosts to this instance.
    pub(crate) fn grant(&mut self, hosts: Arc<Hosts>) {
        self.way_out.grant(hosts);
    }

    /// Sets the clock and the randomness that a language runtime reads.
    pub(crate) fn begin(&mut self, now_ms: u64, seed: u64) {
        if let Some(system) = &mut self.system {
            system.begin(now_ms, seed);
        }
    }

    /// What a language runtime wrote to its standard streams since then.
    pub(crate) fn written(&mut self) -> Vec<LogLine> {
        self.system.as_mut().map(|system| system.written()).unwrap_or_default()
    }

    /// Linear memory of this store, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.limits.memory
    }

    /// Whether memory was refused since the last look. A guest that gets none usually just says
    /// `unreachable`, so this is how an out-of-memory is told from a crash.
    pub(crate) fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.limits.refused)
    }
}

/// Arms a store: its limiter, and the callback that stops or pauses a running guest at every tick.
pub(crate) fn arm(store: &mut Store<State>) {
    store.limiter(|state| &mut state.limits);
    store.epoch_deadline_callback(|mut store| {
        let state = store.data_mut();
        if state.meter.used_up() {
            state.interrupted = true;
            return Ok(UpdateDeadline::Interrupt);
        }
        // Other tasks of this thread get a turn: a guest may run for seconds.
        Ok(UpdateDeadline::Yield(1))
    });
}

/// Refuses growth beyond the limits and counts memory into the host's total.
pub(crate) struct Limits {
    memory_bytes_max: usize,
    table_elements_max: usize,
    memory: usize,
    total: Arc<AtomicUsize>,
    refused: bool,
}

impl Limits {
    /// `total` is the sum over all stores of the host.
    pub(crate) fn new(memory_bytes_max: usize, table_elements_max: usize, total: Arc<AtomicUsize>) -> Limits {
        Limits { memory_bytes_max, table_elements_max, memory: 0, total, refused: false }
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        self.total.fetch_sub(self.memory, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let fits = self.memory + growth <= self.memory_bytes_max && maximum.is_none_or(|max| desired <= max);
        if fits {
            self.memory += growth;
            self.total.fetch_add(growth, Ordering::Relaxed);
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.table_elements_max && maximum.is_none_or(|max| desired <= max);
        self.refused |= !fits;
        Ok(fits)
    }
}
