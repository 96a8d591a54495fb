//! Requests that go by themselves, where the plugin wants those combined as well.

use super::{BUSY, busy, events, narrow, sizes};
use crate::setup::{Plugin, World, quick, until};
use pintle_router::{Config, Outlet};
use pintle_tests::receiver::{Answer, Received};
use std::num::NonZeroU32;
use std::time::Duration;

/// Sends events whose requests are whole only once they are combined.
async fn send(world: &World, outlet: &Outlet, events: impl Iterator<Item = (u64, u32)>) {
    for (key, idx) in events {
        outlet.send(world.delivery_with(key, idx, &[("please", "wrap")]).await).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_company_is_combined_all_the_same() {
    let world = World::of(Plugin::BulkAlone).await;
    let outlet = world.outlet(quick()).await;
    send(&world, &outlet, [(1, 0)].into_iter()).await;
    let received = world.receiver.wait_for(1).await;
    assert_eq!(events(&received[0]), [(1, 0)]);
    until(&outlet, "its end", |status| status.delivered_total == 1).await;

    let world = World::of(Plugin::Bulk).await;
    let outlet = world.outlet(quick()).await;
    send(&world, &outlet, [(1, 0)].into_iter()).await;
    let received = world.receiver.wait_for(1).await;
    assert!(received[0].json().get("events").is_none(), "only where the manifest says so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_alone_by_halves_is_combined_and_told_from_its_neighbours() {
    let world = World::of(Plugin::BulkAlone).await;
    let outlet = busy(&world, narrow()).await;
    send(&world, &outlet, (0..8).map(|idx| (u64::from(idx), idx))).await;
    world.receiver.answer_by(|received| {
        let is_bad = events(received).contains(&(3, 3));
        Answer::status(if is_bad { 400 } else { 200 })
    });
    world.receiver.release();
    outlet.close(Duration::from_secs(30)).await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.iter().map(|letter| letter.position.idx).collect::<Vec<_>>(), [3]);
    assert_eq!(world.tracker.books().delivered, 8);
    assert!(sizes(&world).contains(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_event_is_combined_when_it_comes_again() {
    let world = World::of(Plugin::BulkAlone).await;
    let tries = NonZeroU32::new(2).unwrap();
    let fails = |received: &Received| events(received).iter().any(|(key, _)| *key == BUSY);
    world.receiver.answer_by(move |received| Answer::status(if fails(received) { 500 } else { 200 }));
    let outlet = world.outlet(Config { memory_tries: tries, ..quick() }).await;
    send(&world, &outlet, [(BUSY, 0)].into_iter().chain((1..20).map(|idx| (u64::from(idx), idx)))).await;
    until(&outlet, "a parked event", |status| status.parked > 0).await;
    world.receiver.always(Answer::status(200));
    until(&outlet, "all of them", |status| status.delivered_total == 20).await;
    assert!(world.receiver.received().iter().all(|received| !events(received).is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_crashes_over_it_has_its_request_sent_as_it_is() {
    let world = World::of(Plugin::BulkAlone).await;
    let outlet = world.outlet(quick()).await;
    outlet.send(world.delivery_with(1, 0, &[("please", "crash")]).await).await.unwrap();
    let received = world.receiver.wait_for(1).await;
    assert_eq!(events(&received[0]), [(1, 0)]);
    let status = until(&outlet, "its end", |status| status.delivered_total == 1).await;
    let (error, _) = status.last_error.unwrap();
    assert!(error.starts_with("the plugin could not combine a request, it goes as it is: "), "{error}");
}
