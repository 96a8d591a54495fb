//! A candidate beside the live version, over events that really went through.

use crate::setup::{connected, publish, push};
use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

const LIVE: &str = "export function transformEvent(event) { event.properties.kind = 'old'; return event; }";
const CANDIDATE: &str = "export function transformEvent(event) {
  if (event.userId === 'user-1') return;
  if (event.userId === 'user-2') throw new Error('not you');
  event.properties.kind = event.userId === 'user-3' ? 'old' : 'new';
  return event;
}";

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_run_tells_what_a_candidate_would_change_and_changes_nothing() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    let first = "export function transformEvent(event) { event.properties.first = true; return event; }";
    publish(&pintle, "first", first).await;
    publish(&pintle, "t", LIVE).await;
    connected(&pintle, &receiver, &["first", "t"]).await;
    // Other sources' events are none of this connection's.
    pintle.make("PUT", "/admin/v1/sources/other", &json!({"write_key": "other"})).await;
    post(pintle.gateway(), &Events::new(1, 0).many(4, 10), 10).await.unwrap();
    pintle.wait_delivered("orders", 40).await;
    assert_eq!(push(&pintle, "t", CANDIDATE).await.0, 200);

    let path = "/admin/v1/transformations/t/shadow";
    let view = pintle.make("POST", path, &json!({"connection": "site-orders", "events": 100})).await;
    let count = |name: &str| view[name].as_u64().unwrap();
    assert_eq!(
        (count("events"), count("same"), count("changed"), count("dropped"), count("broken")),
        (40, 10, 10, 10, 10),
        "{view:#}"
    );
    assert_eq!(view["fields"], json!([{"path": "/properties/kind", "events": 10}]), "{view:#}");
    let changed = view["differences"].as_array().unwrap().iter().find(|d| d["kind"] == "changed").unwrap();
    assert_eq!(changed["fields"], json!([{"path": "/properties/kind", "live": "old", "candidate": "new"}]));
    let broken = view["differences"].as_array().unwrap().iter().find(|d| d["kind"] == "broken").unwrap();
    assert_eq!(broken["error"]["line"], 3, "{broken:#}");
    let few = pintle.make("POST", path, &json!({"connection": "site-orders", "events": 7})).await;
    assert_eq!(few["events"], 7, "{few:#}");

    let text = pintle.cli(&["transform", "shadow", "t", "--connection", "site-orders"]).await;
    assert!(text.code == 0 && text.out.contains("10 changed, 10 dropped, 10 broken"), "{text:?}");
    let arguments = ["transform", "shadow", "t", "--connection", "site-orders", "--format", "markdown", "--check"];
    let markdown = pintle.cli(&arguments).await;
    assert!(markdown.code == 1 && markdown.out.contains("| `/properties/kind` | 10 |"), "{markdown:?}");
    let live =
        pintle.cli(&["transform", "shadow", "t", "--connection", "site-orders", "--version", "1", "--check"]).await;
    assert!(live.code == 0 && live.out.contains("40 the same"), "{live:?}");
    for (body, status) in [
        (json!({"connection": "nowhere"}), 404),
        (json!({"connection": "site-orders", "version": "9"}), 404),
        (json!({"connection": "site-orders", "events": 10_001}), 400),
    ] {
        let (got, problem) = pintle.call("POST", path, &body).await;
        assert_eq!(got, status, "{problem:#}");
    }
    pintle.wait_delivered("orders", 40).await;
    assert_eq!(receiver.count(), 40, "a shadow run delivers nothing");
    assert_eq!(pintle.call("GET", "/admin/v1/transformations/t/logs", &Value::Null).await.1["items"], json!([]));
}
