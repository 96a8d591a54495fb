//! Destinations, and the plugins that they become.

use super::*;

#[test]
fn destinations_are_known_by_the_names_that_rudderstack_has_for_them() {
    for (theirs, ours) in [
        ("AM", "amplitude"),
        ("GA4", "google-analytics-4"),
        ("MP", "mixpanel"),
        ("FACEBOOK_PIXEL", "facebook-pixel"),
        ("CUSTOMERIO", "customerio"),
        ("BRAZE", "braze"),
        ("KLAVIYO", "klaviyo"),
        ("SLACK", "slack"),
        ("POSTHOG", "posthog"),
        ("WEBHOOK", "webhook"),
        ("HTTP", "http"),
        ("S3", "s3"),
    ] {
        let (catalog, report) = imported(&of_type(theirs, json!({})));
        assert_eq!(catalog.destinations["d1"].plugin, ours);
        assert!(catalog.connections["s1-d1"].is_on(), "{theirs}: {report:?}");
    }
}

#[test]
fn settings_that_the_plugin_does_not_have_are_listed_and_kept() {
    let config = json!({
        "apiKey": "k", "residencyServer": "EU", "versionName": "7", "trackAllPages": true, "trackSessionEvents": {"web": false},
        "attribution": {"web": true}, "proxyServerUrl": "", "batchEvents": false, "useNativeSDK": {"web": false},
        "enableEnhancedUserOperations": true,
    });
    let (catalog, report) = imported(&of_type("AM", config));
    let told: Vec<(&str, &str)> = report.ignored.iter().map(|one| (one.path.as_str(), one.why.as_str())).collect();
    let at = "sources[0].destinations[0].config";
    let (none, client) = ("the plugin amplitude has no such setting", "it is for SDKs in apps and browsers");
    let expected = [
        ("attribution", client),
        ("enableEnhancedUserOperations", none),
        ("trackAllPages", client),
        ("versionName", client),
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((path, why), (key, starts)) in told.iter().zip(expected) {
        assert!(*path == format!("{at}.{key}") && why.starts_with(starts), "{path}: {why}");
    }
    assert_eq!(catalog.destinations["d1"].config["versionName"], "7");
    assert!(catalog.connections["s1-d1"].is_on());
}

#[test]
fn texts_that_events_fill_in_are_for_the_plugins_that_know_them() {
    for (name, config) in [
        ("WEBHOOK", json!({"webhookUrl": "{{ event.properties.to || \"https://a.example\" }}"})),
        ("SLACK", json!({"webhookUrl": "https://a.example", "identifyTemplate": "{{name}} is here"})),
        ("BRAZE", json!({"restApiKey": "{{ event.key || k }}", "dataCenter": "US-01"})),
        ("KLAVIYO", json!({"privateApiKey": "{{name}} || k"})),
    ] {
        let (catalog, report) = imported(&of_type(name, config));
        assert!(catalog.connections["s1-d1"].is_on(), "{name}: {report:?}");
    }
}
