//! The destination is down, or asks for less: nothing parks, nothing is lost, everything waits in order.

use crate::setup::{World, assert_all_in_order, number, quick, until};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_keys_fail_the_breaker_opens_and_senders_wait() {
    let world = World::new().await;
    world.receiver.always(Answer::status(500));
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 20, 0..20).await;
    until(&outlet, "an open breaker", |status| status.breaker == Some("failing")).await;
    let came = world.receiver.count();
    // Probes go one by one from here on.
    world.receiver.wait_for(came + 3).await;
    // In a block of its own: closing takes the outlet, which the senders still hold until then.
    {
        let sending = async {
            world.send(&outlet, 20, 20..2_000).await;
        };
        let mut sending = std::pin::pin!(sending);
        tokio::select! {
            () = &mut sending => panic!("the breaker is open: senders wait"),
            _ = world.receiver.wait_for(came + 8) => {}
        }
        let status = outlet.status();
        assert!(status.waiting < 100 && status.parked == 0, "{status:?}");
        assert_eq!(status.last_error.unwrap().0, "the destination answered 500");
        world.receiver.always(Answer::status(200));
        sending.await;
    }
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..2_000);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (2_000, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_refuses_connections_gets_everything_in_order_afterwards() {
    let world = World::new().await;
    world.receiver.refuse().await;
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 10, 0..40).await;
    let status = until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
    assert_eq!(status.last_error.unwrap().0, "could not connect: connection refused");
    assert_eq!(status.parked, 0);
    world.receiver.accept_again();
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..40);
    assert_eq!(world.tracker.books().delivered, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn age_is_not_held_against_events_while_the_destination_is_down() {
    let world = World::new().await;
    world.receiver.always(Answer::status(503));
    let outlet = world.outlet(Config { retry_time_window: Duration::ZERO, ..quick() }).await;
    world.send(&outlet, 10, 0..10).await;
    until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
    let came = world.receiver.count();
    world.receiver.wait_for(came + 40).await;
    assert_eq!(outlet.status().dead_total, 0);
    world.receiver.always(Answer::status(200));
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_nobody_could_deliver_does_not_keep_the_others_out() {
    let world = World::new().await;
    world.receiver.answer_by(|received| Answer::status(if number(received).0 < 3 { 500 } else { 200 }));
    let outlet = world.outlet(quick()).await;
    // Alone in the outlet, all of them fail and the breaker opens.
    world.send(&outlet, 3, 0..3).await;
    until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
    for idx in 3..200 {
        outlet.send(world.delivery(u64::from(idx), idx).await).await.unwrap();
    }
    until(&outlet, "the others", |status| status.delivered_total == 197 && status.parked == 3).await;
    world.receiver.always(Answer::status(200));
    until(&outlet, "the three", |status| status.delivered_total == 200).await;
    assert_all_in_order(&world.receiver, 0..200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_makes_the_whole_destination_wait_and_parks_nothing() {
    let world = World::new().await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    world.receiver.answer_by(move |_| {
        let mut times = seen.lock().unwrap();
        times.push(Instant::now());
        if times.len() <= 2 { Answer::throttle(Some("1")) } else { Answer::status(200) }
    });
    let config = Config { concurrency_max: NonZeroUsize::new(1).unwrap(), ..quick() };
    let outlet = world.outlet(config).await;
    world.send(&outlet, 10, 0..50).await;
    let status = until(&outlet, "a throttled destination", |status| status.throttled_until_ms.is_some()).await;
    assert_eq!(status.breaker, None);
    outlet.close(Duration::from_secs(30)).await;
    let times = times.lock().unwrap();
    for pair in times[..3].windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_secs(1), "nothing is sent before Retry-After");
    }
    assert_all_in_order(&world.receiver, 0..50);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.parked), (50, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_throttled_for_ever_becomes_a_dead_letter() {
    let world = World::new().await;
    world
        .receiver
        .answer_by(|received| if number(received).1 == 0 { Answer::throttle(None) } else { Answer::status(200) });
    let outlet = world.outlet(Config { retry_time_window: Duration::from_millis(50), ..quick() }).await;
    world.send(&outlet, 1, 0..3).await;
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].attempts >= 3, "attempts-min");
    assert!(
        letters[0].reason.contains("429") && letters[0].reason.contains("retry-time-window"),
        "{}",
        letters[0].reason
    );
    assert_eq!(world.tracker.books().delivered, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_while_the_owner_is_in_doubt() {
    let world = World::new().await;
    world.allowed.send_replace(false);
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 5, 0..10).await;
    until(&outlet, "attempts that are held", |status| status.in_flight == 5).await;
    assert_eq!(world.receiver.count(), 0);
    world.allowed.send_replace(true);
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_refused_credentials_opens_the_breaker_instead_of_filling_the_dead_letters() {
    let world = World::new().await;
    let refuse = Arc::new(AtomicBool::new(true));
    let refusing = refuse.clone();
    world.receiver.answer_by(move |_| Answer::status(if refusing.load(Ordering::SeqCst) { 401 } else { 200 }));
    let config = Config { concurrency_max: NonZeroUsize::new(1).unwrap(), ..quick() };
    let outlet = world.outlet(config.clone()).await;
    world.send(&outlet, 40, 0..40).await;
    until(&outlet, "an open breaker", |status| status.breaker == Some("refused")).await;
    let came = world.receiver.count();
    world.receiver.wait_for(came + 5).await;
    refuse.store(false, Ordering::SeqCst);
    outlet.close(Duration::from_secs(30)).await;
    let books = world.tracker.books();
    assert_eq!(books.dead, u64::from(config.breaker_refusals) - 1, "those before the run was one");
    assert_eq!(books.delivered + books.dead, 40);
}
