//! Which deliveries share a request.

use super::{FIRST, Taken, assert_keys_differ, busy, events, narrow, sizes};
use crate::setup::{Plugin, SECRET, World, quick, until};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use std::num::NonZeroUsize;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_outlet_sends_each_event_at_once_and_a_busy_one_fills_its_requests() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 110, 0..110).await;
    until(&outlet, "one request under way", |status| status.waiting == 111 && status.in_flight == 1).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(sizes(&world), [1, 50, 50, 10]);
    taken.assert_all_in_order(0..110);
    assert!(world.receiver.received().iter().all(|received| received.headers["x-token"] == SECRET));
    assert_eq!(world.tracker.books().delivered, 111);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_a_time_share_what_comes_and_keep_each_key_in_order() {
    for plugin in [Plugin::Bulk, Plugin::BulkInOrder] {
        let world = World::of(plugin).await;
        let taken = Taken::one_by_one(&world, |_, _| 200);
        let config = Config { concurrency_max: NonZeroUsize::new(8).unwrap(), ..quick() };
        let outlet = world.outlet(config).await;
        world.send(&outlet, 37, 0..3_000).await;
        outlet.close(Duration::from_secs(30)).await;
        taken.assert_all_in_order(0..3_000);
        assert!(world.receiver.most_in_flight() <= 8);
        assert_eq!(world.tracker.books().delivered, 3_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_one_event_of_a_key_where_answers_can_be_partial() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 3, 0..30).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_keys_differ(&world);
    assert_eq!(sizes(&world), [vec![1], vec![3; 10]].concat());
    taken.assert_all_in_order(0..30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_many_events_of_a_key_where_the_destination_keeps_their_order() {
    let world = World::of(Plugin::BulkInOrder).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 3, 0..120).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(sizes(&world), [1, 50, 50, 20]);
    taken.assert_all_in_order(0..120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_no_more_events_and_bytes_than_is_allowed() {
    let world = World::of(Plugin::Bulk).await;
    let limits = Config { bulk_events_max: NonZeroUsize::new(7).unwrap(), ..narrow() };
    let outlet = busy(&world, limits).await;
    world.send(&outlet, 30, 0..30).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(sizes(&world), [1, 7, 7, 7, 7, 2]);
    taken.assert_all_in_order(0..30);

    let world = World::of(Plugin::Bulk).await;
    let limits = Config { bulk_bytes_max: NonZeroUsize::new(1_000).unwrap(), ..narrow() };
    let outlet = busy(&world, limits).await;
    let large = "x".repeat(2_000);
    for idx in 0..30_u32 {
        let more: &[_] = if idx == 10 { &[("pad", large.as_str())] } else { &[] };
        outlet.send(world.delivery_with(u64::from(idx), idx, more).await).await.unwrap();
    }
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..30);
    for received in world.receiver.received() {
        let is_large = events(&received).contains(&(10, 10));
        assert!(if is_large { events(&received).len() == 1 } else { received.body.len() <= 1_000 });
    }
    let shared = sizes(&world);
    assert!(shared.len() < 10 && shared.iter().any(|size| *size > 5), "{shared:?}");

    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, Config { bulk_events_max: NonZeroUsize::MIN, ..narrow() }).await;
    world.send(&outlet, 10, 0..10).await;
    world.receiver.always(Answer::status(200));
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(sizes(&world), [1; 11], "combining can be switched off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_grew_too_large_when_it_was_combined_is_made_anew_in_halves() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    for idx in 0..40_u32 {
        let more: &[_] = if idx < 17 { &[("please", "swell")] } else { &[] };
        outlet.send(world.delivery_with(u64::from(idx), idx, more).await).await.unwrap();
    }
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..40);
    assert_eq!(sizes(&world), [1, 20, 20]);
    assert!(world.receiver.received().iter().all(|received| received.body.len() <= 16_384));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_combined_goes_by_itself_and_the_others_together() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    for idx in 0..30_u32 {
        let more: &[_] = match idx {
            3 => &[("please", "two")],
            5 => &[("please", "alone")],
            _ if idx % 2 == 1 => &[("to", "/odd")],
            _ => &[],
        };
        outlet.send(world.delivery_with(u64::from(idx), idx, more).await).await.unwrap();
    }
    world.receiver.always(Answer::status(200));
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let received = world.receiver.received();
    let mut shapes: Vec<_> =
        received[1..].iter().map(|received| (received.uri.path().to_owned(), events(received).len())).collect();
    shapes.sort();
    let shape = |path: &str, size| (path.to_owned(), size);
    let expected =
        [shape("/bulk", 1), shape("/bulk", 1), shape("/bulk", 1), shape("/bulk", 15), shape("/bulk/odd", 13)];
    assert_eq!(shapes, expected, "3 twice, 5, the even ones, the other odd ones");
    assert_eq!(world.tracker.books().delivered, 31);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_parts_the_events_of_a_key_does_not_mix_up_their_order() {
    let world = World::of(Plugin::BulkInOrder).await;
    let outlet = busy(&world, Config { concurrency_max: NonZeroUsize::new(4).unwrap(), ..quick() }).await;
    let taken = Taken::one_by_one(&world, |_, _| 200);
    for idx in 0..400_u32 {
        let more: &[_] = if (idx / 7) % 2 == 0 { &[("to", "/odd")] } else { &[] };
        outlet.send(world.delivery_with(u64::from(idx) % 7, idx, more).await).await.unwrap();
    }
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..400);
    assert_eq!(world.tracker.books().delivered, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_crashes_when_it_combines_loses_nothing() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    for idx in 0..60_u32 {
        let more: &[_] = if idx == 30 { &[("please", "crash")] } else { &[] };
        outlet.send(world.delivery_with(u64::from(idx), idx, more).await).await.unwrap();
    }
    let taken = Taken::one_by_one(&world, |_, _| 200);
    world.receiver.release();
    outlet.clone().close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..60);
    assert_eq!(sizes(&world), [vec![1; 51], vec![10]].concat(), "the first fifty one by one, the others together");
    let (error, _) = outlet.status().last_error.unwrap();
    assert!(error.starts_with("the plugin could not combine 50 requests, they go one by one: "), "{error}");
    assert_eq!(world.tracker.books().delivered, 61);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suppressed_while_it_waits_is_in_no_request() {
    let world = World::of(Plugin::Bulk).await;
    let outlet = busy(&world, narrow()).await;
    world.send(&outlet, 20, 0..40).await;
    assert!(world.suppressions.add(&world.store, "user-4", "somebody", "asked for it").await.unwrap());
    world.receiver.always(Answer::status(200));
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let got: Vec<_> = world.receiver.received().iter().flat_map(events).map(|(key, _)| key).collect();
    assert!(!got.contains(&4));
    assert_eq!(got.len(), 39);
    assert!(sizes(&world).len() <= 5, "the others still go together: {:?}", sizes(&world));
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.filtered), (39, 2));
    assert_eq!(u64::from(FIRST), events(&world.receiver.received()[0])[0].1);
}
