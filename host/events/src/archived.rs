//! Events that an archive kept, read back from its lines.
//!
//! ```text
//!   frame ──write_message──▶ {…what was sent…,"rudderId":"…",…what was stamped…} ──read──▶ the same frame
//! ```
//! A line is an event as readers see it, so reading it finds out what was sent and what was stamped behind it: the
//! frame that is tried first is the one with the stamps cut off, and it counts when it writes the very same line
//! again. A line that somebody else wrote (RudderStack's archive has the same folders, and its own order of
//! members) is an event that came with all it says.

use crate::scan::{self, Event, Limits};
use crate::times::{Times, parse};
use crate::{Frame, Kind, kind, sanitize};
use md5::{Digest, Md5};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// What is written directly behind what was sent.
const FIRST_STAMP: &[u8] = br#""rudderId":""#;
/// The stamps that may follow, in no order.
const STAMPS: [&str; 7] = ["messageId", "receivedAt", "originalTimestamp", "sentAt", "timestamp", "request_ip", "type"];
/// Longer message ids do not fit into a frame.
const MESSAGE_ID_BYTES_MAX: usize = u16::MAX as usize;
/// What was archived passed the limit that the gateway had then, which may have been any.
const LIMITS: Limits = Limits { nesting_max: u8::MAX, events_max: 1 };

/// Why a line is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is no JSON object, or one that is nested too deeply.
    #[error("{0}")]
    NoEvent(#[from] scan::Invalid),
    /// It has no `userId` and no `anonymousId`, and is no row of a warehouse.
    #[error("it has neither userId nor anonymousId")]
    NoIds,
    /// It does not say when it was received, and its object's name does not either.
    #[error("it has no receivedAt")]
    NoTime,
}

/// Reads an archived line and gives its frame to `then`.
///
/// `received` is when the events of its object were received, first and last, in milliseconds since 1970, where
/// that is known: an event that brought a `receivedAt` of its own does not say when we received it, and counts as
/// received as close to that as these times allow.
///
/// # Errors
/// When the line is no event.
pub fn read<T>(
    line: &str,
    source_id: &str,
    received: Option<&RangeInclusive<i64>>,
    then: impl FnOnce(&Frame<'_>) -> T,
) -> Result<T, Flaw> {
    let line = line.trim_ascii();
    let event = scan::event(line, &LIMITS)?;
    let known = Known {
        user_id: clean(event.user_id.as_ref()),
        anonymous_id: clean(event.anonymous_id.as_ref()),
        event_type: clean(event.event_type.as_ref()),
        own_received_ms: own_received_ms(&event, received),
        source_id,
    };
    if known.user_id.is_empty() && known.anonymous_id.is_empty() && !kind::may_lack_ids(&known.event_type) {
        return Err(Flaw::NoIds);
    }
    let own_ip = || {
        let [value] = scan::members(line, ["request_ip"]);
        value.and_then(scan::text).unwrap_or_default()
    };
    if let Some(stamped) = Stamped::find(line, own_ip)
        && let Some(frame) = stamped.frame(&known, &event)
        && writes(&frame, line)
    {
        return Ok(then(&frame));
    }
    let received_at_ms = known.own_received_ms.ok_or(Flaw::NoTime)?;
    let message_id = match clean(event.message_id.as_ref()) {
        id if is_usable(&id) => id,
        _ => Cow::Owned(made_id(line)),
    };
    Ok(then(&Frame {
        source_id,
        received_at_ms,
        request_ip: &own_ip(),
        message_id: &message_id,
        user_id: &known.user_id,
        anonymous_id: &known.anonymous_id,
        event_type: &known.event_type,
        forced_kind: None,
        message_id_added: message_id != event.message_id.as_deref().unwrap_or_default(),
        received_at_added: !event.has_received_at,
        request_ip_added: false,
        times: Times::of(&event, received_at_ms),
        raw: line.as_bytes(),
    }))
}

/// What is the same whoever wrote the line.
struct Known<'a> {
    user_id: Cow<'a, str>,
    anonymous_id: Cow<'a, str>,
    event_type: Cow<'a, str>,
    own_received_ms: Option<i64>,
    source_id: &'a str,
}

