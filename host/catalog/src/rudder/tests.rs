mod destinations;

use super::*;
use serde_json::json;

fn plugins() -> BTreeSet<String> {
    crate::file::bundled_plugins()
}

fn imported(document: &Value) -> (Catalog, ImportReport) {
    import(document, &plugins()).unwrap()
}

/// One source `s1` feeding one destination `d1` that works.
fn workspace() -> Value {
    json!({
        "workspaceId": "ws1",
        "enableMetrics": false,
        "libraries": [],
        "sources": [{
            "id": "s1", "name": "Site", "writeKey": "wk1", "enabled": true, "workspaceId": "ws1",
            "sourceDefinition": {"id": "sd1", "name": "HTTP", "category": "", "type": "cloud"},
            "destinations": [{
                "id": "d1", "name": "Orders", "enabled": true, "isProcessorEnabled": true,
                "revisionId": "r1", "transformations": [],
                "config": {"webhookUrl": "http://127.0.0.1:9999/", "webhookMethod": "POST"},
                "destinationDefinition": {
                    "id": "dd1", "name": "WEBHOOK", "displayName": "Webhook",
                    "config": {
                        "transformAtV1": "processor",
                        "supportedMessageTypes": ["Track", "identify", "record"],
                    },
                },
            }],
        }],
    })
}

/// The workspace with this value at this JSON pointer; missing maps on the way are made.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = workspace();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let mut at = &mut document;
    for step in parent.split('/').skip(1) {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
        if at.is_null() {
            *at = json!({});
        }
    }
    at[key] = value;
    document
}

const DESTINATION: &str = "/sources/0/destinations/0";

fn destination(field: &str, value: Value) -> Value {
    with(&format!("{DESTINATION}/{field}"), value)
}

#[test]
fn a_plain_workspace_works() {
    let (catalog, report) = imported(&workspace());
    assert_eq!(catalog.sources["s1"].write_key, "wk1");
    let orders = &catalog.destinations["d1"];
    assert_eq!((orders.name.as_str(), orders.plugin.as_str()), ("Orders", "webhook"));
    assert_eq!(orders.config, json!({"webhookUrl": "http://127.0.0.1:9999/", "webhookMethod": "POST"}));
    assert_eq!(orders.message_types.as_deref().unwrap(), ["track", "identify", "record"]);
    assert!(catalog.connections["s1-d1"].is_on());
    let works: Vec<String> = report.works.iter().map(ToString::to_string).collect();
    assert_eq!(works, ["source s1 (Site)", "destination d1 (Orders)", "connection s1-d1 (Site → Orders)"]);
    assert!(report.off.is_empty() && report.ignored.is_empty(), "{report:?}");
}

#[test]
fn field_names_match_in_any_case() {
    let text = workspace().to_string();
    for (from, to) in [
        ("writeKey", "WriteKey"),
        ("\"enabled\"", "\"Enabled\""),
        ("isProcessorEnabled", "IsProcessorEnabled"),
        ("destinationDefinition", "DestinationDefinition"),
        ("\"destinations\"", "\"Destinations\""),
        ("\"sources\"", "\"Sources\""),
        ("\"id\"", "\"ID\""),
    ] {
        assert!(text.contains(from));
        let document: Value = serde_json::from_str(&text.replace(from, to)).unwrap();
        assert!(recognises(&document));
        assert_eq!(imported(&document).0, imported(&workspace()).0, "{to}");
    }
}

/// With a destination of this type and configuration.
fn of_type(name: &str, config: Value) -> Value {
    let mut document = destination("destinationDefinition/name", json!(name));
    document["sources"][0]["destinations"][0]["config"] = config;
    document
}

/// With this event filter, whose names are these.
fn filtering(option: &str, names: Value) -> Value {
    let mut document = destination("config/eventFilteringOption", json!(option));
    document["sources"][0]["destinations"][0]["config"][option] = names;
    document
}

