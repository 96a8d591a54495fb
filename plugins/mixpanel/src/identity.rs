//! Who did something, as Mixpanel's two ways of merging ids want it.

use crate::config::Config;
use pintle_plugin_sdk::times;
use pintle_plugin_sdk::tree::{Look, is_blank};
use serde_json::Value;

/// The id of the person, or else of the device.
///
/// A project with simplified merging takes a device's id with the prefix `$device:`, a project with the original
/// one as it is.
pub fn distinct_id(config: &Config, event: &Value) -> Option<Value> {
    if let Some(user) = id(event, "userId") {
        return Some(user.clone());
    }
    let device = id(event, "anonymousId")?;
    if !config.simplified {
        return Some(device.clone());
    }
    Some(format!("$device:{}", event.text(&["anonymousId"])?).into())
}

/// An id that the event has.
pub fn id<'e>(event: &'e Value, name: &str) -> Option<&'e Value> {
    event.at(name).filter(|id| !is_blank(id))
}

/// When it happened, in milliseconds since 1970.
pub fn time(event: &Value) -> Option<i64> {
    event.first(&["timestamp", "originalTimestamp"]).and_then(times::millis)
}
