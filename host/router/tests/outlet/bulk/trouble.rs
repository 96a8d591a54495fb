//! The destination is down, or the outlet ends.

use super::{Taken, busy, narrow, sizes};
use crate::setup::{Plugin, World, quick, until};
use pintle_router::Config;
use pintle_tests::receiver::Answer;
use std::num::NonZeroUsize;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_go_alone_and_afterwards_all_go_together_again() {
    let world = World::of(Plugin::Bulk).await;
    // Held until everything is inside: senders wait as soon as the breaker is open.
    world.receiver.always(Answer::status(500).held());
    let outlet = world.outlet(Config { concurrency_max: NonZeroUsize::new(4).unwrap(), ..quick() }).await;
    world.send(&outlet, 200, 0..200).await;
    world.receiver.wait_for(4).await;
    world.receiver.always(Answer::status(500));
    world.receiver.release();
    until(&outlet, "an open breaker", |status| status.breaker == Some("failing") && status.in_flight == 0).await;
    let came = world.receiver.count();
    world.receiver.wait_for(came + 4).await;
    assert_eq!(sizes(&world)[came..came + 4], [1; 4]);
    let status = outlet.status();
    assert_eq!((status.parked, status.dead_total), (0, 0));
    let taken = Taken::as_a_whole(&world, |_| 200);
    outlet.close(Duration::from_secs(30)).await;
    taken.assert_all_in_order(0..200);
    assert!(sizes(&world)[came..].iter().any(|size| *size > 5), "{:?}", sizes(&world));
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (200, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_the_process_ends_comes_again_from_the_log() {
    for plugin in [Plugin::Bulk, Plugin::BulkInOrder] {
        let world = World::of(plugin).await;
        let outlet = busy(&world, narrow()).await;
        world.send(&outlet, 20, 0..60).await;
        let first = Taken::as_a_whole(&world, |_| 200);
        // The first request arrives, and nobody hears of it.
        world.receiver.next([Answer::status(200).held()]);
        world.receiver.release();
        let received = world.receiver.wait_for(2).await;
        let unheard = super::events(&received[1]);
        assert!(unheard.len() >= 20);
        drop(outlet);
        world.settlement.flush().await;
        assert_eq!(world.tracker.books().delivered, 1, "only the first of all is settled");

        let taken = Taken::one_by_one(&world, |_, _| 200);
        let outlet = world.outlet(narrow()).await;
        world.send(&outlet, 20, 0..60).await;
        outlet.close(Duration::from_secs(30)).await;
        taken.assert_all_in_order(0..60);
        assert!(first.get().is_empty());
        assert_eq!(world.tracker.books().delivered, 61);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_events_come_before_what_follows_also_after_a_restart() {
    let world = World::of(Plugin::BulkInOrder).await;
    let taken = Taken::one_by_one(&world, |key, _| if key == 0 { 500 } else { 200 });
    let outlet = world.outlet(narrow()).await;
    world.send(&outlet, 10, 0..100).await;
    until(&outlet, "ten parked events", |status| status.parked == 10 && status.waiting == 0).await;
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(taken.get().len(), 90);

    let taken = Taken::one_by_one(&world, |_, _| 200);
    let outlet = world.outlet(narrow()).await;
    world.send(&outlet, 10, 100..200).await;
    until(&outlet, "all of them", |status| status.delivered_total == 110 && status.parked == 0).await;
    outlet.close(Duration::from_secs(30)).await;
    let of_key_0: Vec<_> = taken.get().into_iter().filter(|(key, _)| *key == 0).map(|(_, n)| n).collect();
    assert_eq!(of_key_0, (0..200).step_by(10).collect::<Vec<_>>());
    assert_eq!(taken.get().len(), 110);
}
