//! A clock that stands at the beginning of the batch and moves when it is read or waited for.

use crate::limiter::State;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiView};

/// Each reading takes this long, so that a loop that waits for the clock comes to an end.
const READING_NS: u64 = 1_000;
const NS_PER_MS: u64 = 1_000_000;

/// Nanoseconds since 1970, shared by both clocks of an instance.
#[derive(Clone, Default)]
pub(super) struct Time(Arc<AtomicU64>);

impl Time {
    pub(super) fn set(&self, now_ms: u64) {
        self.0.store(now_ms.saturating_mul(NS_PER_MS), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.advance_to(self.0.load(Ordering::Relaxed).saturating_add(READING_NS))
    }

    fn advance_to(&self, at: u64) -> u64 {
        self.0.fetch_max(at, Ordering::Relaxed).max(at)
    }
}

impl HostWallClock for Time {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    /// Whole milliseconds: what `Date.now()` is in JavaScript.
    fn now(&self) -> Duration {
        Duration::from_millis(self.read() / NS_PER_MS)
    }
}

impl HostMonotonicClock for Time {
    fn resolution(&self) -> u64 {
        READING_NS
    }

    fn now(&self) -> u64 {
        self.read()
    }
}

/// Replaces WASI's monotonic clock by one on which nobody waits for real: whoever sleeps wakes up at once,
/// and the clock says that the time has passed.
pub(super) fn add_to(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    monotonic_clock::add_to_linker::<State, HasAlarms>(linker, |state| {
        let time = state.system.as_ref().expect("only components that import the system are linked to it").time.clone();
        Alarms { time, resources: state.ctx().table }
    })
}

struct HasAlarms;

impl HasData for HasAlarms {
    type Data<'a> = Alarms<'a>;
}

struct Alarms<'a> {
    time: Time,
    resources: &'a mut ResourceTable,
}

impl monotonic_clock::Host for Alarms<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.time.read())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(READING_NS)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let alarm = self.resources.push(Alarm { at: when, time: self.time.clone() })?;
        subscribe(self.resources, alarm)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.time.0.load(Ordering::Relaxed);
        self.subscribe_instant(now.saturating_add(duration))
    }
}

struct Alarm {
    at: u64,
    time: Time,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Alarm {
    async fn ready(&mut self) {
        self.time.advance_to(self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_takes_no_time_and_moves_the_clock() {
        let time = Time::default();
        time.set(1_700_000_000_000);
        assert_eq!(HostWallClock::now(&time), Duration::from_millis(1_700_000_000_000));
        let at = HostMonotonicClock::now(&time) + 3_600_000 * NS_PER_MS;
        Alarm { at, time: time.clone() }.ready().await;
        assert_eq!(HostWallClock::now(&time), Duration::from_millis(1_700_003_600_000));
        Alarm { at: 5, time: time.clone() }.ready().await;
        assert!(HostMonotonicClock::now(&time) > at, "the past does not come back");
    }

    #[test]
    fn a_loop_that_waits_for_the_clock_ends() {
        let time = Time::default();
        time.set(7);
        let mut readings = 0;
        while HostWallClock::now(&time) < Duration::from_millis(9) {
            readings += 1;
            assert!(readings < 10_000);
        }
    }
}
