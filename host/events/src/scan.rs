//! Finding events in a body, and the few fields of each that the gateway needs, in one pass.
//!
//! The text is checked to be JSON as RFC 8259 has it (the whole of it: nothing malformed is stored), but
//! nothing is built: an event is a slice of the body. Names that repeat count the way `JSON.parse` and Go
//! count them, the last one wins. Bytes that are not UTF-8 are repaired beforehand ([`crate::utf8`]).
//!
//! ```text
//! {"batch":[ {"type":"track","userId":7,…} , {…} ],"sentAt":"…"}
//!            └──────── raw ──────────────┘   └ raw
//! ```

mod json;
#[cfg(test)]
mod oracle;
mod pick;
#[cfg(test)]
mod tests;
mod unescape;

pub(crate) use pick::rest;
pub use pick::{elements, members, text};

use json::{Cursor, Quoted, Value};
use std::borrow::Cow;
use unescape::unescape;

/// One event of a body: its text, and what the gateway looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// The event, a JSON object, exactly as it came.
    pub raw: &'a str,
    /// `type`, when it is a string.
    pub event_type: Option<Cow<'a, str>>,
    /// `messageId`, when it is a string.
    pub message_id: Option<Cow<'a, str>>,
    /// `userId`, when it is a string or a number; a number as it was written.
    pub user_id: Option<Cow<'a, str>>,
    /// `anonymousId`, when it is a string or a number; a number as it was written.
    pub anonymous_id: Option<Cow<'a, str>>,
    /// `originalTimestamp`, when it is a string.
    pub original_timestamp: Option<Cow<'a, str>>,
    /// `sentAt`, when it is a string.
    pub sent_at: Option<Cow<'a, str>>,
    /// `timestamp`, when it is a string.
    pub timestamp: Option<Cow<'a, str>>,
    /// `receivedAt`, when it is a string.
    pub received_at: Option<Cow<'a, str>>,
    /// The event has a `receivedAt`, whatever it is.
    pub has_received_at: bool,
    /// The event has a `request_ip`, whatever it is.
    pub has_request_ip: bool,
}

/// An element of a batch that is no event, while its neighbours may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit<'a> {
    /// Its text.
    pub raw: &'a str,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with one element of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is not an object.
    NotAnObject,
    /// It is nested deeper than [`Limits::nesting_max`].
    TooDeep,
}

/// An element of a batch.
pub type Element<'a> = Result<Event<'a>, Unfit<'a>>;

/// How much a body may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many objects and arrays may stand within each other in one event, the event itself included.
    pub nesting_max: u8,
    /// How many events a batch may have.
    pub events_max: usize,
}

/// Why a body holds no events. Malformed JSON anywhere in it outranks everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not JSON.
    #[error("not JSON at byte {at}")]
    Json {
        /// Where reading stopped.
        at: usize,
    },
    /// Nested deeper than [`Limits::nesting_max`].
    #[error("nested too deeply at byte {at}")]
    TooDeep {
        /// Where the first bracket too many stands.
        at: usize,
    },
    /// There is no `batch`, it is not an array, or it has no elements.
    #[error("no events in the batch")]
    EmptyBatch,
    /// More events than [`Limits::events_max`].
    #[error("too many events in the batch")]
    TooManyEvents,
    /// An event is not an object.
    #[error("an event is not an object")]
    NotAnObject,
}

/// Reads a body that is one event.
///
/// # Errors
/// When it is not exactly that.
pub fn event<'a>(body: &'a str, limits: &Limits) -> Result<Event<'a>, Invalid> {
    let mut cursor = Cursor::new(body);
    let event = object(&mut cursor, limits)?;
    cursor.end()?;
    event.ok_or(Invalid::NotAnObject)
}

/// Reads a body of the form `{"batch":[event, …]}`; other members of it are checked and passed over. An
/// element that is no event does not touch its neighbours.
///
/// # Errors
/// When it is not JSON, has no elements, or too many.
pub fn batch<'a>(body: &'a str, limits: &Limits) -> Result<Vec<Element<'a>>, Invalid> {
    let mut cursor = Cursor::new(body);
    let mut found = Ok(Vec::new());
    if cursor.peek() == Some(b'{') {
        let mut more = cursor.open_object()?;
        while more {
            let name = cursor.name()?;
            if *plain(name) == *b"batch" {
                found = batch_elements(&mut cursor, limits)?;
            } else {
                cursor.value(limits.nesting_max)?;
            }
            more = cursor.another(b'}')?;
        }
    } else {
        cursor.value(limits.nesting_max)?;
    }
    cursor.end()?;
    match found {
        Ok(events) if events.is_empty() => Err(Invalid::EmptyBatch),
        found => found,
    }
}

