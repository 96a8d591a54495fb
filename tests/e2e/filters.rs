//! Filters of connections, and the destinations that events name themselves.

use pintle_tests::events::{Events, batch, post};
use pintle_tests::http::Request;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{WRITE_KEY, Workspace};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An event whose `messageId` is its name here.
fn event(id: &str, more: Value) -> Value {
    let mut event = json!({"type": "track", "event": "Seen", "userId": "u", "messageId": id});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

/// A `context` with these denials.
fn denied(provider: &str, ids: &[&str]) -> Value {
    json!({"context": {"consentManagement": {"provider": provider, "resolutionStrategy": "and", "deniedConsentIds": ids}}})
}

async fn send(pintle: &Pintle, events: &[Value]) {
    let texts: Vec<String> = events.iter().map(ToString::to_string).collect();
    let answer = Request::post("/v1/batch", batch(&texts)).key(WRITE_KEY).send(pintle.gateway()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Waits until each destination has dealt with all events: these were delivered to it, the others were filtered.
/// The destination's id is the path that it posts to.
async fn expect(pintle: &Pintle, receiver: &Receiver, events: usize, expected: &[(&str, &[&str])]) {
    for (id, messages) in expected {
        let (delivered, filtered) = (messages.len(), events - messages.len());
        pintle
            .wait_until(&format!("{delivered} delivered to {id}, {filtered} filtered"), |status| {
                let books = destination(status, id);
                books["delivered"] == delivered && books["filtered"] == filtered && books["lag_events"] == 0
            })
            .await;
        let path = format!("/{id}");
        let received = receiver.received();
        let got: Vec<String> = (received.iter().filter(|one| one.uri.path() == path))
            .map(|one| one.json()["messageId"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(got.iter().map(String::as_str).collect::<BTreeSet<_>>(), messages.iter().copied().collect(), "{id}");
        assert_eq!(got.len(), delivered, "{id} got one twice: {got:?}");
    }
    let status = pintle.status().await;
    for (id, _) in expected {
        let books = destination(&status, id);
        assert_eq!((&books["dead_letters"], &books["parked"]), (&json!(0), &json!(0)), "{books:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connection_lets_through_what_its_filter_says() {
    let receiver = Receiver::start().await;
    let consent = |strategy| json!({"consent": [{"provider": "custom", "strategy": strategy, "ids": ["ads", "mail"]}]});
    let filters = [
        ("paid", json!({"message-types": ["track"], "events": {"only": ["Paid"]}})),
        ("unpaid", json!({"events": {"except": ["Paid", "Noise"]}})),
        ("every-consent", consent("and")),
        ("one-consent", consent("or")),
        ("one-trust", json!({"consent": [{"provider": "oneTrust", "ids": ["C1"]}]})),
        ("all", json!({})),
    ];
    let workspace = filters.iter().fold(Workspace::new(), |workspace, (id, filter)| {
        workspace.webhook(id, &receiver.url(&format!("/{id}"))).filter(id, filter)
    });
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let events = [
        event("paid", json!({"event": " Paid "})),
        event("seen", json!({})),
        event("noise", json!({"event": "Noise"})),
        event("page", json!({"type": "page", "name": "Paid"})),
        event("no-ads", denied("custom", &["ads"])),
        event("no-consent", denied("custom", &["mail", "ads", "other"])),
        event("no-c1", denied("oneTrust", &["C1", "ads"])),
        event("other-provider", denied("ketch", &["C1", "ads", "mail"])),
    ];
    send(&pintle, &events).await;

    let all = ["paid", "seen", "noise", "page", "no-ads", "no-consent", "no-c1", "other-provider"];
    expect(
        &pintle,
        &receiver,
        events.len(),
        &[
            ("paid", &["paid"]),
            ("unpaid", &["seen", "page", "no-ads", "no-consent", "no-c1", "other-provider"]),
            ("every-consent", &["paid", "seen", "noise", "page", "no-c1", "other-provider"]),
            ("one-consent", &["paid", "seen", "noise", "page", "no-ads", "no-c1", "other-provider"]),
            ("one-trust", &["paid", "seen", "noise", "page", "no-ads", "no-consent", "other-provider"]),
            ("all", &all),
        ],
    )
    .await;
    let metrics = pintle.metrics().await;
    let counted = metrics
        .lines()
        .find(|line| {
            line.starts_with("pintle_processor_ended_total") && line.contains("\"paid\"") && line.contains("filtered")
        })
        .unwrap();
    assert!(counted.ends_with(" 7"), "{counted}");

    // What a filter stops is counted once, also across a restart.
    let mut pintle = pintle;
    pintle.stop();
    pintle.restart().await;
    send(&pintle, &[event("late", json!({"event": "Paid"}))]).await;
    expect(&pintle, &receiver, events.len() + 1, &[("paid", &["paid", "late"])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_judged_before_any_code_runs() {
    let receiver = Receiver::start().await;
    let code = "export function transformEvent(event) { event.event = event.event === 'Paid' ? 'Noise' : 'Paid'; return event; }";
    let workspace = Workspace::new()
        .transformed("paid", &receiver.url("/paid"), code)
        .filter("paid", &json!({"events": {"only": ["Paid"]}}));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    send(&pintle, &[event("a", json!({"event": "Paid"})), event("b", json!({"event": "Noise"}))]).await;
    expect(&pintle, &receiver, 2, &[("paid", &["a"])]).await;
    assert_eq!(receiver.received()[0].json()["event"], "Noise");
    let shown = pintle.make("GET", "/admin/v1/transformations/paid/figures", &Value::Null).await;
    assert_eq!(shown["events"], 1, "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_say_themselves_where_they_go() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("one", &receiver.url("/one")).webhook("two", &receiver.url("/two"));
    let workspace = workspace.integration("one", "Shop (V2)");
    let pintle = Pintle::start(Options::new(&workspace)).await;
    let events: Vec<Value> = [
        ("silent", None),
        ("all", Some(json!({"All": true}))),
        ("not-two", Some(json!({"All": true, "Two": false}))),
        ("two", Some(json!({"All": false, "TWO": {"option": 1}}))),
        ("shown", Some(json!({"All": false, "shop (v2)": true}))),
        ("plugin", Some(json!({"All": false, "Webhook": true, "one": false}))),
        ("nobody", Some(json!({"All": false}))),
        ("odd-all", Some(json!({"All": "true"}))),
        ("odd", Some(json!(["one"]))),
        ("null", Some(json!(null))),
    ]
    .into_iter()
    .map(|(id, integrations)| event(id, integrations.map_or(json!({}), |all| json!({"integrations": all}))))
    .collect();
    send(&pintle, &events).await;
    expect(
        &pintle,
        &receiver,
        events.len(),
        &[
            ("one", &["silent", "all", "not-two", "shown", "null"]),
            ("two", &["silent", "all", "two", "plugin", "null"]),
        ],
    )
    .await;
}

/// A RudderStack destination that posts to its own path.
fn rudder(receiver: &Receiver, id: &str, config: &Value) -> Value {
    let mut settings = json!({"webhookUrl": receiver.url(&format!("/{id}")), "webhookMethod": "POST"});
    settings.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    json!({
        "id": id, "name": id, "enabled": true, "isProcessorEnabled": true, "transformations": [], "config": settings,
        "destinationDefinition": {"id": "def", "name": "WEBHOOK", "displayName": "Webhook", "config": {}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_workspace_filters_as_its_settings_say() {
    let receiver = Receiver::start().await;
    let consents = |ids: &[&str]| ids.iter().map(|id| json!({"consent": id})).collect::<Vec<_>>();
    let managed = |strategy| {
        json!({"consentManagement": {
            "web": [{"provider": "custom", "resolutionStrategy": strategy, "consents": consents(&["ads", "mail"])}],
            "ios": [{"provider": "custom", "consents": consents(&["never"])}],
        }})
    };
    let settings = [
        ("listed", json!({"eventFilteringOption": "whitelistedEvents", "whitelistedEvents": [{"eventName": "Paid"}]})),
        (
            "unlisted",
            json!({
                "eventFilteringOption": {"web": "blacklistedEvents", "ios": "whitelistedEvents"},
                "blacklistedEvents": {"web": [{"eventName": "Paid"}, {"eventName": " Noise "}, {"eventName": ""}]},
            }),
        ),
        ("managed-and", managed("and")),
        ("managed-or", managed("or")),
        (
            "named",
            json!({"consentManagement": [{"provider": "oneTrust", "resolutionStrategy": "or", "consents": consents(&["C1", "C2"])}]}),
        ),
        (
            "one-trust",
            json!({"oneTrustCookieCategories": [{"oneTrustCookieCategory": "C1"}, {"oneTrustCookieCategory": "C2"}]}),
        ),
        ("ketch", json!({"ketchConsentPurposes": {"web": [{"purpose": "C1"}, {"purpose": "C2"}]}})),
        ("elsewhere", json!({"ketchConsentPurposes": {"ios": [{"purpose": "C1"}]}})),
    ];
    let destinations: Vec<Value> = settings.iter().map(|(id, config)| rudder(&receiver, id, config)).collect();
    let file = json!({"workspaceId": "w", "sources": [{
        "id": "site", "name": "Site", "writeKey": WRITE_KEY, "enabled": true,
        "sourceDefinition": {"id": "sd", "name": "Javascript", "category": null, "type": "web"},
        "destinations": destinations,
    }]});
    let pintle = Pintle::start(Options::with_file(file.to_string())).await;
    let events = [
        event("paid", json!({"event": "Paid"})),
        event("noise", json!({"event": "Noise"})),
        event("page", json!({"type": "page"})),
        event("no-ads", denied("custom", &["ads"])),
        event("no-consent", denied("custom", &["ads", "mail"])),
        event("no-c1", denied("oneTrust", &["C1"])),
        event("no-c1-no-c2", denied("oneTrust", &["C1", "C2"])),
    ];
    send(&pintle, &events).await;
    expect(
        &pintle,
        &receiver,
        events.len(),
        &[
            ("listed", &["paid", "page"]),
            ("unlisted", &["page", "no-ads", "no-consent", "no-c1", "no-c1-no-c2"]),
            ("managed-and", &["paid", "noise", "page", "no-c1", "no-c1-no-c2"]),
            ("managed-or", &["paid", "noise", "page", "no-ads", "no-c1", "no-c1-no-c2"]),
            // The event's own strategy counts, and it is `and`.
            ("named", &["paid", "noise", "page", "no-ads", "no-consent"]),
            ("one-trust", &["paid", "noise", "page", "no-ads", "no-consent"]),
            ("ketch", &["paid", "noise", "page", "no-ads", "no-consent", "no-c1"]),
        ],
    )
    .await;
    let status = pintle.status().await;
    let off = status["catalog"]["off"].as_array().unwrap();
    assert_eq!(off.len(), 1, "{off:#?}");
    assert!(off[0]["reason"].as_str().unwrap().contains("other types of source than web"), "{off:#?}");

    let folder = pintle_tests::folder::Folder::new("import-filters");
    let path = folder.path().join("workspaceConfig.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let text = pintle.cli(&["import", "--check", path.to_str().unwrap()]).await;
    assert!(text.out.contains("filter: only events Paid"), "{}", text.out);
    assert!(text.out.contains("filter: consent C1, C2 of any provider (or)"), "{}", text.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_changes_applies_to_what_comes_then() {
    let receiver = Receiver::start().await;
    let with = |filter: &Value| Workspace::new().webhook("orders", &receiver.url("/orders")).filter("orders", filter);
    let pintle = Pintle::start(Options::new(&with(&json!({"message-types": ["page"]})))).await;
    post(pintle.gateway(), &Events::new(1, 0).many(5, 10), 10).await.unwrap();
    pintle.wait_until("all to be filtered", |status| destination(status, "orders")["filtered"] == 50).await;
    pintle.apply(&with(&json!({"message-types": ["page", "track"], "events": {"only": ["Counted"]}}))).await;
    post(pintle.gateway(), &Events::new(2, 0).after(10).many(5, 10), 10).await.unwrap();
    let status = pintle.wait_delivered("orders", 50).await;
    assert_eq!(destination(&status, "orders")["filtered"], 50);
}
