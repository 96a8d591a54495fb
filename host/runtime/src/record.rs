//! What components have answered, as text: the same answer is the same text, byte for byte, so that one that was
//! written down can be compared with another.

use crate::CallFailure;
use crate::destination::{Body, Delivery, Method, Outcome, Request};
use crate::transformation::{Entry, Reply};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a transformation has made of the event at a place of its batch: a JSON array of `output`, `error` and
/// `dropped`, outputs as they were written.
#[must_use]
pub fn reply(reply: &Reply, place: usize) -> String {
    let mut text = String::from("[");
    for entry in &reply.entries {
        let written = match entry {
            Entry::Output { index, event } if *index == place => format!("{{\"output\":{}}}", raw(event)),
            Entry::Error { index, message, stack } if *index == place => {
                json!({"error": {"message": message, "stack": stack}}).to_string()
            }
            Entry::Dropped { index } if *index == place => "{\"dropped\":true}".to_owned(),
            _ => continue,
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&written);
    }
    if text.len() == 1 {
        // What is not mentioned was dropped.
        text.push_str("{\"dropped\":true}");
    }
    text.push(']');
    text
}

fn raw(event: &RawValue) -> &str {
    event.get()
}

/// What a destination has decided about an event: a JSON object with `deliver`, `filter` or `reject`.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Deliver(deliveries) => {
            let deliveries: Vec<Value> = deliveries.iter().map(delivery).collect();
            json!({"deliver": deliveries})
        }
        Outcome::Filter(reason) => json!({"filter": reason}),
        Outcome::Reject(reason) => json!({"reject": reason}),
    }
    .to_string()
}

/// Why a call came to nothing: a JSON object with `failure`.
#[must_use]
pub fn failure(failure: &CallFailure) -> String {
    json!({"failure": failure.to_string(), "kind": failure.kind()}).to_string()
}

fn delivery(delivery: &Delivery) -> Value {
    match delivery {
        Delivery::Request(asked) => json!({"request": request(asked)}),
        Delivery::Record(record) => json!({"record": {
            "stream": record.stream, "key": record.key, "body": bytes(&record.body), "headers": record.headers,
        }}),
    }
}

fn request(request: &Request) -> Value {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let body = match &request.body {
        Body::None => Value::Null,
        Body::Json(json) => json!({"json": bytes(json)}),
        Body::Form(pairs) => json!({"form": pairs}),
        Body::Xml(text) => json!({"xml": text}),
        Body::Raw(raw) => json!({"raw": bytes(raw)}),
    };
    json!({
        "method": method, "url": request.url, "query": request.query, "headers": request.headers, "body": body,
        "gzip": request.gzip,
    })
}

/// Bytes as text, or in hexadecimal when they are none.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a String takes every write");
                hex
            });
            json!({"hex": hex})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_value(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn outputs_stand_as_they_were_written_and_of_one_event_only() {
        let entries = vec![
            Entry::Output { index: 1, event: raw_value(r#"{"a": 1.00}"#) },
            Entry::Output { index: 0, event: raw_value("{}") },
            Entry::Error { index: 1, message: "no \"b\"".to_owned(), stack: None },
        ];
        let answer = Reply { entries, logs: Vec::new() };
        let expected = r#"[{"output":{"a": 1.00}},{"error":{"message":"no \"b\"","stack":null}}]"#;
        assert_eq!(reply(&answer, 1), expected);
        assert_eq!(reply(&answer, 2), r#"[{"dropped":true}]"#);
    }

    #[test]
    fn requests_are_told_whole_also_when_their_bodies_are_no_text() {
        let one = |body| {
            let request = Request {
                method: Method::Put,
                url: "https://a.example/".to_owned(),
                query: vec![("q".to_owned(), "1".to_owned())],
                headers: Vec::new(),
                body,
                gzip: true,
            };
            let told: Value =
                serde_json::from_str(&outcome(&Outcome::Deliver(vec![Delivery::Request(request)]))).unwrap();
            told["deliver"][0]["request"].clone()
        };
        let told = one(Body::Json("{\"a\":1.0}".into()));
        assert_eq!(told["body"], json!({"json": "{\"a\":1.0}"}));
        assert_eq!((&told["method"], &told["query"][0][1], &told["gzip"]), (&json!("PUT"), &json!("1"), &json!(true)));
        assert_eq!(one(Body::Raw(vec![0xff, 0].into()))["body"], json!({"raw": {"hex": "ff00"}}));
    }
}
