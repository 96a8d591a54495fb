use super::*;
use crate::Webhook;
use pintle_plugin_sdk::cases::assert_manifest;
use serde_json::json;

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    assert_manifest::<Webhook>(env!("CARGO_PKG_VERSION"), &["/headers/items/properties/to"]);
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
