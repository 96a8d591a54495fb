//! Events that are about a device and not about what was done with it.

use crate::config::Config;
use crate::mapping::{identifier, seconds};
use pintle_plugin_sdk::encode::{from_path_segment, path_segment};
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::json::{Members, text};
use pintle_plugin_sdk::{Method, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

const INSTALLED: &str = "Application Installed";
const OPENED: &str = "Application Opened";
const UNINSTALLED: &str = "Application Uninstalled";

/// Where a request says what the device is. The v1 API has no fields for it, so that it says it as devices do,
/// and the v2 API, which every request goes to in the end, has attributes of these names.
const DESCRIPTION: &str = "user-agent";
const DESCRIBED: [(&str, &str); 4] = [
    ("device_os", "context.os.name"),
    ("device_model", "context.device.model"),
    ("app_version", "context.app.version"),
    ("device_locale", "context.locale"),
];

/// The body of a device's registration. What else is known of the event stands beside the device's own fields.
#[derive(Serialize)]
struct Registration<'a> {
    device: Device<'a>,
}

#[derive(Serialize)]
struct Device<'a> {
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(flatten)]
    more: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

/// The request for an event that is about a device; nothing for one that is not, or that lacks the device's
/// token or its owner and is an event like any other then.
pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Option<Request>, String> {
    let Some(name) = fields.get("event").and_then(text) else { return Ok(None) };
    let registers = name == INSTALLED || name == OPENED || (!name.is_empty() && name == config.device_event);
    if !registers && name != UNINSTALLED {
        return Ok(None);
    }
    let found = identifier(fields).zip(fields.text(&["context.device.token"]));
    match found {
        Some((owner, token)) if registers => register(config, fields, &owner, token).map(Some),
        Some((owner, token)) => {
            let path = format!("v1/customers/{}/devices/{}", path_segment(&owner), path_segment(&token));
            Ok(Some(config.request(Method::Delete, &path)))
        }
        None if registers => Ok(None),
        None => Err(format!("`{UNINSTALLED}` needs a userId or email, and the token of context.device")),
    }
}

fn register<'a>(config: &Config, fields: &Fields<'a>, owner: &str, token: Cow<'a, str>) -> Result<Request, String> {
    let properties = fields.get("properties").and_then(Members::of);
    let properties = properties.map(|properties| properties.distinct()).unwrap_or(Some(Vec::new()));
    let properties = properties.ok_or("the event's properties hold text that is not Unicode")?;
    let own = ["id", "last_used", "platform"];
    let more = properties.into_iter().filter(|(name, _)| !own.contains(&name.as_ref())).collect();
    let platform = fields.text(&["context.device.type"]).map(|kind| platform(&kind));
    let device = Device { id: token, last_used: seconds(fields), platform, more };
    let path = format!("v1/customers/{}/devices", path_segment(owner));
    let request = config.send(Method::Put, &path, &Registration { device })?;
    Ok(match description(fields) {
        description if description.is_empty() => request,
        description => request.header(DESCRIPTION, description),
    })
}

/// What the device is, for [`crate::batch`]: pairs as in a query.
fn description(fields: &Fields<'_>) -> String {
    let pair = |(name, path): &(&str, &str)| Some(format!("{name}={}", path_segment(&fields.text(&[path])?)));
    DESCRIBED.iter().filter_map(pair).collect::<Vec<_>>().join("&")
}

/// The parts of a description.
pub(crate) fn described(request: &Request) -> impl Iterator<Item = (&str, String)> {
    let written = request.headers.iter().find(|(name, _)| name == DESCRIPTION).map_or("", |(_, value)| value);
    written.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name, from_path_segment(value)?))
    })
}

/// Customer.io's platforms are `ios` and `android`; all of Apple's mobile systems use the same push service.
fn platform(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.as_str() {
        "ipados" | "tvos" | "watchos" => "ios".to_owned(),
        _ => kind,
    }
}
