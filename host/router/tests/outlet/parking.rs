//! Events that fail while others of their destination get through.

use crate::setup::{World, assert_all_in_order, number, quick, until};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Key 0 fails while the flag is up.
fn key_0_fails(world: &World) -> Arc<AtomicBool> {
    let fails = Arc::new(AtomicBool::new(true));
    let flag = fails.clone();
    world.receiver.answer_by(move |received| {
        Answer::status(if number(received).0 == 0 && flag.load(Ordering::SeqCst) { 500 } else { 200 })
    });
    fails
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_keeps_failing_parks_and_its_key_queues_behind_it() {
    let world = World::new().await;
    let fails = key_0_fails(&world);
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "ten parked events", |status| status.parked == 10 && status.waiting == 0).await;
    // What comes for a stuck key parks at once, behind the others.
    outlet.send(world.delivery(0, 100).await).await.unwrap();
    until(&outlet, "one more", |status| status.parked == 11 && status.waiting == 0).await;
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.parked), (90, 11));
    world.settlement.flush().await;
    let rows = world.settlement.parked("d").await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.position.idx).collect::<Vec<_>>(),
        [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    );
    assert!(rows[0].attempt >= 3 && rows[0].first_failed_at_ms > 0);
    assert_eq!(rows[0].last_error, "the destination answered 500");
    assert!(rows[1..].iter().all(|row| row.attempt == 0));
    fails.store(false, Ordering::SeqCst);
    until(&outlet, "all of them", |status| status.delivered_total == 101).await;
    assert_all_in_order(&world.receiver, 0..101);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.parked), (101, 0));
    world.settlement.flush().await;
    assert!(world.settlement.parked("d").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_events_survive_a_restart_and_come_before_what_follows() {
    let world = World::new().await;
    let fails = key_0_fails(&world);
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "ten parked events", |status| status.parked == 10 && status.waiting == 0).await;
    outlet.close(Duration::from_secs(30)).await;

    let outlet = world.outlet(quick()).await;
    assert_eq!(outlet.status().parked, 10);
    world.send(&outlet, 10, 100..200).await;
    fails.store(false, Ordering::SeqCst);
    until(&outlet, "all of them", |status| status.delivered_total == 110 && status.parked == 0).await;
    assert_all_in_order(&world.receiver, 0..200);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.parked), (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_event_that_is_too_old_becomes_a_dead_letter_and_frees_its_key() {
    let world = World::new().await;
    world.receiver.answer_by(|received| Answer::status(if number(received).1 == 0 { 500 } else { 200 }));
    let config = Config { attempts_min: NonZeroU32::new(5).unwrap(), ..quick() };
    let outlet = world.outlet(Config { retry_time_window: Duration::from_millis(300), ..config }).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "its successors", |status| status.delivered_total == 99 && status.dead_total == 1).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters[0].position.idx, 0);
    assert!(letters[0].attempts >= 5, "attempts-min");
    assert!(letters[0].reason.starts_with("the destination answered 500; it has failed for longer than"));
    assert!(letters[0].request.as_ref().unwrap().contains("\"messageId\":\"m0\""));
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (99, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_no_more_may_park_the_breaker_opens_and_the_rest_stays_in_memory() {
    let world = World::new().await;
    let fails = Arc::new(AtomicBool::new(true));
    let flag = fails.clone();
    world.receiver.answer_by(move |received| {
        Answer::status(if number(received).0 < 5 && flag.load(Ordering::SeqCst) { 500 } else { 200 })
    });
    let config = Config { parked_per_destination_max: NonZeroUsize::new(3).unwrap(), ..quick() };
    let outlet = world.outlet(config).await;
    let sending = world.send(&outlet, 50, 0..500);
    let full = until(&outlet, "a breaker that says why", |status| status.breaker == Some("parked-full"));
    let ((), full) = tokio::join!(
        async {
            let sent = tokio::time::timeout(Duration::from_secs(20), sending).await;
            assert!(sent.is_ok(), "the others get through between the probes");
        },
        async {
            let status = full.await;
            fails.store(false, Ordering::SeqCst);
            status
        }
    );
    assert!(full.parked <= 3);
    until(&outlet, "all of them", |status| status.delivered_total == 500).await;
    assert_all_in_order(&world.receiver, 0..500);
}
