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

/// A row, and the hour in which its event was received: what the books count it under; none when its event is in
/// no hour of the books.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) row: T,
    pub(crate) hour: Option<i32>,
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

impl Parked {
    /// A dead letter that is to be tried again at `now_ms`, as if for the first time.
    #[must_use]
    pub fn of(letter: DeadLetter, now_ms: i64) -> Parked {
        Parked {
            position: letter.position,
            output: letter.output,
            key_hash: letter.key_hash,
            source_id: letter.source_id,
            message_id: letter.message_id,
            event_type: letter.event_type,
            connection_id: letter.connection_id,
            attempt: 0,
            next_at_ms: now_ms,
            last_error: letter.reason,
            requests_done: 0,
            payload: letter.payload,
            first_failed_at_ms: now_ms,
        }
    }

    /// Its dead letter after the tries it has had, with nothing known of the last request. A try that
    /// `attempt` does not count yet, and what it said, are for the caller to add.
    #[must_use]
    pub fn dead(&self, reason: impl Into<String>) -> DeadLetter {
        DeadLetter {
            position: self.position,
            output: self.output,
            stage: Stage::Delivery,
            reason: reason.into(),
            error: None,
            attempts: self.attempt,
            request: None,
            response: None,
            payload: self.payload.clone(),
            source_id: self.source_id.clone(),
            connection_id: self.connection_id.clone(),
            message_id: self.message_id.clone(),
            event_type: self.event_type.clone(),
            key_hash: self.key_hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parked_event_dies_with_everything_that_is_known_of_it() {
        let parked = Parked {
            position: Position { lane: 3, seq: 14, idx: 15 },
            output: 9,
            key_hash: 26,
            source_id: "site".into(),
            message_id: "m-1".into(),
            event_type: "track".into(),
            connection_id: "site-orders".into(),
            attempt: 5,
            next_at_ms: 35,
            last_error: "503".into(),
            requests_done: 1,
            payload: Bytes::from_static(b"{}"),
            first_failed_at_ms: 8,
        };
        let letter = parked.dead("switched off");
        assert_eq!((letter.position, letter.output, letter.key_hash), (parked.position, 9, 26));
        assert_eq!((letter.stage, letter.reason.as_str(), letter.attempts), (Stage::Delivery, "switched off", 5));
        assert_eq!((letter.error, letter.request, letter.response), (None, None, None));
        assert_eq!(letter.payload, parked.payload);
        assert_eq!((letter.source_id, letter.connection_id), (parked.source_id, parked.connection_id));
        assert_eq!((letter.message_id, letter.event_type), (parked.message_id, parked.event_type));
    }
}
