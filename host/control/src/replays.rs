//! Replays, as the API shows them.

use serde::{Deserialize, Serialize};

/// What is to be sent to a destination again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// The destination that gets the events.
    pub destination: String,
    /// Events received from then on, in Unix milliseconds. Default: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// Events received before then, in Unix milliseconds. Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// A folder of the archive, below its own prefix; without one the events come from the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}

/// What a replay would take. Nothing was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayCount {
    /// Events that the destination would get, unless a transformation lets go of them.
    pub events: u64,
    /// The same by source and type.
    pub by_type: Vec<TypeCount>,
    /// Events that rules keep away, by the reason.
    pub filtered: Vec<ReasonCount>,
    /// Copies of earlier events; they are not sent again.
    pub duplicates: u64,
    /// Whether everything was counted. If not, `replay-count-time-max` was over.
    pub complete: bool,
    /// When the last event was received that was counted, in Unix milliseconds.
    pub up_to_ms: Option<i64>,
    /// Lines of the archive that are no events: they would be left out.
    pub unreadable: u64,
    /// The first of them, with their places.
    pub unreadable_first: Vec<String>,
}

/// How many events of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCount {
    /// The source.
    pub source: String,
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// How many.
    pub events: u64,
}

/// How many events for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason.
    pub reason: String,
    /// How many.
    pub events: u64,
}

/// A replay, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayView {
    /// Its id.
    pub id: String,
    /// The destination that gets the events.
    pub destination: String,
    /// The name under which its dead letters and books are found.
    pub reader: String,
    /// Events received from then on, in Unix milliseconds.
    pub since_ms: i64,
    /// Events received before then, in Unix milliseconds.
    pub until_ms: i64,
    /// The folder of the archive that the events come from; absent when they come from the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Objects of the archive, and how many of them are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<ObjectCount>,
    /// Who started it.
    pub author: String,
    /// When, in Unix milliseconds.
    pub created_ms: i64,
    /// `running`, `waiting` for its destination, `held` by what `reason` says, `ended` or `cancelled`.
    pub state: String,
    /// Why it waits or is held; who cancelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the last of its events was settled, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// Events that the destination has.
    pub delivered: u64,
    /// Events that it does not get: by rule, or because they are copies.
    pub filtered: u64,
    /// Events of which an output is a dead letter, or that expired.
    pub dead: u64,
    /// Events that wait to be tried again.
    pub parked: u64,
    /// Events of the log that are still to be read.
    pub pending: u64,
}

/// How many objects of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectCount {
    /// All that are to be read.
    pub all: u64,
    /// Those of which all events are settled.
    pub done: u64,
}

/// Several replays, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayList {
    /// The replays.
    pub items: Vec<ReplayView>,
}
