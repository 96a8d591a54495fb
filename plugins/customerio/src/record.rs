//! A row of a warehouse: a person who is to be there, or no longer, or an event of one.
//!
//! What a row is about shows in its identifiers: one that names an `event` is an event. Everything beside the key
//! is an attribute.

use crate::config::Config;
use crate::mapping::seconds;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::{Members, text};
use pintle_plugin_sdk::{Method, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Keys of people, the surest first.
const KEYS: [&str; 3] = ["cio_id", "id", "email"];

/// The identifier that names an event.
const EVENT: &str = "event";

/// Values by name.
type Values<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// An entry of the v2 API.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    action: &'static str,
    identifiers: BTreeMap<&'static str, &'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: Values<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let mut values = values(fields, "fields")?;
    values.extend(self::values(fields, "identifiers")?);
    let key = KEYS.iter().find_map(|key| Some((*key, values.remove(*key).filter(|value| !is_blank(value))?)));
    let (key, value) = key.ok_or("a record needs an id or email among its identifiers")?;
    let name = values.remove(EVENT).and_then(text);
    let action = match (fields.text(&["action"]).as_deref(), &name) {
        (Some("insert" | "update"), None) => "identify",
        (Some("insert" | "update"), Some(_)) => EVENT,
        (Some("delete"), None) => "delete",
        (Some("delete"), Some(_)) => return Err("what happened cannot be deleted".to_owned()),
        _ => return Err("the action of a record must be insert, update or delete".to_owned()),
    };
    if action == "delete" {
        values.clear();
    }
    let timestamp = name.is_some().then(|| seconds(fields)).flatten();
    let identifiers = BTreeMap::from([(key, value)]);
    let entry = Entry { kind: "person", action, identifiers, name, attributes: values, timestamp };
    config.send(Method::Post, "v2/batch", &entry)
}

fn values<'a>(fields: &Fields<'a>, path: &str) -> Result<Values<'a>, String> {
    let Some(members) = fields.get(path).and_then(Members::of) else { return Ok(Values::new()) };
    let members = members.distinct().ok_or("the record holds text that is not Unicode")?;
    Ok(members.into_iter().collect())
}

fn is_blank(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"")
}
