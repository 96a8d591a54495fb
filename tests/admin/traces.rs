//! Traces through the admin API: what is taken, what is refused and why, and who did it.

use crate::setup::connected;
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

const PATH: &str = "/admin/v1/traces";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_made_listed_ended_and_written_down() {
    let receiver = Receiver::start().await;
    let options = Options::without_file().set("trace", "switches-max", 2).set("trace", "switch-events-max", 500);
    let pintle = Pintle::start(options).await;
    connected(&pintle, &receiver, &[]).await;
    for (body, status, says) in [
        (json!({}), 400, "a user, a connection or a source"),
        (json!({"user_id": "ann", "events": 501}), 400, "1 to 500 (switch-events-max)"),
        (json!({"user_id": "ann", "events": 0}), 400, "switch-events-max"),
        (json!({"user_id": "ann", "seconds": 90_000}), 400, "switch-time-max"),
        (json!({"user_id": "ann", "until": 5}), 400, "unknown field"),
        (json!({"source": "nowhere"}), 404, "no source \"nowhere\""),
        (json!({"connection": "nothing"}), 404, "no connection \"nothing\""),
        (json!({"user_id": "ann", "note": "x".repeat(1_001)}), 400, "1000 bytes"),
    ] {
        let (got, problem) = pintle.call("POST", PATH, &body).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(got == status && detail.contains(says), "{body}: {got} {problem:#}");
    }
    assert_eq!(pintle.make("GET", PATH, &Value::Null).await, json!({"items": []}));

    let body = json!({"user_id": "ann", "source": "site", "events": 5, "seconds": 60, "note": "ticket 7"});
    let made = pintle.make("POST", PATH, &body).await;
    assert_eq!((&made["on"], &made["events_max"], &made["events"]), (&json!(true), &json!(5), &json!(0)), "{made:#}");
    pintle.make("POST", PATH, &json!({"connection": "site-orders"})).await;
    let (status, problem) = pintle.call("POST", PATH, &json!({"source": "site"})).await;
    assert!(status == 429 && problem["detail"].as_str().unwrap().contains("switches-max"), "{problem:#}");

    let first = pintle.make("GET", &format!("{PATH}?limit=1"), &Value::Null).await;
    assert_eq!(first["items"][0]["connection"], "site-orders", "newest first: {first:#}");
    let rest = pintle.make("GET", &format!("{PATH}?before={}", first["next"].as_str().unwrap()), &Value::Null).await;
    assert_eq!(rest["items"], json!([made]));

    let id = made["id"].as_str().unwrap();
    assert_eq!(pintle.call("DELETE", &format!("{PATH}/{id}"), &Value::Null).await.0, 204);
    let (status, problem) = pintle.call("DELETE", &format!("{PATH}/{id}"), &Value::Null).await;
    assert!(status == 404 && problem["detail"].as_str().unwrap().contains("has ended"), "{problem:#}");
    assert_eq!(pintle.call("DELETE", &format!("{PATH}/none"), &Value::Null).await.0, 404);
    let audit = pintle.make("GET", "/admin/v1/audit", &Value::Null).await;
    let off = &audit["items"][0];
    assert_eq!((&off["action"], &off["reason"]), (&json!("trace.off"), &json!("ticket 7")), "{audit:#}");
    assert_eq!(off["subject"], format!("{id}: user ann, source site"), "{audit:#}");

    let shown = pintle.cli(&["trace", "list"]).await;
    assert!(shown.code == 0 && shown.out.contains("switched off") && shown.out.contains("ticket 7"), "{shown:?}");
    let nobody = pintle.cli(&["trace", "on", "--next", "3"]).await;
    assert!(nobody.code == 64, "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_nowhere_is_answered_with_where_was_looked() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    let why = "/admin/v1/events/by-message-id/nobody%2F1";
    let (status, problem) = pintle.call("GET", why, &Value::Null).await;
    assert!(status == 404 && problem["detail"].as_str().unwrap().contains("there is no source"), "{problem:#}");
    connected(&pintle, &receiver, &[]).await;
    let (status, problem) = pintle.call("GET", why, &Value::Null).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(status == 404 && detail.contains("no event of site") && detail.contains("nobody/1"), "{problem:#}");
    let (status, problem) = pintle.call("GET", &format!("{why}?since=1"), &Value::Null).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("since_ms"), "{problem:#}");
}
