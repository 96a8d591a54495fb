//! A workspace that was exported from RudderStack.

use pintle_tests::events::{Events, post};
use pintle_tests::ledger::Ledger;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::WRITE_KEY;
use serde_json::{Value, json};

fn destination(id: &str, name: &str, kind: &str, config: Value) -> Value {
    json!({
        "id": id, "name": name, "enabled": true, "isProcessorEnabled": true, "transformations": [],
        "config": config,
        "destinationDefinition": {"id": format!("def-{id}"), "name": kind, "displayName": kind, "config": {}},
    })
}

fn exported(url: &str) -> String {
    let orders = destination("d-orders", "Orders", "WEBHOOK", json!({"webhookUrl": url, "webhookMethod": "POST"}));
    let unknown = destination("d-ads", "Ads", "NO_SUCH_NETWORK", json!({"apiKey": "k"}));
    let filtered_config = json!({
        "webhookUrl": url, "eventFilteringOption": "whitelistedEvents", "whitelistedEvents": [{"eventName": "Paid"}],
    });
    let filtered = destination("d-filtered", "Filtered", "WEBHOOK", filtered_config);
    json!({
        "workspaceId": "w1",
        "sources": [{
            "id": "s-site", "name": "Site", "writeKey": WRITE_KEY, "enabled": true, "workspaceId": "w1",
            "sourceDefinition": {"id": "sd", "name": "Javascript", "category": null},
            "destinations": [orders, unknown, filtered],
        }],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_workspace_delivers_and_what_is_not_enforced_stays_off() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::with_file(exported(&receiver.url("/orders")))).await;
    post(pintle.gateway(), &Events::new(11, 0).many(10, 5), 10).await.unwrap();

    let status = pintle.wait_delivered("d-orders", 50).await;
    Ledger::of(&receiver.received()).assert_each_once_in_order("orders", 10, 5);
    let off = status["catalog"]["off"].as_array().unwrap();
    assert_eq!(off.len(), 1, "{off:#?}");
    let reason =
        |id: &str| off.iter().find(|off| off["connection"] == format!("s-site-{id}")).unwrap()["reason"].to_string();
    assert!(reason("d-ads").contains("NO_SUCH_NETWORK"), "{off:#?}");
    pintle
        .wait_until("the events that are not on the list", |status| {
            let books = pintle_tests::pintle::destination(status, "d-filtered");
            books["filtered"] == 50 && books["delivered"] == 0
        })
        .await;

    let file = pintle_tests::folder::Folder::new("import");
    let path = file.path().join("workspaceConfig.json");
    std::fs::write(&path, exported("http://127.0.0.1:9/")).unwrap();
    let path = path.to_str().unwrap();
    let text = pintle.cli(&["import", "--check", path]).await;
    assert_eq!(text.code, 1, "something is off: {text:?}");
    for part in ["works:", "Orders", "filter: only events Paid", "off:", "NO_SUCH_NETWORK", "ignored:"] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    let report = pintle.cli(&["import", "--check", path, "--json"]).await.json();
    assert_eq!(report["kind"], "rudderstack", "{report:#}");
    let named = |list: &str| {
        report[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.get("item").unwrap_or(item)["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(named("works").contains(&"s-site-d-orders".to_owned()), "{report:#}");
    assert!(named("off").contains(&"s-site-d-ads".to_owned()), "{report:#}");
}
