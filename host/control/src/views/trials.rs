//! Test runs, shadow runs and logs.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a test run is asked to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrialBody {
    /// The events: as SDKs send them, or `{"message": …, "metadata": …}`.
    pub events: Vec<Value>,
    /// `draft`, `live`, or the number of a version. Default: the draft, else the live version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a test run gave.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TrialView {
    /// Which version ran: `draft` or its number.
    pub version: String,
    /// One per event, in order.
    pub results: Vec<ResultView>,
    /// What was logged.
    pub logs: Vec<LogLineView>,
    /// How long the code took, in milliseconds, loading not included.
    pub took_ms: f64,
    /// Its memory after the last batch; absent when nothing survived it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// What became of one event.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResultView {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The events that go on.
    pub outputs: Vec<Box<RawValue>>,
    /// Whether the code let go of it on purpose.
    pub dropped: bool,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// An error of the user's code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ErrorView {
    /// What is wrong.
    pub message: String,
    /// Frames of the user's files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// Line in the user's file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// A line of a test run's log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LogLineView {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub message: String,
}

/// A line that a transformation logged in service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct KeptLine {
    /// Counted up since the server started.
    pub seq: u64,
    /// When.
    pub at_ms: u64,
    /// The version that logged it: the start of its digest.
    pub version: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The text.
    pub message: String,
}

/// What a shadow run is asked to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowBody {
    /// The connection whose events are taken.
    pub connection: String,
    /// The last so many of them.
    #[serde(default = "hundred")]
    pub events: usize,
    /// `draft`, or the number of a version. Default: the draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

fn hundred() -> usize {
    100
}

/// How a candidate differs from the live version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ShadowView {
    /// The transformation.
    pub transformation: String,
    /// The connection.
    pub connection: String,
    /// The live version's number.
    pub live: String,
    /// The candidate: `draft` or a number.
    pub candidate: String,
    /// Events that both were run on.
    pub events: usize,
    /// Of those: both gave the same.
    pub same: usize,
    /// Of those: both gave outputs, which differ.
    pub changed: usize,
    /// Of those: only the candidate drops it.
    pub dropped: usize,
    /// Of those: only the live version drops it.
    pub kept: usize,
    /// Of those: only the candidate fails on it.
    pub broken: usize,
    /// Of those: only the live version fails on it.
    pub mended: usize,
    /// How long the live version took, in milliseconds.
    pub live_ms: f64,
    /// How long the candidate took, in milliseconds.
    pub candidate_ms: f64,
    /// The fields that differ over all events, by how many events they differ in.
    pub fields: Vec<FieldCount>,
    /// The first events that differ.
    pub differences: Vec<DifferenceView>,
}

/// A field and in how many events it differs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct FieldCount {
    /// Its JSON Pointer; places in arrays are written `*`.
    pub path: String,
    /// Events.
    pub events: usize,
}

/// How the two differ on one event.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct DifferenceView {
    /// The event's messageId.
    pub message_id: String,
    /// `changed`, `dropped`, `kept`, `broken` or `mended`.
    pub kind: String,
    /// What differs.
    pub fields: Vec<FieldDifference>,
    /// The error, when one of the two fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct FieldDifference {
    /// Its JSON Pointer in the output.
    pub path: String,
    /// What the live version gives; absent when the field is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// What the candidate gives; absent when the field is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Value>,
}
