//! Every metric of this crate: name, unit, meaning.
//!
//! What guests do is counted per component: the label `plugin` names a destination's plugin, `transformation` a
//! transformation by its id. The other of the two is empty.

use metrics::{Counter, Gauge, Histogram, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

const CALLS: &str = "pintle_runtime_calls_total";
const EVENTS: &str = "pintle_runtime_events_total";
const FAILURES: &str = "pintle_runtime_failures_total";
const CALL_SECONDS: &str = "pintle_runtime_call_seconds";
const MEMORY_HIGH: &str = "pintle_runtime_memory_high_bytes";
const STARTS: &str = "pintle_runtime_instance_starts_total";
const RECYCLES: &str = "pintle_runtime_instance_recycles_total";
const INSTANCES: &str = "pintle_runtime_instances";
const MEMORY: &str = "pintle_runtime_memory_bytes";
const COMPILE_SECONDS: &str = "pintle_runtime_compile_seconds";
const COMPILE_CACHE: &str = "pintle_runtime_compile_cache_total";

/// Tells the recorder about the metrics of this crate.
pub(crate) fn describe() {
    describe_counter!(CALLS, "Calls of guests, by component and function");
    describe_counter!(EVENTS, "Events given to guests, by component");
    describe_counter!(FAILURES, "Calls that came to nothing, by component and kind; crashes are of the kind trapped");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "Time of one call, by component and function");
    describe_gauge!(MEMORY_HIGH, Unit::Bytes, "The most linear memory that one instance has had, by component");
    describe_counter!(STARTS, "Instances started, by component");
    describe_counter!(RECYCLES, "Instances given up, by component and reason");
    describe_gauge!(INSTANCES, "Instances alive, idle ones included");
    describe_gauge!(MEMORY, Unit::Bytes, "Linear memory of all instances");
    describe_histogram!(COMPILE_SECONDS, Unit::Seconds, "Time to compile one component");
    describe_counter!(COMPILE_CACHE, "Components loaded, by where the code came from: memory, disk, compiled");
}

/// Whom a metric is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) world: &'static str,
    pub(crate) plugin: String,
    pub(crate) transformation: String,
}

impl Subject {
    /// A destination's plugin.
    pub(crate) fn plugin(name: &str) -> Subject {
        Subject { world: "destination", plugin: name.to_owned(), transformation: String::new() }
    }

    /// A transformation.
    pub(crate) fn transformation(world: &'static str, id: &str) -> Subject {
        Subject { world, plugin: String::new(), transformation: id.to_owned() }
    }

    fn labels(&self, extra: Option<(&'static str, &'static str)>) -> Vec<metrics::Label> {
        let mut labels = vec![
            metrics::Label::new("world", self.world),
            metrics::Label::new("plugin", self.plugin.clone()),
            metrics::Label::new("transformation", self.transformation.clone()),
        ];
        labels.extend(extra.map(|(name, value)| metrics::Label::new(name, value)));
        labels
    }

    pub(crate) fn failed(&self, kind: &'static str) {
        counter!(FAILURES, self.labels(Some(("kind", kind)))).increment(1);
    }

    pub(crate) fn started(&self) {
        counter!(STARTS, self.labels(None)).increment(1);
    }

    pub(crate) fn recycled(&self, reason: &'static str) {
        counter!(RECYCLES, self.labels(Some(("reason", reason)))).increment(1);
    }
}

/// The handles that every call needs, looked up once.
pub(crate) struct Calls {
    subject: Subject,
    functions: Mutex<BTreeMap<&'static str, (Counter, Histogram)>>,
    events: Counter,
    memory: Gauge,
    /// Shared by all that run the component: the gauge shows the highest of them.
    high: Arc<AtomicUsize>,
}

impl Calls {
    pub(crate) fn new(subject: Subject) -> Calls {
        static HIGHS: OnceLock<Mutex<BTreeMap<Subject, Arc<AtomicUsize>>>> = OnceLock::new();
        let highs = HIGHS.get_or_init(Mutex::default);
        let high = highs.lock().unwrap_or_else(PoisonError::into_inner).entry(subject.clone()).or_default().clone();
        let events = counter!(EVENTS, subject.labels(None));
        let memory = gauge!(MEMORY_HIGH, subject.labels(None));
        Calls { subject, functions: Mutex::default(), events, memory, high }
    }

    pub(crate) fn ended(&self, function: &'static str, events: usize, took: Duration) {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, seconds) = functions.entry(function).or_insert_with(|| {
            let labels = || self.subject.labels(Some(("function", function)));
            (counter!(CALLS, labels()), histogram!(CALL_SECONDS, labels()))
        });
        calls.increment(1);
        seconds.record(took.as_secs_f64());
        self.events.increment(events as u64);
    }

    /// An instance has this much memory.
    pub(crate) fn memory(&self, bytes: usize) {
        if self.high.fetch_max(bytes, Ordering::Relaxed) < bytes {
            self.memory.set(bytes as f64);
        }
    }
}

pub(crate) fn instances(alive: usize, memory_bytes: usize) {
    gauge!(INSTANCES).set(alive as f64);
    gauge!(MEMORY).set(memory_bytes as f64);
}

pub(crate) fn compiled(took: Duration) {
    histogram!(COMPILE_SECONDS).record(took.as_secs_f64());
}

pub(crate) fn loaded(from: &'static str) {
    counter!(COMPILE_CACHE, "from" => from).increment(1);
}
