//! What becomes of an event.

use crate::config::Config;
use crate::{group, identity, merge, tracking};
use pintle_plugin_sdk::{Context, Event, Request};

/// The requests that carry an event, one after another.
///
/// # Errors
/// Why there are none.
pub fn requests(config: &Config, event: &Event<'_>, context: &Context) -> Result<Vec<Request>, String> {
    let fields = event.fields();
    match event.kind().as_str() {
        "identify" => identity::requests(config, fields),
        "track" => {
            let name = fields.text(&["event"]).filter(|name| !name.trim().is_empty());
            tracking::requests(config, fields, context, &name.ok_or("a track needs the name of its event")?)
        }
        "page" => {
            let name = fields.text(&["name", "properties.name"]);
            tracking::event(config, fields, context, name.as_deref().unwrap_or("Page Viewed"))
        }
        "screen" => {
            let name = fields.text(&["name", "event", "properties.name"]);
            tracking::event(config, fields, context, name.as_deref().unwrap_or("Screen Viewed"))
        }
        "group" => group::request(config, fields).map(|request| vec![request]),
        "alias" => merge::request(config, fields).map(|request| vec![request]),
        "" => Err("the event has no type".to_owned()),
        other => Err(format!("Braze takes no events of the type {other}")),
    }
}