/// What must keep a connection off, with a part of the reason.
fn guarded() -> Vec<(Value, &'static str)> {
    vec![
        (
            destination("destinationDefinition/name", json!("CARRIER_PIGEON")),
            "no plugin for destinations of type CARRIER_PIGEON",
        ),
        (destination("destinationDefinition", json!(null)), "its type is unknown"),
        (destination("isProcessorEnabled", json!(false)), "isProcessorEnabled"),
        (destination("isProcessorEnabled", json!(null)), "isProcessorEnabled"),
        (destination("transformations", json!([{"id": "t1", "versionId": "v1"}])), "does not hold its code"),
        (destination("deliveryAccount", json!({"id": "acc"})), "deliveryAccount"),
        (of_type("CARRIER_PIGEON", json!({"loft": "{{ event.userId || \"north\" }}"})), "filled in per event"),
        (
            {
                let mut document = of_type("CARRIER_PIGEON", json!({"loft": "north"}));
                document["sources"][0]["destinations"][0]["hasDynamicConfig"] = json!(true);
                document
            },
            "filled in per event",
        ),
        (destination("config", json!([1])), "not a JSON object"),
        (
            destination("config/consentManagement", json!({"web": [{"consents": [{"consent": "C1"}]}]})),
            "consentManagement",
        ),
        (destination("config/consentManagement", json!([{"provider": "custom"}])), "consentManagement"),
        (destination("config/ConsentManagement", json!([{"Consents": [{"consent": "C1"}]}])), "consentManagement"),
        (
            destination(
                "config/consentManagement",
                json!([{"provider": "custom", "resolutionStrategy": "most", "consents": [{"consent": "C1"}]}]),
            ),
            "consentManagement",
        ),
        (destination("config/consentManagement", json!({"cloud": "C1"})), "consentManagement"),
        (
            destination("config/oneTrustCookieCategories", json!({"web": [{"oneTrustCookieCategory": "C2"}]})),
            "(oneTrustCookieCategories) is given for other types of source than cloud",
        ),
        (destination("config/oneTrustCookieCategories", json!(["C2"])), "oneTrustCookieCategories"),
        (destination("config/ketchConsentPurposes", json!("ads")), "ketchConsentPurposes"),
        (destination("config/eventFilteringOption", json!("whitelistedEvents")), "eventFilteringOption"),
        (destination("config/eventFilteringOption", json!({"cloud": "greylistedEvents"})), "eventFilteringOption"),
        (
            filtering("blacklistedEvents", json!({"web": [{"eventName": "Noise"}]})),
            "(blacklistedEvents) is given for other types of source than cloud",
        ),
        (filtering("blacklistedEvents", json!(["Noise"])), "(blacklistedEvents) has a form"),
        (destination("config/eventFilteringOption", json!({"web": "blacklistedEvents"})), "eventFilteringOption"),
        (destination("config/eventFilteringOption", json!(true)), "eventFilteringOption"),
        (destination("config/listOfConversions", json!([{"conversions": "Sign up"}])), "listOfConversions"),
        (
            destination(
                "destinationDefinition/config/hybridModeCloudEventsFilter",
                json!({"web": {"messageType": ["track"]}}),
            ),
            "hybridModeCloudEventsFilter",
        ),
        (destination("config/connectionMode", json!("device")), "connectionMode"),
        (destination("config/connectionMode", json!({"web": "hybrid", "ios": "cloud"})), "connectionMode"),
        (destination("config/useNativeSDK", json!({"web": true})), "useNativeSDK"),
        (
            destination("destinationDefinition/config/supportedMessageTypes", json!({"device": ["track"]})),
            "supportedMessageTypes",
        ),
        (
            destination("destinationDefinition/config/supportedMessageTypes", json!(["track", 1])),
            "supportedMessageTypes",
        ),
        (with("/settings/eventBlocking/events", json!({"track": ["Login"]})), "event blocking"),
        (with("/sources/0/sourceDefinition/category", json!("webhook")), "category webhook"),
        (with("/sources/0/sourceDefinition/category", json!("cloud")), "category cloud"),
        (with("/sources/0/sourceDefinition/options/hydration/enabled", json!(true)), "hydration"),
        (with("/sources/0/transient", json!(true)), "transient"),
        (
            with(
                "/sources/0/dgSourceTrackingPlanConfig",
                json!({"trackingPlan": {"id": "tp1", "version": 3}, "deleted": false}),
            ),
            "tracking plan",
        ),
        (
            with(
                "/sources/0/dgSourceTrackingPlanConfig",
                json!({"config": {"global": {"allowUnplannedEvents": "false"}}}),
            ),
            "tracking plan",
        ),
        (
            with(
                "/connections/c1",
                json!({"sourceId": "s1", "destinationId": "d1", "enabled": true, "processorEnabled": false}),
            ),
            "processorEnabled",
        ),
        (
            with(
                "/connections/c1",
                json!({"sourceId": "s1", "destinationId": "d1", "enabled": true, "config": {"a": 1}}),
            ),
            "own config",
        ),
    ]
}

