//! Destinations of one's own, and where requests may go.

use pintle_tests::events::{Events, post};
use pintle_tests::folder::target_dir;
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};

fn webhook() -> Vec<u8> {
    std::fs::read(target_dir().join("plugins/webhook.wasm")).expect("scripts/build-plugins makes it")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_put_into_the_data_directory_runs_without_a_restart() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::new(&Workspace::new())).await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/")).plugin("orders", "mine");

    // Named before it is there: the file is refused, and mended by the plugin's arrival.
    pintle.write_workspace(&workspace.text());
    let refused =
        |status: &Value| status["catalog"]["last_error"].as_str().is_some_and(|e| e.contains("no plugin `mine`"));
    pintle.wait_until("the workspace to be refused", refused).await;
    pintle.write_plugin("mine", &webhook());
    pintle.wait_until("the workspace to be taken", |status| status["catalog"]["last_error"].is_null()).await;

    let events = Events::new(8, 100).many(5, 30);
    post(pintle.gateway(), &events[..50], 10).await.unwrap();
    pintle.wait_delivered("orders", 50).await;

    // A file that is no component holds the destination up, and loses nothing.
    pintle.write_plugin("mine", b"not a component");
    let held =
        |status: &Value| destination(status, "orders").to_string().contains("does not start with its magic number");
    pintle.wait_until("the destination to be held", held).await;
    post(pintle.gateway(), &events[50..100], 10).await.unwrap();
    pintle.write_plugin("mine", &webhook());
    post(pintle.gateway(), &events[100..], 10).await.unwrap();
    pintle.wait_delivered("orders", 150).await;
    Ledger::of(&receiver.received()).assert_each_once_in_order("orders", 5, 30);

    let metrics = pintle.metrics().await;
    let about = |name: &str| metrics.lines().any(|line| line.starts_with(name) && line.contains(r#"plugin="webhook""#));
    for name in [
        "pintle_runtime_calls_total",
        "pintle_runtime_events_total",
        "pintle_runtime_call_seconds_bucket",
        "pintle_runtime_memory_high_bytes",
        "pintle_runtime_instance_starts_total",
    ] {
        assert!(about(name), "{name}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_a_private_address_becomes_a_dead_letter_that_says_how_to_allow_it() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace).set("router", "egress-allow", json!([]))).await;
    post(pintle.gateway(), &[Events::new(9, 0).track("ann", 0)], 1).await.unwrap();

    let status = pintle.wait_until("a dead letter", |status| destination(status, "orders")["dead_letters"] == 1).await;
    assert!(destination(&status, "orders")["last_error"].to_string().contains("egress-allow"), "{status:#}");
    let list = pintle.cli(&["dead-letters", "list", "--json"]).await.json();
    let reason = list["dead_letters"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("127.0.0.1 is a loopback address"), "{reason}");
    assert_eq!(receiver.connections(), 0);
    assert!(pintle.metrics().await.contains("pintle_router_egress_refused_total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_the_schema_refuses_holds_the_destination_and_names_the_value() {
    let pintle = Pintle::start(Options::new(&Workspace::new().webhook("orders", "ftp://a.example"))).await;
    let held = |status: &Value| destination(status, "orders").to_string().contains("/webhookUrl: must start with http");
    pintle.wait_until("the destination to be held", held).await;
}
