//! One event, as bytes that can be looked into.

use crate::fields::Fields;
use crate::json::{Members, raw, text};
use crate::scan;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::OnceCell;

/// About what an event takes in a batch.
const EVENT_BYTES_USUAL: usize = 1024;

/// An event and its metadata. Nothing is parsed until it is asked for.
#[derive(Debug)]
pub struct Event<'a> {
    message: &'a RawValue,
    metadata: Option<&'a RawValue>,
    fields: OnceCell<Fields<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    /// An event outside of a batch.
    #[must_use]
    pub fn new(message: &'a RawValue, metadata: Option<&'a RawValue>) -> Event<'a> {
        Event { message, metadata, fields: OnceCell::new() }
    }

    /// The events of a batch as the host hands it in: a JSON array of `{"message", "metadata"}`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn batch(batch: &'a [u8]) -> serde_json::Result<Vec<Event<'a>>> {
        // Looked at once, and not for each value anew.
        let entries: Vec<Entry<'a>> = match std::str::from_utf8(batch) {
            Ok(batch) => match scan::IS_FASTER.then(|| Event::scanned(batch)).flatten() {
                Some(events) => return Ok(events),
                None => serde_json::from_str(batch)?,
            },
            Err(_) => serde_json::from_slice(batch)?,
        };
        Ok(entries.into_iter().map(|entry| Event::new(entry.message, entry.metadata)).collect())
    }

    /// The events of a batch by stepping over them: the host has checked what it hands in.
    fn scanned(batch: &'a str) -> Option<Vec<Event<'a>>> {
        let mut events = Vec::with_capacity(batch.len() / EVENT_BYTES_USUAL + 1);
        scan::items(batch, |start| {
            let (mut message, mut metadata) = (None, None);
            let end = scan::members(batch, start, |key, value| match key {
                "\"message\"" => message = Some(raw(value)),
                "\"metadata\"" => metadata = (value != "null").then(|| raw(value)),
                _ => {}
            })?;
            events.push(Event::new(message?, metadata));
            Some(end)
        })?;
        Some(events)
    }

    /// The event's own bytes.
    #[must_use]
    pub fn raw(&self) -> &'a RawValue {
        self.message
    }

    /// The event's members; nothing if it is no object.
    #[must_use]
    pub fn members(&self) -> Option<Members<'a>> {
        Members::of(self.message)
    }

    /// The event by field paths, as in `context.traits.email`.
    #[must_use]
    pub fn fields(&self) -> &Fields<'a> {
        self.fields.get_or_init(|| Fields::of(self.message))
    }

    /// Its type in lower case: `identify`, `track`, `page`, `screen`, `group` or `alias`; empty without one.
    #[must_use]
    pub fn kind(&self) -> String {
        self.fields().get("type").and_then(text).map(|kind| kind.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The first of these fields that has a text, a number or a boolean: see [`Fields::text`].
    #[must_use]
    pub fn text(&self, paths: &[&str]) -> Option<Cow<'a, str>> {
        self.fields().text(paths)
    }

    /// The metadata's own bytes, for an event that is made of this one.
    #[must_use]
    pub fn raw_metadata(&self) -> Option<&'a RawValue> {
        self.metadata
    }

    /// A member of the metadata that is a text: `sourceId`, `destinationId`, `messageId`, ….
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<Cow<'a, str>> {
        Members::of(self.metadata?)?.get(name).and_then(text)
    }

    /// The whole event as a tree, for mappings that build something new of it. Numbers become what JSON
    /// libraries make of them; pass [`Event::raw`] on where their spelling matters.
    ///
    /// # Errors
    /// When it holds a number or a text that no such tree can hold.
    pub fn value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_str(self.message.get())
    }
}
