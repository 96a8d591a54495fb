use crate::PostHog;
use pintle_plugin_sdk::{Body, Context, Delivery, Destination as _, Event, Outcome, cases};
use serde_json::json;
use std::path::Path;

#[test]
fn every_case_comes_out_as_its_file_says() {
    let run = cases::assert_all::<PostHog>(&Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("cases"));
    assert!(run > 20, "only {run} cases were found");
}

#[test]
fn numbers_keep_their_spelling() {
    let posthog = PostHog::configure(&json!({"teamApiKey": "k"})).unwrap();
    let batch = br#"[{"message":{"type":"track","event":"Weighed","userId":"u","properties":{"grams":9007199254740993,"exact":1.10}}}]"#;
    let events = Event::batch(batch).unwrap();
    let Ok(Outcome::Deliver(deliveries)) = posthog.transform(&events[0], &Context::default()) else { panic!() };
    let Delivery::Request(request) = &deliveries[0] else { panic!() };
    let Body::Json(body) = &request.body else { panic!() };
    let body = String::from_utf8(body.clone()).unwrap();
    assert!(body.contains(r#""grams":9007199254740993,"exact":1.10"#), "{body}");
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    pintle_plugin_sdk::cases::assert_manifest::<PostHog>(env!("CARGO_PKG_VERSION"), &[]);
}
