//! Groups: who belongs to them stands in the user's profile, what is known about them in their own.

use crate::config::Config;
use crate::events::set;
use crate::identity::distinct_id;
use pintle_plugin_sdk::Request;
use pintle_plugin_sdk::tree::{Look, is_blank};
use serde_json::{Map, Value, json};

/// A group call: for each configured key that it has, the person's membership and the group's profile.
///
/// # Errors
/// Why it cannot be sent.
pub fn group(config: &Config, event: &Value) -> Result<Vec<Request>, String> {
    if config.group_keys.is_empty() {
        return Err("no group keys are configured (`groupKeySettings`)".to_owned());
    }
    let person = distinct_id(config, event).ok_or("it has neither a userId nor an anonymousId")?;
    let properties = event.object("traits").cloned().unwrap_or_default();
    let mut requests = Vec::new();
    for key in &config.group_keys {
        let groups = members(event, key);
        if groups.is_empty() {
            continue;
        }
        requests.push(config.engage.request(&membership(config, event, &person, key, &groups)));
        for group in groups {
            let profile = json!({"$token": config.token, "$group_key": key, "$group_id": group, "$set": properties});
            requests.push(config.groups.request(&profile));
        }
    }
    if requests.is_empty() {
        return Err("it has none of the configured group keys (`groupKeySettings`)".to_owned());
    }
    Ok(requests)
}

fn membership(config: &Config, event: &Value, person: &Value, key: &str, groups: &[Value]) -> Value {
    let mut change = Map::new();
    change.insert("$token".to_owned(), config.token.as_str().into());
    change.insert("$distinct_id".to_owned(), person.clone());
    change.insert("$set".to_owned(), json!({key: groups}));
    set(&mut change, "$ip", event.first(&["context.ip", "request_ip"]));
    change.into()
}

/// The groups under a key: a trait, or the call's own `groupId` when the key is that.
fn members(event: &Value, key: &str) -> Vec<Value> {
    let own = (key == "groupId").then(|| event.at(key)).flatten();
    let of_traits = || event.object("traits").and_then(|traits| traits.get(key).or_else(|| traits.at(key)));
    let found = own.or_else(of_traits).or_else(|| event.at("context.traits")?.get(key));
    let groups = match found {
        Some(Value::Array(groups)) => groups.clone(),
        Some(group) => vec![group.clone()],
        None => Vec::new(),
    };
    groups.into_iter().filter(|group| !is_blank(group)).collect()
}
