//! Which plugin a destination of RudderStack's becomes, and which of its settings that plugin has.

use super::client_settings::is_for_clients;
use super::document::At;
use super::off::COMMON;
use super::report::ImportReport;
use std::collections::BTreeSet;

/// Definitions whose plugins are called otherwise. Elsewhere only dashes take the place of underscores.
const NAMES: [(&str, &str); 3] = [("am", "amplitude"), ("ga4", "google-analytics-4"), ("mp", "mixpanel")];

/// The plugins that come with Pintle, and the settings of each, as its manifest has them.
const SETTINGS: [(&str, &[&str]); 12] = [
    (
        "amplitude",
        &[
            "apiKey",
            "groupTypeTrait",
            "groupValueTrait",
            "mapDeviceBrand",
            "residencyServer",
            "trackProductsOnce",
            "trackRevenuePerProduct",
            "traitsToAppend",
            "traitsToIncrement",
            "traitsToPrepend",
            "traitsToSetOnce",
            "useUserDefinedPageEventName",
            "useUserDefinedScreenEventName",
            "userProvidedPageEventString",
            "userProvidedScreenEventString",
        ],
    ),
    (
        "braze",
        &[
            "dataCenter",
            "enableNestedArrayOperations",
            "enableSubscriptionGroupInGroupCall",
            "restApiKey",
            "sendPurchaseEventWithExtraProperties",
            "supportDedup",
            "useEcommerceRecommendedEvents",
        ],
    ),
    ("customerio", &["apiKey", "datacenter", "deviceTokenEventName", "siteID"]),
    (
        "facebook-pixel",
        &[
            "accessToken",
            "advancedMapping",
            "blacklistPiiProperties",
            "categoryToContent",
            "eventsToEvents",
            "limitedDataUSage",
            "normalizeNames",
            "pixelId",
            "removeExternalId",
            "standardPageCall",
            "testDestination",
            "testEventCode",
            "valueFieldIdentifier",
            "whitelistPiiProperties",
        ],
    ),
    (
        "google-analytics-4",
        &["apiSecret", "debugMode", "firebaseAppId", "measurementId", "piiPropertiesToIgnore", "typesOfClient"],
    ),
    (
        "http",
        &[
            "apiKeyName",
            "apiKeyValue",
            "apiUrl",
            "auth",
            "bearerToken",
            "format",
            "headers",
            "isBatchingEnabled",
            "isDefaultMapping",
            "maxBatchSize",
            "method",
            "password",
            "pathParams",
            "propertiesMapping",
            "queryParams",
            "username",
            "xmlRootKey",
        ],
    ),
    (
        "klaviyo",
        &[
            "apiVersion",
            "consent",
            "enforceEmailAsPrimary",
            "flattenProperties",
            "listId",
            "privateApiKey",
            "publicApiKey",
        ],
    ),
    (
        "mixpanel",
        &[
            "appendProperties",
            "dataResidency",
            "dropTraitsInTrackEvent",
            "groupKeySettings",
            "identityMergeApi",
            "propIncrements",
            "setOnceProperties",
            "strictMode",
            "token",
            "unionProperties",
            "useNewMapping",
            "useUserDefinedPageEventName",
            "useUserDefinedScreenEventName",
            "userDefinedPageEventTemplate",
            "userDefinedScreenEventTemplate",
        ],
    ),
    ("posthog", &["teamApiKey", "useV2Group", "yourInstance"]),
    (
        "s3",
        &[
            "accessKey",
            "accessKeyID",
            "bucketName",
            "enableSSE",
            "endpoint",
            "iamRoleARN",
            "prefix",
            "region",
            "roleBasedAuth",
        ],
    ),
    (
        "slack",
        &[
            "denyListOfEvents",
            "eventChannelSettings",
            "eventTemplateSettings",
            "iconUrl",
            "identifyTemplate",
            "incomingWebhooksType",
            "username",
            "webhookUrl",
            "whitelistedTraitsSettings",
        ],
    ),
    ("webhook", &["headers", "webhookMethod", "webhookUrl"]),
];

/// Why a setting of SDKs has no effect.
const FOR_CLIENTS: &str =
    "it is for SDKs in apps and browsers that send by themselves, and changes nothing that a server sends";

/// The destination plugins that come with Pintle.
pub(crate) fn bundled() -> BTreeSet<String> {
    SETTINGS.iter().map(|(plugin, _)| (*plugin).to_owned()).collect()
}

/// The plugin for a destination's type.
pub(super) fn plugin(destination: &At<'_>) -> String {
    let name = definition(destination).to_lowercase();
    match NAMES.iter().find(|(theirs, _)| *theirs == name) {
        Some((_, ours)) => (*ours).to_owned(),
        None => name.replace('_', "-"),
    }
}

/// What RudderStack calls a destination's type.
pub(super) fn definition<'a>(destination: &At<'a>) -> &'a str {
    destination.get("destinationDefinition").get("name").text().unwrap_or_default()
}

/// Whether events may fill in texts of this plugin's configuration: those that come with Pintle are built with the SDK
/// that does it.
pub(super) fn is_dynamic(plugin: &str) -> bool {
    SETTINGS.iter().any(|(known, _)| *known == plugin)
}

/// Lists what a configuration says and its plugin has no setting for: mostly what SDKs in apps and browsers do by
/// themselves, when they send to the destination without a server in between.
pub(super) fn unused_settings(destination: &At<'_>, report: &mut ImportReport) {
    let plugin = plugin(destination);
    let Some((_, settings)) = SETTINGS.iter().find(|(known, _)| *known == plugin) else { return };
    for (key, value) in destination.get("config").entries() {
        let is_common = COMMON.iter().any(|common| key.eq_ignore_ascii_case(common));
        if !is_common && !settings.contains(&key) && !says_nothing(&value) {
            let why = match is_for_clients(&plugin, key) {
                true => FOR_CLIENTS.to_owned(),
                false => format!("the plugin {plugin} has no such setting"),
            };
            report.ignore(value.path(), why);
        }
    }
}

/// Nothing, a switch that is off, or such for each type of source.
fn says_nothing(value: &At<'_>) -> bool {
    let off = |at: &At<'_>| at.is_blank() || at.is_false();
    off(value) || (value.value().is_some_and(serde_json::Value::is_object) && value.entries().all(|(_, at)| off(&at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::Path;

    #[test]
    fn settings_are_those_of_the_manifests() {
        let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../plugins");
        let manifest = |plugin: &str| -> Option<Value> {
            serde_json::from_slice(&std::fs::read(folder.join(plugin).join("manifest.json")).ok()?).ok()
        };
        for (plugin, settings) in SETTINGS {
            let manifest = manifest(plugin).unwrap_or_else(|| panic!("{plugin} has no manifest"));
            let known = manifest["config"]["properties"].as_object().unwrap().keys().map(String::as_str);
            assert_eq!(settings.iter().copied().collect::<BTreeSet<_>>(), known.collect(), "{plugin}");
        }
        let shipped =
            std::fs::read_dir(&folder).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let shipped: BTreeSet<String> = shipped.filter(|name| manifest(name).is_some()).collect();
        assert_eq!(bundled(), shipped);
    }
}
