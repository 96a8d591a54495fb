//! Who an event is about, and an identify: what was known of somebody by alias becomes the user's.

use crate::attributes;
use crate::config::Config;
use pintle_plugin_sdk::Request;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::{Members, text};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The label of aliases that are anonymous IDs. Profiles that exist already have it.
const ANONYMOUS: &str = "rudder_id";

/// Who an attribute, event or purchase belongs to.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Who<'a> {
    /// A user with an ID.
    User { external_id: Cow<'a, str> },
    /// Somebody without. Braze makes a profile for an alias only when it is told not to look for one alone.
    Alias { _update_existing_only: bool, user_alias: Alias<'a> },
}

/// A name besides the user's ID.
#[derive(Clone, Serialize)]
pub(crate) struct Alias<'a> {
    alias_name: Cow<'a, str>,
    alias_label: Cow<'a, str>,
}

impl<'a> Who<'a> {
    /// The user, or else the alias.
    pub(crate) fn of(fields: &Fields<'a>) -> Result<Who<'a>, String> {
        if let Some(external_id) = external_id(fields) {
            return Ok(Who::User { external_id });
        }
        let user_alias = alias(fields).ok_or("a userId or an anonymousId is needed")?;
        Ok(Who::Alias { _update_existing_only: false, user_alias })
    }
}

/// The requests of an identify: `POST /users/identify` when an alias of the user is known, then the attributes.
pub(crate) fn requests(config: &Config, fields: &Fields<'_>) -> Result<Vec<Request>, String> {
    let who = Who::of(fields)?;
    let attributes = attributes::of(config, fields)?.ok_or("there are no traits that would update the user")?;
    let mut requests = Vec::with_capacity(2);
    if let (Who::User { external_id }, Some(user_alias)) = (&who, alias(fields)) {
        let identified = Identified { external_id, user_alias };
        requests.push(config.send("users/identify", &Identify::of(vec![identified]))?);
    }
    requests.push(config.send("users/track", &Attributes { attributes: [attributes.of_user(who)] })?);
    Ok(requests)
}

#[derive(Serialize)]
struct Attributes<'a> {
    attributes: [attributes::Owned<'a>; 1],
}

/// The body of `POST /users/identify`. Events and attributes of the alias move to the user.
#[derive(Serialize)]
pub(crate) struct Identify<T> {
    pub aliases_to_identify: Vec<T>,
    merge_behavior: &'static str,
}

impl<T> Identify<T> {
    pub(crate) fn of(aliases_to_identify: Vec<T>) -> Identify<T> {
        Identify { aliases_to_identify, merge_behavior: "merge" }
    }
}

#[derive(Serialize)]
struct Identified<'a> {
    external_id: &'a str,
    user_alias: Alias<'a>,
}

/// The user's ID: one that is meant for Braze, a mapped warehouse row's key, or `userId`.
pub(crate) fn external_id<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    let mapped = || {
        let is_mapped = fields.text(&["context.mappedToDestination"]).is_some_and(|mapped| mapped != "false");
        is_mapped.then(|| fields.text(&["context.externalId.0.id"])).flatten()
    };
    own_id(fields).or_else(mapped).or_else(|| {
        fields.text(&["userId", "traits.userId", "traits.id", "context.traits.userId", "context.traits.id"])
    })
}

/// The entry of `context.externalId` of the type `brazeExternalId`.
fn own_id<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    let entries: Vec<&'a RawValue> = serde_json::from_str(fields.get("context.externalId")?.get()).ok()?;
    entries
        .into_iter()
        .filter_map(Members::of)
        .find_map(|entry| (text(entry.get("type")?)? == "brazeExternalId").then(|| text(entry.get("id")?)).flatten())
}

/// The alias that the event's integrations name, or the anonymous ID.
fn alias<'a>(fields: &Fields<'a>) -> Option<Alias<'a>> {
    let named = integration(fields).and_then(|braze| {
        let alias = Members::of(braze.get("alias")?)?;
        let part = |name| alias.get(name).and_then(text).filter(|part| !part.is_empty());
        Some(Alias { alias_name: part("alias_name")?, alias_label: part("alias_label")? })
    });
    named.or_else(|| {
        let alias_name = fields.text(&["anonymousId"])?;
        Some(Alias { alias_name, alias_label: ANONYMOUS.into() })
    })
}

/// The app that an event belongs to, when its integrations name one.
pub(crate) fn app_id<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    integration(fields)?.get("appId").and_then(text).filter(|id| !id.is_empty())
}

/// What the event's integrations say for Braze, under the names that SDKs write.
fn integration<'a>(fields: &Fields<'a>) -> Option<Members<'a>> {
    fields.first(&["integrations.Braze", "integrations.BRAZE", "integrations.braze"]).and_then(Members::of)
}
