//! Dead letters, as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which dead letters are meant; all of them when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetterFilter {
    /// Of this destination only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// From this source only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Of this connection only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only those that died in a `transformation`, or in `delivery`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Only events of this type.
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    pub event_type: Option<String>,
    /// Only the event with this messageId.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Only those with this text in their reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only those that died then or later, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Only those that died before that, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// Only those older than this one: the id of the last of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Only those newer than this one: `next_after` of the batch before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What is to be done to many dead letters, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetterBatch {
    /// Which.
    pub filter: DeadLetterFilter,
    /// At most so many in this request; `dead-letters-max` bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What became of many retries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetriedBatch {
    /// How many will be delivered again.
    pub queued: u64,
    /// Those that stay, and why.
    pub refused: Vec<RefusedRetry>,
    /// The value of `after` that goes on behind this batch, when there may be more.
    pub next_after: Option<String>,
}

/// A dead letter that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRetry {
    /// Which.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What became of a request to discard many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscardedBatch {
    /// How many are gone.
    pub discarded: u64,
    /// Whether there may be more: as many as the limit allows are gone.
    pub more: bool,
}

/// The body of a retry, or of a dry run, of one dead letter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBody {
    /// The event that takes the place of its own, in whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
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
    /// The connection it travelled on.
    pub connection_id: String,
    /// Where it died: in a `transformation`, or in `delivery`.
    pub stage: String,
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
    /// The event as it was received. Absent when the log has it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Box<RawValue>>,
    /// What each transformation that runs now makes of that, in their order.
    #[serde(default)]
    pub steps: Vec<TraceStep>,
    /// Why there are no steps although there may have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<String>,
}

/// What one transformation makes of an event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TraceStep {
    /// The transformation's name.
    pub transformation: String,
    /// Its version: the start of its code's digest.
    pub version: String,
    /// The events that go on, without secrets.
    pub events: Vec<Box<RawValue>>,
    /// How many more there are than are shown here.
    pub more: usize,
    /// Why something of it does not go on.
    pub ended: Vec<String>,
}

/// What would become of a dead letter now. Nothing of it was sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DryRun {
    /// What each transformation makes of it; none for one that died behind them.
    pub steps: Vec<TraceStep>,
    /// What becomes of each event that comes of it: at the destination, or of those that did not get so far.
    pub results: Vec<DryRunResult>,
}

impl DryRun {
    /// Whether everything that comes of it would be sent, or be filtered on purpose.
    #[must_use]
    pub fn would_be_sent(&self) -> bool {
        self.results.iter().all(|result| match result.outcome.as_str() {
            "send" => result.requests.iter().all(|request| request.refused.is_none()),
            outcome => outcome == "filter",
        })
    }
}

/// What becomes of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRunResult {
    /// `send`, `filter`, `refuse`, or `unknown` when the plugin cannot be asked now.
    pub outcome: String,
    /// Why, unless it would be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The requests, in the order in which they would be sent.
    pub requests: Vec<DryRunRequest>,
}

/// A request that would be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRunRequest {
    /// Method, URL, headers and the start of the body before compression, secrets masked.
    pub request: String,
    /// Why it would not be sent after all: it is malformed, or goes where requests may not go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What became of a request for a dry run.
#[derive(Clone, Debug)]
pub enum DryRunOutcome {
    /// This would become of it.
    Done(DryRun),
    /// There is no such dead letter (any more).
    NotFound,
    /// It cannot be told now.
    Refused {
        /// Why.
        reason: String,
    },
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
