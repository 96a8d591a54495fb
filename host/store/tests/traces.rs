//! Traces on a real Postgres: what is switched on, what is written of it, and the bounds of both.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod cluster;

use cluster::Cluster;
use pintle_events::Position;
use pintle_store::traces::switches::{self, Refused, Wanted};
use pintle_store::traces::{Config, Kind, Seen, Step, Tracer, steps};
use pintle_store::{Store, audit};
use serde_json::json;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn wanted(source: &str, events_max: u64) -> Wanted {
    let source = Some(source.to_owned());
    Wanted { source, events_max, time: Duration::from_secs(60), note: "why not".to_owned(), ..Wanted::default() }
}

fn seen(seq: i64) -> Seen<'static> {
    Seen {
        position: Position { lane: 1, seq, idx: 0 },
        source_id: "site",
        connection_id: "site-d",
        message_id: "m\0",
        event_type: "track",
        user_id: "ann",
        anonymous_id: "",
        received_at_ms: 7,
    }
}

fn step(seq: i64, text: &str) -> Step {
    Step {
        at_ms: pintle_events::times::now_ms(),
        position: seen(seq).position,
        source_id: "site".to_owned(),
        message_id: "m\0".to_owned(),
        destination_id: "d".to_owned(),
        connection_id: "site-d".to_owned(),
        kind: Kind::Attempt,
        body: json!({"request": text}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_on_is_followed_and_written_and_a_restart_goes_on_with_it() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Default::default()).await.unwrap();
    let config = Config { switches_max: NonZeroU32::new(2).unwrap(), ..Config::default() };
    let (tracer, writer) = Tracer::new(&store, config.clone());
    tracer.load(&store).await.unwrap();
    assert!(!tracer.is_active());
    let made = tracer.add(&store, wanted("site", 2), "ada").await.unwrap();
    tracer.add(&store, wanted("other", 5), "ada").await.unwrap();
    let refused = tracer.add(&store, wanted("third", 5), "ada").await.unwrap_err();
    assert!(matches!(refused, Refused::TooMany { max: 2 }), "{refused}");

    assert!(tracer.sees(&seen(1)) && tracer.sees(&seen(2)) && !tracer.sees(&seen(3)));
    tracer.record(step(1, "one"));
    let stop = CancellationToken::new();
    stop.cancel();
    // What waits when it is told to stop is written.
    writer.run(stop).await;
    let stored = steps::of(&store, "m\0", None, 100).await.unwrap();
    let kinds: Vec<&str> = stored.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["accepted", "accepted", "attempt"]);
    assert_eq!((stored[0].position, &stored[2].body), (seen(1).position, &json!({"request": "one"})));
    assert!(steps::of(&store, "m\0", Some("other"), 100).await.unwrap().is_empty());

    // A process that begins anew knows whom it follows, and that the first switch has had its events.
    let (again, _writer) = Tracer::new(&store, config);
    again.load(&store).await.unwrap();
    assert!(again.follows(seen(2).position, "site-d") && !again.sees(&seen(4)));
    let listed = switches::list(&store, None, 10).await.unwrap();
    let taken: Vec<(i64, u64)> = listed.iter().map(|switch| (switch.id, switch.events_taken)).collect();
    assert_eq!(taken[1], (made.id, 2), "{listed:?}");
    assert_eq!(again.end(&store, made.id, "bob").await.unwrap(), None, "it has ended by itself");
    let ended = again.end(&store, taken[0].0, "bob").await.unwrap().unwrap();
    assert!(ended.off_at_ms.is_some());
    // Its place is free again.
    again.add(&store, wanted("third", 5), "ada").await.unwrap();
    let actions = audit::list(&store, None, 10).await.unwrap();
    let actions: Vec<(&str, &str)> = actions.iter().map(|one| (one.action.as_str(), one.author.as_str())).collect();
    assert_eq!(actions, [("trace.on", "ada"), ("trace.off", "bob"), ("trace.on", "ada"), ("trace.on", "ada")]);
    drop(store);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_learns_of_a_switch() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Default::default()).await.unwrap();
    let (here, _) = Tracer::new(&store, Config::default());
    let (there, _writer) = Tracer::new(&store, Config::default());
    let stop = CancellationToken::new();
    let followed = tokio::spawn(there.clone().follow(store.clone(), stop.clone()));
    let made = here.add(&store, wanted("site", 5), "ada").await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    while !there.is_active() {
        assert!(tokio::time::Instant::now() < until, "it never learns of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(there.taken(), [(made.id, 0)]);
    stop.cancel();
    followed.await.unwrap();
    drop(store);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_are_old_or_too_many_or_too_large_go() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Default::default()).await.unwrap();
    let (tracer, writer) = Tracer::new(&store, Config::default());
    tracer.add(&store, wanted("site", 50), "ada").await.unwrap();
    assert!(tracer.sees(&seen(1)));
    for number in 0..9 {
        tracer.record(step(1, &format!("{number}{}", "x".repeat(1_000))));
    }
    tracer.record(Step { at_ms: 5, ..step(1, "old") });
    let stop = CancellationToken::new();
    stop.cancel();
    writer.run(stop).await;
    let count = async || steps::of(&store, "m\0", None, 100).await.unwrap().len();
    let (week, all) = (Duration::from_secs(7 * 24 * 3600), u64::MAX);
    assert_eq!(count().await, 11);
    assert_eq!(steps::drop_older(&store, week, all, all).await.unwrap(), 1, "by age");
    assert_eq!(steps::drop_older(&store, week, 8, all).await.unwrap(), 2, "by number");
    assert_eq!(steps::drop_older(&store, week, all, 5_500).await.unwrap(), 3, "by bytes");
    let left = steps::of(&store, "m\0", None, 100).await.unwrap();
    assert!(left[0].body["request"].as_str().unwrap().starts_with('4'), "the newest stay: {left:?}");
    drop(store);
    cluster.stop().await;
}
