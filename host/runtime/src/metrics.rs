//! Every metric of this crate: name, unit, meaning.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::time::Duration;

const CALLS: &str = "pintle_runtime_calls_total";
const EVENTS: &str = "pintle_runtime_events_total";
const FAILURES: &str = "pintle_runtime_failures_total";
const CALL_SECONDS: &str = "pintle_runtime_call_seconds";
const STARTS: &str = "pintle_runtime_instance_starts_total";
const RECYCLES: &str = "pintle_runtime_instance_recycles_total";
const INSTANCES: &str = "pintle_runtime_instances";
const MEMORY: &str = "pintle_runtime_memory_bytes";
const COMPILE_SECONDS: &str = "pintle_runtime_compile_seconds";
const COMPILE_CACHE: &str = "pintle_runtime_compile_cache_total";

/// Tells the recorder about the metrics of this crate.
pub(crate) fn describe() {
    describe_counter!(CALLS, "Calls of guests, by world and function");
    describe_counter!(EVENTS, "Events given to guests, by world");
    describe_counter!(FAILURES, "Calls that came to nothing, by world and kind");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "Time of one call, by world and function");
    describe_counter!(STARTS, "Instances started, by world");
    describe_counter!(RECYCLES, "Instances given up, by world and reason");
    describe_gauge!(INSTANCES, "Instances alive, idle ones included");
    describe_gauge!(MEMORY, Unit::Bytes, "Linear memory of all instances");
    describe_histogram!(COMPILE_SECONDS, Unit::Seconds, "Time to compile one component");
    describe_counter!(COMPILE_CACHE, "Components loaded, by where the code came from: memory, disk, compiled");
}

pub(crate) fn call(world: &'static str, function: &'static str, events: usize, took: Duration) {
    counter!(CALLS, "world" => world, "function" => function).increment(1);
    counter!(EVENTS, "world" => world).increment(events as u64);
    histogram!(CALL_SECONDS, "world" => world, "function" => function).record(took.as_secs_f64());
}

pub(crate) fn failure(world: &'static str, kind: &'static str) {
    counter!(FAILURES, "world" => world, "kind" => kind).increment(1);
}

pub(crate) fn started(world: &'static str) {
    counter!(STARTS, "world" => world).increment(1);
}

pub(crate) fn recycled(world: &'static str, reason: &'static str) {
    counter!(RECYCLES, "world" => world, "reason" => reason).increment(1);
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
