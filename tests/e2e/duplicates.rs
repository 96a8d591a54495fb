//! What clients send a second time.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use serde_json::Value;

/// A client that never heard the answer sends again; so does one that outlived a crash of ours. The destination
/// that was away all the time gets the same as the one that was there.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_goes_nowhere_also_across_a_crash_and_for_a_destination_that_lags() {
    let (here, away) = (Receiver::start().await, Receiver::start().await);
    away.refuse().await;
    let workspace = Workspace::new().webhook("here", &here.url("/")).webhook("away", &away.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(31, 100).many(10, 20);

    post(pintle.gateway(), &events[..100], 20).await.unwrap();
    post(pintle.gateway(), &events[..100], 7).await.unwrap();
    let filtered = |id: &'static str, count: u64| {
        move |status: &Value| destination(status, id)["filtered"].as_u64() == Some(count)
    };
    pintle.wait_until("the copies to be filtered", filtered("here", 100)).await;
    pintle.kill();
    pintle.restart().await;
    post(pintle.gateway(), &events, 50).await.unwrap();
    pintle.wait_until("the copies after the crash to be filtered", filtered("here", 200)).await;
    pintle.wait_until("the others to be delivered", |status| destination(status, "here")["lag_events"] == 0).await;
    away.accept_again();
    pintle
        .wait_until("the one that was away to catch up", |status| destination(status, "away")["lag_events"] == 0)
        .await;

    // What was delivered shortly before the crash may come again: that is not the client's doing.
    let book = Ledger::of(&here.received());
    assert!((0..200).all(|at| book.count(&format!("user-{}", at % 10), at / 10) >= 1));
    Ledger::of(&away.received()).assert_each_once_in_order("away", 10, 20);
    pintle.wait_until("the books of the one that was away", filtered("away", 200)).await;
    assert!(pintle.metrics().await.contains("pintle_duplicates_total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_id_of_two_sources_is_two_messages_and_the_window_has_an_end() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &receiver.url("/"));
    let options = Options::new(&workspace).set("store", "dedup-ids-max", 10);
    let pintle = Pintle::start(options).await;
    let events = Events::new(32, 0).many(20, 1);
    post(pintle.gateway(), &events, 5).await.unwrap();
    // Of twenty ids ten are left: the first ones begin anew.
    post(pintle.gateway(), &events[..5], 5).await.unwrap();
    pintle.wait_delivered("orders", 25).await;
    post(pintle.gateway(), &events[..5], 5).await.unwrap();
    pintle.wait_until("the copies to be filtered", |status| destination(status, "orders")["filtered"] == 5).await;
    let metrics = pintle.metrics().await;
    assert!(metrics.lines().any(|line| line.starts_with("pintle_dedup_ids_evicted_total ") && !line.ends_with(" 0")));
}
