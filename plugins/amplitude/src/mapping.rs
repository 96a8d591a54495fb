//! What becomes of an event.

use crate::config::Config;
use crate::device::{self, set};
use crate::group::Group;
use crate::naming::{self, Naming};
use crate::{person, revenue};
use pintle_plugin_sdk::times;
use pintle_plugin_sdk::tree::{Look, is_blank};
use pintle_plugin_sdk::{Body, Delivery, Method, Outcome, Request};
use serde_json::{Map, Value, json};

/// What Amplitude shows as the library that sent the events. Charts of projects that moved here split by it.
const LIBRARY: &str = "rudderstack";
/// The type of events that only change user properties.
const IDENTIFY: &str = "$identify";

/// The requests of one event.
///
/// # Errors
/// Why there are none.
pub fn outcome(config: &Config, event: Value) -> Result<Outcome, String> {
    let kind = event.text(&["type"]).unwrap_or_default().to_lowercase();
    let requests = match kind.as_str() {
        "identify" => identify(config, event)?,
        "track" => track(config, event)?,
        "page" => view(config, event, &config.pages)?,
        "screen" => view(config, event, &config.screens)?,
        "group" => group(config, event)?,
        "alias" => alias(config, &event)?,
        "" => return Err("it has no type".to_owned()),
        other => return Err(format!("Amplitude has nothing for events of the type {other}")),
    };
    Ok(Outcome::Deliver(requests.into_iter().map(Delivery::Request).collect()))
}

fn identify(config: &Config, mut event: Value) -> Result<Vec<Request>, String> {
    let mut sent = fields(config, &event)?;
    if event.first(&["traits.optOutOfSession", "context.traits.optOutOfSession"]) == Some(&Value::Bool(true)) {
        sent.insert("session_id".to_owned(), (-1).into());
    }
    let properties = person::operations(config, &mut event, &mut sent);
    sent.insert("event_type".to_owned(), IDENTIFY.into());
    sent.insert("user_properties".to_owned(), properties.into());
    Ok(vec![config.upload.request(sent)])
}

fn track(config: &Config, mut event: Value) -> Result<Vec<Request>, String> {
    let name = event.text(&["event"]).ok_or("a track call needs an event name")?;
    let mut sent = fields(config, &event)?;
    sent.insert("user_properties".to_owned(), person::properties(&mut event).into());
    let events = revenue::events(config, sent, &name, member(&mut event, "properties"));
    Ok(events.into_iter().map(|event| config.upload.request(event)).collect())
}

/// A page or a screen.
fn view(config: &Config, mut event: Value, naming: &Naming) -> Result<Vec<Request>, String> {
    let event_type = naming.event_type(&event)?;
    let mut sent = fields(config, &event)?;
    let name = naming::own(&event);
    let mut properties = match member(&mut event, "properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    if let Some(name) = name {
        properties.insert("name".to_owned(), name.into());
    }
    sent.insert("event_type".to_owned(), event_type.into());
    sent.insert("event_properties".to_owned(), properties.into());
    sent.insert("user_properties".to_owned(), person::properties(&mut event).into());
    Ok(vec![config.upload.request(sent)])
}

/// The person's groups change with an event, the group's own properties by an API of their own.
fn group(config: &Config, event: Value) -> Result<Vec<Request>, String> {
    let mut sent = fields(config, &event)?;
    let mut properties = person::origin(&event);
    let group = Group::of(config, &event);
    // What the options say here is the group and no list of groups, and the event is none that could be repeated.
    sent.remove("groups");
    sent.remove("insert_id");
    if let Some(group) = &group {
        properties.insert(group.kind.clone(), group.value.clone());
        sent.insert("groups".to_owned(), json!({&group.kind: group.value}));
    }
    sent.insert("event_type".to_owned(), IDENTIFY.into());
    sent.insert("user_properties".to_owned(), properties.into());
    let mut requests = vec![config.upload.request(sent)];
    requests.extend(group.map(|group| form(config, &config.group_url, "identification", &group.identification())));
    Ok(requests)
}

fn alias(config: &Config, event: &Value) -> Result<Vec<Request>, String> {
    let mut mapping = Map::new();
    mapping.insert("user_properties".to_owned(), person::origin(event).into());
    if let Some(unmapped) = option(event, "unmap").filter(|id| !is_blank(id)) {
        mapping.insert("user_id".to_owned(), unmapped.clone());
        mapping.insert("unmap".to_owned(), true.into());
    } else {
        let previous = ["previousId", "traits.previousId", "context.traits.previousId"];
        let previous = event.text(&previous).ok_or("an alias call needs a previousId")?;
        let user = event.text(&["userId"]).ok_or("an alias call needs a userId")?;
        mapping.insert("user_id".to_owned(), previous.into());
        mapping.insert("global_user_id".to_owned(), user.into());
    }
    Ok(vec![form(config, &config.alias_url, "mapping", &json!([mapping]))])
}

/// The fields that every event in Amplitude has, whatever it is about.
fn fields(config: &Config, event: &Value) -> Result<Map<String, Value>, String> {
    let mut sent = Map::new();
    device::describe(config, event, &mut sent);
    person::identify(event, &mut sent)?;
    set(&mut sent, "insert_id", event.at("messageId"));
    set(&mut sent, "event_id", option(event, "event_id"));
    set(&mut sent, "groups", option(event, "groups"));
    if option(event, "skipUserPropertiesSync") == Some(&Value::Bool(true)) {
        sent.insert("$skip_user_properties_sync".to_owned(), true.into());
    }
    // Events that came through the gateway have a time.
    let time = event.first(&["timestamp", "originalTimestamp"]).and_then(times::millis);
    sent.insert("time".to_owned(), time.unwrap_or_default().into());
    sent.insert("session_id".to_owned(), session(event).into());
    sent.insert("library".to_owned(), LIBRARY.into());
    Ok(sent)
}

/// The session's number: Amplitude wants the time when it began, and -1 for none. It may stand behind a prefix, as
/// in `user:1598597129`.
fn session(event: &Value) -> i64 {
    let written = ["context.sessionId", "session_id"].iter().filter_map(|path| event.text(&[path]));
    let number = |text: String| text.rsplit(':').next().and_then(|digits| digits.trim().parse().ok());
    written.filter_map(number).next().unwrap_or(-1)
}

/// What the event says to Amplitude alone: `integrations.Amplitude`.
pub fn option<'e>(event: &'e Value, name: &str) -> Option<&'e Value> {
    let ours = |known: &str| ["Amplitude", "AM"].iter().any(|ours| known.eq_ignore_ascii_case(ours));
    event.object("integrations")?.iter().filter(|(known, _)| ours(known)).find_map(|(_, options)| options.at(name))
}

fn member(event: &mut Value, name: &str) -> Option<Value> {
    event.as_object_mut()?.remove(name)
}

fn form(config: &Config, url: &str, field: &str, entries: &Value) -> Request {
    let pairs = vec![("api_key".to_owned(), config.api_key.clone()), (field.to_owned(), entries.to_string())];
    Request { body: Body::Form(pairs), ..Request::new(Method::Post, url) }
}

#[cfg(test)]
mod tests;