#[test]
fn whatever_is_not_enforced_keeps_the_connection_off_and_is_named() {
    for (document, reason) in guarded() {
        let (catalog, report) = imported(&document);
        let (id, connection) = catalog.connections.iter().next().unwrap();
        assert!(!connection.is_on(), "{reason}");
        let because = connection.off_because.as_deref().unwrap_or_default();
        assert!(because.contains(reason), "{because:?} should name {reason:?}");
        let off = report.off.iter().find(|off| off.item.id == *id).unwrap();
        assert!(off.because.iter().any(|b| b.contains(reason)), "{off:?}");
        assert!(report.works.iter().all(|item| item.thing != "connection"), "{reason}");
    }
}

#[test]
fn event_filters_and_consent_settings_become_the_filter_of_the_connection() {
    let consents = |consents: &[&str]| consents.iter().map(|id| json!({"consent": id})).collect::<Vec<_>>();
    for (document, filter) in [
        (
            filtering(
                "whitelistedEvents",
                json!([{"eventName": " Paid "}, {"eventName": ""}, {"eventName": "Order Sent"}]),
            ),
            json!({"events": {"only": ["Paid", "Order Sent"]}}),
        ),
        (filtering("blacklistedEvents", json!([{"eventName": "Noise"}])), json!({"events": {"except": ["Noise"]}})),
        (
            // Given per type of source: ours is cloud.
            {
                let mut document = filtering("blacklistedEvents", json!({"cloud": [{"eventName": "Noise"}], "web": 7}));
                document["sources"][0]["destinations"][0]["config"]["eventFilteringOption"] =
                    json!({"Cloud": "blacklistedEvents", "web": "whitelistedEvents"});
                document
            },
            json!({"events": {"except": ["Noise"]}}),
        ),
        (
            destination(
                "config/consentManagement",
                json!([
                    {"provider": "custom", "resolutionStrategy": "or", "consents": consents(&["ads", " mail ", ""])},
                    {"provider": "ketch", "resolutionStrategy": "or", "consents": consents(&["sale"])},
                    {"provider": "iubenda", "resolutionStrategy": "", "consents": consents(&[""])},
                ]),
            ),
            json!({"consent": [
                {"provider": "custom", "strategy": "or", "ids": ["ads", "mail"]},
                {"provider": "ketch", "strategy": "and", "ids": ["sale"]},
            ]}),
        ),
        (
            destination(
                "config/consentManagement",
                json!({"cloud": [{"provider": "oneTrust", "consents": consents(&["C1"])}], "web": [{"a": 1}]}),
            ),
            json!({"consent": [{"provider": "oneTrust", "strategy": "and", "ids": ["C1"]}]}),
        ),
        (
            destination(
                "config/oneTrustCookieCategories",
                json!([{"oneTrustCookieCategory": "C2"}, {"oneTrustCookieCategory": "C3"}]),
            ),
            json!({"consent": [{"strategy": "and", "ids": ["C2", "C3"]}]}),
        ),
        (
            destination("config/ketchConsentPurposes", json!({"cloud": [{"purpose": "ads"}, {"purpose": "sale"}]})),
            json!({"consent": [{"strategy": "or", "ids": ["ads", "sale"]}]}),
        ),
    ] {
        let (catalog, report) = imported(&document);
        let connection = &catalog.connections["s1-d1"];
        assert!(connection.is_on(), "{report:?}");
        assert_eq!(json!(connection.filter), filter);
        let told = report.works.iter().find(|item| item.id == "s1-d1").and_then(|item| item.filter.clone());
        assert_eq!(told, connection.filter.as_ref().map(ToString::to_string), "{report:?}");
        assert_eq!(catalog.destinations["d1"].config, imported(&workspace()).0.destinations["d1"].config);
    }
}

#[test]
fn sources_of_different_types_get_filters_of_their_own() {
    let mut document = filtering("blacklistedEvents", json!([{"eventName": "Noise"}]));
    document["sources"][0]["destinations"][0]["config"]["eventFilteringOption"] =
        json!({"web": "blacklistedEvents", "cloud": "disable"});
    let mut second = document["sources"][0].clone();
    second["id"] = json!("s2");
    second["writeKey"] = json!("wk2");
    second["sourceDefinition"]["type"] = json!("web");
    document["sources"].as_array_mut().unwrap().push(second);
    let (catalog, _) = imported(&document);
    assert!(catalog.connections.values().all(Connection::is_on));
    assert_eq!(catalog.connections["s1-d1"].filter, None);
    assert_eq!(json!(catalog.connections["s2-d1"].filter), json!({"events": {"except": ["Noise"]}}));
}

