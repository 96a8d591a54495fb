//! The OpenAPI document says what there is: no more, no less, and in the shape that it has.

use crate::setup::{connected, mark, publish};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_there_and_answers_in_its_shape() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "t", &mark("v", "1")).await;
    pintle.ask("PUT", "/admin/v1/libraries/l/draft", &[], b"export const a = 1;").await.unwrap();
    pintle.make("POST", "/admin/v1/libraries/l/publish", &Value::Null).await;
    pintle.make("PUT", "/admin/v1/credentials/key", &json!({"value": "x"})).await;
    connected(&pintle, &receiver, &["t"]).await;
    let filter = json!({
        "message_types": ["track"], "events": {"only": ["a"]}, "consent": [{"provider": "custom", "ids": ["ads"]}],
    });
    let body = json!({"source": "site", "destination": "orders", "transformations": ["t"], "filter": filter});
    pintle.make("PUT", "/admin/v1/connections/site-orders", &body).await;
    let document = pintle.make("GET", "/admin/v1/openapi.json", &Value::Null).await;
    let mut shapes = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            let operation = &operations[method];
            if path.ends_with("/tail") && method == "get" {
                continue;
            }
            let told = !operation.is_null();
            for id in ["t", "l", "key", "site", "orders", "site-orders", "webhook"] {
                // What changes something is asked about a thing that is not there.
                let (id, revision) = if method == "get" { (id, "1") } else { ("nobody", "0") };
                let there = path.replace("{id}", id).replace("{revision}", revision).replace("{digest}", "0");
                if told
                    && ["/admin/v1/tokens", "/admin/v1/secrets/rotate"].contains(&there.as_str())
                    && method == "post"
                {
                    continue; // It would be done.
                }
                let answer = pintle.ask(&method.to_uppercase(), &there, &[], b"").await.unwrap();
                let unknown = answer.status == 405 || answer.text.contains("there is no such path");
                assert_eq!(unknown, !told, "{method} {there}: {answer:?}");
                let schema = &operation["responses"]["2XX"]["content"]["application/json"]["schema"];
                if answer.status < 300 && schema.is_object() {
                    let body: Value = serde_json::from_str(&answer.text).unwrap();
                    fits(&document, schema, &body, &format!("{method} {there}"));
                    shapes += 1;
                } else if answer.status >= 400 {
                    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {there}");
                    let body: Value = serde_json::from_str(&answer.text).unwrap();
                    fits(&document, &json!({"$ref": "#/components/schemas/Problem"}), &body, &there);
                }
                if !path.contains("{id}") {
                    break;
                }
            }
        }
    }
    assert!(shapes > 20, "only {shapes} answers were looked at");
    assert_eq!(pintle.call("GET", "/admin/v1/nothing", &Value::Null).await.0, 404);
    let gateway =
        pintle_tests::http::Request::new("GET", "/admin/v1/openapi.json").send(pintle.gateway()).await.unwrap();
    assert_eq!(gateway.status, 404, "the gateway's port has no admin API");
}

/// Whether a document has the shape of a schema: every field is known, none that must be there is missing.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(document, document.pointer(&reference[1..]).unwrap(), value, at);
    }
    let is = match schema["type"].as_str() {
        None => true,
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(other) => panic!("{at}: {other}?"),
    };
    assert!(is, "{at}: {value} is not {schema}");
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(document, &schema["items"], item, &format!("{at}/{index}"));
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    for (name, field) in value.as_object().unwrap() {
        let known = properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not described"));
        fits(document, known, field, &format!("{at}/{name}"));
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{at}: {name} is missing in {value}");
    }
}
