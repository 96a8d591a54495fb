//! The status as metrics, for alerts: written when somebody asks, so that what is gone from the status is gone
//! from the metrics as well.

use crate::status::{Breaker, DestinationState, DestinationStatus, Status};
use std::fmt::Write as _;

/// A metric: its name, what it means, and how it is read off; it is left out when that gives nothing.
type Gauge<T, V> = (&'static str, &'static str, fn(&T) -> V);

/// Every metric of the status that is one number.
const OF_NODE: [Gauge<Status, Option<f64>>; 7] = [
    ("pintle_log_accepting", "1 while events are accepted.", |status| Some(flag(status.log.accepting))),
    ("pintle_log_bytes_max", "Bytes that the log may take.", |status| Some(status.log.bytes_max as f64)),
    ("pintle_log_disk_free_bytes", "Bytes that are free on the log's disk.", |status| {
        status.log.disk_free_bytes.map(|bytes| bytes as f64)
    }),
    (
        "pintle_log_hours_left",
        "Hours until the log is full at the present rate; absent while it is not filling up.",
        |status| status.log.hours_left,
    ),
    ("pintle_catalog_revision", "The revision in force.", |status| Some(status.catalog.revision as f64)),
    ("pintle_catalog_file_refused", "1 while the workspace file as it is now cannot be used.", |status| {
        Some(flag(status.catalog.last_error.is_some()))
    }),
    ("pintle_connections_off", "Connections that stay off although they are enabled.", |status| {
        Some(status.catalog.off.len() as f64)
    }),
];

/// The same for each destination, with its id as the label `destination`.
const OF_DESTINATION: [Gauge<DestinationStatus, f64>; 7] = [
    (
        "pintle_destination_oldest_unsettled_seconds",
        "The age of the oldest event that is not settled.",
        |destination| destination.lag_seconds.unwrap_or_default(),
    ),
    ("pintle_destination_lag_events", "Accepted events that are not settled yet, at most.", |destination| {
        destination.lag_events as f64
    }),
    ("pintle_destination_parked", "Events set aside to be tried again later.", |destination| destination.parked as f64),
    ("pintle_destination_dead_letters", "Dead letters kept for it.", |destination| destination.dead_letters as f64),
    ("pintle_destination_in_flight", "Requests under way.", |destination| destination.in_flight as f64),
    ("pintle_destination_breaker_open", "1 while it is not delivered to because it failed too often.", |destination| {
        flag(destination.breaker != Breaker::Closed)
    }),
    ("pintle_destination_paused", "1 while it is paused: its events wait in the log.", |destination| {
        flag(destination.state == DestinationState::Paused)
    }),
];

/// In Prometheus' text form.
pub(crate) fn render(status: &Status) -> String {
    let mut text = String::new();
    for (name, help, value) in OF_NODE {
        if let Some(value) = value(status) {
            head(&mut text, name, help);
            _ = writeln!(text, "{name} {value}");
        }
    }
    for (name, help, value) in OF_DESTINATION {
        if !status.destinations.is_empty() {
            head(&mut text, name, help);
        }
        for destination in &status.destinations {
            _ = writeln!(text, "{name}{{destination=\"{}\"}} {}", escaped(&destination.id), value(destination));
        }
    }
    text
}

fn head(text: &mut String, name: &str, help: &str) {
    _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// A label's value: Prometheus wants three characters escaped.
fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        assert_eq!(escaped("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
    }
}
