//! Why a connection must stay off: each function names what is asked for and not enforced yet.

use super::{At, is_blank, plugins};
use pintle_events::Kind;
use serde_json::Value;
use std::collections::BTreeSet;

/// Settings that every destination's `config` may hold. They are judged here and never reach a plugin.
pub(super) const COMMON: [&str; 12] = [
    "blacklistedEvents",
    "connectionMode",
    "consentManagement",
    "enableServerSideIdentify",
    "eventFilteringOption",
    "hybridModeCloudEventsFilter",
    "ketchConsentPurposes",
    "listOfConversions",
    "oneTrustCookieCategories",
    "oneTrustCookieCategoriesFilter",
    "useNativeSDK",
    "whitelistedEvents",
];

/// What holds for every connection of the file.
pub(super) fn of_workspace(root: &At<'_>) -> Vec<String> {
    let blocking = root.get("settings").get("eventBlocking").get("events");
    if blocking.is_blank() {
        Vec::new()
    } else {
        vec![format!("event blocking ({}) is not enforced yet", blocking.path())]
    }
}

/// What holds for every connection of a source.
pub(super) fn of_source(source: &At<'_>) -> Vec<String> {
    let mut because = Vec::new();
    let definition = source.get("sourceDefinition");
    let category = definition.get("category").text().unwrap_or_default();
    if !category.is_empty() && !category.eq_ignore_ascii_case("eventStream") {
        because.push(format!("sources of category {category} are not supported yet"));
    }
    if definition.get("options").get("hydration").get("enabled").is_true() {
        because.push("source hydration is not supported yet".to_owned());
    }
    let plan = source.get("dgSourceTrackingPlanConfig");
    let planned = !plan.get("trackingPlan").get("id").is_blank() || !plan.get("config").is_blank();
    if planned && !plan.get("deleted").is_true() {
        because.push("its tracking plan (dgSourceTrackingPlanConfig) is not enforced yet".to_owned());
    }
    if source.get("transient").is_true() {
        because.push("the source is transient, and Pintle keeps accepted events in its log for a while".to_owned());
    }
    because
}

/// What the top-level entry of a connection asks for.
pub(super) fn of_connection(connection: &At<'_>) -> Vec<String> {
    let mut because = Vec::new();
    if connection.get("processorEnabled").is_false() {
        because.push("processorEnabled is false: it is not meant to deliver from here".to_owned());
    }
    if !connection.get("config").is_blank() {
        because.push("the connection's own config is not enforced yet".to_owned());
    }
    because
}

/// What a destination asks for.
pub(super) fn of_destination(destination: &At<'_>, known: &BTreeSet<String>) -> Vec<String> {
    let mut because = Vec::new();
    if !known.contains(&plugins::plugin(destination)) {
        because.push(no_plugin(destination));
    }
    if !destination.get("isProcessorEnabled").is_true() {
        because.push("isProcessorEnabled is not true: it is not meant to deliver from here".to_owned());
    }
    if !destination.get("transformations").is_blank() {
        because.push("it has a transformation, and the file does not hold its code".to_owned());
    }
    if !destination.get("deliveryAccount").is_blank() {
        because.push("delivery through an account (deliveryAccount) is not supported yet".to_owned());
    }
    of_config(destination, &mut because);
    because
}

fn of_config(destination: &At<'_>, because: &mut Vec<String>) {
    let config = destination.get("config");
    let definition = destination.get("destinationDefinition").get("config");
    if config.value().is_some_and(|value| !value.is_object() && !value.is_null()) {
        because.push("its config is not a JSON object".to_owned());
    }
    for at in [&config, &definition] {
        for name in ["hybridModeCloudEventsFilter", "listOfConversions"] {
            if !at.get(name).is_blank() {
                because.push(format!("its event filter ({name}) is not enforced yet"));
            }
        }
    }
    let mode = config.get("connectionMode");
    if !mode.is_blank() && !mode.value().is_some_and(|value| only(value, &["cloud"])) {
        because.push("its connectionMode is not cloud: devices deliver on their own as well".to_owned());
    }
    if config.get("useNativeSDK").value().is_some_and(says_true) {
        because.push("useNativeSDK is on: devices deliver on their own as well".to_owned());
    }
    let is_dynamic = destination.get("hasDynamicConfig").is_true() || config.value().is_some_and(has_template);
    if is_dynamic && !plugins::is_dynamic(&plugins::plugin(destination)) {
        because.push("its config is filled in per event ({{ … }}), which is not supported yet".to_owned());
    }
    if unreadable_message_types(&definition) {
        because.push("its supportedMessageTypes have a form that is not understood".to_owned());
    }
}

