//! The end of an outlet.

use crate::setup::{World, assert_all_in_order, quick, until};
use pintle_router::{Closed, Config};
use pintle_tests::receiver::Answer;
use std::num::NonZeroUsize;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_settled_in_time_is_dropped_and_comes_again_from_the_log() {
    let world = World::new().await;
    world.receiver.next([Answer::status(200), Answer::status(200)]);
    world.receiver.answer_by(|_| Answer::hang());
    world.receiver.next([Answer::status(200), Answer::status(200)]);
    let outlet = world
        .outlet(Config {
            attempt_timeout: Duration::from_secs(3600),
            first_byte_timeout: Duration::from_secs(3600),
            ..quick()
        })
        .await;
    world.send(&outlet, 1, 0..10).await;
    world.receiver.wait_for(3).await;
    outlet.clone().close(Duration::from_millis(50)).await;
    assert_eq!(outlet.send(world.delivery(1, 50).await).await, Err(Closed));
    let books = world.tracker.books();
    assert_eq!((books.delivered, books.dead, books.parked), (2, 0, 0));
    assert_eq!(outlet.status().waiting, 0, "what was dropped has given its room back");

    world.receiver.always(Answer::status(200));
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 2..10).await;
    outlet.close(Duration::from_secs(30)).await;
    assert_eq!(world.tracker.books().delivered, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_that_wait_for_room_or_for_the_breaker_are_told() {
    let world = World::new().await;
    world.receiver.always(Answer::status(500));
    let config = Config { waiting_events_max: NonZeroUsize::new(6).unwrap(), ..quick() };
    let outlet = world.outlet(config).await;
    let mut refused = false;
    let sending = async {
        for idx in 0..100 {
            if outlet.send(world.delivery(u64::from(idx), idx).await).await.is_err() {
                refused = true;
                return;
            }
        }
    };
    let closing = async {
        until(&outlet, "an open breaker", |status| status.breaker.is_some()).await;
        outlet.clone().close(Duration::ZERO).await;
    };
    tokio::join!(sending, closing);
    assert!(refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outlet_without_handles_stops() {
    let world = World::new().await;
    world.receiver.always(Answer::hang());
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 0..5).await;
    world.receiver.wait_for(1).await;
    drop(outlet);
    world.receiver.always(Answer::status(200));
    let outlet = world.outlet(quick()).await;
    world.send(&outlet, 1, 5..10).await;
    outlet.close(Duration::from_secs(30)).await;
    assert_all_in_order(&world.receiver, 5..10);
}
