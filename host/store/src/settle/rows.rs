//! The ends an output can come to, and the rows that some of them leave.

use bytes::Bytes;
use pintle_events::Position;

/// What became of one output.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The destination has it.
    Delivered,
    /// Nothing was to be delivered, by rule.
    Filtered {
        /// The rule, for people.
        reason: String,
    },
    /// It will not be delivered unless somebody retries it.
    Dead(DeadLetter),
    /// It waits for its turn outside the log.
    Parked(Parked),
}

/// Where an event died, and so what its payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In a transformation: the payload is the event as the transformation got it.
    Transformation,
    /// In the destination transform or on the wire: the payload is the event after user transformation.
    Delivery,
}

impl Stage {
    /// The name in the table and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Transformation => "transformation",
            Stage::Delivery => "delivery",
        }
    }
}

/// An output that will not be delivered.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The event it came from.
    pub position: Position,
    /// Which of the event's outputs.
    pub output: u32,
    /// Where it died.
    pub stage: Stage,
    /// Why, in one sentence.
    pub reason: String,
    /// The stack or the network error behind the reason.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// The last request, cut and with secrets masked.
    pub request: Option<String>,
    /// The last answer, cut.
    pub response: Option<String>,
    /// JSON `{"message", "metadata"}`.
    pub payload: Bytes,
    /// The event's source.
    pub source_id: String,
    /// The connection it travelled on.
    pub connection_id: String,
    /// The event's message id.
    pub message_id: String,
    /// The event's type.
    pub event_type: String,
    /// The hash of its ordering key.
    pub key_hash: u64,
}

/// An output that waits outside the log while others of its destination go on.
#[derive(Clone, Debug)]
pub struct Parked {
    /// The event it came from.
    pub position: Position,
    /// Which of the event's outputs.
    pub output: u32,
    /// The hash of its ordering key.
    pub key_hash: u64,
    /// The event's source.
    pub source_id: String,
    /// The event's message id.
    pub message_id: String,
    /// The event's type.
    pub event_type: String,
    /// The connection it travelled on.
    pub connection_id: String,
    /// Tries so far; 0 when it waits behind another of its key.
    pub attempt: u32,
    /// When it is due, milliseconds since 1970.
    pub next_at_ms: i64,
    /// What the last try said.
    pub last_error: String,
    /// How many of its requests are done and not repeated.
    pub requests_done: u32,
    /// JSON `{"message", "metadata"}`: the event after user transformation.
    pub payload: Bytes,
    /// When it first failed, milliseconds since 1970.
    pub first_failed_at_ms: i64,
}
