//! Events that are kept as objects: each of them exactly once, whatever happens meanwhile.

use pintle_tests::events::{Events, post};
use pintle_tests::folder::Folder;
use pintle_tests::ledger::{Book, Ledger};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::s3::{Hold, Object, S3, objects_in};
use pintle_tests::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeMap;

const BUCKET: &str = "events";

/// Objects are written as soon as there is anything for them.
fn options(workspace: &Workspace) -> Options {
    Options::new(workspace).set("objects", "range-time-max", 0.2)
}

fn kept(s3: &S3) -> Workspace {
    Workspace::new().destination("lake", "s3", s3.config(BUCKET))
}

fn book(objects: &BTreeMap<String, Object>) -> Book {
    let ledger = Ledger::new();
    let mut in_order: Vec<&Object> = objects.values().collect();
    in_order.sort_by_key(|object| object.written);
    for line in in_order.into_iter().flat_map(|object| &object.lines) {
        ledger.note(line.as_bytes());
    }
    ledger.book()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_kept_once_in_order_in_the_folders_that_rudderstack_has() {
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let mut config = s3.config(BUCKET);
    config["prefix"] = "eu/prod/".into();
    let workspace = Workspace::new().destination("lake", "s3", config);
    let pintle = Pintle::start(options(&workspace).set("objects", "range-events-max", 100)).await;
    post(pintle.gateway(), &Events::new(70, 0).many(5, 100), 50).await.unwrap();
    let status = pintle.wait_delivered("lake", 500).await;
    let lake = destination(&status, "lake");
    assert_eq!((&lake["dead_letters"], &lake["breaker"]), (&json!(0), &json!("closed")), "{lake:#}");

    let objects = s3.objects(BUCKET);
    book(&objects).assert_each_once_in_order("lake", 5, 100);
    assert!(objects.len() >= 5, "a range has at most a hundred events: {:?}", objects.keys());
    for (name, object) in &objects {
        let parts: Vec<&str> = name.split('/').collect();
        let [_, _, _, source, date, file] = parts[..] else { panic!("{name}") };
        assert!(name.starts_with("eu/prod/rudder-logs/"), "{name}");
        assert_eq!((source, date.len(), date.matches('-').count()), ("site", 10, 2), "{name}");
        let file: Vec<&str> = file.split('.').collect();
        let [second, source, place, "json", "gz"] = file[..] else { panic!("{name}") };
        assert!(second.parse::<u64>().is_ok_and(|second| second > 1_700_000_000), "{name}");
        assert_eq!((source, place.split('-').count()), ("site", 3), "{name}");
        assert!(object.lines.len() <= 100, "{name}: {}", object.lines.len());
    }
    let event = &objects.values().next().unwrap().json()[0];
    assert_eq!(
        (&event["event"], &event["channel"]),
        (&json!("Counted"), &json!("server")),
        "the whole event: {event:#}"
    );
    let metrics = pintle.metrics().await;
    let written = format!("pintle_objects_written_total{{destination=\"lake\"}} {}", objects.len());
    assert!(metrics.contains(&written), "{written}");
    assert!(metrics.contains("pintle_objects_records_total{destination=\"lake\"} 500"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_machine_takes_the_place_of_a_server() {
    let folder = Folder::new("lake");
    let endpoint = format!("file://{}", folder.path().display());
    let workspace = Workspace::new().destination("lake", "s3", json!({"bucketName": BUCKET, "endpoint": endpoint}));
    let mut pintle = Pintle::start(options(&workspace)).await;
    post(pintle.gateway(), &Events::new(71, 0).many(3, 10), 10).await.unwrap();
    let status = pintle.wait_until("a refusal", |status| destination(status, "lake")["last_error"].is_object()).await;
    let said = destination(&status, "lake")["last_error"]["message"].as_str().unwrap();
    assert!(said.contains("local-folders"), "what nobody has opened is closed: {said}");
    assert_eq!(destination(&status, "lake")["delivered"], 0);

    pintle.stop();
    pintle.set_options(options(&workspace).set("objects", "local-folders", json!([folder.path()])));
    pintle.restart().await;
    pintle.wait_delivered("lake", 30).await;
    book(&objects_in(&folder.path().join(BUCKET))).assert_each_once_in_order("lake", 3, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_two_steps_it_writes_the_same_objects_again_and_no_others() {
    for (seed, point) in (72..).zip(["objects:after-plan=1", "objects:after-upload=1", "objects:before-settle=1"]) {
        let s3 = S3::start().await;
        s3.make_bucket(BUCKET);
        // An object for each user: some are there when the process ends, others are not.
        let mut config = s3.config(BUCKET);
        config["prefix"] = "{{ event.userId || \"none\" }}".into();
        let workspace = Workspace::new().destination("lake", "s3", config);
        let mut pintle = Pintle::start(options(&workspace)).await;
        pintle.stop();
        pintle.restart_armed(point).await;
        post(pintle.gateway(), &Events::new(seed, 0).many(4, 25), 100).await.unwrap();
        pintle.die().await;
        let before = s3.objects(BUCKET);
        pintle.restart().await;
        pintle.wait_delivered("lake", 100).await;
        let after = s3.objects(BUCKET);
        book(&after).assert_each_once_in_order(point, 4, 25);
        for (name, object) in before {
            assert_eq!(after[&name].lines, object.lines, "{point}: {name} is the same object");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_an_upload_it_keeps_each_event_once() {
    for (seed, hold) in [(76, Hold::Body), (77, Hold::Answer)] {
        let s3 = S3::start().await;
        s3.make_bucket(BUCKET);
        let mut pintle = Pintle::start(options(&kept(&s3))).await;
        s3.hold(hold);
        // Of one user: one chunk, and so one range.
        post(pintle.gateway(), &Events::new(seed, 2_000).many(1, 100), 100).await.unwrap();
        s3.wait_held().await;
        let status = pintle.status().await;
        assert_eq!(destination(&status, "lake")["delivered"], 0, "{hold:?}: nothing counts before it is there");
        pintle.kill();
        assert_eq!(s3.objects(BUCKET).len(), usize::from(hold == Hold::Answer), "{hold:?}");
        s3.pass();
        pintle.restart().await;
        pintle.wait_delivered("lake", 100).await;
        let objects = s3.objects(BUCKET);
        book(&objects).assert_each_once_in_order("lake", 1, 100);
        if hold == Hold::Answer {
            let puts = s3.puts();
            assert_eq!(puts.first(), puts.last(), "the one that was there is replaced");
            assert_eq!(objects.len(), 1, "and none is added");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_credentials_hold_the_range_and_say_so_until_they_are_mended() {
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let mut wrong = s3.config(BUCKET);
    wrong["accessKey"] = "not-the-secret".into();
    let mut pintle = Pintle::start(options(&Workspace::new().destination("lake", "s3", wrong))).await;
    post(pintle.gateway(), &Events::new(78, 0).many(4, 10), 40).await.unwrap();
    let refused = pintle.wait_until("a refusal", |status| {
        let lake = destination(status, "lake");
        lake["breaker"] == "open" && lake["last_error"].is_object()
    });
    let status = refused.await;
    let lake = destination(&status, "lake");
    let said = lake["last_error"]["message"].as_str().unwrap();
    assert!(said.contains("refuses the credentials") && said.contains("SignatureDoesNotMatch"), "{said}");
    assert!(!said.contains("not-the-secret"), "{said}");
    assert_eq!((&lake["delivered"], &lake["dead_letters"]), (&json!(0), &json!(0)), "{lake:#}");

    // A restart forgets nothing either.
    pintle.stop();
    pintle.restart().await;
    pintle.apply(&kept(&s3)).await;
    let status = pintle.wait_delivered("lake", 40).await;
    assert_eq!(destination(&status, "lake")["breaker"], "closed");
    book(&s3.objects(BUCKET)).assert_each_once_in_order("lake", 4, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_named_and_not_made_and_waited_for() {
    let s3 = S3::start().await;
    let pintle = Pintle::start(options(&kept(&s3))).await;
    post(pintle.gateway(), &Events::new(79, 0).many(4, 10), 40).await.unwrap();
    let status = pintle.wait_until("a refusal", |status| destination(status, "lake")["breaker"] == "open").await;
    let lake = destination(&status, "lake");
    let said = lake["last_error"]["message"].as_str().unwrap();
    assert!(said.contains("the bucket \"events\" is not there") && said.contains("NoSuchBucket"), "{said}");
    assert_eq!((&lake["delivered"], &lake["dead_letters"]), (&json!(0), &json!(0)), "{lake:#}");
    assert!(!s3.has_bucket(BUCKET) && s3.puts().is_empty(), "this server would have made one");

    s3.make_bucket(BUCKET);
    let status = pintle.wait_delivered("lake", 40).await;
    assert_eq!(destination(&status, "lake")["breaker"], "closed", "it goes on by itself");
    book(&s3.objects(BUCKET)).assert_each_once_in_order("lake", 4, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repetition_does_not_make_again_is_emptied() {
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let below = |prefix: &str| {
        let mut config = s3.config(BUCKET);
        config["prefix"] = prefix.into();
        Workspace::new().destination("lake", "s3", config)
    };
    let mut pintle = Pintle::start(options(&below("before"))).await;
    pintle.stop();
    pintle.restart_armed("objects:after-upload=1").await;
    post(pintle.gateway(), &Events::new(80, 0).many(2, 10), 20).await.unwrap();
    pintle.die().await;
    assert_eq!(s3.objects(BUCKET).len(), 1);
    pintle.write_workspace(&below("after").text());
    pintle.restart().await;
    pintle.wait_delivered("lake", 20).await;
    let objects = s3.objects(BUCKET);
    book(&objects).assert_each_once_in_order("lake", 2, 10);
    let empty: Vec<&String> =
        objects.iter().filter(|(_, object)| object.lines.is_empty()).map(|(name, _)| name).collect();
    assert!(empty.len() == 1 && empty[0].starts_with("before/"), "{:?}", objects.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_is_a_dead_letter_and_a_mended_one_an_object() {
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let broken = "export function transformEvent(event) {\n  if (event.properties.n === 3) throw new Error('three');\n  return event;\n}";
    let mended = "export function transformEvent(event) { return event; }";
    let workspace = |code: &str| {
        Workspace::new().transformed("lake", "http://x", code).destination_of("lake", "s3", s3.config(BUCKET))
    };
    let pintle = Pintle::start(options(&workspace(broken))).await;
    post(pintle.gateway(), &Events::new(81, 0).many(2, 10), 20).await.unwrap();
    let status = pintle.wait_delivered("lake", 18).await;
    assert_eq!(destination(&status, "lake")["dead_letters"], 2);
    assert_eq!(book(&s3.objects(BUCKET)).distinct, 18);

    let letters = pintle.cli(&["dead-letters", "list", "--destination", "lake", "--json"]).await.json();
    let id = letters["dead_letters"][0]["id"].as_str().unwrap();
    let folder = Folder::new("edited");
    let file = folder.path().join("event.json");
    std::fs::write(&file, Events::new(81, 0).track("user-0", 4)).unwrap();
    let run = pintle.cli(&["dead-letters", "dry-run", id, "--message", file.to_str().unwrap(), "--json"]).await;
    let shown = run.json()["results"][0]["requests"][0]["request"].as_str().unwrap_or_default().to_owned();
    assert!(shown.starts_with("PUT events/rudder-logs/site/") && shown.contains(r#""n":4"#), "{run:?}");
    assert_eq!(book(&s3.objects(BUCKET)).distinct, 18, "a dry run writes nothing");

    pintle.apply(&workspace(mended)).await;
    // The old code may be in service for a moment more: then they fail again, and stay.
    let mut queued = 0;
    for _ in 0..1_000 {
        let said = pintle.cli(&["dead-letters", "retry", "--destination", "lake", "--json"]).await;
        queued += said.json()["queued"].as_u64().unwrap();
        if queued == 2 {
            break;
        }
    }
    assert_eq!(queued, 2);
    let status = pintle.wait_delivered("lake", 20).await;
    assert_eq!(destination(&status, "lake")["dead_letters"], 0);
    let book = book(&s3.objects(BUCKET));
    assert_eq!((book.distinct, book.receipts), (20, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_destination_writes_what_came_meanwhile_once_and_a_disabled_one_filters_it() {
    let s3 = S3::start().await;
    s3.make_bucket(BUCKET);
    let pintle = Pintle::start(options(&kept(&s3))).await;
    post(pintle.gateway(), &Events::new(82, 0).many(2, 10), 20).await.unwrap();
    pintle.wait_delivered("lake", 20).await;
    pintle.apply(&kept(&s3).state("lake", "paused")).await;
    post(pintle.gateway(), &Events::new(83, 0).after(10).many(2, 10), 20).await.unwrap();
    pintle.wait_until("the backlog", |status| destination(status, "lake")["lag_events"] == 20).await;
    pintle.apply(&kept(&s3)).await;
    pintle.wait_delivered("lake", 40).await;
    book(&s3.objects(BUCKET)).assert_each_once_in_order("lake", 2, 20);

    // What was held back by a missing bucket is filtered with the rest, once nobody wants it any more.
    let moved = Workspace::new().destination("lake", "s3", s3.config("elsewhere"));
    pintle.apply(&moved).await;
    post(pintle.gateway(), &Events::new(84, 0).after(20).many(2, 10), 20).await.unwrap();
    pintle.wait_until("a refusal", |status| destination(status, "lake")["breaker"] == "open").await;
    pintle.apply(&moved.state("lake", "disabled")).await;
    let filtered = pintle.wait_until("the end", |status| destination(status, "lake")["filtered"] == 20).await;
    let lake = destination(&filtered, "lake");
    assert_eq!((&lake["delivered"], &lake["dead_letters"]), (&json!(40), &json!(0)), "{lake:#}");
    assert!(!s3.has_bucket("elsewhere"), "it was not made");
}
