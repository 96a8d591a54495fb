//! Sources, destinations, connections: made, changed, deleted, by several at once and beside a file.

use crate::setup::{connected, revision, source};
use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle, destination};
use pintle_tests::receiver::{Answer, Receiver};
use pintle_tests::workspace::Workspace;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_through_the_api_delivers_at_once_and_survives_a_restart() {
    let receiver = Receiver::start().await;
    let mut pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    post(pintle.gateway(), &Events::new(1, 0).many(5, 4), 10).await.unwrap();
    pintle.wait_delivered("orders", 20).await;

    let before = revision(&pintle).await;
    pintle.stop();
    pintle.restart().await;
    assert_eq!(revision(&pintle).await, before);
    post(pintle.gateway(), &Events::new(2, 0).after(4).many(5, 4), 10).await.unwrap();
    pintle.wait_delivered("orders", 40).await;

    for path in ["destinations/orders", "sources/site"] {
        let (status, problem) = pintle.call("DELETE", &format!("/admin/v1/{path}"), &Value::Null).await;
        assert_eq!(status, 409, "{problem:#}");
        assert!(problem["detail"].as_str().unwrap().contains("connections.site-orders"), "{problem:#}");
    }
    for path in ["connections/site-orders", "destinations/orders", "sources/site"] {
        let path = format!("/admin/v1/{path}");
        assert_eq!(pintle.call("DELETE", &path, &Value::Null).await.0, 204, "{path}");
        assert_eq!(pintle.call("GET", &path, &Value::Null).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_the_same_state_one_wins_and_the_others_are_told() {
    let pintle = Pintle::start(Options::without_file()).await;
    source(&pintle).await;
    let path = "/admin/v1/sources/site";
    for round in 0..3 {
        let tag = pintle.ask("GET", path, &[], b"").await.unwrap().header("etag").unwrap().to_owned();
        let before = revision(&pintle).await;
        let bodies: Vec<Vec<u8>> =
            (0..8).map(|n| json!({"name": format!("{round}-{n}")}).to_string().into_bytes()).collect();
        let headers = [("If-Match", tag.as_str())];
        let asked = bodies.iter().map(|body| pintle.ask("PUT", path, &headers, body));
        let answers = all(asked).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:#?}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(lost.status, 412, "{lost:?}");
            assert!(lost.text.contains("read it again"), "{lost:?}");
        }
        let now: Value = pintle.make("GET", path, &Value::Null).await;
        assert!(won[0].text.contains(now["name"].as_str().unwrap()), "{now:#}");
        assert_eq!(revision(&pintle).await, before + 1, "only who has won makes a revision");
    }
    let new = pintle.ask("PUT", path, &[("If-None-Match", "*")], b"{}").await.unwrap();
    assert_eq!(new.status, 412, "{new:?}");
}

/// Waits for all at the same time.
async fn all<F: Future<Output = std::io::Result<pintle_tests::http::Answer>>>(
    asked: impl Iterator<Item = F>,
) -> Vec<pintle_tests::http::Answer> {
    let mut waiting: Vec<_> = asked.map(Box::pin).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer.unwrap());
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_be_sound_is_refused_with_what_to_do() {
    let pintle = Pintle::start(Options::without_file()).await;
    source(&pintle).await;
    let webhook = |config: Value| json!({"plugin": "webhook", "config": config});
    let cases = [
        (
            "connections/c",
            json!({"source": "site", "destination": "nowhere"}),
            422,
            "there is no destination `nowhere`",
        ),
        ("sources/other", json!({"write_key": "test-write-key"}), 422, "is the write key of source `other` as well"),
        ("sources/a b", json!({}), 404, "no such path"),
        ("sources/a%20b", json!({}), 422, "is not a usable id"),
        ("sources/x", json!({"write-key": "x"}), 400, "unknown field `write-key`"),
        ("destinations/d", json!({"plugin": "nope", "config": {}}), 422, "there is no plugin `nope`"),
        ("destinations/d", webhook(json!({})), 422, "webhookUrl"),
        ("destinations/d", webhook(json!({"webhookUrl": "${env:PINTLE_NOT_SET}"})), 422, "is not set"),
    ];
    let before = revision(&pintle).await;
    for (path, body, status, text) in cases {
        let answer = pintle.ask("PUT", &format!("/admin/v1/{path}"), &[], body.to_string().as_bytes()).await.unwrap();
        // A space in a path is no HTTP at all.
        let status = if path.contains(' ') { 400 } else { status };
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(path.contains(' ') || answer.text.contains(text), "{path}: {answer:?}");
    }
    assert_eq!(revision(&pintle).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_owns_what_it_lists_and_nothing_else() {
    let receiver = Receiver::start().await;
    let workspace = Workspace::new().webhook("filed", &receiver.url("/"));
    let pintle = Pintle::start(Options::new(&workspace)).await;
    for (method, path, body) in
        [("PUT", "sources/site", json!({"name": "x"})), ("DELETE", "connections/site-filed", Value::Null)]
    {
        let (status, problem) = pintle.call(method, &format!("/admin/v1/{path}"), &body).await;
        assert_eq!(status, 409, "{path}: {problem:#}");
        assert!(problem["detail"].as_str().unwrap().contains("workspace.yaml"), "{problem:#}");
    }
    let own = pintle.make("PUT", "/admin/v1/sources/own", &json!({})).await;
    assert_eq!(own["write_key"].as_str().unwrap().len(), 27, "{own:#}");
    let shown = pintle.make("GET", "/admin/v1/sources/site", &Value::Null).await;
    assert!(shown["file"].as_str().unwrap().ends_with("workspace.yaml"), "{shown:#}");

    // The file changes, and what the API has made stays.
    let more = Workspace::new().webhook("filed", &receiver.url("/")).webhook("more", &receiver.url("/"));
    pintle.apply(&more).await;
    assert_eq!(pintle.make("GET", "/admin/v1/sources/own", &Value::Null).await, own);
    // A file whose things cannot be together with the API's is refused, by name.
    let taken = own["write_key"].as_str().unwrap();
    pintle.write_workspace(&format!("sources:\n  site: {{write-key: {taken}}}\n"));
    let status = pintle.wait_until("the error", |status| status["catalog"]["last_error"].is_string()).await;
    assert!(status["catalog"]["last_error"].as_str().unwrap().contains("write key"), "{status:#}");
    pintle.write_workspace(&more.text());
    pintle.wait_until("the error to go", |status| status["catalog"]["last_error"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let pintle = Pintle::start(Options::without_file()).await;
    for n in 0..5 {
        pintle.make("PUT", &format!("/admin/v1/sources/s{n}"), &json!({})).await;
    }
    let mut found = Vec::new();
    let mut path = "/admin/v1/sources?limit=2".to_owned();
    loop {
        let page = pintle.make("GET", &path, &Value::Null).await;
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/admin/v1/sources?limit=2&after={next}");
    }
    assert_eq!(found, ["s0", "s1", "s2", "s3", "s4"]);
    let page = pintle.make("GET", "/admin/v1/revisions?limit=2", &Value::Null).await;
    let next = page["next"].as_str().unwrap();
    let older = pintle.make("GET", &format!("/admin/v1/revisions?limit=2&before={next}"), &Value::Null).await;
    assert_eq!(older["items"][0]["revision"].as_i64().unwrap(), next.parse::<i64>().unwrap() - 1);
    let (status, problem) = pintle.call("GET", "/admin/v1/sources?limit=501", &Value::Null).await;
    assert_eq!(status, 400);
    assert!(problem["detail"].as_str().unwrap().contains("page-items-max"), "{problem:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destinations_delivery_settings_are_checked_shown_exported_and_obeyed() {
    let receiver = Receiver::start().await;
    receiver.always(Answer::status(429).header("retry-after", "0"));
    let pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    let line =
        ["destination", "put", "orders", "--delivery", "attempts-max=2", "--delivery", "attempts-min=1", "--json"];
    let said = pintle.cli(&line).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["delivery"], json!({"attempts_max": 2, "attempts_min": 1}), "{said:?}");

    post(pintle.gateway(), &Events::new(3, 0).many(1, 2), 2).await.unwrap();
    pintle.wait_until("dead letters", |status| destination(status, "orders")["dead_letters"] == 2).await;
    let listed = pintle.cli(&["dead-letters", "list", "--because", "attempts-max", "--json"]).await.json();
    let attempts: Vec<&Value> = listed["dead_letters"].as_array().unwrap().iter().map(|one| &one["attempts"]).collect();
    assert_eq!(attempts, [&json!(2), &json!(2)], "{listed:#}");

    let exported = pintle.make("GET", "/admin/v1/export", &Value::Null).await;
    assert!(exported["workspace"].as_str().unwrap().contains("attempts-max: 2"), "{exported:#}");
    for (word, expected) in [
        ("attempts-max=0", "destinations.orders.delivery.attempts-max: is 0; use 1 to 1000000 tries"),
        ("attempts-min=3", "is 3, more than `attempts-max`, which is 2"),
        ("attempt-timeout=7200", "use 0.001 to 3600 seconds"),
        ("attempt-max=3", "unknown field `attempt_max`"),
        ("attempts-max=few", "--delivery attempts-max=few is not NAME=NUMBER"),
    ] {
        let said = pintle.cli(&["destination", "put", "orders", "--delivery", word]).await;
        assert!(said.code != 0 && said.err.contains(expected), "{word}: {said:?}");
    }
    let said = pintle.cli(&["destination", "put", "orders", "--delivery", "attempts-min=none", "--json"]).await;
    assert_eq!(said.json()["delivery"], json!({"attempts_max": 2}), "{said:?}");
    let said = pintle.cli(&["destination", "put", "orders", "--delivery", "none", "--json"]).await;
    assert!(said.json()["delivery"].is_null(), "{said:?}");
    let revisions = pintle.cli(&["revisions", "list", "--json"]).await;
    assert!(revisions.out.contains("delivery none → attempts-min 1, attempts-max 2"), "{revisions:?}");
}
