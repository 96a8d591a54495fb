//! Requests that fail as a whole.

use super::{Taken, busy, events, narrow, sizes};
use crate::setup::{Plugin, World, quick};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_event_does_not_kill_its_neighbours() {
    for plugin in [Plugin::Bulk, Plugin::BulkInOrder] {
        let world = World::of(plugin).await;
        let outlet = busy(&world, narrow()).await;
        world.send(&outlet, 48, 0..48).await;
        let taken = Taken::as_a_whole(&world, |events| if events.contains(&(19, 19)) { 400 } else { 200 });
        world.receiver.release();
        outlet.close(Duration::from_secs(30)).await;
        let letters = world.dead_letters().await;
        assert_eq!(letters.len(), 1);
        assert_eq!((letters[0].position.idx, letters[0].reason.as_str()), (19, "the destination answered 400"));
        assert!(letters[0].request.as_ref().unwrap().contains("\"messageId\":\"m19\""));
        assert_eq!(taken.get().len(), 47);
        // 48, 24 + 24, 12 + 12, 6 + 6, 3 + 3, 2 + 1, 1 + 1, and one more where halves are not even.
        assert!(sizes(&world).len() <= 15, "{:?}", sizes(&world));
        let books = world.tracker.books();
        assert_eq!((books.delivered, books.dead, books.parked), (48, 1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_bad_events_among_the_many_of_one_key_are_found_and_the_others_keep_their_order() {
    let world = World::of(Plugin::BulkInOrder).await;
    let outlet = busy(&world, Config { concurrency_max: NonZeroUsize::new(4).unwrap(), ..quick() }).await;
    let bad = |n: u64| n % 31 == 7;
    let taken = Taken::as_a_whole(&world, move |events| if events.iter().any(|(_, n)| bad(*n)) { 422 } else { 200 });
    world.send(&outlet, 3, 0..200).await;
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let dead: Vec<_> = world.dead_letters().await.iter().map(|letter| u64::from(letter.position.idx)).collect();
    assert_eq!(dead, (0..200).filter(|n| bad(*n)).collect::<Vec<_>>());
    let mut last = [None; 3];
    for (key, n) in taken.get() {
        assert!(last[key as usize].replace(n).is_none_or(|before| before < n), "key {key}: {n}");
    }
    assert_eq!(taken.get().len() + dead.len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_takes_less_than_its_plugin_says_gets_less() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 100, 0..100).await;
    let taken = Taken::as_a_whole(&world, |events| if events.len() > 15 { 413 } else { 200 });
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..100);
    assert_eq!(world.tracker.books().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failure_as_a_whole_all_members_come_again_in_halves_and_in_order() {
    for plugin in [Plugin::Bulk, Plugin::BulkInOrder] {
        let world = World::of(plugin).await;
        let limit = Duration::from_secs(3);
        let outlet = busy(&world, Config { attempt_timeout: limit, ..narrow() }).await;
        world.send(&outlet, 25, 0..50).await;
        let taken = Taken::one_by_one(&world, |_, _| 200);
        world.receiver.next([Answer::status(500), Answer::hang(), Answer::reset()]);
        world.receiver.release();
        outlet.close(Duration::from_secs(30)).await;
        taken.assert_all_in_order(0..50);
        let first = if plugin == Plugin::Bulk { 25 } else { 50 };
        let sizes = sizes(&world);
        assert_eq!(sizes[..2], [1, first]);
        assert!(sizes[2] <= first / 2 + 1, "{sizes:?}");
        let books = world.tracker.books();
        assert_eq!((books.delivered, books.dead, books.parked), (51, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_that_breaks_the_destination_is_set_aside_alone() {
    let world = World::of(Plugin::Bulk).await;
    let taken = Taken::as_a_whole(&world, |events| if events.contains(&(3, 3)) { 500 } else { 200 });
    // It never parks, however fast the tries are: what ends it is its age.
    let config = Config { memory_tries: NonZeroU32::MAX, ..narrow() };
    let outlet = world.outlet(Config { retry_time_window: Duration::from_millis(300), ..config }).await;
    world.send(&outlet, 40, 0..400).await;
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.iter().map(|letter| letter.position.idx).collect::<Vec<_>>(), [3]);
    assert!(letters[0].reason.contains("retry-time-window"), "{}", letters[0].reason);
    assert_eq!(taken.get().len(), 399);
    assert_eq!(world.tracker.books().delivered, 399);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_refused_cost_no_event() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 50, 0..50).await;
    let refusals = AtomicUsize::new(0);
    let taken =
        Taken::as_a_whole(&world, move |_| if refusals.fetch_add(1, Ordering::SeqCst) < 14 { 401 } else { 200 });
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let dead = world.tracker.books().dead;
    assert!(dead <= 3, "those that were alone before the run was long enough: {dead}");
    assert_eq!(taken.get().len() as u64 + dead, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_makes_all_wait_together() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 50, 0..100).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.next([Answer::throttle(Some("1")), Answer::throttle(None)]);
    world.receiver.release();
    outlet.clone().close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..100);
    assert_eq!(sizes(&world), [1, 50, 50, 50, 50], "nobody is to blame");
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (101, 0, 0));
    assert_eq!(outlet.status().breaker, None);
    assert!(world.receiver.received().iter().all(|received| !events(received).is_empty()));
}
