//! Users who are put on the suppression list while their events wait here.

use crate::setup::{World, number, quick, until};
use pintle_tests::receiver::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_while_the_destination_is_down_is_not_sent_any_more() {
    let world = World::new().await;
    world.receiver.refuse().await;
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 2, 0..10).await;
    until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
    assert!(world.suppressions.add(&world.store, "user-1", "somebody", "asked for it").await.unwrap());
    world.receiver.accept_again();
    outlet.close(Duration::from_secs(30)).await;
    let got: Vec<_> = world.receiver.received().iter().map(number).collect();
    assert_eq!(got, [(0, 0), (0, 2), (0, 4), (0, 6), (0, 8)]);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.filtered), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_parked_is_not_sent_any_more_also_after_a_restart() {
    let world = World::new().await;
    let fails = Arc::new(AtomicBool::new(true));
    let flag = fails.clone();
    world.receiver.answer_by(move |received| {
        Answer::status(if number(received).0 == 0 && flag.load(Ordering::SeqCst) { 500 } else { 200 })
    });
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "ten parked events", |status| status.parked == 10 && status.waiting == 0).await;
    outlet.close(Duration::from_secs(30)).await;
    assert!(world.suppressions.add(&world.store, "user-0", "somebody", "asked for it").await.unwrap());
    fails.store(false, Ordering::SeqCst);
    let outlet = world.outlet(quick()).await;
    until(&outlet, "nothing parked", |status| status.parked == 0).await;
    outlet.close(Duration::from_secs(30)).await;
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.filtered, books.parked), (90, 10, 0));
    assert!(world.receiver.received().iter().all(|one| number(one).0 != 0 || one.status == 500));
}
