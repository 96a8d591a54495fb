//! What the gateway keeps out.

use serde::{Deserialize, Serialize};

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedView {
    /// The id of the record; newer ones have larger ids.
    pub id: String,
    /// When it came.
    pub at_ms: i64,
    /// The source that it came with.
    pub source_id: String,
    /// Why it was not taken: the label that metrics have for it.
    pub reason: String,
    /// Its message id, as far as it has one.
    pub message_id: String,
    /// Its type, as far as it has one.
    pub event_type: String,
    /// Where it came from.
    pub request_ip: String,
    /// How long it is.
    pub bytes: u64,
    /// Its start, as it came.
    pub excerpt: String,
}

impl From<pintle_store::rejected::Stored> for RejectedView {
    fn from(stored: pintle_store::rejected::Stored) -> RejectedView {
        let pintle_store::rejected::Stored { id, event } = stored;
        RejectedView {
            id: id.to_string(),
            at_ms: event.at_ms,
            source_id: event.source_id,
            reason: event.reason,
            message_id: event.message_id,
            event_type: event.event_type,
            request_ip: event.request_ip,
            bytes: event.bytes,
            excerpt: String::from_utf8_lossy(&event.excerpt).into_owned(),
        }
    }
}

/// A user whose events are neither stored nor delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuppressionView {
    /// The `userId`, as events have it.
    pub user_id: String,
    /// Since when.
    pub at_ms: i64,
    /// Who asked for it.
    pub author: String,
    /// Why.
    pub reason: String,
}
