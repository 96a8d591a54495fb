//! Every metric of the store: names and units.

use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// Committed chunks.
const CHUNKS: &str = "pintle_log_chunks_total";
/// Committed events.
const EVENTS: &str = "pintle_log_events_total";
/// Compressed bytes of committed chunks.
const BYTES: &str = "pintle_log_chunk_bytes_total";
/// Seconds from taking a chunk's events to its commit.
const COMMIT: &str = "pintle_log_commit_seconds";
/// Commits whose outcome was unknown and had to be looked up.
const UNKNOWN: &str = "pintle_log_commit_unknown_total";
/// Bytes that the log takes in the database.
const LOG_BYTES: &str = "pintle_log_bytes";
/// Events that are copies of earlier ones, and go to no destination.
const DUPLICATES: &str = "pintle_duplicates_total";
/// Message ids that are remembered.
const DEDUP_IDS: &str = "pintle_dedup_ids";
/// Message ids that were forgotten before `dedup-window` had passed, because of `dedup-ids-max`.
const DEDUP_EVICTED: &str = "pintle_dedup_ids_evicted_total";
/// Rejected events of which no record was kept, because too many came.
const REJECTED_UNRECORDED: &str = "pintle_rejected_unrecorded_total";
/// Sources, hours and destinations of which the books do not balance, at the last look.
const UNBALANCED: &str = "pintle_ledger_unbalanced";
/// Steps of traced events that were recorded.
const TRACE_STEPS: &str = "pintle_trace_steps_total";
/// Steps of traced events that were not recorded, by the limit that they met.
const TRACE_DROPPED: &str = "pintle_trace_steps_dropped_total";
/// Cursor rows written.
const CURSORS: &str = "pintle_cursor_writes_total";

pub(crate) fn committed(events: u32, bytes: usize, took: Duration) {
    counter!(CHUNKS).increment(1);
    counter!(EVENTS).increment(u64::from(events));
    counter!(BYTES).increment(bytes as u64);
    histogram!(COMMIT).record(took.as_secs_f64());
}

pub(crate) fn commit_unknown() {
    counter!(UNKNOWN).increment(1);
}

pub(crate) fn log_bytes(bytes: u64) {
    gauge!(LOG_BYTES).set(bytes as f64);
}

pub(crate) fn duplicates(events: usize) {
    counter!(DUPLICATES).increment(events as u64);
}

pub(crate) fn dedup_ids(ids: usize, evicted: u64) {
    gauge!(DEDUP_IDS).set(ids as f64);
    counter!(DEDUP_EVICTED).increment(evicted);
}

pub(crate) fn rejected_unrecorded(events: usize) {
    counter!(REJECTED_UNRECORDED).increment(events as u64);
}

pub(crate) fn ledger_unbalanced(rows: usize) {
    gauge!(UNBALANCED).set(rows as f64);
}

pub(crate) fn cursor_flush(rows: usize) {
    counter!(CURSORS).increment(rows as u64);
}

pub(crate) fn trace_recorded(steps: usize) {
    counter!(TRACE_STEPS).increment(steps as u64);
}

pub(crate) fn trace_dropped(limit: &'static str, steps: usize) {
    counter!(TRACE_DROPPED, "limit" => limit).increment(steps as u64);
}
