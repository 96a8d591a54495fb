//! Every metric of the processor: names and units.

use metrics::{counter, histogram};
use std::time::Duration;

/// Events read for a destination.
const READ: &str = "pintle_processor_events_total";
/// Outputs that came to an end in the processor, by destination and how.
const ENDED: &str = "pintle_processor_ended_total";

/// Objects written, by destination.
const OBJECTS: &str = "pintle_objects_written_total";
/// Their bytes, compressed.
const OBJECT_BYTES: &str = "pintle_objects_bytes_total";
/// The records in them.
const OBJECT_RECORDS: &str = "pintle_objects_records_total";
/// Failed uploads, by destination and kind: `refused` (somebody has to act) or `retry`.
const UPLOADS_FAILED: &str = "pintle_objects_uploads_failed_total";
/// Seconds that uploads took.
const UPLOAD_SECONDS: &str = "pintle_objects_upload_seconds";

/// Lines of the archive that replays left out because they are no events.
const UNREADABLE: &str = "pintle_replay_unreadable_lines_total";

pub(crate) fn unreadable(lines: u64) {
    if lines > 0 {
        counter!(UNREADABLE).increment(lines);
    }
}

pub(crate) fn uploaded(destination: &str, bytes: usize, records: u64, took: Duration) {
    counter!(OBJECTS, "destination" => destination.to_owned()).increment(1);
    counter!(OBJECT_BYTES, "destination" => destination.to_owned()).increment(bytes as u64);
    counter!(OBJECT_RECORDS, "destination" => destination.to_owned()).increment(records);
    histogram!(UPLOAD_SECONDS, "destination" => destination.to_owned()).record(took.as_secs_f64());
}

pub(crate) fn upload_failed(destination: &str, kind: &'static str) {
    counter!(UPLOADS_FAILED, "destination" => destination.to_owned(), "kind" => kind).increment(1);
}

pub(crate) fn read(destination: &str, events: usize) {
    counter!(READ, "destination" => destination.to_owned()).increment(events as u64);
}

pub(crate) fn ended(destination: &str, how: &'static str) {
    counter!(ENDED, "destination" => destination.to_owned(), "how" => how).increment(1);
}
