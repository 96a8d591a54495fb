//! On which device and in which app something happened.

use crate::config::Config;
use pintle_plugin_sdk::tree::{Look, is_blank};
use pintle_plugin_sdk::user_agent::UserAgent;
use serde_json::{Map, Value};

/// Fields that are copied as they are, and where they stand in an event.
const COPIED: [(&str, &str); 9] = [
    ("os_name", "context.os.name"),
    ("os_version", "context.os.version"),
    ("device_model", "context.device.model"),
    ("device_manufacturer", "context.device.manufacturer"),
    ("platform", "context.device.type"),
    ("carrier", "context.network.carrier"),
    ("app_name", "context.app.name"),
    ("app_version", "context.app.version"),
    ("language", "context.locale"),
];

/// What Apple's systems are called as the type of a device.
const APPLE: [&str; 4] = ["ios", "watchos", "ipados", "tvos"];

/// Sets the fields of the event that say on what it happened.
///
/// A browser says so in its `User-Agent`: Amplitude's own browser SDK puts the browser's name and version where
/// other platforms have the system's, and the system's name where others have the device's model.
pub fn describe(config: &Config, event: &Value, into: &mut Map<String, Value>) {
    for (field, path) in COPIED {
        set(into, field, event.at(path));
    }
    if config.map_device_brand {
        set(into, "device_brand", event.at("context.device.brand"));
    }
    match event.text(&["channel"]).as_deref() {
        Some("web") => browser(event, into),
        Some("mobile") => mobile(config, event, into),
        _ => {}
    }
}

fn browser(event: &Value, into: &mut Map<String, Value>) {
    let Some(Value::String(text)) = event.at("context.userAgent").filter(|agent| !is_blank(agent)) else { return };
    let agent = UserAgent::of(text);
    let system = agent.system.map(|system| if system == "Mac OS" { "Mac" } else { system });
    let told = [
        ("os_name", agent.browser),
        ("os_version", agent.version),
        ("device_model", agent.model.or(system)),
        ("device_manufacturer", agent.vendor),
        ("platform", Some("Web")),
    ];
    for (field, value) in told {
        if let Some(value) = value {
            into.insert(field.to_owned(), value.into());
        }
    }
}

fn mobile(config: &Config, event: &Value, into: &mut Map<String, Value>) {
    if !config.map_device_brand {
        set(into, "device_brand", event.at("context.device.manufacturer"));
    }
    let kind = event.text(&["context.device.type"]).unwrap_or_default();
    let advertising_id = event.at("context.device.advertisingId");
    if APPLE.iter().any(|name| kind.eq_ignore_ascii_case(name)) {
        set(into, "idfa", advertising_id);
        set(into, "idfv", event.at("context.device.id"));
    } else if kind.eq_ignore_ascii_case("android") {
        set(into, "adid", advertising_id);
    }
}

/// Sets a field if there is something to set.
pub fn set(into: &mut Map<String, Value>, field: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !is_blank(value)) {
        into.insert(field.to_owned(), value.clone());
    }
}
