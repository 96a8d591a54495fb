//! What people write transformations for: a sample, sums of a batch, personal data masked.

use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::Workspace;
use serde_json::Value;
use std::collections::BTreeMap;

const USERS: usize = 20;
const EACH: usize = 50;
const EVENTS: u64 = (USERS * EACH) as u64;

const SAMPLE: &str = "export function transformEvent(event) {
  return Math.random() < 0.1 ? event : undefined;
}";

const SUMS: &str = "export function transformBatch(events) {
  const sums = new Map();
  for (const event of events) {
    const sum = sums.get(event.userId);
    if (sum) { sum.properties.total += event.properties.n; sum.properties.count++; }
    else sums.set(event.userId, { ...event, event: 'Summed', properties: { total: event.properties.n, count: 1 } });
  }
  return [...sums.values()];
}";

const MASK: &str = "export function transformEvent(event) {
  const masked = (text) => text.slice(0, 1) + '*'.repeat(text.length - 1);
  event.userId = masked(event.userId);
  event.properties.user = masked(event.properties.user);
  event.messageId = event.messageId.replace(/.*\\//, '');
  delete event.request_ip;
  return event;
}";

/// What a receiver has got once the destination has nothing left to do.
async fn settled(pintle: &Pintle, id: &str, receiver: &Receiver) -> Vec<Value> {
    let status = pintle
        .wait_until(&format!("{id} has settled all"), |status| {
            let state = destination(status, id);
            let settled = state["delivered"].as_u64().unwrap_or(0) + state["filtered"].as_u64().unwrap_or(0);
            settled == EVENTS && state["lag_events"] == 0
        })
        .await;
    assert_eq!(destination(&status, id)["dead_letters"], 0, "{status:#}");
    receiver.received().iter().map(pintle_tests::receiver::Received::json).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_sums_and_a_mask_each_do_what_they_say() {
    let [sample, sums, mask] = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    let workspace = Workspace::new()
        .transformed("sample", &sample.url("/"), SAMPLE)
        .transformed("sums", &sums.url("/"), SUMS)
        .transformed("mask", &mask.url("/"), MASK);
    let pintle = Pintle::start(Options::new(&workspace)).await;
    post(pintle.gateway(), &Events::new(11, 50).many(USERS, EACH), 100).await.unwrap();

    // A tenth of 1,000, give or take more than five standard deviations.
    let sampled = settled(&pintle, "sample", &sample).await;
    assert!((50..=150).contains(&sampled.len()), "{} of {EVENTS}", sampled.len());

    // However the log was cut into batches, the sums add up, for each user and in all.
    let mut totals: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for sum in settled(&pintle, "sums", &sums).await {
        let properties = &sum["properties"];
        let total = totals.entry(sum["userId"].as_str().unwrap().to_owned()).or_default();
        total.0 += properties["total"].as_u64().unwrap();
        total.1 += properties["count"].as_u64().unwrap();
    }
    let each = EACH as u64;
    assert_eq!(totals.len(), USERS);
    assert!(totals.values().all(|total| *total == (each * (each - 1) / 2, each)), "{totals:?}");

    let masked = settled(&pintle, "mask", &mask).await;
    assert_eq!(masked.len() as u64, EVENTS);
    for body in mask.accepted() {
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(!text.contains("user-") && !text.contains("192.0.2.1"), "{text}");
    }
}
