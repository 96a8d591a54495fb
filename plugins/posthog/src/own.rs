//! The properties that a user sends with an event.

use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{filled, inside};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A user's properties: they go along as they are, and win over what is made of the event's context.
#[derive(Debug, Default)]
pub(crate) struct Own<'a> {
    /// Them all, as they stand between the braces.
    pub members: Option<&'a str>,
    pub name: Option<&'a RawValue>,
    pub url: Option<&'a RawValue>,
    pub path: Option<&'a RawValue>,
    pub viewport_height: Option<&'a RawValue>,
    pub viewport_width: Option<&'a RawValue>,
    /// Names that could be among ours.
    taken: Vec<Cow<'a, str>>,
}

impl<'a> Own<'a> {
    /// Looks at the properties; none if they are no object.
    pub fn of(properties: Option<&'a RawValue>) -> Own<'a> {
        let mut own = Own { members: properties.and_then(inside), ..Own::default() };
        let Some(members) = properties.and_then(Members::of) else { return own };
        for (name, value) in members.iter() {
            match name.as_ref() {
                "name" => own.name = filled(value),
                "url" => own.url = filled(value),
                "path" => own.path = filled(value),
                "viewport_height" => own.viewport_height = filled(value),
                "viewport_width" => own.viewport_width = filled(value),
                ours if ours.starts_with('$') || ours.starts_with("utm_") || ours == "distinct_id" => {
                    own.taken.push(name);
                }
                _ => {}
            }
        }
        own
    }

    /// Whether the user leaves a name of PostHog's to us.
    pub fn leaves(&self, name: &str) -> bool {
        !self.taken.iter().any(|taken| taken == name)
    }
}
