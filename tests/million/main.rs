//! Many events to four destinations, one of which is down for the first half: all are settled, each user's in
//! order, and the books say so to the last one. Disk and memory over time are printed as CSV.
//!
//! `scripts/million` runs it with a million events and a release build; here are fewer. `PINTLE_MILLION_EVENTS`
//! says how many.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod record;

use pintle_tests::events::{Events, post_on};
use pintle_tests::http::Connection;
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;
use record::Record;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Events that are posted when nobody says how many.
const EVENTS: usize = 20_000;
/// Users, and clients that post for them: each user's events come from one client, one request after the other.
const USERS: usize = 1_000;
const CLIENTS: usize = 4;
/// Events in a request.
const REQUEST_EVENTS: usize = 100;
/// The destination that is down for the first half.
const DOWN: &str = "late";
const DESTINATIONS: [&str; 4] = ["first", "second", "third", DOWN];
/// Time per event and destination, at most, on a machine that does much else.
const PATIENCE_PER_EVENT: Duration = Duration::from_millis(4);

/// A destination, and what it got.
struct Sink {
    id: &'static str,
    receiver: Receiver,
    ledger: Arc<Ledger>,
}

impl Sink {
    async fn start(id: &'static str) -> Sink {
        let (receiver, ledger) = (Receiver::start().await, Arc::new(Ledger::new()));
        let book = ledger.clone();
        receiver.answer_by(move |one| {
            book.note(&one.body);
            Answer::status(200)
        });
        receiver.forget();
        Sink { id, receiver, ledger }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_settled_in_order_though_one_destination_is_down_for_the_first_half() {
    let asked = std::env::var("PINTLE_MILLION_EVENTS").ok().map(|text| text.parse::<usize>().expect("a number"));
    // Each user has as many, and half of them are one half.
    let each = asked.unwrap_or(EVENTS).div_ceil(2 * USERS) * 2;
    let events = each * USERS;
    let patience = Duration::from_secs(300) + PATIENCE_PER_EVENT * (events * DESTINATIONS.len()) as u32;

    let mut sinks = Vec::new();
    let mut workspace = Workspace::new();
    for id in DESTINATIONS {
        let sink = Sink::start(id).await;
        workspace = workspace.webhook(id, &sink.receiver.url("/"));
        sinks.push(sink);
    }
    let late = sinks.iter().position(|sink| sink.id == DOWN).unwrap();
    sinks[late].receiver.refuse().await;
    let pintle = Arc::new(Pintle::start(Options::new(&workspace)).await);
    let record = Record::start(pintle.clone());

    let half = (events / 2) as i64;
    post(pintle.gateway(), 0, each / 2).await;
    for sink in sinks.iter().filter(|sink| sink.id != DOWN) {
        let books = pintle
            .wait_books(patience, sink.id, "the first half", |books| books.delivered == half && books.pending == 0)
            .await;
        assert_eq!(books.accepted, half, "{}: {books:?}", sink.id);
    }
    let books = pintle.books(DOWN).await.expect("the database answers");
    assert_eq!((books.accepted, books.delivered, books.pending), (half, 0, half), "{books:?}");

    sinks[late].receiver.accept_again();
    post(pintle.gateway(), each / 2, each / 2).await;
    for sink in &sinks {
        let all = events as i64;
        let books = pintle.wait_books(patience, sink.id, "all of them", |b| b.delivered == all && b.pending == 0).await;
        assert_eq!((books.accepted, books.filtered, books.dead, books.parked), (all, 0, 0, 0), "{}", sink.id);
        let received = sink.ledger.book();
        received.assert_each_once_in_order(sink.id, USERS, each);
        assert_eq!(received.receipts, events as u64, "{}", sink.id);
    }
    record.finish().await;
}

/// Posts so many events of each user, from this one on.
async fn post(gateway: SocketAddr, first: usize, each: usize) {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            let mut events = Events::new(client as u64 + first as u64, 400);
            let mut connection = Connection::open(gateway).await.unwrap();
            for n in first..first + each {
                let users: Vec<usize> = (client..USERS).step_by(CLIENTS).collect();
                for users in users.chunks(REQUEST_EVENTS) {
                    let some: Vec<String> = users.iter().map(|user| events.track(&format!("user-{user}"), n)).collect();
                    let answer = post_on(&mut connection, &some).await.unwrap();
                    assert_eq!((answer.status, answer.text.as_str()), (200, "ok"));
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}
