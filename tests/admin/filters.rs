//! Filters of connections, through the API and from the command line.

use crate::setup::{CONNECTION, connected, revision};
use pintle_tests::events::{Events, post};
use pintle_tests::folder::Folder;
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

const PATH: &str = "/admin/v1/connections/site-orders";

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_put_shown_compared_and_taken_back() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    let open = revision(&pintle).await;
    let filter = json!({
        "message_types": ["track"],
        "events": {"except": ["Counted"]},
        "consent": [{"provider": "custom", "strategy": "or", "ids": ["ads"]}],
    });
    let body = json!({"source": "site", "destination": "orders", "filter": filter});
    let put = pintle.make("PUT", PATH, &body).await;
    assert_eq!(put["filter"], filter, "{put:#}");
    assert_eq!(pintle.make("GET", PATH, &Value::Null).await["filter"], filter);
    post(pintle.gateway(), &Events::new(1, 0).many(2, 5), 10).await.unwrap();
    pintle.wait_until("all to be filtered", |status| destination(status, "orders")["filtered"] == 10).await;

    let diff = pintle.make("GET", &format!("/admin/v1/revisions/{}/diff", open + 1), &Value::Null).await;
    let line =
        "connection site-orders changed: filter none → only track; no events Counted; consent ads of custom (or)";
    assert_eq!(diff["lines"], json!([line]), "{diff:#}");
    pintle.make("POST", &format!("/admin/v1/revisions/{open}/rollback"), &Value::Null).await;
    assert!(pintle.make("GET", PATH, &Value::Null).await["filter"].is_null());
    post(pintle.gateway(), &Events::new(2, 0).after(5).many(2, 5), 10).await.unwrap();
    pintle.wait_delivered("orders", 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_makes_no_sense_is_refused_with_what_to_do() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    let before = revision(&pintle).await;
    for (filter, status, text) in [
        (json!({"message_types": ["click"]}), 422, "`click` is not a type of event"),
        (json!({"message_types": []}), 422, "nothing would pass"),
        (json!({"events": {"only": ["a"], "except": ["b"]}}), 422, "has both `only` and `except`"),
        (json!({"events": {"except": []}}), 422, "site-orders.filter.events.except"),
        (json!({"consent": [{"provider": "custom", "ids": []}]}), 422, "site-orders.filter.consent[0].ids"),
        (json!({"consent": [{"provider": "custom", "strategy": "xor", "ids": ["a"]}]}), 400, "expected `and` or `or`"),
        (json!({"message-types": ["track"]}), 400, "unknown field `message-types`"),
    ] {
        let body = json!({"source": "site", "destination": "orders", "filter": filter});
        let (got, problem) = pintle.call("PUT", PATH, &body).await;
        assert_eq!(got, status, "{problem:#}");
        assert!(problem.to_string().contains(text), "{text}: {problem:#}");
    }
    assert_eq!(revision(&pintle).await, before);
    let blank = json!({"source": "site", "destination": "orders", "filter": {}});
    assert!(pintle.make("PUT", PATH, &blank).await["filter"].is_null(), "it says nothing");
    assert_eq!(revision(&pintle).await, before, "and changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_filters_and_exports_them() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    let shown = async |words: &[&str]| {
        let said = pintle.cli(&[&["connection", "put", CONNECTION, "--json"][..], words].concat()).await;
        assert_eq!(said.code, 0, "{said:?}");
        said.json()["filter"].clone()
    };
    let filter = shown(&[
        "--message-type",
        "track",
        "--only-event",
        "Order Completed",
        "--only-event",
        "Paid",
        "--consent",
        "custom:or:ads,mail",
        "--consent",
        "any:and:C1",
    ])
    .await;
    let consent =
        json!([{"provider": "custom", "strategy": "or", "ids": ["ads", "mail"]}, {"strategy": "and", "ids": ["C1"]}]);
    let expected =
        json!({"message_types": ["track"], "events": {"only": ["Order Completed", "Paid"]}, "consent": consent});
    assert_eq!(filter, expected);
    // What is not given stays, and one list of events takes the other's place.
    let filter = shown(&["--except-event", "Noise", "--consent", "none"]).await;
    assert_eq!(filter, json!({"message_types": ["track"], "events": {"except": ["Noise"]}}));

    let folder = Folder::new("export-filters");
    let out = folder.path().join("out");
    let exported = pintle.cli(&["export", "--out", out.to_str().unwrap()]).await;
    assert_eq!(exported.code, 0, "{exported:?}");
    let checked = pintle.cli(&["import", "--check", out.join("workspace.yaml").to_str().unwrap()]).await;
    assert!(checked.code == 0 && checked.out.contains("filter: only track; no events Noise"), "{checked:?}");

    let put = ["destination", "put", "orders", "--integration", "Shop (V2)", "--json"];
    assert_eq!(pintle.cli(&put).await.json()["integration"], "Shop (V2)");

    assert_eq!(shown(&["--message-type", "any", "--except-event", "none"]).await, Value::Null);
    for words in [["--only-event", "a", "--except-event", "b"], ["--consent", "ads", "--only-event", "a"]] {
        let said = pintle.cli(&[&["connection", "put", CONNECTION][..], &words].concat()).await;
        assert_eq!(said.code, 64, "{said:?}");
    }
    let said = pintle.cli(&["connection", "put", CONNECTION, "--message-type", "click"]).await;
    assert!(said.code == 1 && said.err.contains("`click` is not a type of event"), "{said:?}");
}
