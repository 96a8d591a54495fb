//! What people do: tracks, pages and screens, as events of a person or of somebody who is not known yet.

use crate::config::Config;
use crate::mapping::{identifier, seconds};
use pintle_plugin_sdk::encode::path_segment;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::text;
use pintle_plugin_sdk::{Method, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Characters in the name of an anonymous event, at most.
const NAME_CHARS_MAX: usize = 100;

/// The names that screens get.
const VIEWED: &str = "Viewed ";
const SCREEN: &str = " Screen";

/// The body of an event, as the v1 API has it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Activity<'a> {
    /// `event` or `page`.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<&'a RawValue>,
}

impl Activity<'_> {
    /// Whether it is a screen by its name; v1 knows no other sign.
    pub(crate) fn is_screen(&self) -> bool {
        self.kind == "event"
            && self.name.as_deref().is_some_and(|name| name.starts_with(VIEWED) && name.ends_with(SCREEN))
    }
}

pub(crate) fn track(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let name = fields.get("event").and_then(text).filter(|name| !name.trim().is_empty());
    let name = name.ok_or("a track needs the name of its event, as a text")?;
    request(config, fields, "event", Some(name), cut)
}

pub(crate) fn page(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let name = fields.text(&["name", "properties.url"]);
    request(config, fields, "page", name, cut)
}

pub(crate) fn screen(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let name = fields.text(&["event", "name", "properties.name"]).ok_or("a screen needs a name")?;
    let around = VIEWED.len() + SCREEN.len();
    let full = Cow::Owned(format!("{VIEWED}{name}{SCREEN}"));
    request(config, fields, "event", Some(full), |_| {
        Cow::Owned(format!("{VIEWED}{}{SCREEN}", chars(&name, NAME_CHARS_MAX - around)))
    })
}

/// The request of a person's event, or of an anonymous one, whose name is made to fit.
fn request<'a>(
    config: &Config,
    fields: &Fields<'a>,
    kind: &'static str,
    name: Option<Cow<'a, str>>,
    fit: impl FnOnce(Cow<'a, str>) -> Cow<'a, str>,
) -> Result<Request, String> {
    let data = fields.get("properties").filter(|properties| properties.get().starts_with('{'));
    let mut activity = Activity { kind: kind.into(), name, data, timestamp: seconds(fields), anonymous_id: None };
    if let Some(id) = identifier(fields) {
        return config.send(Method::Post, &format!("v1/customers/{}/events", path_segment(&id)), &activity);
    }
    let anonymous_id = fields.get("anonymousId").filter(|id| id.get() != "\"\"");
    activity.anonymous_id = Some(anonymous_id.ok_or("a userId, an email or an anonymousId is needed")?);
    let name = activity.name.take().ok_or("an anonymous event needs a name")?;
    activity.name = Some(if name.chars().count() > NAME_CHARS_MAX { fit(name) } else { name });
    config.send(Method::Post, "v1/events", &activity)
}

fn cut(name: Cow<'_, str>) -> Cow<'_, str> {
    Cow::Owned(chars(&name, NAME_CHARS_MAX).to_owned())
}

/// The first characters of a text.
fn chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}
