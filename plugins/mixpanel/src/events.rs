//! Events for `/import`, and what a track call changes in the profile of who did it.

use crate::config::{Config, Naming};
use crate::identity::{distinct_id, id, time};
use pintle_plugin_sdk::tree::{Look, is_blank};
use pintle_plugin_sdk::user_agent::UserAgent;
use pintle_plugin_sdk::{Request, js, times};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Mixpanel's default properties, by the part of the event's context that they are copied from.
const COPIED: [(&str, &[(&str, &str)]); 7] = [
    ("context.os", &[("name", "$os"), ("version", "$os_version")]),
    ("context.page", &[("url", "$current_url"), ("referrer", "$referrer")]),
    ("context.screen", &[("height", "$screen_height"), ("width", "$screen_width"), ("density", "$screen_dpi")]),
    ("context.network", &[("carrier", "$carrier"), ("wifi", "$wifi"), ("bluetooth", "$bluetooth_enabled")]),
    (
        "context.device",
        &[("name", "$device"), ("manufacturer", "$manufacturer"), ("model", "$model"), ("model", "mp_device_model")],
    ),
    ("context.library", &[("name", "mp_lib")]),
    (
        "context.app",
        &[
            ("build", "$app_build_number"),
            ("version", "$app_version_string"),
            ("name", "$app_name"),
            ("namespace", "$app_namespace"),
        ],
    ),
];

/// Mixpanel takes ids of events of at most so many characters, which tell repeated ones apart.
const INSERT_ID_MAX: usize = 36;

/// An event as `/import` takes it.
#[derive(Serialize)]
struct Sent<'e> {
    event: &'e str,
    properties: &'e Map<String, Value>,
}

/// A track call: its event, and before it what it changes in the profile.
///
/// # Errors
/// Why it cannot be sent.
pub fn track(config: &Config, mut event: Value, now_ms: u64) -> Result<Vec<Request>, String> {
    let name = event.text(&["event"]).ok_or("a track call needs an event name")?;
    let mut requests = profile_changes(config, &event, now_ms);
    let mut properties = taken(&mut event, "/properties");
    if config.traits_in_events {
        for (name, value) in taken(&mut event, "/context/traits") {
            properties.entry(name).or_insert(value);
        }
    }
    own_properties(config, &event, now_ms, &mut properties)?;
    requests.push(config.import.request(&Sent { event: &name, properties: &properties }));
    Ok(requests)
}

/// A page or screen call.
///
/// # Errors
/// Why it cannot be sent.
pub fn view(config: &Config, mut event: Value, naming: &Naming, now_ms: u64) -> Result<Vec<Request>, String> {
    let name = match naming {
        Naming::Same(name) => (*name).to_owned(),
        Naming::Template(template) => {
            template.fill(|path| event.text(&[path]).or_else(|| event.at("properties")?.text(&[path])))
        }
    };
    if name.trim().is_empty() {
        return Err("the text that pages or screens are named by is empty".to_owned());
    }
    let mut properties = taken(&mut event, "/properties");
    for member in ["name", "category"] {
        set(&mut properties, member, event.at(member));
    }
    own_properties(config, &event, now_ms, &mut properties)?;
    Ok(vec![config.import.request(&Sent { event: &name, properties: &properties })])
}

/// An alias call: one more id for the same person, with the original merging of ids alone.
///
/// # Errors
/// Why it cannot be sent.
pub fn alias(config: &Config, event: &Value) -> Result<Vec<Request>, String> {
    if config.simplified {
        return Err("Mixpanel knows no alias calls with its simplified merging of ids".to_owned());
    }
    let known = id(event, "previousId").or_else(|| id(event, "anonymousId"));
    let known = known.ok_or("an alias call needs a previousId or an anonymousId")?;
    let alias = id(event, "userId").ok_or("an alias call needs a userId")?;
    if known == alias {
        return Err("an alias call is about two ids, and its userId is the same as the other one".to_owned());
    }
    let properties = json!({"distinct_id": known, "alias": alias, "token": config.token});
    Ok(vec![config.import.request(&json!({"event": "$create_alias", "properties": properties}))])
}

/// Says that two ids are one person; with the original merging of ids alone.
pub fn merge(config: &Config, user: &Value, device: &Value) -> Request {
    let properties = json!({"$distinct_ids": [user, device], "token": config.token});
    config.import.request(&json!({"event": "$merge", "properties": properties}))
}

