//! Deliveries that arrive, sooner or later.

use crate::setup::{World, assert_all_in_order, number, quick};
use bytes::Bytes;
use pintle_router::Config;
use pintle_runtime::destination::{Body, Method, Request};
use pintle_tests::receiver::Answer;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_of_a_key_arrive_in_order_although_some_attempts_fail() {
    let world = World::new().await;
    let failed = Mutex::new(HashSet::new());
    world.receiver.answer_by(move |received| {
        let (_, n) = number(received);
        let fails = n % 7 == 3 && failed.lock().unwrap().insert(n);
        Answer::status(if fails { 500 } else { 200 })
    });
    let outlet = world.outlet(Config { breaker_keys: NonZeroUsize::new(1_000).unwrap(), ..quick() }).await;
    world.send(&outlet, 20, 0..500).await;
    outlet.clone().close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 0..500);
    assert_eq!(world.tracker.books().delivered, 500);
    assert_eq!(outlet.status().delivered_total, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_delivery_of_a_key_is_out_at_a_time_and_no_more_than_the_concurrency_at_all() {
    let world = World::new().await;
    world.receiver.always(Answer::status(200).held());
    let outlet = world.outlet(Config { concurrency_max: NonZeroUsize::new(4).unwrap(), ..quick() }).await;
    world.send(&outlet, 1, 0..10).await;
    world.receiver.wait_for(1).await;
    for key in 1..9 {
        outlet.send(world.delivery(key, 100 + key as u32).await).await.unwrap();
    }
    world.receiver.wait_for(4).await;
    world.receiver.always(Answer::status(200));
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(world.receiver.most_in_flight(), 4);
    // One that hyper began to make is made, even if another was free before it was: there may be as many of those.
    assert!(world.receiver.connections() <= 8, "connections are used again: {}", world.receiver.connections());
    assert_eq!(world.tracker.books().delivered, 18);
    let of_key_0: Vec<_> = world.receiver.received().iter().map(number).filter(|(key, _)| *key == 0).collect();
    assert_eq!(of_key_0, (0..10).map(|n| (0, n)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_a_delivery_go_one_after_another_and_what_is_done_is_not_repeated() {
    let world = World::new().await;
    let tries = AtomicU32::new(0);
    world.receiver.answer_by(move |received| {
        let fails = received.uri.path() == "/b" && tries.fetch_add(1, Ordering::SeqCst) < 2;
        Answer::status(if fails { 503 } else { 200 })
    });
    let request = |path: &str| Request {
        method: Method::Put,
        url: world.receiver.url(path),
        query: vec![("q".to_owned(), "a b".to_owned())],
        headers: Vec::new(),
        body: Body::Form(vec![("x".to_owned(), "1&2".to_owned())]),
        gzip: false,
    };
    let requests = vec![request("/a"), request("/b"), request("/c")];
    let outlet = world.outlet(quick()).await;
    outlet.send(world.delivery_of(1, 0, Bytes::from_static(b"{}"), requests)).await.unwrap();
    outlet.close(Duration::from_secs(30)).await;
    let received = world.receiver.received();
    let paths: Vec<_> = received.iter().map(|received| received.uri.to_string()).collect();
    assert_eq!(paths, ["/a?q=a%20b", "/b?q=a%20b", "/b?q=a%20b", "/b?q=a%20b", "/c?q=a%20b"]);
    assert_eq!(&received[0].body[..], b"x=1%262");
    assert_eq!(received[0].headers["user-agent"], concat!("Pintle/", env!("CARGO_PKG_VERSION")));
    assert_eq!(world.tracker.books().delivered, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hangs_resets_and_broken_answers_are_tried_again() {
    let world = World::new().await;
    let slow = Duration::from_secs(3600);
    world.receiver.next([
        Answer::hang(),
        Answer::reset(),
        Answer::close(),
        Answer::reset_mid_body(200),
        Answer::drip(200, 10, slow),
        Answer::status(200).after(slow),
    ]);
    // Long enough for the answers that do come.
    let outlet = world.outlet(Config { attempt_timeout: Duration::from_secs(3), ..quick() }).await;
    world.send(&outlet, 1, 0..3).await;
    outlet.close(Duration::from_secs(90)).await;
    assert_eq!(world.tracker.books().delivered, 3);
    let statuses: Vec<_> = world.receiver.received().iter().map(|received| received.status).collect();
    assert_eq!(statuses, [0, 0, 0, 200, 200, 200, 200, 200, 200]);
    let numbers: Vec<_> = world.receiver.received().iter().map(|received| number(received).1).collect();
    assert_eq!(numbers, [0, 0, 0, 0, 0, 0, 0, 1, 2], "its successors wait");
}
