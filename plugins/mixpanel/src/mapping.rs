//! What becomes of an event.

use crate::config::Config;
use crate::{events, groups, profile};
use pintle_plugin_sdk::tree::Look;
use pintle_plugin_sdk::{Delivery, Outcome};
use serde_json::Value;

/// The requests of one event.
///
/// # Errors
/// Why there are none.
pub fn outcome(config: &Config, event: Value, now_ms: u64) -> Result<Outcome, String> {
    let kind = event.text(&["type"]).unwrap_or_default().to_lowercase();
    let requests = match kind.as_str() {
        "identify" => profile::identify(config, &event)?,
        "track" => events::track(config, event, now_ms)?,
        "page" => events::view(config, event, &config.pages, now_ms)?,
        "screen" => events::view(config, event, &config.screens, now_ms)?,
        "group" => groups::group(config, &event)?,
        "alias" => events::alias(config, &event)?,
        "" => return Err("it has no type".to_owned()),
        other => return Err(format!("Mixpanel has nothing for events of the type {other}")),
    };
    Ok(Outcome::Deliver(requests.into_iter().map(Delivery::Request).collect()))
}

#[cfg(test)]
mod tests;
