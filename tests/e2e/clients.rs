//! The clients that people have, unmodified.

use pintle_tests::ledger::Ledger;
use pintle_tests::node;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};

const EVENTS: usize = 1_000;
const USERS: usize = 40;
const CODE: &str = "
export function transformEvent(event, metadata) {
  event.properties.emailDomain = event.properties.email.split('@')[1];
  delete event.properties.email;
  event.context.from = metadata(event).sourceId;
  return event;
}";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_node_client_posts_arrives_once_transformed_and_in_order_per_user() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().transformed("orders", &receiver.url("/orders"), CODE);
    let pintle = Pintle::start(Options::new(&workspace)).await;

    node::post(pintle.gateway(), EVENTS, USERS).await;

    pintle.wait_delivered("orders", EVENTS as u64).await;
    let received = receiver.received();
    Ledger::of(&received).assert_each_once_in_order("orders", USERS, EVENTS / USERS);
    for one in &received {
        let event = one.json();
        assert_eq!((one.method.as_str(), one.uri.path()), ("POST", "/orders"));
        assert_eq!(one.headers["content-type"], "application/json");
        assert_eq!(event["properties"]["emailDomain"], "example.com", "{event}");
        assert!(event["properties"].get("email").is_none(), "{event}");
        assert_eq!(event["context"]["from"], "site", "{event}");
        assert_eq!((event["type"].as_str(), event["event"].as_str()), (Some("track"), Some("Counted")));
        assert!(event["messageId"].is_string() && event["receivedAt"].is_string(), "{event}");
    }
}

/// What a client's calls came to at a receiver, by type.
async fn calls(client: &str, count: u64) -> Vec<Value> {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
    node::every_call(client, pintle.gateway()).await;
    pintle.wait_delivered("orders", count).await;
    receiver.received().iter().map(|one| one.json()).collect()
}

/// The one event of a type, and with this name where it has one.
fn find<'a>(events: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |event: &&Value| event["type"] == kind && (name.is_empty() || event["event"] == name);
    let found: Vec<&Value> = events.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{kind} {name}: {events:#?}");
    found[0]
}

fn is_intact(events: &[Value]) {
    for event in events {
        assert!(event["messageId"].is_string() && event["receivedAt"].is_string(), "{event:#}");
        for time in ["timestamp", "originalTimestamp", "sentAt"] {
            let usual = event[time].as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z'));
            assert!(usual, "{time}: {event:#}");
        }
    }
    let identify = find(events, "identify", "");
    let traits = [&identify["traits"]["plan"], &identify["context"]["traits"]["plan"]];
    assert!(identify["userId"] == "ada" && traits.contains(&&json!("pro")), "{identify:#}");
    assert_eq!(find(events, "track", "Order Completed")["properties"]["total"], 19.5);
    assert_eq!(find(events, "page", "")["properties"]["path"], "/");
    let group = find(events, "group", "");
    assert_eq!((&group["groupId"], &group["traits"]["seats"]), (&json!("acme"), &json!(3)), "{group:#}");
    assert_eq!(find(events, "alias", "")["previousId"], "old-ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_the_clients_for_node_arrives_intact() {
    for client in ["rudder-node", "segment-node"] {
        let events = calls(client, 6).await;
        is_intact(&events);
        let screen = find(&events, "screen", "");
        assert_eq!((&screen["name"], &screen["properties"]["dark"]), (&json!("Start"), &json!(true)), "{client}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_the_client_for_browsers_arrives_intact_whichever_way_it_sends() {
    for mode in ["normal", "beacon", "batch"] {
        let receiver = Receiver::start().await;
        let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
        let browser = node::Browser::open(mode, pintle.gateway()).await;
        pintle.wait_delivered("orders", 6).await;
        browser.close().await;
        let events: Vec<Value> = receiver.received().iter().map(|one| one.json()).collect();
        is_intact(&events);
        let ids = events.iter().filter(|event| event["anonymousId"] == "anon-ada").count();
        assert!(ids >= 5, "{mode}: {events:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_our_own_sdk_arrives_intact() {
    let user = json!({"userId": "ada", "anonymousId": "anon-ada"});
    let with = |more: Value| {
        let mut event = user.clone();
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([event])
    };
    let in_node = json!([
        {"method": "identify", "args": with(json!({"traits": {"plan": "pro"}}))},
        {"method": "track", "args": with(json!({"event": "Order Completed", "properties": {"total": 19.5}}))},
        {"method": "page", "args": with(json!({"name": "Home", "properties": {"path": "/"}}))},
        {"method": "group", "args": with(json!({"groupId": "acme", "traits": {"seats": 3}}))},
        {"method": "alias", "args": with(json!({"previousId": "old-ada"}))},
    ]);
    let in_browser = json!([
        {"method": "identify", "args": ["ada", {"plan": "pro"}]},
        {"method": "track", "args": ["Order Completed", {"total": 19.5}]},
        {"method": "page", "args": ["Home", {"path": "/"}]},
        {"method": "group", "args": ["acme", {"seats": 3}]},
        {"method": "alias", "args": ["ada", "old-ada"]},
    ]);
    for (program, calls) in [("packages/node/conformance.js", in_node), ("test/browser-cli.js", in_browser)] {
        let receiver = Receiver::start().await;
        let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))).await;
        let figures = node::our_sdk(program, pintle.gateway(), &calls).await;
        assert_eq!(figures["delivered"], 5, "{program}: {figures}");
        pintle.wait_delivered("orders", 5).await;
        is_intact(&receiver.received().iter().map(|one| one.json()).collect::<Vec<_>>());
    }
}
