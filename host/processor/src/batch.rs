//! Events on their way through components, and how a call's input is written.

use crate::config::Config;
use bytes::Bytes;
use pintle_events::{EventRef, Position};
use pintle_router::trace::Subject;
use pintle_store::settle::DeadLetter;
use std::sync::Arc;

/// An event as it was read from the log for one connection.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it stands.
    pub position: Position,
    /// The hash of its ordering key.
    pub key_hash: u64,
    /// Its source.
    pub source_id: Arc<str>,
    /// The connection it travels on.
    pub connection_id: Arc<str>,
    /// Its message id.
    pub message_id: String,
    /// Its type.
    pub event_type: String,
    /// `"message": …, "metadata": …` without braces, so that a seed can be put behind it.
    pub members: Bytes,
}

impl Input {
    /// Reads an event of the log. `scope` holds the metadata that every event of the connection shares.
    #[must_use]
    pub fn read(event: &EventRef<'_>, position: Position, source_id: Arc<str>, connection: &Scope) -> Input {
        let mut message = Vec::with_capacity(event.raw.len() + 192);
        event.write_message(&mut message);
        let metadata = connection.metadata(event);
        Input {
            position,
            key_hash: event.key_hash(),
            source_id,
            connection_id: connection.connection_id.clone(),
            message_id: event.message_id.to_owned(),
            event_type: event.event_type.to_owned(),
            members: members(&message, metadata.as_bytes()),
        }
    }

    /// Reads what a dead letter has kept.
    #[must_use]
    pub fn of_letter(letter: &DeadLetter) -> Input {
        Input {
            position: letter.position,
            key_hash: letter.key_hash,
            source_id: letter.source_id.as_str().into(),
            connection_id: letter.connection_id.as_str().into(),
            message_id: letter.message_id.clone(),
            event_type: letter.event_type.clone(),
            members: letter.payload.slice(1..letter.payload.len().saturating_sub(1).max(1)),
        }
    }

    /// The same event with another message: what a transformation made of it.
    #[must_use]
    pub fn with_message(&self, message: &[u8]) -> Bytes {
        let from = memchr_metadata(&self.members);
        members(message, &self.members[from..])
    }

    /// Whom it is about.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        let Input { position, source_id, message_id, connection_id, .. } = self;
        Subject { position: *position, source_id, message_id, connection_id }
    }

    /// JSON `{"message", "metadata"}`: what is kept of it outside the log.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        payload(&self.members)
    }
}

/// What the events of one connection have in common.
#[derive(Clone, Debug)]
pub struct Scope {
    connection_id: Arc<str>,
    /// The shared metadata fields, as JSON members with a trailing comma.
    shared: String,
}

impl Scope {
    /// The metadata fields that users' code may ask for, as far as they do not depend on the event.
    #[must_use]
    pub fn new(route: &crate::spec::Route, destination_id: &str, destination: &pintle_catalog::Destination) -> Scope {
        let mut shared = String::new();
        for (name, value) in [
            ("sourceId", route.connection.source.as_str()),
            ("sourceName", route.source.name.as_str()),
            ("destinationId", destination_id),
            ("destinationName", destination.name.as_str()),
            ("destinationType", destination.plugin.to_uppercase().as_str()),
            ("connectionId", route.connection_id.as_str()),
        ] {
            shared.push_str(&format!("{}:{},", quoted(name), quoted(value)));
        }
        Scope { connection_id: route.connection_id.as_str().into(), shared }
    }

    /// The connection.
    pub(crate) fn connection_id(&self) -> &str {
        &self.connection_id
    }

    fn metadata(&self, event: &EventRef<'_>) -> String {
        format!(
            "{{{}\"messageId\":{},\"eventType\":{},\"receivedAt\":\"{}\",\"rudderId\":\"{}\"}}",
            self.shared,
            quoted(event.message_id),
            quoted(event.event_type),
            pintle_events::frame::timestamp(event.received_at_ms),
            pintle_events::key::rudder_id(event.user_id, event.anonymous_id),
        )
    }
}

/// Cuts a list of events into calls that respect the limits; every call has at least one event.
pub fn calls<T>(items: &[T], config: &Config, bytes: impl Fn(&T) -> usize) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut start, mut size) = (Vec::new(), 0, 0);
    for (at, item) in items.iter().enumerate() {
        let full = at - start >= config.batch_events_max.get() || size + bytes(item) > config.batch_bytes_max.get();
        if at > start && full {
            ranges.push(start..at);
            (start, size) = (at, 0);
        }
        size += bytes(item);
    }
    if start < items.len() {
        ranges.push(start..items.len());
    }
    ranges
}

/// The number of an event among those that came of the same one of the log, which stand together: it tells their
/// seeds apart, whatever else is in the call.
#[must_use]
pub fn ordinal<T>(events: &[T], at: usize, position: impl Fn(&T) -> Position) -> usize {
    let own = position(&events[at]);
    events[..at].iter().rev().take_while(|event| position(event) == own).count()
}

/// A call's input: a JSON array of the events. The seed of each makes what is random in it come out the
/// same when the event is tried again, alone or in other company.
#[must_use]
pub fn encode<'a>(events: impl Iterator<Item = (&'a Bytes, Position, usize)>) -> Vec<u8> {
    let mut out = vec![b'['];
    for (members, position, ordinal) in events {
        if out.len() > 1 {
            out.push(b',');
        }
        out.push(b'{');
        out.extend_from_slice(members);
        out.extend_from_slice(format!(",\"seed\":\"{position}.{ordinal}\"}}").as_bytes());
    }
    out.push(b']');
    out
}

/// JSON `{"message", "metadata"}` from its members.
#[must_use]
pub fn payload(members: &[u8]) -> Bytes {
    [b"{", members, b"}"].concat().into()
}

/// A payload with another message in it; its metadata stay.
#[must_use]
pub fn edited(old: &[u8], message: &[u8]) -> Bytes {
    let inside = old.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or_default();
    payload(&members(message, &inside[memchr_metadata(inside)..]))
}

/// The message of an event's members.
#[must_use]
pub fn message(members: &[u8]) -> &[u8] {
    let message = &members[..memchr_metadata(members)];
    message.strip_prefix(MESSAGE).unwrap_or(message)
}

const MESSAGE: &[u8] = b"\"message\":";
const METADATA: &[u8] = b",\"metadata\":";

fn members(message: &[u8], metadata: &[u8]) -> Bytes {
    let metadata = metadata.strip_prefix(METADATA).unwrap_or(metadata);
    [MESSAGE, message, METADATA, metadata].concat().into()
}

/// Where the metadata begin. They are written by us, hold no nested objects, and come last: the last
/// occurrence outside a string is the last occurrence at all, for a quote inside a string is escaped.
fn memchr_metadata(members: &[u8]) -> usize {
    members.windows(METADATA.len()).rposition(|window| window == METADATA).unwrap_or(members.len())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
