//! What becomes of an event, and the fields that several kinds of events share.

use crate::config::Config;
use crate::{activity, device, merge, object, person, record};
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::{Event, Request, times};
use std::borrow::Cow;

/// The request that carries an event.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, event: &Event<'_>) -> Result<Request, String> {
    let fields = event.fields();
    match event.kind().as_str() {
        "identify" => person::request(config, fields),
        "track" => match device::request(config, fields)? {
            Some(request) => Ok(request),
            None => activity::track(config, fields),
        },
        "page" => activity::page(config, fields),
        "screen" => activity::screen(config, fields),
        "alias" => merge::request(config, fields),
        "group" => object::request(config, fields),
        "record" => record::request(config, fields),
        "" => Err("the event has no type".to_owned()),
        other => Err(format!("Customer.io takes no events of the type {other}")),
    }
}

/// The user's own ID, wherever SDKs write it.
pub(crate) fn user_id<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    fields.text(&["userId", "traits.userId", "traits.id", "context.traits.userId", "context.traits.id"])
}

/// The user's email address.
pub(crate) fn email<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    fields.text(&["traits.email", "context.traits.email", "properties.email"])
}

/// What names a person in the path of a v1 request: the ID, or the email address in its place.
pub(crate) fn identifier<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    user_id(fields).or_else(|| email(fields))
}

/// When it happened, in seconds since 1970.
pub(crate) fn seconds(fields: &Fields<'_>) -> Option<i64> {
    ["timestamp", "originalTimestamp"].iter().find_map(|path| seconds_at(fields, path))
}

/// A field that is a time, in seconds since 1970.
pub(crate) fn seconds_at(fields: &Fields<'_>, path: &str) -> Option<i64> {
    Some(times::millis_of(&fields.text(&[path])?)?.div_euclid(1000))
}
