//! The router's metrics: names, units and descriptions.

use crate::verdict::Failure;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};
use pintle_runtime::egress::Refusal;
use std::sync::Arc;
use std::time::Duration;

const DELIVERED: &str = "pintle_router_delivered_total";
const FILTERED: &str = "pintle_router_filtered_total";
const DEAD: &str = "pintle_router_dead_total";
const PARKED: &str = "pintle_router_parked_total";
const RETRIED: &str = "pintle_router_retried_total";
const FAILED: &str = "pintle_router_attempts_failed_total";
const BREAKER_OPENED: &str = "pintle_router_breaker_opened_total";
const FORBIDDEN: &str = "pintle_router_egress_refused_total";
const FETCHED: &str = "pintle_fetch_requests_total";
const FETCH_SECONDS: &str = "pintle_fetch_seconds";
const REQUESTS: &str = "pintle_router_requests_total";
const BULK_EVENTS: &str = "pintle_router_bulk_events";
const HALVED: &str = "pintle_router_bulk_halved_total";
const UNCOMBINED: &str = "pintle_router_combine_failed_total";
const ATTEMPT_SECONDS: &str = "pintle_router_attempt_seconds";

/// Tells the recorder what the names mean. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(DELIVERED, Unit::Count, "Deliveries that the destination took.");
    describe_counter!(
        FILTERED,
        Unit::Count,
        "Deliveries that were filtered when they were tried: the destination transform does not want them any more, or their user was suppressed."
    );
    describe_counter!(DEAD, Unit::Count, "Deliveries that became dead letters.");
    describe_counter!(PARKED, Unit::Count, "Deliveries that were parked, also behind another of their key.");
    describe_counter!(RETRIED, Unit::Count, "Failed attempts that will be repeated.");
    describe_counter!(
        FAILED,
        Unit::Count,
        "Failed attempts by kind: reject, refused, throttled, retry, unsent. A bulk request that fails as a whole is one."
    );
    describe_counter!(REQUESTS, Unit::Count, "Requests sent; a bulk request carries several deliveries.");
    describe_histogram!(BULK_EVENTS, Unit::Count, "Deliveries in a bulk request that was sent.");
    describe_counter!(
        HALVED,
        Unit::Count,
        "Bulk requests that failed as a whole, or were too large, whose deliveries come again in halves."
    );
    describe_counter!(UNCOMBINED, Unit::Count, "Calls of `combine` that failed: their deliveries go one by one.");
    describe_counter!(BREAKER_OPENED, Unit::Count, "How often the breaker opened.");
    describe_counter!(
        FORBIDDEN,
        Unit::Count,
        "Requests not sent because of where they wanted to go, by why: host (not in the manifest) or address (not public)."
    );
    describe_counter!(FETCHED, Unit::Count, "Requests of transformations by outcome: answered, failed.");
    describe_histogram!(FETCH_SECONDS, Unit::Seconds, "How long requests of transformations took, redirects included.");
    describe_histogram!(ATTEMPT_SECONDS, Unit::Seconds, "How long attempts took, from start to verdict.");
}

/// A request of a transformation has come to its end.
pub(crate) fn fetched(answered: bool, took: Duration) {
    let outcome = if answered { "answered" } else { "failed" };
    counter!(FETCHED, "outcome" => outcome).increment(1);
    histogram!(FETCH_SECONDS).record(took.as_secs_f64());
}

/// The handles of one destination, looked up once.
pub(crate) struct Metrics {
    pub(crate) delivered: Counter,
    pub(crate) filtered: Counter,
    pub(crate) dead: Counter,
    pub(crate) parked: Counter,
    pub(crate) retried: Counter,
    pub(crate) breaker_opened: Counter,
    pub(crate) requests: Counter,
    pub(crate) halved: Counter,
    pub(crate) uncombined: Counter,
    bulk_events: Histogram,
    failed: [Counter; 5],
    attempt_seconds: Histogram,
    destination: Arc<str>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new(destination: &Arc<str>) -> Metrics {
        let of = |name: &'static str| counter!(name, "destination" => destination.clone());
        let failed = |kind: &'static str| counter!(FAILED, "destination" => destination.clone(), "kind" => kind);
        Metrics {
            delivered: of(DELIVERED),
            filtered: of(FILTERED),
            dead: of(DEAD),
            parked: of(PARKED),
            retried: of(RETRIED),
            breaker_opened: of(BREAKER_OPENED),
            requests: of(REQUESTS),
            halved: of(HALVED),
            uncombined: of(UNCOMBINED),
            bulk_events: histogram!(BULK_EVENTS, "destination" => destination.clone()),
            failed: ["reject", "refused", "throttled", "retry", "unsent"].map(failed),
            attempt_seconds: histogram!(ATTEMPT_SECONDS, "destination" => destination.clone()),
            destination: destination.clone(),
        }
    }

    pub(crate) fn attempt(&self, took: Duration) {
        self.attempt_seconds.record(took);
    }

    pub(crate) fn bulk(&self, members: usize) {
        self.bulk_events.record(members as f64);
    }

    /// Looked up each time: it is rare, and should not show where it never happens.
    pub(crate) fn forbidden(&self, refusal: &Refusal) {
        let why = match refusal {
            Refusal::Host { .. } => "host",
            Refusal::Address { .. } => "address",
        };
        counter!(FORBIDDEN, "destination" => self.destination.clone(), "why" => why).increment(1);
    }

    pub(crate) fn failed(&self, failure: &Failure) {
        let kind = match failure {
            Failure::Reject { .. } => 0,
            Failure::Refused { .. } => 1,
            Failure::Throttled { .. } => 2,
            Failure::Retry { .. } => 3,
            Failure::Unsent { .. } => 4,
        };
        self.failed[kind].increment(1);
    }
}
