use super::*;
use crate::Webhook;
use pintle_plugin_sdk::{Context, Destination as _, Event, Method, cases};
use serde_json::json;
use std::path::Path;

#[test]
fn every_case_comes_out_as_its_file_says() {
    let run = cases::assert_all::<Webhook>(&Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("cases"));
    assert!(run > 20, "only {run} cases were found");
}

fn config(method: &str) -> Config {
    Config::read(&json!({"webhookUrl": "https://example.com", "webhookMethod": method})).unwrap()
}

#[test]
fn one_bad_event_does_not_touch_its_neighbours() {
    let webhook = Webhook::configure(&json!({"webhookUrl": "https://example.com"})).unwrap();
    let batch = br#"[{"message":{"a":1}},{"metadata":{},"message":7},{"message":{"b":2}}]"#;
    let events = Event::batch(batch).unwrap();
    let taken: Vec<bool> = events.iter().map(|event| webhook.transform(event, &Context::default()).is_ok()).collect();
    assert_eq!(taken, [true, false, true]);
}

#[test]
fn an_event_nested_without_end_is_passed_on_as_a_body_and_refused_as_a_query() {
    let deep = format!(r#"{{"properties":{{"a":{}{}}}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let event = RawValue::from_string(deep.clone()).unwrap();
    let sent = request(&config("POST"), &event).unwrap();
    assert_eq!((sent.method, sent.body), (Method::Post, Body::Json(deep.into_bytes())));
    let reason = request(&config("GET"), &event).unwrap_err();
    assert!(reason.contains("nested deeper"), "{reason}");
}

#[test]
fn a_key_with_escapes_is_still_that_key() {
    let event = RawValue::from_string(r#"{"full\u0050ath":"https://other.example.com","a":1}"#.to_owned()).unwrap();
    let sent = request(&config("POST"), &event).unwrap();
    assert_eq!(sent.url, "https://other.example.com");
    assert_eq!(sent.body, Body::Json(br#"{"a":1}"#.to_vec()));
}
