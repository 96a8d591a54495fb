//! Changes of the workspace file, while events flow.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

const MARK: [&str; 2] = [
    "export function transformEvent(event) { event.properties.version = 1; return event; }",
    "export function transformEvent(event) { event.properties.version = 2; return event; }",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_new_destination_begins_with_what_comes_after_it() {
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    let workspace = Workspace::new().webhook("old", &old.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(6, 100).many(10, 20);
    let (before, after) = events.split_at(100);
    post(pintle.gateway(), before, 50).await.unwrap();
    pintle.wait_delivered("old", 100).await;

    pintle.apply(&workspace.webhook("new", &new.url("/"))).await;
    post(pintle.gateway(), after, 50).await.unwrap();

    pintle.wait_delivered("old", 200).await;
    pintle.wait_delivered("new", 100).await;
    Ledger::of(&old.received()).assert_each_once_in_order("old", 10, 20);
    let book = Ledger::of(&new.received());
    assert_eq!((book.distinct, book.receipts, book.out_of_order), (100, 100, 0));
    assert_eq!((book.count("user-0", 9), book.count("user-0", 10)), (0, 1), "only what came after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_never_enabled_holds_up_nobody() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(8, 100).many(10, 10);
    post(pintle.gateway(), &events[..50], 50).await.unwrap();
    pintle.wait_delivered("orders", 50).await;
    // There is a log behind it now, of which it never had anything to take.
    pintle.apply(&workspace.webhook("later", &receiver.url("/later")).state("later", "disabled")).await;
    post(pintle.gateway(), &events[50..], 50).await.unwrap();
    pintle.wait_delivered("orders", 100).await;
    pintle.stop();
    pintle.restart().await;
    assert_eq!(pintle.wait_delivered_at_start("orders").await, 100, "its cursors were written");
    assert_eq!(pintle.delivered_at_start("later"), None, "it has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_code_takes_effect_without_a_gap_in_the_flow() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), MARK[0]);
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(7, 100).many(10, 60);
    let gateway = pintle.gateway();
    let (first, rest) = events.split_at(100);
    post(gateway, first, 50).await.unwrap();
    let rest = rest.to_vec();
    let posting = tokio::spawn(async move { post(gateway, &rest[..400], 5).await });
    pintle.apply(&workspace.code("orders", MARK[1])).await;
    posting.await.unwrap().unwrap();
    // The old version may finish what it has begun; what comes after it was replaced is the new one's.
    receiver.wait_until("500 receipts", |received| received.len() >= 500).await;
    post(pintle.gateway(), &events[500..], 50).await.unwrap();

    pintle.wait_delivered("orders", 600).await;
    let received = receiver.received();
    Ledger::of(&received).assert_each_once_in_order("orders", 10, 60);
    let versions: Vec<i64> = received.iter().map(|one| one.json()["properties"]["version"].as_i64().unwrap()).collect();
    assert_eq!(versions[0], 1);
    assert!(versions.is_sorted(), "the old version after the new one: {versions:?}");
    assert!(versions[500..].iter().all(|version| *version == 2), "{versions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_file_keeps_the_last_good_revision_and_says_where_it_is_wrong() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let revision = pintle.status().await["catalog"]["revision"].clone();

    pintle
        .write_workspace("sources:\n  site:\n    write-key: k\ndestinations:\n  orders:\n    plugin: no-such-plugin\n");
    let status = pintle.wait_until("the error", |status| status["catalog"]["last_error"].is_string()).await;
    let error = status["catalog"]["last_error"].as_str().unwrap();
    assert!(error.contains("no-such-plugin") && error.contains("6:"), "line and column: {error}");
    assert_eq!(status["catalog"]["revision"], revision);
    let shown = pintle.cli(&["status"]).await;
    assert!(shown.out.contains("no-such-plugin"), "{shown:?}");
    post(pintle.gateway(), &Events::new(8, 0).many(5, 2), 10).await.unwrap();
    pintle.wait_delivered("orders", 10).await;

    pintle.write_workspace(&workspace.text());
    pintle.wait_until("the error to go", |status| status["catalog"]["last_error"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_destination_filters_its_backlog_and_a_paused_one_keeps_it() {
    let (off, waiting) = (Receiver::start().await, Receiver::start().await);
    off.refuse().await;
    let running = Workspace::new().webhook("off", &off.url("/")).webhook("waiting", &waiting.url("/"));
    let workspace = running.clone().state("waiting", "paused");
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &Events::new(9, 0).many(10, 10), 50).await.unwrap();
    pintle.wait_until("the backlog", |status| destination(status, "off")["lag_events"] == 100).await;

    pintle.apply(&workspace.state("off", "disabled")).await;
    let status = pintle
        .wait_until("an empty backlog", |status| {
            let off = destination(status, "off");
            off["filtered"] == 100 && off["lag_events"] == 0
        })
        .await;
    assert_eq!(destination(&status, "waiting")["lag_events"], 100);
    off.accept_again();

    pintle.apply(&running).await;
    pintle.wait_delivered("waiting", 100).await;
    Ledger::of(&waiting.received()).assert_each_once_in_order("waiting", 10, 10);
    post(pintle.gateway(), &[Events::new(9, 0).track("later", 0)], 1).await.unwrap();
    pintle.wait_delivered("off", 1).await;
    assert_eq!(off.count(), 1, "the old backlog came back");
}
