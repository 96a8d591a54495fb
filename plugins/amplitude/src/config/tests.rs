use super::*;
use crate::Amplitude;
use pintle_plugin_sdk::Destination as _;
use pintle_plugin_sdk::cases::assert_manifest;
use serde_json::json;

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    assert_manifest::<Amplitude>(env!("CARGO_PKG_VERSION"), &["/apiKey"]);
    let manifest: Value = serde_json::from_str(Amplitude::MANIFEST).unwrap();
    assert!(OPERATIONS.iter().all(|(key, _)| manifest["config"]["properties"].get(key).is_some()));
}

#[test]
fn what_forms_leave_empty_is_not_configured() {
    let config = json!({
        "apiKey": " key ", "residencyServer": "", "groupTypeTrait": "kind", "groupValueTrait": "",
        "traitsToIncrement": [{"traits": ""}, {}], "trackProductsOnce": "true", "userProvidedPageEventString": null,
        "useUserDefinedPageEventName": false, "eventFilteringOption": "disable",
    });
    let read = Config::read(&config).unwrap();
    assert_eq!(read.api_key, "key");
    assert_eq!(read.group_url, "https://api2.amplitude.com/groupidentify");
    assert_eq!(read.group_traits, None);
    assert!(read.operations.iter().all(|(_, traits)| traits.is_empty()) && read.products_once);
    assert_eq!(read.pages, Naming::Viewed("Page"));
}

#[test]
fn a_mistake_never_repeats_a_value() {
    let config = json!({"apiKey": ["hunter2"], "residencyServer": "hunter2", "mapDeviceBrand": "hunter2"});
    let Mistakes(mistakes) = Config::read(&config).unwrap_err();
    assert_eq!(mistakes.len(), 3);
    assert!(mistakes.iter().all(|mistake| !mistake.message.contains("hunter2")));
}
