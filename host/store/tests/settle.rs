//! Parked events and dead letters on a real Postgres: many at once, in few statements, each with its own fate.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod cluster;

use cluster::Cluster;
use pintle_events::Position;
use pintle_store::lease::Lease;
use pintle_store::log::Groups;
use pintle_store::plans::Plan;
use pintle_store::settle::{Fate, Parked, Settlement, Ticket};
use pintle_store::{Config, Store, dead_letters};
use tokio_util::sync::CancellationToken;

/// More than one statement takes.
const EVENTS: u32 = 2_500;

fn parked(idx: u32) -> Parked {
    Parked {
        position: Position { lane: 1, seq: 1, idx },
        output: 0,
        key_hash: u64::MAX - u64::from(idx),
        source_id: "site".into(),
        message_id: format!("m-{idx}\0"),
        event_type: "track".into(),
        connection_id: "site-d".into(),
        attempt: 1,
        next_at_ms: i64::from(idx),
        last_error: "503".into(),
        requests_done: 0,
        payload: format!("{{\"message\":{idx}}}").into(),
        first_failed_at_ms: 7,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_parked_events_are_written_changed_and_buried_together() {
    let cluster = Cluster::start().await;
    // Opening it makes the tables.
    let store = Store::open(cluster.options(), Config::default()).await.unwrap();
    cluster.add_destination("d").await;
    let lease = Lease::acquire(&store, true).await.unwrap();
    let (settlement, flusher) = Settlement::new(store.clone(), lease);
    let stop = CancellationToken::new();
    let flusher = tokio::spawn(flusher.run(stop.clone()));
    let tracker = settlement.tracker("d").await.unwrap();
    tracker.begin(1, 1, &Groups::untold(EVENTS)).await.unwrap();

    for idx in 0..EVENTS {
        let ticket = Ticket::new(tracker.clone(), vec![parked(idx).position], vec![0]);
        ticket.settle(0, Fate::Parked(parked(idx)));
    }
    settlement.flush().await;
    let stored = settlement.parked("d").await.unwrap();
    assert_eq!(stored.len(), EVENTS as usize);
    for (idx, row) in (0..).zip(&stored) {
        let expected = Parked { message_id: format!("m-{idx}\u{fffd}"), ..parked(idx) };
        assert_eq!(format!("{row:?}"), format!("{expected:?}"));
    }

    for row in &stored {
        for attempt in [2, 3] {
            tracker.reschedule(&Parked { attempt, last_error: format!("try {attempt}"), ..row.clone() });
        }
    }
    settlement.flush().await;
    let stored = settlement.parked("d").await.unwrap();
    assert_eq!(stored.len(), EVENTS as usize);
    assert!(stored.iter().all(|row| (row.attempt, row.last_error.as_str()) == (3, "try 3")), "the latest stands");

    for row in &stored {
        let fate = if row.position.idx % 2 == 0 { Fate::Dead(row.dead("gone\0")) } else { Fate::Delivered };
        tracker.unpark(row, fate);
    }
    settlement.flush().await;
    assert!(settlement.parked("d").await.unwrap().is_empty());
    let mut letters = dead_letters::list(&store, &dead_letters::Filter::default(), 2 * EVENTS).await.unwrap();
    letters.sort_by_key(|stored| stored.letter.position);
    assert_eq!(letters.len() as u32, EVENTS / 2);
    for (idx, stored) in (0..EVENTS).step_by(2).zip(&letters) {
        let expected = parked(idx);
        let letter = &stored.letter;
        assert_eq!((letter.position, letter.key_hash), (expected.position, expected.key_hash));
        assert_eq!((letter.reason.as_str(), letter.attempts), ("gone\u{fffd}", 3));
        assert_eq!(letter.payload, expected.payload);
        assert_eq!((&letter.error, &letter.request, &letter.response), (&None, &None, &None));
    }

    let payloads = ["{\"a\":1}".into(), "{\"b\":2}".into()];
    let ids = dead_letters::replace(&store, &letters[0], &payloads).await.unwrap();
    assert_eq!(ids.len(), 2);
    for (id, (output, payload)) in ids.iter().zip((0..).zip(&payloads)) {
        let stored = dead_letters::get(&store, *id).await.unwrap().unwrap();
        assert_eq!((stored.letter.output, &stored.letter.payload), (output, payload));
    }
    let dead = tracker.books().dead;
    for (id, output) in ids.into_iter().zip(0..) {
        let claim = tracker.claim(id).unwrap();
        assert!(tracker.claim(id).is_none(), "one at a time");
        let stored = dead_letters::get(&store, id).await.unwrap().unwrap();
        let others_dead = dead_letters::has_others(&store, &stored).await.unwrap();
        assert_eq!(others_dead, output == 0, "the first one's other output is still a dead letter");
        let revived = tracker.revive(&claim, &stored, others_dead, 9);
        assert_eq!((revived.output, revived.attempt, revived.next_at_ms), (output, 0, 9));
        settlement.flush().await;
        assert!(dead_letters::get(&store, id).await.unwrap().is_none());
    }
    assert_eq!((tracker.books().dead, tracker.books().parked), (dead - 1, 1), "they are outputs of one event");
    for parked in settlement.parked("d").await.unwrap() {
        tracker.unpark(&parked, Fate::Delivered);
    }
    assert_eq!((tracker.books().dead, tracker.books().parked), (dead - 1, 0));

    stop.cancel();
    flusher.await.unwrap().unwrap();
    store.close().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_stored_replaced_and_read_and_a_late_owner_stores_none() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Config::default()).await.unwrap();
    let lease = Lease::acquire(&store, true).await.unwrap();
    let (settlement, _flusher) = Settlement::new(store.clone(), lease);
    assert_eq!(settlement.plan("lake").await.unwrap(), None);
    let plan = Plan {
        revision: 3,
        now_ms: 5,
        seed: u64::MAX,
        range: [(1, (3, 9)), (2, (1, 4))].into(),
        objects: [("events".to_owned(), "a/b.json.gz".to_owned())].into(),
        uploaded: false,
    };
    settlement.store_plan("lake", &plan).await.unwrap();
    settlement.plan_uploaded("lake").await.unwrap();
    assert_eq!(settlement.plan("lake").await.unwrap(), Some(Plan { uploaded: true, ..plan.clone() }));
    let next = Plan { range: [(2, (5, 5))].into(), objects: [].into(), ..plan.clone() };
    settlement.store_plan("lake", &next).await.unwrap();
    assert_eq!(settlement.plan("lake").await.unwrap(), Some(next));

    let _taken_over = Lease::acquire(&store, true).await.unwrap();
    assert!(matches!(settlement.store_plan("lake", &plan).await, Err(pintle_store::Error::Fenced)));
    assert!(matches!(settlement.plan_uploaded("lake").await, Err(pintle_store::Error::Fenced)));
    cluster.stop().await;
}