pub(super) fn no_plugin(destination: &At<'_>) -> String {
    match plugins::definition(destination) {
        "" => "its type is unknown: destinationDefinition.name is missing".to_owned(),
        name => format!("there is no plugin for destinations of type {name}"),
    }
}

/// What SDKs call the destination in `integrations`, where that is another name than its plugin's.
pub(super) fn integration(destination: &At<'_>) -> Option<String> {
    let shown = destination.get("destinationDefinition").get("displayName").text()?.trim().to_owned();
    let says_more = !shown.is_empty() && !shown.eq_ignore_ascii_case(&plugins::plugin(destination));
    says_more.then_some(shown)
}

/// The event types the destination takes, in lower case; any when the file does not say.
pub(super) fn message_types(destination: &At<'_>) -> Option<Vec<String>> {
    let listed = listed_types(&destination.get("destinationDefinition").get("config"));
    let mut types: Option<Vec<String>> = listed.and_then(|value| {
        let items = value.as_array()?.iter();
        items.map(|item| item.as_str().map(str::to_lowercase)).collect()
    });
    if destination.get("config").get("enableServerSideIdentify").is_false() {
        let all = || Kind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
        types.get_or_insert_with(all).retain(|name| name != Kind::Identify.as_str());
    }
    types
}

/// A list, or one per connection mode, of which ours is `cloud`.
fn listed_types<'a>(definition: &At<'a>) -> Option<&'a Value> {
    let listed = definition.get("supportedMessageTypes");
    let of_cloud = listed.get("cloud");
    of_cloud.value().or(listed.value()).filter(|value| !value.is_null())
}

fn unreadable_message_types(definition: &At<'_>) -> bool {
    listed_types(definition).is_some_and(|value| match value {
        Value::Array(items) => !items.iter().all(Value::is_string),
        _ => true,
    })
}

/// Whether consent settings name any consent. Each entry may name a provider and a strategy without
/// naming one; anything of another form is taken to name some.
pub(super) fn names_consent(settings: &Value) -> bool {
    match settings {
        Value::Array(items) => items.iter().any(names_consent),
        Value::Object(fields) => match fields.iter().find(|(key, _)| key.eq_ignore_ascii_case("consents")) {
            Some((_, consents)) => !is_blank(consents),
            None => fields.values().any(names_consent),
        },
        other => !is_blank(other),
    }
}

/// Whether a setting, given once or per source type, is one of these wherever it says anything.
pub(super) fn only(setting: &Value, allowed: &[&str]) -> bool {
    match setting {
        Value::String(text) => text.trim().is_empty() || allowed.iter().any(|a| text.eq_ignore_ascii_case(a)),
        Value::Object(fields) => fields.values().all(|value| only(value, allowed)),
        other => is_blank(other),
    }
}

fn says_true(setting: &Value) -> bool {
    match setting {
        Value::Bool(flag) => *flag,
        Value::Object(fields) => fields.values().any(says_true),
        Value::Array(items) => items.iter().any(says_true),
        other => !is_blank(other),
    }
}

/// Whether some text stands for a value of the event: `{{ event.path || default }}`. What only has `{{ name }}`
/// somewhere inside is a template of the destination's own.
fn has_template(config: &Value) -> bool {
    match config {
        Value::String(text) => {
            let inside = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
            inside.is_some_and(|inside| inside.contains("||"))
        }
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(fields) => fields.values().any(has_template),
        _ => false,
    }
}
