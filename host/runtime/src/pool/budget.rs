//! What all instances of the host may use together.

use crate::clock::Chores;
use crate::{Config, metrics};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A pool, as far as the budget cares.
pub(crate) trait Evict: Send + Sync {
    /// Since when its longest idle instance has been idle.
    fn oldest(&self) -> Option<Instant>;
    /// Drops its longest idle instance, if it has been idle since `until` or longer.
    fn evict(&self, until: Instant) -> bool;
}

/// The number of instances and their memory, and who is idle.
///
/// The memory budget is kept when instances start, not when they grow: a call is never failed because of
/// its neighbours. What is running may exceed it by what its own limit allows.
pub(crate) struct Budget {
    instances: AtomicUsize,
    instances_max: usize,
    memory: Arc<AtomicUsize>,
    memory_max: usize,
    idle_time_max: Duration,
    pools: Mutex<Vec<Weak<dyn Evict>>>,
    waiting: AtomicUsize,
    freed: Notify,
}

impl Budget {
    pub(crate) fn new(config: &Config) -> Arc<Budget> {
        Arc::new(Budget {
            instances: AtomicUsize::new(0),
            instances_max: config.instances_max as usize,
            memory: Arc::new(AtomicUsize::new(0)),
            memory_max: config.memory_budget_bytes,
            idle_time_max: config.idle_time_max,
            pools: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
        })
    }

    pub(super) fn register(&self, pool: Weak<dyn Evict>) {
        let mut pools = self.pools();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(pool);
    }

    /// The sum of all linear memory, for stores to add to.
    pub(crate) fn memory(&self) -> Arc<AtomicUsize> {
        self.memory.clone()
    }

    /// Waits until one more instance may start, making idle ones go.
    pub(super) async fn slot(self: &Arc<Self>) -> Slot {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // From here on nothing that is freed goes unnoticed.
            freed.as_mut().enable();
            if let Some(slot) = self.try_slot() {
                return slot;
            }
            freed.await;
        }
    }

    fn try_slot(self: &Arc<Self>) -> Option<Slot> {
        loop {
            let taken = self.instances.load(Ordering::SeqCst);
            // One instance always runs, or a memory that nobody gives back would stop everything.
            let fits = taken == 0 || (taken < self.instances_max && !self.over());
            if fits {
                let one_more = self.instances.compare_exchange(taken, taken + 1, Ordering::SeqCst, Ordering::SeqCst);
                if one_more.is_ok() {
                    return Some(Slot(self.clone()));
                }
            } else if !self.evict_oldest() {
                return None;
            }
        }
    }

    /// Whether an instance that has just become idle had better go: somebody waits, or memory is short.
    pub(super) fn pressed(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0 || self.over()
    }

    /// An instance has become idle: whoever waits for a slot may have it.
    pub(super) fn idle(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_waiters();
        }
    }

    fn over(&self) -> bool {
        self.memory.load(Ordering::SeqCst) > self.memory_max
    }

    fn evict_oldest(&self) -> bool {
        let pools = self.alive();
        let oldest = pools.iter().filter_map(|pool| Some((pool.oldest()?, pool))).min_by_key(|(since, _)| *since);
        // Somebody else may have taken it meanwhile; then there is movement, and it is worth another look.
        oldest.is_some_and(|(since, pool)| pool.evict(since) || pools.iter().any(|pool| pool.oldest().is_some()))
    }

    fn alive(&self) -> Vec<Arc<dyn Evict>> {
        self.pools().iter().filter_map(Weak::upgrade).collect()
    }

    fn pools(&self) -> MutexGuard<'_, Vec<Weak<dyn Evict>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Instances alive, and their memory.
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.instances.load(Ordering::SeqCst), self.memory.load(Ordering::SeqCst))
    }

    fn report(&self) {
        let (instances, memory) = self.usage();
        metrics::instances(instances, memory);
    }
}

impl Chores for Budget {
    fn sweep(&self, now: Instant) -> Option<Duration> {
        let pools = self.alive();
        if let Some(until) = now.checked_sub(self.idle_time_max) {
            for pool in &pools {
                while pool.evict(until) {}
            }
        }
        self.report();
        let oldest = pools.iter().filter_map(|pool| pool.oldest()).min()?;
        // Rounded up, so that many instances with nearly the same age cost one wake-up.
        Some((oldest + self.idle_time_max).saturating_duration_since(now) + self.idle_time_max / 10)
    }
}

/// The right to one instance.
pub(crate) struct Slot(Arc<Budget>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.instances.fetch_sub(1, Ordering::SeqCst);
        self.0.freed.notify_waiters();
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Waiting<'a> {
        count.fetch_add(1, Ordering::SeqCst);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
