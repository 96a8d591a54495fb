//! Raw events in an archive: each that was accepted, once.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::s3::{Hold, Object, S3};
use pintle_tests::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeMap;

const BUCKET: &str = "raw";
const ARCHIVE: &str = "$archive";

fn options(workspace: &Workspace, s3: &S3) -> Options {
    let config = s3.config(BUCKET);
    Options::new(workspace)
        .set("objects", "range-time-max", 0.2)
        .set("archive", "bucket", BUCKET)
        .set("archive", "endpoint", s3.endpoint())
        .set("archive", "prefix", "backup")
        .set("archive", "workspace", "main")
        .set("archive", "access-key-id", config["accessKeyID"].clone())
        .set("archive", "secret-access-key", "${env:ARCHIVE_SECRET}")
        .environment("ARCHIVE_SECRET", config["accessKey"].as_str().unwrap())
}

fn assert_each_once(objects: &BTreeMap<String, Object>, users: usize, each: usize) {
    let ledger = Ledger::new();
    let mut in_order: Vec<&Object> = objects.values().collect();
    in_order.sort_by_key(|object| object.written);
    in_order.into_iter().flat_map(|object| &object.lines).for_each(|line| ledger.note(line.as_bytes()));
    ledger.book().assert_each_once_in_order("the archive", users, each);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_accepted_is_archived_once_whatever_becomes_of_it() {
    let (s3, receiver) = (S3::start().await, Receiver::start().await);
    s3.make_bucket(BUCKET);
    let dropped = "export function transformEvent() {}";
    let workspace = Workspace::new().transformed("orders", &receiver.url("/"), dropped);
    let mut pintle = Pintle::start(options(&workspace, &s3)).await;
    let events = Events::new(90, 0).many(4, 10);
    post(pintle.gateway(), &events, 10).await.unwrap();
    pintle.wait_until("the drops", |status| destination(status, "orders")["filtered"] == 40).await;
    pintle.wait_delivered(ARCHIVE, 40).await;
    // Copies are no events of their own.
    post(pintle.gateway(), &events[..5], 5).await.unwrap();
    let status = pintle.wait_until("the copies", |status| destination(status, ARCHIVE)["filtered"] == 5).await;
    let archive = destination(&status, ARCHIVE);
    assert_eq!((&archive["delivered"], &archive["state"]), (&json!(40), &json!("enabled")), "{archive:#}");

    // In the middle of an upload, as for a destination.
    s3.hold(Hold::Answer);
    post(pintle.gateway(), &Events::new(91, 0).after(10).many(4, 10), 40).await.unwrap();
    s3.wait_held().await;
    pintle.kill();
    s3.pass();
    pintle.restart().await;
    pintle.wait_delivered(ARCHIVE, 80).await;
    let objects = s3.objects(BUCKET);
    assert_each_once(&objects, 4, 20);
    for line in objects.values().flat_map(|object| &object.lines) {
        let mut again = Vec::new();
        pintle_events::archived::read(line, "site", None, |event| event.write_message(&mut again)).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), *line, "what is read back is what was archived");
    }
    for name in objects.keys() {
        let parts: Vec<&str> = name.split('/').collect();
        let ["backup", "site", "gw", date, hour, "1", file] = parts[..] else { panic!("{name}") };
        assert!(date.len() == 10 && hour.parse::<u8>().is_ok_and(|hour| hour < 24), "{name}");
        let file: Vec<&str> = file.split('_').collect();
        let [first, last, "main", _] = file[..] else { panic!("{name}") };
        assert!(first.parse::<u64>().unwrap() <= last.parse().unwrap(), "{name}");
    }
    let metrics = pintle.metrics().await;
    assert!(metrics.contains(r#"pintle_objects_records_total{destination="$archive"}"#), "{metrics}");
    let said = pintle.cli(&["status"]).await;
    assert!(said.out.contains(ARCHIVE), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_segment_goes_before_it_is_archived() {
    let s3 = S3::start().await;
    let workspace = Workspace::new();
    let options = options(&workspace, &s3).set("store", "replay-window", 0).set("store", "segment-age-max", 0.2);
    let mut pintle = Pintle::start(options.clone()).await;
    post(pintle.gateway(), &Events::new(92, 0).many(4, 10), 10).await.unwrap();
    let status = pintle
        .wait_until("a refusal, and a new segment", |status| {
            destination(status, ARCHIVE)["breaker"] == "open" && status["log"]["segments"].as_u64() > Some(1)
        })
        .await;
    let said = destination(&status, ARCHIVE)["last_error"]["message"].as_str().unwrap();
    assert!(said.contains("the bucket \"raw\" is not there"), "{said}");
    pintle.stop();
    s3.make_bucket(BUCKET);
    pintle.restart().await;
    pintle.wait_delivered(ARCHIVE, 40).await;
    assert_each_once(&s3.objects(BUCKET), 4, 10);
    pintle.wait_until("the segments to go", |status| status["log"]["segments"] == 1).await;
}
