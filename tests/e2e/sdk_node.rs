//! The main job, with the client that people have.

use pintle_tests::ledger::Ledger;
use pintle_tests::node;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

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