/// A member of the body itself, when it is a string: clients that have no other place for it put their write
/// key there. Only of a body that was read as events before.
#[must_use]
pub fn member<'a>(body: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let [found] = members(body, [wanted]);
    string(&Cursor::new(found?).value(u8::MAX).ok()?)
}

/// Whether the body itself has a member of that name.
#[must_use]
pub fn has_member(body: &str, wanted: &str) -> bool {
    members(body, [wanted])[0].is_some()
}

/// The events of an array. The outer error ends the scan; the inner one waits, because JSON that is
/// malformed further on outranks it.
#[allow(clippy::type_complexity, reason = "two ranks of failure, as said above")]
fn batch_elements<'a>(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<Result<Vec<Element<'a>>, Invalid>, Invalid> {
    let mut found = Ok(Vec::new());
    if cursor.peek() != Some(b'[') {
        cursor.value(limits.nesting_max)?;
        return Ok(found);
    }
    cursor.bump();
    if cursor.peek() == Some(b']') {
        cursor.bump();
        return Ok(found);
    }
    loop {
        let element = element(cursor, limits)?;
        match &mut found {
            Ok(elements) if elements.len() == limits.events_max => found = Err(Invalid::TooManyEvents),
            Ok(elements) => elements.push(element),
            Err(_) => {}
        }
        if !cursor.another(b']')? {
            return Ok(found);
        }
    }
}

fn element<'a>(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<Element<'a>, Invalid> {
    cursor.peek();
    let start = cursor.position();
    let flaw = match object(cursor, limits) {
        Ok(Some(event)) => return Ok(Ok(event)),
        Ok(None) => Flaw::NotAnObject,
        Err(Invalid::TooDeep { .. }) => {
            cursor.skip(start)?;
            Flaw::TooDeep
        }
        Err(invalid) => return Err(invalid),
    };
    Ok(Err(Unfit { raw: cursor.since(start), flaw }))
}

/// One event, or nothing when the value is not an object.
fn object<'a>(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<Option<Event<'a>>, Invalid> {
    if cursor.peek() != Some(b'{') {
        cursor.value(limits.nesting_max)?;
        return Ok(None);
    }
    let start = cursor.position();
    let inner_max = limits.nesting_max.checked_sub(1).ok_or(Invalid::TooDeep { at: start })?;
    let mut event = Event::default();
    let mut more = cursor.open_object()?;
    while more {
        let name = plain(cursor.name()?);
        let value = cursor.value(inner_max)?;
        match &*name {
            b"type" => event.event_type = string(&value),
            b"messageId" => event.message_id = string(&value),
            b"userId" => event.user_id = id(&value),
            b"anonymousId" => event.anonymous_id = id(&value),
            b"originalTimestamp" => event.original_timestamp = string(&value),
            b"sentAt" => event.sent_at = string(&value),
            b"timestamp" => event.timestamp = string(&value),
            b"receivedAt" => {
                event.has_received_at = true;
                event.received_at = string(&value);
            }
            b"request_ip" => event.has_request_ip = true,
            _ => {}
        }
        more = cursor.another(b'}')?;
    }
    event.raw = cursor.since(start);
    Ok(Some(event))
}

/// A member's name for comparing, its escapes resolved.
#[inline]
fn plain(name: Quoted<'_>) -> Cow<'_, [u8]> {
    if !name.has_escapes {
        return Cow::Borrowed(name.bytes);
    }
    // No name that is looked for is longer than this, even with every letter escaped.
    const ESCAPED_NAME_MAX: usize = 6 * "resolutionStrategy".len();
    if name.bytes.len() > ESCAPED_NAME_MAX {
        return Cow::Borrowed(b"");
    }
    Cow::Owned(unescape(name).into_owned().into_bytes())
}

fn string<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::String(quoted) => Some(unescape(*quoted)),
        Value::Number(_) | Value::Other => None,
    }
}

fn id<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::String(quoted) => Some(unescape(*quoted)),
        Value::Number(text) => Some(Cow::Borrowed(text)),
        Value::Other => None,
    }
}
