use super::*;
use crate::Mixpanel;
use pintle_plugin_sdk::Destination as _;
use serde_json::json;

fn manifest() -> Value {
    serde_json::from_str(Mixpanel::MANIFEST).unwrap()
}

#[test]
fn the_manifest_says_the_version_of_the_crate() {
    assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    let manifest = manifest();
    let properties = manifest["config"]["properties"].as_object().unwrap();
    for (key, schema) in properties {
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{key}");
    }
    assert_eq!(properties["token"]["writeOnly"], true);
}

#[test]
fn what_forms_leave_empty_is_not_configured() {
    let config = json!({
        "token": " t ", "dataResidency": "", "identityMergeApi": null, "strictMode": "true",
        "groupKeySettings": [{"groupKey": ""}], "setOnceProperties": "", "propIncrements": [{}, {"property": "n"}],
        "useUserDefinedPageEventName": "false", "persistenceType": "cookie",
    });
    let read = Config::read(&config).unwrap();
    assert_eq!((read.token.as_str(), read.simplified, read.pages), ("t", false, Naming::Same("Loaded a Page")));
    assert_eq!((read.group_keys.len(), read.changes[0].1.len(), read.increments), (0, 0, vec!["n".to_owned()]));
    let request = read.import.request(&json!({}));
    assert_eq!(request.url, "https://api.mixpanel.com/import/");
    assert_eq!(request.query, [("strict".to_owned(), "1".to_owned())]);
    assert_eq!(request.headers, [("authorization".to_owned(), "Basic dDo=".to_owned())]);
}

#[test]
fn a_mistake_never_repeats_a_value() {
    let config = json!({"token": ["hunter2"], "dataResidency": "hunter2", "identityMergeApi": "hunter2"});
    let Mistakes(mistakes) = Config::read(&config).unwrap_err();
    assert_eq!(mistakes.len(), 3);
    assert!(mistakes.iter().all(|mistake| !mistake.message.contains("hunter2")));
}
