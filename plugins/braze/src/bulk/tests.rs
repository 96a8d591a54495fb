use super::*;
use crate::Braze;
use pintle_plugin_sdk::{Context, Delivery, Destination, Event, Outcome, Response, Verdict};
use serde_json::{Value, json};

fn braze() -> Braze {
    let config = json!({"restApiKey": "key", "dataCenter": "EU-02", "enableSubscriptionGroupInGroupCall": true});
    Braze::configure(&config).unwrap()
}

/// The single requests of some events.
fn singles(braze: &Braze, events: &[Value]) -> Vec<Request> {
    let mut requests = Vec::new();
    for event in events {
        let raw = serde_json::value::to_raw_value(event).unwrap();
        let Ok(Outcome::Deliver(deliveries)) = braze.transform(&Event::new(&raw, None), &Context::default()) else {
            panic!("{event} is not delivered");
        };
        for delivery in deliveries {
            match delivery {
                Delivery::Request(request) => requests.push(request),
                Delivery::Record(_) => panic!("it gave a record"),
            }
        }
    }
    requests
}

fn body(request: &Request) -> Value {
    let Body::Json(body) = &request.body else { panic!("it has no JSON") };
    serde_json::from_slice(body).unwrap()
}

fn combined(events: &[Value]) -> Vec<(String, Value, Vec<u32>)> {
    let braze = braze();
    let combined = braze.combine(singles(&braze, events));
    let parts = |Combined { request, members }: Combined| {
        (request.url.replace("https://rest.fra-02.braze.eu/", ""), body(&request), members)
    };
    combined.into_iter().map(parts).collect()
}

fn lengths(bulks: &[(String, Value, Vec<u32>)], list: &str) -> Vec<usize> {
    bulks.iter().map(|(_, body, _)| body[list].as_array().map_or(0, Vec::len)).collect()
}

#[test]
fn each_address_gets_one_request() {
    let time = "2024-07-01T10:00:00Z";
    let bulks = combined(&[
        json!({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "solo"}}),
        json!({"type": "track", "anonymousId": "a2", "event": "Opened", "timestamp": time}),
        json!({"type": "identify", "userId": "u2", "anonymousId": "a2", "traits": {"plan": "team"}}),
        json!({"type": "alias", "userId": "u1", "previousId": "old1"}),
        json!({"type": "alias", "userId": "u2", "previousId": "old2"}),
    ]);
    let alias = |name| json!({"alias_name": name, "alias_label": "rudder_id"});
    let expected = [
        (
            "users/identify",
            json!({"merge_behavior": "merge", "aliases_to_identify": [
            {"external_id": "u1", "user_alias": alias("a1")}, {"external_id": "u2", "user_alias": alias("a2")}]}),
            vec![0, 3],
        ),
        (
            "users/track",
            json!({"partner": "RudderStack",
            "attributes": [{"external_id": "u1", "plan": "solo"}, {"external_id": "u2", "plan": "team"}],
            "events": [{"name": "Opened", "time": time, "user_alias": alias("a2"), "_update_existing_only": false}]}),
            vec![1, 2, 4],
        ),
        (
            "users/merge",
            json!({"merge_updates": [
            {"identifier_to_keep": {"external_id": "u1"}, "identifier_to_merge": {"external_id": "old1"}},
            {"identifier_to_keep": {"external_id": "u2"}, "identifier_to_merge": {"external_id": "old2"}}]}),
            vec![5, 6],
        ),
    ];
    assert_eq!(bulks, expected.map(|(path, body, members)| (path.to_owned(), body, members)));
}

