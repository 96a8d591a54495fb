//! What of a status somebody has to look at.

use crate::status::{Breaker, DestinationState, Status};

/// From when on something is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The age of the oldest unsettled event of a destination that is not paused, in seconds.
    pub unsettled_seconds_max: f64,
    /// Hours until the log is full.
    pub hours_left_min: f64,
    /// Dead letters of a destination; none are too many when absent.
    pub dead_letters_max: Option<u64>,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds { unsettled_seconds_max: 300.0, hours_left_min: 4.0, dead_letters_max: None }
    }
}

/// Everything that is not as it should be, one sentence each; nothing when all is well.
#[must_use]
pub fn complaints(status: &Status, thresholds: &Thresholds) -> Vec<String> {
    let mut found = Vec::new();
    if !status.log.accepting {
        let why = status.log.refusal.as_deref().unwrap_or("it does not say why");
        found.push(format!("events are refused: {why}"));
    }
    if let Some(hours) = status.log.hours_left.filter(|hours| *hours < thresholds.hours_left_min) {
        found.push(format!("the log is full in {hours:.1} hours at the present rate"));
    }
    if let Some(error) = &status.catalog.last_error {
        found.push(format!("the workspace file cannot be used: {error}"));
    }
    for off in &status.catalog.off {
        found.push(format!("connection {} is off: {}", off.connection, off.reason));
    }
    for destination in &status.destinations {
        let id = &destination.id;
        if destination.breaker != Breaker::Closed {
            found.push(format!("destination {id} is not delivered to: its breaker is open"));
        }
        let waits = destination.lag_seconds.filter(|_| destination.state != DestinationState::Paused);
        if let Some(seconds) = waits.filter(|seconds| *seconds > thresholds.unsettled_seconds_max) {
            found.push(format!("destination {id}: the oldest unsettled event is {seconds:.0} seconds old"));
        }
        if thresholds.dead_letters_max.is_some_and(|max| destination.dead_letters > max) {
            found.push(format!("destination {id} has {} dead letters", destination.dead_letters));
        }
    }
    found
}
