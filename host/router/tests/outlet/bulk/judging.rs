//! Answers with a word for each event.

use super::{Taken, assert_keys_differ, busy, events, narrow, sizes};
use crate::setup::{Plugin, SECRET, World, quick, until};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use serde_json::json;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_destination_wants_again_comes_again_and_its_key_waits_for_it() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, Config { concurrency_max: NonZeroUsize::new(3).unwrap(), ..quick() }).await;
    let tries: Mutex<HashMap<u64, u32>> = Mutex::default();
    let taken = Taken::one_by_one(&world, move |_, n| {
        let mut tries = tries.lock().unwrap();
        let tries = tries.entry(n).or_default();
        *tries += 1;
        // Every fifth event is taken the second time only, in three ways.
        match (n % 15, *tries) {
            (0, 1) => 500,
            (5, 1) => 429,
            (10, 1) => 401,
            _ => 200,
        }
    });
    world.send(&outlet, 40, 0..400).await;
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..400);
    assert_keys_differ(&world);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (401, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_event_is_a_dead_letter_with_its_own_request_and_its_neighbours_are_delivered() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 50, 0..50).await;
    world.receiver.answer_by(|received| {
        let status = |(_, n): &(u64, u64)| json!({ "status": if *n == 17 { 422 } else { 200 }, "hint": SECRET });
        let results: Vec<_> = events(received).iter().map(status).collect();
        Answer::status(207).body(json!({ "results": results }).to_string())
    });
    world.receiver.release();
    outlet.clone().close(Duration::from_secs(30)).await;
    assert_eq!(sizes(&world), [1, 50]);
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.position.idx, letter.attempts), (17, 1));
    assert_eq!(letter.reason, "the event was refused with 422");
    let (request, response) = (letter.request.as_ref().unwrap(), letter.response.as_ref().unwrap());
    assert!(request.starts_with(&format!("POST {}\n", world.receiver.url("/bulk"))), "{request}");
    assert!(request.contains("\"messageId\":\"m17\"") && !request.contains("\"m16\""), "{request}");
    assert!(response.starts_with("HTTP 207\n") && response.contains("422"), "{response}");
    assert!(!request.contains(SECRET) && !response.contains(SECRET) && request.contains("***"));
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead), (50, 1));
    let status = outlet.status();
    assert_eq!((status.delivered_total, status.dead_total), (50, 1));
    assert_eq!(status.last_error.unwrap().0, "the event was refused with 422");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_never_taken_parks_with_its_key_alone() {
    let world = World::of(Plugin::Bulk).await;
    let fails = Arc::new(AtomicBool::new(true));
    let flag = fails.clone();
    let taken =
        Taken::one_by_one(&world, move |key, _| if key == 0 && flag.load(Ordering::SeqCst) { 500 } else { 200 });
    let outlet = world.outlet(narrow()).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "ten parked events", |status| status.parked == 10 && status.waiting == 0).await;
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.parked), (90, 10));
    assert_eq!(outlet.status().breaker, None);
    fails.store(false, Ordering::SeqCst);
    until(&outlet, "all of them", |status| status.delivered_total == 100).await;
    taken.assert_all_in_order(0..100);
    assert_eq!(world.tracker.books().parked, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_keeps_the_order_may_want_the_rest_of_a_request_again() {
    let world = World::of(Plugin::BulkInOrder).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 2, 0..90).await;
    // It takes the first twenty of a request, and wants the others again.
    let taken = Taken::default();
    let noted = taken.clone();
    world.receiver.answer_by(move |received| {
        let events = events(received);
        let results: Vec<_> =
            (0..events.len()).map(|at| json!({ "status": if at < 20 { 200 } else { 503 } })).collect();
        noted.0.lock().unwrap().extend(events.into_iter().take(20));
        Answer::status(200).body(json!({ "results": results }).to_string())
    });
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..90);
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (91, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_number_of_verdicts_is_no_delivery() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 10, 0..10).await;
    let seven = json!({ "results": vec![json!({ "status": 200 }); 7] }).to_string();
    let answer = seven.clone();
    world.receiver.answer_by(move |received| {
        let status = if events(received).contains(&(7, 7)) { 200 } else { 400 };
        Answer::status(status).body(answer.clone())
    });
    // The destination is in trouble first: then they come again, in halves.
    world.receiver.next([Answer::status(503).body(seven)]);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 10, "none of them is known to have arrived");
    let why = "and the plugin could not judge it: ";
    for letter in &letters {
        assert!(letter.reason.contains(why) && letter.reason.contains("7 verdicts for"), "{}", letter.reason);
    }
    // How many were with the seventh when it got through depends on who was ready again first.
    let (taken, refused): (Vec<_>, Vec<_>) = letters.iter().partition(|letter| letter.reason.contains("answered 200"));
    let of = format!("7 verdicts for {} event", taken.len());
    assert!(taken.iter().any(|letter| letter.position.idx == 7), "after a success none is sent again: {letters:?}");
    assert!(taken.iter().all(|letter| letter.reason.contains(&of)), "{letters:?}");
    assert!(refused.iter().all(|letter| letter.reason.contains("answered 400")), "{letters:?}");
    assert_eq!(world.tracker.books().dead, 10);
}