#[test]
fn no_list_gets_longer_than_braze_takes() {
    let events: Vec<Value> =
        (0..80).map(|at| json!({"type": "track", "userId": at, "event": "Opened", "traits": {"at": at}})).collect();
    let bulks = combined(&events);
    assert_eq!((lengths(&bulks, "events"), lengths(&bulks, "attributes")), (vec![75, 5], vec![75, 5]));
    let products: Vec<Value> = (0..160).map(|at| json!({"product_id": at, "price": 1, "quantity": 1})).collect();
    let order = json!({"type": "track", "userId": "u", "event": "Order Completed", "traits": {"vip": true},
        "properties": {"currency": "EUR", "products": products}});
    let bulks = combined(&[order]);
    assert_eq!((lengths(&bulks, "purchases"), lengths(&bulks, "attributes")), (vec![75, 75, 10], vec![1, 0, 0]));
    let aliases: Vec<Value> =
        (0..51).map(|at| json!({"type": "alias", "userId": at, "previousId": format!("old{at}")})).collect();
    assert_eq!(lengths(&combined(&aliases), "merge_updates"), [50, 1]);
}

#[test]
fn users_with_the_same_state_in_the_same_group_share_an_entry() {
    let group = |user: &str, group: &str, traits: Value| json!({"type": "group", "userId": user, "groupId": group, "traits": traits});
    let bulks = combined(&[
        group("u1", "news", json!({"subscriptionState": "subscribed", "email": "one@example.org"})),
        group("u2", "news", json!({"subscriptionState": "subscribed", "email": "two@example.org"})),
        group("u3", "offers", json!({"subscriptionState": "subscribed", "phone": "+4930111"})),
        group("u4", "news", json!({"subscriptionState": "subscribed", "phone": "+4930112"})),
        group("u1", "news", json!({"subscriptionState": "unsubscribed"})),
        group("u5", "news", json!({"subscriptionState": "subscribed"})),
    ]);
    let expected = json!({"subscription_groups": [
        {"subscription_group_id": "news", "subscription_state": "subscribed", "external_ids": ["u1", "u2"], "emails": ["one@example.org", "two@example.org"]},
        {"subscription_group_id": "offers", "subscription_state": "subscribed", "external_ids": ["u3"], "phones": ["+4930111"]},
        {"subscription_group_id": "news", "subscription_state": "subscribed", "external_ids": ["u4"], "phones": ["+4930112"]},
        {"subscription_group_id": "news", "subscription_state": "unsubscribed", "external_ids": ["u1"]},
        {"subscription_group_id": "news", "subscription_state": "subscribed", "external_ids": ["u5"]},
    ]});
    assert_eq!(bulks, [("v2/subscription/status/set".to_owned(), expected, (0..6).collect())]);
}

#[test]
fn a_refusal_finds_the_event_that_it_is_about() {
    let braze = braze();
    let order = json!({"type": "track", "userId": "u2", "event": "Order Completed", "properties": {"currency": "EUR",
        "products": [{"product_id": "p1", "price": 1, "quantity": 1}, {"product_id": "p2", "price": 2, "quantity": 1}]}});
    let events = [
        json!({"type": "track", "userId": "u1", "event": "Opened", "properties": {"note": "a\n[{"}, "traits": {"plan": "solo"}}),
        order,
        json!({"type": "track", "userId": "u3", "event": "Opened"}),
    ];
    let combined = braze.combine(singles(&braze, &events));
    let refused = |list: &str, index: u64| json!({"type": "it is wrong", "input_array": list, "index": index});
    let conclude = |errors: Vec<Value>| {
        let answer = json!({"message": "success", "errors": errors}).to_string().into_bytes();
        braze.conclude(&combined[0].request, &Response { status: 201, headers: Vec::new(), body: answer })
    };
    let (taken, wrong) = (Verdict::Delivered, Verdict::Reject("it is wrong".to_owned()));
    assert_eq!(conclude(vec![]), std::slice::from_ref(&taken));
    let third = conclude(vec![refused("events", 1)]);
    assert_eq!(third, [taken.clone(), taken.clone(), wrong.clone()]);
    // The event itself was taken, or the other purchase.
    let parts = conclude(vec![refused("attributes", 0), refused("purchases", 1)]);
    assert_eq!(parts, [taken.clone(), taken.clone(), taken.clone()]);
    let second = conclude(vec![refused("purchases", 0), refused("purchases", 1)]);
    assert_eq!(second, [taken.clone(), wrong, taken]);
}
