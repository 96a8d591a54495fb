//! Every metric of the processor: names and units.

use metrics::counter;

/// Events read for a destination.
const READ: &str = "pintle_processor_events_total";
/// Outputs that came to an end in the processor, by destination and how.
const ENDED: &str = "pintle_processor_ended_total";

pub(crate) fn read(destination: &str, events: usize) {
    counter!(READ, "destination" => destination.to_owned()).increment(events as u64);
}

pub(crate) fn ended(destination: &str, how: &'static str) {
    counter!(ENDED, "destination" => destination.to_owned(), "how" => how).increment(1);
}
