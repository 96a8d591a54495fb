//! User profiles for `/engage`.

use crate::config::Config;
use crate::events::{self, browser, referrer, set};
use crate::identity::{distinct_id, id, time};
use pintle_plugin_sdk::Request;
use pintle_plugin_sdk::tree::{Look, is_blank, put, take, without_nulls};
use serde_json::{Map, Value, json};

/// Traits that Mixpanel has properties of its own for, with the names that they come under.
const TRAITS: [(&str, &[&str]); 14] = [
    ("$created", &["createdAt"]),
    ("$email", &["email"]),
    ("$first_name", &["firstName", "first_name", "firstname"]),
    ("$last_name", &["lastName", "last_name", "lastname"]),
    ("$name", &["name"]),
    ("$username", &["username", "userName"]),
    ("$phone", &["phone"]),
    ("$avatar", &["avatar"]),
    ("$country_code", &["country", "address.country"]),
    ("$city", &["city", "address.city"]),
    ("$region", &["region", "state", "address.region", "address.state"]),
    ("$unsubscribed", &["unsubscribed"]),
    ("$timezone", &["timezone"]),
    ("$geo_source", &["geoSource"]),
];

/// What the profile says of the device, and where that stands in an event.
const DEVICE: [(&str, &str); 6] = [
    ("$carrier", "context.network.carrier"),
    ("$manufacturer", "context.device.manufacturer"),
    ("$model", "context.device.model"),
    ("$screen_height", "context.screen.height"),
    ("$screen_width", "context.screen.width"),
    ("$wifi", "context.network.wifi"),
];

/// What a profile says of a phone with Android.
const ANDROID: [(&str, &str); 7] = [
    ("$os", "context.os.name"),
    ("$android_model", "context.device.model"),
    ("$android_os_version", "context.os.version"),
    ("$android_manufacturer", "context.device.manufacturer"),
    ("$android_app_version", "context.app.version"),
    ("$android_app_version_code", "context.app.build"),
    ("$android_brand", "context.device.manufacturer"),
];

/// What a profile says of a device of Apple's.
const APPLE: [(&str, &str); 5] = [
    ("$os", "context.os.name"),
    ("$ios_device_model", "context.device.model"),
    ("$ios_version", "context.os.version"),
    ("$ios_app_release", "context.app.version"),
    ("$ios_app_version", "context.app.build"),
];

/// What Apple's systems are called as the type of a device.
const APPLE_TYPES: [&str; 4] = ["ios", "watchos", "ipados", "tvos"];

/// An identify call: changes of the profile, and with the original merging of ids the news that two ids are one
/// person.
///
/// # Errors
/// Why it cannot be sent.
pub fn identify(config: &Config, event: &Value) -> Result<Vec<Request>, String> {
    let person = distinct_id(config, event).ok_or("it has neither a userId nor an anonymousId")?;
    let mut traits = traits(event);
    let mut requests = Vec::new();
    for (operation, names) in &config.changes {
        let changed = named(taken(&mut traits, names));
        if !changed.is_empty() {
            let changed = if *operation == "$union" { lists(changed) } else { changed };
            let change = json!({*operation: changed, "$token": config.token, "$distinct_id": person});
            requests.push(config.engage.request(&change));
        }
    }
    requests.push(config.engage.request(&set_request(config, event, traits, &person)));
    if let (false, Some(user), Some(device)) = (config.simplified, id(event, "userId"), id(event, "anonymousId")) {
        requests.push(events::merge(config, user, device));
    }
    Ok(requests)
}

fn set_request(config: &Config, event: &Value, traits: Map<String, Value>, person: &Value) -> Value {
    let mut properties = named(traits);
    full_name(&mut properties);
    if !config.new_names {
        for (new, old) in [("$first_name", "$firstName"), ("$last_name", "$lastName")] {
            if let Some(name) = properties.remove(new) {
                properties.insert(old.to_owned(), name);
            }
        }
    }
    device(event, &mut properties);
    referrer(event, &mut properties);
    browser(event, &mut properties);
    let mut request = Map::new();
    request.insert("$set".to_owned(), properties.into());
    request.insert("$token".to_owned(), config.token.as_str().into());
    request.insert("$distinct_id".to_owned(), person.clone());
    set(&mut request, "$ip", event.first(&["context.ip", "request_ip"]));
    // Without a time Mixpanel takes that of the request.
    request.insert("$time".to_owned(), time(event).map_or(Value::Null, Value::from));
    if event.at("context.active") == Some(&Value::Bool(false)) {
        // The person was not there: "last seen" stays what it is.
        request.insert("$ignore_time".to_owned(), true.into());
    }
    request.into()
}

/// The traits of the event; those of the call itself win over those in its context.
fn traits(event: &Value) -> Map<String, Value> {
    let mut traits = event.object("context.traits").cloned().unwrap_or_default();
    traits.extend(event.object("traits").cloned().unwrap_or_default());
    traits
}

/// Takes traits out by name, with dots for what is nested.
fn taken(traits: &mut Map<String, Value>, names: &[String]) -> Map<String, Value> {
    let mut taken = Map::new();
    for name in names {
        put(&mut taken, name, take(traits, name));
    }
    taken
}

/// The traits under the names that Mixpanel has for them; all others keep theirs.
fn named(mut traits: Map<String, Value>) -> Map<String, Value> {
    let mut named = Map::new();
    for (property, names) in TRAITS {
        for name in names {
            let value = take(&mut traits, name).filter(|value| !is_blank(value));
            if let Some(value) = value.filter(|_| !named.contains_key(property)) {
                named.insert(property.to_owned(), value);
            }
        }
    }
    if traits.object("address").is_some_and(Map::is_empty) {
        traits.remove("address");
    }
    let mut all = without_nulls(traits);
    all.extend(named);
    all
}

/// The whole name, when only its parts are known.
fn full_name(properties: &mut Map<String, Value>) {
    let (first, last) = (properties.text(&["$first_name"]), properties.text(&["$last_name"]));
    if let (Some(first), Some(last)) = (first, last) {
        properties.entry("$name").or_insert_with(|| format!("{first} {last}").into());
    }
}

/// Mixpanel unites lists: a single value becomes one.
fn lists(properties: Map<String, Value>) -> Map<String, Value> {
    let list = |value| if let Value::Array(_) = value { value } else { json!([value]) };
    properties.into_iter().map(|(name, value)| (name, list(value))).collect()
}

/// What is known of the device, and where it takes messages.
fn device(event: &Value, properties: &mut Map<String, Value>) {
    for (property, path) in DEVICE {
        set(properties, property, event.at(path));
    }
    let kind = event.text(&["context.device.type"]).unwrap_or_default();
    let (devices, fields): (&str, &[(&str, &str)]) = match kind {
        kind if kind.eq_ignore_ascii_case("android") => ("$android_devices", &ANDROID),
        kind if APPLE_TYPES.iter().any(|name| kind.eq_ignore_ascii_case(name)) => ("$ios_devices", &APPLE),
        _ => return,
    };
    if let Some(token) = event.at("context.device.token").filter(|token| !is_blank(token)) {
        properties.insert(devices.to_owned(), json!([token]));
    }
    for (property, path) in fields {
        set(properties, property, event.at(path));
    }
}
