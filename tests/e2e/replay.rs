//! `pintle replay`: events of the past go to one destination again.

use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Books, Options, Pintle};
use pintle_tests::receiver::{Answer, Received, Receiver};
use pintle_tests::s3::S3;
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const USERS: usize = 4;
const EACH: usize = 10;
const EVENTS: usize = USERS * EACH;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

/// Starts a replay, and gives its id.
async fn start(pintle: &Pintle, arguments: &[&str]) -> String {
    let said = pintle.cli(&[&["replay", "start", "--json"], arguments].concat()).await;
    assert_eq!(said.code, 0, "{said:?}");
    said.json()["id"].as_str().unwrap().to_owned()
}

/// Waits until a replay is as `enough` says.
async fn wait(pintle: &Pintle, id: &str, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = pintle.admin(&format!("/admin/v1/replays/{id}")).await;
        let view: Option<Value> =
            answer.ok().filter(|a| a.status == 200).map(|a| serde_json::from_str(&a.text).unwrap());
        match view {
            Some(view) if enough(&view) => return view,
            view => assert!(Instant::now() < until, "waited for {what}; the replay: {view:#?}"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn wait_ended(pintle: &Pintle, id: &str) -> Value {
    wait(pintle, id, "the end of the replay", |view| view["state"] == "ended").await
}

fn replayed(received: &[Received], id: &str) -> Vec<Received> {
    received.iter().filter(|one| one.headers.get("pintle-replay").is_some_and(|of| of == id)).cloned().collect()
}

/// What each user's events were numbered, in the order of their first receipts.
fn assert_each_in_order(received: &[Received], users: usize, each: usize) {
    for user in 0..users {
        let user = format!("user-{user}");
        let mut numbers: Vec<u64> = Vec::new();
        for event in received.iter().map(Received::json).filter(|event| event["userId"] == *user) {
            let n = event["properties"]["n"].as_u64().unwrap();
            if !numbers.contains(&n) {
                numbers.push(n);
            }
        }
        assert_eq!(numbers, (0..each as u64).collect::<Vec<_>>(), "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_still_has_goes_to_one_destination_again() {
    let (orders, others) = (Receiver::start().await, Receiver::start().await);
    let workspace = Workspace::new().webhook("orders", &orders.url("/")).webhook("others", &others.url("/"));
    let mut pintle = Pintle::start(Options::new(&workspace)).await;
    let events = Events::new(60, 100).many(USERS, EACH);
    post(pintle.gateway(), &events, 10).await.unwrap();
    // Copies: they were not delivered, and are not sent again.
    post(pintle.gateway(), &events[..5], 5).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;
    pintle.wait_delivered("others", EVENTS as u64).await;

    let counted = pintle.cli(&["replay", "start", "--destination", "orders", "--dry-run"]).await;
    assert_eq!(counted.code, 0, "{counted:?}");
    for part in ["40 events would be sent", "track from site", "5  copies of earlier events"] {
        assert!(counted.out.contains(part), "{part}: {}", counted.out);
    }
    assert_eq!(orders.count(), EVENTS, "a dry run sends nothing");

    let id = start(&pintle, &["--destination", "orders", "--reason", "they lost it"]).await;
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!((&ended["delivered"], &ended["filtered"], &ended["pending"]), (&json!(40), &json!(5), &json!(0)));
    let got = replayed(&orders.received(), &id);
    assert_eq!((got.len(), orders.count(), others.count()), (EVENTS, 2 * EVENTS, EVENTS));
    assert_each_in_order(&got, USERS, EACH);
    // Byte for byte as the first time.
    let mut bodies: Vec<_> = got.iter().map(|one| one.body.clone()).collect();
    let mut first: Vec<_> = orders
        .received()
        .iter()
        .filter(|one| !one.headers.contains_key("pintle-replay"))
        .map(|one| one.body.clone())
        .collect();
    bodies.sort();
    first.sort();
    assert_eq!(bodies, first);
    // Books of its own, and the destination's are as they were.
    let own = pintle.books(&format!("$replay-{id}")).await.unwrap();
    assert_eq!((own.accepted, own.delivered, own.duplicates, own.pending), (45, 40, 5, 0), "{own:?}");
    let live = pintle.books("orders").await.unwrap();
    assert_eq!((live.accepted, live.delivered), (45, 40), "{live:?}");

    // One that was connected later gets what came before.
    let late = Receiver::start().await;
    pintle.apply(&workspace.webhook("late", &late.url("/"))).await;
    let id = start(&pintle, &["--destination", "late"]).await;
    wait_ended(&pintle, &id).await;
    assert_each_in_order(&replayed(&late.received(), &id), USERS, EACH);
    assert_eq!(late.count(), EVENTS);

    let list = pintle.cli(&["replay", "list"]).await;
    assert!(list.out.contains("late") && list.out.contains("ended") && list.out.contains("the log"), "{list:?}");
    let shown = pintle.cli(&["replay", "show", "1"]).await;
    assert!(shown.out.contains("replay 1 to orders: ended") && shown.out.contains("40 delivered"), "{shown:?}");
    let audit = pintle.cli(&["audit"]).await;
    assert!(audit.out.contains("replay.start") && audit.out.contains("they lost it"), "{audit:?}");
    assert_eq!(pintle.cli(&["ledger"]).await.code, 0);

    for (arguments, part) in [
        (&["--destination", "nobody"][..], "no destination \"nobody\""),
        (&["--destination", "orders", "--until", "2020-01-01"], "the log has nothing"),
        (
            &["--destination", "orders", "--since", "2026-01-02", "--until", "2026-01-01"],
            "the time of the replay is empty",
        ),
        (&["--destination", "orders", "--from-archive", "site"], "no archive"),
    ] {
        let refused = pintle.cli(&[&["replay", "start"], arguments].concat()).await;
        assert!(refused.code != 0 && refused.err.contains(part), "{part}: {refused:?}");
    }
    assert_ne!(pintle.cli(&["replay", "show", "99"]).await.code, 0);
    assert_ne!(pintle.cli(&["replay", "cancel", "1"]).await.code, 0, "it is over");
    pintle.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_after_a_crash_where_it_was_and_live_traffic_goes_on_beside_it() {
    let orders = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &orders.url("/"));
    // Events of a user go one after the other: a share of one attempt at a time is slow enough to be met half-way.
    let options = Options::new(&workspace)
        .set("processor", "replay-share", 0.02)
        .set("processor", "replays-max", 1)
        .set("processor", "replay-count-time-max", 0);
    let mut pintle = Pintle::start(options).await;
    post(pintle.gateway(), &Events::new(61, 100).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;

    // The replay's requests wait after the tenth.
    orders.answer_by(|one| match one.headers.contains_key("pintle-replay") && one.json()["properties"]["n"] == 3 {
        true => Answer::status(200).held(),
        false => Answer::status(200),
    });
    let id = start(&pintle, &["--destination", "orders"]).await;
    orders
        .wait_until("a replayed one that is held", |received| {
            received.iter().any(|one| one.headers.contains_key("pintle-replay") && one.json()["properties"]["n"] == 3)
        })
        .await;
    let another = pintle.cli(&["replay", "start", "--destination", "orders"]).await;
    assert!(another.code != 0 && another.err.contains("(replays-max)"), "{another:?}");
    let counted = pintle.cli(&["replay", "start", "--destination", "orders", "--dry-run"]).await;
    assert!(counted.code == 0 && counted.out.contains("replay-count-time-max"), "{counted:?}");
    post(pintle.gateway(), &Events::new(62, 100).after(EACH).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("orders", 2 * EVENTS as u64).await;
    pintle.kill();
    orders.always(Answer::status(200));
    pintle.restart().await;
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!((&ended["delivered"], &ended["pending"]), (&json!(EVENTS), &json!(0)), "not what came after its start");
    assert_each_in_order(&replayed(&orders.received(), &id), USERS, EACH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_of_a_replay_that_is_over_can_be_tried_again() {
    let orders = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &orders.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &Events::new(63, 100).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;
    let is_bad = |one: &Received| one.json()["messageId"] == "user-1/4";
    orders.answer_by(move |one| if is_bad(one) { Answer::status(400) } else { Answer::status(200) });
    let id = start(&pintle, &["--destination", "orders"]).await;
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!((&ended["delivered"], &ended["dead"]), (&json!(EVENTS - 1), &json!(1)), "{ended:#}");
    let reader = format!("$replay-{id}");
    let letters = pintle.cli(&["dead-letters", "list", "--destination", &reader, "--json"]).await.json();
    let letter = letters["dead_letters"][0]["id"].as_str().unwrap().to_owned();
    let dry = pintle.cli(&["dead-letters", "dry-run", &letter]).await;
    assert!(dry.code == 0 && dry.out.contains("user-1/4"), "{dry:?}");

    // Paused, nothing can be tried.
    pintle.apply(&workspace.clone().state("orders", "paused")).await;
    let refused = pintle.cli(&["dead-letters", "retry", &letter]).await;
    assert!(refused.code != 0 && refused.err.contains("\"orders\" does not deliver now"), "{refused:?}");
    pintle.apply(&workspace).await;
    orders.always(Answer::status(200));
    let retried = pintle.cli(&["dead-letters", "retry", &letter]).await;
    assert_eq!(retried.code, 0, "{retried:?}");
    let is_over = |view: &Value| view["state"] == "ended" && view["delivered"] == EVENTS;
    let ended = wait(&pintle, &id, "the retried one", is_over).await;
    assert_eq!((&ended["dead"], &ended["parked"]), (&json!(0), &json!(0)), "{ended:#}");
    assert_eq!(replayed(&orders.received(), &id).len(), EVENTS + 1);
    let whole = |books: &Books| (books.accepted, books.delivered) == (EVENTS as i64, EVENTS as i64);
    assert!(whole(&pintle.books(&reader).await.unwrap()) && whole(&pintle.books("orders").await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_replay_holds_nothing_back_and_loses_nothing_that_it_had_begun() {
    let orders = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &orders.url("/"));
    let options = Options::new(&workspace).set("router", "retry-base", 0.05).set("router", "memory-retry-time", 0.2);
    let pintle = Pintle::start(options).await;
    post(pintle.gateway(), &Events::new(64, 100).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;
    // One user's events fail for now, and park; the others get through.
    orders.answer_by(|one| match one.headers.contains_key("pintle-replay") && one.json()["userId"] == "user-2" {
        true => Answer::status(503),
        false => Answer::status(200),
    });
    let id = start(&pintle, &["--destination", "orders"]).await;
    wait(&pintle, &id, "parked events", |view| view["parked"].as_i64() > Some(0) && view["delivered"] == EVENTS - EACH)
        .await;
    let cancelled = pintle.cli(&["replay", "cancel", &id, "--reason", "enough"]).await;
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    let over = |view: &Value| view["state"] == "cancelled" && view["ended_ms"].is_i64();
    let view = wait(&pintle, &id, "its end", over).await;
    assert_eq!((&view["parked"], &view["pending"], &view["delivered"]), (&json!(0), &json!(0), &json!(EVENTS - EACH)));
    let reader = format!("$replay-{id}");
    let letters = pintle.cli(&["dead-letters", "list", "--destination", &reader, "--json"]).await.json();
    let letters = letters["dead_letters"].as_array().unwrap().clone();
    assert_eq!(json!(letters.len()), view["dead"], "{letters:#?}");
    assert!(
        letters.iter().all(|one| one["reason"].as_str().unwrap().contains("the replay was cancelled")),
        "{letters:#?}"
    );
    assert_ne!(pintle.cli(&["replay", "cancel", &id]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_keeps_what_a_replay_has_still_to_read_and_no_more() {
    let orders = Receiver::start().await;
    let workspace = Workspace::new().webhook("orders", &orders.url("/"));
    let options = || Options::new(&workspace).set("processor", "replay-share", 0.02);
    let mut pintle = Pintle::start(options()).await;
    post(pintle.gateway(), &Events::new(67, 100).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("orders", EVENTS as u64).await;
    let is_late =
        |one: &Received| one.headers.contains_key("pintle-replay") && one.json()["properties"]["n"].as_u64() >= Some(3);
    orders.answer_by(move |one| if is_late(one) { Answer::status(200).held() } else { Answer::status(200) });
    let id = start(&pintle, &["--destination", "orders"]).await;
    orders.wait_until("one that is held", move |received| received.iter().any(is_late)).await;

    // From here on nothing is kept for replays that nobody asked for, and segments are short.
    pintle.stop();
    pintle.set_options(options().set("store", "replay-window", 0).set("store", "segment-age-max", 0.1));
    pintle.restart().await;
    let segments = |status: &Value| status["log"]["segments"].as_u64().unwrap();
    for round in 0.. {
        assert!(round < 100, "the replay does not hold back the log: {:#}", pintle.status().await["log"]);
        let some = Events::new(68, 100).after(EACH + round).many(USERS, 1);
        post(pintle.gateway(), &some, USERS).await.unwrap();
        let all = (EVENTS + USERS * (round + 1)) as u64;
        if segments(&pintle.wait_delivered("orders", all).await) >= 4 {
            break;
        }
    }
    orders.always(Answer::status(200));
    orders.release();
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!((&ended["delivered"], &ended["dead"]), (&json!(EVENTS), &json!(0)), "{ended:#}");
    assert_each_in_order(&replayed(&orders.received(), &id), USERS, EACH);
    pintle.wait_until("the log to let go", |status| segments(status) <= 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_archive_has_goes_to_a_destination_also_after_a_crash() {
    const BUCKET: &str = "raw";
    let (s3, orders) = (S3::start().await, Receiver::start().await);
    s3.make_bucket(BUCKET);
    let workspace = Workspace::new().webhook("orders", &orders.url("/"));
    let config = s3.config(BUCKET);
    let options = Options::new(&workspace)
        .set("processor", "replay-share", 0.02)
        .set("objects", "range-time-max", 0.2)
        .set("archive", "bucket", BUCKET)
        .set("archive", "endpoint", s3.endpoint())
        .set("archive", "prefix", "backup")
        .set("archive", "access-key-id", config["accessKeyID"].clone())
        .set("archive", "secret-access-key", config["accessKey"].clone());
    let mut pintle = Pintle::start(options).await;
    let events = Events::new(65, 100).many(USERS, EACH);
    for some in events.chunks(EVENTS / 2) {
        post(pintle.gateway(), some, 10).await.unwrap();
        pintle.wait_delivered("$archive", if some[0] == events[0] { EVENTS as u64 / 2 } else { EVENTS as u64 }).await;
    }
    assert!(s3.objects(BUCKET).len() > 1, "more than one object");
    pintle.wait_delivered("orders", EVENTS as u64).await;

    let archived = ["--destination", "orders", "--from-archive", "site"];
    let counted = pintle.cli(&[&["replay", "start", "--dry-run"], &archived[..]].concat()).await;
    assert!(counted.code == 0 && counted.out.contains("40 events would be sent"), "{counted:?}");
    orders.answer_by(|one| match one.headers.contains_key("pintle-replay") && one.json()["properties"]["n"] == 3 {
        true => Answer::status(200).held(),
        false => Answer::status(200),
    });
    let id = start(&pintle, &archived).await;
    let is_held = |one: &Received| one.headers.contains_key("pintle-replay") && one.json()["properties"]["n"] == 3;
    orders.wait_until("one that is held", |received| received.iter().any(is_held)).await;
    let view = wait(&pintle, &id, "its place", |view| view["delivered"].as_i64() > Some(0)).await;
    assert_eq!((&view["archive"], view["objects"]["all"].as_u64() > Some(1)), (&json!("site"), true), "{view:#}");
    pintle.kill();
    orders.always(Answer::status(200));
    pintle.restart().await;
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!((&ended["delivered"], &ended["dead"]), (&json!(EVENTS), &json!(0)), "{ended:#}");
    assert_eq!(ended["objects"]["done"], ended["objects"]["all"]);
    let got = replayed(&orders.received(), &id);
    assert_each_in_order(&got, USERS, EACH);
    // What comes out of the archive is what went in: the same requests but for their order.
    let bodies = |received: &[Received]| -> std::collections::BTreeSet<bytes::Bytes> {
        received.iter().map(|one| one.body.clone()).collect()
    };
    let live: Vec<Received> =
        orders.received().into_iter().filter(|one| !one.headers.contains_key("pintle-replay")).collect();
    assert_eq!(bodies(&got), bodies(&live));

    for (folder, part) in
        [("../raw", "must not lead out"), ("elsewhere", "the archive has no events of that time in \"elsewhere\"")]
    {
        let refused = pintle.cli(&["replay", "start", "--destination", "orders", "--from-archive", folder]).await;
        assert!(refused.code != 0 && refused.err.contains(part), "{part}: {refused:?}");
    }
    assert_eq!(pintle.cli(&["ledger"]).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_writes_objects_gets_them_again_as_objects() {
    const BUCKET: &str = "lake";
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let workspace = Workspace::new().destination("lake", "s3", s3.config(BUCKET));
    let pintle = Pintle::start(Options::new(&workspace).set("objects", "range-time-max", 0.2)).await;
    post(pintle.gateway(), &Events::new(66, 100).many(USERS, EACH), 10).await.unwrap();
    pintle.wait_delivered("lake", EVENTS as u64).await;
    let before = s3.objects(BUCKET);
    let id = start(&pintle, &["--destination", "lake"]).await;
    let ended = wait_ended(&pintle, &id).await;
    assert_eq!(ended["delivered"], EVENTS, "{ended:#}");
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for (name, object) in s3.objects(BUCKET) {
        if before.contains_key(&name) { &mut first } else { &mut again }.extend(object.lines);
    }
    first.sort();
    again.sort();
    assert_eq!((first.len(), first), (EVENTS, again), "the same lines in objects of their own");
}
