//! Versions of a destination's plugin.

use crate::setup::revision;
use pintle_tests::folder::target_dir;
use pintle_tests::http::Answer;
use pintle_tests::pintle::{Options, Pintle};
use serde_json::{Value, json};

/// The guest for the tests, whose manifest differs from that of the guest that was built by as many bytes as
/// `from` has.
fn version(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(target_dir().join("plugins/fixtures/hostile.wasm")).expect("scripts/build-plugins");
    if from.is_empty() {
        return bytes;
    }
    assert_eq!(from.len(), to.len(), "a text in a component cannot grow");
    let at = bytes.windows(from.len()).position(|bytes| bytes == from.as_bytes()).expect("it is in the manifest");
    bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    bytes
}

async fn push(pintle: &Pintle, bytes: &[u8], tag: Option<&str>) -> Answer {
    let headers: Vec<_> = tag.map(|tag| ("If-Match", tag)).into_iter().collect();
    pintle.ask("POST", "/admin/v1/plugins", &headers, bytes).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_less_than_its_destinations_need_is_refused_with_reasons() {
    let pintle = Pintle::start(Options::without_file()).await;
    let first = push(&pintle, &version("", ""), None).await;
    assert_eq!(first.status, 201, "{first:?}");
    let path = "/admin/v1/destinations/d";
    pintle.make("PUT", path, &json!({"plugin": "hostile", "config": {"url": "http://a.example"}})).await;
    let before = revision(&pintle).await;

    let needs_more = version(r#""config": {"type": "object"}"#, r#""config": {"required":["k"]}"#);
    let refused = push(&pintle, &needs_more, None).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let problem: Value = serde_json::from_str(&refused.text).unwrap();
    assert_eq!(problem["errors"][0]["path"], "destinations.d.config/k", "{problem:#}");
    let does_less = version(r#""messageTypes": ["track"]"#, r#""messageTypes": ["group"]"#);
    let refused = push(&pintle, &does_less, None).await;
    assert!(refused.status == 422 && refused.text.contains("it is sent track events"), "{refused:?}");
    assert_eq!(revision(&pintle).await, before, "what is refused changes nothing");

    // What keeps everybody content is taken.
    let config = json!({"url": "http://a.example", "k": 1});
    pintle.make("PUT", path, &json!({"plugin": "hostile", "config": config})).await;
    let taken = push(&pintle, &needs_more, None).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    pintle.make("PUT", path, &json!({"plugin": "hostile", "config": config, "message_types": ["page"]})).await;
    let taken = push(&pintle, &does_less, None).await;
    assert_eq!(taken.status, 200, "{taken:?}");

    // The way back is no shorter.
    let body = json!({"plugin": "hostile", "config": {"url": "u"}, "message_types": ["page"]});
    pintle.make("PUT", path, &body).await;
    let (status, problem) = pintle.call("POST", "/admin/v1/plugins/hostile/rollback", &json!({"to": 2})).await;
    assert!(status == 422 && problem["detail"].to_string().contains("config/k"), "{problem:#}");
    let back = pintle.make("POST", "/admin/v1/plugins/hostile/rollback", &json!({"to": 1})).await;
    assert_eq!((&back["live"]["number"], &back["versions"]), (&json!(1), &json!(3)), "{back:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_an_older_state_of_a_plugin_changes_nothing() {
    let pintle = Pintle::start(Options::without_file()).await;
    let tag = push(&pintle, &version("", ""), None).await.header("etag").unwrap().to_owned();
    let next = version(r#""version": "0.1.0""#, r#""version": "0.2.0""#);
    let newer = push(&pintle, &next, Some(&tag)).await;
    assert_eq!(newer.status, 200, "{newer:?}");
    let now = newer.header("etag").unwrap().to_owned();
    assert_ne!(now, tag);
    let stale = [("If-Match", tag.as_str())];
    let other = version(r#""version": "0.1.0""#, r#""version": "0.3.0""#);
    let path = "/admin/v1/plugins/hostile";
    for answer in [
        push(&pintle, &other, Some(&tag)).await,
        pintle.ask("POST", &format!("{path}/rollback"), &stale, b"").await.unwrap(),
        pintle.ask("DELETE", path, &stale, b"").await.unwrap(),
    ] {
        assert!(answer.status == 412 && answer.text.contains("read it again"), "{answer:?}");
    }
    let seen = pintle.ask("GET", path, &[], b"").await.unwrap();
    assert_eq!(seen.header("etag"), Some(now.as_str()));
    let body = json!({"plugin": "hostile", "config": {"url": "http://a.example"}});
    pintle.make("PUT", "/admin/v1/destinations/d", &body).await;
    let figures = pintle.make("GET", &format!("{path}/figures"), &Value::Null).await;
    assert_eq!(figures["events"], 0, "it has got none yet: {figures:#}");

    let before = revision(&pintle).await;
    let stale = format!("\"{}\"", before - 1);
    let rollback = format!("/admin/v1/revisions/{}/rollback", before - 1);
    let answer = pintle.ask("POST", &rollback, &[("If-Match", &stale)], b"").await.unwrap();
    assert_eq!(answer.status, 412, "{answer:?}");
    let current = format!("\"{before}\"");
    let answer = pintle.ask("POST", &rollback, &[("If-Match", &current)], b"").await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}
