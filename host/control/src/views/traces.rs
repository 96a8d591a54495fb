//! Traces, and what is known of one event.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// What is to be traced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceBody {
    /// Events of this user: their `userId` or `anonymousId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Events on their way over this connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Events of this source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The next so many. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// For so many seconds. Default: an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A trace, on or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceView {
    /// Its id.
    pub id: String,
    /// Whether it goes on.
    pub on: bool,
    /// When it was switched on.
    pub at_ms: i64,
    /// Who did.
    pub author: String,
    /// What for.
    pub note: String,
    /// See [`TraceBody::user_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// See [`TraceBody::connection`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// See [`TraceBody::source`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// It ends then.
    pub until_ms: i64,
    /// It ends after so many events.
    pub events_max: u64,
    /// So many were there.
    pub events: u64,
    /// When somebody switched it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_at_ms: Option<i64>,
}

/// What is known of a message id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WhyView {
    /// The message id.
    pub message_id: String,
    /// The events that have it, in the order in which they were received.
    pub events: Vec<WhyEvent>,
    /// Events with it that the gateway did not take.
    pub rejected: Vec<super::gateway::RejectedView>,
    /// Where was looked for it.
    pub searched: SearchedView,
}

/// Where was looked for a message id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedView {
    /// In events of these sources.
    pub sources: Vec<String>,
    /// In so many bytes of the log.
    pub bytes: u64,
    /// Where the log begins; what is older is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_begins_ms: Option<i64>,
    /// Only back to then: the rest is more than `search-bytes-max` allows for one question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to_ms: Option<i64>,
}

/// One event, and what became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WhyEvent {
    /// Its place in the log: `lane.seq.idx`.
    pub position: String,
    /// Its source.
    pub source_id: String,
    /// Its type.
    pub event_type: String,
    /// Its user; empty when it has none.
    pub user_id: String,
    /// Its anonymous id; empty when it has none.
    pub anonymous_id: String,
    /// When it was received.
    pub received_at_ms: i64,
    /// Where it came from; absent when the log does not have it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_ip: Option<String>,
    /// Whether it is a copy of an earlier event: then it goes nowhere.
    pub duplicate: bool,
    /// Where the first copy is, when that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The event; absent when the log does not have it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    /// Each connection of its source, and how far the event is there.
    pub destinations: Vec<WhyDestination>,
    /// What was recorded of it, in order; nothing when nobody traced it.
    pub steps: Vec<StepView>,
}

/// How far an event is at one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyDestination {
    /// The destination.
    pub destination_id: String,
    /// The connection.
    pub connection_id: String,
    /// `pending`, `settled` (delivered or filtered), `delivered`, `filtered`, `parked`, `dead-letter` or
    /// `not-for-it`.
    pub how: String,
    /// Why.
    pub reason: String,
    /// How often it was tried, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_ms: Option<i64>,
    /// The dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<String>,
}

/// One recorded step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its id; later ones have larger ids.
    pub id: String,
    /// When.
    pub at_ms: i64,
    /// `accepted`, `filtered`, `transformation`, `destination`, `attempt` or `settled`.
    pub kind: String,
    /// The destination; empty for what happens once per event.
    pub destination_id: String,
    /// The connection.
    pub connection_id: String,
    /// What is told of it.
    pub told: Value,
}

impl TraceView {
    pub(crate) fn of(switch: pintle_store::traces::switches::Switch, now_ms: i64) -> TraceView {
        TraceView {
            id: switch.id.to_string(),
            on: switch.is_on(now_ms),
            at_ms: switch.created_at_ms,
            author: switch.author,
            note: switch.note,
            user_id: switch.user_id,
            connection: switch.connection,
            source: switch.source,
            until_ms: switch.until_ms,
            events_max: switch.events_max,
            events: switch.events_taken,
            off_at_ms: switch.off_at_ms,
        }
    }
}
