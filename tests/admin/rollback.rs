//! Revisions under load: no batch ever sees two of them.

use crate::setup::{connected, publish, revision};
use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::Value;
use std::collections::BTreeMap;

/// Marks every event with its version and with the first event of its batch.
fn batch(name: &str, version: u32) -> String {
    format!(
        "export function transformBatch(events) {{
           const batch = events[0].messageId;
           return events.map((event) => {{
             event.properties.{name} = {{version: {version}, batch}};
             return event;
           }});
         }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_forth_under_load_never_mixes_revisions_in_a_batch() {
    const ROUNDS: usize = 6;
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "a", &batch("a", 1)).await;
    publish(&pintle, "b", &batch("b", 1)).await;
    connected(&pintle, &receiver, &["a", "b"]).await;
    let first = revision(&pintle).await;
    publish(&pintle, "a", &batch("a", 2)).await;
    publish(&pintle, "b", &batch("b", 2)).await;
    let second = revision(&pintle).await;

    let events = Events::new(20, 100).many(20, 10 * ROUNDS);
    for (round, part) in events.chunks(200).enumerate() {
        let to = if round % 2 == 0 { first } else { second };
        let path = format!("/admin/v1/revisions/{to}/rollback");
        // The rollback meets the events on their way.
        let (posted, done) = tokio::join!(post(pintle.gateway(), part, 10), pintle.make("POST", &path, &Value::Null));
        posted.unwrap();
        assert_eq!(done["changes"].as_array().unwrap().len(), 2, "{done:#}");
    }
    pintle.wait_delivered("orders", 1_200).await;

    let received = receiver.received();
    Ledger::of(&received).assert_each_once_in_order("orders", 20, 10 * ROUNDS);
    let mut batches: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut versions = [0; 3];
    for one in &received {
        let properties = &one.json()["properties"];
        let version = properties["a"]["version"].as_i64().unwrap();
        assert_eq!(properties["b"]["version"], version, "one event, two revisions: {properties:#}");
        versions[version as usize] += 1;
        for name in ["a", "b"] {
            let batch = format!("{name} {}", properties[name]["batch"].as_str().unwrap());
            batches.entry(batch).or_default().push(version);
        }
    }
    for (batch, versions) in &batches {
        assert!(versions.iter().all(|version| *version == versions[0]), "batch {batch}: {versions:?}");
    }
    assert!(versions[1] > 0 && versions[2] > 0, "both revisions were in force: {versions:?}");

    let (status, diff) =
        pintle.call("GET", &format!("/admin/v1/revisions/{second}/diff?from={first}"), &Value::Null).await;
    assert_eq!((status, diff["lines"].as_array().unwrap().len()), (200, 2), "{diff:#}");
    let old = pintle.make("GET", &format!("/admin/v1/revisions/{first}"), &Value::Null).await;
    assert_eq!(old["catalog"]["transformations"]["a"]["live"]["number"], 1, "{old:#}");
    assert_eq!(pintle.call("GET", "/admin/v1/revisions/99999", &Value::Null).await.0, 404);
}
