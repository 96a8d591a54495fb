//! Dead letters, as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which dead letters are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Of this destination only.
    pub destination: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// Only those older than this one: the id of the last of the page before.
    pub before: Option<String>,
}

/// One dead letter of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its id, usable in a path. Opaque to clients.
    pub id: String,
    /// The destination it could not be delivered to.
    pub destination_id: String,
    /// The source it came from.
    pub source_id: String,
    /// The event's messageId.
    pub message_id: String,
    /// The event's type.
    pub event_type: String,
    /// Why it is dead, in words.
    pub reason: String,
    /// How often its delivery was tried.
    pub attempts: u32,
    /// When it was buried, in Unix milliseconds.
    pub at_ms: i64,
}

/// Everything that is known about a dead letter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadLetterDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub letter: DeadLetter,
    /// Its place in the log: `lane.seq.idx`.
    pub position: String,
    /// Which output of the event it is, from 0.
    pub output: u32,
    /// The error behind the reason: a stack trace, a failed connection.
    pub error: Option<String>,
    /// The start of the last request, secrets masked.
    pub request: Option<String>,
    /// The start of the last response.
    pub response: Option<String>,
    /// The event after user transformation, with its metadata. Absent when it is gone.
    pub payload: Option<Box<RawValue>>,
}

/// The answer of `GET /admin/v1/dead-letters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterPage {
    /// Newest first.
    pub dead_letters: Vec<DeadLetter>,
    /// The value of `before` that gives the next page, when there may be one.
    pub next_before: Option<String>,
}

/// What became of a request to retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RetryOutcome {
    /// It will be delivered again.
    Queued,
    /// There is no such dead letter (any more).
    NotFound,
    /// It cannot be delivered again now.
    Refused {
        /// Why.
        reason: String,
    },
}
