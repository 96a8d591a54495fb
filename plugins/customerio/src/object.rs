//! A group: an object, such as a company, and its relationship with a person.

use crate::config::Config;
use crate::merge::Identifier;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::{Method, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the API can do with an object.
const ACTIONS: [&str; 4] = ["identify", "delete", "add_relationships", "delete_relationships"];

/// Traits that say what to do, and with what kind of object.
const ACTION: &str = "action";
const TYPE: [&str; 2] = ["objectTypeId", "object_type_id"];

/// The type that every workspace has.
const TYPE_DEFAULT: &str = "1";

/// An entry of the v2 API for an object.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    action: Cow<'a, str>,
    identifiers: Identifiers<'a>,
    attributes: BTreeMap<Cow<'a, str>, &'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cio_relationships: Vec<Relationship<'a>>,
}

#[derive(Serialize)]
struct Identifiers<'a> {
    object_id: Cow<'a, str>,
    object_type_id: Cow<'a, str>,
}

#[derive(Serialize)]
struct Relationship<'a> {
    identifiers: Identifier<'a>,
}

pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let object_id = fields.text(&["groupId"]).ok_or("a group needs a groupId")?;
    let action = fields.text(&["traits.action"]).unwrap_or(Cow::Borrowed("identify"));
    if !ACTIONS.contains(&action.as_ref()) {
        return Err(format!("the trait `action` of a group must be one of {}", ACTIONS.join(", ")));
    }
    let types = TYPE.map(|name| format!("traits.{name}"));
    let object_type_id = fields.text(&[&types[0], &types[1]]).unwrap_or(Cow::Borrowed(TYPE_DEFAULT));
    // The traits are the object's: an email address among them is not the person's.
    let person =
        fields.text(&["userId", "context.traits.userId", "context.traits.id", "context.traits.email", "traits.email"]);
    let object = Object {
        kind: "object",
        action,
        identifiers: Identifiers { object_id, object_type_id },
        attributes: attributes(fields)?,
        cio_relationships: person.map(|id| Relationship { identifiers: Identifier::of(id) }).into_iter().collect(),
    };
    // An entry of a batch: `combine` makes a whole request of it, with others or alone.
    config.send(Method::Post, "v2/batch", &object)
}

fn attributes<'a>(fields: &Fields<'a>) -> Result<BTreeMap<Cow<'a, str>, &'a RawValue>, String> {
    let Some(traits) = fields.get("traits").and_then(Members::of) else { return Ok(BTreeMap::new()) };
    let traits = traits.distinct().ok_or("the event's traits hold text that is not Unicode")?;
    let is_attribute = |name: &str| name != ACTION && !TYPE.contains(&name);
    Ok(traits.into_iter().filter(|(name, _)| is_attribute(name)).collect())
}