#[test]
fn settings_that_say_nothing_keep_nothing_off() {
    for document in [
        destination("config/consentManagement", json!([])),
        destination(
            "config/consentManagement",
            json!([{"provider": "oneTrust", "resolutionStrategy": "and", "consents": [{"consent": ""}]}]),
        ),
        destination("config/oneTrustCookieCategories", json!([{"oneTrustCookieCategory": " "}])),
        destination("config/ketchConsentPurposes", json!({"web": [{"purpose": ""}]})),
        destination("config/eventFilteringOption", json!("disable")),
        destination("config/eventFilteringOption", json!({"web": "disable", "ios": ""})),
        destination("config/whitelistedEvents", json!([{"eventName": "left over"}])),
        filtering("blacklistedEvents", json!([{"eventName": ""}])),
        destination("config/consentManagement", json!({"web": [{"provider": "custom", "consents": []}]})),
        destination("config/connectionMode", json!({"web": "cloud"})),
        destination("config/useNativeSDK", json!({"web": false})),
        destination("transformations", json!(null)),
        with("/settings/eventBlocking/events", json!({"track": []})),
        with(
            "/sources/0/dgSourceTrackingPlanConfig",
            json!({"sourceId": "", "version": 0, "config": {}, "trackingPlan": {"id": "", "version": 0}}),
        ),
        with(
            "/sources/0/dgSourceTrackingPlanConfig",
            json!({"trackingPlan": {"id": "tp1", "version": 1}, "deleted": true}),
        ),
    ] {
        let (catalog, report) = imported(&document);
        assert!(catalog.connections["s1-d1"].is_on(), "{report:?}");
        assert_eq!(catalog.connections["s1-d1"].filter, None);
        assert_eq!(catalog.destinations["d1"].config, imported(&workspace()).0.destinations["d1"].config);
    }
}

#[test]
fn every_reason_is_kept() {
    let mut document = destination("transformations", json!([{"id": "t"}]));
    document["settings"] = json!({"eventBlocking": {"events": {"track": ["x"]}}});
    let (catalog, report) = imported(&document);
    assert_eq!(report.off[0].because.len(), 2);
    assert!(catalog.connections["s1-d1"].off_because.as_deref().unwrap().contains("; "));
}

#[test]
fn one_destination_under_two_sources_becomes_one_with_two_connections() {
    let mut document = workspace();
    let mut second = document["sources"][0].clone();
    second["id"] = json!("s2");
    second["writeKey"] = json!("wk2");
    document["sources"].as_array_mut().unwrap().push(second);
    document["connections"] =
        json!({"c2": {"sourceId": "s2", "destinationId": "d1", "enabled": true, "processorEnabled": true}});
    let (catalog, _) = imported(&document);
    assert_eq!(catalog.destinations.len(), 1);
    let ids: Vec<&String> = catalog.connections.keys().collect();
    assert_eq!(ids, ["c2", "s1-d1"]);
    assert!(catalog.connections.values().all(Connection::is_on));

    document["sources"][1]["destinations"][0]["config"]["webhookUrl"] = json!("http://elsewhere/");
    let (catalog, _) = imported(&document);
    assert!(catalog.connections["s1-d1"].is_on());
    assert!(catalog.connections["c2"].off_because.as_deref().unwrap().contains("described differently"));
}

#[test]
fn what_the_file_disables_is_off_with_that_reason() {
    let (catalog, report) = imported(&with("/sources/0/enabled", json!(false)));
    assert!(!catalog.sources["s1"].enabled);
    assert_eq!(report.off[0].item.to_string(), "source s1 (Site)");

    let (catalog, report) = imported(&destination("enabled", json!(false)));
    assert_eq!(catalog.destinations["d1"].state, DestinationState::Disabled);
    assert_eq!(report.off[1].because, ["its destination is disabled"]);

    let connection = json!({"sourceId": "s1", "destinationId": "d1", "enabled": false});
    let (catalog, report) = imported(&with("/connections/c1", connection));
    assert!(!catalog.connections["c1"].enabled);
    assert_eq!(report.off[0].because, ["the file has it disabled"]);
}

#[test]
fn a_missing_flag_is_false_and_a_text_is_no_flag() {
    let (catalog, _) = imported(&with("/sources/0/enabled", Value::Null));
    assert!(!catalog.sources["s1"].enabled);
    let problems = import(&with("/sources/0/enabled", json!("true")), &plugins()).unwrap_err();
    assert_eq!(problems[0].to_string(), "sources[0].enabled: is neither true nor false; write it without quotes");
}

#[test]
fn a_destination_without_its_plugin_is_kept_disabled() {
    let (catalog, report) = imported(&destination("destinationDefinition/name", json!("CARRIER_PIGEON")));
    assert_eq!(catalog.destinations["d1"].state, DestinationState::Disabled);
    assert_eq!(report.off[0].because, ["there is no plugin for destinations of type CARRIER_PIGEON"]);
}

