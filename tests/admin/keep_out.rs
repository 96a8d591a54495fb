//! What the gateway keeps out: events that were not taken, and users whose events are not.

use crate::setup::connected;
use pintle_tests::events::{Events, post};
use pintle_tests::http::Request;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{SOURCE, WRITE_KEY};
use serde_json::{Value, json};

const PATH: &str = "/admin/v1/rejected-events";

/// One good event, and around it one of each kind that is not taken.
fn mixed() -> String {
    json!({"batch": [
        {"event": "nobody's", "type": "track", "messageId": "m-1"},
        {"userId": "ada", "type": "track", "event": "Good"},
        17,
        {"userId": "ada", "type": "page", "properties": {"text": "x".repeat(40_000)}},
    ]})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_not_taken_are_listed_with_their_reasons() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file().set("gateway", "event-bytes-max", 20_000)).await;
    connected(&pintle, &receiver, &[]).await;
    assert_eq!(pintle.make("GET", PATH, &Value::Null).await, json!({"items": []}));
    let none = pintle.cli(&["rejected-events"]).await;
    assert_eq!((none.code, none.err.as_str()), (0, "no rejected events\n"));

    let answer = Request::post("/v1/batch", mixed()).key(WRITE_KEY).send(pintle.gateway()).await.unwrap();
    assert_eq!((answer.status, answer.header("x-pintle-rejected")), (200, Some("3")));
    let page = pintle.make("GET", PATH, &Value::Null).await;
    let items = page["items"].as_array().unwrap();
    let reasons: Vec<&str> = items.iter().map(|item| item["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["event-bytes-max", "not-an-event", "no-ids"], "newest first: {page:#}");
    let (large, nobodys) = (&items[0], &items[2]);
    assert_eq!((&nobodys["message_id"], &nobodys["event_type"]), (&json!("m-1"), &json!("track")), "{nobodys:#}");
    assert_eq!((&nobodys["source_id"], &nobodys["request_ip"]), (&json!(SOURCE), &json!("127.0.0.1")), "{nobodys:#}");
    let excerpt: Value = serde_json::from_str(nobodys["excerpt"].as_str().unwrap()).unwrap();
    assert_eq!(excerpt["event"], "nobody's");
    // Of a large event its start is kept, and its size.
    assert!(large["bytes"].as_u64().unwrap() > 40_000, "{}", large["bytes"]);
    assert_eq!(large["excerpt"].as_str().unwrap().len(), 16 << 10);

    // Page by page, and only some of them.
    let first = pintle.make("GET", &format!("{PATH}?limit=2"), &Value::Null).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2, "{first:#}");
    let rest = format!("{PATH}?limit=2&before={}", first["next"].as_str().unwrap());
    let rest = pintle.make("GET", &rest, &Value::Null).await;
    assert_eq!((&rest["items"][0], &rest["next"]), (nobodys, &Value::Null));
    for (filter, count) in [("reason=no-ids", 1), ("reason=nothing", 0), ("source=site", 3), ("source=other", 0)] {
        let page = pintle.make("GET", &format!("{PATH}?{filter}"), &Value::Null).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{filter}: {page:#}");
    }
    let (status, problem) = pintle.call("GET", &format!("{PATH}?reasons=no-ids"), &Value::Null).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("source, reason, limit"), "{problem:#}");

    let told = pintle.cli(&["rejected-events", "--reason", "no-ids"]).await;
    assert!(told.code == 0 && told.out.contains("m-1") && !told.out.contains("not-an-event"), "{told:?}");
    let told = pintle.cli(&["rejected-events", "--limit", "1"]).await;
    let before = told.err.trim().strip_prefix("older ones: --before ").unwrap();
    let older = pintle.cli(&["rejected-events", "--before", before, "--json"]).await.json();
    assert_eq!(older["items"].as_array().unwrap().len(), 2, "{older:#}");
    let metrics = pintle.metrics().await;
    let line = "pintle_gateway_rejected_events_total{reason=\"no-ids\"} 1";
    assert!(metrics.lines().any(|one| one == line), "{metrics}");
    pintle.wait_delivered("orders", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_suppressed_is_neither_stored_nor_delivered_until_that_is_taken_back() {
    let receiver = Receiver::start().await;
    let mut pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    // Stored while the destination is away, and not delivered any more when it is back.
    receiver.refuse().await;
    let mut events = Events::new(41, 0);
    let numbered = [("eve/1", 1), ("ada", 1), ("eve/1", 2)].map(|(user, n)| events.track(user, n));
    post(pintle.gateway(), &numbered, 3).await.unwrap();
    let added = pintle.cli(&["suppress", "add", "eve/1", "--reason", "asked to be forgotten"]).await;
    assert!(added.code == 0 && added.err.contains("eve/1"), "{added:?}");
    let listed = pintle.cli(&["suppress", "list"]).await;
    assert!(listed.out.contains("eve/1") && listed.out.contains("asked to be forgotten"), "{listed:?}");
    receiver.accept_again();
    pintle.wait_until("the backlog to be done with", |status| destination(status, "orders")["lag_events"] == 0).await;

    // It outlives a restart, and saying it again changes nothing.
    pintle.stop();
    pintle.restart().await;
    let before = pintle.make("GET", "/admin/v1/suppressions", &Value::Null).await;
    assert_eq!(pintle.call("PUT", "/admin/v1/suppressions/eve%2F1", &Value::Null).await.0, 200);
    assert_eq!(pintle.make("GET", "/admin/v1/suppressions", &Value::Null).await, before);
    // The client hears `ok`: it is not to send them again.
    post(pintle.gateway(), &[events.track("eve/1", 3), events.track("ada", 2)], 2).await.unwrap();
    pintle.wait_delivered("orders", 2).await;
    assert!(receiver.received().iter().all(|one| one.json()["userId"] == "ada"));

    let removed = pintle.cli(&["suppress", "remove", "eve/1"]).await;
    assert!(removed.code == 0 && removed.err.contains("taken again"), "{removed:?}");
    post(pintle.gateway(), &[events.track("eve/1", 4)], 1).await.unwrap();
    pintle.wait_delivered("orders", 3).await;
    let unknown = pintle.cli(&["suppress", "remove", "eve/1"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("is not suppressed"), "{unknown:?}");
    let (status, problem) = pintle.call("PUT", "/admin/v1/suppressions/%E2%80%8B", &Value::Null).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("visible"), "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_are_suppressed_are_listed_page_by_page() {
    let pintle = Pintle::start(Options::without_file()).await;
    for user in ["b", "c", "a"] {
        let said = [("Pintle-Reason", "law")];
        let path = format!("/admin/v1/suppressions/{user}");
        assert_eq!(pintle.ask("PUT", &path, &said, b"").await.unwrap().status, 201);
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = pintle.make("GET", &format!("/admin/v1/suppressions?limit=2{after}"), &Value::Null).await;
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["user_id"].clone()));
        assert!(page["items"].as_array().unwrap().iter().all(|item| item["reason"] == "law"), "{page:#}");
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, ["a", "b", "c"]);
    assert_eq!(pintle.cli(&["suppress", "list", "--json"]).await.json()["items"].as_array().unwrap().len(), 3);
}
