//! Who did something, and what is known about them.

use crate::config::Config;
use crate::device::set;
use crate::mapping::option;
use pintle_plugin_sdk::tree::{Look, take};
use serde_json::{Map, Value};

/// Where a person is, and where that stands in an event.
const LOCATION: [(&str, &[&str]); 6] = [
    (
        "country",
        &["context.location.country", "traits.country", "traits.address.country", "context.traits.address.country"],
    ),
    ("city", &["context.location.city", "traits.city", "traits.address.city", "context.traits.address.city"]),
    ("region", &["context.location.region"]),
    ("dma", &["context.location.dma"]),
    ("location_lat", &["context.location.latitude"]),
    ("location_lng", &["context.location.longitude"]),
];

/// Traits that have fields of their own, at the top or in the address: Amplitude takes places from there only.
const PLACES: [&str; 2] = ["city", "country"];

/// Fields of Amplitude that an event whose traits were already mapped to them may set.
const FIELDS: [&str; 13] = [
    "app_version",
    "platform",
    "os_name",
    "os_version",
    "device_brand",
    "device_manufacturer",
    "device_model",
    "carrier",
    "country",
    "region",
    "city",
    "dma",
    "language",
];

/// Sets who it was and where.
///
/// # Errors
/// When there is nobody: Amplitude wants a user's or a device's id.
pub fn identify(event: &Value, into: &mut Map<String, Value>) -> Result<(), String> {
    let user = ["userId", "traits.userId", "traits.id", "context.traits.userId", "context.traits.id"];
    let user = event.text(&user).map(|id| ("user_id", id));
    let device = event.text(&["anonymousId", "context.device.id"]).map(|id| ("device_id", id));
    for (field, id) in [user, device, mapped_id(event)].into_iter().flatten() {
        into.insert(field.to_owned(), id.into());
    }
    if !into.contains_key("user_id") && !into.contains_key("device_id") {
        return Err("it has neither a userId nor an anonymousId, and Amplitude needs one of them".to_owned());
    }
    set(into, "ip", event.first(&["context.ip", "request_ip"]));
    for (field, paths) in LOCATION {
        set(into, field, event.first(paths));
    }
    Ok(())
}

/// The id that a mapping in the workspace chose for the person, and the field that it chose for it.
fn mapped_id(event: &Value) -> Option<(&'static str, String)> {
    if !is_mapped(event) {
        return None;
    }
    let kind = event.text(&["context.externalId.0.identifierType"])?;
    let field = ["user_id", "device_id"].into_iter().find(|field| *field == kind)?;
    Some((field, event.text(&["context.externalId.0.id"])?))
}

fn is_mapped(event: &Value) -> bool {
    event.text(&["context.mappedToDestination"]).is_some_and(|mapped| mapped == "true")
}

/// User properties that come with every call: where the person came from, and what is to be forgotten.
pub fn origin(event: &Value) -> Map<String, Value> {
    let mut properties = Map::new();
    let forgotten = option(event, "fieldsToUnset").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let unset: Map<String, Value> =
        forgotten.iter().filter_map(|name| Some((name.as_str()?.to_owned(), "-".into()))).collect();
    if !unset.is_empty() {
        properties.insert("$unset".to_owned(), unset.into());
    }
    set(&mut properties, "initial_referrer", event.at("context.page.initial_referrer"));
    set(&mut properties, "initial_referring_domain", event.at("context.page.initial_referring_domain"));
    for (name, value) in event.object("context.campaign").into_iter().flatten() {
        set(&mut properties, &format!("utm_{name}"), Some(value));
    }
    properties
}

/// The user properties of a track, page or screen call: those of [`origin`] and the person's traits.
pub fn properties(event: &mut Value) -> Map<String, Value> {
    let origin = origin(event);
    let mut properties = traits(event, &["context.traits", "traits"]);
    for place in PLACES {
        properties.remove(place);
    }
    if let Some(Value::Object(address)) = properties.get_mut("address") {
        for place in PLACES {
            address.remove(place);
        }
    }
    for (name, value) in origin {
        properties.entry(name).or_insert(value);
    }
    properties
}

/// The user properties of an identify call, with the configured operations; an address is taken apart into its
/// parts.
pub fn operations(config: &Config, event: &mut Value, into: &mut Map<String, Value>) -> Map<String, Value> {
    let mut properties = origin(event);
    let mapped = is_mapped(event);
    let id = mapped_id(event);
    let mut traits = traits(event, &["traits", "context.traits"]);
    for (operation, names) in &config.operations {
        let taken: Map<String, Value> =
            names.iter().filter_map(|name| Some((name.clone(), take(&mut traits, name)?))).collect();
        if !taken.is_empty() {
            properties.insert((*operation).to_owned(), taken.into());
        }
    }
    if traits.get("address").is_some_and(Value::is_object)
        && let Some(Value::Object(address)) = traits.remove("address")
    {
        traits.extend(address);
    }
    for place in PLACES {
        traits.remove(place);
    }
    if mapped {
        for field in FIELDS {
            if let Some(value) = traits.remove(field) {
                set(into, field, Some(&value));
            }
        }
    }
    properties.extend(traits);
    if let Some((field, id)) = id {
        properties.insert(field.to_owned(), id.into());
    }
    properties
}

/// Takes the first traits that there are out of the event.
fn traits(event: &mut Value, paths: &[&str]) -> Map<String, Value> {
    let Value::Object(event) = event else { return Map::new() };
    let found = paths.iter().find(|path| event.object(path).is_some_and(|traits| !traits.is_empty()));
    match found.and_then(|path| take(event, path)) {
        Some(Value::Object(traits)) => traits,
        _ => Map::new(),
    }
}
