//! An identify: `PUT /v1/customers/{id}` with the person's attributes.

use crate::config::Config;
use crate::mapping::{identifier, seconds, seconds_at};
use pintle_plugin_sdk::encode::path_segment;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::{Method, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What identifies the person, and what is set by itself.
const NO_ATTRIBUTES: [&str; 3] = ["anonymousId", "userId", "createdAt"];
const ADDRESS: &str = "address";

/// Attributes by name.
type Attributes<'a> = BTreeMap<Cow<'a, str>, Attribute<'a>>;

/// An attribute's value.
#[derive(Serialize)]
#[serde(untagged)]
enum Attribute<'a> {
    Sent(&'a RawValue),
    Time(i64),
    Text(Cow<'a, str>),
}

/// The request for an identify.
pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let mapped = mapped(fields);
    let id = mapped.as_ref().map(|(_, id)| id.clone()).or_else(|| identifier(fields));
    let id = id.ok_or("an identify needs a userId, or an email among its traits")?;
    let mut attributes = Attributes::new();
    let traits = ["traits", "context.traits"].iter().find_map(|path| members(fields, path));
    if let Some(traits) = traits {
        flatten(&mut attributes, &traits)?;
    }
    if let Some(more) = members(fields, "user_properties") {
        extend(&mut attributes, &more, &[])?;
    }
    // The warehouse row's own key is an attribute too, under the name that it has at Customer.io.
    if let Some((kind, id)) = mapped.filter(|(kind, _)| kind != "userId") {
        attributes.insert(kind, Attribute::Text(id));
    }
    let created = ["traits.createdAt", "context.traits.createdAt"].iter().find_map(|path| seconds_at(fields, path));
    if let Some(created) = created {
        attributes.insert("created_at".into(), Attribute::Time(created));
    }
    // Customer.io keeps the newest value of an attribute by this time, so that late events change nothing.
    if let Some(happened) = seconds(fields) {
        attributes.insert("_timestamp".into(), Attribute::Time(happened));
    }
    // Joins what the person did before with the profile.
    if let Some(anonymous) = fields.get("anonymousId").filter(|id| id.get() != "\"\"") {
        attributes.insert("anonymous_id".into(), Attribute::Sent(anonymous));
    }
    config.send(Method::Put, &format!("v1/customers/{}", path_segment(&id)), &attributes)
}

/// The key of a row that comes mapped from a warehouse: its name at Customer.io, and its value.
fn mapped<'a>(fields: &Fields<'a>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    let is_mapped = fields.text(&["context.mappedToDestination"]).is_some_and(|mapped| mapped != "false");
    let key = || {
        let kind = fields.text(&["context.externalId.0.identifierType"])?;
        Some((kind, fields.text(&["context.externalId.0.id"])?))
    };
    is_mapped.then(key).flatten()
}

/// The members of an object that has any.
fn members<'a>(fields: &Fields<'a>, path: &str) -> Option<Members<'a>> {
    let object = fields.get(path).filter(|value| value.get().starts_with('{') && value.get() != "{}")?;
    Members::of(object)
}

/// Traits as attributes; the parts of an address are attributes of their own.
fn flatten<'a>(attributes: &mut Attributes<'a>, traits: &Members<'a>) -> Result<(), String> {
    extend(attributes, traits, &NO_ATTRIBUTES)?;
    if let Some(address) = traits.get(ADDRESS).and_then(Members::of) {
        attributes.remove(ADDRESS);
        extend(attributes, &address, &[])?;
    }
    Ok(())
}

fn extend<'a>(attributes: &mut Attributes<'a>, members: &Members<'a>, unwanted: &[&str]) -> Result<(), String> {
    let members = members.distinct().ok_or("the event's traits hold text that is not Unicode")?;
    let wanted = members.into_iter().filter(|(name, _)| !unwanted.contains(&name.as_ref()));
    attributes.extend(wanted.map(|(name, value)| (name, Attribute::Sent(value))));
    Ok(())
}
