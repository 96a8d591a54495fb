//! Every metric of the gateway: names, units, descriptions.

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use std::time::Duration;

/// Events in committed requests.
pub const EVENTS: &str = "pintle_gateway_events_total";
/// Requests answered with 200.
pub const REQUESTS: &str = "pintle_gateway_requests_total";
/// Requests refused, by `reason`.
pub const REJECTIONS: &str = "pintle_gateway_rejections_total";
/// Events that were not taken, by `reason`: those of requests that were taken in part, too.
pub const REJECTED_EVENTS: &str = "pintle_gateway_rejected_events_total";
/// Events of suppressed users, which are not stored.
pub const SUPPRESSED: &str = "pintle_gateway_suppressed_events_total";
/// Bytes of bodies as they travelled.
pub const BYTES: &str = "pintle_gateway_body_bytes_total";
/// Open connections.
pub const CONNECTIONS: &str = "pintle_gateway_connections";
/// From a request's head to the commit of its events.
pub const ACKNOWLEDGE: &str = "pintle_gateway_acknowledge_seconds";

/// Handles, taken once: looking one up costs more than counting.
pub(crate) struct Metrics {
    events: Counter,
    requests: Counter,
    suppressed: Counter,
    bytes: Counter,
    connections: Gauge,
    acknowledge: Histogram,
}

/// A connection that is counted while this exists.
pub(crate) struct Open(Gauge);

impl Metrics {
    pub(crate) fn new() -> Metrics {
        describe_counter!(EVENTS, Unit::Count, "Events in committed requests.");
        describe_counter!(REQUESTS, Unit::Count, "Requests answered with 200.");
        describe_counter!(REJECTIONS, Unit::Count, "Requests refused, by reason.");
        describe_counter!(REJECTED_EVENTS, Unit::Count, "Events not taken, by reason.");
        describe_counter!(SUPPRESSED, Unit::Count, "Events of suppressed users, which are not stored.");
        describe_counter!(BYTES, Unit::Bytes, "Bytes of bodies as they travelled.");
        describe_gauge!(CONNECTIONS, Unit::Count, "Open connections.");
        describe_histogram!(ACKNOWLEDGE, Unit::Seconds, "From a request's head to the commit of its events.");
        Metrics {
            events: counter!(EVENTS),
            requests: counter!(REQUESTS),
            suppressed: counter!(SUPPRESSED),
            bytes: counter!(BYTES),
            connections: gauge!(CONNECTIONS),
            acknowledge: histogram!(ACKNOWLEDGE),
        }
    }

    pub(crate) fn arrived(&self, bytes: usize) {
        self.bytes.increment(bytes as u64);
    }

    pub(crate) fn accepted(&self, events: usize, took: Duration) {
        self.events.increment(events as u64);
        self.requests.increment(1);
        self.acknowledge.record(took);
    }

    pub(crate) fn rejected(&self, reason: &'static str) {
        counter!(REJECTIONS, "reason" => reason).increment(1);
    }

    pub(crate) fn refused_event(&self, reason: &'static str) {
        counter!(REJECTED_EVENTS, "reason" => reason).increment(1);
    }

    pub(crate) fn suppressed(&self, events: u64) {
        if events > 0 {
            self.suppressed.increment(events);
        }
    }

    pub(crate) fn connection(&self) -> Open {
        self.connections.increment(1);
        Open(self.connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