/// Sets the properties that Mixpanel gives a meaning to; they win over others of their names.
fn own_properties(config: &Config, event: &Value, now_ms: u64, own: &mut Map<String, Value>) -> Result<(), String> {
    for (part, members) in COPIED {
        let Some(part) = event.at(part) else { continue };
        for (member, property) in members {
            set(own, property, part.get(*member));
        }
    }
    set(own, "ip", event.first(&["context.ip", "request_ip"]));
    set(own, "$user_id", event.at("userId"));
    referrer(event, own);
    set(own, "campaign_id", event.at("context.campaign.name"));
    for (name, value) in event.object("context.campaign").into_iter().flatten() {
        let name = if name == "name" { "campaign" } else { name };
        set(own, &format!("utm_{name}"), Some(value));
    }
    browser(event, own);
    match event.at("messageId") {
        None => {}
        Some(Value::String(id)) => _ = own.insert("$insert_id".to_owned(), last(id, INSERT_ID_MAX).into()),
        Some(_) => return Err("its messageId must be a text: Mixpanel tells repeated events by it".to_owned()),
    }
    if let Some(session) = event.text(&["context.sessionId"]) {
        own.insert("$session_id".to_owned(), session.into());
    }
    if config.simplified {
        set(own, "$device_id", event.at("anonymousId"));
    }
    own.insert("token".to_owned(), config.token.as_str().into());
    // The empty text is what Mixpanel takes for events that nobody did.
    own.insert("distinct_id".to_owned(), distinct_id(config, event).unwrap_or_else(|| "".into()));
    own.insert("time".to_owned(), time(event).map_or_else(|| now_ms.into(), Value::from));
    Ok(())
}

/// Where the person first came from.
pub fn referrer(event: &Value, into: &mut Map<String, Value>) {
    set(into, "$initial_referrer", event.at("context.page.initial_referrer"));
    set(into, "$initial_referring_domain", event.at("context.page.initial_referring_domain"));
}

/// The browser, for what happened in one.
pub fn browser(event: &Value, into: &mut Map<String, Value>) {
    if event.at("channel") != Some(&Value::from("web")) {
        return;
    }
    let Some(Value::String(text)) = event.at("context.userAgent") else { return };
    let agent = UserAgent::of(text);
    for (property, value) in [("$browser", agent.browser), ("$browser_version", agent.version)] {
        if let Some(value) = value {
            into.insert(property.to_owned(), value.into());
        }
    }
}

/// Revenue and counts: they stand in the profile, for Mixpanel's reports of revenue and for segments.
fn profile_changes(config: &Config, event: &Value, now_ms: u64) -> Vec<Request> {
    let (Some(person), Some(properties)) = (distinct_id(config, event), event.at("properties")) else {
        return Vec::new();
    };
    let change = |operation: &str, what: Value| {
        config.engage.request(&json!({operation: what, "$token": config.token, "$distinct_id": person}))
    };
    let mut requests = Vec::new();
    if let Some(revenue) = properties.get("revenue").filter(|revenue| js::truthy(Some(revenue))) {
        let time = times::iso(time(event).unwrap_or(i64::try_from(now_ms).unwrap_or_default()));
        requests.push(change("$append", json!({"$transactions": {"$time": time, "$amount": revenue}})));
    }
    let counts = |name: &String| {
        let value = properties.get(name).or_else(|| properties.at(name))?;
        let is_number = value.is_number() || value.as_str().is_some_and(|text| js::number_of(text).is_some());
        (is_number && js::truthy(Some(value))).then(|| (name.clone(), value.clone()))
    };
    let counts: Map<String, Value> = config.increments.iter().filter_map(counts).collect();
    if !counts.is_empty() {
        requests.push(change("$add", counts.into()));
    }
    requests
}

/// Takes an object out of the event; an empty one when there is none.
fn taken(event: &mut Value, pointer: &str) -> Map<String, Value> {
    match event.pointer_mut(pointer).map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// Sets a property if there is something to set.
pub fn set(into: &mut Map<String, Value>, property: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !is_blank(value)) {
        into.insert(property.to_owned(), value.clone());
    }
}

/// The last characters of a text.
fn last(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().take(count).last().map_or(text.len(), |(start, _)| start);
    &text[start..]
}
