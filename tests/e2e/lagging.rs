//! A destination that is now faster and now slower than the events come.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;
use std::time::Duration;

const USERS: usize = 20;
const BURSTS: usize = 20;
/// Events of each user in a burst.
const BURST: usize = 15;
/// Less than a burst: the destination reads now from memory, now from the table.
const TAIL_BYTES_MAX: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_falls_behind_and_catches_up_gets_every_event_once_and_in_order() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(200).after(Duration::from_millis(2)));
    let options = Options::new(&Workspace::new().webhook("orders", &receiver.url("/")))
        .set("store", "tail-bytes-max", TAIL_BYTES_MAX)
        .set("router", "waiting-events-max", 20)
        .set("router", "concurrency-max", 4);
    let pintle = Pintle::start(options).await;
    let events = Events::new(14, 600).many(USERS, BURSTS * BURST);

    for burst in events.chunks(USERS * BURST) {
        post(pintle.gateway(), burst, 10).await.unwrap();
        // Not to the end: the next burst meets a reader that is about to change over.
        pintle.wait_until("most of it", |status| destination(status, "orders")["lag_events"].as_u64() < Some(40)).await;
    }

    let status = pintle.wait_delivered("orders", (USERS * BURSTS * BURST) as u64).await;
    Ledger::of(&receiver.received()).assert_each_once_in_order("orders", USERS, BURSTS * BURST);
    assert_eq!(status["log"]["accepted"], USERS * BURSTS * BURST);
}