#[test]
fn message_types_are_taken_from_the_cloud_list_and_lose_a_refused_identify() {
    let types = "destinationDefinition/config/supportedMessageTypes";
    let (catalog, _) = imported(&destination(types, json!({"cloud": ["track"], "device": {"web": ["page"]}})));
    assert_eq!(catalog.destinations["d1"].message_types.as_deref().unwrap(), ["track"]);
    let (catalog, _) = imported(&destination(types, Value::Null));
    assert_eq!(catalog.destinations["d1"].message_types, None);
    let (catalog, _) = imported(&destination("config/enableServerSideIdentify", json!(false)));
    assert_eq!(catalog.destinations["d1"].message_types.as_deref().unwrap(), ["track", "record"]);
}

#[test]
fn the_name_that_sdks_call_a_destination_by_is_kept_where_the_plugin_does_not_have_it() {
    let shown = "destinationDefinition/displayName";
    assert_eq!(imported(&destination(shown, json!("Webhook"))).0.destinations["d1"].integration, None);
    assert_eq!(imported(&destination(shown, Value::Null)).0.destinations["d1"].integration, None);
    let (catalog, _) = imported(&destination(shown, json!("Google Analytics 4 (GA4)")));
    assert_eq!(catalog.destinations["d1"].integration.as_deref(), Some("Google Analytics 4 (GA4)"));
}

#[test]
fn texts_that_look_like_our_references_stay_texts() {
    let (catalog, _) = imported(&destination("config/webhookUrl", json!("http://x/${env:HOME}")));
    let resolved = secrets::resolve(&catalog.destinations["d1"].config).unwrap();
    assert_eq!(resolved["webhookUrl"], "http://x/${env:HOME}");
}

#[test]
fn what_has_no_effect_is_listed_as_ignored() {
    let mut document = with("/sources/0/geoEnrichment", json!({"enabled": true}));
    document["libraries"] = json!([{"versionId": "l1"}]);
    document["settings"] = json!({"dataRetention": {"retentionPeriod": "full"}, "eventBlocking": {}});
    document["connections"] = json!({"c9": {"sourceId": "s1", "destinationId": "d9"}});
    document["sources"][0]["destinations"][0]["newThing"] = json!(1);
    let (catalog, report) = imported(&document);
    assert!(catalog.connections["s1-d1"].is_on());
    let paths: BTreeSet<&str> = report.ignored.iter().map(|i| i.path.as_str()).collect();
    let expected =
        ["connections.c9", "libraries", "settings", "sources[0].destinations[0].newThing", "sources[0].geoEnrichment"];
    assert_eq!(paths, BTreeSet::from(expected), "{:?}", report.ignored);
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let mut twice = workspace();
    let source = twice["sources"][0].clone();
    twice["sources"].as_array_mut().unwrap().push(source);
    for (document, expected) in [
        (with("/sources/0/id", Value::Null), "sources[0].id: is missing, or is not a text"),
        (with("/sources/0/writeKey", json!(7)), "sources[0].writeKey: is missing, or is not a text"),
        (with("/sources/0/writeKey", json!("a b")), "sources.s1.write-key: holds a colon, a space"),
        (destination("id", Value::Null), "sources[0].destinations[0].id: is missing"),
        (destination("id", json!("a/b")), "destinations.a/b: is not a usable id"),
        (
            destination("Transformations", json!([{"versionId": "v1"}])),
            "sources[0].destinations[0].transformations: is there twice, in different case",
        ),
        (
            destination("config", json!({"useNativeSDK": false, "UseNativeSdk": true, "k": 1, "K": 2})),
            "sources[0].destinations[0].config.useNativeSDK: is there twice",
        ),
        (twice, "sources[1]: source id s1 is there twice"),
        (with("/connections/c1", json!({"sourceId": "s1"})), "connections.c1.destinationId: is missing"),
    ] {
        let problems = import(&document, &plugins()).unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.starts_with(expected)), "{expected}: {texts:?}");
    }
}

#[test]
fn a_report_never_shows_a_configuration_value() {
    for (mut document, _) in guarded() {
        let config = &mut document["sources"][0]["destinations"][0]["config"];
        if config.is_object() {
            config["apiKey"] = json!("hunter2");
        }
        let (catalog, report) = imported(&document);
        let text = format!("{catalog:?} {report:?} {}", serde_json::to_string(&report).unwrap());
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn only_an_object_with_a_list_of_sources_is_recognised() {
    for other in [json!([]), json!({}), json!({"sources": {}}), json!("sources"), json!(null)] {
        assert!(!recognises(&other), "{other}");
    }
}
