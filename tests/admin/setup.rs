//! A catalog made through the API.

use pintle_tests::pintle::Pintle;
use pintle_tests::receiver::Receiver;
use pintle_tests::workspace::{SOURCE, WRITE_KEY};
use serde_json::{Value, json};

/// The destination.
pub const DESTINATION: &str = "orders";
/// The connection.
pub const CONNECTION: &str = "site-orders";

/// A source, a webhook destination, and a connection between them that runs these transformations.
pub async fn connected(pintle: &Pintle, receiver: &Receiver, transformations: &[&str]) {
    source(pintle).await;
    let config = json!({"webhookUrl": receiver.url("/")});
    let body = json!({"plugin": "webhook", "config": config});
    pintle.make("PUT", &format!("/admin/v1/destinations/{DESTINATION}"), &body).await;
    let body = json!({"source": SOURCE, "destination": DESTINATION, "transformations": transformations});
    pintle.make("PUT", &format!("/admin/v1/connections/{CONNECTION}"), &body).await;
}

/// The source.
pub async fn source(pintle: &Pintle) {
    let body = json!({"name": "Site", "write_key": WRITE_KEY});
    pintle.make("PUT", &format!("/admin/v1/sources/{SOURCE}"), &body).await;
}

/// Saves code as a draft; gives status and answer.
pub async fn push(pintle: &Pintle, id: &str, code: &str) -> (u16, Value) {
    let path = format!("/admin/v1/transformations/{id}/draft?language=javascript");
    let answer = pintle.ask("PUT", &path, &[], code.as_bytes()).await.unwrap();
    (answer.status, serde_json::from_str(&answer.text).unwrap())
}

/// Saves and publishes code.
pub async fn publish(pintle: &Pintle, id: &str, code: &str) -> Value {
    let (status, answer) = push(pintle, id, code).await;
    assert!(status == 200 || status == 201, "{answer:#}");
    pintle.make("POST", &format!("/admin/v1/transformations/{id}/publish"), &Value::Null).await
}

/// JavaScript that marks each event.
pub fn mark(name: &str, value: &str) -> String {
    format!("export function transformEvent(event) {{ event.properties.{name} = '{value}'; return event; }}")
}

/// The number of the revision in force.
pub async fn revision(pintle: &Pintle) -> i64 {
    pintle.make("GET", "/admin/v1/catalog", &Value::Null).await["revision"].as_i64().unwrap()
}
