//! Newly accepted events, as a stream of JSON lines.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// One newly accepted event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TailEvent {
    /// The source it came from.
    pub source_id: Arc<str>,
    /// Its messageId.
    pub message_id: String,
    /// Its type.
    pub event_type: String,
    /// When it was received, in Unix milliseconds.
    pub received_at_ms: i64,
    /// The event, as transformations see it.
    pub event: Arc<RawValue>,
}

/// One line of the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TailLine {
    /// An event.
    Event(TailEvent),
    /// The last line: why the stream ends here. A stream that was merely cut off has no such line.
    End(End),
}

/// Why a stream of events ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// In words.
    pub reason: String,
    /// Events the reader has missed, when it read too slowly.
    pub missed: u64,
}
