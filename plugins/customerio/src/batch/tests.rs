use super::*;
use crate::CustomerIo;
use pintle_plugin_sdk::{Context, Delivery, Destination, Event, Outcome};
use serde_json::{Value, json};

fn combined(events: &[Value]) -> Vec<(Value, Vec<u32>)> {
    let destination = CustomerIo::configure(&json!({"siteID": "site", "apiKey": "key", "datacenter": "EU"})).unwrap();
    let mut requests = Vec::new();
    for event in events {
        let raw = serde_json::value::to_raw_value(event).unwrap();
        let outcome = destination.transform(&Event::new(&raw, None), &Context::default()).unwrap();
        let Outcome::Deliver(deliveries) = outcome else { panic!("it was filtered") };
        requests.extend(deliveries.into_iter().map(|delivery| match delivery {
            Delivery::Request(request) => request,
            Delivery::Record(_) => panic!("it gave a record"),
        }));
    }
    let batches = destination.combine(requests).into_iter().map(|combined| {
        let Body::Json(body) = &combined.request.body else { panic!("the batch has no body") };
        assert_eq!(combined.request.url, "https://track-eu.customer.io/api/v2/batch");
        (serde_json::from_slice(body).unwrap(), combined.members)
    });
    batches.collect()
}

#[test]
fn every_kind_of_request_has_its_entry() {
    let device = json!({"device": {"token": "t/1", "type": "Android"}});
    let batches = combined(&[
        json!({"type": "identify", "userId": "u/1", "traits": {"plan": "basic"}}),
        json!({"type": "identify", "traits": {"email": "ida@example.com"}}),
        json!({"type": "track", "userId": "u1", "event": "Paid", "properties": {"sum": 1.50}, "timestamp": "2024-05-01T00:00:00Z"}),
        json!({"type": "track", "anonymousId": 7, "event": "Looked"}),
        json!({"type": "page", "userId": "u1", "name": "Prices"}),
        json!({"type": "screen", "userId": "u1", "name": "Prices"}),
        json!({"type": "track", "userId": "u1", "event": "Application Opened", "properties": {"from": "push"}, "context": device}),
        json!({"type": "track", "userId": "u1", "event": "Application Uninstalled", "context": device}),
        json!({"type": "alias", "userId": "u1", "previousId": "ida@example.com"}),
        json!({"type": "group", "userId": "u1", "groupId": "g1", "traits": {"size": 3}}),
    ]);
    let expected = json!({"batch": [
        {"type": "person", "action": "identify", "identifiers": {"id": "u/1"}, "attributes": {"plan": "basic"}},
        {"type": "person", "action": "identify", "identifiers": {"email": "ida@example.com"}, "attributes": {"email": "ida@example.com"}},
        {"type": "person", "action": "event", "identifiers": {"id": "u1"}, "name": "Paid", "attributes": {"sum": 1.5}, "timestamp": 1_714_521_600},
        {"type": "person", "action": "event", "identifiers": {"anonymous_id": 7}, "name": "Looked"},
        {"type": "person", "action": "page", "identifiers": {"id": "u1"}, "name": "Prices"},
        {"type": "person", "action": "screen", "identifiers": {"id": "u1"}, "name": "Viewed Prices Screen"},
        {"type": "person", "action": "add_device", "identifiers": {"id": "u1"},
            "device": {"token": "t/1", "platform": "android", "attributes": {"from": "push"}}},
        {"type": "person", "action": "delete_device", "identifiers": {"id": "u1"}, "device": {"token": "t/1"}},
        {"type": "person", "action": "merge", "primary": {"id": "u1"}, "secondary": {"email": "ida@example.com"}},
        {"type": "object", "action": "identify", "identifiers": {"object_id": "g1", "object_type_id": "1"},
            "attributes": {"size": 3}, "cio_relationships": [{"identifiers": {"id": "u1"}}]},
    ]});
    assert_eq!(batches, [(expected, (0..10).collect())]);
}

#[test]
fn a_batch_keeps_below_the_size_that_the_api_takes() {
    let large = "x".repeat(100_000);
    let events: Vec<Value> = (0..9)
        .map(|at| json!({"type": "track", "userId": at, "event": "Large", "properties": {"text": large}}))
        .collect();
    let batches = combined(&events);
    let members: Vec<&[u32]> = batches.iter().map(|(_, members)| members.as_slice()).collect();
    assert_eq!(members, [&[0, 1, 2, 3][..], &[4, 5, 6, 7], &[8]]);
    assert!(batches.iter().all(|(body, _)| body.to_string().len() < 500_000));
}

#[test]
fn what_no_batch_can_hold_is_sent_by_itself() {
    let events =
        [json!({"type": "track", "userId": "u", "event": "Huge", "properties": {"text": "x".repeat(BYTES_MAX)}})];
    assert!(combined(&events).is_empty());
    let config = Config::read(&json!({"siteID": "s", "apiKey": "k"})).unwrap();
    let foreign = Request::new(Method::Get, "https://track.customer.io/api/v1/customers/1");
    assert!(combine(&config, &[foreign]).is_empty());
}