/// A line taken apart: what was sent, and the stamps.
struct Stamped<'a> {
    raw: Vec<u8>,
    message_id: Option<Cow<'a, str>>,
    /// `receivedAt`, `originalTimestamp`, `sentAt`, `timestamp`.
    times: [Option<i64>; 4],
    request_ip: Cow<'a, str>,
    request_ip_added: bool,
    kind: Option<Kind>,
}

impl<'a> Stamped<'a> {
    fn find(line: &'a str, own_ip: impl Fn() -> Cow<'a, str>) -> Option<Stamped<'a>> {
        // In a string its quotes would be escaped; what was sent may have one too, but ours is the last.
        let at = memchr::memmem::rfind(line.as_bytes(), FIRST_STAMP)?;
        let (sent, stamps) = line.split_at(at);
        let mut raw = sent.strip_suffix(',').unwrap_or(sent).as_bytes().to_vec();
        raw.push(b'}');
        let found = scan::rest(stamps, STAMPS).map(|value| value.and_then(scan::text));
        let [message_id, received, original, sent, timestamp, request_ip, event_type] = found;
        let ms = |text: Option<Cow<'_, str>>| Some(parse(&text?)?.ms);
        Some(Stamped {
            raw,
            message_id: message_id.filter(|id| is_usable(id)),
            times: [received, original, sent, timestamp].map(ms),
            request_ip_added: request_ip.is_some(),
            request_ip: request_ip.unwrap_or_else(own_ip),
            kind: event_type.and_then(|name| Kind::from_name(&name)),
        })
    }

    /// The frame that would have these stamps; none when it lacks its time or its message id.
    fn frame<'f>(&'f self, known: &'f Known<'_>, event: &'f Event<'_>) -> Option<Frame<'f>> {
        let [received, original_timestamp_ms, sent_at_ms, timestamp_ms] = self.times;
        let own_id = event.message_id.as_deref().filter(|id| is_usable(id) && sanitize::id(id) == *id);
        Some(Frame {
            source_id: known.source_id,
            received_at_ms: received.or(known.own_received_ms)?,
            request_ip: &self.request_ip,
            message_id: self.message_id.as_deref().or(own_id)?,
            user_id: &known.user_id,
            anonymous_id: &known.anonymous_id,
            event_type: &known.event_type,
            forced_kind: self.kind,
            message_id_added: self.message_id.is_some(),
            received_at_added: received.is_some(),
            request_ip_added: self.request_ip_added,
            times: Times { original_timestamp_ms, sent_at_ms, timestamp_ms },
            raw: &self.raw,
        })
    }
}

/// Whether a frame is this line for those who read it.
fn writes(frame: &Frame<'_>, line: &str) -> bool {
    let mut written = Vec::with_capacity(line.len());
    frame.write_message(&mut written);
    written == line.as_bytes()
}

/// When an event was received, by its own word, within what is known of its object.
fn own_received_ms(event: &Event<'_>, received: Option<&RangeInclusive<i64>>) -> Option<i64> {
    let own = event.received_at.as_deref().and_then(parse).map(|own| own.ms);
    match (own, received) {
        (Some(own), Some(received)) => Some(own.min(*received.end()).max(*received.start())),
        (None, Some(received)) => Some(*received.start()),
        (own, None) => own,
    }
}

fn clean<'a>(id: Option<&'a Cow<'_, str>>) -> Cow<'a, str> {
    id.map_or(Cow::Borrowed(""), |id| sanitize::id(id))
}

fn is_usable(message_id: &str) -> bool {
    !message_id.is_empty() && message_id.len() <= MESSAGE_ID_BYTES_MAX
}

/// The message id of an event that has none: the same each time it is read.
fn made_id(line: &str) -> String {
    uuid::Uuid::from_bytes(Md5::digest(line.as_bytes()).into()).to_string()
}

#[cfg(test)]
mod tests;
