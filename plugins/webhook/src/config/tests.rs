use super::*;
use crate::Webhook;
use pintle_plugin_sdk::Destination as _;
use serde_json::json;

fn manifest() -> Value {
    serde_json::from_str(Webhook::MANIFEST).unwrap()
}

#[test]
fn the_manifest_says_the_version_of_the_crate() {
    assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    let manifest = manifest();
    let properties = manifest["config"]["properties"].as_object().unwrap();
    for key in ["webhookUrl", "webhookMethod", "headers"] {
        assert!(properties.contains_key(key), "{key}");
    }
    for (key, schema) in properties {
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{key}");
    }
    assert_eq!(properties["headers"]["items"]["properties"]["to"]["writeOnly"], true);
}

#[test]
fn a_mistake_never_repeats_a_value() {
    let config = json!({"webhookUrl": "hunter2", "headers": [{"from": "x", "to": "hunter2\u{0}"}]});
    let mistakes = Config::read(&config).unwrap_err();
    assert_eq!(mistakes.0.len(), 2);
    assert!(mistakes.0.iter().all(|mistake| !mistake.message.contains("hunter2")));
}

#[test]
fn a_header_named_twice_is_sent_once_with_the_last_value() {
    let headers = json!([{"from": "X-A", "to": "1"}, {"from": "x-a", "to": "2"}]);
    let config = json!({"webhookUrl": "https://example.com", "headers": headers});
    assert_eq!(Config::read(&config).unwrap().headers, [("x-a".to_owned(), "2".to_owned())]);
}
