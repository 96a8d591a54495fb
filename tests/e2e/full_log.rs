//! A log that is full, because one destination is dead.

use pintle_tests::events::{Events, post_on};
use pintle_tests::http::Connection;
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;

const LOG_BYTES_MAX: u64 = 64 << 20;
const USERS: usize = 20;
/// Large events fill the log quickly.
const EVENT_BYTES: usize = 32 << 10;
/// More than the log can hold.
const EVENTS_EACH_MAX: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_refuses_until_the_dead_destination_is_back_and_loses_nothing() {
    let (healthy, dead) = (Receiver::start().await, Receiver::start().await);
    dead.refuse().await;
    let workspace = Workspace::new().webhook("healthy", &healthy.url("/")).webhook("dead", &dead.url("/"));
    let pintle = Pintle::start(Options::new(&workspace).set("store", "log-bytes-max", LOG_BYTES_MAX)).await;

    // Each request has events of one user only: they share a lane, and are accepted or refused together.
    let mut events = Events::new(2, EVENT_BYTES);
    let mut connection = Connection::open(pintle.gateway()).await.unwrap();
    let mut acknowledged = [0; USERS];
    let refused = 'full: {
        for turn in 0..USERS * EVENTS_EACH_MAX / 10 {
            let user = turn % USERS;
            let name = format!("user-{user}");
            let some: Vec<String> = (0..10).map(|at| events.track(&name, acknowledged[user] + at)).collect();
            let answer = post_on(&mut connection, &some).await.unwrap();
            if answer.status != 200 {
                break 'full answer;
            }
            acknowledged[user] += some.len();
        }
        panic!("the log is never full");
    };
    assert_eq!(refused.status, 503, "{refused:?}");
    let after: u64 = refused.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&after), "Retry-After: {after}");
    let accepted = acknowledged.iter().sum::<usize>() as u64;

    let status = pintle.wait_delivered("healthy", accepted).await;
    assert_eq!(destination(&status, "dead")["lag_events"], accepted);
    assert_eq!(status["log"]["accepting"], false, "{:#}", status["log"]);
    assert!(status["log"]["refusal"].as_str().unwrap().contains("log-bytes-max"), "{:#}", status["log"]);

    dead.accept_again();
    let status = pintle.wait_delivered("dead", accepted).await;
    assert_eq!(destination(&status, "dead")["dead_letters"], 0);
    pintle.wait_until("events to be accepted again", |status| status["log"]["accepting"] == true).await;
    // A refusal closes its connection: the body was never read.
    let mut connection = Connection::open(pintle.gateway()).await.unwrap();
    let more = [events.track("user-0", acknowledged[0])];
    assert_eq!(post_on(&mut connection, &more).await.unwrap().status, 200);
    acknowledged[0] += 1;

    for (id, receiver) in [("healthy", &healthy), ("dead", &dead)] {
        pintle.wait_delivered(id, accepted + 1).await;
        let book = Ledger::of(&receiver.received());
        for (user, events) in acknowledged.iter().enumerate() {
            let missing: Vec<usize> = (0..*events).filter(|n| book.count(&format!("user-{user}"), *n) == 0).collect();
            assert!(missing.is_empty(), "{id}: user-{user}'s events are missing: {missing:?}");
        }
        assert_eq!((book.distinct, book.receipts, book.out_of_order), (accepted + 1, accepted + 1, 0), "{id}");
    }
}
